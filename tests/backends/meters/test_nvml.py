"""NVML with fake GPUs; never run with a real one."""

import os
from types import ModuleType

import pytest
from tests.backends.meters import fake_nvml
from tests.backends.meters.fake_nvml import ENERGY, GPU, MODULE, POWER_AVERAGE, POWER_INSTANT, FakeNvml, Gpu

from pytest_benchdb.backends.meters.nvml import _FIELDS, _REASONS, _VALUE_MEMBERS, NvmlMeter
from pytest_benchdb.measure.energy.energy_pass import measure_energy, prepare
from pytest_benchdb.measure.energy.sensors import Sensors
from pytest_benchdb.measure.energy.window import EnergyPlan
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.reading import Domain


def meter_of(*gpus: Gpu, init_error: int | None = None) -> tuple[NvmlMeter, FakeNvml]:
    fake = FakeNvml(*gpus, init_error=init_error)
    return NvmlMeter(fake.module), fake


def domains_of(meter: NvmlMeter) -> dict[str, Domain]:
    return {domain.name: domain for domain in meter.domains()}


def test_meter_of_an_h100_reads_si_units() -> None:
    meter, _ = meter_of(Gpu("GPU-a"))

    values = {name: reading.value for name, reading in meter.read().items()}

    assert values == pytest.approx(
        {
            "GPU-a/energy": 5000.123,
            "GPU-a/power_instant": 312.4,
            "GPU-a/power_average": 298.1,
            "GPU-a/power_memory": 61.0,
            "GPU-a/throttle_power_cap": 0.0,
            "GPU-a/throttle_thermal_software": 2.5,
            "GPU-a/throttle_thermal_hardware": 0.0,
            "GPU-a/throttle_power_brake": 0.0,
            "GPU-a/slowed_power_cap": 0.0,
            "GPU-a/slowed_hardware": 0.0,
            "GPU-a/slowed_thermal_software": 0.0,
            "GPU-a/slowed_thermal_hardware": 0.0,
            "GPU-a/slowed_power_brake": 0.0,
            "GPU-a/temperature": 314.15,
            "GPU-a/clock_sm": 1.98e9,
            "GPU-a/utilization": 0.87,
            "GPU-a/memory_used": float(1 << 30),
        }
    )
    assert meter.absent == {}


def test_meter_domains_have_the_units_of_the_registry_and_belong_to_their_device() -> None:
    meter, _ = meter_of(Gpu("GPU-a"))

    for domain in meter.domains():
        assert domain.unit == METRICS[domain.metric].unit
        assert (domain.device_uuid, domain.scope, domain.range, domain.tick_s) == ("GPU-a", "device", None, None)
    assert domains_of(meter)["GPU-a/energy"].kind == "counter"
    assert domains_of(meter)["GPU-a/power_memory"].within == "GPU-a/power_average"


def test_meter_reads_counters_and_power_in_one_call() -> None:
    meter, fake = meter_of(Gpu("GPU-a"))
    meter.domains()
    fake.calls.clear()

    meter.read()

    assert fake.calls.count("nvmlDeviceGetFieldValues") == 1
    assert fake.calls[0] == "nvmlDeviceGetFieldValues"
    assert "nvmlDeviceGetTotalEnergyConsumption" not in fake.calls


def test_meter_stamps_field_values_with_the_middle_of_the_call() -> None:
    clock = iter(range(0, 1_000_000, 100))
    fake = FakeNvml(Gpu("GPU-a"))
    meter = NvmlMeter(fake.module, monotonic_ns=lambda: next(clock))

    readings = meter.read()

    assert readings["GPU-a/energy"].monotonic_ns % 100 == 50
    assert readings["GPU-a/energy"].monotonic_ns == readings["GPU-a/power_instant"].monotonic_ns


