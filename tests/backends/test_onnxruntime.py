"""ONNX Runtime: its real processor provider, and fakes of others, which would only fall back here."""

import os
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pytest_benchdb.backends.onnxruntime import CPU, DOUBLING, OnnxRuntimeBackend
from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.model.environment import Device
from pytest_benchdb.testing.provider_contract import problem_in_forked_child

CUDA, QNN, AZURE = "CUDAExecutionProvider", "QNNExecutionProvider", "AzureExecutionProvider"
FALLBACK = "This session contains graph nodes that are assigned to the default CPU EP, but fallback is disabled."
NO_CUDNN = "Failed to load library libonnxruntime_providers_cuda.so with error: libcudnn.so.9: cannot open"


class Fail(Exception):  # noqa: N818 - onnxruntime's name
    """Like onnxruntime's errors, not a RuntimeError."""


Fail.__module__ = "onnxruntime.capi.onnxruntime_pybind11_state"


class FakeOnnxruntime(ModuleType):
    """An onnxruntime whose providers work, are unavailable, or run nothing."""

    def __init__(self, *compiled_in: str, works: tuple[str, ...] = (), idle: tuple[str, ...] = (), **more: Any) -> None:
        super().__init__("onnxruntime")
        self.__version__ = "1.31.1"
        self._compiled_in = [*compiled_in, CPU]
        self._works, self._idle = (*works, CPU), idle
        self.error: Exception | None = more.pop("error", None)
        self.answer: float = more.pop("answer", 2.0)
        self.log: str = more.pop("log", "")
        self.sessions: list[tuple[str, dict[str, str]]] = []
        vars(self).update(more)

    def get_available_providers(self) -> list[str]:
        return self._compiled_in

    def SessionOptions(self) -> "FakeOptions":  # noqa: N802 - onnxruntime's name
        return FakeOptions()

    def InferenceSession(  # noqa: N802 - onnxruntime's name
        self, model: bytes, options: "FakeOptions", *, providers: list[tuple[str, dict[str, str]]], enable_fallback: int
    ) -> "FakeSession":
        assert (model, enable_fallback) == (DOUBLING, 0)
        ((provider, provider_options),) = providers
        self.sessions.append((provider, provider_options))
        if self.log:
            os.write(
                2, f"\x1b[1;31m2026-11-21 07:03:32.8 [E:onnxruntime:Default, x.cc:1 F] {self.log}\x1b[m\n".encode()
            )
        if self.error is not None:
            raise self.error
        strict = options.entries.get("session.disable_cpu_ep_fallback") == "1"
        if strict and provider == CPU:
            raise Fail("Conflicting session configuration: explicitly added the CPU EP")
        if strict and provider not in self._works:
            raise Fail(f"[ONNXRuntimeError] : 1 : FAIL : {FALLBACK}")
        had = provider in (*self._works, *self._idle)
        return FakeSession([provider, CPU] if had and provider != CPU else [CPU], self.answer)


class FakeOptions:
    def __init__(self) -> None:
        self.entries: dict[str, str] = {}

    def add_session_config_entry(self, name: str, value: str) -> None:
        self.entries[name] = value


class FakeSession:
    def __init__(self, providers: list[str], answer: float) -> None:
        self._providers, self._answer = providers, answer

    def get_providers(self) -> list[str]:
        return self._providers

    def run(self, _outputs: None, inputs: dict[str, Any]) -> list[Any]:
        return [inputs["x"] * self._answer]


def named(backend: OnnxRuntimeBackend, provider: str) -> Device:
    return next(device for device in backend.devices() if device.name == provider)


def open_error(fake: FakeOnnxruntime, provider: str) -> str:
    backend = OnnxRuntimeBackend(fake)
    with pytest.raises(BackendUnavailableError) as caught:
        backend.open(named(backend, provider))
    return str(caught.value)


def test_probe_without_onnxruntime_says_so(tmp_path: Path) -> None:
    assert OnnxRuntimeBackend(path=[str(tmp_path)]).probe().reason == "onnxruntime is not installed"


def test_devices_are_the_providers_in_their_order_without_the_remote_one() -> None:
    backend = OnnxRuntimeBackend(FakeOnnxruntime(CUDA, AZURE, QNN))

    assert [device.name for device in backend.devices()] == [CUDA, QNN, CPU]
    assert [device.details["index"] for device in backend.devices()] == [0, 1, 2]


