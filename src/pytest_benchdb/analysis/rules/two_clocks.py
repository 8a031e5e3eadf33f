"""The verdict of two clocks: of code that only computes, the CPU's own knows nothing of other work on the machine.

On a machine under load the wall time of such code varies by 20 % from session to session, its CPU time by 3 %.

Whether other work disturbed the figure of a session, as its two clocks tell.

The session's whole timed block says too little: on a machine with twice the load it can carry, blocks took 1.5 times
their CPU time, their fastest rounds 1.00 times theirs in 98 of 100 sessions. So a minimum is held against the
smallest round on the CPU's clock, and only what has no such pair against its block.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_benchdb.analysis.rules.session_figures import figure_of
from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Statistic

_AGREEING = 0.5
"""Share of the wall time's change that the CPU time must show as well, on a machine that was not busy."""


def by_both_clocks(wall: Judgement, cpu: Judgement, *, busy: bool) -> Judgement:
    """Return the judgement of code that only computes.

    Args:
        wall: judgement of its wall time.
        cpu: judgement of its CPU time, by the same sessions.
        busy: whether the machine was: then the CPU time has the last word.
    """
    raised = wall.verdict in {"regressed", "improved"}
    if raised and (cpu.verdict == wall.verdict or (not busy and _agrees(wall, cpu))):
        return wall
    if raised:
        change = "?" if cpu.change is None else f"{cpu.change:+.1%}"
        reason = f"CPU time changed by {change}: the machine was busy, or the code waits for something"
        return replace(wall, verdict="inconclusive", state="unstable", reason=reason)
    if busy and cpu.state != "learning":
        return replace(cpu, reason="by its CPU time: the machine was busy")
    return wall


def _agrees(wall: Judgement, cpu: Judgement) -> bool:
    return bool(wall.change) and cpu.change is not None and cpu.change / (wall.change or 1) >= _AGREEING


_CPU_BOUND_UP_TO = 1.05
_CONTENDED_FROM = 1.10
_IMMUNE_AFTER = 5
"""Sessions under load that must have left the figure alone before it is taken to be immune."""


def wall_per_cpu(value: SessionValue, statistic: Statistic) -> float | None:
    """Return the wall time of a session's figure per its CPU time: 1 if nothing disturbed code that only computes."""
    figure = figure_of(value, statistic)
    if statistic == "min" and figure is not None and value.cpu_s:
        return figure / value.cpu_s
    return value.wall_per_cpu


def is_cpu_bound(values: Iterable[SessionValue], statistic: Statistic) -> bool:
    """Return whether these are wall times of code that does nothing but compute, and so ought to be its CPU times.

    The calmer quarter of its sessions tells: code that waits never comes near its CPU time, however calm the machine,
    while on a busy machine the median session of code that computes is above it.
    """
    times = [value for value in values if value.key.metric == "wall_time"]
    ratios = [ratio for value in times if (ratio := wall_per_cpu(value, statistic)) is not None]
    return bool(ratios) and quantile(ratios, 0.25) <= _CPU_BOUND_UP_TO


def is_contended(value: SessionValue, statistic: Statistic) -> bool:
    """Return whether the figure of code that only computes holds time in which it was kept waiting."""
    return (wall_per_cpu(value, statistic) or 0.0) > _CONTENDED_FROM


def calm_part(values: Sequence[SessionValue], statistic: Statistic, *, cpu_bound: bool) -> list[SessionValue]:
    """Return the sessions that belong to a model of a benchmark's noise, in their order."""
    return [value for value in values if not (cpu_bound and is_contended(value, statistic))]


def is_immune(values: Iterable[SessionValue], statistic: Statistic) -> bool:
    """Return whether load never reached the figure, though there was load: then what it tells is the code's doing."""
    loaded = [value for value in values if (value.wall_per_cpu or 0.0) > _CONTENDED_FROM]
    return len(loaded) >= _IMMUNE_AFTER and not any(is_contended(value, statistic) for value in loaded)
