"""Every built-in backend passes the contract, both here and on fake hardware."""

from collections.abc import Iterator

import pytest
from tests.backends import fake_torch
from tests.backends.fake_torch import FakeMpsTorch, Gpu
from tests.backends.test_onnxruntime import CUDA, FakeOnnxruntime

from pytest_benchdb.backends import backends
from pytest_benchdb.backends.onnxruntime import OnnxRuntimeBackend
from pytest_benchdb.backends.torch.vendors import CudaBackend, MpsBackend, RocmBackend, XpuBackend
from pytest_benchdb.backends.web.backend import SHARED
from pytest_benchdb.interfaces import Backend
from pytest_benchdb.testing import BackendContract, ProviderContract

OTHER = "1b2c3d4e-0c1e-4a8f-9d0b-2f6f3a1b5c7d"
BUILTIN = {backend.name: backend for backend in backends()}


@pytest.fixture(scope="module", autouse=True)
def browser() -> Iterator[None]:
    """Close the browser that the web backends share."""
    yield
    SHARED.close()


class TestBuiltin(BackendContract):
    """Backends without an accelerator run here; one that is not installed is skipped with its reason."""

    @pytest.fixture(
        params=[
            *["cpu", "openvino", "onnxruntime", "sim"],
            *(pytest.param(kind, marks=pytest.mark.long) for kind in ("webgpu", "webnn", "wasm")),  # start a browser
            *[pytest.param(kind, marks=pytest.mark.hardware(kind)) for kind in ("cuda", "rocm", "mps", "xpu")],
        ]
    )
    def backend(self, request: pytest.FixtureRequest) -> Backend:
        return BUILTIN[request.param]


class TestProbes(ProviderContract):
    """Hardware that is missing here has a reason, and passes the tests of the probe."""

    @pytest.fixture(params=BUILTIN)
    def provider(self, request: pytest.FixtureRequest) -> Backend:
        return BUILTIN[request.param]


class TestMadeUp(BackendContract):
    """Code for hardware that is missing here, with two devices if there can be two."""

    @pytest.fixture(params=["cuda", "rocm", "xpu", "mps", "mps with figures", "onnxruntime", "silent allocator"])
    def backend(self, request: pytest.FixtureRequest) -> Backend:
        gpus = (Gpu(), Gpu(uuid=OTHER))
        made: dict[str, Backend] = {
            "cuda": CudaBackend(fake_torch.cuda(*gpus)),
            "rocm": RocmBackend(fake_torch.rocm(*gpus)),
            "xpu": XpuBackend(fake_torch.xpu(*gpus)),
            "mps": MpsBackend(FakeMpsTorch(Gpu()), platform="darwin"),
            "mps with figures": MpsBackend(FakeMpsTorch(Gpu(), keeps_figures=True), platform="darwin"),
            "onnxruntime": OnnxRuntimeBackend(FakeOnnxruntime(CUDA, works=(CUDA,))),
            "silent allocator": CudaBackend(fake_torch.cuda(Gpu(silent_allocator=True, has_events=False))),
        }
        if request.param == "onnxruntime":
            pytest.importorskip("numpy")
        return made[request.param]
