"""The rule of comparisons: compare the sessions of two sides.

With three or more sessions per side, it is Welch's t test on the logarithms of one figure per session: rounds of a
session share its disturbances, so tests on rounds call 19 to 43 % of identical builds different. One disturbed session
makes Welch's interval uselessly wide, so ranks are tested too: five sessions that are all slower than the other side's
five differ, whatever happened to one of them. This detects two or three more of 100 slowdowns, see
docs/explanation/regression-quality.md.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from pytest_benchdb.analysis.rules.counts import COUNTS, judge_counts
from pytest_benchdb.analysis.rules.effect_size import (
    Scale,
    are_exact,
    change_of,
    repeats,
    scale_for,
    verdict_on_change,
    verdict_within_limits,
)
from pytest_benchdb.analysis.rules.few_sessions import NO_ROUNDS, SESSIONS_A_SIDE, Rounds, judge_few
from pytest_benchdb.analysis.rules.session_figures import (
    SessionFigure,
    defect_of,
    known_figures,
    read_figures,
    select_comparable,
    shared_statistic,
    usable_part,
)
from pytest_benchdb.analysis.rules.two_clocks import (
    begins_to_wait,
    by_both_clocks,
    calm_part,
    computes_only,
    is_cpu_bound,
)
from pytest_benchdb.analysis.statistics.mann_whitney import mann_whitney, shift_interval
from pytest_benchdb.analysis.statistics.student import welch
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy

_LEVEL = 0.95


def judge_sides(
    baseline: Sequence[SessionValue],
    candidate: Sequence[SessionValue],
    policy: Policy,
    *,
    rounds: Rounds = NO_ROUNDS,
) -> Judgement:
    """Judge a candidate's sessions by a baseline's.

    Args:
        baseline: sessions of one series, oldest first.
        candidate: sessions of the same series, oldest first.
        policy: when a change counts.
        rounds: rounds in run order, per iteration and in the metric's unit, by run; none if only its statistics were
            kept. Used only if a side has fewer than three sessions.
    """
    is_counted = any(value.key.metric in COUNTS for value in candidate[-1:])
    if is_counted and min(len(baseline), len(candidate)) < SESSIONS_A_SIDE:
        return judge_counts(baseline, candidate, policy)
    comparable = select_comparable(baseline, candidate, policy)
    if isinstance(comparable, Judgement):
        return _failed_baseline(baseline, candidate) or comparable
    statistic = shared_statistic([*comparable[0], *comparable[1]], policy.statistic)
    sides = read_figures(comparable[0], statistic), read_figures(comparable[1], statistic)
    cpu_bound = any(map(is_cpu_bound, sides)) and not begins_to_wait(*sides)
    calm = calm_part(sides[0], cpu_bound=cpu_bound), calm_part(sides[1], cpu_bound=cpu_bound)
    busy = min(map(len, calm)) < min(SESSIONS_A_SIDE, *map(len, sides))
    kept = sides if busy else calm
    figures = known_figures(kept[0]), known_figures(kept[1])
    if not all(figures):
        return Judgement(verdict="inconclusive", reason=f"{comparable[1][-1].key.metric} has no finite {statistic}")
    exact = policy.exact and are_exact(figures, policy)
    if exact or min(map(len, figures)) >= SESSIONS_A_SIDE:
        wall = judge_samples(*figures, policy)
        cpu = _judge_cpu(sides, policy) if cpu_bound else None
        return by_both_clocks(wall, cpu, busy=busy, computes=computes_only(sides[1])) if cpu else wall
    return judge_few(kept, replace(policy, statistic=statistic), rounds, cpu_bound=cpu_bound)


def judge_samples(baseline: Sequence[float], candidate: Sequence[float], policy: Policy) -> Judgement:
    """Judge the candidate's figures by the baseline's, one figure per session.

    Figures are finite and in one unit, in any order; at least two per side, unless all are equal.
    """
    scale = scale_for([*baseline, *candidate], policy, centre=median(baseline))
    places = [scale.of(figure) for figure in baseline], [scale.of(figure) for figure in candidate]
    before, after = (scale.figure_at(math.fsum(side) / len(side)) for side in places)
    judgement = Judgement(
        verdict="unchanged",
        change=change_of(before, after),
        baseline=before,
        candidate=after,
        baseline_sessions=len(baseline),
        candidate_sessions=len(candidate),
    )
    if are_exact((baseline, candidate), policy):
        return _give_verdict(replace(judgement, test="exact"), policy, sure=True)
    equal = repeats(baseline, policy) and repeats(candidate, policy)
    test = welch(*places, level=_LEVEL, least_deviation=scale.least_deviation(policy) if equal else 0.0)
    tested = replace(
        judgement,
        test="welch",
        statistic=test.t,
        p_value=test.p_value,
        interval=scale.interval(test.low, test.high, level=_LEVEL),
    )
    sure = min(test.p_value, 1 - test.p_value) < 1 - policy.confidence
    if not sure and (by_ranks := _test_ranks(tested, places, scale, policy)) is not None:
        return _give_verdict(by_ranks, policy, sure=True)
    return _give_verdict(tested, policy, sure=sure)


def _test_ranks(
    judgement: Judgement, places: tuple[Sequence[float], Sequence[float]], scale: Scale, policy: Policy
) -> Judgement | None:
    """Return the judgement with the medians and the numbers of the ranks; None if they show no change that counts.

    They get half of the error that the policy allows, because this is a second test of the same figures.
    """
    before, after = (scale.figure_at(median(side)) for side in places)
    test = mann_whitney(places[1], places[0], "greater")
    p_value, ends = test.p_value, shift_interval(*places, level=_LEVEL)
    same_direction = (after - before) * ((judgement.candidate or 0.0) - (judgement.baseline or 0.0)) > 0
    if min(p_value, mann_whitney(places[1], places[0], "less").p_value) >= (1 - policy.confidence) / 2 or ends is None:
        return None
    if not same_direction or not policy.exceeded(before, after):
        return None
    return replace(
        judgement,
        test="ranks",
        statistic=test.u,
        p_value=p_value,
        change=change_of(before, after),
        baseline=before,
        candidate=after,
        interval=scale.interval(*ends, level=_LEVEL),
    )


def _give_verdict(judgement: Judgement, policy: Policy, *, sure: bool) -> Judgement:
    before, after = judgement.baseline or 0.0, judgement.candidate or 0.0
    if policy.exceeded(before, after):
        verdict, doubt = verdict_on_change(before, after, policy, sure=sure)
    elif judgement.test == "exact":
        return judgement
    else:
        verdict, doubt = verdict_within_limits(judgement.interval, before, policy)
    return replace(judgement, verdict=verdict, reason=doubt)


def _failed_baseline(baseline: Sequence[SessionValue], candidate: Sequence[SessionValue]) -> Judgement | None:
    if not baseline or not candidate or usable_part(baseline):
        return None
    defect = defect_of(baseline[-1], "value")
    if defect is None or defect[0] != "error":
        return None
    return Judgement(verdict="error", reason=f"the baseline {defect[1]}", candidate_sessions=len(candidate))


def _judge_cpu(sides: Sequence[Sequence[SessionFigure]], policy: Policy) -> Judgement | None:
    """Return the judgement of the CPU time; None if some sessions lack it."""
    times = [[figure.session.cpu_s for figure in side if figure.session.cpu_s is not None] for side in sides]
    if any(len(measured) < len(side) for measured, side in zip(times, sides, strict=True)):
        return None
    return judge_samples(times[0], times[1], policy)
