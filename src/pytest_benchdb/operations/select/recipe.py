"""The command that runs a benchmark again as it was recorded."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.store.read.reader import Reader

_KEPT = ("--benchdb-backends", "--benchdb-passes", "--benchdb-all", "--benchdb-raw", "--no-benchdb-raw", "--rootdir")
_KEPT_PREFIXES = ("--benchmark-", "--codspeed-")
_KEPT_SHORT = ("-c", "-o", "-p")
# Options of pytest-benchmark that name files.
_DROPPED = (
    "--benchmark-save",
    "--benchmark-autosave",
    "--benchmark-json",
    "--benchmark-compare",
    "--benchmark-storage",
)
# The word after one of these is not its value.
_FLAGS = frozenset(
    {
        "--benchdb-all",
        "--benchdb-raw",
        "--no-benchdb-raw",
        "--benchmark-only",
        "--benchmark-skip",
        "--benchmark-disable",
        "--benchmark-enable",
        "--benchmark-disable-gc",
        "--benchmark-verbose",
        "--benchmark-quiet",
        "--benchmark-autosave",
        "--benchmark-save-data",
        "--benchmark-cprofile-dump",
        "--benchmark-group",
    }
)
_DEFAULT_BACKEND = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a run was started.

    Attributes:
        options: those of its command line that matter to one benchmark.
    """

    options: tuple[str, ...]

    def arguments(self, fullname: str, other: str | None = None) -> list[str]:
        """Return the arguments of pytest for a benchmark, and for that of the other side if it is another test."""
        nodeids = [fullname] if other in {None, fullname} else [str(other), fullname]
        return [*nodeids, "--benchdb", *self.options]

    def command(self, fullname: str, other: str | None = None) -> str:
        """Return the line for a shell, to be run in the project's root.

        >>> Recipe(options=()).command("tests/test_a.py::test_b[a b]")
        "pytest 'tests/test_a.py::test_b[a b]' --benchdb"
        """
        return shlex.join(["pytest", *self.arguments(fullname, other)])


def read_recipes(reader: Reader, values: Iterable[SessionValue]) -> dict[str, Recipe]:
    """Return how runs were started, by run; imported runs cannot be run again.

    Raises:
        StoreError: the history cannot be read.
    """
    wanted = {value.run_id: value for value in values}
    commands = reader.commands(sorted({value.session_id for value in wanted.values()}))
    kept = {session_id: tuple(kept_options(command)) for session_id, command in commands.items() if command}
    return {
        run_id: Recipe(options=(*kept[value.session_id], *_backend(value, kept[value.session_id])))
        for run_id, value in wanted.items()
        if value.session_id in kept and value.provenance != "imported"
    }


def kept_options(command: str) -> Iterator[str]:
    """Yield the options of a recorded command line that change how one benchmark is measured.

    Options that select tests, name the session or write files do not; masked ones are left out too.

    >>> list(kept_options("pytest tests -k sort --benchdb=db --benchdb-backends cuda -p no:randomly -x"))
    ['--benchdb-backends=cuda', '-p', 'no:randomly']
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return
    position = 0
    while position < len(words):
        word = words[position]
        following = words[position + 1] if position + 1 < len(words) else None
        position += 1
        name, equals, _ = word.partition("=")
        if "***" in word or not _is_kept(name):
            continue
        takes_next = not equals and name not in _FLAGS and following is not None and not following.startswith("-")
        if not takes_next:
            yield word
        else:
            position += 1
            yield from (word, str(following)) if name in _KEPT_SHORT else (f"{word}={following}",)


def _is_kept(name: str) -> bool:
    if name.startswith(_KEPT_PREFIXES):
        return not name.startswith(_DROPPED)
    return name in _KEPT or name in _KEPT_SHORT


def _backend(value: SessionValue, options: Sequence[str]) -> Iterator[str]:
    """Yield the option without which the test would run on another backend, if the run recorded one."""
    backend = value.key.backend
    if backend in {None, _DEFAULT_BACKEND} or any(option.startswith("--benchdb-backends") for option in options):
        return
    # A parameter that names the device would have another id under another option.
    if not any(
        isinstance(param, str) and param.partition(":")[0] == backend for param in (value.params or {}).values()
    ):
        yield f"--benchdb-backends={backend}"
