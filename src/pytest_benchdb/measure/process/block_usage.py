"""Reads clocks, memory and counters at the two ends of a timed block.

The wall clock is read last at the start and first at the stop, so that the probe's own cost
(about 10 us) is not in the block.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_benchdb.measure.process.proc_files import ProcFiles, counter_error_bytes
from pytest_benchdb.model.run import BlockUsage

if sys.platform != "win32":
    import resource

STEAL_REUSE_NS = 5_000_000
"""Largest age of a reused reading of the stolen time: half of the 10 ms tick in which the kernel counts it.

Reading ``/proc/stat`` costs 6 us on 2 CPUs and hundreds on large machines. Back-to-back blocks share
readings, so no tick is lost or counted twice; a tick may be counted in a neighbour that ran within 5 ms.
"""

BlockToken = tuple[int, int, int, int, "Sequence[float] | None", int | None, int | None, int]
"""Opaque result of `BlockProbe.start`: pid, wall, CPU and thread clock, rusage, steal ticks, resident set, number."""

# Indices into the result of getrusage: attribute access would cost twice as much.
_MAXRSS, _MINFLT, _MAJFLT, _NVCSW, _NIVCSW = 2, 6, 7, 14, 15
_NOTHING_USED = (0,) * 16
_RUSAGE_METRICS = ("minor_faults", "major_faults", "voluntary_switches", "involuntary_switches")


class BlockProbe:
    """Measures blocks of this process, which may lie within each other; one probe per process.

    The kernel keeps one peak of the resident set, and each block restarts it. So a block first adds the peak so far to
    the blocks around it.

    After a fork, the child's first reading opens the child's own files.
    """

    def __init__(
        self,
        *,
        proc_root: Path = Path("/"),
        wall_ns: Callable[[], int] = time.perf_counter_ns,
        cpu_ns: Callable[[], int] = time.process_time_ns,
        platform: str = sys.platform,
    ) -> None:
        """Open the files that are read at both ends of a block, on ``linux`` only."""
        self._wall_ns = wall_ns
        self._cpu_ns = cpu_ns
        self._thread_ns = getattr(time, "thread_time_ns", None)
        self._platform = platform
        self._files = ProcFiles(proc_root) if platform == "linux" else None
        self._pid = os.getpid()
        self._slack_kib = min(counter_error_bytes(), 1 << 20) >> 10 if self._files else 0
        self._steal_ticks: int | None = None
        self._steal_read_ns: int | None = None
        self._portable_rss = None if self._files else _portable_rss()
        self._number = 0
        self._open: dict[int, int] = {}

    def start(self) -> BlockToken:
        """Begin a block; pass the token to `stop`."""
        pid = os.getpid()
        rss = None
        if (files := self._files) is not None:
            self._claim(files, pid)
            if self._open:
                self._carry(files)
            files.reset_peak()
            rss = files.rss_bytes()
        elif self._portable_rss is not None:
            rss = self._portable_rss()
        self._number = number = self._number + 1
        self._open[number] = 0
        steal = self._steal(self._wall_ns())
        usage = _usage()
        thread_ns = self._thread_ns() if self._thread_ns is not None else 0
        cpu_ns = self._cpu_ns()
        return (pid, self._wall_ns(), cpu_ns, thread_ns, usage, steal, rss, number)

    def stop(self, token: BlockToken) -> BlockUsage:
        """End the block that `token` began."""
        wall_ns = self._wall_ns()
        cpu_ns = self._cpu_ns()
        thread_ns = self._thread_ns() if self._thread_ns is not None else None
        usage = _usage()
        start_pid, wall_start, cpu_start, thread_start, usage_start, steal_start, rss, number = token
        if (pid := os.getpid()) != start_pid:
            # The block forked and this is the child: its clocks and counters began at 0 in the block.
            cpu_start, thread_start, usage_start = 0, 0, _NOTHING_USED
        if self._files is not None:
            self._claim(self._files, pid)
        steal = self._steal(wall_ns)
        after, before = usage or _NOTHING_USED, usage_start or _NOTHING_USED
        counted = usage is not None
        return BlockUsage(
            wall_s=(wall_ns - wall_start) / 1e9,
            cpu_s=(cpu_ns - cpu_start) / 1e9,
            thread_s=None if thread_ns is None else (thread_ns - thread_start) / 1e9,
            peak_rss_bytes=self._peak_bytes(before[_MAXRSS], after[_MAXRSS], rss, self._open.pop(number, 0)),
            rss_start_bytes=rss,
            minor_faults=int(after[_MINFLT] - before[_MINFLT]) if counted else None,
            major_faults=int(after[_MAJFLT] - before[_MAJFLT]) if counted else None,
            voluntary_switches=int(after[_NVCSW] - before[_NVCSW]) if counted else None,
            involuntary_switches=int(after[_NIVCSW] - before[_NIVCSW]) if counted else None,
            steal_s=self._seconds(steal_start, steal),
        )

    @property
    def no_peak(self) -> str | None:
        """Why the peak of the resident set cannot be measured here; None if it can."""
        reasons = self._missing_elsewhere() if self._files is None else self._files.reasons
        return reasons.get("peak_rss")

    def unmeasured(self) -> dict[str, str]:
        """Return why metrics of the block cannot be measured here, by metric name in `model.metric`."""
        reasons = dict(self._files.reasons) if self._files is not None else self._missing_elsewhere()
        if self._thread_ns is None:
            reasons["block_thread_time"] = f"{self._platform} has no CPU clock for one thread"
        if _usage() is None:
            reasons |= dict.fromkeys(_RUSAGE_METRICS, f"{self._platform} has no getrusage")
        return reasons

    def close(self) -> None:
        """Close the files; a later `start` opens them again."""
        if self._files is not None:
            self._files.close()

    def _missing_elsewhere(self) -> dict[str, str]:
        # macOS has proc_reset_footprint_interval, but the footprint is not the resident set;
        # Windows' PeakWorkingSetSize and ru_maxrss are peaks of the process, not of one block.
        reasons = {
            "peak_rss": f"{self._platform} has no peak of the resident set that can be reset",
            "steal_time": f"{self._platform} does not report stolen CPU time",
        }
        if self._portable_rss is None:
            reasons["rss_start"] = "psutil cannot be imported"
        return reasons

    def _claim(self, files: ProcFiles, pid: int) -> None:
        if pid != self._pid or not files.owned():
            files.open()
            self._pid = pid

    def _steal(self, now_ns: int) -> int | None:
        if self._files is None:
            return None
        if self._steal_read_ns is None or now_ns - self._steal_read_ns > STEAL_REUSE_NS:
            self._steal_ticks = self._files.steal_ticks()
            self._steal_read_ns = now_ns
        return self._steal_ticks

    def _seconds(self, before_ticks: int | None, ticks: int | None) -> float | None:
        if self._files is None or before_ticks is None or ticks is None:
            return None
        return (ticks - before_ticks) / self._files.ticks_per_s

    def _carry(self, files: ProcFiles) -> None:
        """Add the peak so far to every open block, before another restarts it."""
        peak = files.peak_bytes() or 0
        for number, before in self._open.items():
            self._open[number] = max(before, peak)

    def _peak_bytes(self, mark_before_kib: float, mark_kib: float, rss: int | None, carried: int) -> int | None:
        """Return the peak resident set of the block; `carried` is the peak before blocks within it.

        `ru_maxrss` is the same high-water mark as ``VmHWM``, but at least the peak of the program that called
        `exec`. If it equals the resident set after the reset and has not moved by the stop, the block's peak is
        its start (within the error of the kernel's counter). Otherwise read ``/proc/self/status`` (8.6 us, as
        much as everything else together).
        """
        files = self._files
        if files is None or "peak_rss" in files.reasons:
            return None
        if rss is not None and mark_kib == mark_before_kib and mark_kib - (rss >> 10) <= self._slack_kib:
            return max(rss, carried)
        peak = files.peak_bytes()
        return None if peak is None else max(peak, rss or 0, carried)


def _usage() -> Sequence[float] | None:
    if sys.platform == "win32":
        return None
    return resource.getrusage(resource.RUSAGE_SELF)


def _portable_rss() -> Callable[[], int] | None:
    try:
        import psutil
    except ImportError:
        return None
    process = psutil.Process()
    return lambda: int(process.memory_info().rss)
