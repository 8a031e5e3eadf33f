"""NVML as a strict fake: only the functions that are called, with NVML's real constants and error classes."""

import os
import types
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from pytest_benchdb.measure.sampler.child import SensorSet

NOT_SUPPORTED = 3
UNINITIALIZED = 1


class NVMLError(Exception):
    def __init__(self, value: int) -> None:
        super().__init__({1: "Uninitialized", 2: "Invalid Argument", 3: "Not Supported", 15: "GPU is lost"}[value])
        self.value = value


class FakeNvml(types.ModuleType):
    """One device, ``GPU-8c1f``, that draws 350.5 W now and 300 W averaged over a second."""

    NVML_TEMPERATURE_GPU = 0
    NVML_CLOCK_SM = 1
    NVML_SUCCESS = 0
    NVML_FI_DEV_POWER_INSTANT = 186
    NVMLError = NVMLError

    def __init__(self, *, unsupported: tuple[str, ...] = ()) -> None:
        super().__init__("pynvml")
        self.unsupported = set(unsupported)
        self.lost = False
        self._ready = False

    def _device(self, handle: object, name: str) -> None:
        if not self._ready:
            raise NVMLError(UNINITIALIZED)
        assert handle == "handle of GPU-8c1f"
        if self.lost:
            raise NVMLError(15)
        if name in self.unsupported:
            raise NVMLError(NOT_SUPPORTED)

    def nvmlInit(self) -> None:  # noqa: N802 - NVML's name
        self._ready = True

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> object:  # noqa: N802
        if uuid != "GPU-8c1f":
            raise NVMLError(2)
        return f"handle of {uuid}"

    def nvmlDeviceGetFieldValues(self, handle: object, fields: list[int]) -> list[SimpleNamespace]:  # noqa: N802
        assert fields == [186]
        self._device(handle, "")
        code = NOT_SUPPORTED if "instant" in self.unsupported else self.NVML_SUCCESS
        return [SimpleNamespace(nvmlReturn=code, value=SimpleNamespace(uiVal=350_500))]

    def nvmlDeviceGetPowerUsage(self, handle: object) -> int:  # noqa: N802
        self._device(handle, "power")
        return 300_000

    def nvmlDeviceGetTemperature(self, handle: object, sensor: int) -> int:  # noqa: N802
        assert sensor == self.NVML_TEMPERATURE_GPU
        self._device(handle, "temperature")
        return 40

    def nvmlDeviceGetClockInfo(self, handle: object, kind: int) -> int:  # noqa: N802
        assert kind == self.NVML_CLOCK_SM
        self._device(handle, "clock")
        return 1980

    def nvmlDeviceGetUtilizationRates(self, handle: object) -> SimpleNamespace:  # noqa: N802
        self._device(handle, "utilization")
        return SimpleNamespace(gpu=75, memory=10)

    def nvmlDeviceGetMemoryInfo(self, handle: object) -> SimpleNamespace:  # noqa: N802
        self._device(handle, "memory")
        return SimpleNamespace(total=150 << 30, free=149 << 30, used=1 << 30)


def sensors(nvml: FakeNvml, uuid: str = "GPU-8c1f") -> SensorSet:
    def load(name: str, folder: str | None) -> object:
        if name == "pynvml":
            return nvml
        raise ImportError(f"no {name} in {folder}")

    return SensorSet({"root": "/nowhere", "pid": os.getpid(), "uuids": [uuid], "folders": {}}, load)


def values_of(found: SensorSet) -> dict[str, object]:
    found.begin()
    found.sample()
    return {str(one["domain"]): one["values"] for one in found.series()}


@pytest.mark.parametrize("uuid", ["GPU-8c1f", "8c1f"], ids=["as-nvml-writes-it", "as-torch-writes-it"])
def test_nvml_readings_are_reported_in_si_units(uuid: str) -> None:
    values = values_of(sensors(FakeNvml(), uuid))

    assert values == {
        f"{uuid}/power": [pytest.approx(350.5)],
        f"{uuid}/temperature": [pytest.approx(313.15)],
        f"{uuid}/clock_frequency": [1.98e9],
        f"{uuid}/utilization": [pytest.approx(0.75)],
        f"{uuid}/device_used": [float(1 << 30)],
    }


def test_nvml_without_the_power_of_this_moment_gives_the_average() -> None:
    values = values_of(sensors(FakeNvml(unsupported=("instant",))))

    assert values["GPU-8c1f/power"] == [300.0]


def test_only_unsupported_nvml_readings_are_left_out() -> None:
    found = sensors(FakeNvml(unsupported=("temperature",)))

    assert "GPU-8c1f/temperature" not in values_of(found)
    assert len(values_of(found)) == 4
    assert found.reasons["temperature/GPU-8c1f/temperature"] == "NVMLError: Not Supported"


def test_lost_nvml_device_keeps_its_earlier_points() -> None:
    nvml = FakeNvml()
    found = sensors(nvml)
    found.begin()
    found.sample()

    nvml.lost = True
    found.sample()

    assert {len(one["values"]) for one in found.series()} == {1}  # type: ignore[arg-type]
    assert found.reasons["power/GPU-8c1f/power"] == "NVMLError: GPU is lost"


def test_unknown_nvml_device_gives_a_reason() -> None:
    assert sensors(FakeNvml(), "GPU-other").reasons["pynvml"] == "NVMLError: Invalid Argument"


@pytest.mark.parametrize("loads", [True, False], ids=["psutil", "no-psutil"])
def test_without_proc_psutil_reports_the_process_or_a_reason_does(loads: bool) -> None:
    psutil = pytest.importorskip("psutil")

    def load(name: str, folder: str | None) -> object:
        if loads:
            return psutil
        raise ImportError(f"No module named {name!r}")

    found = SensorSet({"root": "/nowhere", "pid": os.getpid(), "uuids": [], "folders": {}}, load)
    found.begin()
    clock: Callable[[], int] = iter(range(0, 10**12, 10**9)).__next__
    found.sample(clock)
    found.sample(clock)
    values = {(one["metric"], one["domain"]): one["values"] for one in found.series()}

    if loads:
        assert values["rss", "process"] == [pytest.approx(psutil.Process().memory_info().rss, rel=0.2)] * 2
        assert set(values) == {("rss", "process"), ("utilization", "process"), ("utilization", "machine")}
    else:
        assert values == {}
        assert found.reasons == {"psutil": "ImportError: No module named 'psutil'"}
