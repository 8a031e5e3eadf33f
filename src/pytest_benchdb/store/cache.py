"""Folders outside the user's project: for caches, for copies for other programs, and for journals in need."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_benchdb.errors import StoreError

_NAME = "pytest-benchdb"
_MEMORY = "/dev/shm"  # noqa: S108 - only for folders with random names
_COPIES = ("history.duckdb", *(f"history-{number}.duckdb" for number in range(2, 10)))


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the user's cache folder, or else a private one in the temporary folder; create it if needed.

    Raises:
        OSError: neither can be created, or another user owns the latter.
    """
    base = environ.get("XDG_CACHE_HOME") or _platform_base(environ)
    if base:
        folder = Path(base) / _NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            pass
        else:
            if os.access(folder, os.W_OK):
                return folder
    return _private_temporary_folder()


def template_folder() -> str | None:
    """Return the folder for templates of new files; None if none can be written."""
    try:
        return os.fspath(cache_folder())
    except OSError:
        return None


def spool_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for attachments whose own folder cannot be written.

    Raises:
        OSError: it cannot be created.
    """
    folder = cache_folder(environ) / "spool"
    folder.mkdir(exist_ok=True)
    return folder


def spool_folders(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the folders for journals whose own folder cannot be written, best first; they need not exist."""
    base = environ.get("XDG_CACHE_HOME") or _platform_base(environ)
    folders = [Path(base) / _NAME] if base else []
    with contextlib.suppress(OSError):
        folders.append(_private_temporary_folder())
    return [folder / "spool" for folder in folders]


def scratch_places() -> list[str | None]:
    """Return folders for temporary files, best first: a full disk may hold several, but not the memory."""
    places: list[str | None] = [None]  # the one that `tempfile` chooses
    with contextlib.suppress(OSError):
        places.append(os.fspath(cache_folder()))
    if os.path.isdir(_MEMORY):
        places.append(_MEMORY)
    return places


def _platform_base(environ: Mapping[str, str]) -> str | None:
    if sys.platform == "win32":
        return environ.get("LOCALAPPDATA")
    home = environ.get("HOME")
    if not home:
        return None
    return f"{home}/Library/Caches" if sys.platform == "darwin" else f"{home}/.cache"


def _private_temporary_folder() -> Path:
    """Return a folder that only this user can enter; its parent is writable by everyone."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(tempfile.gettempdir()) / f"{_NAME}-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid"):
        status = folder.lstat()
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            message = f"{folder} belongs to another user or is open to others"
            raise PermissionError(message)
    return folder


def snapshot(file: Path, sources: Sequence[str]) -> Path:
    """Return a copy of a file in the user's cache folder, one for each combination of sources; the last one is reused.

    The copy is replaced in one step if it is not as the file is now: a client that has it open keeps what it opened.

    Args:
        file: an opened history, that stays as it is meanwhile.
        sources: the files and folders that it was made of.

    Raises:
        StoreError: the copy cannot be written.
    """
    import hashlib  # imported late: the process that folds a session loads this module

    key = hashlib.blake2b("\0".join(map(os.path.realpath, sources)).encode("utf-8", "surrogateescape"), digest_size=10)
    try:
        folder = cache_folder() / "copies" / key.hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        # On Windows an open file cannot be replaced: then the next name is taken.
        for name in _COPIES:
            with contextlib.suppress(PermissionError):
                return _copied(file, folder / name)
    except OSError as error:
        message = f"a copy of {', '.join(sources)} cannot be written ({error}); set XDG_CACHE_HOME to another folder"
        raise StoreError(message) from error
    message = f"every copy in {folder} is open in another program; close one of them"
    raise StoreError(message)


def _copied(file: Path, copy: Path) -> Path:
    log = copy.with_name(f"{copy.name}.wal")
    if copy.exists() and not log.exists() and _stamp(copy) == _stamp(file):
        return copy
    import shutil

    part = copy.with_name(f".{copy.name}.{os.getpid()}.part")
    try:
        shutil.copy2(file, part)
        os.chmod(part, 0o600)
        log.unlink(missing_ok=True)  # what a client wrote into the old copy does not fit the new one
        os.replace(part, copy)
    finally:
        part.unlink(missing_ok=True)
    return copy


def _stamp(path: Path) -> tuple[int, int]:
    """Return the size and time of a file, which a copy shares until a program writes into it."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
