"""Recognise a session that the plugin recorded and whose JSON is imported too: it is stored once."""

import datetime as dt
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_benchdb.model.identity import without_addresses
from pytest_benchdb.model.imported import ImportedSession
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.store.history.open import open_history

_METRICS = frozenset({"wall_time", "cpu_time"})
_EARLY_S, _LATE_S = 10.0, 120.0
"""How long before its start and after its end a session's JSON may have been written."""
_RELATIVE, _TICK_S = 1e-6, 1.5e-9
"""By how much a median may differ: the plugin keeps whole nanoseconds of a round."""

Figures = dict[tuple[str, str], tuple[int | None, float]]
"""Number of rounds and median, by benchmark and metric."""


@dataclass(slots=True)
class RecordedSessions:
    """The sessions of a store that the plugin recorded.

    Attributes:
        path: the store.
        sessions: those that the plugin recorded.
    """

    path: Path
    sessions: Sequence[SessionRow] = ()
    _figures: dict[str, Figures] = field(default_factory=dict)

    def twin_of(self, session: ImportedSession) -> str | None:
        """Return the id of the recorded session that has every figure of an imported one; None if there is none."""
        start = session.start_us / 1e6
        near = [
            recorded
            for recorded in self.sessions
            if _seconds(recorded.started_at) - _EARLY_S
            <= start
            <= _seconds(recorded.finished_at or recorded.started_at) + _LATE_S
        ]
        if not near:
            return None
        own = figures_of(session)
        found = (recorded.session_id for recorded in near if _holds(self._of(recorded.session_id), own))
        return next(found, None) if own else None

    def _of(self, session_id: str) -> Figures:
        if session_id not in self._figures:
            with open_history((self.path,)) as reader:
                names = {run["run_id"]: run["fullname"] for run in reader.runs([session_id])}
                self._figures[session_id] = {
                    (names[row["run_id"]], row["metric"]): (row["n"], row["median"])
                    for row in reader.measurements([session_id])
                    if row["phase"] is None and row["median"] is not None and row["run_id"] in names
                }
        return self._figures[session_id]


def figures_of(session: ImportedSession) -> Figures:
    """Return the times of an imported session."""
    figures: Figures = {}
    for run in session.runs:
        for measurement in run.measurements:
            median = _median(measurement)
            if measurement.metric in _METRICS and median is not None:
                figures[without_addresses(run.fullname), measurement.metric] = median
    return figures


def _median(row: Measurement) -> tuple[int | None, float] | None:
    if row.samples is not None and len(row.samples):
        return len(row.samples), statistics.median(row.samples)
    if row.summary is not None and row.summary.median is not None:
        return row.summary.n, row.summary.median
    return None


def _holds(stored: Figures, own: Figures) -> bool:
    return all(key in stored and _alike(stored[key], figure) for key, figure in own.items())


def _alike(stored: tuple[int | None, float], own: tuple[int | None, float]) -> bool:
    same: Callable[[float, float], bool] = lambda a, b: abs(a - b) <= max(_TICK_S, _RELATIVE * abs(b))  # noqa: E731
    return own[0] in {None, stored[0]} and same(stored[1], own[1])


def _seconds(moment: str) -> float:
    return dt.datetime.fromisoformat(moment).replace(tzinfo=dt.timezone.utc).timestamp()
