"""The verdict of two clocks: of code that only computes, the CPU's own knows nothing of other work on the machine.

On a machine under load the wall time of such code varies by 20 % from session to session, its CPU time by 3 %.
"""

from dataclasses import replace

from pytest_benchdb.model.judgement import Judgement

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
