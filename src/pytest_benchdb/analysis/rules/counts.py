"""The rule of counts: a count of what code executes is compared as it is, without a test over sessions.

No load, clock or neighbour is in a count, so one session a side tells what dozens of times cannot. From three sessions
a side on, they are tested like times. What is left of
chance (memory layout, hashes, the order of sets) shows in the repetitions of a session: no change within the spread of
both sides counts, whatever the limit. A benchmark that waits was stored as not judged by its count, with the reason.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from pytest_benchdb.analysis.rules.effect_size import change_of
from pytest_benchdb.analysis.rules.session_figures import select_comparable
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Interval, Judgement, Policy

COUNTS = frozenset({"instructions"})
"""Metrics that are counted, not timed."""
TEST = "counts"
_LEVEL = 0.95


def judge_counts(baseline: Sequence[SessionValue], candidate: Sequence[SessionValue], policy: Policy) -> Judgement:
    """Judge a candidate's counts by a baseline's.

    Args:
        baseline: sessions of one series and one state of the code, oldest first, that were counted alike.
        candidate: sessions of the same series.
        policy: when a change counts, unless the spread is larger.
    """
    comparable = select_comparable(baseline, candidate, policy)
    if isinstance(comparable, Judgement):
        refused = replace(comparable, state=None, sessions_needed=None)
        return replace(refused, verdict="inconclusive") if baseline and refused.verdict == "new" else refused
    sides = comparable
    before, after = (median(_count(value) for value in side) for side in sides)
    change = change_of(before, after)
    judgement = Judgement(
        verdict="unchanged",
        change=change,
        test=TEST,
        baseline=before,
        candidate=after,
        baseline_sessions=len(sides[0]),
        candidate_sessions=len(sides[1]),
    )
    if change is None:
        return replace(judgement, verdict="inconclusive", reason="the baseline counted nothing")
    spread = sum(max(map(spread_of, side)) for side in sides)
    judgement = replace(judgement, interval=Interval(low=change - spread, high=change + spread, level=_LEVEL))
    if not policy.exceeded(before, after):
        return judgement
    if abs(change) <= spread:
        reason = f"its count differs by {spread * 100:.2g} % without a change: give its random data a seed"
        return replace(judgement, verdict="inconclusive", reason=reason)
    return replace(judgement, verdict="regressed" if (change > 0) == (policy.better == "lower") else "improved")


def spread_of(value: SessionValue) -> float:
    """Return the largest less the smallest repetition of a count, as a share; 0.0 if there was only one."""
    if value.min is None or value.max is None or not value.value:
        return 0.0
    return (value.max - value.min) / value.value


def _count(value: SessionValue) -> float:
    return value.value or 0.0
