"""Opens files that may not be ours: a folder of results may be shared, or come from elsewhere.

A link, symbolic or hard, would lead us to another file of the user, and a FIFO would make us wait for ever. Owners are
not compared: some network disks and containers report the same owner for every file.
"""

import errno
import os
import stat

from pytest_benchdb.errors import StoreError

_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def open_regular(path: str | os.PathLike[str], flags: int, mode: int = 0o644) -> int:
    """Open a regular file as `os.open` does; never follow a link, never wait.

    Raises:
        StoreError: it is a link, a FIFO or a device.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, flags | _FLAGS | getattr(os, "O_NOFOLLOW", 0), mode)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise _refused(path, "a symbolic link" if error.errno != errno.ENXIO else "not a regular file") from error
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise _refused(path, "not a regular file")
    if status.st_nlink > 1:
        os.close(descriptor)
        raise _refused(path, "a hard link")
    return descriptor


def require_regular(path: str) -> None:
    """Refuse a FIFO, a device or a socket, for which DuckDB would wait; links to files are fine.

    Raises:
        StoreError: it is one.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return  # DuckDB reports why it cannot be opened
    if not stat.S_ISREG(mode):
        raise _refused(path, "a folder" if stat.S_ISDIR(mode) else "not a regular file")


def _refused(path: str | os.PathLike[str], what: str) -> StoreError:
    return StoreError(f"{os.fspath(path)} is {what} and is left alone; remove it")
