"""Folders outside the user's project, for caches and for journals whose own folder cannot be written."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_NAME = "pytest-benchdb"
_MEMORY = "/dev/shm"  # noqa: S108 - only for folders with random names


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
