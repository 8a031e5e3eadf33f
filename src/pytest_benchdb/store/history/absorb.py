"""Takes sessions and annotations from files into one history, and out of it again: idempotent, in batches of files.

A session that the history has is left out, rows that files share (devices, environments, ...) are added once by their
key, and the group, parameters and code of a benchmark follow its newest session. Annotations come from every file.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import is_database_error, translate
from pytest_benchdb.store.migrate import attach_migrated
from pytest_benchdb.store.statement import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


BATCH = 50
"""Files attached at once: 10,000 cost 3 GB of memory."""

IMPORTER = "pytest-benchdb"
"""Importer of those rows in `source_file` that name the session files of a history."""

FACTS = ("session", "run", "measurement", "round_chunk", "series", "request", "attachment")
"""Tables whose rows belong to one session each."""

ANNOTATIONS = {"baseline": "baseline_id", "acceptance": "acceptance_id", "note": "note_id"}
"""Tables of annotations, with their keys."""

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
    **ANNOTATIONS,
    "source_file": "source_file_id",
}
"""Tables whose rows several files may share, with their keys."""

Progress = Callable[[int, int], None]
"""Called with the number of files done and the number of all."""


class Refused(NamedTuple):
    """A file that could not be taken, and why."""

    path: str
    reason: str


_FINGERPRINTS = {
    "environment": "environment_id",
    "device": "device_id",
    "metric": "metric",
    "benchmark": "benchmark_id, group_name, params, code_hash",
}
"""Tables that are equal in most session files of a folder, and the columns that differ when they are not."""


@dataclass(slots=True)
class _Job:
    """The state of one call of `absorb`.

    Attributes:
        only: ids of the sessions to take, without annotations; None takes all.
        known: ids of the sessions in the target.
        taken: fingerprints of tables that were copied whole.
    """

    connection: "DuckDBPyConnection"
    target: str
    named: Callable[[str], str]
    scratch: str
    only: frozenset[str] | None
    known: set[str]
    taken: set[tuple[str, str]]

    def wants(self, session: str) -> bool:
        return session not in self.known and (self.only is None or session in self.only)


class _Source(NamedTuple):
    """An attached file.

    Attributes:
        new: ids of its sessions that the target lacks.
        started: start of its newest session, to be compared as text.
        fingerprints: hash of the rows of a table, by table.
    """

    alias: str
    path: str
    name: str
    sessions: list[str]
    new: list[str]
    started: str
    fingerprints: dict[str, str]


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
        named: returns the name under which a file is remembered.
        progress: called with the number of files done.
        only: ids of the sessions to take, without annotations; None takes all.

    Returns:
        The files that could not be read.

    Raises:
        StoreError: `target` cannot be written.
    """
    refused: list[Refused] = []
    sql = f"SELECT CAST(session_id AS VARCHAR) FROM {target}.session"
    known = {row[0] for row in connection.execute(sql).fetchall()}
    with tempfile.TemporaryDirectory(prefix="benchdb-") as scratch:
        job = _Job(connection, target, named, scratch, None if only is None else frozenset(only), known, set())
        for first in range(0, len(files), BATCH):
            batch = files[first : first + BATCH]
            try:
                refused += _absorb_batch(job, batch)
            except Exception as error:
                if not is_database_error(error):
                    raise
                # Only blocks that are read are checked: one of the files is damaged, so take them one by one.
                for path in batch:
                    refused += _absorb_alone(job, path)
            progress(first + len(batch))
    return refused


def _absorb_alone(job: _Job, path: str) -> list[Refused]:
    try:
        return _absorb_batch(job, [path])
    except Exception as error:
        if not is_database_error(error):
            raise
        refused = Refused(path, str(translate(error, path)))
    _insert_sources(job, [], [refused])
    return [refused]


def _absorb_batch(job: _Job, batch: Sequence[str]) -> list[Refused]:
    sources: list[_Source] = []
    refused: list[Refused] = []
    taken: set[str] = set()
    try:
        for number, path in enumerate(batch):
            alias = f"source_{number}"
            try:
                source = _open_source(job, path, alias, taken)
            except StoreError as error:
                refused.append(Refused(path, str(error)))
                db.detach(job.connection, alias)
                continue
            taken.update(source.new)
            sources.append(source)
        job.connection.execute("BEGIN")
        try:
            filled = _filled_tables(job.connection, sources)
            copied = _copy(job, [source for source in sources if source.new], filled)
            annotations = _copy_annotations(job, sources, filled)
            _insert_sources(job, sources, refused, annotations)
            job.connection.execute("COMMIT")
        except BaseException:
            job.connection.execute("ROLLBACK")
            raise
    finally:
        for source in sources:
            db.detach(job.connection, source.alias)
    job.known.update(taken)
    job.taken.update(copied)
    return refused


