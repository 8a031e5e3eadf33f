"""Levels that `benchdb accept` wrote down: what is still at such a level passes, and history begins with it."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_benchdb.analysis.rules.session_figures import figure_of, mismatch, shared_statistic
from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.gate.allowances import Allowance
from pytest_benchdb.operations.gate.history import LEAST_LEFT


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedLevels:
    """The levels that acceptances begin with, to tell them from later changes.

    Attributes:
        sessions: first sessions of accepted levels, by id.
        values: their values.
    """

    sessions: Mapping[str, SessionRow] = field(default_factory=dict)
    values: Sequence[SessionValue] = ()

    def covers(self, allowance: Allowance, row: ComparisonRow, value: SessionValue, session: SessionRow) -> bool:
        """Return whether an acceptance since an earlier session excuses a row: its value is still at that level.

        Where this cannot be checked, because another machine measured the level or its session is not here, an
        acceptance excuses only if it will expire.

        Args:
            allowance: since an earlier session than the candidate.
            row: the regression.
            value: the candidate's value.
            session: the candidate.
        """
        since = self.sessions.get(allowance.since_session_id or "")
        if since is not None and since.placed_at > session.placed_at:
            return False
        level = next(
            (one for one in self.values if one.key == value.key and one.session_id == allowance.since_session_id), None
        )
        if since is None or level is None or since.fingerprint != session.fingerprint:
            return allowance.expires_at is not None
        return mismatch(level, value) is None and _is_at_level(level, value, row)


def drop_before_acceptances(
    history: Sequence[SessionValue],
    allowances: Iterable[Allowance],
    sessions: Mapping[str, SessionRow],
    candidate: SessionRow,
    now: str,
) -> list[SessionValue]:
    """Remove values older than an accepted level from a history, once the new level has enough sessions.

    Until then the old level remains, and `AcceptedLevels` excuses what it cannot: a second change is still noticed.

    Args:
        history: values of earlier sessions.
        allowances: those without `since_session_id` remove nothing.
        sessions: by id.
        candidate: the judged session; an acceptance since it removes nothing.
        now: ISO 8601 in UTC.
    """
    starts = []
    for allowance in allowances:
        since = sessions.get(allowance.since_session_id or "")
        if since is not None and since.placed_at < candidate.placed_at and not allowance.has_expired(now):
            starts.append((allowance, since.placed_at))
    if not starts:
        return list(history)

    def is_of_level(value: SessionValue) -> bool:
        return all(
            start <= value.started_at
            for allowance, start in starts
            if allowance.matches(value.key, candidate.fingerprint)
        )

    kept = [value for value in history if is_of_level(value)]
    counts = Counter(value.key for value in kept)
    return [value for value in history if counts[value.key] < LEAST_LEFT or is_of_level(value)]


def _is_at_level(level: SessionValue, value: SessionValue, row: ComparisonRow) -> bool:
    """Return whether a value is no worse than a level beyond the limits, or beyond what noise explains."""
    policy = row.policy
    if policy is None:
        return False
    statistic = shared_statistic((level, value), policy.statistic)
    before, after = figure_of(level, statistic), figure_of(value, statistic)
    if before is None or after is None:
        return False
    worse = after - before if policy.better == "lower" else before - after
    if worse <= 0 or not policy.exceeded(before, after):
        return True
    interval = row.judgement.interval
    if interval is None or min(interval.low, interval.high) <= -1 or min(before, after) <= 0:
        return False
    # The interval is for a session and the median of many; here both are single sessions, each with its noise.
    reach = (math.log1p(interval.high) - math.log1p(interval.low)) / 2 * math.sqrt(2)
    return abs(math.log(after / before)) <= reach
