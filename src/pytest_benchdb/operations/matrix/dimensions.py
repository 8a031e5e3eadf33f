"""The dimensions of a compatibility matrix: what its rows and columns can be, and their values in order."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.compatibility.matrix import MatrixRun
from pytest_benchdb.model.wording import did_you_mean
from pytest_benchdb.operations.compare.axis import bare_name, python_text

PLACES = ("backend", "device")
"""Dimensions that say where something ran."""

_OF_RUN: Mapping[str, Callable[[MatrixRun], str | int | None]] = {
    "model": lambda run: run.model,
    "version": lambda run: run.version,
    "family": lambda run: run.family,
    "modality": lambda run: run.modality,
    "backend": lambda run: run.backend,
    "device": lambda run: run.device,
    "framework": lambda run: run.framework,
    "implementation": lambda run: run.implementation,
    "workload": lambda run: run.workload,
    "precision": lambda run: run.precision,
    "batch_size": lambda run: run.batch_size,
    "sequence_length": lambda run: run.sequence_length,
    "use_case": lambda run: run.use_case,
    "benchmark": lambda run: run.fullname,
    "function": lambda run: run.fullname.partition("[")[0],
    "file": lambda run: run.fullname.partition("::")[0],
    "group": lambda run: run.group,
}

_SESSION_TEXTS: Mapping[str, Callable[[str], str | None]] = {
    "python": python_text,
    "os": str,
    "cpu": str,
    "branch": str,
    "commit": lambda sha: sha[:10],
    "label": str,
}

DIMENSIONS = (*_OF_RUN, *_SESSION_TEXTS, "param:NAME", "tag:NAME")
"""What rows and columns can be."""

_MOST_BENCHMARKS = 60
"""Benchmarks that are still rows of their own where nothing has a model; of more, their files are the rows."""
_NUMBER = re.compile(r"(\d+)")


def parse_dimension(option: str, text: str) -> str:
    """Return the dimension that a user named.

    Raises:
        ConfigError: there is none of this name.
    """
    name = text.strip()
    kind, colon, rest = name.partition(":")
    if colon and kind.lower() in {"param", "tag"} and rest:
        return f"{kind.lower()}:{rest}"
    if name.lower() in _OF_RUN or name.lower() in _SESSION_TEXTS:
        return name.lower()
    near = did_you_mean(name, DIMENSIONS).removesuffix("?")
    raise ConfigError(f"{option} {text!r}: no such dimension{near}; choose from {', '.join(DIMENSIONS)}")


def session_dimension(dimension: str) -> str | None:
    """Return a dimension if it is a fact of whole sessions, which the query has to be asked for; else None."""
    return dimension if dimension in _SESSION_TEXTS or dimension.startswith("tag:") else None


def usual_rows(runs: Sequence[MatrixRun], columns: str) -> tuple[str, str | None]:
    """Return what the rows are if the user names nothing, and why it is not the model; None if it is."""
    if columns != "model" and (not runs or any(run.model is not None for run in runs)):
        return "model", None
    if columns == "model":
        return "backend", None
    reason = "no run has a model (mark tests with @pytest.mark.benchdb(model=...))"
    names = {bare_name(run.fullname, run.params, run.backend or "") for run in runs}
    if len(names) <= _MOST_BENCHMARKS:
        return "benchmark", f"{reason}, so the rows are benchmarks"
    return "file", f"{reason}, and {len(names)} benchmarks are too many for rows, so the rows are files"


def value_of(run: MatrixRun, dimension: str, other: str, from_session: str | None) -> str | None:
    """Return the value of a dimension for a run; None if the run has none.

    Args:
        run: the run.
        dimension: the dimension.
        other: the matrix's other dimension: a benchmark's name is without what that says already.
        from_session: its `session_row` or `session_column`, whichever belongs to the dimension.
    """
    if dimension == "benchmark" and other in PLACES:
        return bare_name(run.fullname, run.params, run.backend or "")
    if dimension in _OF_RUN:
        value = _OF_RUN[dimension](run)
        return None if value is None or value == "" else str(value)
    if dimension.startswith("param:"):
        name = dimension.removeprefix("param:")
        params = run.params or {}
        return _text(params[name]) if name in params else None
    if not from_session:
        return None
    return _SESSION_TEXTS.get(dimension, str)(from_session)


def ordered(values: Iterable[str]) -> tuple[str, ...]:
    """Return values in the order that people expect: numbers by size, ``cpu`` first, names with numbers by both.

    >>> ordered(["py3.10", "py3.9", "cuda", "cpu"]), ordered(["16", "2"])
    (('cpu', 'cuda', 'py3.9', 'py3.10'), ('2', '16'))
    """
    return tuple(sorted(set(values), key=_rank))


def _rank(value: str) -> tuple[bool, list[tuple[int, int, str]], str]:
    # A digit sign that int() does not take is a word, as is a number too long to compare.
    parts = [
        (0, int(part), "") if part.isascii() and part.isdecimal() and len(part) < 100 else (1, 0, part.lower())  # noqa: PLR2004
        for part in _NUMBER.split(value)
        if part
    ]
    return value != "cpu", parts, value


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
