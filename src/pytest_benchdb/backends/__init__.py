"""Built-in backends: a module or package for each kind of hardware or runtime, implementing `interfaces.Backend`.

The meters of these devices are in `meters`. The registry finds the backends of other packages and opens devices.
"""

from pytest_benchdb.interfaces import Backend
from pytest_benchdb.model.environment import Device


def backends(cpu: Device | None = None) -> list[Backend]:
    """Return the built-in backends in display order; they have not touched any library or device yet.

    `cpu` is the description of the processor, if it has been read already.
    """
    from pytest_benchdb.backends.cpu import CpuBackend
    from pytest_benchdb.backends.onnxruntime import OnnxRuntimeBackend
    from pytest_benchdb.backends.openvino import OpenVinoBackend
    from pytest_benchdb.backends.sim import SimBackend
    from pytest_benchdb.backends.torch.vendors import CudaBackend, MpsBackend, RocmBackend, XpuBackend
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
