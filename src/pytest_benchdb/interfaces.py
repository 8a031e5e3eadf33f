"""What a backend, a meter and an importer are: the Protocols that other packages add theirs through.

A `Backend` is where code runs: it finds devices, waits for them, and reads their clock and allocator.
A `Meter` is what a sensor says: energy, power, temperature. A test on one backend may be seen by several
meters. An `Importer` reads the files of another tool. They come from the hooks `pytest_benchdb_backends`,
`pytest_benchdb_meters` and `pytest_benchdb_importers`, and must pass `pytest_benchdb.testing`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.imported import ImportedSession, ImportProblem
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading


class OpenDevice(Protocol):
    """A device that is in use by this process.

    Attributes:
        device: what it is.
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
        """Return once everything that was asked of the device is done."""

    def mark(self) -> object | None:
        """Put a mark on the device's timeline; None where the device has no clock of its own.

        It costs as little as can be and waits for nothing.
        """

    def elapsed_s(self, begin: object, end: object) -> float:
        """Return the device's time between two marks, seconds; called after `synchronize`."""

    def reset_memory(self) -> None:
        """Let the peaks that `memory` tells begin again."""

    def memory(self) -> Mapping[str, float]:
        """Return peaks since `reset_memory`, bytes, by metric; a metric that cannot be measured is absent.

        Metrics: ``device_peak`` and ``device_reserved`` of the allocator.
        """

    def flush_cache(self) -> bool:
        """Empty the device's caches before a cold round; False where there is no way."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Tell whether an exception says that the device's memory ran out."""

    def close(self) -> None:
        """Give the device back; nothing is called afterwards."""


class Backend(Protocol):
    """A kind of hardware or runtime.

    Attributes:
        name: of the fixture ``bench_<name>``: lower-case letters, digits and ``_``.
        provenance: of everything measured on it; ``simulated`` where no hardware is behind it.
    """

    name: str
    provenance: Provenance

    def probe(self) -> Probe:
        """Tell whether the backend can be used here, without touching a device; never raises."""

    def devices(self) -> Sequence[Device]:
        """Return the devices in the vendor's order; index 0 is the default."""

    def open(self, device: Device) -> OpenDevice:
        """Take a device into use and run one tiny operation on it.

        Raises:
            BackendUnavailableError: the device is not there after all; the text is the skip reason.
            Exception: whatever the operation raised; the run is recorded as failed with its text.
        """


class Meter(Protocol):
    """A library or a set of files that tells readings of sensors.

    Attributes:
        name: ``nvml``, ``rapl``, ...; stored as the readings' method.
        provenance: ``measured``, or ``simulated``.
    """

    name: str
    provenance: Provenance

    def probe(self) -> Probe:
        """Tell whether there is anything to read here and, if not, the command that would give access."""

    def domains(self) -> Sequence[Domain]:
        """Return what can be read, a domain for each sensor."""

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
        """Tell by its name and its beginning whether a file is of this format; never raises.

        Args:
            path: the file; it need not be opened.
            head: its first bytes, at least 4,096 of them where it has as many; unpacked where it is packed by gzip.
        """

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read a file: its sessions, and a problem for each part of it that cannot be taken.

        Figures come in SI units, times from the file, and what the file does not say is None. The same file gives
        the same sessions, in the same order.

        Raises:
            ImportFormatError: nothing of the file can be taken; the text says why.
            MissingExtraError: a package that reads this format is not installed.
        """
