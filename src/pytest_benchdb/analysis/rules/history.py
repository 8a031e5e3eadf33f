"""The rule of the gate: compare one session with the history of its benchmark.

A single session cannot distinguish a slow build from an unlucky process, so its verdict is `suspect` until re-runs in
fresh processes repeat it. Confirming cuts false alarms by 7 to 36 times; no test on one session does.

The test is a prediction interval for the next session. The median m and the deviation s of n sessions' logarithms give
t = (x - m) / (s·√(1 + π/2n)) with n - 1 degrees of freedom, where π/2n is the variance of a median. s is the largest of
the median absolute deviation, the interquartile range (both scaled to a normal distribution), half a percent, and the
standard deviation with each distance clipped to the smallest change that counts. The last one is for benchmarks with
occasional outliers, which the robust ones ignore: on recorded sessions it removed two of three false alarms for 6
points of power at +5 % and none at +10 %.

A figure outside the range of the history is suspect too. Whatever the distribution, three new sessions are all beyond n
earlier ones once in C(n + 3, 3) times: 1,771 for n = 20. This detects changes of benchmarks with two levels, where s is
the distance between the levels.

A distance that a tenth of the history has reached is not news, however small s is: outliers of a benchmark resemble
each other, and come in clusters that outlast re-runs. Sessions more than twice as far off are of another kind and do
not count; nor do those right before the candidate, which show that a change lasts.

After a change of level that has lasted for five sessions, the history begins with it (`level`): the time before would
be noise, in which the loss of an improvement passes.
docs/explanation/regression-quality.md has the effect of each of these on recorded sessions.
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
    scale_for,
    verdict_on_change,
    verdict_within_limits,
)
from pytest_benchdb.analysis.rules.level import RECENT, begin_of_level, is_drifting
from pytest_benchdb.analysis.rules.policy import MOST_BY_MACHINE, kind_of
from pytest_benchdb.analysis.rules.session_figures import (
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
    is_immune,
)
from pytest_benchdb.analysis.statistics.spread import clipped_deviation, robust_deviation
from pytest_benchdb.analysis.statistics.student import t_ppf, t_sf
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy

_LEAST_DEVIATION = 0.005
"""Smallest spread that is assumed, as a share: no history is long enough to prove a smaller one."""

_MAX_WINDOWS = 5
"""Number of windows to search for enough undisturbed and comparable sessions."""

_LEVEL = 0.95
_SEEN_SHARE = 0.1
"""Share of the history from which sessions as far off make a change no news."""
_OTHER_KIND_FROM = 2.0
"""Factor of the distance beyond which an outlier is of another kind."""
_SAME_CHANGE_FROM = 0.5
"""Share of the distance from which a session right before the candidate shows the same change."""
_CPU_SHARE = 0.5
"""Share of a regression that the CPU time must also show, to rule out the machine."""
_SCALED_BY_MACHINES = frozenset({"time", "rate"})
_CONFIRMED_SESSIONS = 3
"""Number of sessions of a confirmed change: the candidate and two re-runs."""


def judge_figures(history: Sequence[float], figure: float, policy: Policy) -> Judgement:
    """Judge a session's figure by the figures of earlier sessions: at least one, oldest first, finite, in one unit."""
    scale = scale_for((*history, figure), policy, centre=median(history))
    begin = begin_of_level(history, scale, policy)
    history = history[begin:]
    drifting = is_drifting(history, scale, policy)
    level = history[-RECENT:] if drifting else history
    baseline = scale.middle(level)
    judgement = Judgement(
        verdict="unchanged",
        change=change_of(baseline, figure),
        baseline=baseline,
        candidate=figure,
        baseline_sessions=len(history),
        candidate_sessions=1,
    )
    least = max(policy.least_sessions, 2)
    if len(history) < least:
        return replace(
            judgement,
            verdict="inconclusive",
            state="learning",
            sessions_needed=least - len(history),
            reason=f"{len(history)} of {least} sessions that a verdict needs",
        )
    if are_exact((history,), policy):
        return _give_verdict(replace(judgement, test="exact"), policy, sure=True, drifting=drifting)
    error = _deviation(history, scale, policy) * math.sqrt(1 + math.pi / (2 * len(level)))
    tested = _add_test(judgement, scale, error, len(level) - 1)
    chance = 0.5 if tested.p_value is None else min(tested.p_value, 1 - tested.p_value)
    by_test = chance < 1 - policy.confidence
    sure = by_test or _is_beyond(level, figure, policy)
    seen = _times_seen(
        [scale.of(earlier) - scale.of(baseline) for earlier in level], scale.of(figure) - scale.of(baseline)
    )
    if sure and seen >= math.ceil(_SEEN_SHARE * len(level)):
        tested = replace(tested, reason=f"{seen} of {len(level)} earlier sessions were as far off")
        sure = False
    elif sure and not by_test and policy.exceeded(baseline, figure):
        tested = _by_range(tested, level, scale)
    return _give_verdict(tested, policy, sure=sure, drifting=drifting)


