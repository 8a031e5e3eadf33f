"""Training loops: ``for step in bench.steps(n): ...``, with a device barrier after each step.

The loop runs `n` times. Its first step is measured separately, because it compiles and allocates; the `warmup` steps
after it are thrown away; the others are the samples. Only complete steps count, not one that ends in a `break` or an
exception.

Values such as a loss are read from the device between two steps, while no clock runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.measure.timing.block_clock import Begun, BlockClock, BlockTime, missing_rows, time_rows, wall_method
from pytest_benchdb.measure.timing.phases import Phase, PhaseRecorder
from pytest_benchdb.model.metric import METRICS, Better, Provenance
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.model.value.number import number, shown, whole

if TYPE_CHECKING:
    from pytest_benchdb.measure.work import Metered, WorkBlock

_OWN_METRICS = frozenset(
    {"step_time", "throughput", "first_call_time", "cpu_time", "thread_time", "wall_time", "device_time"}
)


@dataclass(slots=True)
class _Recorded:
    """Values of one metric that the test recorded, in step order; values that are not finite are kept as text."""

    metric: str
    unit: str
    better: Better
    samples: list[float] = field(default_factory=list)
    not_finite: list[str] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        if math.isfinite(value):
            self.samples.append(value)
        else:
            self.not_finite.append(f"{value} in step {step}")

    def row(self, phase: str | None, provenance: Provenance) -> Measurement:
        """Return the row of the metric.

        If some values are not finite, the others must not be compared: the mean loss of a run that diverged is
        meaningless.
        """
        not_finite = ", ".join(self.not_finite[:3])
        missing = None if self.samples else "recorded in no step that counts"
        reason = f"recorded as {not_finite}" if not_finite else missing
        return Measurement(
            metric=self.metric,
            unit=self.unit,
            better=self.better,
            phase=phase,
            provenance=provenance,
            method="recorded by the test",
            samples=list(self.samples) or None,
            reason=reason,
            valid=reason is None,
            details={"not_finite": len(self.not_finite)} if not_finite else None,
        )


@final
class Step:
    """One step of the loop.

    Attributes:
        index: 0, 1, 2, ...
        counted: whether this step is a sample; False for the first step and the warm-up.
    """

    __slots__ = ("_steps", "counted", "index")

    def __init__(self, steps: "Steps", index: int, *, counted: bool) -> None:
        self._steps = steps
        self.index = index
        self.counted = counted

    def data(self) -> Phase:
        """Measure the block as the phase ``data``: loading and moving a batch."""
        return self.phase("data")

    def forward(self) -> Phase:
        """Measure the block as the phase ``forward``: the model and its loss."""
        return self.phase("forward")

    def backward(self) -> Phase:
        """Measure the block as the phase ``backward``: the gradients and their exchange between ranks."""
        return self.phase("backward")

    def optimizer(self) -> Phase:
        """Measure the block as the phase ``optimizer``: the update of the parameters."""
        return self.phase("optimizer")

    def phase(self, name: str) -> Phase:
        """Measure the block as a phase of that name; its times within one step are summed."""
        return self._steps.phases.phase(name)

    def record(self, metric: str, value: object, *, unit: str | None = None, better: Better | None = None) -> None:
        """Keep one value of this step: ``step.record("loss", loss)``.

        `value` is anything that `float` accepts. A tensor is read after the step's clock, so reading it is not part
        of the step. `unit` is an SI unit; the default is that of the registered metric, else ``1``. `better` is
        ``lower``, ``higher`` or ``none``; it has a default for ``loss`` and registered metrics.

        Raises:
            MeasurementError: the loop itself measures the metric, or it was recorded in this step already,
                or before with another unit.
        """
        self._steps.keep(self, metric, value, unit, better)


@final
class Steps:
    """The steps of one loop; iterate it once.

    Attributes:
        phases: the phases inside the steps.
    """

    def __init__(  # noqa: PLR0913 - the options of a test, and the device
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
        meters: "WorkBlock | None" = None,
    ) -> None:
        """Prepare the loop.

        Args:
            n: number of steps, including the first step and the warm-up.
            device: where the code runs; there is a barrier after each step.
            warmup: steps after the first that are thrown away.
            samples_per_step: items that one step handles, for the throughput; None if unknown.
            provenance: of measurements on the device.
            phase: name of the phase around the loop, if any.
            test: the test's name, for messages.
            clock: replaces the device's clock.
            meters: read where the steps that count begin and where they end.

        Raises:
            MeasurementError: a number is out of range.
        """
        self._test = test
        self._meters = meters
        self._metered: Metered | None = None
        try:
            self._n, self._warmup = whole(n), whole(warmup)
            self._samples_per_step = None if samples_per_step is None else number(samples_per_step)
        except ValueError as error:
            raise self._usage_error(f"steps({shown(n)}, warmup={shown(warmup)}, ...): {error}") from error
        if self._n < 1 or self._warmup < 0:
            raise self._usage_error(f"steps({n}, warmup={warmup}) needs at least one step and no negative warm-up")
        if self._samples_per_step is not None and not 0 < self._samples_per_step < math.inf:
            raise self._usage_error(f"samples_per_step must be a number above 0, not {samples_per_step}")
        self._sync_mode = device.sync_mode
        self._about: dict[str, Any] = {"phase": phase, "provenance": provenance}
        self._clock = clock or BlockClock(device)
        self.phases = PhaseRecorder(device, provenance=provenance, test=test, within=phase, clock=self._clock)
        self._begun: Begun | None = None
        self._step: Step | None = None
        self._started = 0
        self._done: list[BlockTime] = []
        self._phase_times: dict[str, list[BlockTime]] = {}
        self._pending: dict[str, object] = {}
        self._recorded: dict[str, _Recorded] = {}

    def __iter__(self) -> "Steps":
        if self._started:
            raise self._usage_error("a loop of steps was iterated before; call .steps(n) for each loop")
        return self

    def __next__(self) -> Step:
        if (begun := self._begun) is not None:
            try:
                self._finish(begun)
            finally:
                self._clock.leave(begun)
        if self._started >= self._n:
            if self._meters is not None:
                self._meters.stop()
            raise StopIteration
        if self._meters is not None and self._started == self._warmup + 1:
            self._meters.start()
        self._step = Step(self, self._started, counted=self._started > self._warmup)
        self._started += 1
        self._begun = self._clock.begin()
        return self._step

    @property
    def complete(self) -> int:
        """Number of complete steps, including the first step and the warm-up."""
        return len(self._done)

    def leave(self) -> None:
        """Leave the step that a `break` or an exception cut off."""
        if self._begun is not None:
            self._clock.leave(self._begun)
            self._begun = None

    def error(self) -> MeasurementError | None:
        """Return the error that fails the test at its end; None if every phase was closed."""
        return self.phases.error()

    def measurements(self) -> tuple[Measurement, ...]:
        """Return the rows of the loop, its phases and the recorded metrics; each step is a sample."""
        counted = self._done[1 + self._warmup :]
        rows = self._loop_rows(counted)
        if self._meters is not None:
            rows = [self._meters.marks(row) for row in rows]
        for name in self.phases.names:
            times = self._phase_times.get(name, [])
            rows += self.phases.rows(name, times, {"per": "step", "steps": len(counted)})
        rows += [recorded.row(**self._about) for recorded in self._recorded.values()]
        return (*rows, *self.metered(len(counted)).measurements)

    def metered(self, counted: int | None = None) -> "Metered":
        """Return what the meters read beside the `counted` steps, and why nothing was read in the phases of steps."""
        from pytest_benchdb.measure.work import Metered

        if self._meters is None:
            return Metered()
        if self._metered is None:
            counted = len(self._done[1 + self._warmup :]) if counted is None else counted
            per = {"energy_per_step": float(counted)}
            if self._samples_per_step is not None:
                per["energy_per_sample"] = self._samples_per_step * counted
            cut = "the loop was left before its last step" if self._started > 1 + self._warmup else "no step counted"
            whole = self._meters.result(counted, per, cut=cut).of_phase(self._about["phase"])
            within = [
                replace(row, phase=name)
                for name in self.phases.names
                for row in self._meters.reasons("meters are not read within a step, whose time it would be")
            ]
            self._metered = replace(whole, measurements=(*whole.measurements, *within))
        return self._metered

    def keep(self, step: Step, metric: str, value: object, unit: str | None, better: Better | None) -> None:
        """Keep a value for `Step.record`."""
        if metric in _OWN_METRICS:
            raise self._usage_error(f"{metric} is measured by the loop itself; record it under another name")
        if step is not self._step or self._begun is None:
            raise self._usage_error(f"{metric} was recorded in step {step.index}, which is over")
        if metric in self._pending:
            raise self._usage_error(f"{metric} was recorded twice in step {step.index}")
        recorded = self._recorded.get(metric) or _new_recorded(metric, unit, better)
        expected = METRICS[metric].unit if metric in METRICS else recorded.unit
        unit, better = unit or expected, better or recorded.better
        if unit != expected:
            raise self._usage_error(f"{metric} is recorded in {unit!r}, but it is kept in {expected!r}")
        if better != recorded.better:
            raise self._usage_error(f"{metric} is recorded as better when {better!r}, but it was {recorded.better!r}")
        self._recorded[metric] = recorded
        self._pending[metric] = value

    def _loop_rows(self, counted: Sequence[BlockTime]) -> list[Measurement]:
        """Return the rows of the whole loop: step times, the first step, and the throughput."""
        cut = None if self.complete >= self._n else f"the loop ended after {self.complete} complete steps of {self._n}"
        details: dict[str, object] = {
            "steps_asked": self._n,
            "steps_complete": self.complete,
            "warmup_steps": max(0, min(self._warmup, self.complete - 1)),
            **({"ended_early": cut} if cut else {}),
        }
        missing = None if counted else cut or "no step was left to measure after the first and the warm-up"
        about: dict[str, Any] = {"metric": "step_time", "details": details, **self._about}
        if missing is None:
            rows = time_rows(counted, sync_mode=self._sync_mode, **about)
        else:
            rows = missing_rows(missing, **about)
        rows.append(
            Measurement(
                metric="first_call_time",
                unit="s",
                better="lower",
                method=f"first step, {wall_method(self._sync_mode)}",
                value=self._done[0].wall_s if self._done else None,
                reason=None if self._done else cut,
                **self._about,
            )
        )
        if self._samples_per_step is not None:
            rows.append(self._throughput(self._samples_per_step, counted, missing))
        return rows

    def _throughput(self, samples_per_step: float, counted: Sequence[BlockTime], missing: str | None) -> Measurement:
        total_s = math.fsum(step.wall_s for step in counted)
        if missing is None and total_s <= 0:
            missing = "the clock did not move within the steps"
        provenance = self._about["provenance"]
        return Measurement(
            metric="throughput",
            unit="1/s",
            better="higher",
            phase=self._about["phase"],
            provenance="derived" if provenance == "measured" else provenance,
            method="samples per step x steps / time of these steps",
            value=None if missing else samples_per_step * len(counted) / total_s,
            reason=missing,
            details={"samples_per_step": samples_per_step, "steps": len(counted)},
        )

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
            self._recorded[metric].add(step.index, self._number(metric, value))

    def _number(self, metric: str, value: object) -> float:
        try:
            single = number(value)
        except ValueError as error:
            raise self._usage_error(f"{metric} was recorded as {shown(value)}, which is not a number") from error
        if single < 0 and metric in METRICS:
            raise self._usage_error(f"{metric} was recorded as {single:g}, and no {METRICS[metric].kind} is below 0")
        return single

    def _usage_error(self, text: str) -> MeasurementError:
        return MeasurementError(text if self._test is None else f"{self._test}: {text}")


def _total(entries: Sequence[BlockTime]) -> BlockTime:
    total = entries[0]
    for entry in entries[1:]:
        total += entry
    return total


def _new_recorded(metric: str, unit: str | None, better: Better | None) -> _Recorded:
    registered = METRICS.get(metric)
    return _Recorded(
        metric,
        unit or (registered.unit if registered else "1"),
        better or (registered.better if registered else "lower" if metric == "loss" else "none"),
    )
