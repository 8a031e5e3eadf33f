"""The files under ``/proc`` that are read around every block, kept open.

Opening them each time would cost more than everything else together (about 4 us per file).
"""

import errno
import functools
import os
from pathlib import Path

OPENED = {
    "clear_refs": ("proc/self/clear_refs", os.O_WRONLY),
    "status": ("proc/self/status", os.O_RDONLY),
    "statm": ("proc/self/statm", os.O_RDONLY),
    "stat": ("proc/stat", os.O_RDONLY),
}
_METRIC = {"clear_refs": "peak_rss", "status": "peak_rss", "statm": "rss_start", "stat": "steal_time"}
_CLOSED = -1
_LEFT_TO_TESTS = 10
"""File descriptors that stay free where the limit is low."""
_STATUS_BYTES = 8192  # VmHWM is in the first kilobyte, after the list of groups


def _open_spare(path: Path, flags: int) -> int:
    """Open a file, but leave the last descriptors of the process to its tests."""
    descriptor = os.open(path, flags)
    if 0 < os.sysconf("SC_OPEN_MAX") <= descriptor + _LEFT_TO_TESTS:
        os.close(descriptor)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return descriptor


class ProcFiles:
    """Open files of this process; a reading is None if its file cannot be read.

    Attributes:
        reasons: why a metric cannot be measured here, by metric name.
        ticks_per_s: unit of `steal_ticks`.
    """

    def __init__(self, root: Path) -> None:
        """Open the files; `root` replaces ``/``."""
        self._root = root
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self.ticks_per_s = os.sysconf("SC_CLK_TCK")
        self._fds: dict[str, int] = {}
        self._reset_identity = (0, 0)
        self.reasons: dict[str, str] = {}
        self.open()
        self._check_reset()

    def open(self) -> None:
        """Open the files of the calling process, without closing the old descriptors.

        If they were closed elsewhere in the process, their numbers may now belong to other files.
        """
        for name, (path, flags) in OPENED.items():
            if _METRIC[name] in self.reasons:
                continue
            try:
                self._fds[name] = _open_spare(self._root / path, flags)
            except OSError as error:
                self._give_up(name, error)
        if "peak_rss" not in self.reasons:
            status = os.fstat(self._fds["clear_refs"])
            self._reset_identity = (status.st_ino, status.st_dev)

    def close(self) -> None:
        """Close every file."""
        for name, fd in self._fds.items():
            if fd != _CLOSED:
                os.close(fd)
            self._fds[name] = _CLOSED

    def owned(self) -> bool:
        """Return whether the descriptor that is written to is still ours.

        A test may close all descriptors and then open a file that gets the same number. Writing to
        it would damage that file. One `fstat` (0.8 us) rules this out.
        """
        if "peak_rss" in self.reasons:
            return True
        try:
            status = os.fstat(self._fds["clear_refs"])
        except OSError:
            return False
        return (status.st_ino, status.st_dev) == self._reset_identity

    def reset_peak(self) -> bool:
        """Reset the high-water mark of the resident set to its current size; return whether it worked."""
        if "peak_rss" in self.reasons:
            return False
        try:
            os.write(self._fds["clear_refs"], b"5")
        except OSError as error:
            self._give_up("clear_refs", error)
            return False
        return True

    def peak_bytes(self) -> int | None:
        """Return the high-water mark of the resident set since `reset_peak`."""
        if "peak_rss" in self.reasons:
            return None
        try:
            return _status_bytes(os.pread(self._fds["status"], _STATUS_BYTES, 0), b"VmHWM:")
        except (OSError, ValueError, IndexError) as error:
            self._give_up("status", error)
            return None

    def rss_bytes(self) -> int | None:
        """Return the resident set now."""
        if "rss_start" in self.reasons:
            return None
        try:
            return int(os.pread(self._fds["statm"], 128, 0).split()[1]) * self._page_bytes
        except (OSError, ValueError, IndexError) as error:
            self._give_up("statm", error)
            return None

    def steal_ticks(self) -> int | None:
        """Return the stolen CPU time of all cores since boot; there are `ticks_per_s` ticks in a second."""
        if "steal_time" in self.reasons:
            return None
        try:
            return int(os.pread(self._fds["stat"], 256, 0).split(b"\n", 1)[0].split()[8])
        except (OSError, ValueError, IndexError) as error:
            self._give_up("stat", error)
            return None

    def _give_up(self, name: str, error: Exception) -> None:
        text = error.strerror if isinstance(error, OSError) else "its content is not understood"
        verb = "written" if name == "clear_refs" else "read"
        self._fds.setdefault(name, _CLOSED)
        self.reasons.setdefault(_METRIC[name], f"{self._root / OPENED[name][0]} cannot be {verb}: {text}")

    def _check_reset(self) -> None:
        # A sandbox that emulates Linux may accept the write and ignore it.
        if not self.reset_peak() or (peak := self.peak_bytes()) is None:
            return
        status = os.pread(self._fds["status"], _STATUS_BYTES, 0)
        if peak - _status_bytes(status, b"VmRSS:") > counter_error_bytes():
            path = self._root / OPENED["clear_refs"][0]
            self.reasons["peak_rss"] = f"{path} takes the reset, but VmHWM stays where it was"


@functools.cache  # counting the processors takes 20 us, and every recorded test needs this
def counter_error_bytes() -> int:
    """Return the largest error of the kernel's resident-set counter on this machine.

    Since Linux 6.2 it is a per-CPU counter that is summed lazily, in batches of
    max(32, 2 x CPUs) pages on each CPU (`lib/percpu_counter.c`).
    """
    cpus = os.cpu_count() or 1
    return max(32, 2 * cpus) * cpus * os.sysconf("SC_PAGE_SIZE")


def _status_bytes(status: bytes, name: bytes) -> int:
    begin = status.index(name) + len(name)
    return int(status[begin : status.index(b"kB", begin)]) * 1024
