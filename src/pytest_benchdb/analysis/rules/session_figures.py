"""Which figure stands for a session, and whether it can be used at all.

What cannot be compared, and why: decided before any test.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from pytest_benchdb.model.run import Outcome
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy, Statistic, Verdict

_PASSED: frozenset[Outcome] = frozenset({"passed", "xpassed"})
_NOT_RUN: frozenset[Outcome] = frozenset({"skipped", "unsupported"})


def figure_of(value: SessionValue, statistic: Statistic) -> float | None:
    """Return the figure that stands for a session.

    A single reading is its own minimum, mean and median.

    Returns:
        In the metric's unit; None if the run did not pass, its figures may not be compared, it lacks this one,
        or it is no finite number.
    """
    if defect_of(value, statistic) is not None:
        return None
    return _stored(value, statistic)


def figures_of(values: Iterable[SessionValue], statistic: Statistic) -> list[float]:
    """Return the figures of those sessions that have one, in their order."""
    return [figure for value in values if (figure := figure_of(value, statistic)) is not None]


def defect_of(value: SessionValue, statistic: Statistic) -> tuple[Verdict, str] | None:
    """Return what a session without a usable figure means for its side, with the reason; None if all is well."""
    because = f": {value.reason}" if value.reason else ""
    if value.outcome in _NOT_RUN:
        return "missing", f"{value.outcome}{because}"
    if value.outcome not in _PASSED:
        return "error", f"{value.outcome}{because}"
    if not value.valid:
        return "inconclusive", value.reason or f"{value.key.metric} was recorded as not comparable"
    figure = _stored(value, statistic)
    if figure is None:
        return "missing", f"{value.key.metric} was not measured{because}"
    if not math.isfinite(figure):
        return "inconclusive", f"{value.key.metric} is {figure}, which is no measurement"
    return None


def shared_statistic(values: Iterable[SessionValue], statistic: Statistic) -> Statistic:
    """Return the statistic, or ``value`` where one session's summary lacks it: minima are not held against medians."""
    return statistic if all(_stored(value, statistic) is not None for value in values) else "value"


def _stored(value: SessionValue, statistic: Statistic) -> float | None:
    figure: float | None = getattr(value, statistic)
    if figure is None and (value.n is None or value.n == 1):
        return value.value
    return figure


def usable_part(values: Sequence[SessionValue]) -> list[SessionValue]:
    """Return the sessions that passed and have a finite value, in their order."""
    return [value for value in values if defect_of(value, "value") is None]


def comparable_part(values: Sequence[SessionValue], reference: SessionValue) -> list[SessionValue]:
    """Return the usable sessions that measured the same as `reference`: its code, its unit, its number of results."""
    return [value for value in usable_part(values) if mismatch(value, reference) is None]


def mismatch(baseline: SessionValue, candidate: SessionValue) -> str | None:
    """Return why two sessions did not measure the same; None if they did, or nobody can know."""
    if baseline.unit != candidate.unit:
        return f"the unit changed from {baseline.unit} to {candidate.unit}"
    if _differ(baseline.code_hash, candidate.code_hash):
        return "the benchmark's own code changed"
    if _differ(baseline.result_count, candidate.result_count):
        return f"it returned {candidate.result_count} results, {baseline.result_count} in the baseline"
    return None


def refuse(baseline: Sequence[SessionValue], candidate: Sequence[SessionValue], policy: Policy) -> Judgement | None:
    """Return the judgement of two sides that no test can be made of; None if one can.

    Args:
        baseline: sessions of one series, oldest first; empty if there is none.
        candidate: likewise.
        policy: tells the figure of a session.
    """
    earlier, later = usable_part(baseline), usable_part(candidate)
    refused = _absent(candidate) or _not_passed(baseline, candidate) or _not_usable(candidate, later)
    if refused is None and not earlier:
        reason = f"the baseline has no usable value: {_reason(baseline[-1])}" if baseline else None
        refused = Judgement(verdict="new", state="learning", sessions_needed=policy.least_sessions, reason=reason)
    if refused is None and not comparable_part(earlier, later[-1]):
        refused = Judgement(verdict="incomparable", reason=mismatch(earlier[-1], later[-1]))
    if refused is None:
        return None
    return replace(
        refused,
        baseline=_middle(earlier, policy),
        candidate=_middle(later, policy),
        baseline_sessions=len(earlier),
        candidate_sessions=len(later),
    )


def _absent(candidate: Sequence[SessionValue]) -> Judgement | None:
    return None if candidate else Judgement(verdict="missing", reason="the candidate has no result")


def _not_passed(baseline: Sequence[SessionValue], candidate: Sequence[SessionValue]) -> Judgement | None:
    """Return an error if a session failed: what is left would be the fast half of a flaky benchmark.

    Where sessions of the baseline failed as well, it is judged by those that passed, if any did.
    """
    failed = [value for value in candidate if _failed(value)]
    if not failed or (any(map(_failed, baseline)) and usable_part(candidate)):
        return None
    share = f"{len(failed)} of {len(candidate)} sessions: " if len(candidate) > 1 else ""
    return Judgement(verdict="error", reason=share + _reason(failed[-1]))


def _not_usable(candidate: Sequence[SessionValue], usable: Sequence[SessionValue]) -> Judgement | None:
    defect = defect_of(candidate[-1], "value")
    return Judgement(verdict=defect[0], reason=defect[1]) if defect and not usable else None


def _middle(values: Sequence[SessionValue], policy: Policy) -> float | None:
    """Return the median of the figures whose unit the newest one has."""
    same = [value for value in values if value.unit == values[-1].unit]
    statistic = shared_statistic(same, policy.statistic)
    figures = figures_of(same, statistic)
    return median(figures) if figures else None


def _failed(value: SessionValue) -> bool:
    defect = defect_of(value, "value")
    return defect is not None and defect[0] == "error"


def _reason(value: SessionValue) -> str:
    defect = defect_of(value, "value")
    return defect[1] if defect else ""


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other