@pytest.mark.parametrize(
    ("refused", "sensor"),
    [
        ("nvmlDeviceGetTemperature", "temperature"),
        ("nvmlDeviceGetClockInfo", "clock_sm"),
        ("nvmlDeviceGetUtilizationRates", "utilization"),
        ("nvmlDeviceGetMemoryInfo", "memory_used"),
    ],
)
def test_meter_without_one_call_lacks_only_that_sensor(refused: str, sensor: str) -> None:
    meter, _ = meter_of(Gpu("GPU-a", refused={refused: fake_nvml.NOT_SUPPORTED}))

    names = set(domains_of(meter))

    assert f"GPU-a/{sensor}" not in names
    assert len(names) == 16
    assert set(meter.read()) == names
    assert meter.absent == {f"GPU-a/{sensor}": "Not Supported"}
    assert meter.probe().available


def test_meter_of_a_driver_without_the_fields_uses_the_functions() -> None:
    meter, _ = meter_of(Gpu("GPU-a", fields={}))

    values = {name: reading.value for name, reading in meter.read().items()}

    assert values["GPU-a/energy"] == pytest.approx(5000.123)
    assert values["GPU-a/power"] == pytest.approx(298.1)
    assert "GPU-a/energy" not in meter.absent


def test_meter_of_a_pascal_without_any_energy_says_so() -> None:
    gpu = Gpu("GPU-a", fields={}, refused={"nvmlDeviceGetTotalEnergyConsumption": fake_nvml.NOT_SUPPORTED})
    meter, _ = meter_of(gpu)

    assert "energy" not in {domain.metric for domain in meter.domains()}
    (row,) = measure_energy(lambda: None, Sensors([meter]), EnergyPlan(rounds_hint_s=1.0, device_uuid="GPU-a"))
    assert row.value is None
    assert row.reason == (
        "nvml: GPU-a/energy: Not Supported; nvml reports power only, and a mean of power readings is not energy"
    )


def test_meter_of_a_counter_at_zero_does_not_offer_it() -> None:
    gpu = Gpu("GPU-a", energy_mj=0)
    gpu.fields[ENERGY, GPU] = 0
    meter, _ = meter_of(gpu)

    assert "GPU-a/energy" not in domains_of(meter)
    assert meter.absent["GPU-a/energy"] == "it reads 0"


def test_meter_of_a_part_that_refuses_the_scope_of_the_gpu_stores_module() -> None:
    fields = {(ENERGY, MODULE): 9_000_000, (POWER_INSTANT, MODULE): 700_000, (POWER_AVERAGE, MODULE): 650_000}
    meter, _ = meter_of(Gpu("GPU-gh", name="NVIDIA GH200 480GB", fields=fields))

    domains = domains_of(meter)

    assert {name: domains[f"GPU-gh/{name}"].scope for name in ("energy", "power_instant", "power_average")} == {
        "energy": "module",
        "power_instant": "module",
        "power_average": "module",
    }
    assert domains["GPU-gh/temperature"].scope == "device"
    assert meter.read()["GPU-gh/power_instant"].value == pytest.approx(700.0)


@pytest.mark.parametrize(
    ("c2c", "architecture", "scope"),
    [(True, 9, "module"), (False, 9, "device"), (None, 9, "device"), (True, 10, "device")],
    ids=["grace-hopper", "hopper-unlinked", "hopper", "blackwell"],
)
def test_meter_energy_of_a_grace_hopper_is_of_the_module(c2c: bool | None, architecture: int, scope: str) -> None:
    meter, _ = meter_of(Gpu("GPU-a", c2c=c2c, architecture=architecture))

    domains = domains_of(meter)

    assert domains["GPU-a/energy"].scope == scope
    assert domains["GPU-a/power_instant"].scope == "device"


def test_meter_under_mig_has_no_energy_but_a_reason() -> None:
    meter, _ = meter_of(Gpu("GPU-a", mig=True))

    metrics = {domain.metric for domain in meter.domains()}

    assert metrics == {"temperature", "clock_frequency", "device_used", "throttled"}
    assert meter.absent["GPU-a/energy"] == "MIG is enabled, and NVML reports it for the whole GPU only"
    assert set(meter.read()) == set(domains_of(meter))


