"""AMD's management library, through ``amdsmi`` of ROCm.

Importing it prints to stdout where ROCm is missing, and raises OSError, KeyError or AttributeError where the two
do not fit together. Its order of devices is not HIP's, so devices are known by their unique id. Its energy
counter is wrong on some cards (ROCm/amdsmi issue 38) and absent in guests of a hypervisor: before it is trusted,
half a second of it is held against the power that the card tells.
"""

import contextlib
import io
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from pytest_benchdb.backends.meters.amdsmi_device import AmdsmiDevice
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.probe import Probe
from pytest_benchdb.model.reading import Domain, Reading

CHECK_S = 0.5
"""For how long the energy counter is watched before it is trusted."""


class AmdsmiMeter:
    """Every AMD GPU that the driver shows, in HIP's order.

    Attributes:
        absent: why a device lacks a sensor, by the name that the domain would have.
    """

    name = "amdsmi"
    provenance: Provenance = "measured"
    covers = "device"

    def __init__(
        self,
        module: ModuleType | None = None,
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make a meter; the library is loaded when it is first asked.

        Args:
            module: stands for ``amdsmi``; None imports it.
            monotonic_ns: clock of the readings.
            sleep: waits while the counter is checked.
        """
        self.absent: dict[str, str] = {}
        self._smi: Any = module
        self._monotonic_ns = monotonic_ns
        self._sleep = sleep
        self._devices: list[AmdsmiDevice] | None = None
        self._owner_pid: int | None = None
        self._lock = threading.RLock()

    def probe(self) -> Probe:
        """Tell whether a GPU answers to anything."""
        with self._lock:
            try:
                devices = self._found()
            except ImportError:
                return Probe(available=False, reason="amdsmi is not there; it comes with ROCm, or: pip install amdsmi")
            except (OSError, KeyError, AttributeError) as error:
                reason = f"amdsmi cannot be imported, as with another release of ROCm: {type(error).__name__}: {error}"
                return Probe(available=False, reason=reason)
            except Exception as error:  # noqa: BLE001 - AmdSmiException, a class of what may not be imported
                return Probe(available=False, reason=f"amdsmi cannot be used: {' '.join(str(error).split())}")
            if not any(device.domains for device in devices):
                return Probe(available=False, reason="amdsmi shows no device that tells anything")
            return Probe(available=True, versions={"amdsmi": str(getattr(self._smi, "__version__", "unknown"))})

    def domains(self) -> Sequence[Domain]:
        """Return the sensors that answered; the first time it watches the energy counters for half a second.

        Raises:
            Exception: amdsmi cannot be used.
        """
        with self._lock:
            return [domain for device in self._found() for domain in device.domains]

    def read(self) -> Mapping[str, Reading]:
        """Read every sensor, the energy counters of all devices first.

        Raises:
            Exception: amdsmi cannot be used.
        """
        with self._lock:
            told: dict[str, Reading] = {}
            for metrics in (True, False):
                for device in self._found():
                    told |= device.read(counters=metrics)
            return told

    def close(self) -> None:
        """Give the library back."""
        with self._lock:
            if self._owner_pid == os.getpid():
                with contextlib.suppress(self._smi.AmdSmiException):
                    self._smi.amdsmi_shut_down()
            self._owner_pid = None
            self._devices = None

    def _found(self) -> list[AmdsmiDevice]:
        self._start()
        if self._devices is None:
            handles = self._smi.amdsmi_get_processor_handles()
            devices = [AmdsmiDevice(self._smi, handle, self._monotonic_ns) for handle in handles]
            devices.sort(key=lambda device: device.order)
            for index, device in enumerate(devices):
                device.settle(index)
            self._check(devices)
            self._devices = devices
            for device in devices:
                self.absent |= device.absent
        return self._devices

    def _start(self) -> None:
        """Import and initialise the library once per process, with what it prints swallowed."""
        if self._owner_pid == os.getpid():
            return
        if self._smi is None:
            with contextlib.redirect_stdout(io.StringIO()):
                import amdsmi

            self._smi = amdsmi
        self._smi.amdsmi_init()
        self._owner_pid = os.getpid()
        self._devices = None

    def _check(self, devices: Sequence[AmdsmiDevice]) -> None:
        """Drop energy counters that do not fit the power they are shown beside."""
        counting = [device for device in devices if device.counts_energy]
        if not counting:
            return
        before = [device.energy() for device in counting]
        self._sleep(CHECK_S)
        for device, begin in zip(counting, before, strict=True):
            device.check(begin, device.energy())
