"""The energy pass on a simulated machine with known results."""

import threading
from collections.abc import Mapping, Sequence

import pytest

from pytest_benchdb.backends.sim import SimBackend, SimHandle, SimMachine, SimMeter, SimProfile
from pytest_benchdb.measure.energy.energy_pass import measure_energy, prepare
from pytest_benchdb.measure.energy.energy_rows import unmeasured
from pytest_benchdb.measure.energy.sensors import Sensors, measure_ticks
from pytest_benchdb.measure.energy.window import EnergyPlan, watch
from pytest_benchdb.model.metric import METRICS, Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading
from pytest_benchdb.model.run import Measurement


class Rig:
    """A simulated machine, its meters and one device at work."""

    def __init__(self, profile: SimProfile) -> None:
        self.machine = SimBackend(profile).machine
        self.handle = SimHandle(self.machine, 0)
        self.sensors = Sensors([SimMeter(self.machine)])

    def measure(
        self,
        round_s: float,
        *,
        watts: float = 500.0,
        iterations: int = 1,
        max_window_s: float = 60.0,
        hint: float = 1.0,
    ) -> dict[str, Measurement]:
        plan = EnergyPlan(
            rounds_hint_s=hint * round_s,
            iterations=iterations,
            device_uuid=self.machine.uuid(0),
            provenance="simulated",
            max_window_s=max_window_s,
        )
        prepare(self.sensors, plan)
        rows = measure_energy(lambda: self.handle.work(round_s, watts), self.sensors, plan)
        return {row.metric: row for row in rows if row.domain is None}


def details(row: Measurement) -> Mapping[str, object]:
    assert row.details is not None
    return row.details


@pytest.mark.parametrize("phase_s", [0.0, 0.013, 0.05, 0.099])
@pytest.mark.parametrize("reports_tick", [True, False], ids=["result", "measured"])
def test_measure_energy_of_500_w_for_2_s_is_1000_j_within_one_tick(phase_s: float, reports_tick: bool) -> None:
    rig = Rig(SimProfile(tick_s=0.1, phase_s=phase_s, reports_tick=reports_tick))

    energy = rig.measure(2.0)["energy"]

    assert energy.value == pytest.approx(1000.0, abs=500.0 * 0.1)
    assert energy.valid
    assert energy.provenance == "simulated"
    assert details(energy)["rounds_in_window"] == (1 if reports_tick else 2)  # 0.1002 s, as measured, by 20 is more


@pytest.mark.parametrize("round_s", [1e-4, 1e-3, 0.03, 0.5])
def test_measure_energy_repeats_rounds_until_the_window_holds_20_ticks(round_s: float) -> None:
    energy = Rig(SimProfile()).measure(round_s)["energy"]

    ticks = details(energy)["ticks"]
    assert isinstance(ticks, int)
    assert 20 <= ticks <= 26
    assert energy.value == pytest.approx(500.0 * round_s, rel=0.011 if round_s < 0.5 else 0.05)
    assert energy.valid


def test_measure_energy_counts_each_iteration_of_a_round() -> None:
    assert Rig(SimProfile()).measure(0.03, iterations=10)["energy"].value == pytest.approx(1.5, rel=0.011)


def test_measure_energy_of_a_long_round_ends_at_an_edge_and_reports_the_wait() -> None:
    energy = Rig(SimProfile()).measure(2.03)["energy"]

    result = details(energy)
    assert (result["starts_at_edge"], result["ends_at_edge"]) == (True, True)
    assert result["tail_s"] == pytest.approx(0.07, abs=0.002)
    assert energy.window_s == pytest.approx(2.1, abs=0.002)


def test_measure_energy_of_a_truncated_window_is_not_valid() -> None:
    energy = Rig(SimProfile()).measure(0.03, max_window_s=0.7)["energy"]

    assert not energy.valid
    assert energy.reason in {"window of 7 ticks is shorter than 20", "window of 8 ticks is shorter than 20"}
    assert energy.value == pytest.approx(15.0, rel=0.05)


