"""The figure that represents a session, and which sessions can be compared: the first step of every rule."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from pytest_benchdb.model.run import NOT_RUN, PASSED
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy, Statistic, Verdict

CONTENDED_FROM = 1.10
"""Wall time per CPU time above which code that only computes had to wait."""


@dataclass(frozen=True, slots=True)
class SessionFigure:
    """A usable session with the figure that a rule compares.

    Attributes:
        figure: in the metric's unit; None if the session lacks this statistic, or it is not finite.
        wall_per_cpu: wall time per CPU time of the figure: 1 for undisturbed code that only computes.
    """

    session: SessionValue
    figure: float | None
    wall_per_cpu: float | None

    @property
    def is_contended(self) -> bool:
        """Whether the figure includes waiting time, if the code only computes."""
        return (self.wall_per_cpu or 0.0) > CONTENDED_FROM


def read_figures(values: Iterable[SessionValue], statistic: Statistic) -> list[SessionFigure]:
    """Return usable sessions with their figures, in the same order.

    For minima, `wall_per_cpu` is from the smallest round of the CPU clock, otherwise from the whole timed block. The
    block would not do for minima: on a machine with twice the load it can carry, blocks took 1.5 times their CPU time,
    but their fastest rounds 1.00 times in 98 of 100 sessions.
    """
    sessions = []
    for value in values:
        figure = _stored(value, statistic)
        if figure is not None and not math.isfinite(figure):
            figure = None
        ratio = value.wall_per_cpu
        if statistic == "min" and figure is not None and value.cpu_s:
            ratio = figure / value.cpu_s
        sessions.append(SessionFigure(value, figure, ratio))
    return sessions


def known_figures(sessions: Iterable[SessionFigure]) -> list[float]:
    """Return the figures of the sessions that have one, in the same order."""
    return [session.figure for session in sessions if session.figure is not None]


def figure_of(value: SessionValue, statistic: Statistic) -> float | None:
    """Return the figure of a session in the metric's unit; a single reading is its own minimum, mean and median.

    None if the run did not pass, may not be compared, lacks this statistic, or its value is not finite.
    """
    return None if defect_of(value, statistic) is not None else _stored(value, statistic)


def defect_of(value: SessionValue, statistic: Statistic) -> tuple[Verdict, str] | None:
    """Return verdict and reason for a session without a usable figure; None if it has one."""
    suffix = f": {value.reason}" if value.reason else ""
    if value.outcome in NOT_RUN:
        return "missing", f"{value.outcome}{suffix}"
    if value.outcome not in PASSED:
        return "error", f"{value.outcome}{suffix}"
    if not value.valid:
        return "inconclusive", value.reason or f"{value.key.metric} was recorded as not comparable"
    figure = _stored(value, statistic)
    if figure is None:
        return "missing", f"{value.key.metric} was not measured{suffix}"
    if not math.isfinite(figure):
        return "inconclusive", f"{value.key.metric} is {figure}, which is not a measurement"
    return None


def shared_statistic(values: Iterable[SessionValue], statistic: Statistic) -> Statistic:
    """Return `statistic`, or ``value`` if some session lacks it: minima are not compared with medians."""
    return statistic if all(_stored(value, statistic) is not None for value in values) else "value"


def usable_part(values: Iterable[SessionValue]) -> list[SessionValue]:
    """Return the sessions that passed and have a finite value, in the same order."""
    return [value for value in values if defect_of(value, "value") is None]


def mismatch(baseline: SessionValue, candidate: SessionValue) -> str | None:
    """Return why two sessions did not measure the same thing; None if they did, or if this is not known."""
    if baseline.unit != candidate.unit:
        return f"the unit changed from {baseline.unit} to {candidate.unit}"
    if _differ(baseline.code_hash, candidate.code_hash):
        return "the benchmark's own code changed"
    if _differ(baseline.result_count, candidate.result_count):
        return f"it returned {candidate.result_count} results, {baseline.result_count} in the baseline"
    return None


def select_comparable(
    baseline: Sequence[SessionValue], candidate: Sequence[SessionValue], policy: Policy
) -> tuple[list[SessionValue], list[SessionValue]] | Judgement:
    """Return the sessions of both sides that measured the same as the newest candidate, at least one per side.

    Args:
        baseline: sessions of one series, oldest first; may be empty.
        candidate: sessions of the same series, oldest first; may be empty.
        policy: has the statistic, and the number of sessions that a verdict needs.

    Returns:
        Both lists; a judgement instead if there is nothing to test.
    """
    before, after = ([(value, defect_of(value, "value")) for value in side] for side in (baseline, candidate))
    earlier, later = ([value for value, defect in side if defect is None] for side in (before, after))
    failed = [defect for _, defect in after if defect and defect[0] == "error"]
    baseline_failed = any(defect and defect[0] == "error" for _, defect in before)
    if not candidate:
        refused = Judgement(verdict="missing", reason="the candidate has no result")
    elif failed and not (baseline_failed and later):
        # The sessions of a flaky benchmark that passed may be its fast half. If the baseline failed as well, it is
        # judged by those that passed.
        share = f"{len(failed)} of {len(candidate)} sessions: " if len(candidate) > 1 else ""
        refused = Judgement(verdict="error", reason=share + failed[-1][1])
    elif (defect := after[-1][1]) and not later:
        refused = Judgement(verdict=defect[0], reason=defect[1])
    elif not earlier:
        newest = before[-1][1] if before else None
        reason = f"the baseline has no usable value: {newest[1]}" if newest else None
        refused = Judgement(verdict="new", state="learning", sessions_needed=policy.least_sessions, reason=reason)
    else:
        same, others = ([v for v in side if mismatch(v, later[-1]) is None] for side in (earlier, later))
        if same:
            return same, others
        refused = Judgement(verdict="incomparable", reason=mismatch(earlier[-1], later[-1]))
    return replace(
        refused,
        baseline=_middle(earlier, policy),
        candidate=_middle(later, policy),
        baseline_sessions=len(earlier),
        candidate_sessions=len(later),
    )


def _middle(values: Sequence[SessionValue], policy: Policy) -> float | None:
    """Return the median of the figures that have the unit of the newest one."""
    same = [value for value in values if value.unit == values[-1].unit]
    figures = known_figures(read_figures(same, shared_statistic(same, policy.statistic)))
    return median(figures) if figures else None


def _stored(value: SessionValue, statistic: Statistic) -> float | None:
    figure: float | None = getattr(value, statistic)
    if figure is None and (value.n is None or value.n == 1):
        return value.value
    return figure


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other
