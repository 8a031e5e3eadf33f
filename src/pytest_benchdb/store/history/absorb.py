"""Copies sessions and annotations from files into one history, and removes them again: idempotent, in batches of files.

Sessions already in the history are skipped, rows that files share (devices, environments, ...) are added once by their
key, and a benchmark takes its group, parameters and code from its newest session. Every file's annotations are copied.
"""

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.file_errors import is_database_error, translate
from pytest_benchdb.store.journal.impossible import mark_impossible
from pytest_benchdb.store.schema.migrate import accept, attach_copy
from pytest_benchdb.store.schema.template import SCHEMA_VERSION
from pytest_benchdb.store.statement import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


_LONGEST_S = 8.0
_LEAST_BYTES_PER_S = 2_000_000
"""How slowly a file may be read, beyond `_LONGEST_S`; a slow disk and a busy machine read 20 times as fast."""
BATCH = 100
"""Files attached at a time: 10,000 would need 3 GB of memory. With 50, writing the history takes twice as long."""

IMPORTER = "pytest-benchdb"
"""Importer of the rows in `source_file` that name a history's own session files."""

FACTS = ("session", "run", "measurement", "round_chunk", "series", "request", "attachment")
"""Tables whose rows belong to one session each."""

ANNOTATIONS = {name: f"{name}_id" for name in ("baseline", "acceptance", "exclusion", "note")}
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

_FINGERPRINTS = {
    "environment": "environment_id",
    "device": "device_id",
    "metric": "metric",
    "benchmark": "benchmark_id, group_name, params, code_hash",
}
"""Tables that are equal in most session files of a folder, and the columns that differ when they are not."""

Progress = Callable[[int, int], None]
"""Called with the number of files done and the total."""

_SourceRow = tuple[str, str | None, int, str | None, str | None, str | None]


class Refused(NamedTuple):
    """A file that could not be read, and why."""

    path: str
    reason: str


@dataclass(slots=True)
class _Job:
    """The state of one call of `absorb`.

    Attributes:
        only: ids of the sessions to copy, without annotations; None copies everything.
        present: ids of the sessions in the target.
        copied: tables that were copied whole, with their fingerprints.
    """

    connection: "DuckDBPyConnection"
    target: str
    source_name: Callable[[str], str]
    scratch: str
    only: frozenset[str] | None
    present: set[str]
    copied: set[tuple[str, str]]

    def wants(self, session: str) -> bool:
        return session not in self.present and (self.only is None or session in self.only)


