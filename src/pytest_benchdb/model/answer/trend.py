"""Trends: series over sessions, with what changed in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_benchdb.model.answer.notebook import Notebook
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Statistic
from pytest_benchdb.model.wording import counted, percent_text

_SHORT_MACHINE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """A lasting change of a series' level.

    Attributes:
        index: of the first value of the new level.
        previous: index of the last value of the old level; sessions in between were not measured.
        before: median of the old level, in the values' unit.
        after: median of the new level, up to the next change point or the end.
        change: after / before - 1; None where `before` is not above 0.
        p_value: two-sided Mann-Whitney test of the two levels, not corrected for choosing where to cut.
        values_after: number of values of the new level.
        provisional: whether these are fewer than 5: the change may still turn out to be an outlier.
    """

    index: int
    previous: int
    before: float
    after: float
    change: float | None
    p_value: float
    values_after: int
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """A session far from the level around it, to which the next session returns.

    Attributes:
        index: of the session's value.
        value: in the series' unit.
        level: level of its neighbours, in the same unit.
        change: value / level - 1.
        deviations: distance from the level in standard deviations of the noise; infinite without noise.
    """

    index: int
    value: float
    level: float
    change: float
    deviations: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Creep:
    """A series compared with its pinned baseline.

    Attributes:
        baseline: median of the baseline's values, in the series' unit.
        recent: median of the newest values, in the same unit.
        change: recent / baseline - 1.
        crept: whether it is worse by more than the limit.
        values: number of newest values.
    """

    baseline: float
    recent: float
    change: float
    crept: bool
    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One session of a series.

    Attributes:
        commit: the commit that was checked out; None if not known.
        value: the session's figure, in the metric's unit; None if there is none, see `reason`.
        level: median of the session's level, in the same unit.
    """

    session_id: str
    started_at: str
    commit: str | None
    value: float | None
    level: float | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """A lasting change, and the sessions on both sides of it.

    Attributes:
        point: where and how large.
        before: last session of the old level.
        first: first session of the new level.
        unmeasured: sessions between the two without a figure.
        worse: whether it is for the worse; None for a metric without a direction.
        commits: number of commits after `before` up to `first`; None without a checkout that has both.
        accepted: why it was accepted; None if it was not.
    """

    point: ChangePoint
    before: TrendPoint
    first: TrendPoint
    unmeasured: int
    worse: bool | None
    commits: int | None = None
    accepted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelBand:
    """One level of a series, and how far sessions lie from it without a cause.

    Attributes:
        start: index of its first point.
        level: median of its sessions, in the series' unit.
        low: the level less two standard deviations of its noise; None with fewer than 3 values.
        high: the level and two standard deviations.
    """

    start: int
    level: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A series of one benchmark and metric on one machine, in the order of its commits or of time.

    Attributes:
        fingerprint: of the machine; None if it is not known.
        statistic: the statistic that represents each session.
        measured: number of points with a value.
        changes: the earliest first.
        creep: change from the pinned baseline; None without one.
        level: median since the last change, in the metric's unit; None if nothing was measured.
        deviation: standard deviation of the logarithms since the last change; None below 3 values.
        sessions_needed: number of further sessions before change points are searched for.
        other_code: number of sessions left out because the benchmark's code or unit has changed since.
    """

    key: SeriesKey
    fingerprint: str | None
    unit: str
    better: Better
    statistic: Statistic
    group: str | None
    points: tuple[TrendPoint, ...]
    measured: int
    changes: tuple[LevelChange, ...]
    anomalies: tuple[Anomaly, ...]
    creep: Creep | None
    level: float | None
    deviation: float | None
    other_code: int
    sessions_needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMark:
    """What people said about a session, and the commit that it measured.

    Attributes:
        label: its label; None without one.
        notes: the note that it was recorded with, and those that were added, oldest first.
        baselines: names of the baselines in force that are this session.
        subject: first line of its commit's message; None if it is not known.
        remote_url: git remote of the checkout; None if it is not known.
    """

    label: str | None = None
    notes: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    subject: str | None = None
    remote_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Trends(Notebook):
    """Series over sessions.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        series: those that changed or crept for the worse first.
        order: whether sessions are ordered by the ancestry of their commits or by their start time.
        order_reason: why the order is not ancestry; None if it is.
        sessions: number of sessions that were read.
        sessions_in_all: number of sessions that there are.
        baseline: name of the pinned baseline; None without one.
        selection: the filters in force, as the user wrote them; None without.
        metrics: without a series, the metrics that could be followed; else empty.
        normalized_by: the benchmark that the times of each session were divided by; None if they were not.
        machines: name of the processor of each fingerprint, where it is known.
        marks: what is known about sessions, by id; sessions without any are left out.
    """

    sources: tuple[str, ...]
    series: tuple[Trend, ...]
    order: Literal["ancestry", "time"]
    order_reason: str | None
    sessions: int
    sessions_in_all: int
    baseline: str | None = None
    selection: str | None = None
    metrics: tuple[str, ...] = ()
    normalized_by: str | None = None
    machines: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, SessionMark] = field(default_factory=dict)

    def machine_name(self, fingerprint: str | None) -> str:
        """Return a machine's processor, with the beginning of its fingerprint if others have the same."""
        name = self.machines.get(fingerprint or "")
        if name is None:
            return (fingerprint or "unknown")[:_SHORT_MACHINE]
        alike = sum(other == name for other in self.machines.values())
        return name if alike == 1 else f"{name} ({(fingerprint or '')[:_SHORT_MACHINE]})"

    def summary(self) -> str:
        """Return the number of series, sessions and changes."""
        changes = counted(sum(len(trend.changes) for trend in self.series), "change")
        return f"{len(self.series)} series over {counted(self.sessions, 'session')}: {changes} of level"

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return a row for each series, in the metric's unit."""
        heads = ("benchmark", "metric", "machine", "unit", "sessions", "level", "last change", "first seen in")
        rows = []
        for trend in self.series:
            last = trend.changes[-1] if trend.changes else None
            change = (percent_text(last.point.change), last.first.commit or last.first.session_id) if last else ("", "")
            machine = self.machine_name(trend.fingerprint)
            rows.append(
                (trend.key.fullname, trend.key.metric, machine, trend.unit, trend.measured, trend.level, *change)
            )
        return heads, rows
