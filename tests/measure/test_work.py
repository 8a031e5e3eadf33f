"""Meters at the ends of blocks, on a simulated machine with known results and on this process."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.measure.card_meter import Card

from pytest_benchdb.backends.sim import OpenSim, SimBackend, SimHandle, SimMeter, SimProfile
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.measure.energy.conditions import Conditions
from pytest_benchdb.measure.energy.energy_pass import prepare
from pytest_benchdb.measure.energy.sensors import Sensors
from pytest_benchdb.measure.energy.window import EnergyPlan
from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.measure.sampler.sampler import Sampler
from pytest_benchdb.measure.timing.phases import PhaseRecorder
from pytest_benchdb.measure.training import Steps
from pytest_benchdb.measure.work import Metered, Work, WorkBlock, WorkMeters
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement

HOST = Device(device_id="h", backend="cpu", name="host")
MIB = 1 << 20


class FakeSampler(Sampler):
    """A sampler that returns one point per window, without a process."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []

    def start(self) -> None:
        self.log.append("start")

    def stop(self) -> tuple[Series, ...]:
        self.log.append("stop")
        return (Series(metric="rss", unit="B", domain="process", device_id=None, t_s=(0.0,), values=(7.0,)),)


class Rig:
    """A simulated device, its meters, and the meters of this process."""

    def __init__(self, *passes: str, profile: SimProfile | None = None, no_energy: str | None = None) -> None:
        backend = SimBackend(profile or SimProfile())
        self.opened: OpenSim = backend.open(backend.devices()[0])
        self.machine = backend.machine
        self.sensors = Sensors([SimMeter(self.machine)])
        self.sampler = FakeSampler()
        self.probe = BlockProbe()
        self.meters = WorkMeters(
            passes,
            probe=self.probe,
            sensors=lambda: self.sensors,
            sampler=lambda _opened: self.sampler,
            no_energy=no_energy,
        )

    @property
    def device(self) -> SimHandle:
        handle = self.opened.handle
        assert isinstance(handle, SimHandle)
        return handle

    def block(self, what: str = "steps", *, often: bool = False) -> WorkBlock:
        return self.meters.block(Work(what=what, opened=self.opened, provenance="simulated", often=often))

    def host_block(self, what: str = "phases", *, often: bool = True) -> WorkBlock:
        return self.meters.block(Work(what=what, opened=BlockingDevice(HOST, "cpu"), often=often))


@pytest.fixture
def closing() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def values(metered: Metered) -> dict[str, float | None]:
    return {row.metric: row.value for row in metered.measurements if row.domain is None}


def reasons(metered: Metered) -> Mapping[str, str | None]:
    return {row.metric: row.reason for row in metered.measurements if row.domain is None}


def row(metered: Metered, metric: str) -> Measurement:
    (found,) = [each for each in metered.measurements if each.metric == metric and each.domain is None]
    return found


def test_block_has_the_energy_of_its_work_by_its_units() -> None:
    rig = Rig("energy")
    prepare(rig.sensors, EnergyPlan(rounds_hint_s=0.0, device_uuid=rig.machine.uuid(0), provenance="simulated"))

    with (block := rig.block()):
        rig.device.work(4.0, watts=300)
    result = block.result(4, {"energy_per_step": 4.0, "energy_per_sample": 32.0, "energy_per_token": "not reported"})

    energy = row(result, "energy")
    assert energy.value == pytest.approx(300.0, rel=0.01)
    assert (energy.valid, energy.provenance) == (True, "simulated")
    found = values(result)
    assert found["energy_per_step"] == pytest.approx(300.0, rel=0.01)
    assert found["energy_per_sample"] == pytest.approx(37.5, rel=0.01)
    assert found["idle_power"] == pytest.approx(100.0, rel=0.01)
    assert found["power"] == pytest.approx(300.0, rel=0.01)
    assert (found["energy_per_token"], reasons(result)["energy_per_token"]) == (None, "not reported")


def test_block_too_short_for_its_counter_is_not_valid() -> None:
    rig = Rig("energy")

    with (block := rig.block()):
        rig.device.work(0.5)

    energy = row(block.result(), "energy")
    assert (energy.valid, energy.reason) == (False, "window of 5 ticks is shorter than 20")


def test_block_that_happens_again_adds_its_windows_up() -> None:
    rig = Rig("energy")
    block = rig.block(often=True)
    for watts in (200, 400):
        with block:
            rig.device.work(3.0, watts=watts)
        rig.device.work(1.0, watts=50)

    energy = row(block.result(), "energy")
    assert energy.value == pytest.approx(900.0, rel=0.02)
    assert energy.window_s == pytest.approx(6.0, rel=0.01)


