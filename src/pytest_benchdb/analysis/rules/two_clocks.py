"""Combine the verdicts of two clocks: for code that only computes, CPU time is immune to other work on the machine.

On a machine under load, the wall time of such code varies by 20 % between sessions, its CPU time by 3 %.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_benchdb.analysis.rules.session_figures import CONTENDED_FROM, SessionFigure
from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.model.verdict import CHANGED, Judgement
from pytest_benchdb.model.wording import percent_text

_AGREEING = 0.5
"""Share of the wall time's change that the CPU time must also show, on a machine that was not busy."""
_CPU_BOUND_UP_TO = 1.05
_IMMUNE_AFTER = 5
"""Number of sessions under load, all with undisturbed figures, from which the figure is considered immune."""


def by_both_clocks(wall: Judgement, cpu: Judgement, *, busy: bool) -> Judgement:
    """Combine two judgements of code that only computes.

    Args:
        wall: judgement of the wall time.
        cpu: judgement of the CPU time of the same sessions.
        busy: whether the machine was busy: then the CPU time decides.
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
    """Return whether these are wall times of code that only computes, which equal CPU times on a quiet machine.

    The calmest quarter of the sessions decides: the wall time of code that waits never comes close to its CPU time,
    while on a busy machine even code that only computes exceeds it in the median session.
    """
    wall_times = [figure for figure in sessions if figure.session.key.metric == "wall_time"]
    ratios = [figure.wall_per_cpu for figure in wall_times if figure.wall_per_cpu is not None]
    return bool(ratios) and quantile(ratios, 0.25) <= _CPU_BOUND_UP_TO


def calm_part(sessions: Sequence[SessionFigure], *, cpu_bound: bool) -> list[SessionFigure]:
    """Return the sessions without those that were disturbed, in the same order; all if not `cpu_bound`."""
    return [figure for figure in sessions if not (cpu_bound and figure.is_contended)]


def is_immune(sessions: Iterable[SessionFigure]) -> bool:
    """Return whether load never affected the figure, though there was load: then any change is the code's."""
    loaded = [figure for figure in sessions if (figure.session.wall_per_cpu or 0.0) > CONTENDED_FROM]
    return len(loaded) >= _IMMUNE_AFTER and not any(figure.is_contended for figure in loaded)
