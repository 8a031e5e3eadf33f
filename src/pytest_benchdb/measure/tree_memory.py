"""Peak memory of the process and its children, by the control group that they are in.

cgroup v2's ``memory.peak`` is set back by a write, for the descriptor that wrote only (Linux 6.12,
`Documentation/admin-guide/cgroup-v2.rst`); cgroup v1's ``memory.max_usage_in_bytes`` is set back for everybody
(`cgroup-v1/memory.rst`), so that is done only in a group that holds nobody else. Page cache is counted in.
"""

import os
from dataclasses import dataclass
from pathlib import Path

_CLOSED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class TreePeak:
    """What a control group told of one block.

    Attributes:
        value_bytes: the most memory that the group had; None if it cannot be told.
        start_bytes: memory of the group before the block; None if it cannot be told.
        reason: why there is no value, or why it may not be compared.
        method: file that told it; None without one.
        others: processes in the group that are not of this tree; None if they cannot be told.
    """

    value_bytes: int | None = None
    start_bytes: int | None = None
    reason: str | None = None
    method: str | None = None
    others: int | None = None


class TreeMemory:
    """The control group around one block of this process."""

    def __init__(self, root: Path = Path("/"), pid: int | None = None) -> None:
        """Find the group; nothing is written yet.

        Args:
            root: folder that stands for ``/``.
            pid: process whose tree it is; None for this one.
        """
        self._root = root
        self._pid = pid or os.getpid()
        self._fd = _CLOSED
        self._reason: str | None = None
        self._start_bytes: int | None = None
        self._others: int | None = None
        self._peak, self._usage = _files_of(root)

    def start(self) -> None:
        """Set the peak back; what prevents it is told by `stop`."""
        if self._peak is None or self._usage is None:
            self._reason = "this process is in no control group of its own that counts memory"
            return
        shared = self._peak.name != "memory.peak"
        self._others = self._count_others(self._peak.parent)
        if shared and self._others != 0:
            # Somebody else may be watching the peak of a group that others live in.
            self._reason = f"{self._peak.parent} holds processes of others, whose peak would be set back too"
            return
        try:
            self._fd = os.open(self._peak, os.O_RDWR)
            os.write(self._fd, b"0" if shared else b"reset\n")
            self._start_bytes = int(self._usage.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            self._reason = f"{self._peak} cannot be set back: {error}"
            self._close()

    def stop(self) -> TreePeak:
        """Return the peak since `start`."""
        value = None
        if self._fd != _CLOSED:
            try:
                value = int(os.pread(self._fd, 64, 0))
            except (OSError, ValueError) as error:
                self._reason = f"{self._peak} cannot be read: {error}"
            if value is not None and self._others != 0:
                self._reason = f"the control group holds {self._others or 'unknown'} processes of others as well"
            self._close()
        method = None if self._peak is None else f"cgroup {self._peak.name}"
        return TreePeak(
            value_bytes=value,
            start_bytes=self._start_bytes,
            reason=self._reason,
            method=method,
            others=self._others,
        )

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
            except OSError:  # it ended meanwhile, or belongs to nobody in this namespace
                return False
            pid = int(stat.rpartition(")")[2].split()[1])
        return False


def _files_of(root: Path) -> tuple[Path | None, Path | None]:
    """Return the files of this process's group that tell its peak and its memory now."""
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
