"""OpenVINO: its real processor plugin, and fake GPUs."""

import os
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pytest_benchdb.backends.openvino import OpenVinoBackend, OpenVinoHandle
from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.testing.provider_contract import problem_in_forked_child

ARC = {
    "FULL_DEVICE_NAME": "Intel(R) Arc(TM) A770 Graphics (dGPU)",
    "DEVICE_ARCHITECTURE": "GPU: vendor=0x8086 arch=v12.55.8",
    "GPU_DEVICE_TOTAL_MEM_SIZE": 16_225_243_136,
}


class FakeOpenvino(ModuleType):
    """An openvino with fake devices; like plugins, it raises for properties without a value."""

    def __init__(self, devices: dict[str, dict[str, Any]], *, runs_on: list[str], answer: float = 2.0) -> None:
        super().__init__("openvino")
        self.cores = 0
        self._devices = devices
        self._runs_on = runs_on
        self._answer = answer
        self.Type = SimpleNamespace(f32="f32")
        self.opset8 = SimpleNamespace(parameter=lambda shape, kind: (shape, kind), add=lambda left, _right: left)
        self.Model = lambda _results, _parameters, name: name

    def get_version(self) -> str:
        return "2026.4.1"

    def Core(self) -> "FakeCore":  # noqa: N802 - openvino's name
        self.cores += 1
        return FakeCore(self._devices, self._runs_on, self._answer)


class FakeCore:
    def __init__(self, devices: dict[str, dict[str, Any]], runs_on: list[str], answer: float) -> None:
        self._devices, self._runs_on, self._answer = devices, runs_on, answer
        self.available_devices = list(devices)

    def get_property(self, device: str, name: str) -> Any:
        if name not in self._devices[device]:
            raise RuntimeError(f"Exception from src/plugin.cpp:718:\nCannot get unsupported property: {name}")
        return self._devices[device][name]

    def compile_model(self, model: str, device: str) -> "FakeCompiled":
        assert model == "benchdb_first_use"
        assert device in self._devices
        return FakeCompiled(self._runs_on, self._answer)


class FakeCompiled:
    def __init__(self, runs_on: list[str], answer: float) -> None:
        self._runs_on, self._answer = runs_on, answer

    def get_property(self, name: str) -> list[str]:
        assert name == "EXECUTION_DEVICES"
        return self._runs_on

    def __call__(self, inputs: list[Any]) -> list[Any]:
        return [inputs[0] * self._answer]


def opened_on(fake: FakeOpenvino, index: int = 0) -> BlockingDevice:
    pytest.importorskip("numpy")
    backend = OpenVinoBackend(fake)
    return backend.open(backend.devices()[index])


def test_probe_without_openvino_says_so(tmp_path: Path) -> None:
    assert OpenVinoBackend(path=[str(tmp_path)]).probe().reason == "openvino is not installed"


def test_probe_of_an_openvino_without_devices_is_unavailable() -> None:
    fake = FakeOpenvino({}, runs_on=[])

    probe = OpenVinoBackend(fake).probe()

    assert (probe.available, probe.reason) == (False, "openvino finds no device")
    assert probe.versions == {"openvino": "2026.4.1"}


def test_probe_of_a_broken_openvino_reports_its_error() -> None:
    def refuse() -> None:
        raise RuntimeError("Cannot load library libopenvino_intel_cpu_plugin.so")

    fake = ModuleType("openvino")
    fake.Core = refuse  # type: ignore[attr-defined]

    reason = OpenVinoBackend(fake).probe().reason

    assert reason == "openvino cannot be used: RuntimeError: Cannot load library libopenvino_intel_cpu_plugin.so"


