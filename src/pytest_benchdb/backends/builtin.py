"""Every backend that comes with the package, in the order in which users see them."""

from pytest_benchdb.interfaces import Backend
from pytest_benchdb.model.environment import Device


def backends(cpu: Device | None = None) -> list[Backend]:
    """Return every built-in backend; none of them has touched a library or a device yet.

    Args:
        cpu: the processor, where it has been read already.
    """
    from pytest_benchdb.backends.cpu import CpuBackend
    from pytest_benchdb.backends.onnxruntime import OnnxRuntimeBackend
    from pytest_benchdb.backends.openvino import OpenVinoBackend
    from pytest_benchdb.backends.sim.backend import SimBackend
    from pytest_benchdb.backends.torch.cuda import CudaBackend
    from pytest_benchdb.backends.torch.mps import MpsBackend
    from pytest_benchdb.backends.torch.rocm import RocmBackend
    from pytest_benchdb.backends.torch.xpu import XpuBackend
    from pytest_benchdb.backends.web.backend import WasmBackend, WebGpuBackend, WebNnBackend

    return [
        CpuBackend(cpu),
        CudaBackend(),
        RocmBackend(),
        MpsBackend(),
        XpuBackend(),
        OpenVinoBackend(),
        OnnxRuntimeBackend(),
        WebGpuBackend(),
        WebNnBackend(),
        WasmBackend(),
        SimBackend(),
    ]
