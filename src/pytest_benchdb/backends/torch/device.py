"""An open torch device of any kind: barrier, events, memory statistics, cache flush.

`docs/reference/backends.md` describes the measurements and pitfalls. `TorchParts` has the differences between kinds.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_benchdb.backends.libraries import says_out_of_memory
from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.model.environment import Device

_STATS = {"device_peak": "allocated_bytes.all", "device_reserved": "reserved_bytes.all"}
# torch's messages, CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_ALLOC_FAILED, UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY.
_PHRASES = ("out of memory", "out_of_memory", "alloc_failed", "out_of_device_memory")
# torch.Event exists even for devices without events: on the cpu it can be created, and `record` raises RuntimeError.
_NO_EVENTS = (AttributeError, NotImplementedError, RuntimeError, TypeError)

Stats = Callable[[], Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchParts:
    """The functions of one kind of device.

    Attributes:
        handle: the `torch.device`.
        sync_mode: name of `barrier`, as stored.
        barrier: returns once the device has finished all its work.
        new_event: makes an event that can be timed on this device's current stream.
        stats: returns statistics of the device's allocator; empty while it is not initialised.
        reset_peaks: restarts the peaks in `stats`.
        flush_bytes: size of the buffer that pushes everything out of the caches; None if their size is not known.
    """

    handle: Any
    sync_mode: str
    barrier: Callable[[], None]
    new_event: Callable[[], Any]
    stats: Stats
    reset_peaks: Callable[[], None]
    flush_bytes: int | None


class OpenTorchDevice:
    """An open torch device.

    Attributes:
        device: its description.
        handle: the `torch.device`.
        sync_mode: name of the barrier: ``torch.cuda.synchronize``.
    """

    def __init__(self, torch: Any, device: Device, parts: TorchParts) -> None:
        """Run one tiny operation on a device and find out what it can measure.

        Raises:
            MeasurementError: the operation gave a wrong result.
            Exception: raised by the operation.
        """
        self.device = device
        self.handle: object = parts.handle
        self.sync_mode: str | None = parts.sync_mode
        self._torch = torch
        self._parts = parts
        self._flush_buffer: Any = None
        self._flush_bytes: Mapping[str, int] = {}
        self._peaks_before_flush: Mapping[str, float] = {}
        self._has_memory_stats = self._first_use()
        self._has_events = self._events_work()

    def clock_ns(self) -> int:
        """Return the wall clock, nanoseconds."""
        return time.perf_counter_ns()

    def synchronize(self) -> None:
        """Wait for all streams of the device."""
        self._parts.barrier()

    def mark(self) -> object | None:
        """Record an event on the current stream; None if events cannot be timed."""
        if not self._has_events:
            return None
        event: object = self._parts.new_event()
        event.record()  # type: ignore[attr-defined]
        return event

    def elapsed_s(self, begin: object, end: object) -> float:
        """Return the time between two completed events, seconds; torch returns milliseconds."""
        return float(begin.elapsed_time(end)) / 1e3  # type: ignore[attr-defined]

    def reset_memory(self) -> None:
        """Restart the allocator's peaks at the currently allocated memory."""
        self._peaks_before_flush = {}
        if self._has_memory_stats:
            self._parts.reset_peaks()

    def memory(self) -> Mapping[str, float]:
        """Return the allocator's peaks without our own buffer, bytes; empty if the allocator has no statistics."""
        peaks = {metric: value - self._flush_bytes.get(metric, 0) for metric, value in self._stats("peak").items()}
        before = self._peaks_before_flush
        return {metric: float(max(value, before.get(metric, 0.0))) for metric, value in peaks.items()}

    def flush_cache(self) -> bool:
        """Write zeros to more memory than the caches hold; False if their size is unknown or memory is short."""
        if not self._parts.flush_bytes:
            return False
        try:
            if self._flush_buffer is None:
                self._take_flush_buffer(self._parts.flush_bytes)
            self._flush_buffer.zero_()
        except Exception as error:
            if self.is_out_of_memory(error):
                return False
            raise
        return True

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an exception means that the device ran out of memory."""
        # torch.OutOfMemoryError exists since 2.5; torch.cuda.OutOfMemoryError is an older name of the same class.
        own = getattr(self._torch, "OutOfMemoryError", None)
        return says_out_of_memory(error, _PHRASES, classes=() if own is None else (own,))

    def close(self) -> None:
        """Free our own buffer; the context stays, because torch cannot release it."""
        self._flush_buffer = None
        self._flush_bytes = {}

    def _first_use(self) -> bool:
        """Run an addition, and return whether the allocator has counted its operands.

        An allocator that is not initialised, or has no statistics (``PYTORCH_NO_CUDA_MEMORY_CACHING=1``; MPS before
        torch 2.15), returns 0, which would look like a measurement.
        """
        ones = self._torch.ones(8, device=self.handle)
        total = float((ones + ones).sum().item())
        self._parts.barrier()
        if total != 16.0:  # noqa: PLR2004 - 8 times 1 + 1
            raise MeasurementError(f"{self.handle} cannot be trusted: eight times 1 + 1 gave {total:g}, not 16")
        return self._read_stats("current").get("device_peak", 0) > 0

    def _events_work(self) -> bool:
        try:
            begin, end = self._parts.new_event(), self._parts.new_event()
            begin.record()
            end.record()
            self._parts.barrier()
            return float(begin.elapsed_time(end)) >= 0.0
        except _NO_EVENTS:
            return False

    def _stats(self, moment: str) -> dict[str, int]:
        return self._read_stats(moment) if self._has_memory_stats else {}

    def _read_stats(self, moment: str) -> dict[str, int]:
        try:
            stats = self._parts.stats()
        except (AttributeError, NotImplementedError, RuntimeError):  # this torch has none for this kind
            return {}
        values = {metric: stats.get(f"{name}.{moment}") for metric, name in _STATS.items()}
        return {metric: int(value) for metric, value in values.items() if value is not None}

    def _take_flush_buffer(self, size_bytes: int) -> None:
        """Allocate the buffer, and record its size and the peaks before it, so that `memory` can leave it out."""
        peaks, before = self.memory(), self._stats("current")
        self._flush_buffer = self._torch.empty(size_bytes, dtype=self._torch.uint8, device=self.handle)
        after = self._stats("current")
        self.reset_memory()
        self._flush_bytes = {metric: after[metric] - before[metric] for metric in after}
        self._peaks_before_flush = peaks