def test_devices_of_one_name_are_reported_apart() -> None:
    fake = FakeOpenvino({"CPU": {}, "GPU.0": ARC, "GPU.1": ARC}, runs_on=[])

    devices = OpenVinoBackend(fake).devices()

    assert [device.details["device"] for device in devices] == ["CPU", "GPU.0", "GPU.1"]
    assert len({device.device_id for device in devices}) == 3
    assert (devices[0].name, devices[0].memory_bytes) == ("CPU", None)
    assert (devices[1].name, devices[1].memory_bytes) == (ARC["FULL_DEVICE_NAME"], 16_225_243_136)


def test_open_gives_the_core_and_the_name_that_openvino_wants() -> None:
    fake = FakeOpenvino({"CPU": {}, "GPU.1": ARC}, runs_on=["GPU.1"])

    opened = opened_on(fake, 1)

    assert isinstance(opened.handle, OpenVinoHandle)
    assert (opened.handle.name, type(opened.handle.core)) == ("GPU.1", FakeCore)
    assert fake.cores == 1


def test_open_of_the_only_gpu_takes_its_numbered_name_for_it() -> None:
    assert opened_on(FakeOpenvino({"GPU": ARC}, runs_on=["GPU.0"])).sync_mode is None


@pytest.mark.parametrize("runs_on", [["CPU"], ["GPU.0", "CPU"], ["GPU.10"], []], ids=["cpu", "both", "another", "none"])
def test_open_of_a_device_is_unavailable_if_its_models_run_elsewhere(runs_on: list[str]) -> None:
    with pytest.raises(BackendUnavailableError, match=r"a model for GPU\.1 would run on"):
        opened_on(FakeOpenvino({"GPU.1": ARC}, runs_on=runs_on))


def test_open_of_a_device_that_adds_wrongly_refuses_it() -> None:
    with pytest.raises(MeasurementError, match="1 \\+ 1 gave"):
        opened_on(FakeOpenvino({"GPU": ARC}, runs_on=["GPU"], answer=0.0))


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (RuntimeError("[GPU] Exceeded max size of memory object allocation: requested 20 GB"), True),
        (RuntimeError("[GPU] clEnqueueNDRangeKernel, error code: -4 CL_MEM_OBJECT_ALLOCATION_FAILURE"), True),
        (MemoryError(), True),
        (RuntimeError("Cannot get unsupported property: DEVICE_UUID"), False),
    ],
    ids=["plugin", "opencl", "host", "another"],
)
def test_out_of_memory_is_reported_by_class_or_text(error: Exception, answer: bool) -> None:
    assert opened_on(FakeOpenvino({"CPU": {}}, runs_on=["CPU"])).is_out_of_memory(error) is answer


def test_real_openvino_runs_on_the_processor() -> None:
    pytest.importorskip("openvino")
    backend = OpenVinoBackend()

    devices = backend.devices()
    opened = backend.open(devices[0])

    assert devices[0].details["device"] == "CPU"
    assert isinstance(opened.handle, OpenVinoHandle)
    assert "CPU" in opened.handle.core.available_devices


def test_real_openvino_refuses_a_missing_gpu() -> None:
    pytest.importorskip("openvino")
    backend = OpenVinoBackend()
    if any(str(device.details["device"]).startswith("GPU") for device in backend.devices()):
        pytest.skip("there is a GPU")
    gpu = OpenVinoBackend(FakeOpenvino({"GPU": ARC}, runs_on=["GPU"])).devices()[0]

    with pytest.raises(BackendUnavailableError, match=r"openvino: Intel.* is not here; there is openvino:0"):
        backend.open(gpu)


def test_real_openvino_in_a_forked_child_is_refused_and_does_not_hang() -> None:
    pytest.importorskip("openvino")
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    backend = OpenVinoBackend()
    backend.open(backend.devices()[0])

    problem = problem_in_forked_child(lambda: _expect_refusal(backend), 30.0)

    assert problem is None


def _expect_refusal(backend: OpenVinoBackend) -> None:
    assert backend.probe().reason == "this process was forked after openvino had started; start it with spawn"
