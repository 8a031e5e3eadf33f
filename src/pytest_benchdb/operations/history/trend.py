"""Follow each series over its sessions, in commit order if the checkout has all commits, otherwise by time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from pytest_benchdb.analysis.machine_names import machine_names
from pytest_benchdb.analysis.series.change_points import LEAST_CHANGE
from pytest_benchdb.analysis.series.trend import trend_of
from pytest_benchdb.environment.git.ancestry import commit_positions, commits_between
from pytest_benchdb.model.answer.trend import LevelChange, Trend, Trends
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.gate.allowances import Allowance, allowance_from_acceptance
from pytest_benchdb.operations.history.marks import session_marks
from pytest_benchdb.operations.select.normalize import NONE, Normalization, read_normalization
from pytest_benchdb.operations.select.selection import SelectedSessions, Selection, open_selection
from pytest_benchdb.operations.select.series import read_series
from pytest_benchdb.operations.select.spec.resolve import resolve_spec
from pytest_benchdb.operations.select.spec.syntax import parse_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOrder:
    """Sessions in order.

    Attributes:
        sessions: the first one first.
        reason: why they are ordered by time; None if they are ordered by ancestry.
    """

    sessions: tuple[SessionRow, ...]
    reason: str | None


def order_sessions(sessions: Sequence[SessionRow], checkout: Path, environ: Mapping[str, str]) -> SessionOrder:
    """Order sessions by commit, and those of one commit by time.

    If git cannot place every commit, all sessions are ordered by time.

    Args:
        sessions: oldest first.
        checkout: a folder, not necessarily in a git checkout.
        environ: environment variables for git.
    """
    by_time = tuple(sorted(sessions, key=lambda session: (session.placed_at, session.session_id)))
    without = sum(session.commit_sha is None for session in sessions)
    if without:
        return SessionOrder(sessions=by_time, reason=f"{without} of {len(sessions)} sessions have no commit")
    commits = {session.commit_sha for session in sessions if session.commit_sha is not None}
    places = commit_positions(checkout, commits, environ)
    if not places:
        return SessionOrder(sessions=by_time, reason=f"{checkout} is not a git checkout that has their commits")
    if len(places) < len(commits):
        reason = f"the git checkout lacks {len(commits) - len(places)} of {len(commits)} commits (a shallow clone?)"
        return SessionOrder(sessions=by_time, reason=reason)
    ordered = sorted(by_time, key=lambda session: places[session.commit_sha or ""])
    return SessionOrder(sessions=tuple(ordered), reason=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRequest:
    """How to follow the selected series.

    Attributes:
        branch: keep only sessions of this branch; None keeps all.
        only_changed: whether to leave out series without a change, an anomaly or creep.
        baseline: SPEC that creep is measured against; None for the baseline pinned last.
        least_change: smallest change of level to report, as a share.
        normalize_by: name of the benchmark to divide the times of each session by; None divides by nothing.
        names: full names of the benchmarks to follow; None for all that are selected.
        root: a folder, used to order commits if it is in a git checkout.
        environ: environment variables for git.
    """

    branch: str | None = None
    only_changed: bool = False
    baseline: str | None = None
    least_change: float = LEAST_CHANGE
    normalize_by: str | None = None
    names: frozenset[str] | None = None
    root: Path
    environ: Mapping[str, str]


def build_trends(selection: Selection, request: TrendRequest, *, feedback: Feedback = SILENT) -> Trends:
    """Follow each series over the selected sessions.

    Args:
        selection: sessions and series.
        request: branch, baseline and checkout.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time, a name or a branch is not valid.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    root, environ = request.root, request.environ
    with open_selection(selection, feedback, branch=request.branch, root=root, environ=environ) as selected:
        name, pinned = _pinned(request, selected)
        normalization = _normalization(request, selected)
        trends = follow_series(selected, selection, request, pinned=pinned, normalization=normalization)
        metrics = [] if trends.series else selected.reader.metric_names([row.session_id for row in selected.sessions])
        machines = machine_names(selected.sessions)
    series = [trend for trend in trends.series if _is_moved(trend)] if request.only_changed else trends.series
    return replace(
        trends,
        series=tuple(sorted(series, key=_urgency)),
        baseline=name,
        metrics=tuple(metrics),
        normalized_by=normalization.name,
        machines=machines,
    )