def test_block_that_raises_counts_nothing() -> None:
    rig = Rig("energy", "memory", "memray", "series")
    block = rig.block()
    with pytest.raises(ValueError, match="no"), block:
        raise ValueError("no")

    assert reasons(block.result(cut="it was cut")) == {"energy": "it was cut"}
    assert not rig.meters.open


def test_block_that_is_entered_twice_at_once_counts_nothing() -> None:
    rig = Rig("energy")
    block = rig.block()
    block.start()
    block.start()
    block.stop()

    assert reasons(block.result())["energy"] == "it was entered again before it ended"


def test_block_beside_other_workers_says_why_it_has_no_energy() -> None:
    rig = Rig("energy", no_energy="other workers")
    with (block := rig.block()):
        rig.device.work(4.0)

    told = reasons(block.result(2, {"energy_per_step": 2.0}))
    assert (told["energy"], told["energy_per_step"]) == ("other workers", "other workers")


def test_block_of_a_wrapping_counter_is_read_in_between() -> None:
    rig = Rig("energy", profile=SimProfile(wrap_j=1000.0))
    block = rig.block()
    block.start()
    for _ in range(4):
        rig.device.work(0.8)
        block._energy._readings.append(block._energy._panel.read())  # type: ignore[union-attr]
    block.stop()

    assert row(block.result(), "energy").value == pytest.approx(1600.0, rel=0.05)


def test_peaks_of_the_device_are_right_in_nested_blocks() -> None:
    rig = Rig("memory")
    outer, inner = rig.block("outer"), rig.block("inner")
    with outer:
        rig.device.allocate(900)
        rig.device.free(900)
        with inner:
            rig.device.allocate(300)
        rig.device.free(300)

    assert (values(outer.result())["device_peak"], values(inner.result())["device_peak"]) == (900.0, 300.0)


def test_peaks_of_a_block_in_which_a_function_was_timed_are_not_told() -> None:
    rig = Rig("memory")
    with (block := rig.block()):
        rig.device.allocate(900)
        rig.meters.disturb()
        rig.opened.reset_memory()

    peak = row(block.result(), "device_peak")
    assert (peak.value, peak.reason) == (None, "a function was timed within it, which restarts the peak")


def test_device_that_handed_out_nothing_has_no_peak() -> None:
    rig = Rig("memory")
    with (block := rig.block()):
        pass

    peak = row(block.result(), "device_peak")
    assert (peak.value, peak.reason) == (None, "the device's allocator handed out nothing")


def test_host_block_says_what_it_cannot_measure() -> None:
    rig = Rig("memory", "memray")
    with (block := rig.host_block()):
        pass

    told = reasons(block.result())
    assert told["python_peak"] is not None
    assert "tracemalloc would slow down" in told["python_peak"]
    assert told["native_peak"] is not None
    assert "memray would slow down" in told["native_peak"]
    assert told["tree_peak"] == "the control group is not read for phases"


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_peaks_of_the_process_are_right_in_nested_blocks() -> None:
    rig = Rig("memory")
    if "peak_rss" in rig.probe.unmeasured():
        pytest.skip(rig.probe.unmeasured()["peak_rss"])
    outer, inner = rig.host_block("outer"), rig.host_block("inner")
    with outer:
        held = b"1" * (100 * MIB)
        del held
        with inner:
            held = b"1" * (20 * MIB)
        del held
    grown = {}
    for name, block in (("outer", outer), ("inner", inner)):
        found = values(block.result())
        assert found["peak_rss"] is not None
        assert found["rss_start"] is not None
        grown[name] = (found["peak_rss"] - found["rss_start"]) / MIB

    assert grown["outer"] == pytest.approx(100, abs=5)
    assert grown["inner"] == pytest.approx(20, abs=5)


def test_series_belong_to_the_innermost_block() -> None:
    rig = Rig("series")
    outer, inner = rig.host_block("outer"), rig.host_block("inner")
    with outer, inner:
        pass

    assert rig.sampler.log == ["start", "stop", "start", "stop"]
    assert reasons(outer.result())["rss"] == "a block within it was sampled instead"
    (series,) = inner.result().series
    assert (series.metric, series.values) == ("rss", (7.0,))


def test_series_of_several_windows_continue_each_other() -> None:
    rig = Rig("series")
    block = rig.host_block()
    for _ in range(3):
        with block:
            pass

    (series,) = block.result().series
    assert series.values == (7.0, 7.0, 7.0)
    assert list(series.t_s) == sorted(series.t_s)


def test_times_beside_a_sampler_say_so() -> None:
    rig = Rig("series")
    time_row = Measurement.of("step_time", value=1.0, details={"steps": 3})

    marked = rig.host_block().marks(time_row)

    assert marked.details == {"steps": 3, "sampler_active": True}
    assert Rig("energy").host_block().marks(time_row) is time_row


