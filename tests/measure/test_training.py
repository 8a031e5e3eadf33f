import math

import pytest
from tests.measure.ticking_device import TickingDevice

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.timing.phases import PhaseRecorder
from pytest_benchdb.measure.training import Step, Steps
from pytest_benchdb.model.metric import Better, Provenance
from pytest_benchdb.model.run import Measurement


@pytest.fixture
def device() -> TickingDevice:
    return TickingDevice()


def steps_on(
    device: TickingDevice,
    n: int,
    *,
    warmup: int = 0,
    samples_per_step: float | None = None,
    provenance: Provenance = "measured",
    phase: str | None = None,
) -> Steps:
    return Steps(
        n,
        device=device,
        warmup=warmup,
        samples_per_step=samples_per_step,
        provenance=provenance,
        phase=phase,
        test="test_x.py::test_a",
        clock=device.clock(),
    )


def row(steps: Steps, metric: str, phase: str | None = None) -> Measurement:
    (found,) = [one for one in steps.measurements() if (one.metric, one.phase) == (metric, phase)]
    return found


class Tensor:
    """A number on a device: reading it takes 50 ms."""

    def __init__(self, device: TickingDevice, value: float) -> None:
        self.device = device
        self.value = value

    def __float__(self) -> float:
        self.device.work(50)
        return self.value


def test_steps_run_n_times_and_keep_the_first_and_the_warmup_apart(device: TickingDevice) -> None:
    steps = steps_on(device, 6, warmup=2)

    turns = []
    for step in steps:
        device.work(100 - step.index, cpu_ms=step.index)
        turns.append((step.index, step.counted))

    assert turns == [(0, False), (1, False), (2, False), (3, True), (4, True), (5, True)]
    assert row(steps, "step_time").samples == [0.097, 0.096, 0.095]
    assert row(steps, "cpu_time").samples == [0.003, 0.004, 0.005]
    assert row(steps, "first_call_time").value == 0.1
    assert steps.complete == 6
    assert row(steps, "step_time").details == {"steps_asked": 6, "steps_complete": 6, "warmup_steps": 2}
    assert row(steps, "step_time").reason is None


def test_step_ends_when_the_device_is_done(device: TickingDevice) -> None:
    steps = steps_on(device, 3)

    for _ in steps:
        device.work(1)
        device.launch(10)

    assert row(steps, "step_time").samples == [0.011, 0.011]
    assert row(steps, "device_time").samples == [0.01, 0.01]
    assert row(steps, "step_time").method == "wall clock, barrier at both ends (barrier)"


def test_throughput_is_of_all_counted_steps_together(device: TickingDevice) -> None:
    steps = steps_on(device, 3, samples_per_step=30)

    for step in steps:
        device.work((1000, 100, 300)[step.index])

    throughput = row(steps, "throughput")
    assert throughput.value == pytest.approx(60 / 0.4)
    assert (throughput.unit, throughput.better, throughput.provenance) == ("1/s", "higher", "derived")


def test_throughput_of_simulated_steps_is_simulated(device: TickingDevice) -> None:
    steps = steps_on(device, 3, samples_per_step=30, provenance="simulated")

    for _ in steps:
        device.work(1)

    assert {one.provenance for one in steps.measurements()} == {"simulated"}


def test_throughput_without_samples_per_step_is_absent(device: TickingDevice) -> None:
    steps = steps_on(device, 3)

    for _ in steps:
        device.work(1)

    assert "throughput" not in {one.metric for one in steps.measurements()}


def test_throughput_of_a_clock_that_stands_still_is_missing(device: TickingDevice) -> None:
    steps = steps_on(device, 3, samples_per_step=1)

    for _ in steps:
        pass

    assert row(steps, "throughput").value is None
    assert row(steps, "throughput").reason == "the clock did not move within the steps"


def test_phases_of_a_step_are_a_sample_of_each_counted_step(device: TickingDevice) -> None:
    steps = steps_on(device, 4, warmup=1)

    for step in steps:
        with step.data():
            device.work(1)
        with step.forward():
            device.launch(step.index)
        with step.backward():
            device.work(3)
        with step.optimizer():
            device.work(4)
        with step.phase("log"):
            device.work(5)

    wall = {one.phase: one.samples for one in steps.measurements() if one.metric == "wall_time"}
    assert wall == {
        "data": [0.001, 0.001],
        "forward": [0.002, 0.003],
        "backward": [0.003, 0.003],
        "optimizer": [0.004, 0.004],
        "log": [0.005, 0.005],
    }
    assert row(steps, "wall_time", "forward").details == {"per": "step", "steps": 2}
    assert row(steps, "device_time", "forward").samples == [0.002, 0.003]


