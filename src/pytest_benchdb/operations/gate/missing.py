"""Tell benchmarks that are missing from a session from those that were not selected."""

import shlex
from collections.abc import Collection, Iterable

_SELECTING = (
    "-k",
    "-m",
    "--lf",
    "--last-failed",
    "--sw",
    "--stepwise",
    "--deselect",
    "--ignore",
    "--ignore-glob",
    "--shard-id",
    "--splits",
)
"""Options that select tests by more than their names, so that the command line does not say what was to run."""


def missing_names(
    baseline: Collection[str],
    candidate: Collection[str],
    *,
    commands: tuple[str | None, str | None],
    complete: bool,
) -> list[str]:
    """Return the benchmarks that the baseline has and the candidate should have had, in the baseline's order.

    Args:
        baseline: full names of the newest session of the baseline.
        candidate: full names of the candidate.
        commands: command lines of both, in this order; None if one has none.
        complete: whether every test ran that the candidate had selected.
    """
    absent = [name for name in baseline if name not in candidate]
    if not absent or not complete:
        return []
    before, after = commands
    if after is None or before == after:
        return absent
    chosen = _chosen_paths(after, [*baseline, *candidate])
    return [] if chosen is None else [name for name in absent if not chosen or any(_is_in(name, p) for p in chosen)]


def _chosen_paths(command: str, names: Iterable[str]) -> list[str] | None:
    """Return the files, folders and node ids in a command; None if it selects by other means."""
    try:
        words = shlex.split(command)[1:]
    except ValueError:
        return None
    if any(map(_selects, words)):
        return None
    files = {name.partition("::")[0] for name in names}
    paths = [word.removeprefix("./").rstrip("/") for word in words if not word.startswith("-")]
    if "." in paths:
        return []
    return [path for path in paths if _is_path(path) or any(_is_in(file, path) for file in files)]


def _selects(word: str) -> bool:
    return word.partition("=")[0] in _SELECTING or (word[:2] in {"-k", "-m"} and not word.startswith("--"))


def _is_path(word: str) -> bool:
    return word.endswith(".py") or "::" in word


def _is_in(name: str, path: str) -> bool:
    """Return whether a benchmark is in a path of a command, which may begin below the project's root.

    >>> _is_in("tests/unit/test_a.py::test_x[1]", "unit"), _is_in("tests/test_a.py", "est_a.py")
    (True, False)
    """
    file = name.partition("::")[0]
    starts = [0, *(at + 1 for at, char in enumerate(file) if char == "/")]
    return any(name.startswith(path, at) and name[at + len(path) :][:1] in {"", "/", "[", ":"} for at in starts)