def test_devices_of_a_newer_onnxruntime_list_the_hardware() -> None:
    npu = SimpleNamespace(type="OrtHardwareDeviceType.NPU", vendor="Qualcomm", metadata={"soc": "X1E80100"})
    fake = FakeOnnxruntime(QNN, get_ep_devices=lambda: [SimpleNamespace(ep_name=QNN, device=npu)])

    device = named(OnnxRuntimeBackend(fake), QNN)

    hardware = [{"type": "npu", "vendor": "Qualcomm", "metadata": {"soc": "X1E80100"}}]
    assert device.details == {"index": 0, "provider": QNN, "hardware": hardware}


def test_open_gives_the_providers_name() -> None:
    pytest.importorskip("numpy")
    backend = OnnxRuntimeBackend(FakeOnnxruntime(CUDA, works=(CUDA,)))

    assert backend.open(named(backend, CUDA)).handle == CUDA
    assert backend.open(named(backend, CPU)).handle == CPU


def test_open_of_a_provider_names_its_missing_libraries(capfd: pytest.CaptureFixture[str]) -> None:
    reason = open_error(FakeOnnxruntime(CUDA, log=NO_CUDNN), CUDA)

    assert reason == f"onnxruntime: {CUDA} fell back to {CPU}; {NO_CUDNN}"
    assert capfd.readouterr().err == ""


def test_open_of_a_provider_that_runs_nothing_says_so() -> None:
    reason = open_error(FakeOnnxruntime(CUDA, idle=(CUDA,)), CUDA)

    assert reason == f"onnxruntime: {CUDA} is loaded but leaves a matrix product to {CPU}"


def test_open_of_a_provider_that_raises_reports_its_error() -> None:
    error = Fail("CUDA failure 100: no CUDA-capable device is detected")

    assert open_error(FakeOnnxruntime(CUDA, error=error), CUDA) == f"onnxruntime: {CUDA} cannot be used: {error}"


def test_open_of_a_full_device_fails_as_out_of_memory() -> None:
    pytest.importorskip("numpy")
    full = Fail("[ONNXRuntimeError] : Failed to allocate memory for requested buffer of size 1048576")
    backend = OnnxRuntimeBackend(FakeOnnxruntime(CUDA, error=full))

    with pytest.raises(Fail) as caught:
        backend.open(named(backend, CUDA))

    working = OnnxRuntimeBackend(FakeOnnxruntime())
    opened = working.open(working.devices()[0])
    assert opened.is_out_of_memory(caught.value)
    assert not opened.is_out_of_memory(Fail("[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions"))


def test_open_of_a_provider_that_multiplies_wrongly_refuses_it() -> None:
    pytest.importorskip("numpy")
    backend = OnnxRuntimeBackend(FakeOnnxruntime(CUDA, works=(CUDA,), answer=3.0))

    with pytest.raises(MeasurementError, match="twice 1 gave"):
        backend.open(named(backend, CUDA))


@pytest.mark.parametrize(("platform", "library"), [("win32", "QnnHtp.dll"), ("linux", "libQnnHtp.so")])
def test_open_of_qnn_names_its_library(platform: str, library: str) -> None:
    pytest.importorskip("numpy")
    fake = FakeOnnxruntime(QNN, works=(QNN,))
    backend = OnnxRuntimeBackend(fake, platform=platform)

    backend.open(named(backend, QNN))

    assert fake.sessions == [(QNN, {"backend_path": library})]


def test_model_is_valid_for_onnx() -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(DOUBLING)

    onnx.checker.check_model(model, full_check=True)

    assert [node.op_type for node in model.graph.node] == ["MatMul"]
    assert onnx.numpy_helper.to_array(model.graph.initializer[0]).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert len(DOUBLING) == 103
    assert model.SerializeToString() == DOUBLING


def test_real_onnxruntime_runs_on_the_processor() -> None:
    pytest.importorskip("onnxruntime")
    backend = OnnxRuntimeBackend()

    opened = backend.open(named(backend, CPU))

    assert (opened.handle, opened.sync_mode) == (CPU, None)


def test_real_onnxruntime_does_not_pass_the_processor_for_another_provider(capfd: pytest.CaptureFixture[str]) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    if AZURE not in onnxruntime.get_available_providers():
        pytest.skip("this build has no provider that runs nothing")

    with pytest.raises(BackendUnavailableError, match=f"{AZURE} is loaded but leaves a matrix product to {CPU}"):
        OnnxRuntimeBackend()._session(AZURE)

    assert capfd.readouterr().err == ""


def test_real_onnxruntime_in_a_forked_child_is_refused_and_does_not_hang() -> None:
    pytest.importorskip("onnxruntime")
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    backend = OnnxRuntimeBackend()
    device = named(backend, CPU)
    backend.open(device)

    def use() -> None:
        with pytest.raises(BackendUnavailableError, match="forked after onnxruntime had started"):
            backend.open(device)

    assert problem_in_forked_child(use, 30.0) is None
