"""A block of work with meters at its ends: the memory, energy and series of what happens once.

Calls are repeated in passes of their own, but the steps of a training, the requests of a stream, a phase and a whole
test cannot be: they run once. So meters are read where such a block begins and where it ends, beside its clocks and
never within them, and a process samples sensors meanwhile. What would slow the block down (tracemalloc, memray) is left
out, with the reason.

Blocks lie within each other, as a phase does in a phase. Peaks that a block restarts are first added to the blocks
around it; series belong to the innermost block.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.measure.energy.conditions import Conditions
from pytest_benchdb.measure.energy.energy_block import EnergyBlock
from pytest_benchdb.measure.energy.energy_rows import energy_per, unmeasured
from pytest_benchdb.measure.energy.sensors import Sensors
from pytest_benchdb.measure.energy.window import EnergyPlan
from pytest_benchdb.measure.process.block_usage import BlockProbe, BlockToken
from pytest_benchdb.measure.process.memory_pass import TreeMemory
from pytest_benchdb.measure.sampler.sampler import Sampler
from pytest_benchdb.measure.sampler.series_pass import SeriesBlock
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Attachment, BlockUsage, Measurement, Timing

T = TypeVar("T")
_PEAKS = frozenset({"device_peak", "device_reserved"})
DEVICE_PEAK = "peak of the device's allocator"
_ASKED_FOR = {
    "memory": ("peak_rss", "python_peak"),
    "memray": ("native_peak",),
    "energy": ("energy",),
    "counters": ("instructions",),
    "series": ("rss",),
    "profile": ("bytecodes", "python_calls"),
}
_PASS_OF = {"memray": "memory"}
SAMPLED = "sampler_active"
"""Key in the details of times that were taken while a process sampled beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """The measurements, series and files that meters gave."""

    measurements: tuple[Measurement, ...] = ()
    series: tuple[Series, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    def added_to(self, timing: Timing) -> Timing:
        """Return a timing with these rows; its times say so if a process sampled beside them."""
        rows = map(sampled, timing.measurements) if self.series else timing.measurements
        return replace(timing, measurements=(*rows, *self.measurements), series=(*timing.series, *self.series))

    def with_profile(self, profiled: "Metered") -> "Metered":
        """Return the same, with what the profile pass gave instead of why it gave nothing."""
        names = {row.metric for row in profiled.measurements}
        kept = tuple(row for row in self.measurements if row.metric not in names)
        return Metered(
            measurements=(*kept, *profiled.measurements),
            series=self.series,
            attachments=(*self.attachments, *profiled.attachments),
        )

    def of_phase(self, phase: str | None) -> "Metered":
        """Return the same, of a phase."""
        return Metered(
            measurements=tuple(replace(row, phase=phase) for row in self.measurements),
            series=tuple(replace(series, phase=phase) for series in self.series),
            attachments=self.attachments,
        )


class Boundary(Protocol):
    """What the caller reads at both ends of a block: the resources that the process used."""

    def start(self) -> None:
        """Begin the block."""

    def stop(self) -> None:
        """End the block."""

    def drop(self) -> None:
        """End the block without a result."""


class _NoBoundary:
    """Reads nothing, because the caller reads the process's usage of more than the block."""

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def drop(self) -> None:
        """Do nothing."""


NO_BOUNDARY = _NoBoundary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is done in a block.

    Attributes:
        what: in the plural, for reasons: ``training steps``.
        opened: the device; None for a whole test, which has none of its own.
        provenance: of the device.
        often: whether the block may be entered many times, so that only quick meters are read.
        boundary: reads the process's usage instead of the meters; None if the meters do.
    """

    what: str
    opened: OpenDevice | None = None
    provenance: Provenance = "measured"
    often: bool = False
    boundary: Boundary | None = None


class WorkMeters:
    """The meters of one process, for all its blocks."""

    def __init__(
        self,
        passes: Collection[str],
        *,
        probe: BlockProbe,
        sensors: Callable[[], Sensors],
        sampler: Callable[[OpenDevice | None], Sampler],
        conditions: Callable[[OpenDevice, Provenance], Conditions | None] = lambda _opened, _provenance: None,
        no_energy: str | None = None,
    ) -> None:
        """Take what was asked for, and how to get the meters.

        Args:
            passes: names of ``--benchdb-passes``.
            probe: the process's own, because each resets the peak of the others.
            sensors: returns the energy meters of the session.
            sampler: returns the sampler of a device.
            conditions: returns what reads a device's clock at the ends of a block; None for a device without any.
            no_energy: why energy must not be measured here; None if it may.
        """
        self.passes = frozenset(passes)
        self.probe = probe
        self.sensors = sensors
        self.sampler = sampler
        self.conditions = conditions
        self.no_energy = no_energy
        self.open: list[WorkBlock] = []

    def block(self, work: Work) -> "WorkBlock":
        """Return the meters of a block; it may be entered several times, one after the other."""
        return WorkBlock(self, work)

    def refused(self, reason: str) -> Metered:
        """Return the result of work that is not metered."""
        return Metered(measurements=self.reasons(reason))

    def reasons(self, reason: str, *, host: bool = True) -> tuple[Measurement, ...]:
        """Return a row with the same reason for everything that was asked for.

        Without `host`, there is none for what only the host has.
        """
        return tuple(
            unmeasured(reason)
            if metric == "energy"
            else Measurement.of(metric, pass_name=_PASS_OF.get(name, name), reason=reason)
            for name, metrics in _ASKED_FOR.items()
            if name in self.passes and (host or name == "energy")
            for metric in metrics
        )

    def disturb(self) -> None:
        """Note that the device's peaks are about to be restarted by something else than a block."""
        for block in self.open:
            block.disturbed = True


class WorkBlock:
    """The meters of one kind of work.

    Attributes:
        work: what is done.
        disturbed: whether the device's peaks were restarted within it.
    """

    def __init__(self, meters: WorkMeters, work: Work) -> None:
        self.work = work
        self.disturbed = False
        self._meters = meters
        self._entries = 0
        self._overlaps = False
        self._is_simulated = work.provenance == "simulated"
        self._reasons: dict[str, str] = {}
        self._peaks: dict[str, float] = {}
        self._usage: BlockUsage | None = None
        self._token: BlockToken | None = None
        self._tree: TreeMemory | None = None
        self._tree_row: Measurement | None = None
        self._energy = self._guarded("energy", self._new_energy) if self._wants("energy") else None
        self._conditions = None
        if work.opened is not None and not work.often:
            opened = work.opened
            self._conditions = self._guarded("clock", lambda: meters.conditions(opened, work.provenance))
        self._series: SeriesBlock | None = None
        if self._wants("series") and not self._is_simulated:
            self._series = self._guarded("series", self._new_series)

    def start(self) -> None:
        """Read the meters at the beginning; the clock is read after this."""
        meters = self._meters
        if self in meters.open:
            self._overlaps = True
            return
        if self._series is not None:
            for outer in meters.open:
                outer._lose_series()  # noqa: SLF001 - one sampler serves all blocks
            self._guarded("series", self._series.start)
        if self.work.opened is not None:
            self._start_device(self.work.opened)
        if self._reads_tree:
            self._tree = TreeMemory()
            self._guarded("tree_peak", self._tree.start)
        if self.work.boundary is not None:
            self.work.boundary.start()
        elif self._counts_host:
            self._token = meters.probe.start()
        if self._energy is not None:
            self._guarded("energy", self._energy.start)
        meters.open.append(self)

    def stop(self, *, whole: bool = True) -> None:
        """Read the meters at the end, after the clock; what is not `whole` does not count."""
        meters = self._meters
        if self not in meters.open:
            return
        meters.open.remove(self)
        if self._energy is not None:
            energy = self._energy
            self._guarded("energy", lambda: energy.stop(whole=whole))
        if self.work.boundary is not None:
            (self.work.boundary.stop if whole else self.work.boundary.drop)()
        if self._token is not None:
            usage, self._token = meters.probe.stop(self._token), None
            if whole:
                self._usage = _larger(self._usage, usage)
        if self._tree is not None:
            row, self._tree = self._tree.stop(), None
            self._tree_row = row if whole else None
        if self._conditions is not None:
            self._guarded("clock", self._conditions.end)
        if whole:
            self._note_device()
        if self._series is not None:
            series = self._series
            self._guarded("series", lambda: series.stop(whole=whole))
        self._entries += whole

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.stop(whole=kind is None)

    def result(
        self, iterations: float | None = None, per: Mapping[str, float | str] | None = None, *, cut: str | None = None
    ) -> Metered:
        """Return the rows of everything that was asked for: a value, or the reason why there is none.

        Args:
            iterations: units of work in all entries, which share the energy; None for the number of entries.
            per: amounts of other units by metric, such as ``energy_per_token``; or why an amount is not known.
            cut: why the block did not run to its end.
        """
        self.stop(whole=False)
        if self._overlaps:
            self._entries, cut = 0, "it was entered again before it ended"
        if not self._entries:
            reason = cut or "it did not run to its end"
            return Metered(measurements=self._meters.reasons(reason, host=not self._is_simulated))
        rows = [*self._memory_rows(), *self._energy_rows(self._entries if iterations is None else iterations, per)]
        rows += [] if self._conditions is None else self._conditions.rows()
        series: Sequence[Series] = ()
        if self._wants("series") and not self._is_simulated:
            lost = self._reasons.get("series")
            if self._series is None or lost is not None:
                rows.append(Measurement.of("rss", pass_name="series", reason=lost or "there is no sampler"))
            else:
                series, summed = self._series.rows()
                rows += summed
        return Metered(measurements=tuple(rows), series=tuple(series))

    def reasons(self, reason: str) -> tuple[Measurement, ...]:
        """Return a row with the same reason for everything that was asked for."""
        return self._meters.reasons(reason, host=not self._is_simulated)

    def marks(self, row: Measurement) -> Measurement:
        """Return a time of this block, which says so if a process sampled beside it or the device was slowed down."""
        row = row if self._conditions is None else self._conditions.marked(row)
        return row if self._series is None else sampled(row)

    def _wants(self, name: str) -> bool:
        return name in self._meters.passes

    @property
    def _counts_host(self) -> bool:
        is_read = self.work.boundary is None and (self._wants("memory") or not self.work.often)
        return is_read and not self._is_simulated

    @property
    def _reads_tree(self) -> bool:
        return self._wants("memory") and not self.work.often and not self._is_simulated

    def _memory_rows(self) -> Iterator[Measurement]:
        if self._counts_host:
            yield from usage_rows(self._usage, self._meters.probe.unmeasured())
        yield from self._device_rows()
        if not self._is_simulated:
            yield from self._other_memory_rows()

    def _other_memory_rows(self) -> Iterator[Measurement]:
        if self._wants("memory"):
            again = f"{self.work.what} cannot be run again apart from their timing, which tracemalloc would slow down"
            yield Measurement.of("python_peak", pass_name="memory", reason=again)
            if self._tree_row is not None:
                yield self._tree_row
            else:
                often = f"the control group is not read for {self.work.what}" if self.work.often else None
                reason = often or self._reasons.get("tree_peak")
                yield Measurement.of("tree_peak", pass_name="memory", reason=reason or "it was not read")
        if self._wants("counters"):
            calls = f"{self.work.what} are not counted: hardware counters are read around calls only"
            yield Measurement.of("instructions", pass_name="counters", reason=calls)
        if self._wants("profile"):
            again = f"{self.work.what} cannot be run again apart from their timing, which counting would slow down"
            yield from (Measurement.of(metric, pass_name="profile", reason=again) for metric in _ASKED_FOR["profile"])
        if self._wants("memray"):
            again = f"{self.work.what} cannot be run again apart from their timing, which memray would slow down"
            yield Measurement.of("native_peak", pass_name="memory", reason=again)

    def _device_rows(self) -> Iterator[Measurement]:
        if self.work.opened is None or self.work.opened.device.is_host:
            return
        if not self._peaks:
            if self._wants("memory"):
                unread = self._reasons.get("device", "this device does not report its memory")
                yield Measurement.of("device_peak", provenance=self.work.provenance, reason=unread)
            return
        for metric, value in self._peaks.items():
            reason = "a function was timed within it, which restarts the peak" if self.disturbed else None
            if reason is None and value <= 0 and metric in _PEAKS:
                reason = "the device's allocator handed out nothing"
            yield Measurement.of(
                metric,
                provenance=self.work.provenance,
                method=DEVICE_PEAK,
                value=None if reason else value,
                reason=reason,
            )

    def _energy_rows(self, iterations: float, per: Mapping[str, float | str] | None) -> Iterator[Measurement]:
        if not self._wants("energy"):
            return
        reason = self._meters.no_energy or self._reasons.get("energy")
        if self._energy is None or reason is not None:
            rows: tuple[Measurement, ...] = (unmeasured(reason or "it was not measured"),)
        else:
            rows = self._energy.rows(iterations)
        yield from rows
        for metric, amount in (per or {}).items():
            yield energy_per(rows[0], metric, amount)

    def _new_energy(self) -> EnergyBlock | None:
        if self._meters.no_energy is not None:
            return None
        opened = self.work.opened
        is_host = opened is None or opened.device.is_host
        plan = EnergyPlan(
            rounds_hint_s=0.0,
            device_uuid=None if opened is None or is_host else opened.device.uuid,
            on_host=is_host,
            provenance=self.work.provenance,
        )
        return EnergyBlock(self._meters.sensors(), plan)

    def _new_series(self) -> SeriesBlock:
        return SeriesBlock(self._meters.sampler(self.work.opened), time.monotonic)

    def _start_device(self, opened: OpenDevice) -> None:
        for outer in self._meters.open:
            outer._note_device()  # noqa: SLF001 - the blocks of one process share the device's peak
        self._guarded("device", opened.reset_memory)
        if self._conditions is not None:
            self._guarded("clock", self._conditions.begin)

    def _lose_series(self) -> None:
        if self._series is not None:
            self._series.stop(whole=False)
            self._reasons["series"] = "a block within it was sampled instead"

    def _note_device(self) -> None:
        opened = self.work.opened
        if opened is not None:
            for metric, value in (self._guarded("device", opened.memory) or {}).items():
                self._peaks[metric] = max(value, self._peaks.get(metric, 0.0))

    def _guarded(self, name: str, read: Callable[[], T]) -> T | None:
        """Read a meter, and keep why it cannot be read: no meter may fail the test."""
        try:
            return read()
        except Exception as error:  # noqa: BLE001 - from a library that a meter uses
            self._reasons.setdefault(name, f"{name} could not be read: {type(error).__name__}: {error}")
            return None


def sampled(row: Measurement) -> Measurement:
    """Return a time that says that a process sampled beside it."""
    return replace(row, details={**(row.details or {}), SAMPLED: True}) if row.pass_name == "time" else row


def usage_rows(usage: BlockUsage | None, unmeasured_here: Mapping[str, str]) -> tuple[Measurement, ...]:
    """Return the peak and the start of the process's resident set in a block."""
    peak, start = (None, None) if usage is None else (usage.peak_rss_bytes, usage.rss_start_bytes)
    rows = []
    for metric, value, method in (
        ("peak_rss", peak, "high-water mark of the resident set"),
        ("rss_start", start, "resident set before the block"),
    ):
        reason = None if value is not None else unmeasured_here.get(metric, "the block was not read")
        rows.append(Measurement.of(metric, method=method, value=None if value is None else float(value), reason=reason))
    return tuple(rows)


def _larger(before: BlockUsage | None, usage: BlockUsage) -> BlockUsage:
    """Return the usage with the larger peak, from the lower start."""
    if before is None:
        return usage
    peaks = [peak for peak in (before.peak_rss_bytes, usage.peak_rss_bytes) if peak is not None]
    return replace(before, peak_rss_bytes=max(peaks, default=None))