def _times_seen(distances: Sequence[float], distance: float) -> int:
    """Return how many sessions were as far off on the same side, without those that were much further off.

    The newest sessions in a row do not count: a lasting change stays news until it is accepted or fixed.
    """
    shares = [earlier / distance if distance else 0.0 for earlier in distances]
    while shares and shares[-1] >= _SAME_CHANGE_FROM:
        shares.pop()
    return sum(1 <= share <= _OTHER_KIND_FROM for share in shares)


def _is_beyond(history: Sequence[float], figure: float, policy: Policy) -> bool:
    """Return whether a figure is outside the range of a history that is long enough for this to be significant."""
    if math.comb(len(history) + _CONFIRMED_SESSIONS, _CONFIRMED_SESSIONS) * (1 - policy.confidence) < 1:
        return False
    return not min(history) <= figure <= max(history)


def _deviation(history: Sequence[float], scale: Scale, policy: Policy) -> float:
    """Return the deviation s of a history, as a distance on the scale."""
    places = [scale.of(value) for value in history]
    counting = max(scale.spread_of(policy.relative), scale.spread_of(policy.absolute / (scale.centre or 1.0)))
    least = max(scale.spread_of(_LEAST_DEVIATION), scale.least_deviation(policy))
    return max(robust_deviation(places), clipped_deviation(places, counting), least)


def _add_test(judgement: Judgement, scale: Scale, error: float, dof: int) -> Judgement:
    """Return the judgement with t, its p-value and the interval of the change; `error` is the prediction's."""
    if error == 0:
        return replace(judgement, test="history")
    distance = scale.of(judgement.candidate or 0.0) - scale.of(judgement.baseline or 0.0)
    reach = t_ppf((1 + _LEVEL) / 2, dof) * error
    return replace(
        judgement,
        test="history",
        statistic=distance / error,
        p_value=t_sf(distance / error, dof),
        interval=scale.interval(distance - reach, distance + reach, level=_LEVEL),
    )


def _by_range(judgement: Judgement, level: Sequence[float], scale: Scale) -> Judgement:
    """Return the judgement of a figure outside the range of the level, with the numbers of the range.

    Whatever the distribution, the next of n + 1 sessions is the largest once in n + 1 times, and between the others'
    extremes in n - 1 of n + 1.
    """
    n, place = len(level), scale.of(judgement.candidate or 0.0)
    places = [scale.of(figure) for figure in level]
    worse = place > max(places)
    return replace(
        judgement,
        test="range",
        statistic=None,
        p_value=1 / (n + 1) if worse else n / (n + 1),
        interval=scale.interval(place - max(places), place - min(places), level=(n - 1) / (n + 1)),
    )


