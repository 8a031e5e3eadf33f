"""The memory pass: the memory of a call, each metric in a separate untimed execution.

The metrics differ. The resident set is memory in use: 200 MiB that were allocated and never touched are not in it.
tracemalloc and memray count allocations. The control group includes children and page cache. None of them may run
during the timing: tracemalloc slows Python down 4 to 22 times.

A write resets cgroup v2's ``memory.peak``, but only for the file descriptor that wrote (Linux 6.12,
`Documentation/admin-guide/cgroup-v2.rst`). It resets cgroup v1's ``memory.max_usage_in_bytes`` for everybody
(`cgroup-v1/memory.rst`), so we only do that in a group without other processes.
"""

import gc
import os
import tempfile
import tracemalloc
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.measure.process.growth import give_back
from pytest_benchdb.measure.process.proc_files import counter_error_bytes
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.run import Measurement

_CLOSED = -1
DEFAULT_METRIC_NAMES = ("peak_rss", "uss", "python_peak", "tree_peak")
"""All metrics but `native_peak`, which needs the extra ``[memray]``; `uss` needs psutil."""
Call = Callable[[], object]


class TreeMemory:
    """The control group around one block of this process."""

    def __init__(self, root: Path = Path("/"), pid: int | None = None) -> None:
        """Find the group of a process, None for this one; write nothing yet. `root` replaces ``/``."""
        self._root = root
        self._pid = pid or os.getpid()
        self._fd = _CLOSED
        self._reason: str | None = None
        self._start_bytes: int | None = None
        self._others: int | None = None
        self._peak, self._usage = _cgroup_files(root)

    def start(self) -> None:
        """Reset the peak; if that fails, `stop` returns the reason."""
        if self._peak is None or self._usage is None:
            self._reason = "this process is not in a control group of its own that counts memory"
            return
        shared = self._peak.name != "memory.peak"
        self._others = self._count_others(self._peak.parent)
        if shared and self._others != 0:
            # Another program may be watching the peak of a shared group.
            self._reason = f"{self._peak.parent} holds other processes, whose peak would be reset too"
            return
        try:
            self._fd = os.open(self._peak, os.O_RDWR)
            os.write(self._fd, b"0" if shared else b"reset\n")
            self._start_bytes = int(self._usage.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            self._reason = f"{self._peak} cannot be reset: {error}"
            self._close()

    def stop(self) -> Measurement:
        """Return the peak memory of the group since `start`, with a reason if it must not be compared."""
        value = None
        if self._fd != _CLOSED:
            try:
                value = int(os.pread(self._fd, 64, 0))
            except (OSError, ValueError) as error:
                self._reason = f"{self._peak} cannot be read: {error}"
            if value is not None and self._others != 0:
                self._reason = f"the control group also holds {self._others or 'unknown'} other processes"
            self._close()
        method = None if self._peak is None else f"cgroup {self._peak.name}"
        details = {"start_bytes": self._start_bytes, "other_processes": self._others}
        return _measurement("tree_peak", value=value, reason=self._reason, method=method, details=details)

    def _close(self) -> None:
        if self._fd != _CLOSED:
            os.close(self._fd)
            self._fd = _CLOSED

    def _count_others(self, folder: Path) -> int | None:
        try:
            pids = [int(line) for line in (folder / "cgroup.procs").read_text(encoding="ascii").split()]
        except (OSError, ValueError):
            return None
        return sum(not self._is_ours(pid) for pid in pids)

    def _is_ours(self, pid: int) -> bool:
        while pid > 0:
            if pid == self._pid:
                return True
            try:
                stat = (self._root / "proc" / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:  # it has ended, or is in another namespace
                return False
            pid = int(stat.rpartition(")")[2].split()[1])
        return False


def _cgroup_files(root: Path) -> tuple[Path | None, Path | None]:
    """Return the files with the peak and the current memory of this process's group; None without a group."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None, None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        names = controllers.split(",")
        if "memory" in names:
            folder, peak, usage = "memory", "memory.max_usage_in_bytes", "memory.usage_in_bytes"
        elif names == [""]:
            folder, peak, usage = "", "memory.peak", "memory.current"
        else:
            continue
        group = root / "sys/fs/cgroup" / folder / path.lstrip("/")
        # The root group has no such file in v2, and is the whole machine in v1.
        if (group / peak).exists() and (folder == "" or path != "/"):
            return group / peak, group / usage
    return None, None


def measure_memory(
    call: Call,
    *,
    probe: BlockProbe,
    metrics: Collection[str] = DEFAULT_METRIC_NAMES,
    root: Path = Path("/"),
) -> tuple[Measurement, ...]:
    """Execute a call once for each of `metrics`; return rows of the pass ``memory``, in bytes.

    The result of the call is kept until memory has been read. A metric that cannot be measured here has a reason.
    `root` replaces ``/``.

    Raises:
        Exception: raised by the call; all tracing is stopped.
    """
    measure: dict[str, Callable[[Call], tuple[Measurement, ...]]] = {
        "peak_rss": lambda prepared: _resident(prepared, probe, with_uss="uss" in metrics),
        "python_peak": _python_peak,
        "tree_peak": lambda prepared: _tree_peak(prepared, TreeMemory(root)),
        "native_peak": _native_peak,
    }
    rows: list[Measurement] = []
    for name, measure_metric in measure.items():
        if name in metrics or (name == "peak_rss" and "uss" in metrics):
            settle()
            rows.extend(measure_metric(call))
    return tuple(row for row in rows if row.metric in metrics or row.metric == "rss_start")


def settle(library: Callable[[], Any] | None = None) -> bool:
    """Collect garbage and return free memory to the system, so that a call cannot reuse memory of other code.

    Return whether memory was returned: only glibc has `malloc_trim`. `library` opens the C library.
    """
    gc.collect()
    try:
        return give_back(library)
    except (AttributeError, OSError, TypeError):
        return False


def _resident(call: Call, probe: BlockProbe, *, with_uss: bool) -> tuple[Measurement, ...]:
    uss = _Uss() if with_uss else None
    token = probe.start()
    try:
        result = call()
    finally:
        usage = probe.stop(token)
    private = () if uss is None else (uss.read(),)
    del result
    reasons = probe.unmeasured()
    peak, start = usage.peak_rss_bytes, usage.rss_start_bytes
    details = None
    if peak is not None and start is not None:
        details = {"increase_bytes": peak - start, "counter_error_bytes": counter_error_bytes()}
    return (
        _measurement(
            "peak_rss", value=peak, reason=reasons.get("peak_rss"), method="VmHWM since clear_refs", details=details
        ),
        _measurement("rss_start", value=start, reason=reasons.get("rss_start"), method="resident set before the call"),
        *private,
    )


class _Uss:
    """Memory that would be freed if the process ended now; read once, because reading costs 15 ms per GiB."""

    def __init__(self) -> None:
        self._reason: str | None = None
        try:
            import psutil  # before the call: afterwards its own 3 MiB would be counted
        except ImportError:
            self._reason = "psutil cannot be imported"
        else:
            self._read: Callable[[], Any] = psutil.Process().memory_full_info

    def read(self) -> Measurement:
        value = None
        if self._reason is None:
            try:
                value = int(self._read().uss)
            except Exception as error:  # noqa: BLE001 - AttributeError, OSError or one of psutil's errors
                self._reason = f"psutil cannot read it: {error}"
        return _measurement(
            "uss", value=value, reason=self._reason, method="psutil memory_full_info, its result still held"
        )


def _python_peak(call: Call) -> tuple[Measurement, ...]:
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start(1)
    try:
        tracemalloc.reset_peak()
        start = tracemalloc.get_traced_memory()[0]
        call()
        peak = tracemalloc.get_traced_memory()[1] - start if tracemalloc.is_tracing() else None
    finally:
        if not was_tracing:
            tracemalloc.stop()
    reason = "the call itself stopped tracemalloc" if peak is None else None
    return (_measurement("python_peak", value=peak, reason=reason, method="tracemalloc"),)


def _tree_peak(call: Call, tree: TreeMemory) -> tuple[Measurement, ...]:
    tree.start()
    try:
        call()
    finally:
        row = tree.stop()
    return (row,)


def _native_peak(call: Call) -> tuple[Measurement, ...]:
    try:
        import memray
    except ImportError as error:
        reason = f"memray cannot be imported ({error}); pip install 'pytest-benchdb[memray]'"
        return (_measurement("native_peak", value=None, reason=reason, method="memray"),)
    with tempfile.TemporaryDirectory(prefix="benchdb-memray-") as folder:
        file = Path(folder) / "allocations.bin"
        tracker = memray.Tracker(file, file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS)
        try:
            tracker.__enter__()
        except RuntimeError as error:  # another tracker is active: pytest --memray
            reason = f"memray cannot start: {error}"
            return (_measurement("native_peak", value=None, reason=reason, method="memray"),)
        try:
            call()
        finally:
            tracker.__exit__(None, None, None)
        with memray.FileReader(file) as reader:
            peak = int(reader.metadata.peak_memory)
    method = f"memray {getattr(memray, '__version__', '')}".strip()
    return (_measurement("native_peak", value=peak, reason=None, method=method),)


def _measurement(
    metric: str,
    *,
    value: float | None,
    reason: str | None,
    method: str | None,
    details: Mapping[str, object] | None = None,
) -> Measurement:
    registered = METRICS.get(metric)
    return Measurement(
        metric=metric,
        unit="B",
        better="lower" if registered is None else registered.better,
        pass_name="memory",
        method=method,
        value=value,
        reason=reason,
        valid=reason is None,
        details=details,
    )
