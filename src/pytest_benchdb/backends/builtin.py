"""Every backend that comes with the package, in the order in which users see them."""

from importlib import import_module

from pytest_benchdb.backends.cpu import CpuBackend
from pytest_benchdb.interfaces import Backend
from pytest_benchdb.model.environment import Device

_LATER = (
    ("pytest_benchdb.backends.cuda", "CudaBackend"),
    ("pytest_benchdb.backends.rocm", "RocmBackend"),
    ("pytest_benchdb.backends.mps", "MpsBackend"),
    ("pytest_benchdb.backends.xpu", "XpuBackend"),
    ("pytest_benchdb.backends.openvino", "OpenVinoBackend"),
    ("pytest_benchdb.backends.onnxruntime", "OnnxRuntimeBackend"),
    ("pytest_benchdb.backends.web.backend", "WebGpuBackend"),
    ("pytest_benchdb.backends.web.backend", "WebNnBackend"),
    ("pytest_benchdb.backends.web.backend", "WasmBackend"),
    ("pytest_benchdb.backends.sim.backend", "SimBackend"),
)


def backends(cpu: Device | None = None) -> list[Backend]:
    """Return every built-in backend; none of them has touched a library or a device yet.

    Args:
        cpu: the processor, where it has been read already.
    """
    made: list[Backend] = [CpuBackend(cpu)]
    for module, name in _LATER:
        try:
            made.append(getattr(import_module(module), name)())
        except ModuleNotFoundError:
            continue
    return made
