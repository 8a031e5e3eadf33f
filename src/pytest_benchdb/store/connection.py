"""Opens DuckDB and its files, with our storage version, settings and block sizes.

Two modules can open a file: `duckdb`, the public one, and `_duckdb`, its compiled core, which has the same connections
and errors. We import only the core, because it takes a third of the CPU time (26 against 85 ms in a fresh process:
`duckdb` also loads importlib.metadata and its value types), and every recorded session and every command pays for it.
If the core cannot be imported by itself, the public module is.
"""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import StoreError, StoreMissingError, interruptible
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.regular_file import require_regular
from pytest_benchdb.store.statement import identifier, literal
from pytest_benchdb.store.target import how_to_record, unusable_character

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    Connection = DuckDBPyConnection

STORAGE_VERSION = "v1.4.0"
"""The format of every file: DuckDB 1.x cannot open what 2.0 writes by default."""

SESSION_BLOCK_BYTES = 16384
LARGE_SESSION_BLOCK_BYTES = 65536
"""For sessions with many rounds: small blocks leave long lists uncompressed."""
HISTORY_BLOCK_BYTES = 262144

MEMORY_BYTES = 4_000_000_000
"""Most memory of a connection that reads files from elsewhere; what exceeds it spills to the disk, or fails."""

_CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "storage_compatibility_version": STORAGE_VERSION,
}


def engine() -> Any:
    """Return the module that opens databases, `_duckdb` if possible."""
    if "duckdb" not in sys.modules:
        with contextlib.suppress(ImportError):
            import _duckdb

            if hasattr(_duckdb, "connect"):
                return _duckdb
    import duckdb

    return duckdb


def connect(*, threads: int | None = 1, memory_limit: str | None = None) -> "DuckDBPyConnection":
    """Open an empty in-memory database to attach files to: half the cost of opening a file (12 against 21 ms of CPU).

    Args:
        threads: number of threads; None takes one per processor.
        memory_limit: in DuckDB's notation, such as ``2GB``; None takes DuckDB's default, 80 % of the machine.
    """
    config: dict[str, Any] = {**_CONFIG, "temp_directory": _spill_folder()}
    if threads is not None:
        config["threads"] = threads
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    connection: DuckDBPyConnection = engine().connect(":memory:", config=config)
    # After two seconds it would print into whatever stdout is for; it cannot be set in `config`. In a notebook without
    # ipywidgets there is none, and DuckDB refuses even to turn it off.
    with contextlib.suppress(engine().InvalidInputException):
        connection.execute("SET enable_progress_bar = false")
    return connection


def connect_to_file(path: str | os.PathLike[str]) -> "DuckDBPyConnection":
    """Return a read-only connection of the public module to a file, for users."""
    import duckdb

    return duckdb.connect(os.fspath(path), read_only=True)


def close_to_outside(connection: "DuckDBPyConnection", folders: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Take away, for good, a connection's access to files outside of `folders` and of its own spill folder.

    Its memory is limited as well, and no statement can change its settings any more.

    Args:
        connection: from `connect`; what is attached stays so.
        folders: those of the files that will still be attached.
    """
    allowed = [_spill_folder()]
    for folder in folders:
        allowed += [os.fspath(folder) or os.curdir, os.path.abspath(folder)]
    connection.execute(
        f"SET memory_limit = '{_memory_bytes()}B'; SET allowed_directories = {literal(allowed)}; "
        "SET allow_community_extensions = false; SET enable_external_access = false; SET lock_configuration = true"
    )


def _memory_bytes() -> int:
    """Return how much memory a connection may use: a list in a file of a kilobyte may have any length."""
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows
        return MEMORY_BYTES
    return min(MEMORY_BYTES, machine * 4 // 5)


def _spill_folder() -> str:
    """Return the folder for data that does not fit in memory, never the current one; DuckDB creates it on demand."""
    base = os.environ.get("TMPDIR") or os.environ.get("TEMP") or "/tmp"  # noqa: S108 - `tempfile` is slow to import
    return os.path.join(base, f"benchdb-{os.getpid()}.spill")


def attach(
    connection: "DuckDBPyConnection",
    path: str | os.PathLike[str],
    alias: str,
    *,
    read_only: bool = False,
    block_bytes: int | None = None,
) -> None:
    """Attach a file as the database `alias`; create a missing one unless `read_only`.

    Args:
        connection: from `connect`.
        path: the file.
        alias: name of the database within `connection`.
        read_only: open for reading, and raise if the file is missing.
        block_bytes: block size of a new file; None takes DuckDB's default.

    Raises:
        StoreMissingError: the file does not exist and `read_only` is set.
        StoreError: the file cannot be opened; subclasses say why.
    """
    text = os.fspath(path)
    if read_only and not os.path.exists(text):
        message = f"{text} does not exist; record into it with: {how_to_record(Path(text))}"
        raise StoreMissingError(message)
    if (character := unusable_character(text)) is not None:
        message = f"{text}: DuckDB cannot open a path that has {character}; choose another"
        raise StoreError(message)
    require_regular(text)
    options = ["TYPE duckdb"]
    if read_only:
        options.append("READ_ONLY")
    else:
        options.append(f"STORAGE_VERSION {literal(STORAGE_VERSION)}")
        if block_bytes is not None:
            options.append(f"BLOCK_SIZE {block_bytes}")
    with translated(text):
        connection.execute(f"ATTACH {literal(text)} AS {identifier(alias)} ({', '.join(options)})")


def detach(connection: "DuckDBPyConnection", alias: str) -> None:
    """Detach a database if it is attached, raising nothing but Ctrl-C; another current database stays current."""
    statement = f"DETACH {identifier(alias)}"
    with contextlib.suppress(Exception), interruptible():
        try:
            connection.execute(statement)
        except Exception:  # noqa: BLE001 - not attached, or current: asking before would cost every file 0.4 ms
            if connection.execute("SELECT current_database()").fetchone() == (alias,):
                connection.execute(f"USE memory; {statement}")
