"""Devices of OpenVINO: processors, Intel GPUs and NPUs.

A successful ``import openvino`` proves nothing: `Core().available_devices` lists the devices that a loaded plugin has
found. Properties are read device by device; a property that the plugin lacks raises `RuntimeError`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from pytest_benchdb.backends.libraries import find_device, says_out_of_memory, why_unusable, with_ids, without_none
from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Probe

# oneDNN and Level Zero, OpenCL, OpenVINO's GPU plugin ("Exceeded max size of memory object allocation"), C++.
_PHRASES = ("out of memory", "out_of_memory", "mem_object_allocation_failure", "max size of memory", "bad_alloc")


@dataclass(frozen=True, slots=True)
class OpenVinoHandle:
    """The value of ``bench.device`` in a test.

    Attributes:
        core: the `openvino.Core` of this session, which caches models.
        name: OpenVINO's name of the device, such as ``GPU.1``: ``core.compile_model(model, name)``.
    """

    core: Any
    name: str


class OpenVinoBackend:
    """Every device that OpenVINO has a plugin for."""

    name = "openvino"
    provenance: Provenance = "measured"

    def __init__(self, module: Any = None, *, path: Sequence[str] | None = None) -> None:
        """Take a stand-in for the module and a search path as `sys.path`; openvino is imported when first needed."""
        self._module = module
        self._path = path
        self._core: Any = None
        self._pid: int | None = None

    def probe(self) -> Probe:
        """Return whether OpenVINO has a device; loads its plugins, which touch no device's memory."""
        if (reason := why_unusable(self.name, self._module, self._path, self._pid)) is not None:
            return Probe(available=False, reason=reason)
        try:
            core = self._start_core()
            versions = {"openvino": str(self._openvino().get_version())}
            if not core.available_devices:
                return Probe(available=False, reason="openvino finds no device", versions=versions)
        except Exception as error:  # noqa: BLE001 - a broken library may raise anything
            return Probe(available=False, reason=f"openvino cannot be used: {type(error).__name__}: {error}")
        return Probe(available=True, versions=versions)

    def devices(self) -> Sequence[Device]:
        """Return the devices in OpenVINO's order."""
        if not self.probe().available:
            return []
        core = self._start_core()
        return with_ids([_describe(core, index, name) for index, name in enumerate(core.available_devices)])

    def open(self, device: Device) -> BlockingDevice:
        """Compile an addition for a device and run it.

        Raises:
            BackendUnavailableError: the device is missing, or OpenVINO would run the addition elsewhere.
            MeasurementError: the sum is wrong.
            Exception: raised by compiling or running.
        """
        _, device = find_device(self, device)
        handle = OpenVinoHandle(self._start_core(), str(device.details["device"]))
        self._first_use(handle)
        out_of_memory = partial(says_out_of_memory, phrases=_PHRASES, classes=(MemoryError,))
        return BlockingDevice(device, handle, out_of_memory)

    def _first_use(self, handle: OpenVinoHandle) -> None:
        openvino, numpy = self._openvino(), import_module("numpy")
        operations = openvino.opset8
        operand = operations.parameter([4], openvino.Type.f32)
        model = openvino.Model([operations.add(operand, operand)], [operand], "benchdb_first_use")
        compiled = handle.core.compile_model(model, handle.name)
        ran_on = list(compiled.get_property("EXECUTION_DEVICES"))
        # "GPU" runs as "GPU.0"; anything else is an unwanted fallback.
        if not ran_on or any(name != handle.name and not name.startswith(f"{handle.name}.") for name in ran_on):
            raise BackendUnavailableError(f"openvino: a model for {handle.name} would run on {', '.join(ran_on)}")
        total = compiled([numpy.ones(4, numpy.float32)])[0]
        if total.tolist() != [2.0] * 4:
            raise MeasurementError(f"{handle.name} cannot be trusted: 1 + 1 gave {total.tolist()}")

    def _openvino(self) -> Any:
        if self._module is None:
            self._module = import_module("openvino")
        return self._module

    def _start_core(self) -> Any:
        if self._core is None:
            self._core, self._pid = self._openvino().Core(), os.getpid()
        return self._core


def _describe(core: Any, index: int, name: str) -> Device:
    memory = _property(core, name, f"{name.partition('.')[0]}_DEVICE_TOTAL_MEM_SIZE")
    driver = _property(core, name, f"{name.partition('.')[0]}_DRIVER_VERSION")
    uuid = _property(core, name, "DEVICE_UUID")
    kind = _property(core, name, "DEVICE_TYPE")
    capabilities = _property(core, name, "OPTIMIZATION_CAPABILITIES")
    return Device(
        device_id="",
        backend="openvino",
        name=str(_property(core, name, "FULL_DEVICE_NAME") or name),
        uuid=None if uuid is None else str(uuid),
        memory_bytes=int(memory) if memory else None,
        driver=None if driver is None else str(driver),
        details=without_none(
            index=index,
            device=name,
            architecture=_property(core, name, "DEVICE_ARCHITECTURE"),
            type=None if kind is None else str(kind).rpartition(".")[2].lower(),
            capabilities=None if capabilities is None else [str(capability) for capability in capabilities],
        ),
    )


def _property(core: Any, device: str, name: str) -> Any:
    """Return a property of a device; None if its plugin does not have it."""
    try:
        return core.get_property(device, name)
    except RuntimeError:
        return None
