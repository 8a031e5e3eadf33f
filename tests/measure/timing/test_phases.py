import contextlib
import contextvars
import gc
import threading
import time
from collections.abc import Iterator

import pytest
from tests.measure.ticking_device import TickingDevice

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.timing.block_clock import BlockClock
from pytest_benchdb.measure.timing.phases import PhaseRecorder
from pytest_benchdb.model.run import Measurement


@pytest.fixture
def device() -> TickingDevice:
    return TickingDevice()


@pytest.fixture
def recorder(device: TickingDevice) -> PhaseRecorder:
    return PhaseRecorder(device, test="test_x.py::test_a", clock=device.clock())


def rows(recorder: PhaseRecorder) -> dict[tuple[str | None, str], Measurement]:
    measured = recorder.measurements()
    by_key = {(row.phase, row.metric): row for row in measured}
    assert len(by_key) == len(measured)
    return by_key


def samples(recorder: PhaseRecorder, metric: str = "wall_time") -> dict[str | None, list[float] | None]:
    return {
        phase: None if row.samples is None else list(row.samples)
        for (phase, name), row in rows(recorder).items()
        if name == metric
    }


def test_phase_reports_every_clock_of_its_block(device: TickingDevice, recorder: PhaseRecorder) -> None:
    device.work(100, cpu_ms=100, thread_ms=100)
    with recorder.phase("load"):
        device.work(3, cpu_ms=2, thread_ms=1)
        device.launch(4)
    device.work(100)

    measured = rows(recorder)

    assert measured["load", "wall_time"].samples == [0.007]  # the barrier at the end waits for the device
    assert measured["load", "cpu_time"].samples == [0.002]
    assert measured["load", "thread_time"].samples == [0.001]
    assert measured["load", "device_time"].samples == [0.004]
    assert {(row.unit, row.better, row.provenance, row.reason, row.valid) for row in measured.values()} == {
        ("s", "lower", "measured", None, True)
    }
    assert measured["load", "wall_time"].method == "wall clock, barrier at both ends (barrier)"


def test_phase_begins_after_earlier_work_is_done(device: TickingDevice, recorder: PhaseRecorder) -> None:
    device.launch(50)

    with recorder.phase("decode"):
        device.launch(1)

    assert samples(recorder) == {"decode": [0.001]}
    assert samples(recorder, "device_time") == {"decode": [0.001]}


def test_phase_on_device_without_marks_has_no_device_time() -> None:
    device = TickingDevice(marks=False, sync_mode=None)
    recorder = PhaseRecorder(device, clock=device.clock())

    with recorder.phase("load"):
        device.work(1)

    assert {row.metric for row in recorder.measurements()} == {"wall_time", "cpu_time", "thread_time"}
    assert {row.method for row in recorder.measurements()} == {"wall clock", "process_time", "thread_time"}


def test_phase_entered_again_has_one_more_sample(device: TickingDevice, recorder: PhaseRecorder) -> None:
    for wall_ms in (1, 2, 3):
        with recorder.phase("decode"):
            device.work(wall_ms)

    assert samples(recorder) == {"decode": [0.001, 0.002, 0.003]}


def test_phases_nested_are_rows_of_their_own(device: TickingDevice, recorder: PhaseRecorder) -> None:
    with recorder.phase("decode"):
        assert recorder.current == "decode"
        device.work(1)
        with recorder.phase("attention"):
            assert recorder.current == "decode/attention"
            device.work(2)
        with recorder.phase("mlp"):
            device.work(4)
    with recorder.phase("attention"):
        device.work(8)

    assert samples(recorder) == {
        "decode": [0.007],
        "decode/attention": [0.002],
        "decode/mlp": [0.004],
        "attention": [0.008],
    }
    assert recorder.current is None


def test_phase_within_another_recorders_is_named_by_its_own(device: TickingDevice, recorder: PhaseRecorder) -> None:
    inner = PhaseRecorder(device, within="train", clock=device.clock())

    with recorder.phase("train"), inner.phase("forward"), recorder.phase("log"):
        assert recorder.current == "train/log"
        assert inner.current == "train/forward"

    assert recorder.names == ("train", "train/log")
    assert inner.names == ("train/forward",)


def test_phase_on_simulated_device_is_simulated(device: TickingDevice) -> None:
    recorder = PhaseRecorder(device, provenance="simulated", clock=device.clock())

    with recorder.phase("load"):
        device.work(1)

    assert {row.provenance for row in recorder.measurements()} == {"simulated"}


def test_phase_that_raises_has_a_reason_and_no_value(device: TickingDevice, recorder: PhaseRecorder) -> None:
    def load() -> None:
        with recorder.phase("load"):
            device.work(1)
            raise ValueError("boom\nsecond line")

    with pytest.raises(ValueError, match="boom"):
        load()

    measured = rows(recorder)
    assert {row.samples for row in measured.values()} == {None}
    assert {row.value for row in measured.values()} == {None}
    assert {row.reason for row in measured.values()} == {"the phase ended with ValueError: boom"}
    assert recorder.error() is None


def test_phase_that_raises_does_not_wait_for_the_device(device: TickingDevice, recorder: PhaseRecorder) -> None:
    def load() -> None:
        with recorder.phase("load"):
            device.lost = RuntimeError("device is lost")
            raise ValueError("cause")

    with pytest.raises(ValueError, match="cause"):
        load()

    assert recorder.current is None


