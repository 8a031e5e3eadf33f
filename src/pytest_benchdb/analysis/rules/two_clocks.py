"""Combine the verdicts of two clocks: for code that only computes, CPU time is immune to other work on the machine.

On a machine under load, the wall time of such code varies by 20 % between sessions, its CPU time by 3 %.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from pytest_benchdb.analysis.rules.session_figures import CONTENDED_FROM, SessionFigure
from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.model.verdict import CHANGED, Judgement
from pytest_benchdb.model.wording import percent_text

_AGREEING = 0.5
"""Share of the wall time's change that the CPU time must also show, on a machine that was not busy."""
_CPU_BOUND_UP_TO = 1.05
_IMMUNE_AFTER = 5
"""Number of sessions under load, all with undisturbed figures, from which the figure is considered immune."""
_WAITS_FROM = 0.5
"""Voluntary context switches per call from which the code waits by itself."""


def by_both_clocks(wall: Judgement, cpu: Judgement, *, busy: bool, computes: bool = False) -> Judgement:
    """Combine two judgements of code that only computes.

    Args:
        wall: judgement of the wall time.
        cpu: judgement of the CPU time of the same sessions.
        busy: whether the machine was busy: then the CPU time decides.
        computes: whether the code is known not to wait by itself, so that all of the wall time beyond the CPU time is
            the machine's.
    """
    raised = wall.verdict in CHANGED
    if busy and cpu.state != "learning" and (computes or not raised or cpu.verdict == wall.verdict):
        return replace(cpu, reason="by its CPU time: the machine was busy")
    if raised and (cpu.verdict == wall.verdict or (not busy and _agrees(wall, cpu))):
        return wall
    if raised:
        change = "?" if cpu.change is None else percent_text(cpu.change)
        reason = f"CPU time changed by {change}: the machine was busy, or the code waits for something"
        return replace(wall, verdict="inconclusive", state="unstable", reason=reason)
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


def is_immune(history: Iterable[SessionFigure], current: SessionFigure) -> bool:
    """Return whether load never affected the figure, though there was load, nor does it now: then it needs no veto."""
    loaded = [figure for figure in history if (figure.session.wall_per_cpu or 0.0) > CONTENDED_FROM]
    return len(loaded) >= _IMMUNE_AFTER and not any(figure.is_contended for figure in (*loaded, current))


def computes_only(sessions: Iterable[SessionFigure]) -> bool:
    """Return whether code is known not to wait by itself: the process gave up the processor in hardly any call."""
    waits = [figure.session.waits for figure in sessions]
    return bool(waits) and all(each is not None and each < _WAITS_FROM for each in waits)


def begins_to_wait(before: Iterable[SessionFigure], after: Iterable[SessionFigure]) -> bool:
    """Return whether code waits by itself now and did not before: then its CPU time says nothing about the change.

    A process that waits for a lock, a file or a timer gives up the processor; on a busy machine it is preempted, which
    the system counts apart: on recorded sessions with six times their CPU time, code that only computes had not given
    it up once.
    """
    sides = [[one.session.waits for one in side if one.session.waits is not None] for side in (before, after)]
    return all(sides) and median(sides[0]) < _WAITS_FROM <= median(sides[1])
