"""The loop of a training: ``for step in bench.steps(n): ...``, with a barrier of the device after each step.

The loop runs `n` times. Its first step is measured separately, because it compiles and allocates; the `warmup` steps
after it are thrown away; the others are the samples. Only complete steps count: what a `break` or an
exception left is not a step.

Between two steps the clocks stand still while values such as a loss are read from the device.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.measure.timing.block_clock import Begun, BlockClock, BlockTime, missing_rows, time_rows, wall_method
from pytest_benchdb.measure.timing.phases import Phase, PhaseRecorder
from pytest_benchdb.model.metric import METRICS, Better, Provenance
from pytest_benchdb.model.run import Measurement


@dataclass(frozen=True, slots=True)
class StepPlan:
    """How to run a loop.

    Attributes:
        n: how often, the first step and the warm-up included.
        warmup: steps after the first that are thrown away.
        samples_per_step: items that one step handles, for the throughput; None if not known.
    """

    n: int
    warmup: int = 0
    samples_per_step: float | None = None

    def mistake(self) -> str | None:
        """Return which number is out of range; None if none is."""
        if self.n < 1 or self.warmup < 0:
            return f"steps({self.n}, warmup={self.warmup}) needs at least one step and no negative warm-up"
        if self.samples_per_step is not None and not 0 < self.samples_per_step < math.inf:
            return f"samples_per_step must be a number above 0, not {self.samples_per_step}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """The times of a loop.

    Attributes:
        plan: how the loop was planned.
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
        """Why the loop has fewer steps than planned; None if it has all."""
        if self.complete >= self.plan.n:
            return None
        return f"the loop ended after {self.complete} complete steps of {self.plan.n}"


@dataclass(slots=True)
class Tally:
    """Values of one metric that a test recorded, in the order of the steps; those that are not finite are texts."""

    metric: str
    unit: str
    better: Better
    samples: list[float] = field(default_factory=list)
    not_finite: list[str] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        """Add the value of one step; one that is not finite is kept as a text, but is not a sample."""
        if math.isfinite(value):
            self.samples.append(value)
        else:
            self.not_finite.append(f"{value} in step {step}")


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
    """Return the row of a metric that the test recorded itself.

    Values that are not finite are left out and named, and the others may then not be compared: the mean loss
    of a run that diverged means nothing.
    """
    strange = ", ".join(tally.not_finite[:3])
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
        details={"not_finite": len(tally.not_finite)} if strange else None,
    )


def _throughput(
    times: StepTimes, samples_per_step: float, missing: str | None, phase: str | None, provenance: Provenance
) -> Measurement:
    total_s = math.fsum(step.wall_s for step in times.counted)
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


_OWN_METRICS = frozenset(
    {"step_time", "throughput", "first_call_time", "cpu_time", "thread_time", "wall_time", "device_time"}
)


@final
class Step:
    """One turn of the loop.

    Attributes:
        index: 0, 1, 2, ...
        counted: whether this step is one of the samples; False for the first and the warm-up.
    """

    __slots__ = ("_steps", "counted", "index")

    def __init__(self, steps: "Steps", index: int, *, counted: bool) -> None:
        self._steps = steps
        self.index = index
        self.counted = counted

    def data(self) -> Phase:
        """Measure the block as the phase ``data``: getting and moving a batch."""
        return self.phase("data")

    def forward(self) -> Phase:
        """Measure the block as the phase ``forward``: the model and its loss."""
        return self.phase("forward")

    def backward(self) -> Phase:
        """Measure the block as the phase ``backward``: the gradients, and exchanging them between ranks."""
        return self.phase("backward")

    def optimizer(self) -> Phase:
        """Measure the block as the phase ``optimizer``: the update of the parameters."""
        return self.phase("optimizer")

    def phase(self, name: str) -> Phase:
        """Measure the block as a phase of that name; its times within one step are summed."""
        return self._steps.phases.phase(name)

    def record(self, metric: str, value: object, *, unit: str | None = None, better: Better | None = None) -> None:
        """Keep one value of this step: ``step.record("loss", loss)``.

        `value` is a number, or something that `float` accepts. A tensor is read only after the step's clock was, so
        that reading it is not part of the step. `unit` is an SI unit: by default that of the registered metric, else
        ``1``. `better` is ``lower``, ``higher`` or ``none``; it is known for ``loss`` and registered metrics.

        Raises:
            MeasurementError: the metric is measured by the loop itself, was recorded in this step before,
                or had another unit.
        """
        self._steps.keep(self, metric, value, unit, better)


