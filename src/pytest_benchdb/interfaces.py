"""Protocols for backends, meters, importers and exporters, built in or from other packages.

A `Backend` is where code runs: it finds devices, waits for them, and reads their clock and allocator.
A `Meter` reads sensors: energy, power, temperature. Several meters may measure the same test. An `Importer`
reads the files of another tool, and an `Exporter` writes them. Implementations come from the hooks
`pytest_benchdb_backends`, `pytest_benchdb_meters`, `pytest_benchdb_importers` and `pytest_benchdb_exporters`, and must
pass `pytest_benchdb.testing`.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.exchange.exported import ExportFile, StoredRun, StoredSession
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
        """Return figures since `reset_memory` by metric; a metric that cannot be measured is absent.

        Metrics of the allocator: the peaks ``device_peak`` and ``device_reserved`` and their difference,
        ``device_fragmentation``, in bytes; ``allocator_retries``.
        """

    def flush_cache(self) -> bool:
        """Empty the device's caches before a cold round; return False if that is impossible."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an exception means that the device ran out of memory."""

    def close(self) -> None:
        """Release the device; no other method is called afterwards."""


@runtime_checkable
class HasCurrent(Protocol):
    """An `OpenDevice` of a library with a current device, on which code runs unless it names another."""

    def current(self) -> AbstractContextManager[object]:
        """Make this the current device of the thread in a block, and restore the one before at its end."""


@runtime_checkable
class ShowsRanges(Protocol):
    """An `OpenDevice` whose profiler shows named ranges of time; `phase` gives it the phases."""

    def begin_range(self, name: str) -> object:
        """Begin a range and return what `end_range` needs; ranges need not nest."""

    def end_range(self, begun: object) -> None:
        """End a range."""


@runtime_checkable
class CapturesGraphs(Protocol):
    """An `OpenDevice` that can capture the work of a function in a graph, for `Bench.graph`."""

    def capture(self, function: Callable[[], object]) -> Callable[[], object]:
        """Call a function a few times, capture its work, and return a function that replays it.

        Raises:
            BackendUnavailableError: this device has no graphs.
            MeasurementError: the function cannot be captured.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakWork:
    """Work that takes a device to one of its peaks.

    Attributes:
        metric: ``peak_bytes_per_second`` or ``peak_flops_per_second``.
        precision: of the floating-point numbers: ``fp32``; None for memory.
        amount: bytes or floating-point operations of one call.
        call: starts the work; None if it is impossible here.
        method: what it does, in a few words.
        reason: why `call` is None.
    """

    metric: str
    precision: str | None = None
    amount: float = 0.0
    call: Callable[[], object] | None = None
    method: str | None = None
    reason: str | None = None


@runtime_checkable
class MeasuresPeaks(Protocol):
    """An `OpenDevice` that has work for `benchdb peaks`."""

    def peak_work(self) -> Iterator[PeakWork]:
        """Yield the work for each peak; its memory may be freed before the next."""


@runtime_checkable
class WaitsForMarks(Protocol):
    """An `OpenDevice` that can wait for a mark alone, which shows whether other work goes on after it."""

    def wait_for(self, mark: object) -> None:
        """Return once the device has reached a mark, even if other work is not done."""


@runtime_checkable
class HoldsQueue(Protocol):
    """An `OpenDevice` that can be kept busy while work is queued behind, so that marks around that hold no launch."""

    def hold(self, seconds: float) -> bool:
        """Queue something that takes about so long and leaves the caches alone; return False if that is impossible.

        It returns at once. It may take several times as long or as short as it should: marks around it show.
        """


@runtime_checkable
class MovesMarks(Protocol):
    """An `OpenDevice` whose marks take time to make, so that they are made beforehand and moved."""

    def move(self, mark: object) -> None:
        """Place a mark of `mark` anew on the timeline; its place before is forgotten."""


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

    # Called within rounds, where a Python function around it would take as long as many a round.
    clock_ns = staticmethod(time.perf_counter_ns)

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
            NotResultsError: the file has no results by design.
            MissingExtraError: a package that reads this format is not installed.
        """


@runtime_checkable
class ReadsFolders(Protocol):
    """An `Importer` of results that a tool spreads over the files of a folder; its `read` takes that folder.

    Its `can_read` is not asked.
    """

    def root_of(self, path: Path, within: Path) -> Path | None:
        """Return the folder of results that a file is a part of, going by names; None if it is a part of none.

        Args:
            path: a file.
            within: a folder that holds it; the answer is this folder or one below.
        """


class Exporter(Protocol):
    """Writes results for another tool.

    Attributes:
        name: the FORMAT in ``benchdb export FORMAT``; lower-case letters, digits, ``-`` and ``_``.
        suffix: of its file: ``.json``; empty if it makes a folder of files.
        is_text: whether the file may be written to a terminal.
        holds: ``history`` if the format holds several sessions; ``session`` if it holds one.
        rounds: whether it needs the raw rounds, which take time to read.
    """

    name: str
    suffix: str
    is_text: bool
    holds: Literal["history", "session"]
    rounds: bool

    def takes(self, run: StoredRun) -> bool:
        """Return whether the format can hold a run; how many it cannot is said."""

    def export(self, sessions: Iterable[StoredSession]) -> Iterable[ExportFile]:
        """Return the files: one if there is a suffix.

        The same sessions always give the same bytes. What was not measured is left out or empty, never 0; what was
        simulated is marked, or left out by `takes`.

        Args:
            sessions: oldest first, with the runs that it takes; read once. One if `holds` is ``session``.

        Raises:
            ConfigError: the sessions cannot be written in this format; the message says why.
            MissingExtraError: a package that writes this format is not installed.
        """
