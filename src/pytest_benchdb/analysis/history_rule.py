"""One session against the history of its benchmark: the rule of the gate.

The median m and the robust deviation s of the last sessions' logarithms give a prediction interval for the next one:
t = (x - m) / (s·√(1 + π/2n)) with n - 1 degrees of freedom, where π/2n is the variance of a median. A change counts if
t is beyond its quantile and the change larger than the policy's. One session cannot tell a slow build from an unlucky
process, so that what it says is a suspicion: `suspect` until runs in fresh processes repeat it.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from pytest_benchdb.analysis.clocks import by_both_clocks
from pytest_benchdb.analysis.contention import calm_part, is_contended, is_cpu_bound
from pytest_benchdb.analysis.figure import figure_of, figures_of, shared_statistic
from pytest_benchdb.analysis.refusal import comparable_part, refuse
from pytest_benchdb.analysis.scale import scale_for
from pytest_benchdb.analysis.size import change_of, counts, direction, repeats
from pytest_benchdb.analysis.spread import robust_deviation
from pytest_benchdb.analysis.student import t_ppf, t_sf
from pytest_benchdb.model.judgement import Judgement, Policy
from pytest_benchdb.model.series import SessionValue

_LEAST_DEVIATION = 0.005
"""Share below which no history is believed to know its own spread."""

_RECENT = 10
_ENDS = 5
_LEVEL = 0.95


def judge_history(history: Sequence[SessionValue], candidate: SessionValue | None, policy: Policy) -> Judgement:
    """Judge a session by the history of its series.

    Args:
        history: earlier sessions of the series on comparable machines, oldest first, the candidate not among them.
        candidate: None if the benchmark is not in the session.
        policy: when a change counts.

    Returns:
        ``regressed`` and ``improved`` come with the state ``suspect``: whoever re-runs the benchmark takes it away.
    """
    refused = refuse(history, [candidate] if candidate else [], policy)
    if refused is not None or candidate is None:
        return refused or Judgement(verdict="missing")
    same = comparable_part(history, candidate)
    cpu_bound = is_cpu_bound([*same, candidate])
    calm = calm_part(same, cpu_bound=cpu_bound)[-policy.window :]
    busy = cpu_bound and (is_contended(candidate) or len(calm) < min(policy.least_sessions, len(same)))
    kept = same[-policy.window :] if len(calm) < policy.least_sessions else calm
    wall = _judge(kept, candidate, policy)
    if not cpu_bound or candidate.cpu_s is None or wall.state == "learning":
        return wall
    cpu = _judge_cpu(same[-policy.window :], candidate, policy)
    return wall if cpu is None else by_both_clocks(wall, cpu, busy=busy)


def judge_figures(history: Sequence[float], figure: float, policy: Policy) -> Judgement:
    """Judge one figure by earlier ones.

    Args:
        history: one for each session, oldest first, finite, at least one; in the metric's unit.
        figure: of the candidate, likewise.
        policy: when a change counts.
    """
    n = len(history)
    drifting = _drifts(history, policy)
    level = history[-_RECENT:] if drifting else history
    baseline = median(level)
    judgement = Judgement(
        verdict="unchanged",
        change=change_of(baseline, figure),
        baseline=baseline,
        candidate=figure,
        baseline_sessions=n,
        candidate_sessions=1,
    )
    if n < policy.least_sessions or n < 2:  # noqa: PLR2004 - one value has no spread
        return replace(
            judgement,
            verdict="inconclusive",
            state="learning",
            sessions_needed=max(policy.least_sessions, 2) - n,
            reason=f"{n} of {max(policy.least_sessions, 2)} sessions that a verdict needs",
        )
    if repeats(history, policy):
        tested = replace(judgement, test="exact")
        sure = True
    else:
        tested = _with_test(judgement, history, len(level), policy)
        sure = _is_sure(tested, policy)
    return _decided(tested, policy, sure=sure, drifting=drifting)


def _judge(history: Sequence[SessionValue], candidate: SessionValue, policy: Policy) -> Judgement:
    statistic = shared_statistic([*history, candidate], policy.statistic)
    figures = figures_of(history, statistic)
    figure = figure_of(candidate, statistic)
    if figure is None or not figures:
        return Judgement(verdict="inconclusive", reason=f"{candidate.key.metric} has no finite {statistic}")
    return judge_figures(figures, figure, policy)


def _judge_cpu(history: Sequence[SessionValue], candidate: SessionValue, policy: Policy) -> Judgement | None:
    figures = [value.cpu_s for value in history if value.cpu_s is not None and math.isfinite(value.cpu_s)]
    if len(figures) < policy.least_sessions or candidate.cpu_s is None or not math.isfinite(candidate.cpu_s):
        return None
    return judge_figures(figures, candidate.cpu_s, policy)


def _drifts(history: Sequence[float], policy: Policy) -> bool:
    if len(history) < 2 * _ENDS:
        return False
    return counts(median(history[:_ENDS]), median(history[-_ENDS:]), policy)


def _with_test(judgement: Judgement, history: Sequence[float], n: int, policy: Policy) -> Judgement:
    """Return the judgement with t, its p-value and the interval of the change; `n` figures made up its baseline."""
    baseline, figure = judgement.baseline or 0.0, judgement.candidate or 0.0
    scale = scale_for((*history, figure), policy, centre=baseline)
    deviation = max(robust_deviation([scale.of(value) for value in history]), scale.spread_of(_LEAST_DEVIATION))
    distance = scale.of(figure) - scale.of(baseline)
    error = deviation * math.sqrt(1 + math.pi / (2 * n))
    if error == 0:
        return replace(judgement, test="history")
    reach = t_ppf((1 + _LEVEL) / 2, n - 1) * error
    return replace(
        judgement,
        test="history",
        statistic=distance / error,
        p_value=t_sf(distance / error, n - 1),
        interval=scale.interval(distance - reach, distance + reach, level=_LEVEL),
    )


def _is_sure(judgement: Judgement, policy: Policy) -> bool:
    """Return whether chance is out, in the direction that the change went."""
    return judgement.p_value is not None and min(judgement.p_value, 1 - judgement.p_value) < 1 - policy.confidence


def _decided(judgement: Judgement, policy: Policy, *, sure: bool, drifting: bool) -> Judgement:
    baseline, figure = judgement.baseline or 0.0, judgement.candidate or 0.0
    note = f"the level moves by itself; compared with its last {_RECENT} sessions" if drifting else None
    judgement = replace(judgement, state="drifting" if drifting else None, reason=note)
    if not counts(baseline, figure, policy):
        return judgement
    verdict, doubt = direction(baseline, figure, policy, sure=sure)
    if verdict == "inconclusive":
        return replace(judgement, verdict=verdict, reason=note or doubt)
    return replace(judgement, verdict=verdict, state="suspect")