def test_phase_entered_several_times_in_a_step_is_summed(device: TickingDevice) -> None:
    steps = steps_on(device, 3)

    for step in steps:
        for micro_batch in range(3):
            with step.forward():
                device.work(micro_batch + step.index)

    assert row(steps, "wall_time", "forward").samples == pytest.approx([0.006, 0.009])


def test_phases_of_steps_are_named_within_the_phase_around_the_loop(device: TickingDevice) -> None:
    recorder = PhaseRecorder(device, clock=device.clock())

    with recorder.phase("train"):
        steps = steps_on(device, 2, phase=recorder.current)
        for step in steps:
            with step.forward(), step.phase("attention"):
                device.work(1)

    assert {one.phase for one in steps.measurements()} == {"train", "train/forward", "train/forward/attention"}


def test_phase_of_a_step_never_closed_is_an_error(device: TickingDevice) -> None:
    steps = steps_on(device, 3)

    for step in steps:
        if step.index == 1:
            step.forward().__enter__()

    error = steps.error()
    assert error is not None
    assert "test_x.py::test_a: phase 'forward' was never closed" in str(error)
    assert row(steps, "wall_time", "forward").samples is None
    assert row(steps, "wall_time", "forward").reason == "the phase was never closed"


def test_phase_that_only_warm_up_had_is_missing_with_a_reason(device: TickingDevice) -> None:
    steps = steps_on(device, 3)

    for step in steps:
        if step.index == 0:
            with step.phase("compile"):
                device.work(1)

    assert row(steps, "wall_time", "compile").samples is None
    assert row(steps, "wall_time", "compile").reason == "no step that counts had it whole"


def test_loss_is_recorded_per_counted_step_and_read_outside_of_it(device: TickingDevice) -> None:
    steps = steps_on(device, 4)

    for step in steps:
        device.work(1)
        step.record("loss", Tensor(device, 1 / (1 + step.index)))

    loss = row(steps, "loss")
    assert loss.samples == [1 / 2, 1 / 3, 1 / 4]
    assert (loss.unit, loss.better, loss.method) == ("1", "lower", "recorded by the test")
    assert row(steps, "step_time").samples == [0.001] * 3


def test_record_of_another_metric_takes_its_unit_and_direction(device: TickingDevice) -> None:
    steps = steps_on(device, 2)

    for step in steps:
        step.record("grad_norm", 2, unit="1", better="none")
        step.record("accuracy", 0.5, better="higher")
        step.record("energy", 3)

    kept = {one.metric: (one.unit, one.better, one.samples) for one in steps.measurements()}
    assert kept["grad_norm"] == ("1", "none", [2.0])
    assert kept["accuracy"] == ("1", "higher", [0.5])
    assert kept["energy"] == ("J", "lower", [3.0])


def test_loss_that_is_not_finite_is_named_and_not_comparable(device: TickingDevice) -> None:
    steps = steps_on(device, 4)

    for step in steps:
        step.record("loss", math.nan if step.index == 2 else 0.5)

    loss = row(steps, "loss")
    assert loss.samples == [0.5, 0.5]
    assert not loss.valid
    assert loss.reason == "recorded as nan in step 2"
    assert loss.details == {"not_finite": 1}


@pytest.mark.parametrize(
    ("metric", "value", "unit", "better", "message"),
    [
        ("step_time", 1.0, None, None, "step_time is measured by the loop itself"),
        ("loss", 1.0, None, None, "loss was recorded twice in step 1"),
        ("size", 1.0, "ms", None, "size is recorded in 'ms', but it is kept in 'B'"),
        ("size", 1.0, None, "higher", "size is recorded as better when 'higher', but it was 'lower'"),
        ("power", 1.0, "mW", None, "power is recorded in 'mW', but it is kept in 'W'"),
    ],
    ids=["own metric", "twice", "mixed units", "mixed directions", "registered unit"],
)
def test_record_that_cannot_be_kept_is_an_error(
    device: TickingDevice, metric: str, value: float, unit: str | None, better: Better | None, message: str
) -> None:
    steps = steps_on(device, 2)
    first = next(steps)
    first.record("size", 1.0, unit="B", better="lower")
    second = next(steps)
    second.record("loss", 1.0)

    with pytest.raises(MeasurementError, match=message) as raised:
        second.record(metric, value, unit=unit, better=better)

    assert str(raised.value).startswith("test_x.py::test_a: ")


