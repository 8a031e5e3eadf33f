"""The loop of a training: ``for step in bench.steps(n): ...``, with a barrier of the device after each step.

The loop runs `n` times. Its first step is measured apart, because it compiles and allocates; the `warmup` steps
after it are thrown away; the others are the samples. Only complete steps count: what a `break` or an
exception left is not a step.

Between two steps the clocks stand still while values such as a loss are read from the device.
"""

from collections.abc import Sequence
from typing import final

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.measure.block_clock import Begun, BlockClock, BlockTime
from pytest_benchdb.measure.phases import Phase, PhaseRecorder
from pytest_benchdb.measure.step_rows import StepPlan, StepTimes, Tally, step_rows, tally_row
from pytest_benchdb.model.metric import METRICS, Better, Provenance
from pytest_benchdb.model.run import Measurement

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
        """Measure the block as the phase ``backward``: the gradients, and their exchange between ranks."""
        return self.phase("backward")

    def optimizer(self) -> Phase:
        """Measure the block as the phase ``optimizer``: the update of the parameters."""
        return self.phase("optimizer")

    def phase(self, name: str) -> Phase:
        """Measure the block as a phase of that name; entered several times in a step, its times are summed."""
        return self._steps.phases.phase(name)

    def record(self, metric: str, value: object, *, unit: str | None = None, better: Better | None = None) -> None:
        """Keep one value of this step: ``step.record("loss", loss)``.

        A tensor is read only after the step's clock was, so that reading it is not part of the step.

        Args:
            metric: its name.
            value: a number, or what `float` makes one of.
            unit: SI unit; that of the registered metric by default, else ``1``.
            better: ``lower``, ``higher`` or ``none``; of ``loss`` and of registered metrics it is known.

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
        plan: how often the loop should run, and what of it counts.
    """

    def __init__(  # noqa: PLR0913 - what a test says, and where it runs
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

        Args:
            n: how often it runs, the first step and the warm-up included.
            device: where the code runs; it is waited for after each step.
            warmup: steps after the first that are thrown away.
            samples_per_step: items that one step handles, for the throughput.
            provenance: of what is measured on the device.
            phase: name of the phase around the loop; None for none.
            test: the test's name, for messages.
            clock: another than the device's, with CPU clocks of its own.

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
        """Take a value that `Step.record` was given."""
        if metric in _OWN_METRICS:
            raise self._mistake(f"{metric} is measured by the loop itself; record it under another name")
        if step is not self._step or self._begun is None:
            raise self._mistake(f"{metric} was recorded to step {step.index}, which is over")
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
    known = METRICS.get(metric)
    return Tally(
        metric,
        unit or (known.unit if known else "1"),
        better or (known.better if known else "lower" if metric == "loss" else "none"),
    )
