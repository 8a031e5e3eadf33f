"""The fold: turns a journal into a session file, completely or not at all, exactly once.

journal -> ``.<session>.part`` (one transaction) -> ``<utc>-<session>.duckdb`` (rename) -> journal removed.
The process that folds holds the journal's lock. If it dies on the way, it leaves a journal that the next process folds,
or a session file whose journal only has to be removed.
"""

import contextlib
import json
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_benchdb.errors import CorruptFileError, StoreLockedError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.journal.checksum import has_checksum, is_changed
from pytest_benchdb.store.journal.impossible import mark_impossible
from pytest_benchdb.store.lock import lock_now
from pytest_benchdb.store.regular_file import open_regular
from pytest_benchdb.store.schema.template import attach_new
from pytest_benchdb.store.statement import Value, fetch, is_timestamp, read, render

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


JOURNAL_SUFFIX = ".journal.jsonl"
DAMAGED_SUFFIX = ".damaged"
SEVERAL = "import-"
"""Beginning of the name of a journal of several sessions, and after the time, of the file that it becomes."""
_LARGE_JOURNAL_BYTES = 2_000_000
"""About 200,000 rounds, from which larger blocks pay off."""
_SCANNED_BYTES = 16_000_000
_BUCKET_ROUNDS = 2_000_000
_RETRY_S = 0.01
_SHOWN_LINES = 5
_OPTIMIZED_JOURNAL_BYTES = 5_000_000
"""From which optimizing all statements of a fold saves more time than it takes."""
_FEWER_OPTIMIZERS = (
    "SET disabled_optimizers = 'join_order,statistics_propagation,common_aggregate,compressed_materialization'"
)
_BAD_LINE_ERRORS = frozenset(
    {
        "BinderException",
        "ConstraintException",
        "ConversionException",
        "InvalidInputException",
        "OutOfRangeException",
        "TypeMismatchException",
    }
)


class Report(NamedTuple):
    """The results of a session, for the summary at the end of a run.

    Attributes:
        rows: fields of `model.report.ReportRow`, by name.
        outcomes: number of runs by outcome.
        notes: fields of `model.report.RunNotes`, by name.
        missing_counts: number of runs without hardware counters, by reason.
    """

    rows: list[dict[str, Any]]
    outcomes: dict[str, int]
    notes: list[dict[str, Any]]
    missing_counts: dict[str, int]


class Folded(NamedTuple):
    """The result of folding a journal.

    Attributes:
        path: the session file; None if the journal was empty, or another process has folded it.
        report: None unless requested.
        damaged_lines: numbers of the journal's lines that could not be read.
    """

    path: str | None
    report: Report | None = None
    damaged_lines: Sequence[int] = ()


def fold(journal: str, *, cache: str | None, row_limit: int | None = None, wait_s: float = 0.0) -> Folded:
    """Turn a journal into a session file beside it, and remove the journal.

    Args:
        journal: path of the journal; its session has ended.
        cache: folder of templates for new files; None if there is none.
        row_limit: most rows of the report; None makes no report.
        wait_s: how long to wait for another process that holds the journal.

    Raises:
        StoreLockedError: the session is still running, or another process folds it.
        StoreError: the session file cannot be written; the journal stays.
    """
    descriptor = _lock(journal, wait_s)
    if descriptor is None:
        return Folded(None)
    try:
        with translated(journal):
            return _fold_locked(journal, descriptor, cache, row_limit)
    finally:
        os.close(descriptor)


def session_id_of(journal: str) -> str:
    """Return the session's id, which is the journal's name; that of several sessions begins with `SEVERAL`."""
    return os.path.basename(journal)[: -len(JOURNAL_SUFFIX)]