def test_measure_energy_of_one_round_longer_than_the_limit_keeps_that_round() -> None:
    energy = Rig(SimProfile()).measure(5.0, max_window_s=1.0)["energy"]

    assert details(energy)["rounds_in_window"] == 1
    assert energy.valid


def test_measure_energy_with_a_far_too_small_hint_does_not_run_for_hours() -> None:
    rig = Rig(SimProfile())

    rig.measure(1.0, hint=1e-6)

    assert rig.machine.now_ns < 20e9


def test_measure_energy_over_several_wraps_is_right() -> None:
    energy = Rig(SimProfile(wrap_j=400.0)).measure(0.03)["energy"]

    assert energy.value == pytest.approx(15.0, rel=0.011)
    assert energy.valid


def test_measure_energy_of_a_round_that_may_hide_a_wrap_is_not_valid() -> None:
    energy = Rig(SimProfile(wrap_j=1200.0)).measure(2.5)["energy"]

    assert not energy.valid
    assert energy.reason == "a wrap of the counter at 1200 J may have been missed: one round outlasts it"


def test_measure_energy_of_a_counter_that_is_reset_has_no_value() -> None:
    rows = Rig(SimProfile(reset_at_s=3.5)).measure(1.0)

    assert rows["energy"].value is None
    assert rows["power"].value is None
    assert "was reset" in (rows["energy"].reason or "")
    assert not rows["energy"].valid


def test_measure_energy_of_a_machine_that_is_lost_has_no_value_and_ends() -> None:
    rows = Rig(SimProfile(lost_at_s=3.0)).measure(0.03)

    assert rows["energy"].value is None
    assert "lost" in (rows["energy"].reason or "")


def test_measure_energy_without_a_counter_says_that_power_is_not_energy() -> None:
    rows = Rig(SimProfile(not_supported=frozenset({"energy"}))).measure(1.0)

    assert list(rows) == ["energy"]
    assert rows["energy"].value is None
    assert rows["energy"].reason == (
        "sim: SIM-steady-0/energy: NOT_SUPPORTED; sim reports power only, and a mean of power readings is not energy"
    )


def test_measure_energy_reports_mean_power_and_idle_power_apart() -> None:
    rows = Rig(SimProfile()).measure(1e-3)

    assert rows["power"].value == pytest.approx(500.0, rel=0.01)
    assert rows["idle_power"].value == pytest.approx(100.0, rel=0.01)
    assert details(rows["energy"])["idle_power_w"] == rows["idle_power"].value
    assert (rows["idle_power"].window_s or 0) >= 2.0
    assert {row.provenance for row in rows.values()} == {"simulated"}
    for name, row in rows.items():
        assert (row.unit, row.better) == (METRICS[name].unit, METRICS[name].better)


def test_measure_energy_reports_temperature_and_clock_at_both_ends() -> None:
    result = details(Rig(SimProfile()).measure(0.5)["energy"])

    assert result["temperature_start_k"] == pytest.approx(305.0)
    end_k = result["temperature_end_k"]
    assert isinstance(end_k, float)
    assert end_k > 306.0
    assert "clock_end_hz" in result


def test_measure_energy_measures_idle_power_once_for_a_session() -> None:
    rig = Rig(SimProfile())
    rig.measure(0.03)
    begun_ns = rig.machine.now_ns

    rig.measure(0.03)

    assert (rig.machine.now_ns - begun_ns) / 1e9 < 2.5


def test_prepare_measures_idle_power_before_the_load() -> None:
    rig = Rig(SimProfile(idle_w=70.0))
    plan = EnergyPlan(rounds_hint_s=1.0, device_uuid="SIM-steady-0", provenance="simulated")

    prepare(rig.sensors, plan)

    (result,) = rig.sensors.idle["SIM-steady-0", "simulated"].values()
    assert result["watts"] == pytest.approx(70.0, rel=0.01)