def _open_source(job: _Job, path: str, alias: str, taken: set[str]) -> _Source:
    """Attach a file, and read in one query what decides how much of it is copied."""
    attach_migrated(job.connection, path, alias, job.scratch)
    hashes = " ".join(
        f"UNION ALL SELECT '{table}', CAST(bit_xor(hash({columns})) AS VARCHAR) FROM {alias}.{table}"
        for table, columns in _FINGERPRINTS.items()
    )
    rows = job.connection.execute(
        f"SELECT 'session', CAST(session_id AS VARCHAR) FROM {alias}.session "
        f"UNION ALL SELECT 'started', CAST(max(started_at) AS VARCHAR) FROM {alias}.session {hashes}"
    ).fetchall()
    sessions = [value for kind, value in rows if kind == "session"]
    facts = {kind: value or "" for kind, value in rows if kind != "session"}
    return _Source(
        alias=alias,
        path=path,
        name=job.named(path),
        sessions=sessions,
        new=[session for session in sessions if session not in taken and job.wants(session)],
        started=facts.pop("started"),
        fingerprints=facts,
    )


def _copy(job: _Job, sources: Sequence[_Source], filled: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Copy the new sessions of the sources; return the fingerprints of what was copied whole."""
    copied: set[tuple[str, str]] = set()
    if not sources:
        return copied
    _update_benchmarks(job, sources)
    for table in FACTS:
        selects = [_select(source, table) for source in sources if (source.alias, table) in filled]
        if selects:
            job.connection.execute(f"INSERT INTO {job.target}.{table} {' UNION ALL '.join(selects)}")
    for table, key in KEYS.items():
        selects = []
        for source in sources:
            mark = (table, source.fingerprints.get(table, source.alias))
            if (source.alias, table) in filled and mark not in job.taken and mark not in copied:
                selects.append(f"SELECT * FROM {source.alias}.{table}")
                if table in _FINGERPRINTS:
                    copied.add(mark)
        if selects and table != "benchmark" and table not in ANNOTATIONS:
            _insert_missing(job, table, key, selects)
    return copied


def _copy_annotations(job: _Job, sources: Sequence[_Source], filled: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Copy annotations; return the name of the file and the id of each."""
    copied: list[tuple[str, str]] = []
    if job.only is not None:
        return copied
    for table, key in ANNOTATIONS.items():
        holders = [source for source in sources if (source.alias, table) in filled]
        if holders:
            _insert_missing(job, table, key, [f"SELECT * FROM {source.alias}.{table}" for source in holders])
        for source in holders:
            ids = job.connection.execute(f"SELECT CAST({key} AS VARCHAR) FROM {source.alias}.{table}").fetchall()
            copied += [(source.name, annotation_id) for (annotation_id,) in ids]
    return copied


def _insert_missing(job: _Job, table: str, key: str, selects: Sequence[str]) -> None:
    own = f" AND importer <> {literal(IMPORTER)}" if table == "source_file" else ""
    job.connection.execute(
        f"INSERT INTO {job.target}.{table} SELECT DISTINCT ON ({key}) * FROM ({' UNION ALL '.join(selects)}) "
        f"WHERE {key} NOT IN (SELECT {key} FROM {job.target}.{table}){own}"
    )


def _filled_tables(connection: "DuckDBPyConnection", sources: Sequence[_Source]) -> set[tuple[str, str]]:
    """Return the tables that have rows, with their sources: most are empty in a session file."""
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


def _update_benchmarks(job: _Job, sources: Sequence[_Source]) -> None:
    """Add new benchmarks, and let group, parameters and code of known ones follow the newest session.

    The newest of the sources with equal benchmarks is read. Its row replaces the one that is there, unless a later
    session has run the benchmark.
    """
    newest: dict[str, _Source] = {}
    for source in sorted(sources, key=lambda source: source.started):
        newest[source.fingerprints["benchmark"]] = source
    union = " UNION ALL ".join(
        f"SELECT *, CAST({literal(source.started)} AS TIMESTAMP) AS seen_at FROM {source.alias}.benchmark"
        for source in newest.values()
    )
    job.connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE changed_benchmark AS
        SELECT incoming.*
        FROM (SELECT DISTINCT ON (benchmark_id) * FROM ({union}) ORDER BY benchmark_id, seen_at DESC) AS incoming
        LEFT JOIN {job.target}.benchmark AS present ON present.benchmark_id = incoming.benchmark_id
        WHERE present.benchmark_id IS NULL
            OR (incoming.group_name, incoming.params, incoming.code_hash)
            IS DISTINCT FROM (present.group_name, present.params, present.code_hash)
        """
    )
    later = (
        f"SELECT 1 FROM {job.target}.run AS run "
        "WHERE run.benchmark_id = changed.benchmark_id AND run.started_at > changed.seen_at"
    )
    job.connection.execute(
        f"""
        DELETE FROM changed_benchmark AS changed WHERE EXISTS ({later});
        DELETE FROM {job.target}.benchmark WHERE benchmark_id IN (SELECT benchmark_id FROM changed_benchmark);
        INSERT INTO {job.target}.benchmark SELECT * EXCLUDE (seen_at) FROM changed_benchmark
        """
    )


_SourceRow = tuple[str, str | None, int, str | None, str | None, str | None]


def _insert_sources(
    job: _Job, sources: Sequence[_Source], refused: Sequence[Refused], annotations: Sequence[tuple[str, str]] = ()
) -> None:
    """Record which files are in the history, and which cannot be read.

    A row is a session of a file, or an annotation, whose id it has.
    """
    rows: list[_SourceRow] = [*_source_rows(sources, {name for name, _ in annotations})]
    rows += [(name, None, 1, None, None, annotation_id) for name, annotation_id in annotations]
    rows += [(job.named(path), None, 0, reason, stamp(path), None) for path, reason in refused]
    if not rows:
        return
    values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    job.connection.execute(
        f"""
        INSERT INTO {job.target}.source_file
        SELECT
            CAST(coalesce(CAST(annotation_id AS VARCHAR), md5(concat_ws('/', path, session_id))) AS UUID),
            CAST(session_id AS UUID),
            path, checksum, {literal(IMPORTER)}, row_count, reason, CAST(now() AT TIME ZONE 'UTC' AS TIMESTAMP)
        FROM (VALUES {values}) AS entry (path, session_id, row_count, reason, checksum, annotation_id)
        """
    )


def _source_rows(sources: Sequence[_Source], annotated: set[str]) -> Iterator[_SourceRow]:
    for source in sources:
        for session in source.sessions:
            yield source.name, session, int(session in source.new), None, None, None
        if not source.sessions and source.name not in annotated:
            yield source.name, None, 0, None, None, None


def forget(connection: "DuckDBPyConnection", target: str, names: Sequence[str]) -> None:
    """Remove the files `names` from a history, with the sessions and annotations that no other file holds."""
    if not names:
        return
    gone = f"path IN (SELECT unnest({literal(list(names))})) AND importer = {literal(IMPORTER)}"
    sources, here = f"{target}.source_file", f"importer = {literal(IMPORTER)} AND NOT ({gone})"
    connection.execute("BEGIN")
    try:
        connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE gone_session AS SELECT session_id FROM {sources} WHERE {gone}
            EXCEPT SELECT session_id FROM {sources} WHERE {here};
            CREATE OR REPLACE TEMP TABLE gone_annotation AS SELECT source_file_id AS id FROM {sources} WHERE {gone}
            EXCEPT SELECT source_file_id FROM {sources} WHERE {here};
            DELETE FROM {target}.note WHERE session_id IN (SELECT session_id FROM gone_session)
            AND note_id NOT IN (SELECT source_file_id FROM {sources} WHERE {here})
            """
        )
        for table in (*FACTS, "source_file"):  # the file that an imported session came from
            connection.execute(
                f"DELETE FROM {identifier(target)}.{table} WHERE session_id IN (SELECT session_id FROM gone_session)"
            )
        for table, key in ANNOTATIONS.items():
            connection.execute(
                f"DELETE FROM {identifier(target)}.{table} WHERE {key} IN (SELECT id FROM gone_annotation)"
            )
        connection.execute(f"DELETE FROM {sources} WHERE {gone}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def stamp(path: str) -> str | None:
    """Return the size and time of change of a file, which differ when a bad file has been replaced."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return f"{status.st_size}:{status.st_mtime_ns}"