@final
class Steps:
    """The steps of one loop; iterate it once.

    Attributes:
        phases: the phases inside the steps.
        plan: how often the loop should run, and which steps count.
    """

    def __init__(  # noqa: PLR0913 - what a test gives, and where it runs
        self,
        n: int,
        *,
        device: OpenDevice,
        warmup: int = 0,
        samples_per_step: float | None = None,
        provenance: Provenance = "measured",
        phase: str | None = None,
        test: str | None = None,
        clock: BlockClock | None = None,
    ) -> None:
        """Prepare the loop.

        `n`, `warmup` and `samples_per_step` are those of `StepPlan`. The device is waited for after each step.
        `phase` is the name of the phase around the loop; `clock` replaces the device's clock.

        Raises:
            MeasurementError: a number is out of range.
        """
        self._test = test
        self.plan = StepPlan(n, warmup, samples_per_step)
        if (mistake := self.plan.mistake()) is not None:
            raise self._mistake(mistake)
        self._provenance = provenance
        self._phase = phase
        self._sync_mode = device.sync_mode
        self._clock = clock or BlockClock(device)
        self.phases = PhaseRecorder(device, provenance=provenance, test=test, within=phase, clock=self._clock)
        self._begun: Begun | None = None
        self._step: Step | None = None
        self._started = 0
        self._done: list[BlockTime] = []
        self._phase_times: dict[str, list[BlockTime]] = {}
        self._pending: dict[str, object] = {}
        self._tallies: dict[str, Tally] = {}

    def __iter__(self) -> "Steps":
        if self._started:
            raise self._mistake("a loop of steps was iterated before; call .steps(n) for each loop")
        return self

    def __next__(self) -> Step:
        if self._begun is not None:
            self._finish(self._begun)
        if self._started >= self.plan.n:
            raise StopIteration
        self._step = Step(self, self._started, counted=self._started > self.plan.warmup)
        self._started += 1
        self._begun = self._clock.begin()
        return self._step

    @property
    def complete(self) -> int:
        """Steps that ran to their end, the first and the warm-up included."""
        return len(self._done)

    def error(self) -> MeasurementError | None:
        """Return what to fail the test with at the end of its run; None if every phase was closed."""
        return self.phases.error()

    def measurements(self) -> tuple[Measurement, ...]:
        """Return the rows of the loop, of its phases and of what was recorded; a sample is one step."""
        counted = self._done[1 + self.plan.warmup :]
        times = StepTimes(
            plan=self.plan, first=self._done[0] if self._done else None, counted=counted, complete=self.complete
        )
        rows = step_rows(times, phase=self._phase, sync_mode=self._sync_mode, provenance=self._provenance)
        for name in self.phases.names:
            in_steps = self._phase_times.get(name, [])
            rows += self.phases.rows(name, in_steps, {"per": "step", "steps": len(counted)})
        rows += [tally_row(tally, phase=self._phase, provenance=self._provenance) for tally in self._tallies.values()]
        return tuple(rows)

    def keep(self, step: Step, metric: str, value: object, unit: str | None, better: Better | None) -> None:
        """Keep a value for `Step.record`."""
        if metric in _OWN_METRICS:
            raise self._mistake(f"{metric} is measured by the loop itself; record it under another name")
        if step is not self._step or self._begun is None:
            raise self._mistake(f"{metric} was recorded in step {step.index}, which is over")
        if metric in self._pending:
            raise self._mistake(f"{metric} was recorded twice in step {step.index}")
        tally = self._tallies.get(metric) or _new_tally(metric, unit, better)
        expected = METRICS[metric].unit if metric in METRICS else tally.unit
        unit, better = unit or expected, better or tally.better
        if unit != expected:
            raise self._mistake(f"{metric} is recorded in {unit!r}, but it is kept in {expected!r}")
        if better != tally.better:
            raise self._mistake(f"{metric} is recorded as better when {better!r}, but it was {tally.better!r}")
        self._tallies[metric] = tally
        self._pending[metric] = value

    def _finish(self, begun: Begun) -> None:
        step, self._begun = self._step, None
        self._done.append(self._clock.end(begun))
        pending, self._pending = self._pending, {}
        phases = self.phases.take()
        if step is None or not step.counted:
            return
        for name, entries in phases.items():
            self._phase_times.setdefault(name, []).append(_total(entries))
        for metric, value in pending.items():
            self._tallies[metric].add(step.index, self._number(metric, value))

    def _number(self, metric: str, value: object) -> float:
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise self._mistake(f"{metric} was recorded as {value!r}, which is not a number") from error
        if number < 0 and metric in METRICS:
            raise self._mistake(f"{metric} was recorded as {number:g}, and no {METRICS[metric].kind} is below 0")
        return number

    def _mistake(self, text: str) -> MeasurementError:
        return MeasurementError(text if self._test is None else f"{self._test}: {text}")


def _total(entries: Sequence[BlockTime]) -> BlockTime:
    total = entries[0]
    for entry in entries[1:]:
        total += entry
    return total


def _new_tally(metric: str, unit: str | None, better: Better | None) -> Tally:
    registered = METRICS.get(metric)
    return Tally(
        metric,
        unit or (registered.unit if registered else "1"),
        better or (registered.better if registered else "lower" if metric == "loss" else "none"),
    )
