"""Protocols for backends, meters and importers, built in or from other packages.

A `Backend` is where code runs: it finds devices, waits for them, and reads their clock and allocator.
A `Meter` reads sensors: energy, power, temperature. Several meters may measure the same test. An `Importer`
reads the files of another tool. Implementations come from the hooks `pytest_benchdb_backends`,
`pytest_benchdb_meters` and `pytest_benchdb_importers`, and must pass `pytest_benchdb.testing`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.imported import ImportedSession, ImportProblem
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading


class OpenDevice(Protocol):
    """A device that this process is using.

    Attributes:
        device: its description.
        handle: the value of ``bench.device`` in a test: a `torch.device`, a provider's name, a browser page.
        sync_mode: how to wait for the device, as stored with the run; None if calls return only when
            their work is done.
    """

    device: Device
    handle: object
    sync_mode: str | None

    def clock_ns(self) -> int:
        """Return the wall clock, nanoseconds; only simulated devices have their own."""

    def synchronize(self) -> None:
        """Return once the device has finished all its work."""

    def mark(self) -> object | None:
        """Place a mark on the device's timeline, cheaply and without waiting; None if the device has no clock."""

    def elapsed_s(self, begin: object, end: object) -> float:
        """Return the device's time between two marks, seconds; called after `synchronize`."""

    def reset_memory(self) -> None:
        """Restart the peaks that `memory` returns."""

    def memory(self) -> Mapping[str, float]:
        """Return peaks since `reset_memory`, bytes, by metric; a metric that cannot be measured is absent.

        Metrics: ``device_peak`` and ``device_reserved`` of the allocator.
        """

    def flush_cache(self) -> bool:
        """Empty the device's caches before a cold round; return False if that is impossible."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an exception means that the device ran out of memory."""

    def close(self) -> None:
        """Release the device; no other method is called afterwards."""


class BlockingDevice:
    """An `OpenDevice` whose calls return when their work is done, without its own clock or memory peaks.

    Use it directly, or as the base of a device that adds one of these.
    """

    sync_mode: str | None = None

    def __init__(
        self, device: Device, handle: object, out_of_memory: Callable[[BaseException], bool] | None = None
    ) -> None:
        """Take a device that is known to work; by default only `MemoryError` means out of memory."""
        self.device = device
        self.handle = handle
        self._out_of_memory = out_of_memory

    def clock_ns(self) -> int:
        """Return the wall clock, nanoseconds."""
        return time.perf_counter_ns()

    def synchronize(self) -> None:
        """Return at once; a test that starts asynchronous requests waits for them itself."""

    def mark(self) -> object | None:
        """Return None: the device has no clock."""
        return None

    def elapsed_s(self, begin: object, end: object) -> float:
        """Raise, because there are no marks.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"{self.device.name} has no timeline, so there is no time between {begin!r} and {end!r}")

    def reset_memory(self) -> None:
        """Do nothing: there are no peaks."""

    def memory(self) -> Mapping[str, float]:
        """Return an empty mapping: there are no peaks."""
        return {}

    def flush_cache(self) -> bool:
        """Return False: there is no way to empty caches."""
        return False

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an exception means that memory ran out."""
        return isinstance(error, MemoryError) if self._out_of_memory is None else self._out_of_memory(error)

    def close(self) -> None:
        """Drop the handle."""
        self.handle = None


class Backend(Protocol):
    """A kind of hardware or runtime.

    Attributes:
        name: part of the fixture's name, ``bench_<name>``: lower-case letters, digits and ``_``.
        provenance: of everything measured on it; ``simulated`` without real hardware.
    """

    name: str
    provenance: Provenance

    def probe(self) -> Probe:
        """Return whether the backend can be used here, without touching a device; never raises."""

    def devices(self) -> Sequence[Device]:
        """Return the devices in the vendor's order; index 0 is the default."""

    def open(self, device: Device) -> OpenDevice:
        """Start using a device and run one tiny operation on it.

        Raises:
            BackendUnavailableError: the device has gone; the message is the skip reason.
            Exception: raised by the operation; the run is recorded as failed with its message.
        """


class Meter(Protocol):
    """A library or a set of files that reads sensors.

    Attributes:
        name: ``nvml``, ``rapl``, ...; stored as the method of its readings.
        provenance: ``measured``, or ``simulated``.
    """

    name: str
    provenance: Provenance

    def probe(self) -> Probe:
        """Return whether there is anything to read here and, if not, the command that would give access."""

    def domains(self) -> Sequence[Domain]:
        """Return one domain for each sensor."""

    def read(self) -> Mapping[str, Reading]:
        """Read every domain once, in as few calls as the library allows; return the readings by domain name.

        A domain that cannot be read now has a reading with a reason and no value.
        """

    def close(self) -> None:
        """Release the library; a later `read` may open it again."""


class Importer(Protocol):
    """Reads the results of another tool.

    Attributes:
        name: the FORMAT in ``benchdb import FORMAT PATH``; lower-case letters, digits, ``-`` and ``_``.
    """

    name: str

    def can_read(self, path: Path, head: bytes) -> bool:
        """Return whether a file has this format, going by its name and first bytes; never raises.

        Args:
            path: the file, which need not be opened.
            head: its first bytes: 4,096 or more unless the file is shorter; decompressed if it is gzipped.
        """

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Yield the sessions of a file, and a problem for each part that cannot be imported.

        Values are in SI units, times come from the file, and anything the file does not contain is None. The same
        file always gives the same sessions, in the same order.

        Raises:
            ImportFormatError: no part of the file can be imported; the message says why.
            MissingExtraError: a package that reads this format is not installed.
        """
