"""The journal: one line for each finished run, durable before the next test begins.

It is written while tests run, so nothing here imports DuckDB. A line costs one system call and survives `kill -9`; the
fold (`store.journal.fold`) turns it into tables when the session ends. `store.journal.lines` encodes the lines.
"""

import contextlib
import errno
import os
from collections.abc import Sequence
from pathlib import Path

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store.lock import lock_now, unlock
from pytest_benchdb.store.target import JOURNAL_SUFFIX, make_folder

_CREATE_ATTEMPTS = 5


class Journal:
    """An open journal; the file is locked while this process records into it.

    If a line cannot be written, the whole journal moves to the next of its folders.
    """

    def __init__(self, name: str, folders: Sequence[Path]) -> None:
        """Create the journal in the first of `folders` that can be written.

        Args:
            name: the session's id.
            folders: the spool, then the fallbacks if that is full or read-only.

        Raises:
            StoreError: none of the folders can be written.
        """
        self._name = name + JOURNAL_SUFFIX
        self._folders = list(folders)
        self._pid = os.getpid()
        self._fd = -1
        self.size_bytes = 0
        self.path = Path()
        self.moved_because: str | None = None
        self._open_next()

    def append(self, lines: bytes) -> None:
        """Write whole lines, which then survive the death of the process.

        A forked child of the session writes nothing: its parent does.

        Raises:
            StoreError: none of the folders can be written.
        """
        if os.getpid() != self._pid:
            return
        try:
            self._write(lines)
        except OSError as error:
            self._move(error)
            self.append(lines)

    def close(self) -> None:
        """Release the file, so that it can be folded; in a forked child, leave it to the parent."""
        if self._fd >= 0 and os.getpid() == self._pid:
            unlock(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _write(self, lines: bytes) -> None:
        view = memoryview(lines)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            # A torn line in the middle would hide the lines after it.
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self.size_bytes)
            raise
        self.size_bytes += len(lines)

    def _move(self, error: OSError) -> None:
        """Continue in the next folder, and move the lines written so far there."""
        self.moved_because = f"{self.path.parent} cannot be written: {error.strerror}"
        old_path, old_fd = self.path, self._fd
        with contextlib.suppress(OSError):
            kept = old_path.read_bytes()[: self.size_bytes]
            self._open_next()
            self._write(kept)
            os.close(old_fd)
            old_path.unlink()
            return
        raise StoreError(f"{self.moved_because}, nor can any other folder; free space and run again")

    def _open_next(self) -> None:
        reason = self.moved_because
        while self._folders:
            folder = self._folders.pop(0)
            try:
                self._fd = _create(folder / self._name)
            except OSError as error:
                reason = reason or f"{folder} cannot be written: {error.strerror}"
                continue
            self.size_bytes = 0
            self.path = folder / self._name
            self.moved_because = reason
            return
        message = f"{reason or 'there is no folder to write into'}; give another PATH with --benchdb=PATH"
        raise StoreError(message)


def _create(path: Path) -> int:
    """Create and lock a new file, and return its descriptor.

    It gets its name only once it is locked: recovery takes an unlocked journal for that of a dead session.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    # Windows cannot rename an open file.
    hidden = path if os.name == "nt" else path.with_name(f".{path.name.removesuffix(JOURNAL_SUFFIX)}.part")
    for _attempt in range(_CREATE_ATTEMPTS):
        make_folder(path.parent)
        descriptor = -1
        # Between two of these lines, another process may empty and remove the inbox, or recover and remove parts.
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(hidden, flags, 0o644)
            lock_now(descriptor)
            if hidden != path:
                os.rename(hidden, path)
            return descriptor
        if descriptor >= 0:
            os.close(descriptor)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
