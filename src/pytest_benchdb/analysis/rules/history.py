"""One session against the history of its benchmark: the rule of the gate, with its p-value.

One session cannot tell a slow build from an unlucky process, so what the rule finds is a suspicion: `suspect` until
runs in fresh processes repeat it. Confirming cuts false alarms by 7 to 36 times; no test on one session does.

The test is a prediction interval for the next session. The median m and the deviation s of n sessions' logarithms give
t = (x - m) / (s·√(1 + π/2n)) with n - 1 degrees of freedom, where π/2n is the variance of a median. s is the largest of
the median absolute deviation, the interquartile range (both scaled to a normal distribution), half a percent, and the
standard deviation with each distance cut to the smallest change that counts. The last one is for benchmarks that stray
now and then, which the robust ones do not see: on recorded sessions it removed two of three false alarms for 6 points
of power at +5 % and none at +10 %.

A figure beyond every one of the history is a suspicion too. Whatever the distribution, three new sessions are all
beyond n earlier ones once in C(n + 3, 3) times: 1,771 for n = 20. That finds changes of benchmarks with two levels,
whose s is the distance between them.

What a tenth of the history has shown before is not news, however small s is: strays of a benchmark resemble each other,
and come in clusters that outlast re-runs. Those more than twice as far off are of another kind, and do not count; nor
do those right before the candidate, which show that a change stays.
docs/explanation/regression-quality.md says what each of these is worth on recorded sessions.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from pytest_benchdb.analysis.rules.effect_size import Scale, change_of, counts, direction, repeats, scale_for
from pytest_benchdb.analysis.rules.session_figures import admit, known_figures, read_figures, shared_statistic
from pytest_benchdb.analysis.rules.two_clocks import by_both_clocks, calm_part, is_cpu_bound, is_immune
from pytest_benchdb.analysis.statistics.spread import clipped_deviation, robust_deviation
from pytest_benchdb.analysis.statistics.student import t_ppf, t_sf
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy

_LEAST_DEVIATION = 0.005
"""Smallest spread that is assumed, as a share: no history is long enough to show a smaller one."""

_LOOK_BACK = 5
"""Windows of sessions in which to look for enough undisturbed and comparable ones."""

_RECENT = 10
_ENDS = 5
_DRIFT = 2.0
"""Deviations from value to value by which the ends of a history differ if its level moves; chance makes 2 in 100."""

_LEVEL = 0.95
_SEEN = 0.1
"""Share of the history that may have been as far off, at most."""
_ANOTHER_KIND = 2.0
"""Times as far off, beyond which a stray says nothing about this one."""
_STILL = 0.5
"""Share of the distance from which a session right before the candidate shows the same change."""
_TOGETHER = 3
"""Sessions behind a confirmed change: the candidate and two re-runs."""


def judge_figures(history: Sequence[float], figure: float, policy: Policy) -> Judgement:
    """Judge the figure of a session by those of earlier ones, oldest first, at least one; all finite, in one unit."""
    scale = scale_for((*history, figure), policy, centre=median(history))
    drifting = _drifts(history, scale, policy)
    level = history[-_RECENT:] if drifting else history
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
    if repeats(history, policy):
        return _decided(replace(judgement, test="exact"), policy, sure=True, drifting=drifting)
    error = _deviation(history, scale, policy) * math.sqrt(1 + math.pi / (2 * len(level)))
    tested = _tested(judgement, scale, error, len(level) - 1)
    chance = 0.5 if tested.p_value is None else min(tested.p_value, 1 - tested.p_value)
    sure = chance < 1 - policy.confidence or _is_beyond(level, figure, policy)
    seen = _times_seen([scale.of(one) - scale.of(baseline) for one in level], scale.of(figure) - scale.of(baseline))
    if sure and seen >= math.ceil(_SEEN * len(level)):
        tested = replace(tested, reason=f"{seen} of {len(level)} earlier sessions were as far off")
        sure = False
    return _decided(tested, policy, sure=sure, drifting=drifting)


def _times_seen(distances: Sequence[float], distance: float) -> int:
    """Return how many sessions of a history strayed as far on the same side; not those that strayed much further.

    The last ones in a row do not count: a change that stays is the same news until it is accepted or fixed.
    """
    shares = [one / distance if distance else 0.0 for one in distances]
    while shares and shares[-1] >= _STILL:
        shares.pop()
    return sum(1 <= share <= _ANOTHER_KIND for share in shares)


def _is_beyond(history: Sequence[float], figure: float, policy: Policy) -> bool:
    """Return whether a figure is beyond every one of a history that is long enough for that to mean something."""
    if math.comb(len(history) + _TOGETHER, _TOGETHER) * (1 - policy.confidence) < 1:
        return False
    return not min(history) <= figure <= max(history)


def _deviation(history: Sequence[float], scale: Scale, policy: Policy) -> float:
    """Return how far sessions stray from their median, as a distance."""
    places = [scale.of(value) for value in history]
    counting = max(scale.spread_of(policy.relative), scale.spread_of(policy.absolute / (scale.centre or 1.0)))
    least = scale.spread_of(_LEAST_DEVIATION)
    return max(robust_deviation(places), clipped_deviation(places, counting), least)


def _drifts(history: Sequence[float], scale: Scale, policy: Policy) -> bool:
    """Return whether the ends of a history differ by what counts, and by more than its noise from value to value."""
    if len(history) < 2 * _ENDS:
        return False
    first, last = scale.middle(history[:_ENDS]), scale.middle(history[-_ENDS:])
    steps = [scale.of(after) - scale.of(before) for before, after in pairwise(history)]
    noise = robust_deviation(steps) / math.sqrt(2)
    return counts(first, last, policy) and abs(scale.of(last) - scale.of(first)) > _DRIFT * noise


def _tested(judgement: Judgement, scale: Scale, error: float, dof: int) -> Judgement:
    """Return the judgement with t, its p-value and the interval of the change; `error` is that of a prediction."""
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


def _decided(judgement: Judgement, policy: Policy, *, sure: bool, drifting: bool) -> Judgement:
    baseline, figure = judgement.baseline or 0.0, judgement.candidate or 0.0
    note = f"the level moves by itself; compared with its last {_RECENT} sessions" if drifting else None
    seen = judgement.reason
    judgement = replace(judgement, state="drifting" if drifting else None, reason=note)
    if not counts(baseline, figure, policy):
        return judgement
    verdict, doubt = direction(baseline, figure, policy, sure=sure)
    if verdict == "inconclusive":
        return replace(judgement, verdict=verdict, reason=seen or note or doubt)
    return replace(judgement, verdict=verdict, state="suspect")


def judge_history(history: Sequence[SessionValue], candidate: SessionValue | None, policy: Policy) -> Judgement:
    """Judge a session by the history of its series.

    Args:
        history: earlier sessions of the series on comparable machines, oldest first, the candidate not among them.
        candidate: None if the benchmark is not in the session.
        policy: when a change counts.

    Returns:
        ``regressed`` and ``improved`` come with the state ``suspect``, which a confirming re-run removes.
    """
    sides = admit(history[-_LOOK_BACK * policy.window :], [candidate] if candidate else [], policy)
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
    if cpu is None or (enough and is_immune(earlier)):
        return wall
    return by_both_clocks(wall, cpu, busy=not enough or current.is_contended)


def _judge_cpu(history: Sequence[SessionValue], candidate: SessionValue, policy: Policy) -> Judgement | None:
    figures = [value.cpu_s for value in history if value.cpu_s is not None and math.isfinite(value.cpu_s)]
    if len(figures) < policy.least_sessions or candidate.cpu_s is None or not math.isfinite(candidate.cpu_s):
        return None
    return judge_figures(figures, candidate.cpu_s, policy)
