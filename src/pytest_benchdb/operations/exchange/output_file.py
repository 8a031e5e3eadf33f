"""Writes the files that users ask for: a file is replaced as a whole or stays as it was.

Every command and the plugin write their output here.
"""

import contextlib
import errno
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from pytest_benchdb.errors import ConfigError

READER_PATIENCE_S = 10.0
"""How long a named pipe may wait for its reader."""

_RETRY_S = 0.05
_OWN_DESCRIPTOR = re.compile(r"/dev/(?:stdout|stderr|fd/(\d+))|/proc/self/fd/(\d+)")
_NO_SIBLING = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.ENAMETOOLONG})
"""Why no new file can be made beside an existing one, or take its place: a file mounted by itself, for example."""

_NO_SPACE = "free space and run it again"
_ADVICE = {
    errno.ENOENT: "name a file in a folder that exists",
    errno.ENOTDIR: "name a file in a folder that exists",
    errno.EISDIR: "it is a folder; name a file in it",
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.EFBIG: "raise the limit (ulimit -f)",
    errno.EACCES: "name a file that you may write",
    errno.EPERM: "name a file that you may write",
    errno.EROFS: "name a file on a disk that can be written",
    errno.ENXIO: "nothing reads from this pipe; start its reader first",
    errno.EPIPE: "what reads from it ended",
    errno.ELOOP: "the link leads back to itself; remove it",
}


def write_file(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file, which replaces an existing one once it is complete, with the same permissions.

    A link stays a link to the file that is replaced. Devices, pipes and this process's own descriptors
    (``/dev/stdout``) are written directly, and so is a file that no other can replace, because its folder is read-only.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        _write(path, pieces)
    except OSError as error:
        raise ConfigError(f"{path} {why_not_written(error)}") from error


def append_file(path: Path, content: bytes) -> None:
    """Append to a file, all of `content` or nothing.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("ab", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            _write_all(file, [content])
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise


def why_not_written(error: OSError) -> str:
    """Return what a message says after the name of a file: why it cannot be written, and what to do."""
    reason = error.strerror or str(error)
    return f"cannot be written: {reason}; {_ADVICE.get(error.errno or 0, 'name another file')}"


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    own = _OWN_DESCRIPTOR.fullmatch(os.fspath(path))
    if own is not None and os.name != "nt":
        number = own[1] or own[2] or ("2" if own[0].endswith("stderr") else "1")
        with os.fdopen(os.dup(int(number)), "wb", buffering=0) as file:
            _write_all(file, pieces)
        return
    path = Path(os.path.realpath(path))
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if mode is None or stat.S_ISREG(mode):
        _replace(path, pieces, mode)
    else:
        with _open_device(path, is_pipe=stat.S_ISFIFO(mode)) as file:
            _write_all(file, pieces)


def _open_device(path: Path, *, is_pipe: bool) -> BinaryIO:
    """Open a device or a named pipe for writing; a pipe without a reader would wait for ever."""
    if not is_pipe:
        return path.open("wb", buffering=0)
    deadline = time.monotonic() + READER_PATIENCE_S
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "wb", buffering=0)


def _replace(path: Path, pieces: Iterable[bytes], mode: int | None) -> None:
    if mode is not None and not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    fresh = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        file = fresh.open("xb")
    except OSError as error:
        if mode is None or error.errno not in _NO_SIBLING:
            raise
        file = path.open("wb")
    try:
        with file:
            file.writelines(pieces)
        if fresh.exists():
            _take_place(fresh, path, mode)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()


def _take_place(fresh: Path, path: Path, mode: int | None) -> None:
    if mode is not None:
        fresh.chmod(stat.S_IMODE(mode))
    try:
        fresh.replace(path)
    except OSError as error:
        if mode is None or error.errno not in _NO_SIBLING:
            raise
        shutil.copyfile(fresh, path)


def _write_all(file: BinaryIO, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[file.write(view) :]