def test_energy_of_a_mig_instance_reports_why_it_has_none() -> None:
    meter, _ = meter_of(Gpu("GPU-a", mig=True, instances=(None, "MIG-1", "MIG-2")), Gpu("GPU-b"))

    (row,) = measure_energy(lambda: None, Sensors([meter]), EnergyPlan(rounds_hint_s=1.0, device_uuid="MIG-2"))

    assert row.value is None
    assert row.reason == ("nvml: MIG-2/energy: MIG is enabled, and NVML reports it for the whole GPU only, GPU-a")


def test_read_some_touches_no_other_gpu_and_makes_no_other_call() -> None:
    meter, fake = meter_of(*(Gpu(f"GPU-{index}") for index in range(8)))
    meter.domains()
    fake.calls.clear()

    readings = meter.read_some({"GPU-5/energy", "GPU-5/clock_sm"})

    assert set(readings) == {"GPU-5/energy", "GPU-5/clock_sm"}
    assert fake.calls == ["nvmlDeviceGetFieldValues", "nvmlDeviceGetClockInfo"]


def test_panel_of_one_gpu_of_eight_reads_it_alone() -> None:
    meter, fake = meter_of(*(Gpu(f"GPU-{index}") for index in range(8)))
    panel = Sensors([meter]).panel("GPU-3", "measured")
    fake.calls.clear()

    readings = panel.read()

    assert {name.partition("/")[0] for _, name in readings} == {"GPU-3"}
    assert len(fake.calls) == 6
    fake.calls.clear()
    assert set(panel.only("energy").read()) == {("nvml", "GPU-3/energy")}
    assert fake.calls == ["nvmlDeviceGetFieldValues"]


def test_waiting_for_an_edge_reads_only_the_counters() -> None:
    fake = Ticking()
    sensors = Sensors([NvmlMeter(fake.module, monotonic_ns=fake.clock)], sleep=lambda s: fake.pass_ns(int(s * 1e9)))

    measure_energy(lambda: fake.pass_ns(2_000_000), sensors, EnergyPlan(rounds_hint_s=0.002, device_uuid="a"))

    temperatures = fake.calls.count("nvmlDeviceGetTemperature")
    assert fake.calls.count("nvmlDeviceGetFieldValues") > 10 * temperatures


def test_reasons_for_a_lower_clock_are_read_in_one_call() -> None:
    meter, fake = meter_of(Gpu("GPU-a", clock_reasons=0x1 | 0x4 | 0x40))
    meter.domains()
    fake.calls.clear()

    readings = meter.read_some({domain.name for domain in meter.domains() if domain.metric == "throttled"})

    assert {name for name, reading in readings.items() if reading.value} == {
        "GPU-a/slowed_power_cap",
        "GPU-a/slowed_thermal_hardware",
    }
    assert fake.calls == ["nvmlDeviceGetCurrentClocksEventReasons"]


def test_reasons_for_a_lower_clock_have_an_older_name() -> None:
    meter, fake = meter_of(Gpu("GPU-a", clock_reasons=0x4))
    fake.module.nvmlDeviceGetCurrentClocksThrottleReasons = fake.module.nvmlDeviceGetCurrentClocksEventReasons
    del fake.module.nvmlDeviceGetCurrentClocksEventReasons

    assert meter.read()["GPU-a/slowed_power_cap"].value == 1.0


def test_meter_with_mig_disabled_has_energy() -> None:
    meter, _ = meter_of(Gpu("GPU-a", mig=False))

    assert "GPU-a/energy" in domains_of(meter)


def test_meter_of_a_jetson_is_not_available() -> None:
    meter, _ = meter_of(fake_nvml.everything_refused())

    probe = meter.probe()

    assert not probe.available
    assert probe.reason == "NVML supports no reading of Orin (nvgpu); a Jetson's sensors are not in NVML"
    assert meter.domains() == []


def test_meter_of_a_jetson_without_an_id_is_not_available() -> None:
    gpu = fake_nvml.everything_refused()
    gpu.refused["nvmlDeviceGetUUID"] = fake_nvml.NOT_SUPPORTED
    meter, _ = meter_of(gpu)

    assert meter.probe().reason == "NVML shows no device: Not Supported"


