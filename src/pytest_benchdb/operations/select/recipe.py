"""Rebuild the command that reruns a benchmark as it was recorded."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.store.read.reader import Reader

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
        "--codspeed",
    }
)
"""Options that take no value."""
_KEPT = _FLAGS | {
    "--benchdb-backends",
    "--benchdb-passes",
    "--benchmark-min-time",
    "--benchmark-max-time",
    "--benchmark-min-rounds",
    "--benchmark-calibration-precision",
    "--benchmark-warmup",
    "--benchmark-warmup-iterations",
    "--codspeed-mode",
    "--codspeed-warmup-time",
    "--codspeed-max-time",
    "--codspeed-max-rounds",
}
"""No option that loads code or names a file: people paste the command, and the session may come from anybody."""
_DEFAULT_BACKEND = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a run was started.

    Attributes:
        options: the command-line options that affect how one benchmark is measured.
    """

    options: tuple[str, ...]

    def arguments(self, fullname: str, other: str | None = None) -> list[str]:
        """Return pytest's arguments for a benchmark, and for the other side's if that is a different test."""
        nodeids = [fullname] if other in {None, fullname} else [str(other), fullname]
        return [*nodeids, "--benchdb", *self.options]

    def command(self, fullname: str, other: str | None = None) -> str:
        """Return the shell command, to be run in the project's root.

        >>> Recipe(options=()).command("tests/test_a.py::test_b[a b]")
        "pytest 'tests/test_a.py::test_b[a b]' --benchdb"
        """
        return shlex.join(["pytest", *self.arguments(fullname, other)])


def read_recipes(reader: Reader, values: Iterable[SessionValue]) -> dict[str, Recipe]:
    """Return the recipes of runs by run id, leaving out imported runs, which cannot be rerun.

    Raises:
        StoreError: the history cannot be read.
    """
    by_run = {value.run_id: value for value in values}
    commands = reader.commands(sorted({value.session_id for value in by_run.values()}))
    kept = {
        session_id: tuple(kept_options(command))
        for session_id, command in commands.items()
        if command and not command.startswith("benchdb ")
    }
    return {
        run_id: Recipe(
            options=(*kept[value.session_id], *_backend(value.key.backend, value.params, kept[value.session_id]))
        )
        for run_id, value in by_run.items()
        if value.session_id in kept and value.provenance != "imported"
    }


def command_of(row: ReportRow, recorded: str | None) -> str | None:
    """Return the shell command that repeats a run, to be run in the project's root.

    Args:
        row: the run.
        recorded: the command line of its session; None if there was none.

    Returns:
        None for what pytest did not run here.
    """
    if not recorded or row.provenance == "imported":
        return None
    kept = tuple(kept_options(recorded))
    return Recipe(options=(*kept, *_backend(row.backend, row.params, kept))).command(row.fullname)


def kept_options(command: str) -> Iterator[str]:
    """Yield the options of a recorded command line that change how one benchmark is measured.

    Options that select tests, name the session, load code, name files or were masked are left out.

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
        if word == "-p" and following is not None and following.startswith("no:"):
            position += 1
            yield from (word, following)
        if "***" in word or name not in _KEPT:
            continue
        if equals or name in _FLAGS or following is None or following.startswith("-"):
            yield word
        else:
            position += 1
            yield f"{word}={following}"


def _backend(backend: str | None, params: Mapping[str, object] | None, options: Sequence[str]) -> Iterator[str]:
    """Yield the option that selects the run's backend, if the command needs one."""
    if backend in {None, _DEFAULT_BACKEND} or any(option.startswith("--benchdb-backends") for option in options):
        return
    # If a parameter names the device, the option would change the test's id.
    if not any(isinstance(param, str) and param.partition(":")[0] == backend for param in (params or {}).values()):
        yield f"--benchdb-backends={backend}"
