"""How figures are named in formats that have one name for each, and the rule for which figures those take."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.model.exchange.exported import StoredMeasurement, StoredRun, StoredSession
from pytest_benchdb.model.metric import MAIN_TIMES

_HASH = 8
_TIME_UNIT = "s"
NS_PER_S = 1e9


class OnlyComparable:
    """An exporter whose format has no place for outcomes and provenance: it takes what `benchdb compare` takes."""

    is_text = True
    holds: Literal["history", "session"] = "history"
    rounds = False

    def takes(self, run: StoredRun) -> bool:
        """Return whether a run has a figure that may be compared: it passed, is valid and not simulated."""
        return bool(run.figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure with its name.

    Attributes:
        benchmark: ``fullname@backend``.
        name: that and the metric and phase, unless it is the main time.
        is_main: whether it is the main time of its run.
    """

    benchmark: str
    name: str
    is_main: bool
    row: StoredMeasurement
    run: StoredRun


def figures_of(stored: StoredSession) -> Iterator[Figure]:
    """Yield the comparable figures of a session; no two have the same name.

    Runs of one benchmark that differ in something that is not part of its name get a number after it.
    """
    seen: dict[str, int] = {}
    for run in stored.runs:
        benchmark = f"{run.fullname}@{run.backend}" if run.backend else run.fullname
        seen[benchmark] = seen.get(benchmark, 0) + 1
        if seen[benchmark] > 1:
            benchmark = f"{benchmark}#{seen[benchmark]}"
        main = main_time(run)
        for row in run.figures:
            name = benchmark if row is main else f"{benchmark} {metric_name(row)}"
            yield Figure(benchmark=benchmark, name=name, is_main=row is main, row=row, run=run)


def main_time(run: StoredRun) -> StoredMeasurement | None:
    """Return the main time of a run; None if it has no time of the whole."""
    whole = {row.metric: row for row in run.figures if row.phase is None}
    return next((whole[metric] for metric in MAIN_TIMES if metric in whole), None)


def metric_name(row: StoredMeasurement) -> str:
    """Return the metric, and the phase in parentheses."""
    return row.metric if row.phase is None else f"{row.metric} ({row.phase})"


def in_ns(row: StoredMeasurement, value: float | None) -> float | None:
    """Return a figure with times in nanoseconds, as tools expect them that have no units."""
    return value * NS_PER_S if value is not None and row.unit == _TIME_UNIT else value


def unit_in_ns(row: StoredMeasurement) -> str:
    """Return the unit of `in_ns`."""
    return "ns" if row.unit == _TIME_UNIT else row.unit


def shortened(name: str, most: int) -> str:
    """Return a name of at most `most` characters; one that is cut ends with a hash of the whole, so that it is unique.

    >>> shortened("test_sort", 20)
    'test_sort'
    """
    if len(name) <= most:
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=_HASH // 2).hexdigest()
    return f"{name[: most - _HASH - 1]}-{digest}"


def only(sessions: Iterable[StoredSession]) -> StoredSession:
    """Return the one session that a format which holds one is given."""
    (session,) = sessions
    return session
