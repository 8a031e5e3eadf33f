"""Turns file errors from DuckDB and the operating system into ours, which say what to do."""

import contextlib
import re
import sys
from collections.abc import Iterator

from pytest_benchdb.errors import (
    CorruptFileError,
    ForeignFileError,
    SchemaVersionError,
    StoreError,
    StoreLockedError,
    interruptible,
)

_MAGIC = b"DUCK"
_LONGEST_REASON = 200
_PID = re.compile(r"Conflicting lock is held in (?P<program>.*?) ?\(PID (?P<pid>\d+)\)")
_NEWER = re.compile(r"version number|newer version of DuckDB|storage version|serialization", re.IGNORECASE)
_SYSTEM = re.compile(
    r"No space left on device|File too large|Disk quota exceeded|Permission denied|Read-only file system|Is a directory"
    r"|Too many open files"
)
_DAMAGED = re.compile(
    r"checksum|corrupt|could not read|not enough bytes|read enough|deserializ|invalidated|internal|WAL|metadata"
    r"|out of range|failed to load|free list|block",
    re.IGNORECASE,
)


def is_database_error(error: BaseException) -> bool:
    """Return whether the error is DuckDB's, without importing DuckDB."""
    return any(kind.__name__ == "Error" and kind.__module__ in ("duckdb", "_duckdb") for kind in type(error).__mro__)


@contextlib.contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn DuckDB's and the system's errors within a block into a `StoreError` about `path`."""
    try:
        with interruptible():
            yield
    except Exception as error:
        ours = translate(error, path)
        if ours is error:
            raise
        raise ours from error


def translate(error: Exception, path: str) -> Exception:
    """Return our error for one from DuckDB or the system about `path`; return other errors unchanged."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, OSError):
        return StoreError(f"{path}: {error.strerror or error}; {_remedy(str(error))}")
    if not is_database_error(error):
        return error
    text = " ".join(str(error).split())
    locked = _PID.search(text)
    if locked:
        owner = f"process {locked['pid']}"
        return StoreLockedError(f"{path} is in use by {owner}; close it there, or wait until it has ended")
    if "Could not set lock" in text or "different configuration" in text or "Unique file handle conflict" in text:
        return StoreLockedError(f"{path} is in use; close it there, or wait until it has ended")
    return _about_content(text, path)


def _about_content(text: str, path: str) -> StoreError:
    system = _SYSTEM.search(text)
    if system:
        return StoreError(f"{path}: {system[0]}; {_remedy(text)}")
    if "Cannot open file" in text:
        return StoreError(f"{path}: {text}; {_remedy(text)}")
    foreign = _foreign(path)
    if foreign is not None:
        return ForeignFileError(f"{path} is {foreign}, not a pytest-benchdb database; name another path")
    if _NEWER.search(text):
        advice = "upgrade with: pip install --upgrade duckdb"
        return SchemaVersionError(f"{path} was written by a newer DuckDB than {_engine_version()}; {advice}")
    if _DAMAGED.search(text):
        return CorruptFileError(f"{path} is damaged ({_short(text)}); restore it from a backup or remove it")
    return StoreError(f"{path}: {_short(text)}; see what is wrong with: benchdb doctor")


def _foreign(path: str) -> str | None:
    """Return the kind of a file by its first bytes; None for a DuckDB database or an unreadable file."""
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError:
        return None
    if not head:
        return "an empty file"
    if head.startswith(b"SQLite format 3"):
        return "an SQLite database"
    if head[8 : 8 + len(_MAGIC)] != _MAGIC:
        return "a file of another kind"
    return None


def _remedy(text: str) -> str:
    if "No space left" in text or "quota exceeded" in text:
        return "free some space"
    if "File too large" in text or "Too many open files" in text:
        return "raise the limit (ulimit)"
    if "Permission denied" in text or "Read-only" in text:
        return "choose a place that can be written"
    return "see that the path is right"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 3] + "..."


def _engine_version() -> str:
    module = sys.modules.get("duckdb") or sys.modules.get("_duckdb")
    return str(getattr(module, "__version__", "this one"))
