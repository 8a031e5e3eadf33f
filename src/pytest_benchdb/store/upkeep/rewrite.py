"""Writes a file anew: sorted, without gaps and without what is to go; every other row is verified to be there."""

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.absorb import FACTS
from pytest_benchdb.store.journal.fold import sync_file
from pytest_benchdb.store.journal.impossible import mark_impossible
from pytest_benchdb.store.schema.migrate import attach_migrated, read_meta
from pytest_benchdb.store.schema.template import attach_new
from pytest_benchdb.store.statement import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PREFIX = ".upkeep-"
_OF_SESSIONS = (*FACTS, "note", "source_file")
_SORTED = {
    "run": "benchmark_id, started_at, run_id",
    "measurement": "benchmark_id, metric, started_at, measurement_id",
    "round_chunk": "benchmark_id, started_at, measurement_id, chunk",
    "session": "started_at, session_id",
}
"""Orders in which the history of one benchmark is read from few blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What to leave out of a file.

    Attributes:
        sessions: ids of sessions that go with everything of theirs.
        rounds: ids of sessions whose raw rounds go; their statistics stay.
    """

    sessions: Collection[str] = ()
    rounds: Collection[str] = ()

    def __bool__(self) -> bool:
        """Return whether anything is to go."""
        return bool(self.sessions or self.rounds)


NOTHING = Removal()


def rewrite(
    source: Path, final: Path, removal: Removal = NOTHING, *, repair: bool = False, block_bytes: int | None = None
) -> None:
    """Write the content of `source`, in the newest schema, to `final`, which may be the same path.

    Args:
        source: a file of ours; it stays as it is, unless it is `final`.
        final: replaced when all is written and verified.
        removal: what to leave out.
        repair: write rows that occur more than once only once, and make impossible values not valid.
        block_bytes: size of the new file's blocks; None takes that of `source`.

    Raises:
        StoreError: a file cannot be read or written, or the new file lacks a row; `final` is as it was.
    """
    with scratch_folder(final.parent) as scratch, translated(os.fspath(final)):
        part = Path(scratch) / final.name
        with contextlib.closing(db.connect(threads=None)) as connection:
            old = attach_migrated(connection, os.fspath(source), "old", scratch)
            kind = read_meta(connection, "old", old).get("file_kind", "history")
            attach_new(
                connection,
                os.fspath(part),
                "part",
                file_kind=kind,
                block_bytes=block_bytes or _block_bytes(connection),
                cache=template_folder(),
            )
            connection.execute("USE memory; BEGIN")
            for table in tables(connection, "part"):
                _copy(connection, table, removal, distinct=repair)
            if repair:
                mark_impossible(connection, "part", cache=template_folder())
            connection.execute("COMMIT; DETACH part; DETACH old")
        sync_file(os.fspath(part))
        os.replace(part, final)


@contextlib.contextmanager
def scratch_folder(beside: Path) -> Iterator[str]:
    """Return a hidden folder on the same disk as `beside`, for parts; it is removed with the block.

    Parts directly in a folder of sessions would be removed by readers, because no live session has them.
    """
    with translated(os.fspath(beside)):
        folder = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=beside)
    with folder as name:
        yield name


def tables(connection: "DuckDBPyConnection", database: str) -> list[str]:
    """Return the names of an attached file's tables."""
    rows = connection.execute(
        f"SELECT table_name FROM duckdb_tables() WHERE database_name = {literal(database)} ORDER BY table_name"
    )
    return [name for (name,) in rows.fetchall()]


def _block_bytes(connection: "DuckDBPyConnection") -> int:
    row = connection.execute("SELECT block_size FROM pragma_database_size() WHERE database_name = 'old'").fetchone()
    return int(row[0]) if row else db.SESSION_BLOCK_BYTES


def _copy(connection: "DuckDBPyConnection", table: str, removal: Removal, *, distinct: bool) -> None:
    """Copy a table, except what is to go, and compare the copy with what it was made of."""
    name = identifier(table)
    where = _kept(table, removal)
    rows = f"SELECT {'DISTINCT ' if distinct else ''}* FROM old.{name} AS entry{where}"
    order = f" ORDER BY {_SORTED[table]}" if table in _SORTED else ""
    connection.execute(f"DELETE FROM part.{name}; INSERT INTO part.{name} {rows}{order}")
    wanted = connection.execute(f"SELECT count(*), sum(hash(entry)) FROM ({rows}) AS entry").fetchone()
    written = connection.execute(f"SELECT count(*), sum(hash(entry)) FROM part.{name} AS entry").fetchone()
    if wanted != written:
        raise StoreError(f"table {table} was not copied completely; nothing was changed: run it again")


def _kept(table: str, removal: Removal) -> str:
    if table not in _OF_SESSIONS:
        return ""
    gone = {*removal.sessions, *removal.rounds} if table == "round_chunk" else set(removal.sessions)
    if not gone:
        return ""
    ids = literal(sorted(gone))
    return f" WHERE session_id IS NULL OR session_id NOT IN (SELECT unnest(CAST({ids} AS UUID[])))"