class _Source(NamedTuple):
    """An attached file.

    Attributes:
        new: ids of the sessions to copy.
        started: start of its newest session, as text that sorts by time.
        fingerprints: hash of each table's rows, by table.
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
    source_name: Callable[[str], str] = os.path.basename,
    progress: Callable[[int], None] = lambda _done: None,
    only: Sequence[str] | None = None,
) -> list[Refused]:
    """Copy the sessions of `files` into the attached database `target`.

    Each batch is one transaction, including its rows in `source_file`.

    Args:
        connection: the connection that `target` is attached to.
        target: alias of the history, in the newest schema.
        files: paths of session files and histories.
        source_name: returns the name under which `source_file` lists a file.
        progress: called with the number of files done.
        only: ids of the sessions to copy, without annotations; None copies everything.

    Returns:
        The files that could not be read.

    Raises:
        StoreError: `target` cannot be written.
    """
    refused: list[Refused] = []
    sql = f"SELECT CAST(session_id AS VARCHAR) FROM {target}.session"
    present = {row[0] for row in connection.execute(sql).fetchall()}
    with tempfile.TemporaryDirectory(prefix="benchdb-") as scratch:
        job = _Job(connection, target, source_name, scratch, None if only is None else frozenset(only), present, set())
        for first in range(0, len(files), BATCH):
            batch = files[first : first + BATCH]
            try:
                refused += _absorb_batch(job, batch)
            except Exception as error:
                if not is_database_error(error):
                    raise
                # DuckDB checks a block when it reads it: one of the files is damaged, so copy them one by one.
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
        if type(error).__name__ == "InterruptException":
            reason = f"{path}: reading it took longer than {_longest_s([path]):.0f} s, which no file of its size takes"
            refused = Refused(path, reason)
        else:
            refused = Refused(path, str(translate(error, path)))
    _insert_sources(job, [], [refused])
    return [refused]


def _longest_s(files: Sequence[str]) -> float:
    """Return how long reading files may take: content that is packed well can be of any length."""
    sizes = 0
    for file in files:
        with contextlib.suppress(OSError):
            sizes += os.stat(file).st_size
    return _LONGEST_S + sizes / _LEAST_BYTES_PER_S


@contextlib.contextmanager
def _stopped_after(connection: "DuckDBPyConnection", seconds: float) -> Iterator[None]:
    """Interrupt the connection if a block takes longer."""
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _absorb_batch(job: _Job, batch: Sequence[str]) -> list[Refused]:
    refused: list[Refused] = []
    attached: dict[str, str] = {}
    taken: set[str] = set()
    try:
        for number, path in enumerate(batch):
            reason = _attach(job, path, f"source_{number}")
            if reason is None:
                attached[f"source_{number}"] = path
            else:
                refused.append(Refused(path, reason))
        sources = []
        for alias, version in accept(job.connection, attached).items():
            if isinstance(version, StoreError):
                refused.append(Refused(attached[alias], str(version)))
                continue
            if version != SCHEMA_VERSION:
                attach_copy(job.connection, attached[alias], alias, job.scratch)
            with _stopped_after(job.connection, _longest_s([attached[alias]])):
                source = _read_source(job, attached[alias], alias, taken)
            taken.update(source.new)
            sources.append(source)
        job.connection.execute("BEGIN")
        try:
            with _stopped_after(job.connection, _longest_s(batch)):
                filled = _filled_tables(job.connection, sources)
                copied = _copy(job, [source for source in sources if source.new], filled)
                _mark(job, sources)
                annotations = _copy_annotations(job, sources, filled)
            _insert_sources(job, sources, refused, annotations)
            job.connection.execute("COMMIT")
        except BaseException:
            job.connection.execute("ROLLBACK")
            raise
    finally:
        for alias in attached:
            db.detach(job.connection, alias)
    job.present.update(taken)
    job.copied.update(copied)
    return refused


def _attach(job: _Job, path: str, alias: str) -> str | None:
    """Attach a file, from which nothing may be read yet; return why that failed."""
    try:
        db.attach(job.connection, path, alias, read_only=True)
    except StoreError as error:
        return str(error)
    return None


def _read_source(job: _Job, path: str, alias: str, taken: set[str]) -> _Source:
    """Read in one query the sessions and fingerprints of an attached file, which decide how much is copied."""
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
        name=job.source_name(path),
        sessions=sessions,
        new=[session for session in sessions if session not in taken and job.wants(session)],
        started=facts.pop("started"),
        fingerprints=facts,
    )


def _copy(job: _Job, sources: Sequence[_Source], filled: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Copy the new sessions of the sources; return the tables that were copied whole, with their fingerprints."""
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
            content = (table, source.fingerprints.get(table, source.alias))
            if (source.alias, table) in filled and content not in job.copied and content not in copied:
                selects.append(f"SELECT * FROM {source.alias}.{table}")
                if table in _FINGERPRINTS:
                    copied.add(content)
        if selects and table != "benchmark" and table not in ANNOTATIONS:
            _insert_missing(job, table, key, selects)
    return copied


def _mark(job: _Job, sources: Sequence[_Source]) -> None:
    """Make what cannot have been measured not valid."""
    new = [session for source in sources for session in source.new]
    if new:
        mark_impossible(job.connection, job.target, new, cache=template_folder())


def _copy_annotations(job: _Job, sources: Sequence[_Source], filled: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Copy annotations; return the source's name and the id of each."""
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
    """Return the alias and table of every table that has rows: most are empty in a session file."""
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
    """Add new benchmarks, and update group, parameters and code of the others from the newest session.

    Of sources with equal benchmarks only the newest is read. Its rows replace those in the target, unless a later
    session there has run the benchmark.
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


def _insert_sources(
    job: _Job, sources: Sequence[_Source], refused: Sequence[Refused], annotations: Sequence[tuple[str, str]] = ()
) -> None:
    """Record which files are in the history, and which cannot be read.

    There is one row per session of a file, and one per annotation, under the annotation's id.
    """
    rows: list[_SourceRow] = [*_source_rows(sources, {name for name, _ in annotations})]
    rows += [(name, None, 1, None, None, annotation_id) for name, annotation_id in annotations]
    rows += [(job.source_name(path), None, 0, reason, file_stamp(path), None) for path, reason in refused]
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
    sources, kept = f"{target}.source_file", f"importer = {literal(IMPORTER)} AND NOT ({gone})"
    connection.execute("BEGIN")
    try:
        connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE gone_session AS SELECT session_id FROM {sources} WHERE {gone}
            EXCEPT SELECT session_id FROM {sources} WHERE {kept};
            CREATE OR REPLACE TEMP TABLE gone_annotation AS SELECT source_file_id AS id FROM {sources} WHERE {gone}
            EXCEPT SELECT source_file_id FROM {sources} WHERE {kept};
            DELETE FROM {target}.note WHERE session_id IN (SELECT session_id FROM gone_session)
            AND note_id NOT IN (SELECT source_file_id FROM {sources} WHERE {kept})
            """
        )
        for table in (*FACTS, "source_file"):  # source_file also names the origin of an imported session
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


def file_stamp(path: str) -> str | None:
    """Return a file's size and modification time, which show that an unreadable file has been replaced."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return f"{status.st_size}:{status.st_mtime_ns}"