def test_meter_of_a_lost_gpu_has_a_reason_for_every_sensor() -> None:
    gpu, other = Gpu("GPU-a"), Gpu("GPU-b")
    meter, _ = meter_of(gpu, other)
    names = set(domains_of(meter))

    gpu.lost = True
    readings = meter.read()

    assert set(readings) == names
    lost = {name: reading for name, reading in readings.items() if name.startswith("GPU-a")}
    assert all(reading.value is None for reading in lost.values())
    assert lost["GPU-a/energy"].reason == "GPU-a/energy: GPU is lost"
    assert lost["GPU-a/temperature"].reason == "GPU-a/temperature: GPU is lost"
    assert readings["GPU-b/energy"].value == pytest.approx(5000.123)


def test_meter_of_a_field_that_falls_silent_reports_a_reason() -> None:
    gpu = Gpu("GPU-a")
    meter, _ = meter_of(gpu)
    meter.domains()

    del gpu.fields[ENERGY, GPU]
    readings = meter.read()

    assert readings["GPU-a/energy"].value is None
    assert readings["GPU-a/energy"].reason == "GPU-a/energy: Not Supported"
    assert readings["GPU-a/power_instant"].value == pytest.approx(312.4)


def test_meter_of_8_gpus_in_another_order_follows_their_ids() -> None:
    gpus = [Gpu(f"GPU-{index}") for index in range(8)]
    for index, gpu in enumerate(gpus):
        gpu.fields[ENERGY, GPU] = 1_000_000 * (index + 1)
    meter, fake = meter_of(*gpus)
    meter.domains()

    fake.gpus.reverse()
    fake.users = 0  # the library was shut down, so handles must be taken again
    readings = meter.read()

    assert [readings[f"GPU-{index}/energy"].value for index in range(8)] == pytest.approx(
        [1000.0 * (index + 1) for index in range(8)]
    )


def test_meter_after_somebody_else_shut_the_library_down_reads_on() -> None:
    meter, fake = meter_of(Gpu("GPU-a"))
    meter.domains()

    fake.module.nvmlShutdown()

    assert meter.read()["GPU-a/energy"].value == pytest.approx(5000.123)
    assert fake.inits == 2


def test_meter_of_a_gpu_that_left_while_the_library_was_down_reports_a_reason() -> None:
    gpu = Gpu("GPU-a")
    meter, fake = meter_of(gpu, Gpu("GPU-b"))
    meter.domains()

    fake.gpus.remove(gpu)
    gpu.lost = True
    fake.users = 0
    readings = meter.read()

    assert readings["GPU-a/energy"].value is None
    assert readings["GPU-b/energy"].value is not None


def test_meter_close_releases_the_library_and_reads_again() -> None:
    meter, fake = meter_of(Gpu("GPU-a"))
    fake.module.nvmlInit()  # another user of the library
    meter.read()
    assert fake.users == 2

    meter.close()
    meter.close()

    assert fake.users == 1
    assert meter.read()["GPU-a/energy"].value is not None


def test_meter_in_a_forked_child_initialises_its_own_library(monkeypatch: pytest.MonkeyPatch) -> None:
    meter, fake = meter_of(Gpu("GPU-a"))
    meter.read()

    monkeypatch.setattr(os, "getpid", lambda: -1)
    meter.read()

    assert fake.inits == 2


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (fake_nvml.LIBRARY_NOT_FOUND, "NVML cannot be used: NVML Shared Library Not Found"),
        (fake_nvml.DRIVER_NOT_LOADED, "NVML cannot be used: Driver Not Loaded"),
        (fake_nvml.NO_PERMISSION, "NVML cannot be used: Insufficient Permissions"),
    ],
)
def test_probe_without_a_driver_reports_nvmls_reason(code: int, text: str) -> None:
    meter, _ = meter_of(init_error=code)

    assert meter.probe().reason == text


def test_probe_without_a_gpu_says_so() -> None:
    meter, _ = meter_of()

    assert meter.probe().reason == "NVML shows no device: it counts 0"