def follow_series(
    selected: SelectedSessions,
    selection: Selection,
    request: TrendRequest,
    *,
    pinned: Sequence[SessionRow] = (),
    normalization: Normalization = NONE,
    optional: bool = False,
) -> Trends:
    """Follow each series over the sessions of an open history.

    Args:
        selected: the history and the sessions.
        selection: metrics and filters of the series.
        request: checkout, and the smallest change to report.
        pinned: sessions that creep is measured against.
        normalization: what to divide the times by.
        optional: whether the metrics may be missing.

    Raises:
        ConfigError: a filter is not valid.
        StoreError: the history cannot be read.
    """
    order = order_sessions(selected.sessions, request.root, request.environ)
    accepted = [allowance_from_acceptance(acceptance, names={}) for acceptance in selected.reader.acceptances()]
    ordered = replace(selected, sessions=list(order.sessions))
    followed = _trends(ordered, pinned, selection, request, normalization, optional=optional)
    trends = [_with_acceptances(trend, accepted) for trend in followed]
    if order.reason is None:
        # Many series change at the same commit, and each count starts git.
        count = cache(partial(commits_between, request.root, environ=request.environ))
        trends = [
            replace(trend, changes=tuple(_with_commits(change, count) for change in trend.changes)) for trend in trends
        ]
    return Trends(
        sources=tuple(map(str, selection.paths)),
        series=tuple(trends),
        order="ancestry" if order.reason is None else "time",
        order_reason=order.reason,
        sessions=len(selected.sessions),
        sessions_in_all=len(selected.everything),
        selection=selection.text(),
        machines={row.fingerprint: row.cpu_model for row in selected.sessions if row.fingerprint and row.cpu_model},
        marks=session_marks(selected.reader, selected.sessions, selected.context.baselines.values()),
    )


def _pinned(request: TrendRequest, selected: SelectedSessions) -> tuple[str | None, list[SessionRow]]:
    """Return the name and the sessions of the baseline for creep; None and an empty list without one."""
    name = request.baseline
    if name is None:
        baselines = selected.context.baselines.values()
        newest = max(baselines, key=lambda baseline: baseline.created_at, default=None)
        if newest is None:
            return None, []
        name = newest.name
    return name, resolve_spec(parse_spec(name), selected.everything, selected.context)


def _normalization(request: TrendRequest, selected: SelectedSessions) -> Normalization:
    if request.normalize_by is None:
        return NONE
    everything = [session.session_id for session in selected.everything]
    return read_normalization(selected.reader, request.normalize_by, everything)


def _trends(
    selected: SelectedSessions,
    pinned: Sequence[SessionRow],
    selection: Selection,
    request: TrendRequest,
    normalization: Normalization,
    *,
    optional: bool,
) -> Iterator[Trend]:
    sessions = selected.sessions
    followed = {session.session_id for session in sessions}
    baseline = {session.session_id for session in pinned}
    # The baseline may be older than the followed sessions.
    together = [*(session for session in pinned if session.session_id not in followed), *sessions]
    by_id = {session.session_id: session for session in together}
    for series in read_series(selected.reader, together, selection, optional=optional):
        if request.names is not None and series.key.fullname not in request.names:
            continue
        every = normalization.apply(series.values)
        values = [value for value in every if value.session_id in followed]
        if any(value.value is not None for value in values):
            pinned_values = [value for value in every if value.session_id in baseline] if baseline else []
            yield trend_of(values, by_id, pinned_values, least_change=request.least_change)


def _is_moved(trend: Trend) -> bool:
    return bool(trend.changes or trend.anomalies or (trend.creep and trend.creep.crept))


def _with_acceptances(trend: Trend, accepted: Sequence[Allowance]) -> Trend:
    """Mark changes whose new level includes an accepted session; the last acceptance counts."""
    reasons = {
        allowance.since_session_id: allowance.text()
        for allowance in accepted
        if allowance.matches(trend.key, trend.fingerprint)
    }
    starts = [change.point.index for change in trend.changes]
    changes = []
    for change, end in zip(trend.changes, [*starts[1:], len(trend.points)], strict=False):
        accepted_since = [
            reasons[point.session_id] for point in trend.points[change.point.index : end] if point.session_id in reasons
        ]
        changes.append(replace(change, accepted=accepted_since[-1]) if accepted_since else change)
    return replace(trend, changes=tuple(changes))


def _with_commits(change: LevelChange, count: Callable[[str, str], int | None]) -> LevelChange:
    before, after = change.before.commit, change.first.commit
    if before is None or after is None:
        return change
    return replace(change, commits=count(before, after))


def _urgency(trend: Trend) -> tuple[int, float, str]:
    """Sort key: series that got worse or crept, then other changes, then the rest; each by size and name."""
    latest = trend.changes[-1] if trend.changes else None
    worse = bool((latest and latest.worse and latest.accepted is None) or (trend.creep and trend.creep.crept))
    size = abs((latest.point.change if latest else None) or 0.0)
    return (0 if worse else 1 if latest else 2, -size, trend.key.fullname)
