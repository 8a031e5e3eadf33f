"""The Protocols that backends, meters and importers of this and of other packages implement.

A `Backend` is where code runs: it finds devices, waits for them, and reads their clock and allocator.
A `Meter` reads sensors: energy, power, temperature. Several meters may see a test on one backend. An `Importer`
reads the files of another tool. They come from the hooks `pytest_benchdb_backends`, `pytest_benchdb_meters` and
`pytest_benchdb_importers`, and must pass `pytest_benchdb.testing`.
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
        handle: what a test gets as ``bench.device``: a `torch.device`, a provider's name, a browser's page.
        sync_mode: how the device is waited for, as stored with the run; None where calls return when
            their work is done.
    """

    device: Device
    handle: object
    sync_mode: str | None

    def clock_ns(self) -> int:
        """Return the wall clock, nanoseconds; only a simulated device has one of its own."""

    def synchronize(self) -> None:
        """Return once all work given to the device is done."""

    def mark(self) -> object | None:
        """Put a mark on the device's timeline, cheaply and without waiting; None if the device has no clock."""

    def elapsed_s(self, begin: object, end: object) -> float:
        """Return the device's time between two marks, seconds; called after `synchronize`."""

    def reset_memory(self) -> None:
        """Restart the peaks that `memory` returns."""

    def memory(self) -> Mapping[str, float]:
        """Return peaks since `reset_memory`, bytes, by metric; a metric that cannot be measured is absent.

        Metrics: ``device_peak`` and ``device_reserved`` of the allocator.
        """

    def flush_cache(self) -> bool:
        """Empty the device's caches before a cold round; False where that is impossible."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an exception says that the device's memory ran out."""

    def close(self) -> None:
        """Give the device back; nothing is called afterwards."""


class BlockingDevice:
    """An `OpenDevice` whose calls return when their work is done, without a clock or memory figures of its own.

    It is complete as it is, and a base for devices that add one of these.
    """

    sync_mode: str | None = None

    def __init__(
        self, device: Device, handle: object, out_of_memory: Callable[[BaseException], bool] | None = None
    ) -> None:
        """Take a device that has been tried out; by default only `MemoryError` says that memory ran out."""
        self.device = device
        self.handle = handle
        self._out_of_memory = out_of_memory

    def clock_ns(self) -> int:
        """Return the wall clock, nanoseconds."""
        return time.perf_counter_ns()

    def synchronize(self) -> None:
        """Return at once; requests that a test started asynchronously are for the test to wait for."""

    def mark(self) -> object | None:
        """Return None: there is no clock of the device."""
        return None

    def elapsed_s(self, begin: object, end: object) -> float:
        """Refuse, because there are no marks.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"{self.device.name} has no timeline, so there is no time between {begin!r} and {end!r}")

    def reset_memory(self) -> None:
        """Do nothing: no peak is known."""

    def memory(self) -> Mapping[str, float]:
        """Return nothing: no peak is known."""
        return {}

    def flush_cache(self) -> bool:
        """Return False: there is no way to empty caches."""
        return False

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an exception says that memory ran out."""
        return isinstance(error, MemoryError) if self._out_of_memory is None else self._out_of_memory(error)

    def close(self) -> None:
        """Let go of the handle."""
        self.handle = None


class Backend(Protocol):
    """A kind of hardware or runtime.

    Attributes:
        name: makes the fixture ``bench_<name>``: lower-case letters, digits and ``_``.
        provenance: of everything measured on it; ``simulated`` where no hardware is behind it.
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
            BackendUnavailableError: the device is not there after all; the text is the skip reason.
            Exception: whatever the operation raised; the run is recorded as failed with its text.
        """


class Meter(Protocol):
    """A library or a set of files from which sensors are read.

    Attributes:
        name: ``nvml``, ``rapl``, ...; stored as the readings' method.
        provenance: ``measured``, or ``simulated``.
    """

    name: str
    provenance: Provenance

    def probe(self) -> Probe:
        """Return whether there is anything to read here and, if not, the command that would give access."""

    def domains(self) -> Sequence[Domain]:
        """Return what can be read: one domain for each sensor."""

    def read(self) -> Mapping[str, Reading]:
        """Read every domain once, by its name, in as few calls as the library allows.

        A domain that cannot be read now has a reading without a value and with its reason.
        """

    def close(self) -> None:
        """Give the library back; a later `read` may open it again."""


class Importer(Protocol):
    """Reads the results of another tool.

    Attributes:
        name: what users type: ``benchdb import NAME PATH``; lower-case letters, digits, ``-`` and ``_``.
    """

    name: str

    def can_read(self, path: Path, head: bytes) -> bool:
        """Return whether a file has this format, judged by its name and its beginning; never raises.

        Args:
            path: the file; it need not be opened.
            head: its first bytes, at least 4,096 if it has as many; unpacked if it is a gzip file.
        """

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read a file: its sessions, and a problem for each part of it that cannot be taken.

        Values are in SI units, times come from the file, and what the file does not contain is None. The same file
        gives the same sessions, in the same order.

        Raises:
            ImportFormatError: nothing of the file can be taken; the text says why.
            MissingExtraError: a package that reads this format is not installed.
        """
