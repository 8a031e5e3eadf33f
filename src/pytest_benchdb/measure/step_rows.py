"""What a training loop measured -> the rows that are stored. Pure functions; nothing is timed here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_benchdb.measure.block_clock import BlockTime, missing_rows, time_rows, wall_method
from pytest_benchdb.model.metric import Better, Provenance
from pytest_benchdb.model.run import Measurement


@dataclass(frozen=True, slots=True)
class StepPlan:
    """How a loop is to be run.

    Attributes:
        n: how often, the first step and the warm-up included.
        warmup: steps after the first that are thrown away.
        samples_per_step: items that one step handles, for the throughput; None if not told.
    """

    n: int
    warmup: int = 0
    samples_per_step: float | None = None

    def mistake(self) -> str | None:
        """Say which number is out of range; None if none is."""
        if self.n < 1 or self.warmup < 0:
            return f"steps({self.n}, warmup={self.warmup}) needs at least one step and no negative warm-up"
        if self.samples_per_step is not None and not 0 < self.samples_per_step < math.inf:
            return f"samples_per_step must be a number above 0, which {self.samples_per_step} is not"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """The times of a loop.

    Attributes:
        plan: how the loop was to be run.
        first: the first step; None if it was not complete.
        counted: the steps that are samples, in run order.
        complete: how many steps ran to their end, the first and the warm-up included.
    """

    plan: StepPlan
    first: BlockTime | None
    counted: Sequence[BlockTime]
    complete: int

    @property
    def warmup(self) -> int:
        """Complete steps after the first that were thrown away."""
        return max(0, min(self.plan.warmup, self.complete - 1))

    @property
    def early(self) -> str | None:
        """Say that the loop ended before its time; None if it did not."""
        if self.complete >= self.plan.n:
            return None
        return f"the loop ended after {self.complete} complete steps of {self.plan.n}"


@dataclass(slots=True)
class Tally:
    """Values of one metric that a suite recorded, in the order of the steps."""

    metric: str
    unit: str
    better: Better
    samples: list[float] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        """Take the value of one step; one that is not finite is told, but is no sample."""
        if math.isfinite(value):
            self.samples.append(value)
        else:
            self.strange.append(f"{value} in step {step}")


def step_rows(
    times: StepTimes, *, phase: str | None, sync_mode: str | None, provenance: Provenance
) -> list[Measurement]:
    """Return the rows of a loop as a whole: times of its steps, the first step, and the throughput."""
    details: dict[str, object] = {
        "steps_asked": times.plan.n,
        "steps_complete": times.complete,
        "warmup_steps": times.warmup,
        **({"ended_early": times.early} if times.early else {}),
    }
    counted = times.counted
    missing = None if counted else times.early or "no step was left to measure after the first and the warm-up"

    about: dict[str, Any] = {"metric": "step_time", "phase": phase, "provenance": provenance, "details": details}
    rows = time_rows(counted, sync_mode=sync_mode, **about) if missing is None else missing_rows(missing, **about)
    rows.append(
        Measurement(
            metric="first_call_time",
            unit="s",
            better="lower",
            phase=phase,
            provenance=provenance,
            method=f"first step, {wall_method(sync_mode)}",
            value=None if times.first is None else times.first.wall_s,
            reason=times.early if times.first is None else None,
        )
    )
    if times.plan.samples_per_step is not None:
        rows.append(_throughput(times, times.plan.samples_per_step, missing, phase, provenance))
    return rows


def tally_row(tally: Tally, *, phase: str | None, provenance: Provenance) -> Measurement:
    """Return the row of a metric that the suite recorded itself.

    Values that are not finite are left out and named, and the others may then not be compared: the mean loss
    of a run that diverged says nothing.
    """
    strange = ", ".join(tally.strange[:3]) if tally.strange else None
    reason = f"recorded as {strange}" if strange else None if tally.samples else "recorded in no step that counts"
    return Measurement(
        metric=tally.metric,
        unit=tally.unit,
        better=tally.better,
        phase=phase,
        provenance=provenance,
        method="recorded by the test",
        samples=list(tally.samples) or None,
        reason=reason,
        valid=reason is None,
        details={"not_finite": len(tally.strange)} if strange else None,
    )


def _throughput(
    times: StepTimes, samples_per_step: float, missing: str | None, phase: str | None, provenance: Provenance
) -> Measurement:
    total_s = math.fsum(one.wall_s for one in times.counted)
    if missing is None and total_s <= 0:
        missing = "the clock did not move within the steps"
    return Measurement(
        metric="throughput",
        unit="1/s",
        better="higher",
        phase=phase,
        provenance="derived" if provenance == "measured" else provenance,
        method="samples per step x steps / time of these steps",
        value=None if missing else samples_per_step * len(times.counted) / total_s,
        reason=missing,
        details={"samples_per_step": samples_per_step, "steps": len(times.counted)},
    )
