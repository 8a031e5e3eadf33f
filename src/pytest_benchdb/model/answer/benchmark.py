"""One benchmark as `benchdb show` shows it: its newest run, and its figure in each session."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_benchdb.model.report import RunDetail, SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """A benchmark's main metric in one session.

    Attributes:
        figure: in the metric's unit, the same statistic in every session; None if there is none to compare.
    """

    session: SessionRow
    value: SessionValue
    figure: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkDetail:
    """A benchmark: its newest run and its history on that run's machine and device.

    Attributes:
        statistic: which figure of a session's rounds the history has: ``min`` or ``value``, the median.
        history: oldest first; the last is the newest run.
        elsewhere: other devices that ran it on this machine.
        machines: number of other machines, whose sessions are left out.
    """

    newest: RunDetail
    key: SeriesKey
    unit: str
    statistic: str
    history: Sequence[HistoryPoint]
    elsewhere: Sequence[str] = ()
    machines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkChoice:
    """Several benchmarks that a name may mean, each with its newest value."""

    name: str
    values: Sequence[SessionValue]
