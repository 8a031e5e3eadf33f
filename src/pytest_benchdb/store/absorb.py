"""Takes sessions from session files (or histories) into one history: idempotent, in batches of attached files.

Sessions whose id is there already are left out, what is the same everywhere is added once by its key, and what a
benchmark is grouped by follows the newest session.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import is_database_error, translate
from pytest_benchdb.store.migrate import migrate, read_meta, version_of
from pytest_benchdb.store.statement import identifier, literal
from pytest_benchdb.store.template import SCHEMA_VERSION

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH = 50
"""Files attached at once: 10,000 cost 3 GB of memory."""

IMPORTER = "pytest-benchdb"
"""Importer of the rows in `source_file` that tell which session files are in a history."""

FACTS = ("session", "run", "measurement", "round_chunk", "series", "request", "attachment")
"""Tables whose rows belong to one session each."""

KEYS = {
    "environment": "environment_id",
    "device": "device_id",
    "hardware_config": "hardware_config_id",
    "benchmark": "benchmark_id",
    "model": "model_id",
    "model_version": "model_version_id",
    "framework": "framework_id",
    "use_case": "use_case_id",
    "metric": "metric",
    "baseline": "baseline_id",
    "acceptance": "acceptance_id",
    "note": "note_id",
    "source_file": "source_file_id",
}
"""Tables whose rows are the same everywhere, with their keys."""


class Refused(NamedTuple):
    """A file that could not be taken, and why."""

    path: str
    reason: str


class _Options(NamedTuple):
    named: Callable[[str], str]
    scratch: str
    only: frozenset[str] | None


class _Source(NamedTuple):
    alias: str
    path: str
    name: str
    sessions: list[str]
    new: list[str]


def absorb(
    connection: "DuckDBPyConnection",
    target: str,
    files: Sequence[str],
    *,
    named: Callable[[str], str] = os.path.basename,
    progress: Callable[[int], None] = lambda _done: None,
    only: Sequence[str] | None = None,
) -> list[Refused]:
    """Take the sessions of `files` into the attached database `target`.

    Each batch is one transaction together with its rows in `source_file`.

    Args:
        connection: what `target` is attached to.
        target: alias of the history, in the newest schema.
        files: paths of session files and histories.
        named: gives the name under which a file is remembered.
        progress: called with the number of files done.
        only: ids of the sessions to take; None takes all.

    Returns:
        The files that could not be read.

    Raises:
        StoreError: `target` cannot be written.
    """
    refused: list[Refused] = []
    sql = f"SELECT CAST(session_id AS VARCHAR) FROM {target}.session"
    known = {row[0] for row in connection.execute(sql).fetchall()}
    with tempfile.TemporaryDirectory(prefix="benchdb-") as scratch:
        options = _Options(named, scratch, None if only is None else frozenset(only))
        for first in range(0, len(files), BATCH):
            batch = files[first : first + BATCH]
            try:
                refused += _absorb_batch(connection, target, batch, known, options)
            except Exception as error:
                if not is_database_error(error):
                    raise
                # Only blocks that are read are checked: one of the files is damaged, so take them one by one.
                for path in batch:
                    refused += _absorb_alone(connection, target, path, known, options)
            progress(first + len(batch))
    return refused


def _absorb_alone(
    connection: "DuckDBPyConnection",
    target: str,
    path: str,
    known: set[str],
    options: _Options,
) -> list[Refused]:
    try:
        return _absorb_batch(connection, target, [path], known, options)
    except Exception as error:
        if not is_database_error(error):
            raise
        refused = Refused(path, str(translate(error, path)))
    _remember(connection, target, [], [refused], options.named)
    return [refused]


def _absorb_batch(
    connection: "DuckDBPyConnection",
    target: str,
    batch: Sequence[str],
    known: set[str],
    options: _Options,
) -> list[Refused]:
    sources: list[_Source] = []
    refused: list[Refused] = []
    taken: set[str] = set()
    try:
        for number, path in enumerate(batch):
            alias = f"source_{number}"
            try:
                _attach_source(connection, path, alias, options.scratch)
                rows = connection.execute(f"SELECT CAST(session_id AS VARCHAR) FROM {alias}.session").fetchall()
            except StoreError as error:
                refused.append(Refused(path, str(error)))
                _detach(connection, alias)
                continue
            sessions = [row[0] for row in rows]
            new = [
                session
                for session in sessions
                if session not in known and session not in taken and (options.only is None or session in options.only)
            ]
            taken.update(new)
            sources.append(_Source(alias, path, options.named(path), sessions, new))
        connection.execute("BEGIN")
        try:
            _copy(connection, target, [source for source in sources if source.new])
            _insert_sources(connection, target, sources, refused, options.named)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    finally:
        for source in sources:
            _detach(connection, source.alias)
    known.update(taken)
    return refused


def _attach_source(connection: "DuckDBPyConnection", path: str, alias: str, scratch: str) -> None:
    """Attach a file, or a migrated copy of it if it is of an older version.

    Raises:
        StoreError: it cannot be read.
    """
    db.attach(connection, path, alias, read_only=True)
    version = version_of(read_meta(connection, alias, path), path)
    if version == SCHEMA_VERSION:
        return
    _detach(connection, alias)
    copy = os.path.join(scratch, f"{alias}.duckdb")
    shutil.copyfile(path, copy)
    db.attach(connection, copy, alias)
    migrate(connection, alias, copy)


def _detach(connection: "DuckDBPyConnection", alias: str) -> None:
    with contextlib.suppress(Exception):
        connection.execute(f"DETACH {alias}")


def _copy(connection: "DuckDBPyConnection", target: str, sources: Sequence[_Source]) -> None:
    if not sources:
        return
    filled = _filled_tables(connection, sources)
    _update_benchmarks(connection, target, sources)
    for table in FACTS:
        selects = [_select(source, table) for source in sources if (source.alias, table) in filled]
        if selects:
            connection.execute(f"INSERT INTO {target}.{table} {' UNION ALL '.join(selects)}")
    for table, key in KEYS.items():
        selects = [f"SELECT * FROM {source.alias}.{table}" for source in sources if (source.alias, table) in filled]
        if not selects:
            continue
        own = f" AND importer <> {literal(IMPORTER)}" if table == "source_file" else ""
        connection.execute(
            f"INSERT INTO {target}.{table} SELECT DISTINCT ON ({key}) * FROM ({' UNION ALL '.join(selects)}) "
            f"WHERE {key} NOT IN (SELECT {key} FROM {target}.{table}){own}"
        )


def _filled_tables(connection: "DuckDBPyConnection", sources: Sequence[_Source]) -> set[tuple[str, str]]:
    """Return which tables of which sources have rows: most are empty in a session file."""
    aliases = literal([source.alias for source in sources])
    rows = connection.execute(
        f"SELECT database_name, table_name FROM duckdb_tables() WHERE {aliases}.list_contains(database_name) "
        "AND estimated_size > 0"
    )
    return set(rows.fetchall())


def _select(source: _Source, table: str) -> str:
    select = f"SELECT * FROM {source.alias}.{table}"
    if len(source.new) < len(source.sessions):
        select += f" WHERE session_id IN (SELECT unnest(CAST({literal(source.new)} AS UUID[])))"
    return select


def _update_benchmarks(connection: "DuckDBPyConnection", target: str, sources: Sequence[_Source]) -> None:
    """Let group, parameters and code of a benchmark follow the newest session that ran it.

    The newest of the sources replaces the row that is there, unless a later session ran the benchmark before.
    """
    union = " UNION ALL ".join(
        f"SELECT *, (SELECT max(started_at) FROM {source.alias}.session) AS seen_at FROM {source.alias}.benchmark"
        for source in sources
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE changed_benchmark AS
        SELECT incoming.*
        FROM (SELECT DISTINCT ON (benchmark_id) * FROM ({union}) ORDER BY benchmark_id, seen_at DESC) AS incoming
        LEFT JOIN {target}.benchmark AS present ON present.benchmark_id = incoming.benchmark_id
        WHERE (incoming.group_name, incoming.params, incoming.code_hash)
            IS DISTINCT FROM (present.group_name, present.params, present.code_hash)
        """
    )
    later = (
        f"SELECT 1 FROM {target}.run AS run "
        "WHERE run.benchmark_id = changed.benchmark_id AND run.started_at > changed.seen_at"
    )
    connection.execute(f"DELETE FROM changed_benchmark AS changed WHERE EXISTS ({later})")
    connection.execute(
        f"DELETE FROM {target}.benchmark WHERE benchmark_id IN (SELECT benchmark_id FROM changed_benchmark); "
        f"INSERT INTO {target}.benchmark SELECT * EXCLUDE (seen_at) FROM changed_benchmark"
    )


