"""An open torch device of any kind: barrier, events, memory statistics, cache flush.

`docs/reference/backends.md` describes the measurements and pitfalls. `TorchParts` has the differences between kinds.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_benchdb.backends.libraries import says_out_of_memory
from pytest_benchdb.backends.torch.peaks import torch_peak_work
from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.interfaces import PeakWork
from pytest_benchdb.model.environment import Device

_STATS = {"device_peak": "allocated_bytes.all", "device_reserved": "reserved_bytes.all"}
# torch's messages, CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_ALLOC_FAILED, UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY.
_PHRASES = ("out of memory", "out_of_memory", "alloc_failed", "out_of_device_memory")
# torch.Event exists even for devices without events: on the cpu it can be created, and `record` raises RuntimeError.
_NO_EVENTS = (AttributeError, NotImplementedError, RuntimeError, TypeError)

SPIN_HZ = 2e9
"""Cycles of `TorchParts.spin` in a second; the true clock is lower on an idle device."""
GRAPH_WARMUP_CALLS = 3
"""Calls before the capture, on the stream that captures: libraries set themselves up and allocate in the first."""
_GRAPH_CLASSES = ("CUDAGraph", "XPUGraph")

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
        current: makes the device the current one in a block; a kind without several devices has no such thing.
        capture: captures the work of a function in a graph.
        spin: queues a kernel that only counts so many cycles of the device; None if this kind has none.
        ranges: torch's module for named ranges in a profiler, ``torch.cuda.nvtx``; None if there is none.
        flush_bytes: size of the buffer that pushes everything out of the caches; None if their size is not known.
    """

    handle: Any
    sync_mode: str
    barrier: Callable[[], None]
    new_event: Callable[[], Any]
    stats: Stats
    reset_peaks: Callable[[], None]
    flush_bytes: int | None
    current: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
    capture: Callable[[Callable[[], object]], Callable[[], object]] | None = None
    spin: Callable[[int], object] | None = None
    ranges: Any = None


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
        self._retries_before = 0
        self._has_ranges = parts.ranges is not None
        self._has_memory_stats = self._first_use()
        self._has_events = self._events_work()

    clock_ns = staticmethod(time.perf_counter_ns)

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

    def move(self, mark: object) -> None:
        """Record an event of `mark` once more: making one takes longer than many a round."""
        mark.record()  # type: ignore[attr-defined]

    def hold(self, seconds: float) -> bool:
        """Queue a kernel that only counts cycles; False if this kind of device has none."""
        if self._parts.spin is None:
            return False
        self._parts.spin(int(seconds * SPIN_HZ))
        return True

    def wait_for(self, mark: object) -> None:
        """Wait for one event, not for the device's other streams."""
        mark.synchronize()  # type: ignore[attr-defined]

    def current(self) -> contextlib.AbstractContextManager[object]:
        """Make this the current device in a block: ``device="cuda"`` and `Tensor.cuda` then mean this one."""
        return self._parts.current()

    def capture(self, function: Callable[[], object]) -> Callable[[], object]:
        """Return a function that replays the work of `function`; see `capture_graph`.

        Raises:
            BackendUnavailableError: torch has no graphs for this kind of device.
            MeasurementError: the work cannot be captured.
        """
        if self._parts.capture is None:
            raise BackendUnavailableError(f"torch has no graphs for {self.device.backend}")
        return self._parts.capture(function)

    def begin_range(self, name: str) -> object:
        """Begin a range for profilers; None if torch was built without NVTX."""
        if not self._has_ranges:
            return None
        try:
            return self._parts.ranges.range_start(name)
        except RuntimeError:  # NVTX functions not installed
            self._has_ranges = False
            return None

    def end_range(self, begun: object) -> None:
        """End a range."""
        if begun is not None:
            self._parts.ranges.range_end(begun)

    def reset_memory(self) -> None:
        """Restart the allocator's peaks at the currently allocated memory, and its count of retries at 0."""
        self._peaks_before_flush = {}
        if self._has_memory_stats:
            self._parts.reset_peaks()
            self._retries_before = self._retries() or 0

    def memory(self) -> Mapping[str, float]:
        """Return the allocator's peaks without our own buffer, what it held without use, and its retries.

        Empty if the allocator has no statistics.
        """
        figures = self._peaks()
        if {"device_peak", "device_reserved"} <= figures.keys():
            figures["device_fragmentation"] = max(0.0, figures["device_reserved"] - figures["device_peak"])
        if figures and (retries := self._retries()) is not None:
            figures["allocator_retries"] = float(retries - self._retries_before)
        return figures

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

    def peak_work(self) -> Iterator[PeakWork]:
        """Yield the work for its peaks."""
        return torch_peak_work(self._torch, self.handle, self.device.memory_bytes)

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

    def _peaks(self) -> dict[str, float]:
        peaks = {metric: value - self._flush_bytes.get(metric, 0) for metric, value in self._stats("peak").items()}
        before = self._peaks_before_flush
        return {metric: float(max(value, before.get(metric, 0.0))) for metric, value in peaks.items()}

    def _retries(self) -> int | None:
        """Return how often the allocator had to free its cache to find memory; None if it does not count."""
        retries = self._parts.stats().get("num_alloc_retries")
        return None if retries is None else int(retries)

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
        peaks, before = self._peaks(), self._stats("current")
        self._flush_buffer = self._torch.empty(size_bytes, dtype=self._torch.uint8, device=self.handle)
        after = self._stats("current")
        if self._has_memory_stats:
            self._parts.reset_peaks()
        self._flush_bytes = {metric: after[metric] - before[metric] for metric in after}
        self._peaks_before_flush = peaks


def capture_graph(module: Any, index: int, function: Callable[[], object]) -> Callable[[], object]:
    """Return a function that replays the work of `function` on a device; its result is that of the captured call.

    Every replay reads and writes the memory of the captured call: the result changes in place.

    Args:
        module: `torch.cuda` or `torch.xpu`.
        index: of the device.
        function: launches work on the current stream and waits for nothing.

    Raises:
        BackendUnavailableError: this torch has no graphs for this kind of device.
        MeasurementError: the work cannot be captured.
    """
    graph_class = next((getattr(module, name) for name in _GRAPH_CLASSES if hasattr(module, name)), None)
    if graph_class is None:
        raise BackendUnavailableError(f"{module.__name__} has no graphs in this version of torch")
    # The default stream of torch.cuda.graph belongs to the device that was current when it was first used.
    stream = module.Stream(device=index)
    graph = graph_class()
    stream.wait_stream(module.current_stream(index))
    # If the capture fails, torch.cuda.graph leaves its stream current; the outer block restores ours.
    with module.device(index), module.stream(stream):
        for _ in range(GRAPH_WARMUP_CALLS):
            function()
        stream.synchronize()
        try:
            with module.graph(graph, stream=stream):
                result = function()
        except Exception as error:
            raise MeasurementError(_why_no_graph(error)) from error
    module.current_stream(index).wait_stream(stream)
    replay = graph.replay

    def replay_graph() -> object:
        replay()
        return result

    return replay_graph


def _why_no_graph(error: BaseException) -> str:
    """Return why a function cannot be captured: the first error, not the one about the capture's end."""
    while error.__context__ is not None:
        error = error.__context__
    text = (str(error).strip().splitlines() or [""])[0]
    return (
        f"the function cannot be captured in a graph: {type(error).__name__}: {text}; "
        "it must not wait for the device (.item(), .cpu(), print) nor allocate outside torch"
    )
