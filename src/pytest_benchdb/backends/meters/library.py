"""Base class for meters of a vendor's library, which is initialised once per process and read under a lock."""

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading

CELSIUS_K = 273.15


class LibraryDevice(Protocol):
    """One device of a library.

    Attributes:
        uuid: part of its domains' names before the ``/``.
        domains: the sensors that can be read.
        absent: why other sensors cannot, by domain name.
    """

    uuid: str
    domains: list[Domain]
    absent: dict[str, str]


D = TypeVar("D", bound=LibraryDevice)


class LibraryMeter(Generic[D]):
    """All devices of a library.

    Attributes:
        absent: why a device lacks a sensor, by domain name.
    """

    name: str
    provenance: Provenance = "measured"
    covers = "device"

    def __init__(self, module: Any = None, *, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Take a stand-in for the library, and the readings' clock; the library is imported when first used."""
        self.absent: dict[str, str] = {}
        self._library: Any = module
        self._monotonic_ns = monotonic_ns
        self._devices: list[D] | None = None
        self._owner_pid: int | None = None
        self._lock = threading.RLock()

    def probe(self) -> Probe:
        """Return whether a device has a readable sensor, without making a context on it."""
        with self._lock:
            try:
                devices = self._open_devices()
                versions = self._versions()
            except Exception as error:  # noqa: BLE001 - the library, which defines its error, may be missing
                return Probe(available=False, reason=self._why_unusable(error))
            if any(device.domains for device in devices):
                return Probe(available=True, versions=versions)
            return Probe(available=False, reason=self._why_nothing(devices), versions=versions)

    def domains(self) -> Sequence[Domain]:
        """Return the sensors that could be read the first time.

        Raises:
            Exception: the library is missing or cannot be used.
        """
        with self._lock:
            return [domain for device in self._open_devices() for domain in device.domains]

    def read(self) -> Mapping[str, Reading]:
        """Read every sensor, the energy counters of all devices first.

        Raises:
            Exception: the library is missing or cannot be used.
        """
        with self._lock:
            return self._read(self._open_devices(), None)

    def read_some(self, domains: Collection[str]) -> Mapping[str, Reading]:
        """Read the sensors with these names; devices that have none of them are not touched.

        Raises:
            Exception: the library is missing or cannot be used.
        """
        owners = {name.rpartition("/")[0] for name in domains}
        with self._lock:
            return self._read([device for device in self._open_devices() if device.uuid in owners], domains)

    def close(self) -> None:
        """Release the library."""
        with self._lock:
            if self._owner_pid == os.getpid():
                self._shut_down()
            self._owner_pid = None
            self._devices = None

    def _open_devices(self) -> list[D]:
        if self._owner_pid != os.getpid():  # after a fork, the child initialises it again
            if self._library is None:
                self._library = self._import()
            self._initialise()
            self._owner_pid = os.getpid()
        if self._devices is None:
            self._devices = self._find()
            for device in self._devices:
                self.absent |= device.absent
        return self._devices

    def _import(self) -> Any:
        raise NotImplementedError

    def _initialise(self) -> None:
        raise NotImplementedError

    def _shut_down(self) -> None:
        raise NotImplementedError

    def _find(self) -> list[D]:
        raise NotImplementedError

    def _read(self, devices: Sequence[D], wanted: Collection[str] | None) -> dict[str, Reading]:
        """Read devices; `wanted` are the names of domains, None means all."""
        raise NotImplementedError

    def _versions(self) -> dict[str, str]:
        raise NotImplementedError

    def _why_unusable(self, error: Exception) -> str:
        raise NotImplementedError

    def _why_nothing(self, devices: Sequence[D]) -> str:
        raise NotImplementedError


def reading_of(name: str, value: float | None, now_ns: int, reason: str | None) -> Reading:
    """Return a reading; its reason, if any, begins with the domain's name."""
    return Reading(value, now_ns, None if reason is None else f"{name}: {reason}")