def _remember(
    connection: "DuckDBPyConnection",
    target: str,
    sources: Sequence[_Source],
    refused: Sequence[Refused],
    named: Callable[[str], str],
) -> None:
    connection.execute("BEGIN")
    _insert_sources(connection, target, sources, refused, named)
    connection.execute("COMMIT")


def _insert_sources(
    connection: "DuckDBPyConnection",
    target: str,
    sources: Sequence[_Source],
    refused: Sequence[Refused],
    named: Callable[[str], str],
) -> None:
    """Write down which files are in the history, and which cannot be."""
    rows = [*_source_rows(sources), *((named(path), None, 0, reason, stamp(path)) for path, reason in refused)]
    if not rows:
        return
    values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    connection.execute(
        f"""
        INSERT INTO {target}.source_file
        SELECT
            CAST(md5(concat_ws('/', path, session_id)) AS UUID), CAST(session_id AS UUID), path, checksum,
            {literal(IMPORTER)}, row_count, reason, CAST(now() AT TIME ZONE 'UTC' AS TIMESTAMP)
        FROM (VALUES {values}) AS entry (path, session_id, row_count, reason, checksum)
        """
    )


def _source_rows(sources: Sequence[_Source]) -> Iterator[tuple[str, str | None, int, str | None, str | None]]:
    for source in sources:
        for session in source.sessions:
            yield source.name, session, int(session in source.new), None, None
        if not source.sessions:
            yield source.name, None, 0, None, None


def stamp(path: str) -> str | None:
    """Return size and time of change of a file, to see whether a bad one has been replaced."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return f"{status.st_size}:{status.st_mtime_ns}"


def forget(connection: "DuckDBPyConnection", target: str, names: Sequence[str]) -> None:
    """Remove the files `names` from a history, and the sessions that no other file holds."""
    if not names:
        return
    gone = f"path IN (SELECT unnest({literal(list(names))})) AND importer = {literal(IMPORTER)}"
    connection.execute("BEGIN")
    try:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE gone_session AS SELECT session_id FROM {target}.source_file WHERE {gone} "
            f"EXCEPT SELECT session_id FROM {target}.source_file WHERE importer = {literal(IMPORTER)} AND NOT ({gone})"
        )
        for table in (*FACTS, "note"):
            connection.execute(
                f"DELETE FROM {identifier(target)}.{table} WHERE session_id IN (SELECT session_id FROM gone_session)"
            )
        connection.execute(f"DELETE FROM {target}.source_file WHERE {gone}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