def test_measure_energy_never_takes_idle_power_after_the_load() -> None:
    rig = Rig(SimProfile())
    plan = EnergyPlan(rounds_hint_s=1.0, device_uuid="SIM-steady-0", provenance="simulated")

    rows = measure_energy(lambda: rig.handle.work(1.0), rig.sensors, plan)

    idle = next(row for row in rows if row.metric == "idle_power")
    assert (idle.value, idle.reason) == (None, "it was not measured before the first benchmark of the device")


def test_measure_energy_lets_an_error_of_the_benchmark_through() -> None:
    rig = Rig(SimProfile(fail_after=3))

    with pytest.raises(RuntimeError, match="simulated failure of operation 4"):
        rig.measure(1e-3)


def test_unmeasured_is_a_row_without_a_value() -> None:
    row = unmeasured("two workers share the device")

    assert (row.metric, row.unit, row.value, row.valid, row.reason) == (
        "energy",
        "J",
        None,
        False,
        "two workers share the device",
    )


class HostMeter:
    """A meter of the host with fixed readings; it raises when there are no more."""

    provenance: Provenance = "measured"

    def __init__(
        self,
        domains: Sequence[Domain],
        reads: Sequence[Mapping[str, Reading]] = (),
        *,
        name: str = "host",
        reason: str | None = None,
    ) -> None:
        self.name = name
        self._domains = domains
        self._reads = list(reads)
        self._reason = reason

    def probe(self) -> Probe:
        return Probe(available=self._reason is None, reason=self._reason)

    def domains(self) -> Sequence[Domain]:
        return self._domains

    def read(self) -> Mapping[str, Reading]:
        if not self._reads:
            raise OSError("the bus is gone")
        return self._reads.pop(0)

    def close(self) -> None:
        """Do nothing."""


PACKAGE = Domain(name="package-0", metric="energy", unit="J", kind="counter", scope="package", tick_s=0.001)
PLAN = EnergyPlan(rounds_hint_s=0.01)


def test_measure_energy_without_permission_reports_the_command() -> None:
    refused = HostMeter([], name="rapl", reason="energy_uj cannot be read; run sudo chmod a+r ...")

    (row,) = measure_energy(lambda: None, Sensors([refused]), PLAN)

    assert (row.value, row.valid) == (None, False)
    assert row.reason == "rapl: energy_uj cannot be read; run sudo chmod a+r ..."


@pytest.mark.parametrize(
    ("uuid", "reason"),
    [(None, "rapl: run sudo chmod"), ("GPU-8c1f", "nvml: no driver; mine: no cable")],
    ids=["host", "device"],
)
def test_measure_energy_names_only_meters_that_could_have_covered_the_device(uuid: str | None, reason: str) -> None:
    left_out = {"nvml": "no driver", "rapl": "run sudo chmod"} | ({"mine": "no cable"} if uuid else {})

    (row,) = measure_energy(
        lambda: None, Sensors([], unavailable=left_out), EnergyPlan(rounds_hint_s=0.01, device_uuid=uuid)
    )

    assert row.reason == reason


def test_measure_energy_without_any_meter_says_so() -> None:
    (row,) = measure_energy(lambda: None, Sensors([]), PLAN)

    assert row.reason == "no meter reads the energy of this device"


def test_measure_energy_of_a_meter_that_raises_disables_it_and_ends() -> None:
    sensors = Sensors([HostMeter([PACKAGE])], sleep=lambda _: None)

    rows = measure_energy(lambda: None, sensors, PLAN)

    assert all(row.value is None for row in rows)
    assert sensors.unavailable == {"host": "left out after OSError: the bus is gone"}
    (later,) = measure_energy(lambda: None, sensors, PLAN)
    assert later.reason == "host: left out after OSError: the bus is gone"


def test_measure_energy_of_a_real_host_is_never_reported_of_a_simulated_device() -> None:
    machine = SimMachine()
    sensors = Sensors([HostMeter([PACKAGE]), SimMeter(machine)])

    simulated = sensors.panel(machine.uuid(0), "simulated")
    real = sensors.panel(None, "measured")

    assert {sensor.meter.name for sensor in simulated.sensors} == {"sim"}
    assert {sensor.meter.name for sensor in real.sensors} == {"host"}