@pytest.mark.parametrize(
    ("metric", "value", "message"),
    [
        ("loss", "low", "loss was recorded as 'low', which is not a number"),
        ("energy", -1, "energy was recorded as -1, and no energy is below 0"),
    ],
    ids=["text", "negative"],
)
def test_record_of_something_that_is_not_a_number_is_an_error(
    device: TickingDevice, metric: str, value: object, message: str
) -> None:
    steps = steps_on(device, 2)
    next(steps)
    next(steps).record(metric, value)

    with pytest.raises(MeasurementError, match=message):
        next(steps)


def test_record_in_a_finished_step_is_an_error(device: TickingDevice) -> None:
    kept: list[Step] = list(steps_on(device, 2))

    with pytest.raises(MeasurementError, match="step 1, which is over"):
        kept[-1].record("loss", 1.0)


def test_loop_left_early_counts_complete_steps_only(device: TickingDevice) -> None:
    steps = steps_on(device, 10, samples_per_step=1)

    for step in steps:
        device.work(1)
        step.record("loss", step.index)
        with step.forward():
            device.work(1)
        if step.index == 3:
            break

    times = row(steps, "step_time")
    assert times.samples == [0.002, 0.002]
    assert times.details is not None
    assert times.details["ended_early"] == "the loop ended after 3 complete steps of 10"
    assert row(steps, "loss").samples == [1.0, 2.0]
    assert row(steps, "wall_time", "forward").samples == [0.001, 0.001]
    assert row(steps, "throughput").value == pytest.approx(500)


def test_loop_left_by_an_exception_counts_complete_steps_only(device: TickingDevice) -> None:
    steps = steps_on(device, 10)

    def train() -> None:
        for step in steps:
            device.work(1)
            _ = 1 / (2 - step.index)

    with pytest.raises(ZeroDivisionError):
        train()

    assert row(steps, "step_time").samples == [0.001]
    assert steps.complete == 2


def test_loop_left_in_its_first_step_has_reasons_and_no_values(device: TickingDevice) -> None:
    steps = steps_on(device, 10, samples_per_step=4)

    for step in steps:
        step.record("loss", 1)
        device.work(1)
        break

    assert {(one.samples, one.value) for one in steps.measurements()} == {(None, None)}
    reason = "the loop ended after 0 complete steps of 10"
    assert {one.metric: one.reason for one in steps.measurements()} == {
        "step_time": reason,
        "cpu_time": reason,
        "thread_time": reason,
        "first_call_time": reason,
        "throughput": reason,
        "loss": "recorded in no step that counts",
    }


def test_steps_that_are_all_thrown_away_are_missing_with_a_reason(device: TickingDevice) -> None:
    steps = steps_on(device, 3, warmup=2, samples_per_step=1)

    for _ in steps:
        device.work(1)

    assert row(steps, "step_time").samples is None
    assert row(steps, "step_time").reason == "no step was left to measure after the first and the warm-up"
    assert row(steps, "first_call_time").value == 0.001


def test_steps_iterated_twice_is_an_error(device: TickingDevice) -> None:
    steps = steps_on(device, 2)
    list(steps)

    with pytest.raises(MeasurementError, match="was iterated before"):
        list(steps)


@pytest.mark.parametrize(
    ("n", "warmup", "samples_per_step"),
    [(0, 0, None), (-1, 0, None), (3, -1, None), (3, 0, 0), (3, 0, -2), (3, 0, math.inf), (3, 0, math.nan)],
)
def test_steps_out_of_range_are_an_error(
    device: TickingDevice, n: int, warmup: int, samples_per_step: float | None
) -> None:
    with pytest.raises(MeasurementError):
        steps_on(device, n, warmup=warmup, samples_per_step=samples_per_step)