def test_meter_that_breaks_does_not_break_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig("memory", "series")
    monkeypatch.setattr(rig.opened, "memory", lambda: 1 / 0)
    monkeypatch.setattr(rig.sampler, "start", lambda: 1 / 0)
    with (block := rig.block()), (host := rig.host_block()):
        pass

    assert reasons(block.result())["device_peak"] == "device could not be read: ZeroDivisionError: division by zero"
    assert reasons(host.result())["rss"] == "series could not be read: ZeroDivisionError: division by zero"


def test_steps_are_metered_from_the_first_that_counts_to_the_last() -> None:
    rig = Rig("energy", "memory")
    steps = Steps(
        6, device=rig.opened, warmup=1, samples_per_step=8, provenance="simulated", meters=rig.block("training steps")
    )
    for step in steps:
        rig.device.work(1.0, watts=300 if step.counted else 500)
        with step.forward():
            pass

    found = {(each.metric, each.phase): each for each in steps.measurements() if each.domain is None}
    assert found["energy", None].value == pytest.approx(300.0, rel=0.02)
    assert found["energy_per_step", None].value == pytest.approx(300.0, rel=0.02)
    assert found["energy_per_sample", None].value == pytest.approx(37.5, rel=0.02)
    assert found["energy", "forward"].reason == "meters are not read within a step, whose time it would be"
    assert len(found["step_time", None].samples or ()) == 4


def test_steps_that_are_left_early_have_no_energy() -> None:
    rig = Rig("energy")
    steps = Steps(6, device=rig.opened, provenance="simulated", meters=rig.block("training steps"))
    for step in steps:
        rig.device.work(1.0)
        if step.index == 3:
            break

    (energy,) = [each for each in steps.measurements() if each.metric == "energy"]
    assert (energy.value, energy.reason) == (None, "the loop was left before its last step")
    assert not rig.meters.open


def test_phases_are_metered_apart() -> None:
    rig = Rig("energy")
    blocks: dict[str, WorkBlock] = {}
    recorder = PhaseRecorder(
        rig.opened,
        provenance="simulated",
        meters_of=lambda path: blocks.setdefault(path, rig.block("phases", often=True)),
    )
    for seconds, watts, name in ((3.0, 500, "prefill"), (4.0, 200, "decode")):
        with recorder.phase(name):
            rig.device.work(seconds, watts=watts)
    with contextlib.suppress(ValueError), recorder.phase("broken"):
        raise ValueError

    joules = {name: row(block.result(), "energy").value for name, block in blocks.items()}
    assert joules == {
        "prefill": pytest.approx(1500.0, rel=0.01),
        "decode": pytest.approx(800.0, rel=0.01),
        "broken": None,
    }


GPU = Device(device_id="g", backend="cuda", name="gpu", uuid="GPU-a")


class Allocator(BlockingDevice):
    """A device whose allocator never had to try again."""

    def memory(self) -> Mapping[str, float]:
        return {"device_peak": 5.0, "allocator_retries": 0.0}


def test_block_on_a_device_has_its_clock_and_marks_times_that_heat_spoiled() -> None:
    card = Card(throttle_thermal_software=0.0)
    sensors = Sensors([card])
    meters = WorkMeters(
        ("memory",),
        probe=BlockProbe(),
        sensors=lambda: sensors,
        sampler=lambda _opened: FakeSampler(),
        conditions=lambda opened, provenance: Conditions(
            sensors.panel(opened.device.uuid, provenance), clock_ns=opened.clock_ns
        ),
    )
    block = meters.block(Work(what="training steps", opened=Allocator(GPU, "cuda")))

    with block:
        card.pass_s(10.0, clock_sm=1.2e9, throttle_thermal_software=4.0)
    result = block.result()
    marked = block.marks(Measurement.of("step_time", samples=[5.0, 5.0]))

    found = {each.metric: each.value for each in result.measurements}
    assert (found["clock_frequency"], found["throttle_time"]) == (1.2e9, 4.0)
    assert (found["device_peak"], found["allocator_retries"]) == (5.0, 0.0)
    assert (marked.valid, marked.reason) == (False, "the device was slowed down for heat for 40% of the timing")


def test_block_that_is_entered_often_reads_no_clock() -> None:
    card = Card()
    sensors = Sensors([card])
    meters = WorkMeters(
        (),
        probe=BlockProbe(),
        sensors=lambda: sensors,
        sampler=lambda _opened: FakeSampler(),
        conditions=lambda opened, provenance: Conditions(
            sensors.panel(opened.device.uuid, provenance), clock_ns=opened.clock_ns
        ),
    )

    with meters.block(Work(what="phases", opened=Allocator(GPU, "cuda"), often=True)):
        pass

    assert card.asked == []
