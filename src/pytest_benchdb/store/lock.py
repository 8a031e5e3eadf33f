"""Advisory file locks between processes; the operating system releases them when a process dies."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pytest_benchdb.errors import StoreLockedError
from pytest_benchdb.store.regular_file import open_regular

_RETRY_S = 0.02

if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    # Far beyond the end of any file, because a Windows lock keeps others from reading its range.
    _OFFSET = 1 << 62

    def lock_now(fd: int, *, shared: bool = False) -> bool:  # noqa: ARG001
        """Take the lock if it is free; Windows has only exclusive locks."""
        os.lseek(fd, _OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def wait_for_lock(fd: int) -> None:
        """Take the lock as soon as it is free."""
        while not lock_now(fd):
            time.sleep(_RETRY_S)

    def unlock(fd: int) -> None:
        """Release the lock if it is held."""
        os.lseek(fd, _OFFSET, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def lock_now(fd: int, *, shared: bool = False) -> bool:
        """Take the lock on an open file if it is free; return whether it was taken.

        True on a file system without locks (some network disks): there is nothing to wait for.
        """
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def wait_for_lock(fd: int) -> None:
        """Take the lock as soon as it is free, without using CPU time until then.

        Raises:
            OSError: the file system has no locks.
        """
        fcntl.flock(fd, fcntl.LOCK_EX)

    def unlock(fd: int) -> None:
        """Release the lock, even if a forked child still holds the descriptor."""
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)


@contextlib.contextmanager
def file_lock(path: Path, *, timeout_s: float, shared: bool = False) -> Iterator[None]:
    """Hold the lock on `path` for the length of a block; create the file if it is missing.

    Raises:
        StoreLockedError: another process held it for longer than `timeout_s`.
        OSError: the lock file cannot be created.
    """
    fd = open_regular(path, os.O_RDWR | os.O_CREAT)
    try:
        deadline = time.monotonic() + timeout_s
        while not lock_now(fd, shared=shared):
            if time.monotonic() >= deadline:
                held = f"{path} is held by another process for more than {timeout_s:g} s"
                raise StoreLockedError(f"{held}; wait for it to end and try again")
            time.sleep(_RETRY_S)
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Hold the lock on `path` for the length of a block, however long it takes to get it; create the file if missing.

    Raises:
        OSError: the lock file cannot be created, or its file system has no locks.
    """
    fd = open_regular(path, os.O_RDWR | os.O_CREAT)
    try:
        wait_for_lock(fd)
        yield
    finally:
        unlock(fd)
        os.close(fd)