def test_probe_without_the_package_reports_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)

    assert NvmlMeter().probe().reason == "pynvml is not installed; run: pip install 'pytest-benchdb[nvidia]'"


def test_probe_reports_versions() -> None:
    meter, _ = meter_of(Gpu("GPU-a"))

    assert meter.probe().versions == {"driver": "570.86.10", "nvml": "570.86.10"}


@pytest.mark.parametrize("uuid", ["GPU-a", "a"])
def test_other_processes_leaves_this_one_out(uuid: str) -> None:
    meter, _ = meter_of(Gpu("GPU-a", pids=(os.getpid(), -7, -8)))

    assert meter.other_processes(uuid) == 2
    assert meter.other_processes("GPU-b") is None


def test_other_processes_is_unknown_if_the_driver_does_not_report_them() -> None:
    refused = {"nvmlDeviceGetComputeRunningProcesses": fake_nvml.NO_PERMISSION}
    meter, _ = meter_of(Gpu("GPU-a", refused=refused))

    assert meter.other_processes("GPU-a") is None


def test_other_processes_is_unknown_if_driver_and_package_do_not_match() -> None:
    meter, fake = meter_of(Gpu("GPU-a"))

    def mismatch(handle: object) -> None:
        raise fake_nvml.NVMLLibraryMismatchError("Unversioned function called")

    fake.module.nvmlDeviceGetComputeRunningProcesses = mismatch

    assert meter.other_processes("GPU-a") is None


def test_meter_of_an_old_package_without_the_linked_mode_still_reads() -> None:
    meter, fake = meter_of(Gpu("GPU-a"))
    del fake.module.nvmlDeviceGetC2cModeInfoV

    assert domains_of(meter)["GPU-a/energy"].scope == "device"


