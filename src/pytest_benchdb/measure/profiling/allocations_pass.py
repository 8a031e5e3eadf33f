"""The allocations pass: which lines hold memory when a call of the function holds most.

tracemalloc knows how much memory is in use and the most since it was asked, but only a snapshot says by whom, and one
cannot be taken within a line. So the call is cut into steps, from one line, call or return to the next. In the first
call Python makes what it needs to trace the code. The second finds the step in which the peak lies; the third takes a
snapshot where that step begins, before its line has run. What the peak has beyond that was asked for within the step,
by the line that runs then. The third call must reach the same place with the same memory, or there is no answer; what
differs there is how much calls vary.

memray keeps what was in use at the peak by itself, native allocations included.
"""

import contextlib
import gc
import sys
import tempfile
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.profiling.code_names import Lines
from pytest_benchdb.model.allocations import Allocations, Held

PASS = "allocations"
_MOST_FRAMES = 32
"""Callers that tracemalloc keeps of each block; deeper paths are cut."""
_TOLERANCE = 0.01
"""Share by which the memory of two calls may differ at the same place."""
_TOLERANCE_BYTES = 4096

OnceWithin = Callable[[AbstractContextManager[object]], None]
Frames = tuple[tuple[str, int], ...]
"""File and line of each frame, from the innermost outwards."""
Place = tuple[CodeType, int] | None


class _Steps:
    """Follows a call step by step, and remembers the step with the peak; the garbage collector is off.

    Attributes:
        peak_bytes: most memory that was in use.
        peak_step: number of the step in which that was.
        began_bytes: memory in use when that step began.
        place: what ran in that step; None for the benchmark itself.
        threads: threads that were started.
    """

    def __init__(self, snapshot_at: int | None = None) -> None:
        """Follow nothing yet; `snapshot_at` is the number of the step at whose beginning a snapshot is taken."""
        self.peak_bytes = self.peak_step = self.began_bytes = self.threads = 0
        self.place: Place = None
        self.snapshot: tracemalloc.Snapshot | None = None
        self.snapshot_bytes = 0
        self.snapshot_place: Place = None
        self.snapshot_frames: Frames = ()
        self._snapshot_at = snapshot_at
        self._step = 0
        self._now_bytes = 0
        self._now: Place = None

    def __enter__(self) -> None:
        gc.collect()
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._traces = (sys.gettrace(), threading.gettrace())
        threading.settrace(self._thread)
        tracemalloc.start(_MOST_FRAMES if self._snapshot_at is not None else 1)
        if self._snapshot_at == 0:
            self._take(None)
        sys.settrace(self._event)

    def __exit__(self, *_error: object) -> None:
        sys.settrace(self._traces[0])
        threading.settrace(self._traces[1])
        if tracemalloc.is_tracing():
            self._end_step()
            tracemalloc.stop()
        else:
            self.peak_bytes = -1
        if self._was_enabled:
            gc.enable()

    def _thread(self, _frame: FrameType, _event: str, _arg: object) -> None:
        self.threads += 1
        sys.settrace(None)

    def _event(self, frame: FrameType, event: str, _arg: object) -> Any:
        """End a step and begin the next."""
        self._end_step()
        self._step += 1
        at = frame.f_back if event == "return" else frame
        if self._step == self._snapshot_at:
            self._take(at)
        self._now = _place_of(at)
        tracemalloc.reset_peak()
        self._now_bytes = tracemalloc.get_traced_memory()[0]
        return self._event

    def _end_step(self) -> None:
        peak = tracemalloc.get_traced_memory()[1]
        if peak > self.peak_bytes:
            self.peak_bytes, self.peak_step = peak, self._step
            self.began_bytes, self.place = self._now_bytes, self._now

    def _take(self, at: FrameType | None) -> None:
        self.snapshot_bytes = tracemalloc.get_traced_memory()[0]
        self.snapshot_place = _place_of(at)
        self.snapshot_frames = tuple(_frames_of(at))
        self.snapshot = tracemalloc.take_snapshot()


def _place_of(frame: FrameType | None) -> Place:
    return None if frame is None else (frame.f_code, frame.f_lineno)


def _frames_of(frame: FrameType | None) -> Iterator[tuple[str, int]]:
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno or frame.f_code.co_firstlineno  # None where no line is known
        frame = frame.f_back


