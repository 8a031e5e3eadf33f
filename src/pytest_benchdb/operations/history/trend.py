"""Trends: each series over its sessions, in the order of their commits where a checkout knows it.

In which order sessions stand: that of their commits where a checkout knows them, else that of time.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pytest_benchdb.analysis.series.trend import trend_of
from pytest_benchdb.environment.git.commit_order import commit_positions, commits_between
from pytest_benchdb.model.answer.trend import LevelChange, Trend, Trends
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.gate.allowances import Allowance, of_acceptance
from pytest_benchdb.operations.select.selection import Selection, named_sessions
from pytest_benchdb.operations.select.series import SeriesChoice, pick_sessions, read_series
from pytest_benchdb.operations.select.sessions import Source, stored_sessions
from pytest_benchdb.operations.select.spec.resolve import SpecContext, parse_spec, resolve_spec, spec_context
from pytest_benchdb.store.read.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOrder:
    """Sessions in order.

    Attributes:
        sessions: the first one first.
        reason: why they are ordered by time; None if it is by ancestry.
    """

    sessions: tuple[SessionRow, ...]
    reason: str | None


def order_sessions(sessions: Sequence[SessionRow], checkout: Path, environ: Mapping[str, str]) -> SessionOrder:
    """Put sessions in the order of their commits; those of one commit in that of time.

    A trend by ancestry in which one commit has no place would put its sessions anywhere: then all go by time.

    Args:
        sessions: oldest first.
        checkout: a folder of a git checkout; it need not be one.
        environ: environment variables of the git process.
    """
    by_time = tuple(sorted(sessions, key=lambda session: (session.started_at, session.session_id)))
    without = sum(session.commit_sha is None for session in sessions)
    if without:
        return SessionOrder(sessions=by_time, reason=f"{without} of {len(sessions)} sessions name no commit")
    commits = {session.commit_sha for session in sessions if session.commit_sha is not None}
    places = commit_positions(checkout, commits, environ)
    if not places:
        return SessionOrder(sessions=by_time, reason=f"{checkout} is no git checkout that holds their commits")
    if len(places) < len(commits):
        reason = f"the git checkout lacks {len(commits) - len(places)} of {len(commits)} commits (a shallow clone?)"
        return SessionOrder(sessions=by_time, reason=reason)
    ordered = sorted(by_time, key=lambda session: places[session.commit_sha or ""])
    return SessionOrder(sessions=tuple(ordered), reason=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """Where git is asked.

    Attributes:
        root: a folder of a git checkout; it need not be one.
        environ: environment variables of the git processes.
    """

    root: Path
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a user wants to see.

    Attributes:
        selection: times and number of the sessions.
        choice: metrics and filters.
        branch: only sessions of this branch; None takes all.
        only_changed: whether series without a change, an anomaly or creep are left out.
        baseline: SPEC that creep is measured against; None takes the baseline that was pinned last.
    """

    selection: Selection
    choice: SeriesChoice
    branch: str | None = None
    only_changed: bool = False
    baseline: str | None = None


def build_trends(
    source: Source,
    wish: Wish,
    checkout: Checkout,
    *,
    now: dt.datetime | None = None,
    feedback: Feedback = SILENT,
) -> Trends:
    """Read the sessions that are asked for and look at each series in them.

    Args:
        source: files and folders, and names of sessions in them.
        wish: which sessions and series.
        checkout: what knows the order of the commits.
        now: the current time, for spans such as ``7d``; None takes the clock.
        feedback: told about progress and about sessions that could not be read.

    Raises:
        ConfigError: a filter, a time, a name or a branch cannot be used.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    moment = now or dt.datetime.now(dt.timezone.utc)
    with open_source(source.paths, feedback) as reader:
        everything = stored_sessions(reader, source.paths)
        context = spec_context(reader, root=checkout.root, environ=checkout.environ, warn=feedback.warn)
        chosen = pick_sessions(
            everything, named_sessions(everything, source, context), wish.selection, moment, branch=wish.branch
        )
        order = order_sessions(chosen, checkout.root, checkout.environ)
        name, pinned = _pinned(wish, everything, context)
        accepted = [of_acceptance(one, names={}) for one in reader.acceptances()]
        found = [_with_acceptances(one, accepted) for one in _look(reader, order.sessions, pinned, wish.choice)]
    if wish.only_changed:
        found = [trend for trend in found if _is_moved(trend)]
    if order.reason is None:
        found = [_with_commits(trend, checkout) for trend in found]
    return Trends(
        sources=tuple(map(str, source.paths)),
        series=tuple(sorted(found, key=_urgency)),
        order="ancestry" if order.reason is None else "time",
        order_reason=order.reason,
        sessions=len(chosen),
        sessions_in_all=len(everything),
        baseline=name,
        selection=wish.choice.text(),
    )


def _pinned(wish: Wish, sessions: Sequence[SessionRow], context: SpecContext) -> tuple[str | None, list[SessionRow]]:
    """Return the name of the baseline that creep is measured against, and its sessions; None without one."""
    name = wish.baseline
    if name is None:
        newest = max(context.baselines.values(), key=lambda baseline: baseline.created_at, default=None)
        if newest is None:
            return None, []
        name = newest.name
    return name, resolve_spec(parse_spec(name), sessions, context)


def _look(
    reader: Reader, sessions: Sequence[SessionRow], pinned: Sequence[SessionRow], choice: SeriesChoice
) -> list[Trend]:
    wanted = {session.session_id for session in sessions}
    baseline = {session.session_id for session in pinned}
    # The baseline may be older than what is looked at.
    together = [*(session for session in pinned if session.session_id not in wanted), *sessions]
    by_id = {session.session_id: session for session in together}
    found = []
    for series in read_series(reader, together, choice):
        values = [value for value in series.values if value.session_id in wanted]
        if any(value.value is not None for value in values):
            found.append(trend_of(values, by_id, [one for one in series.values if one.session_id in baseline]))
    return found


def _is_moved(trend: Trend) -> bool:
    return bool(trend.changes or trend.anomalies or (trend.creep and trend.creep.crept))


def _with_acceptances(trend: Trend, accepted: Sequence[Allowance]) -> Trend:
    """Mark the changes in whose new level a session was accepted, the last word counting."""
    reasons = {one.since_session_id: one.text() for one in accepted if one.matches(trend.key, trend.fingerprint)}
    starts = [change.found.index for change in trend.changes]
    changes = []
    for change, end in zip(trend.changes, [*starts[1:], len(trend.points)], strict=False):
        told = [
            reasons[point.session_id] for point in trend.points[change.found.index : end] if point.session_id in reasons
        ]
        changes.append(replace(change, accepted=told[-1]) if told else change)
    return replace(trend, changes=tuple(changes))


def _with_commits(trend: Trend, checkout: Checkout) -> Trend:
    return replace(trend, changes=tuple(map(partial(_counted, checkout=checkout), trend.changes)))


def _counted(change: LevelChange, checkout: Checkout) -> LevelChange:
    before, after = change.before.commit, change.first.commit
    if before is None or after is None:
        return change
    return replace(change, commits=commits_between(checkout.root, before, after, checkout.environ))


def _urgency(trend: Trend) -> tuple[int, float, str]:
    """Put first what got worse lately or crept, then what else changed, then the rest, each by size and name."""
    latest = trend.changes[-1] if trend.changes else None
    worse = bool((latest and latest.worse and latest.accepted is None) or (trend.creep and trend.creep.crept))
    size = abs((latest.found.change if latest else None) or 0.0)
    return (0 if worse else 1 if latest else 2, -size, trend.key.fullname)