@pytest.mark.parametrize("uuid", ["GPU-8c1f", "8c1f", "8C1F"])
def test_panel_finds_a_device_with_and_without_the_vendors_prefix(uuid: str) -> None:
    energy = Domain(
        name="GPU-8c1f/energy", metric="energy", unit="J", kind="counter", scope="device", device_uuid="GPU-8c1f"
    )
    sensors = Sensors([HostMeter([energy, PACKAGE])])

    assert len(sensors.panel(uuid, "measured").energy) == 2
    assert len(sensors.panel("GPU-0000", "measured").energy) == 1


def test_measure_energy_of_a_device_that_only_the_host_sees_says_that_its_own_is_missing() -> None:
    readings = [{"package-0": Reading(100.0 * index, index * 100_000_000)} for index in range(200)]
    sensors = Sensors([HostMeter([PACKAGE], readings)], sleep=lambda _: None)

    rows = measure_energy(lambda: None, sensors, EnergyPlan(rounds_hint_s=1.0, device_uuid="GPU-8c1f"))

    assert [(row.metric, row.domain, row.value is None) for row in rows] == [
        ("energy", None, True),
        ("energy", "package-0", False),
        ("power", "package-0", False),
        ("idle_power", "package-0", True),
    ]
    assert rows[2].provenance == "derived"
    assert rows[2].value == pytest.approx(1000.0)


def test_measured_ticks_of_a_counter_that_stands_still_are_unknown() -> None:
    machine = SimMachine(SimProfile(tick_s=30.0, reports_tick=False))
    panel = Sensors([SimMeter(machine)]).panel(machine.uuid(0), "simulated")

    (tick_s,) = measure_ticks(panel, [sensor.key for sensor in panel.energy]).values()

    assert tick_s is None


def test_measure_energy_without_a_known_tick_is_not_valid() -> None:
    energy = Rig(SimProfile(tick_s=1.5, reports_tick=False)).measure(0.5)["energy"]

    assert energy.tick_s is None
    assert (energy.valid, energy.reason) == (False, "how often the counter changes could not be measured")


def test_watched_without_an_energy_counter_is_an_error() -> None:
    panel = Sensors([]).panel(None, "measured")

    with pytest.raises(ValueError, match="no energy counter"):
        watch(lambda: None, panel, {}, PLAN)


def test_energy_of_an_accelerator_without_an_id_is_never_the_hosts() -> None:
    readings = [{"package-0": Reading(0.27 * index, index * 100_000_000)} for index in range(200)]
    sensors = Sensors([HostMeter([PACKAGE], readings)], sleep=lambda _: None)

    rows = measure_energy(lambda: None, sensors, EnergyPlan(rounds_hint_s=1.0, on_host=False))

    (energy,) = [row for row in rows if row.metric == "energy" and row.domain is None]
    assert energy.value is None
    assert energy.reason is not None
    assert energy.reason.startswith("this device has no unique id to find its counter by")


ZONES = [
    Domain(name="psys", metric="energy", unit="J", kind="counter", scope="system", tick_s=0.001),
    *(
        Domain(name=name, metric="energy", unit="J", kind="counter", scope="package", tick_s=0.001, within=within)
        for name, within in (("package-0", "psys"), ("package-0/core", "package-0"), ("package-0/dram", None))
    ),
]


def test_energy_of_the_host_is_its_packages_and_their_memory() -> None:
    watts = {"psys": 560.0, "package-0": 500.0, "package-0/core": 300.0, "package-0/dram": 20.0}
    readings = [
        {name: Reading(power * index / 10, index * 100_000_000) for name, power in watts.items()} for index in range(99)
    ]
    sensors = Sensors([HostMeter(ZONES, readings)], sleep=lambda _: None)

    rows = measure_energy(lambda: None, sensors, EnergyPlan(rounds_hint_s=1.0, min_window_s=2.0))

    whole = {row.metric: row for row in rows if row.domain is None}
    assert whole["power"].value == pytest.approx(520.0)
    assert whole["energy"].valid
    assert details(whole["energy"])["counters"] == ["package-0", "package-0/dram"]
    assert sum(row.metric == "energy" for row in rows) == 5


