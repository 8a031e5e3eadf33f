"""Where code runs: a module or room for each kind of hardware or runtime, behind `interfaces.Backend`.

Meters of these devices are in `meters`. Finding and opening what other packages add is the registry's.
"""

from pytest_benchdb.interfaces import Backend
from pytest_benchdb.model.environment import Device


def backends(cpu: Device | None = None) -> list[Backend]:
    """Return the built-in backends in the order in which users see them; none has touched a library or a device yet.

    `cpu` is the processor, where it has been read already.
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
