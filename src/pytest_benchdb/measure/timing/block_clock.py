"""All clocks around one block of code: wall, CPU and, if there is one, the device's own.

The wall clock is read last at the beginning and first at the end, as in `measure.process.block_usage`, so that
reading the other clocks (about 1 us) is not in the block. The device's work is: there is a barrier at both ends.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.measure.timing.tracers import Tracers, put_back, take_off
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement

Nanoseconds = Callable[[], int]
THREAD_NS: Nanoseconds | None = getattr(time, "thread_time_ns", None)  # macOS before 10.12 has none
Begun = tuple[Tracers | None, object, int, int, int, int]
"""Opaque readings at the beginning of a block: tracers, mark, thread id, and thread, CPU and wall clock in nanoseconds.

It is a tuple because creating a dataclass takes more than a microsecond, which would be in the block.
"""


@dataclass(frozen=True, slots=True)
class BlockTime:
    """Times of one block, seconds.

    Attributes:
        wall_s: wall-clock time, including the barrier at the end.
        cpu_s: CPU time of the process, all threads.
        thread_s: CPU time of the thread; None if there is no such clock, or the block changed threads.
        device_s: time on the device's own clock; None if it has none.
    """

    wall_s: float
    cpu_s: float
    thread_s: float | None = None
    device_s: float | None = None

    def __add__(self, other: "BlockTime") -> "BlockTime":
        return BlockTime(
            self.wall_s + other.wall_s,
            self.cpu_s + other.cpu_s,
            _sum(self.thread_s, other.thread_s),
            _sum(self.device_s, other.device_s),
        )


class BlockClock:
    """Reads the clocks of one device and of this process."""

    def __init__(
        self,
        device: OpenDevice,
        *,
        cpu_ns: Nanoseconds = time.process_time_ns,
        thread_ns: Nanoseconds | None = THREAD_NS,
    ) -> None:
        """Take the device, whose wall clock is read, and the CPU clocks."""
        self._device = device
        self._cpu_ns = cpu_ns
        self._thread_ns = thread_ns

    def begin(self) -> Begun:
        """Take tracers off, wait for the device, then begin a block."""
        tracers = take_off()
        device = self._device
        device.synchronize()
        mark = device.mark()
        thread = threading.get_ident()
        thread_ns = self._thread_ns() if self._thread_ns is not None else 0
        cpu_ns = self._cpu_ns()
        return (tracers, mark, thread, thread_ns, cpu_ns, device.clock_ns())

    @staticmethod
    def leave(begun: Begun) -> None:
        """Put the tracers back; after `end`, or instead of it for a block that ended with an exception.

        Call it from where `begin` was called: see `take_off`.
        """
        tracers, _, thread, *_ = begun
        if threading.get_ident() == thread:
            put_back(tracers)

    def end(self, begun: Begun) -> BlockTime:
        """Wait for the device, then end the block; `begun` is the result of `begin`, and `leave` gets it next."""
        device = self._device
        _, begin, thread, begin_thread_ns, begin_cpu_ns, begin_wall_ns = begun
        mark = device.mark() if begin is not None else None
        device.synchronize()
        wall_ns = device.clock_ns()
        cpu_ns = self._cpu_ns()
        thread_s = None
        if self._thread_ns is not None and threading.get_ident() == thread:
            thread_s = (self._thread_ns() - begin_thread_ns) / 1e9
        return BlockTime(
            wall_s=(wall_ns - begin_wall_ns) / 1e9,
            cpu_s=(cpu_ns - begin_cpu_ns) / 1e9,
            thread_s=thread_s,
            device_s=None if mark is None else device.elapsed_s(begin, mark),
        )


def wall_method(sync_mode: str | None) -> str:
    """Return the method of a block's wall time."""
    return "wall clock" if sync_mode is None else f"wall clock, barrier at both ends ({sync_mode})"


def mark_method(*, waits: bool) -> str:
    """Return the method of a device's time; `waits` if the device was idle before the work was launched."""
    return "marks on the device's timeline" + (", launches included" if waits else "")


def time_rows(
    times: Sequence[BlockTime],
    *,
    metric: str = "wall_time",
    phase: str | None,
    sync_mode: str | None,
    provenance: Provenance,
    details: Mapping[str, object] | None = None,
) -> list[Measurement]:
    """Return the wall, CPU and device times of blocks of one kind as rows.

    `times` has one block per sample, at least one, in run order; `metric` is the name of the wall time.
    """

    def row(name: str, method: str, samples: Sequence[float | None]) -> Measurement:
        measured = [sample for sample in samples if sample is not None]
        whole = len(measured) == len(samples)
        return Measurement(
            metric=name,
            unit="s",
            better="lower",
            phase=phase,
            provenance=provenance,
            method=method,
            samples=measured if whole else None,
            reason=None if whole else "no CPU clock for one thread, or the block changed threads",
            details=details,
        )

    rows = [
        row(metric, wall_method(sync_mode), [block.wall_s for block in times]),
        row("cpu_time", "process_time", [block.cpu_s for block in times]),
        row("thread_time", "thread_time", [block.thread_s for block in times]),
    ]
    if all(block.device_s is not None for block in times):
        rows.append(row("device_time", mark_method(waits=sync_mode is not None), [block.device_s for block in times]))
    return rows


def missing_rows(
    reason: str,
    *,
    metric: str = "wall_time",
    phase: str | None,
    provenance: Provenance,
    details: Mapping[str, object] | None = None,
) -> list[Measurement]:
    """Return rows without values for blocks that were not measured."""
    return [
        Measurement(
            metric=name,
            unit="s",
            better="lower",
            phase=phase,
            provenance=provenance,
            reason=reason,
            details=details,
        )
        for name in (metric, "cpu_time", "thread_time")
    ]


def _sum(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left + right