class Ticking(FakeNvml):
    """Two GPUs with a clock that moves 1 ms per reading; the counter of the first is updated every 100 ms."""

    def __init__(self) -> None:
        super().__init__(Gpu("GPU-a"), Gpu("GPU-b"))
        self.now_ns = 0

    def clock(self) -> int:
        self.pass_ns(250_000)
        return self.now_ns

    def pass_ns(self, nanoseconds: int) -> None:
        self.now_ns += nanoseconds
        self.gpus[0].fields[ENERGY, GPU] = 5_000_000 + 40_000 * (self.now_ns // 100_000_000)  # 400 W


def test_measure_energy_by_nvml_finds_the_tick_and_the_energy_of_the_right_gpu() -> None:
    fake = Ticking()
    sensors = Sensors([NvmlMeter(fake.module, monotonic_ns=fake.clock)], sleep=lambda s: fake.pass_ns(int(s * 1e9)))
    plan = EnergyPlan(rounds_hint_s=0.002, device_uuid="a")

    prepare(sensors, plan)
    energy, power, idle, *single = measure_energy(lambda: fake.pass_ns(2_000_000), sensors, plan)

    assert energy.tick_s == pytest.approx(0.1, rel=0.02)
    assert (energy.domain, [row.domain for row in single]) == (None, ["GPU-a/energy"] * 3)
    assert (energy.valid, energy.method, energy.scope, energy.provenance) == (True, "nvml", "device", "measured")
    assert power.value == pytest.approx(400.0, rel=0.01)
    assert idle.value == pytest.approx(400.0, rel=0.01)
    assert energy.details is not None
    assert energy.details["throttle_time_s"] == {
        "throttle_power_cap": 0.0,
        "throttle_thermal_software": 0.0,
        "throttle_thermal_hardware": 0.0,
        "throttle_power_brake": 0.0,
    }
    assert energy.details["temperature_start_k"] == pytest.approx(314.15)
    assert energy.details["other_processes"] == 0


def real_pynvml() -> ModuleType:
    module = pytest.importorskip("pynvml")
    assert isinstance(module, ModuleType)
    return module


def test_numbers_of_the_fake_and_of_the_meter_are_those_of_pynvml() -> None:
    real = real_pynvml()

    fields = {field.sensor: (field.field_id, field.scopes) for field in _FIELDS}
    assert fields == {
        "energy": (
            real.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION,
            (real.NVML_POWER_SCOPE_GPU, real.NVML_POWER_SCOPE_MODULE),
        ),
        "power_instant": (real.NVML_FI_DEV_POWER_INSTANT, (real.NVML_POWER_SCOPE_GPU, real.NVML_POWER_SCOPE_MODULE)),
        "power_average": (real.NVML_FI_DEV_POWER_AVERAGE, (real.NVML_POWER_SCOPE_GPU, real.NVML_POWER_SCOPE_MODULE)),
        "power_memory": (real.NVML_FI_DEV_POWER_AVERAGE, (real.NVML_POWER_SCOPE_MEMORY,)),
        "throttle_power_cap": (real.NVML_FI_DEV_CLOCKS_EVENT_REASON_SW_POWER_CAP, (0,)),
        "throttle_thermal_software": (real.NVML_FI_DEV_CLOCKS_EVENT_REASON_SW_THERM_SLOWDOWN, (0,)),
        "throttle_thermal_hardware": (real.NVML_FI_DEV_CLOCKS_EVENT_REASON_HW_THERM_SLOWDOWN, (0,)),
        "throttle_power_brake": (real.NVML_FI_DEV_CLOCKS_EVENT_REASON_HW_POWER_BRAKE_SLOWDOWN, (0,)),
    }
    assert {code: str(real.NVMLError(code)) for code in fake_nvml.TEXTS} == fake_nvml.TEXTS
    assert _VALUE_MEMBERS[real.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG] == "ullVal"
    assert _VALUE_MEMBERS[real.NVML_VALUE_TYPE_UNSIGNED_INT] == "uiVal"
    assert [name for name, _ in fake_nvml.FieldValue._fields_] == [  # type: ignore[misc]
        name for name, _ in real.c_nvmlFieldValue_t._fields_
    ]
    assert (real.NVML_TEMPERATURE_GPU, real.NVML_CLOCK_SM, real.NVML_DEVICE_MIG_ENABLE) == (0, 1, 1)
    assert real.NVML_DEVICE_ARCH_HOPPER == 9
    assert {
        "slowed_power_cap": real.nvmlClocksEventReasonSwPowerCap,
        "slowed_hardware": real.nvmlClocksThrottleReasonHwSlowdown,
        "slowed_thermal_software": real.nvmlClocksEventReasonSwThermalSlowdown,
        "slowed_thermal_hardware": real.nvmlClocksThrottleReasonHwThermalSlowdown,
        "slowed_power_brake": real.nvmlClocksThrottleReasonHwPowerBrakeSlowdown,
    } == _REASONS


def test_functions_of_the_fake_are_in_pynvml() -> None:
    real = real_pynvml()
    offered = [name for name in vars(FakeNvml(Gpu("GPU-a")).module) if name.lower().startswith("nvml")]

    assert [name for name in offered if not hasattr(real, name)] == []


def test_probe_with_the_real_package_and_no_driver_has_a_reason() -> None:
    real_pynvml()

    probe = NvmlMeter().probe()

    assert probe.available or (probe.reason or "").startswith("NVML")


@pytest.mark.hardware("cuda")
def test_meter_of_a_real_gpu_counts_the_energy_of_its_power() -> None:
    """Needs a real GPU; there was none when this was written."""
    meter = NvmlMeter()
    probe = meter.probe()
    if not probe.available:
        pytest.skip(probe.reason or "NVML cannot be used")
    sensors = Sensors([meter])
    uuid = next(domain.device_uuid for domain in meter.domains() if domain.metric == "energy")

    plan = EnergyPlan(rounds_hint_s=0.1, device_uuid=uuid)
    prepare(sensors, plan)

    idle = sensors.idle[uuid, plan.provenance]
    result = {key[1]: facts["watts"] for key, facts in idle.items()}[f"{uuid}/energy"]
    readings = meter.read()
    gauge = readings.get(f"{uuid}/power_average") or readings[f"{uuid}/power"]
    assert result == pytest.approx(gauge.value, rel=0.3)