def session_file_name(session_id: str, started_us: int) -> str:
    """Return the name of a session's file.

    >>> session_file_name("0198c5d4-1a2b-7c3d-8e4f-001122334455", 1_700_000_000_000_000)
    '20231114T221320Z-0198c5d4-1a2b-7c3d-8e4f-001122334455.duckdb'
    """
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(started_us // 1_000_000))}-{session_id}.duckdb"


def _lock(journal: str, wait_s: float) -> int | None:
    """Open and lock a journal; None if another process has folded it meanwhile."""
    with translated(journal):
        try:
            descriptor = open_regular(journal, os.O_RDWR)
        except FileNotFoundError:
            return None
    deadline = time.monotonic() + wait_s
    while not lock_now(descriptor):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            message = f"{journal} is in use: its session still runs; wait until it has ended"
            raise StoreLockedError(message)
        time.sleep(_RETRY_S)
    if os.name != "nt" and os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return None
    return descriptor


def _fold_locked(journal: str, descriptor: int, cache: str | None, row_limit: int | None) -> Folded:
    size = _cut_torn_line(descriptor)
    if size == 0:
        os.unlink(journal)
        return Folded(None)
    folder, session_id = os.path.dirname(journal), session_id_of(journal)
    started_us = _started_us(descriptor, size)
    damaged: Sequence[int] = ()
    report = None
    final = None if started_us is None else os.path.join(folder, session_file_name(session_id, started_us))
    if final is None or not os.path.exists(final):
        part = os.path.join(folder, f".{session_id}.part")
        try:
            if final is None or not _is_unchanged(journal):
                final, damaged, report = _write_salvaged(journal, part, cache, row_limit)
            else:
                try:
                    report = _write(journal, part, (), cache, row_limit)
                except CorruptFileError:
                    final, damaged, report = _write_salvaged(journal, part, cache, row_limit)
            sync_file(part)
            os.replace(part, final)
        finally:
            _remove(part, f"{part}.wal")
    if damaged:
        os.replace(journal, journal + DAMAGED_SUFFIX)
    else:
        os.unlink(journal)
    return Folded(final, report, damaged)


def _cut_torn_line(descriptor: int) -> int:
    """Cut off an unfinished last line; return the new size."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    end, step = size, 65536
    while end > 0:
        start = max(0, end - step)
        os.lseek(descriptor, start, os.SEEK_SET)
        position = os.read(descriptor, end - start).rfind(b"\n")
        if position >= 0:
            end = start + position + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def _started_us(descriptor: int, size: int) -> int | None:
    """Return the session's start from the journal's first line; None if that is damaged."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    head = os.read(descriptor, min(size, _SCANNED_BYTES)).split(b"\n", 1)[0]
    try:
        entry = json.loads(head)
        started = entry["session"]["started_us"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return started if is_timestamp(started) and entry.get("k") == "session" else None


def _write_salvaged(
    journal: str, part: str, cache: str | None, row_limit: int | None
) -> tuple[str, Sequence[int], Report | None]:
    """Write what can be stored of a damaged journal.

    Returns:
        Path of the final file, numbers of the lines left out, report.

    Raises:
        CorruptFileError: nothing can be stored; the journal is set aside, so that it is not tried for ever.
    """
    from pytest_benchdb.store.journal.salvage import drop_bad_lines, salvage

    clean, kept, damaged = salvage(journal)

    def is_storable() -> bool:
        try:
            _write(clean, part, (1,), cache, None)
        except CorruptFileError:
            return False
        return True

    try:
        damaged = sorted([*damaged, *drop_bad_lines(clean, kept, is_storable)])
        report = _write(clean, part, damaged, cache, row_limit)
        with open(clean, "rb") as file:
            session = json.loads(file.readline())["session"]
        name = session_file_name(session_id_of(journal), session["started_us"])
        return os.path.join(os.path.dirname(journal), name), damaged, report
    except CorruptFileError as error:
        os.replace(journal, journal + DAMAGED_SUFFIX)
        message = f"nothing in {journal} can be stored; it is kept as {os.path.basename(journal)}{DAMAGED_SUFFIX}"
        raise CorruptFileError(message) from error
    finally:
        _remove(clean)


def _write(source: str, part: str, damaged: Sequence[int], cache: str | None, row_limit: int | None) -> Report | None:
    """Write the session file under its temporary name, in one transaction; return the report."""
    _remove(part, f"{part}.wal")
    session_id = os.path.basename(part)[1 : -len(".part")]
    several = session_id.startswith(SEVERAL)
    size = os.path.getsize(source)
    large, optimized = size > _LARGE_JOURNAL_BYTES, size > _OPTIMIZED_JOURNAL_BYTES
    values: dict[str, Value] = {
        "journal": source.replace("\\", "/") if os.name == "nt" else _escape_glob(source),
        "longest_line": _longest_line(source, size),
        "session_id": None if several else session_id,
        "damaged": bool(damaged),
        "limit": row_limit,
    }
    with contextlib.closing(db.connect()) as connection, translated(part):
        block_bytes = db.LARGE_SESSION_BLOCK_BYTES if large else db.SESSION_BLOCK_BYTES
        attach_new(
            connection,
            part,
            "part",
            file_kind="history" if several else "session",
            block_bytes=block_bytes,
            cache=cache,
        )
        # Write straight into the file: a write-ahead log would be written and then read again.
        connection.execute("SET checkpoint_threshold = '1B'")
        if not optimized:
            connection.execute(_FEWER_OPTIMIZERS)
        try:
            _store_lines(connection, values, large=large)
        except Exception as error:
            if type(error).__name__ in _BAD_LINE_ERRORS:
                reason = " ".join(str(error).split())[:200]
                raise CorruptFileError(f"{source} has damaged lines ({reason}); see: benchdb recover") from error
            raise
        mark_impossible(connection, "part", cache=cache)
        if damaged:
            _run(connection, "fold/note", {**values, "text": damage_text(damaged)})
        if lost := _one(connection, "SELECT max(lost) FROM line"):
            text = f"{lost} finished tests are missing: they could not be written"
            _run(connection, "fold/note", {**values, "text": text})
        if not optimized:
            connection.execute("PRAGMA disable_optimizer")  # planning the report takes 11 ms instead of 16
        report = None if row_limit is None else _fetch_report(connection, values)
        connection.execute("COMMIT")
        connection.execute("USE memory; DETACH part")
    return report


def write_table(connection: "DuckDBPyConnection", journal: str, runs: str, chunks: str, *, cache: str | None) -> str:
    """Write the file of several sessions whose runs are in tables of a connection; return its path.

    Args:
        connection: has the tables.
        journal: the other lines of the sessions; it stays.
        runs: the statement that adds the runs to the lines.
        chunks: the statement that adds their rounds.
        cache: folder of templates for new files; None if there is none.

    Raises:
        StoreError: the file cannot be written.
    """
    name, folder = session_id_of(journal), os.path.dirname(journal)
    part = os.path.join(folder, f".{name}.part")
    size = os.path.getsize(journal)
    values: dict[str, Value] = {
        "journal": journal.replace("\\", "/") if os.name == "nt" else _escape_glob(journal),
        "longest_line": _longest_line(journal, size),
        "session_id": None,
        "damaged": False,
    }
    with translated(part), open(journal, "rb") as file:
        started_us = _started_us(file.fileno(), size) or 0
        attach_new(connection, part, "part", file_kind="history", block_bytes=db.LARGE_SESSION_BLOCK_BYTES, cache=cache)
        connection.execute("SET checkpoint_threshold = '1B'")
        content = _stage_lines(connection, values)
        connection.execute(runs)
        _run(connection, "fold/stage_readings", values)
        connection.execute("BEGIN")
        _insert(connection, values, content)
        connection.execute(chunks)
        _measure(connection, values, large=True)
        mark_impossible(connection, "part", cache=cache)
        connection.execute("COMMIT")
        connection.execute("USE memory; DETACH part")
        sync_file(part)
        final = os.path.join(folder, session_file_name(name, started_us))
        os.replace(part, final)
    return final


def _run(connection: "DuckDBPyConnection", name: str, values: dict[str, Value]) -> None:
    connection.execute(render(read(name), values))


def _store_lines(connection: "DuckDBPyConnection", values: dict[str, Value], *, large: bool) -> None:
    """Begin the transaction, insert everything, and compute the statistics."""
    content = _stage(connection, values)
    connection.execute("BEGIN")
    _insert(connection, values, content)
    _measure(connection, values, large=large)


class _Content(NamedTuple):
    """What a journal contains: statements for the rest are skipped."""

    ended: bool
    repeated: bool
    labelled: bool
    with_series: bool
    with_requests: bool
    with_attachments: bool
    imported: bool
    sampled: bool


def _stage(connection: "DuckDBPyConnection", values: dict[str, Value]) -> _Content:
    """Read the journal's lines, except its rounds, into temporary tables."""
    content = _stage_lines(connection, values)
    _run(connection, "fold/stage_readings", values)
    return content


def _stage_lines(connection: "DuckDBPyConnection", values: dict[str, Value]) -> _Content:
    row = connection.execute(render(read("fold/stage_lines"), values)).fetchone()
    content = _Content(*map(bool, row or (False,) * len(_Content._fields)))
    if not content.ended:
        _run(connection, "fold/died", values)
    if content.repeated:
        _run(connection, "fold/deduplicate", values)
    return content


def _insert(connection: "DuckDBPyConnection", values: dict[str, Value], content: _Content) -> None:
    _run(connection, "fold/insert", values)
    if content.labelled:
        _run(connection, "fold/labels", values)
    if _one(connection, "SELECT count(*) FROM reading WHERE item.metric NOT IN (SELECT metric FROM metric)"):
        _run(connection, "fold/metrics", values)
    if content.sampled:
        _run(connection, "fold/chunks", values)
    if content.with_series:
        _run(connection, "fold/series", values)
    if content.with_requests:
        _run(connection, "fold/requests", values)
    if content.with_attachments:
        _run(connection, "fold/attachments", values)
    if content.imported:
        _run(connection, "fold/source", values)


def _measure(connection: "DuckDBPyConnection", values: dict[str, Value], *, large: bool) -> None:
    """Compute the statistics of the rounds, then drop the rounds that are not kept."""
    buckets = 1
    if large:
        rounds = _one(connection, "SELECT sum(coalesce(len(round_ns), len(value))) FROM round_chunk") or 0
        buckets = rounds // _BUCKET_ROUNDS + 1
    for bucket in range(buckets):
        _run(connection, "fold/statistics", {**values, "buckets": buckets, "bucket": bucket})
    _run(connection, "fold/measurements", values)
    if _one(connection, "SELECT bool_or(NOT item.keep) FROM reading"):
        connection.execute(
            "DELETE FROM round_chunk WHERE measurement_id IN (SELECT measurement_id FROM reading WHERE NOT item.keep)"
        )


def _fetch_report(connection: "DuckDBPyConnection", values: dict[str, Value]) -> Report:
    session_id = str(values["session_id"])
    rows = fetch(
        connection,
        "queries/report_rows",
        {"session_ids": [session_id], "first_id": session_id, "last_id": session_id, "limit": values["limit"]},
    )
    rows = [{**row, "params": row["params"] and json.loads(row["params"])} for row in rows]
    outcomes = connection.execute("SELECT outcome, count(*) FROM run GROUP BY outcome ORDER BY outcome").fetchall()
    notes = fetch(connection, "queries/run_notes", {"session_id": session_id})
    missing = fetch(connection, "queries/missing_counts", {"session_id": session_id})
    return Report(rows, dict(outcomes), notes, {row["reason"]: row["runs"] for row in missing})


def _one(connection: "DuckDBPyConnection", sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return None if row is None else row[0]


def damage_text(damaged: Sequence[int]) -> str:
    """Return which lines of the journal are not stored."""
    shown = ", ".join(map(str, damaged[:_SHOWN_LINES])) + (", ..." if len(damaged) > _SHOWN_LINES else "")
    return f"{len(damaged)} damaged line(s) of the journal left out ({shown}); what was in them is missing or not valid"


def _is_unchanged(journal: str) -> bool:
    """Return whether every line is there once, and has its checksum, or none as in the journals of older versions."""
    with open(journal, "rb") as file:
        lines = checked = 0
        seen: set[int] = set()
        for line in file:
            lines += 1
            checked += has_checksum(line)
            seen.add(hash(line))
            if is_changed(line):
                return False
        return checked in {0, lines} and len(seen) == lines


def _longest_line(source: str, size: int) -> int:
    """Return an upper bound of the length of a line in bytes; only large journals are scanned for it."""
    if size <= _SCANNED_BYTES:
        return size + 1
    with open(source, "rb") as file:
        return max(map(len, file)) + 1


def _escape_glob(path: str) -> str:
    """Escape the characters that `read_json` treats as a pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def sync_file(path: str) -> None:
    """Wait until a file's content is on disk."""
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(*paths: str) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)