def _give_verdict(judgement: Judgement, policy: Policy, *, sure: bool, drifting: bool) -> Judgement:
    baseline, figure = judgement.baseline or 0.0, judgement.candidate or 0.0
    note = f"the level moves by itself; compared with its last {RECENT} sessions" if drifting else None
    seen = judgement.reason
    judgement = replace(judgement, state="drifting" if drifting else None, reason=note)
    if not policy.exceeded(baseline, figure):
        if judgement.test == "exact" or judgement.statistic is None:  # nothing varies
            return judgement
        verdict, doubt = verdict_within_limits(judgement.interval, baseline, policy)
        return replace(judgement, verdict=verdict, reason=note or doubt)
    verdict, doubt = verdict_on_change(baseline, figure, policy, sure=sure)
    if verdict == "inconclusive":
        return replace(judgement, verdict=verdict, reason=seen or note or doubt)
    return replace(judgement, verdict=verdict, state="suspect")


def judge_history(history: Sequence[SessionValue], candidate: SessionValue | None, policy: Policy) -> Judgement:
    """Judge a session by the history of its series.

    Args:
        history: earlier sessions of the series on comparable machines, oldest first, without the candidate.
        candidate: None if the session does not have the benchmark.
        policy: when a change counts.

    Returns:
        ``regressed`` and ``improved`` come with the state ``suspect``, which a confirming re-run removes.
    """
    if candidate is not None and candidate.key.metric in COUNTS:
        # Only the newest, because code changes, and a count needs no history to know its spread.
        return judge_counts((usable_part(history) or history)[-1:], [candidate], policy)
    sides = select_comparable(history[-_MAX_WINDOWS * policy.window :], [candidate] if candidate else [], policy)
    if isinstance(sides, Judgement):
        return sides
    same, (newest,) = sides
    statistic = shared_statistic([*same[-policy.window :], newest], policy.statistic)
    *earlier, current = read_figures([*same, newest], statistic)
    cpu_bound = is_cpu_bound([*earlier, current])
    calm = calm_part(earlier, cpu_bound=cpu_bound)[-policy.window :]
    enough = len(calm) >= min(policy.least_sessions, len(earlier))
    figures = known_figures(calm if enough else earlier[-policy.window :])
    if current.figure is None or not figures:
        return Judgement(verdict="inconclusive", reason=f"{newest.key.metric} has no finite {statistic}")
    wall = judge_figures(figures, current.figure, policy)
    if not cpu_bound or wall.state == "learning":
        return wall
    cpu = _judge_cpu(same[-policy.window :], newest, policy)
    if cpu is None or begins_to_wait(earlier, [current]) or (enough and is_immune(earlier, current)):
        return wall
    busy = not enough or current.is_contended
    return by_both_clocks(wall, cpu, busy=busy, computes=computes_only([current]))


def is_machine_ruled_out(
    judgement: Judgement, history: Sequence[SessionValue], candidate: SessionValue, policy: Policy
) -> bool:
    """Return whether a regression cannot be the work of a disturbed machine.

    The CPU time of the same calls regressed by at least half as much, or the change of a time or a rate is larger than
    a machine makes it.

    Args:
        judgement: ``regressed``.
        history: earlier sessions of the series.
        candidate: the judged session.
        policy: of the series, in whose direction the CPU time of its calls is not judged: it should be low.
    """
    if judgement.change is None or judgement.change <= -1:
        return False
    harm = abs(math.log1p(judgement.change))
    if kind_of(candidate.key.metric, candidate.unit) in _SCALED_BY_MACHINES and harm > math.log(MOST_BY_MACHINE):
        return True
    cpu = _judge_cpu(usable_part(history)[-policy.window :], candidate, replace(policy, better="lower"))
    return cpu is not None and cpu.verdict == "regressed" and math.log1p(cpu.change or 0.0) >= _CPU_SHARE * harm


def _judge_cpu(history: Sequence[SessionValue], candidate: SessionValue, policy: Policy) -> Judgement | None:
    figures = [value.cpu_s for value in history if value.cpu_s is not None and math.isfinite(value.cpu_s)]
    if len(figures) < policy.least_sessions or candidate.cpu_s is None or not math.isfinite(candidate.cpu_s):
        return None
    return judge_figures(figures, candidate.cpu_s, policy)
