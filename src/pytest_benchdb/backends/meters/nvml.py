"""NVIDIA's management library, through ``pynvml`` of the package nvidia-ml-py (BSD).

Figures and traps: `docs/explanation/energy.md`. What the library says is taken reading by reading: a Jetson
initialises, reports one device, and then supports nothing. Devices are known by their UUID, never by their index.

Sources: NVML API reference, `nvmlFieldValueEnums` (energy in mJ, power in mW, throttle times in ns);
zeus pull request 172 (on a GH200 the energy counter is of the whole module).
"""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, TypeVar

from pytest_benchdb.backends.meters.nvml_device import NvmlDevice, failure
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.probe import Probe
from pytest_benchdb.model.reading import Domain, Reading

T = TypeVar("T")

_UNINITIALIZED = 1
_NO_PACKAGE = "pynvml is not there; run: pip install 'pytest-benchdb[nvidia]'"


class NvmlMeter:
    """Every NVIDIA GPU that the driver shows.

    Attributes:
        absent: why a device lacks a sensor, by the name that the domain would have.
    """

    name = "nvml"
    provenance: Provenance = "measured"
    covers = "device"

    def __init__(
        self, module: ModuleType | None = None, *, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Make a meter; the library is loaded when it is first asked.

        Args:
            module: stands for ``pynvml``; None imports it.
            monotonic_ns: clock of the readings.
        """
        self.absent: dict[str, str] = {}
        self._nvml: Any = module
        self._monotonic_ns = monotonic_ns
        self._devices: list[NvmlDevice] | None = None
        self._owner_pid: int | None = None
        self._lock = threading.RLock()

    def probe(self) -> Probe:
        """Tell whether a GPU answers to anything, without a context on it."""
        with self._lock:
            try:
                devices = self._found()
                versions = {
                    "driver": str(self._nvml.nvmlSystemGetDriverVersion()),
                    "nvml": str(self._nvml.nvmlSystemGetNVMLVersion()),
                }
            except ImportError:
                return Probe(available=False, reason=_NO_PACKAGE)
            except Exception as error:  # noqa: BLE001 - NVMLError, or ctypes of a library that is no NVML
                return Probe(available=False, reason=f"NVML cannot be used: {error}")
            if not devices:
                reason = "; ".join(self.absent.values())
                return Probe(
                    available=False, reason=f"NVML shows no device: {reason or 'it counts 0'}", versions=versions
                )
            if not any(device.domains for device in devices):
                names = ", ".join(device.name for device in devices)
                reason = f"NVML supports no reading of {names}; a Jetson's sensors are not in NVML"
                return Probe(available=False, reason=reason, versions=versions)
            return Probe(available=True, versions=versions)

    def domains(self) -> Sequence[Domain]:
        """Return the sensors that answered when they were first asked.

        Raises:
            ImportError: pynvml is not there.
            Exception: NVML cannot be used.
        """
        with self._lock:
            return [domain for device in self._found() for domain in device.domains]

    def read(self) -> Mapping[str, Reading]:
        """Read every sensor; counters and power of a device in one call, then its gauges.

        Raises:
            ImportError: pynvml is not there.
            Exception: NVML cannot be used.
        """
        with self._lock:
            told: dict[str, Reading] = {}
            devices = self._found()
            for device in devices:
                told |= self._with_library(device.read_fields)
            for device in devices:
                told |= self._with_library(device.read_gauges)
            return told

    def other_processes(self, device_uuid: str) -> int | None:
        """Return how many processes besides this one compute on a device; None if the driver does not tell.

        In a container the driver's process ids are not ours, and this process counts as another one.

        Raises:
            ImportError: pynvml is not there.
            Exception: NVML cannot be used.
        """
        with self._lock:
            for device in self._found():
                if device.uuid.lower().removeprefix("gpu-") == device_uuid.lower().removeprefix("gpu-"):
                    return self._with_library(device.other_processes)
        return None

    def close(self) -> None:
        """Give the library back; it counts its users, so that others keep it."""
        with self._lock:
            if self._owner_pid == os.getpid():
                failure(self._nvml, self._nvml.nvmlShutdown)
            self._owner_pid = None
            self._devices = None

    def _found(self) -> list[NvmlDevice]:
        self._start()
        if self._devices is None:
            self._devices = self._with_library(self._find)
        return self._devices

    def _find(self) -> list[NvmlDevice]:
        devices = []
        for index in range(self._nvml.nvmlDeviceGetCount()):
            device, reason = NvmlDevice.find(self._nvml, index, self._monotonic_ns)
            if device is None:
                self.absent[f"nvml:{index}/energy"] = reason
            else:
                devices.append(device)
                self.absent |= device.absent
        return devices

    def _start(self) -> None:
        """Initialise the library once per process: after a fork, the child does it anew."""
        if self._owner_pid == os.getpid():
            return
        if self._nvml is None:
            import pynvml

            self._nvml = pynvml
        self._nvml.nvmlInit()
        self._owner_pid = os.getpid()
        self._take_handles()

    def _with_library(self, action: Callable[[], T]) -> T:
        """Do something, once more if somebody else has shut the library down meanwhile."""
        try:
            return action()
        except self._nvml.NVMLError as error:
            if error.value != _UNINITIALIZED:
                raise
        self._nvml.nvmlInit()
        self._take_handles()
        return action()

    def _take_handles(self) -> None:
        for device in self._devices or ():
            failure(self._nvml, device.take_handle)  # a device that is gone says so when it is read
