"""One session against the history of its benchmark: the rule of the gate.

One session cannot tell a slow build from an unlucky process, so that what it says is a suspicion: `suspect` until runs
in fresh processes repeat it. Confirming cuts false alarms by 7 to 36 times; no test on one session does.
"""

import math
from collections.abc import Sequence

from pytest_benchdb.analysis.clocks import by_both_clocks
from pytest_benchdb.analysis.contention import calm_part, is_contended, is_cpu_bound, is_immune
from pytest_benchdb.analysis.figure import figure_of, figures_of, shared_statistic
from pytest_benchdb.analysis.prediction import judge_figures
from pytest_benchdb.analysis.refusal import comparable_part, refuse
from pytest_benchdb.model.judgement import Judgement, Policy
from pytest_benchdb.model.series import SessionValue

_LOOK_BACK = 5
"""Windows of sessions within which enough undisturbed and comparable ones are looked for."""


def judge_history(history: Sequence[SessionValue], candidate: SessionValue | None, policy: Policy) -> Judgement:
    """Judge a session by the history of its series.

    Args:
        history: earlier sessions of the series on comparable machines, oldest first, the candidate not among them.
        candidate: None if the benchmark is not in the session.
        policy: when a change counts.

    Returns:
        ``regressed`` and ``improved`` come with the state ``suspect``: whoever re-runs the benchmark takes it away.
    """
    history = history[-_LOOK_BACK * policy.window :]
    refused = refuse(history, [candidate] if candidate else [], policy)
    if refused is not None or candidate is None:
        return refused or Judgement(verdict="missing")
    same = comparable_part(history, candidate)
    statistic = shared_statistic([*same[-policy.window :], candidate], policy.statistic)
    cpu_bound = is_cpu_bound([*same, candidate], statistic)
    calm = calm_part(same, statistic, cpu_bound=cpu_bound)[-policy.window :]
    enough = len(calm) >= min(policy.least_sessions, len(same))
    kept = calm if enough else same[-policy.window :]
    figures, figure = figures_of(kept, statistic), figure_of(candidate, statistic)
    if figure is None or not figures:
        return Judgement(verdict="inconclusive", reason=f"{candidate.key.metric} has no finite {statistic}")
    wall = judge_figures(figures, figure, policy)
    if not cpu_bound or wall.state == "learning":
        return wall
    cpu = _judge_cpu(same[-policy.window :], candidate, policy)
    busy = not enough or is_contended(candidate, statistic)
    if cpu is None or (enough and is_immune(same, statistic)):
        return wall
    return by_both_clocks(wall, cpu, busy=busy)


def _judge_cpu(history: Sequence[SessionValue], candidate: SessionValue, policy: Policy) -> Judgement | None:
    figures = [value.cpu_s for value in history if value.cpu_s is not None and math.isfinite(value.cpu_s)]
    if len(figures) < policy.least_sessions or candidate.cpu_s is None or not math.isfinite(candidate.cpu_s):
        return None
    return judge_figures(figures, candidate.cpu_s, policy)