def python_allocations(once_within: OnceWithin, *, folder: Path) -> Allocations:
    """Return what the lines of Python code hold at the peak of one call of a function, by tracemalloc.

    Args:
        once_within: calls the function once inside a block; setup and teardown are outside. It is called three times.
        folder: the working folder.

    Raises:
        MeasurementError: tracemalloc is at work already, or memory differs from call to call.
        Exception: raised by the function.
    """
    if tracemalloc.is_tracing():
        raise MeasurementError("tracemalloc is at work already, by PYTHONTRACEMALLOC or the suite; turn it off")
    first = _followed(once_within)
    second = _followed(once_within)
    third = _followed(once_within, second.peak_step)
    allowed = max(_TOLERANCE * second.began_bytes, _TOLERANCE_BYTES)
    drift = third.snapshot_bytes - second.began_bytes
    if third.snapshot is None or third.snapshot_place != second.place or abs(drift) > allowed:
        raise MeasurementError(_why_not_repeated(first, second))
    held = _Holders(folder)
    for statistic in third.snapshot.statistics("traceback"):
        frames = tuple((frame.filename, frame.lineno) for frame in reversed(statistic.traceback))
        if frames[0][0] not in _TRACERS:
            held.add(frames, statistic.size, statistic.count)
    held.add(third.snapshot_frames, second.peak_bytes - second.began_bytes, 0)
    return held.allocations(
        metric="python_peak",
        method="tracemalloc, where the step with the peak begins",
        peak_bytes=second.peak_bytes,
        again_bytes=second.peak_bytes + drift,
        threads=second.threads,
    )


def _why_not_repeated(first: _Steps, second: _Steps) -> str:
    if second.threads:
        return "it starts threads, whose memory cannot be followed step by step; native_peak has it, by memray"
    return (
        f"its memory differs from call to call ({first.peak_bytes:,} B at the peak, then {second.peak_bytes:,} B, then "
        "elsewhere); fix the seed of random data, and leave nothing behind for the next call"
    )


_TRACERS = {__file__, tracemalloc.__file__}
"""Files whose own memory is not the benchmark's."""


def _followed(once_within: OnceWithin, snapshot_at: int | None = None) -> _Steps:
    steps = _Steps(snapshot_at)
    once_within(steps)
    if steps.peak_bytes < 0:
        raise MeasurementError("the call itself stopped tracemalloc")
    return steps


def native_allocations(once_within: OnceWithin, *, folder: Path) -> Allocations:
    """Return what the lines of Python code hold at the peak of one call with all native code that they call, by memray.

    Small objects come in arenas; each belongs to the line that needed it first.

    Raises:
        MeasurementError: memray cannot be imported, or is at work already.
        Exception: raised by the function.
    """
    try:
        import memray
    except ImportError as error:
        raise MeasurementError(f"memray cannot be imported ({error}); pip install 'pytest-benchdb[memray]'") from error
    peaks, held = [], _Holders(folder)
    with tempfile.TemporaryDirectory(prefix="benchdb-memray-") as name:
        for number in range(2):
            file = Path(name, f"{number}.bin")
            tracker = memray.Tracker(file, file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS)
            gc.collect()
            try:
                once_within(tracker)
            except RuntimeError as error:
                if "Tracker" not in str(error):
                    raise
                raise MeasurementError(f"memray cannot start: {error}") from error
            with contextlib.closing(memray.FileReader(file)) as reader:
                peaks.append(int(reader.metadata.peak_memory))
                if number:
                    for record in reader.get_high_watermark_allocation_records(merge_threads=True):
                        frames = tuple((path, line) for _, path, line in record.stack_trace())
                        held.add(frames, record.size, record.n_allocations)
    return held.allocations(
        metric="native_peak",
        method=f"memray {getattr(memray, '__version__', '')}".strip(),
        peak_bytes=peaks[1],
        again_bytes=peaks[0],
    )


class _Holders:
    """Adds up what is held along each path."""

    def __init__(self, folder: Path) -> None:
        self._lines = Lines(folder)
        self._sizes: Counter[tuple[int, ...]] = Counter()
        self._blocks: Counter[tuple[int, ...]] = Counter()

    def add(self, frames: Iterable[tuple[str, int]], size_bytes: int, blocks: int) -> None:
        """Add memory that these frames asked for, from the innermost outwards."""
        path = self._lines.path(frames)
        self._sizes[path] += size_bytes
        self._blocks[path] += blocks

    def allocations(self, **about: Any) -> Allocations:
        """Return what was added."""
        held = [
            Held(path=path, size_bytes=size, blocks=self._blocks[path])
            for path, size in self._sizes.most_common()
            if size > 0
        ]
        return Allocations(lines=self._lines.lines, held=held, **about)
