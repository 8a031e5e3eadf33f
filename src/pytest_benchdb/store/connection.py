"""The one door to DuckDB: how files are opened, and what its errors mean to a user.

Two modules can open a file. `duckdb` is the public one. `_duckdb`, its compiled core, has the same connections and
errors and costs a third of the CPU time to import (26 against 85 ms in a fresh process, because `duckdb` also loads
importlib.metadata and its value types). The process that folds a session takes the core (`light=True`), everything
else the public module. If the core cannot be imported by itself the public module is taken.
"""

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import (
    CorruptFileError,
    ForeignFileError,
    SchemaVersionError,
    StoreError,
    StoreLockedError,
    StoreMissingError,
)
from pytest_benchdb.store.statement import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STORAGE_VERSION = "v1.4.0"
"""Every file is written in it: what DuckDB 2.0 writes by default, 1.x cannot open."""

SESSION_BLOCK_BYTES = 16384
HISTORY_BLOCK_BYTES = 262144
LARGE_SESSION_ROUNDS = 200_000
"""Sessions with more rounds take the larger blocks: small blocks leave long lists uncompressed."""

_CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "storage_compatibility_version": STORAGE_VERSION,
}
_PID = re.compile(r"Conflicting lock is held in (?P<program>.*?) ?\(PID (?P<pid>\d+)\)")
_NEWER = re.compile(r"version number|newer version of DuckDB|storage version|serialization", re.IGNORECASE)
_DAMAGED = re.compile(
    r"checksum|corrupt|could not read|not enough bytes|read enough|deserializ|invalidated|internal|WAL|metadata|out of range"
    r"|failed to load|free list|block",
    re.IGNORECASE,
)


def engine(*, light: bool = False) -> Any:
    """Return the module that opens databases; see the module's text about `light`."""
    if light and "duckdb" not in sys.modules:
        try:
            import _duckdb  # noqa: PLC0415

            if hasattr(_duckdb, "connect"):
                return _duckdb
        except ImportError:
            pass
    import duckdb  # noqa: PLC0415

    return duckdb


def connect(*, threads: int | None = 1, memory_limit: str | None = None, light: bool = False) -> "DuckDBPyConnection":
    """Open an empty database in memory, which files are attached to.

    Attaching to it costs half of what opening a file does (12 against 21 ms of CPU time).

    Args:
        threads: how many may work; None takes one per processor.
        memory_limit: as DuckDB writes it: ``2GB``; None takes DuckDB's own, 80 % of the machine.
        light: see `engine`.
    """
    config: dict[str, Any] = {**_CONFIG, "temp_directory": _spill_folder()}
    if threads is not None:
        config["threads"] = threads
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    connection: DuckDBPyConnection = engine(light=light).connect(":memory:", config=config)
    return connection


def _spill_folder() -> str:
    """Return where what does not fit in memory goes, never the current folder; it is made when it is needed."""
    base = os.environ.get("TMPDIR") or os.environ.get("TEMP") or "/tmp"  # noqa: S108 - only a name
    return os.path.join(base, f"benchdb-{os.getpid()}.spill")


def attach(
    connection: "DuckDBPyConnection",
    path: str | os.PathLike[str],
    alias: str,
    *,
    read_only: bool = False,
    block_bytes: int | None = None,
) -> None:
    """Attach a file; a missing one is created unless `read_only`.

    Args:
        alias: name of the database within `connection`.
        block_bytes: size of the blocks of a new file; None takes DuckDB's own.

    Raises:
        StoreError: one of its subclasses says why the file cannot be opened.
    """
    text = os.fspath(path)
    if read_only and not os.path.exists(text):
        message = f"{text} does not exist; record into it with: pytest --benchdb={text}"
        raise StoreMissingError(message)
    if "?" in text:
        message = f"{text}: DuckDB cannot open a path with '?' in it; choose another"
        raise StoreError(message)
    options = ["TYPE duckdb"]
    if read_only:
        options.append("READ_ONLY")
    else:
        options.append(f"STORAGE_VERSION {literal(STORAGE_VERSION)}")
        if block_bytes is not None:
            options.append(f"BLOCK_SIZE {block_bytes}")
    try:
        connection.execute(f"ATTACH {literal(text)} AS {identifier(alias)} ({', '.join(options)})")
    except Exception as error:
        raise translate(error, text) from error


def is_database_error(error: BaseException) -> bool:
    """Tell whether DuckDB raised it, without importing DuckDB."""
    return any(kind.__name__ == "Error" and kind.__module__ in ("duckdb", "_duckdb") for kind in type(error).__mro__)


def translate(error: BaseException, path: str) -> BaseException:
    """Return our error for what DuckDB or the system said about `path`; other errors come back as they are."""
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
    foreign = _foreign(path)
    if foreign is not None:
        return ForeignFileError(f"{path} is {foreign}, not a pytest-benchdb database; name another path")
    if re.search(r"No space left|Permission denied|Read-only file system|Is a directory|Too many open files|Cannot open file", text):
        return StoreError(f"{path}: {text}; {_remedy(text)}")
    if _NEWER.search(text):
        advice = "upgrade with: pip install --upgrade duckdb"
        return SchemaVersionError(f"{path} was written by a newer DuckDB than {_engine_version()}; {advice}")
    if _DAMAGED.search(text):
        return CorruptFileError(f"{path} is damaged ({_short(text)}); restore it from a backup or remove it")
    return StoreError(f"{path}: {_short(text)}; see what is wrong with: benchdb doctor")


def _foreign(path: str) -> str | None:
    """Tell what a file is that is no DuckDB database, by its first bytes; None for a DuckDB file or an unreadable one."""
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError:
        return None
    if not head:
        return "an empty file"
    if head.startswith(b"SQLite format 3"):
        return "an SQLite database"
    if len(head) < 12 or head[8:12] != b"DUCK":
        return "a file of another kind"
    return None


def _remedy(text: str) -> str:
    if "No space left" in text:
        return "free some space and type: benchdb recover"
    if "Permission denied" in text or "Read-only" in text:
        return "choose a place that can be written"
    return "see that the path is right"


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "..."


def _engine_version() -> str:
    return str(getattr(engine(light=True), "__version__", "this one"))
