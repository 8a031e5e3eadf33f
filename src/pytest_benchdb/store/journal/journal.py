"""The journal: one line for each finished run, durable before the next test begins.

It is written while tests run, so nothing here imports DuckDB. A line costs one system call and survives `kill -9`; the
fold (`store.journal.fold`) turns it into tables when the session ends. `store.journal.lines` encodes the lines.
"""

import contextlib
import errno
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from pytest_benchdb.store.journal.checksum import sealed
from pytest_benchdb.store.lock import lock_now, unlock
from pytest_benchdb.store.target import JOURNAL_SUFFIX, make_folder

_CREATE_ATTEMPTS = 5
_PIECE_BYTES = 1 << 20
_ROOM_BYTES = 512
"""Length of the second line, which says on a full disk what no new line could."""
_SESSION_FILE_BYTES = 2_000_000
"""About the size of a session file without rounds."""
_RUN = b'{"k":"run",'


class Journal:
    """An open journal; the file is locked while this process records into it.

    Lines that cannot be written wait in memory, and each append tries again: first in the file, then in the other
    folders, with everything so far. There is one file at any time, and it has the first lines of the session in order.
    """

    def __init__(self, name: str, folders: Callable[[], Sequence[Path]], opening: bytes) -> None:
        """Create the journal in the first folder that can be written.

        Args:
            name: the session's id.
            folders: returns the spool, then the fallbacks if that is full or read-only.
            opening: the session's first line.
        """
        self._name = name + JOURNAL_SUFFIX
        self._folders = folders
        self._pid = os.getpid()
        self._fd = -1
        self._room_at = len(opening)
        self._room_is_used = False
        self._waiting = deque([opening + _room({"k": "room"})])
        self._waiting_runs: deque[int] = deque()
        """Number of runs in each of the first of `_waiting`."""
        self.size_bytes = 0
        self.path: Path | None = None
        """The file; None while no folder can be written."""
        self.refusals: dict[Path, str] = {}
        """Why the folders that were tried could not be written."""
        self.written_runs = 0
        """Number of finished runs in the file; counted by `close` if others are missing."""
        self._save()

    @property
    def missing_runs(self) -> int:
        """Number of finished runs that are in no file."""
        for lines in list(self._waiting)[len(self._waiting_runs) :]:
            self._waiting_runs.append(_runs_in(lines))
        return sum(self._waiting_runs)

    def append(self, lines: bytes) -> None:
        """Write whole lines, which then survive the death of the process.

        A forked child of the session writes nothing: its parent does.
        """
        if os.getpid() == self._pid:
            self._waiting.append(lines)
            self._save()

    def close(self, end: bytes) -> None:
        """Write the session's last line and release the file, so that it can be folded; not in a forked child."""
        if os.getpid() != self._pid:
            return
        self.append(end)
        self._return_home()
        if self._fd < 0:
            return
        if self._waiting:
            self.written_runs = self._count_runs()
            self._use_room({**json.loads(end), "lost": self.missing_runs})
        unlock(self._fd)
        os.close(self._fd)
        self._fd = -1

    def _count_runs(self) -> int:
        count, tail = 0, b"\n"
        with contextlib.suppress(OSError):
            for piece in self._pieces():
                count += (tail + piece).count(b"\n" + _RUN)
                tail = piece[-len(_RUN) :]
        return count

    def _save(self) -> None:
        """Write what waits, into another folder if need be."""
        is_there = False
        try:
            # Without a name the file is lost: somebody has removed the folder.
            if self._fd >= 0 and os.fstat(self._fd).st_nlink:
                is_there = True
                while self._waiting:
                    self._write(self._waiting[0])
                    self._waiting.popleft()
                    if self._waiting_runs:
                        self._waiting_runs.popleft()
                if self._room_is_used:
                    self._use_room({"k": "room"})
                return
        except OSError as error:
            self._refuse(error)
        for folder in self._folders():
            if is_there and self.path is not None and folder == self.path.parent:
                continue
            if self._move(folder):
                return
        if self._fd >= 0:
            self._use_room({"k": "full", "lost": self.missing_runs})

    def _write(self, lines: bytes) -> None:
        try:
            _write_all(self._fd, lines)
        except BaseException:
            # A torn line in the middle would hide the lines after it.
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self.size_bytes)
            os.lseek(self._fd, self.size_bytes, os.SEEK_SET)
            raise
        self.size_bytes += len(lines)

    def _use_room(self, entry: Mapping[str, object]) -> None:
        """Replace the second line, which takes no space on the disk."""
        with contextlib.suppress(OSError):
            os.lseek(self._fd, self._room_at, os.SEEK_SET)
            os.write(self._fd, _room(entry))
            self._room_is_used = entry["k"] != "room"
        os.lseek(self._fd, self.size_bytes, os.SEEK_SET)

    def _move(self, folder: Path, *, spare_bytes: int = 0) -> bool:
        """Continue in another folder with everything so far; until that is written, the old file stays as it is."""
        path = folder / self._name
        needed_bytes = self.size_bytes + sum(map(len, self._waiting))
        try:
            descriptor = _create(path, lambda: chain(self._pieces(), self._waiting), needed_bytes + spare_bytes)
        except OSError as error:
            self.refusals[folder] = error.strerror or str(error)
            if self._fd >= 0:
                os.lseek(self._fd, self.size_bytes, os.SEEK_SET)
            return False
        old, old_path = self._fd, self.path
        self._fd, self.path, self.size_bytes = descriptor, path, needed_bytes
        self._waiting.clear()
        self._waiting_runs.clear()
        if self._room_is_used:
            self._use_room({"k": "room"})
        if old >= 0 and old_path is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(old, 0)  # if its folder was renamed, an empty journal stays there, and is removed later
            with contextlib.suppress(OSError):
                if os.path.samestat(os.stat(old_path), os.fstat(old)):
                    old_path.unlink()
            os.close(old)
        return True

    def _return_home(self) -> None:
        """Go back to the spool if it has space for the journal and the session file, or if it was renamed."""
        if self._fd >= 0 and self.path is not None:
            with contextlib.suppress(OSError):
                if os.path.samestat(os.stat(self.path), os.fstat(self._fd)):
                    spool, *_ = self._folders()
                    if self.path.parent != spool:
                        self._move(spool, spare_bytes=self.size_bytes + _SESSION_FILE_BYTES)
                    return
            any(map(self._move, self._folders()))

    def _pieces(self) -> Iterator[bytes]:
        """Yield the content of the file, which may have no name any more."""
        place = 0
        while place < self.size_bytes:
            os.lseek(self._fd, place, os.SEEK_SET)
            piece = os.read(self._fd, min(_PIECE_BYTES, self.size_bytes - place))
            if not piece:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            place += len(piece)
            yield piece

    def _refuse(self, error: OSError) -> None:
        if self.path is not None:
            self.refusals[self.path.parent] = error.strerror or str(error)


