"""Combine the verdicts of two clocks: for code that only computes, CPU time is immune to other work on the machine.

On a machine under load the wall time of such code varies by 20 % from session to session, its CPU time by 3 %.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_benchdb.analysis.rules.session_figures import CONTENDED_FROM, SessionFigure
from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.model.verdict import CHANGED, Judgement
from pytest_benchdb.model.wording import percent_text

_AGREEING = 0.5
"""Share of the wall time's change that the CPU time must show as well, on a machine that was not busy."""
_CPU_BOUND_UP_TO = 1.05
_IMMUNE_AFTER = 5
"""Sessions under load that must have left the figure alone before it is taken to be immune."""


def by_both_clocks(wall: Judgement, cpu: Judgement, *, busy: bool) -> Judgement:
    """Return the judgement of code that only computes.

    Args:
        wall: judgement of its wall time.
        cpu: judgement of its CPU time, by the same sessions.
        busy: whether the machine was: then the CPU time has the last word.
    """
    raised = wall.verdict in CHANGED
    if raised and (cpu.verdict == wall.verdict or (not busy and _agrees(wall, cpu))):
        return wall
    if raised:
        change = "?" if cpu.change is None else percent_text(cpu.change)
        reason = f"CPU time changed by {change}: the machine was busy, or the code waits for something"
        return replace(wall, verdict="inconclusive", state="unstable", reason=reason)
    if busy and cpu.state != "learning":
        return replace(cpu, reason="by its CPU time: the machine was busy")
    return wall


def _agrees(wall: Judgement, cpu: Judgement) -> bool:
    return bool(wall.change) and cpu.change is not None and cpu.change / (wall.change or 1) >= _AGREEING


def is_cpu_bound(sessions: Iterable[SessionFigure]) -> bool:
    """Return whether these are wall times of code that does nothing but compute, so that they ought to be CPU times.

    The calmer quarter of its sessions decides: code that waits never comes near its CPU time, however calm the machine,
    while on a busy machine the median session of code that computes is above it.
    """
    times = [one.wall_per_cpu for one in sessions if one.session.key.metric == "wall_time"]
    ratios = [ratio for ratio in times if ratio is not None]
    return bool(ratios) and quantile(ratios, 0.25) <= _CPU_BOUND_UP_TO


def calm_part(sessions: Sequence[SessionFigure], *, cpu_bound: bool) -> list[SessionFigure]:
    """Return the sessions that belong to a model of a benchmark's noise, in their order."""
    return [one for one in sessions if not (cpu_bound and one.is_contended)]


def is_immune(sessions: Iterable[SessionFigure]) -> bool:
    """Return whether load never reached the figure, though there was load: then the code itself made it change."""
    loaded = [one for one in sessions if (one.session.wall_per_cpu or 0.0) > CONTENDED_FROM]
    return len(loaded) >= _IMMUNE_AFTER and not any(one.is_contended for one in loaded)