def test_phase_that_raises_once_keeps_its_other_samples(device: TickingDevice, recorder: PhaseRecorder) -> None:
    for answers in (1, 0, 1):
        with contextlib.suppress(ZeroDivisionError), recorder.phase("request"):
            device.work(2)
            _ = 1 / answers

    row = rows(recorder)["request", "wall_time"]
    assert row.samples == [0.002, 0.002]
    assert row.details == {"failed": ["ZeroDivisionError: division by zero"]}


def test_phase_with_a_failing_closing_barrier_is_not_measured(device: TickingDevice, recorder: PhaseRecorder) -> None:
    with pytest.raises(RuntimeError, match="lost"), recorder.phase("load"):
        device.lost = RuntimeError("device is lost")

    assert {row.reason for row in recorder.measurements()} == {"the phase ended with RuntimeError: device is lost"}
    assert recorder.current is None
    assert recorder.error() is None


def test_phase_with_a_failing_opening_barrier_is_not_open(device: TickingDevice, recorder: PhaseRecorder) -> None:
    device.lost = RuntimeError("device is lost")

    with pytest.raises(RuntimeError, match="lost"), recorder.phase("load"):
        pytest.fail("the phase was entered")

    assert recorder.error() is None
    assert recorder.current is None
    assert {row.reason for row in recorder.measurements()} == {"the phase ended with RuntimeError: device is lost"}


def test_phase_never_left_is_an_error_that_names_test_and_phase(device: TickingDevice, recorder: PhaseRecorder) -> None:
    with recorder.phase("load"):
        device.work(1)
    recorder.phase("load").__enter__()

    error = recorder.error()
    measured = rows(recorder)

    assert isinstance(error, MeasurementError)
    assert str(error).startswith("test_x.py::test_a: phase 'load' was never closed")
    assert {(row.samples, row.reason) for row in measured.values()} == {(None, "the phase was never closed")}


def test_phase_of_abandoned_generator_is_never_closed(device: TickingDevice, recorder: PhaseRecorder) -> None:
    def tokens() -> Iterator[int]:
        with recorder.phase("decode"):
            yield 1
            yield 2

    generator = tokens()
    next(generator)
    device.work(1)
    del generator
    gc.collect()

    assert recorder.unclosed == ("decode",)
    assert {row.samples for row in recorder.measurements()} == {None}
    with recorder.phase("after"):
        assert recorder.current == "after"


def test_phases_left_in_another_order_keep_their_times(device: TickingDevice, recorder: PhaseRecorder) -> None:
    outer, inner = recorder.phase("outer"), recorder.phase("inner")
    outer.__enter__()
    inner.__enter__()
    device.work(1)
    outer.__exit__(None, None, None)
    device.work(2)
    inner.__exit__(None, None, None)

    assert samples(recorder) == {"outer": [0.001], "outer/inner": [0.003]}
    assert recorder.current is None
    assert recorder.error() is None


def test_phase_object_entered_twice_is_an_error(recorder: PhaseRecorder) -> None:
    phase = recorder.phase("load")
    with phase:
        pass

    with pytest.raises(MeasurementError, match="'load' was entered before"):
        phase.__enter__()


@pytest.mark.parametrize("name", ["", " ", "a//b", "/a", "a/", None, 3], ids=repr)
def test_phase_without_a_name_is_an_error(recorder: PhaseRecorder, name: str) -> None:
    with pytest.raises(MeasurementError, match="needs a name"):
        recorder.phase(name)


def test_phases_of_threads_and_tasks_do_not_nest_in_each_other(recorder: PhaseRecorder) -> None:
    names: list[str | None] = []

    def within_thread() -> None:
        with recorder.phase("worker"):
            names.append(recorder.current)

    with recorder.phase("main"):
        # A thread begins in a new context; since Python 3.14 it can inherit one.
        thread = threading.Thread(target=contextvars.Context().run, args=(within_thread,))
        thread.start()
        thread.join()
        names.append(recorder.current)

    assert names == ["worker", "main"]


def test_phase_left_in_another_thread_has_no_thread_time(device: TickingDevice, recorder: PhaseRecorder) -> None:
    phase = recorder.phase("load")
    phase.__enter__()
    device.work(1, thread_ms=1)
    thread = threading.Thread(target=phase.__exit__, args=(None, None, None))
    thread.start()
    thread.join()

    row = rows(recorder)["load", "thread_time"]

    assert row.samples is None
    assert row.reason == "no CPU clock for one thread, or the block changed threads"
    assert samples(recorder) == {"load": [0.001]}


def test_measurements_without_a_phase_leave_it_out(recorder: PhaseRecorder) -> None:
    with recorder.phase("decode"), recorder.phase("attention"):
        pass

    assert {row.phase for row in recorder.measurements(without={None, "decode"})} == {"decode/attention"}


def test_take_returns_new_times_and_keeps_names(device: TickingDevice, recorder: PhaseRecorder) -> None:
    with recorder.phase("a"):
        device.work(1)
    first = recorder.take()
    with recorder.phase("b"):
        device.work(2)

    assert {name: [one.wall_s for one in times] for name, times in first.items()} == {"a": [0.001]}
    assert {name: [one.wall_s for one in times] for name, times in recorder.take().items()} == {"b": [0.002]}
    assert recorder.names == ("a", "b")


def test_block_clock_with_real_clocks_reports_a_busy_thread_as_busy() -> None:
    device = TickingDevice()
    clock = BlockClock(device)

    begun = clock.begin()
    busy_until = time.thread_time_ns() + 5_000_000
    while time.thread_time_ns() < busy_until:
        pass
    measured = clock.end(begun)
    clock.leave(begun)

    assert measured.thread_s is not None
    assert measured.thread_s >= 0.005
    assert measured.cpu_s >= measured.thread_s * 0.9