def _runs_in(lines: bytes) -> int:
    return (b"\n" + lines).count(b"\n" + _RUN)


def _room(entry: Mapping[str, object]) -> bytes:
    """Return a line of `_ROOM_BYTES`."""
    text = json.dumps({name: value for name, value in entry.items() if name != "crc"}, separators=(",", ":"))
    head = text[:-1].encode() + b',"pad":"'
    return sealed(head + b" " * (_ROOM_BYTES - len(sealed(head + b'"'))) + b'"')


def _create(path: Path, content: Callable[[], Iterable[bytes]], needed_bytes: int) -> int:
    """Create and lock a new file with `content`, and return its descriptor, at the end of the file.

    It gets its name only once it is locked and whole: recovery takes an unlocked journal for that of a dead session.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    # Windows cannot rename an open file.
    hidden = path if os.name == "nt" else path.with_name(f".{path.name.removesuffix(JOURNAL_SUFFIX)}.part")
    for _attempt in range(_CREATE_ATTEMPTS):
        make_folder(path.parent)
        # Another process may empty and remove the inbox meanwhile, or recover and remove parts.
        with contextlib.suppress(FileNotFoundError):
            _require_space(path.parent, needed_bytes)
            with _removed_if_unfinished(hidden, flags) as descriptor:
                lock_now(descriptor)
                os.lseek(descriptor, 0, os.SEEK_SET)  # locking moves it on Windows
                for piece in content():
                    _write_all(descriptor, piece)
                if hidden != path:
                    os.rename(hidden, path)
            return descriptor
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _require_space(folder: Path, needed_bytes: int) -> None:
    if shutil.disk_usage(folder).free < needed_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextlib.contextmanager
def _removed_if_unfinished(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags, 0o644)
    try:
        yield descriptor
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