def test_energy_of_several_meters_is_counted_once() -> None:
    board = Domain(name="board", metric="energy", unit="J", kind="counter", scope="board", tick_s=0.001)
    reads = [[{name: Reading(10.0 * i, i * 100_000_000)} for i in range(99)] for name in ("board", "package-0")]
    meters = [HostMeter([board], reads[0], name="bmc"), HostMeter([PACKAGE], reads[1], name="rapl")]
    sensors = Sensors(meters, sleep=lambda _: None)

    rows = measure_energy(lambda: None, sensors, EnergyPlan(rounds_hint_s=1.0, min_window_s=1.0))

    (energy,) = [row for row in rows if row.metric == "energy" and row.domain is None]
    assert (energy.method, details(energy)["counters"]) == ("rapl", ["package-0"])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "ValueError: package-0 reads nan"),
        (-1.0, "ValueError: package-0 reads -1.0"),
        ("3", "ValueError: package-0 reads '3'"),
        (True, "ValueError: package-0 reads True"),
    ],
)
def test_meter_that_returns_no_number_is_left_out(value: float, reason: str) -> None:
    sensors = Sensors([HostMeter([PACKAGE], [{"package-0": Reading(value, 1)}] * 9)], sleep=lambda _: None)

    rows = measure_energy(lambda: None, sensors, PLAN)

    assert all(row.value is None for row in rows)
    assert sensors.unavailable == {"host": f"left out after {reason}"}


def test_meter_that_counts_in_another_unit_gives_no_value() -> None:
    readings = [{"package-0": Reading(50e6 * index, index * 100_000_000)} for index in range(200)]
    sensors = Sensors([HostMeter([PACKAGE], readings)], sleep=lambda _: None)

    rows = measure_energy(lambda: None, sensors, PLAN)

    assert rows[0].value is None
    assert rows[0].reason == "package-0 rose by 5e+08 W, more than any machine draws"


def test_meter_whose_clock_stands_still_gives_no_value_and_ends() -> None:
    sensors = Sensors([HostMeter([PACKAGE], [{"package-0": Reading(1.0, 5)}] * 500)], sleep=lambda _: None)

    rows = measure_energy(lambda: None, sensors, PLAN)

    assert rows[0].value is None
    assert rows[0].reason == "no time passed between two readings of package-0"


class HangingMeter(HostMeter):
    """A meter that answers some reads and then hangs."""

    def __init__(self, answers: int) -> None:
        super().__init__([PACKAGE], [{"package-0": Reading(1.0 * i, i * 100_000_000)} for i in range(answers)])
        self.released = threading.Event()

    def read(self) -> Mapping[str, Reading]:
        if not self._reads:
            self.released.wait()
        return super().read()


def test_meter_that_hangs_is_left_out_and_the_others_go_on() -> None:
    meter = HangingMeter(3)
    sensors = Sensors([meter], sleep=lambda _: None, limit_s=0.02)

    rows = measure_energy(lambda: None, sensors, PLAN)

    meter.released.set()
    assert rows[0].value is None
    assert sensors.unavailable == {"host": "left out after TimeoutError: it gave no answer within 0.02 s"}


@pytest.mark.parametrize("tick_s", [0.0, -1.0, float("nan")])
def test_meter_with_an_impossible_tick_is_left_out(tick_s: float) -> None:
    domain = Domain(name="odd", metric="energy", unit="J", kind="counter", scope="package", tick_s=tick_s)
    sensors = Sensors([HostMeter([domain])])

    (row,) = measure_energy(lambda: None, sensors, PLAN)

    assert row.reason == f"host: left out after ValueError: odd has a tick of {tick_s!r}"
