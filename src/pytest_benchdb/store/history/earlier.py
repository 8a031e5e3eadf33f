"""The newest earlier times of a session's benchmarks, found within limits that no history can exceed.

The process that has just stored a session looks for them, so that the summary of a run can show what changed. It reads
the newest session files of a folder, or the newest sessions of a single file, until every benchmark was found.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_benchdb.errors import StoreError
from pytest_benchdb.model.metric import MAIN_TIMES
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.session_folder import session_files
from pytest_benchdb.store.schema.migrate import attach_copy, attach_ours
from pytest_benchdb.store.schema.template import SCHEMA_VERSION
from pytest_benchdb.store.statement import fetch, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SEARCHED = 20
"""Most earlier sessions that are searched."""
CPU_LIMIT_S = 0.3
WALL_LIMIT_S = 2.0
"""Times after which the search ends, on a slow disk or a busy machine; a session being read is read to its end."""

_ALIAS = "stored"
_FIGURES = ("min", "median", "value")
Row = dict[str, Any]
"""A row of ``queries/main_times.sql``."""


class Earlier(NamedTuple):
    """The earlier times of a session's benchmarks.

    Attributes:
        times: fields of `model.report.EarlierTime`, by name.
        left: number of earlier sessions that were not searched although some benchmarks were not found in the others.
        problem: why a session could not be read; None if all could, or all benchmarks were found.
    """

    times: list[dict[str, Any]]
    left: int = 0
    problem: str | None = None


def find_earlier(path: str, session_file: str, session_id: str) -> Earlier:
    """Return the newest earlier times of a stored session's benchmarks, on the same machine and of the same code.

    Args:
        path: the folder or single file that has the history.
        session_file: the session's own file, or the single file.
        session_id: its id.

    Raises:
        StoreError: the session itself cannot be read.
    """
    deadlines = time.process_time() + CPU_LIMIT_S, time.monotonic() + WALL_LIMIT_S
    with contextlib.closing(db.connect()) as connection, translated(session_file):
        db.attach(connection, session_file, _ALIAS, read_only=True)  # just written by this process, so it is ours
        connection.execute(f"USE {_ALIAS}")
        machine = _machine(connection, session_id)
        own = _times(connection, [session_id])
        if os.path.isdir(path):
            db.detach(connection, _ALIAS)
            steps = _folder(connection, path, session_file, machine)
        else:
            steps = _single_file(connection, session_id, machine)
        return _search(own, steps, deadlines)


def _search(
    own: Sequence[Row], steps: Iterator[tuple[Sequence[Row] | StoreError, int]], deadlines: tuple[float, float]
) -> Earlier:
    missing = {_series(row): row for row in own}
    found = Earlier([])
    searched = 0
    for rows, left in steps if missing else ():
        if isinstance(rows, StoreError):
            found = found._replace(problem=found.problem or str(rows))
            continue
        searched += 1
        for series, row in {_series(row): row for row in rows}.items():
            now = missing.pop(series, None)
            if now is not None and _measured_the_same(now, row):
                found.times.append(_pair(now, row))
        if not missing:
            return Earlier(found.times)
        if searched >= SEARCHED or time.process_time() > deadlines[0] or time.monotonic() > deadlines[1]:
            return found._replace(left=left)
    return found


def _series(row: Row) -> tuple[Any, ...]:
    return row["benchmark_id"], row["backend"], row["device"], row["metric"], row["phase"]


def _measured_the_same(now: Row, before: Row) -> bool:
    return now["unit"] == before["unit"] and not any(
        now[name] is not None and before[name] is not None and now[name] != before[name]
        for name in ("code_hash", "result_count")
    )


def _pair(now: Row, before: Row) -> dict[str, Any]:
    return {
        "run_id": now["run_id"],
        "metric": now["metric"],
        "phase": now["phase"],
        "unit": now["unit"],
        "session_id": before["session_id"],
        "before": {name: before[name] for name in _FIGURES},
        "now": {name: now[name] for name in _FIGURES},
    }


def _folder(
    connection: "DuckDBPyConnection", folder: str, session_file: str, machine: str | None
) -> Iterator[tuple[Sequence[Row] | StoreError, int]]:
    """Yield the times of each earlier session file of a machine, newest first, and how many files are left."""
    own = os.path.basename(session_file)
    files = sorted((name for name in session_files(Path(folder)) if name < own), reverse=True)
    excluded: dict[str, bool] = {}
    for number, name in enumerate(files, start=1):
        yield _read(connection, os.path.join(folder, name), machine, excluded), len(files) - number


def _read(
    connection: "DuckDBPyConnection", path: str, machine: str | None, excluded: dict[str, bool]
) -> Sequence[Row] | StoreError:
    """Return the times of a file's sessions.

    Args:
        connection: an open connection.
        path: the file.
        machine: fingerprint of the machine.
        excluded: whether a session is excluded, by id; grows, and is known before the session is, because sessions are
            excluded after they were recorded and newer files are read first.
    """
    try:
        with _attached(connection, path):
            for session_id, is_excluded in _exclusions(connection).items():
                excluded.setdefault(session_id, is_excluded)
            return _times(connection, [each for each in _sessions(connection, machine) if not excluded.get(each)])
    except StoreError as error:
        return error


def _single_file(
    connection: "DuckDBPyConnection", session_id: str, machine: str | None
) -> Iterator[tuple[Sequence[Row] | StoreError, int]]:
    """Yield the times of each earlier session of a machine, newest first, and how many sessions are left."""
    excluded = _exclusions(connection)
    ids = [each for each in _sessions(connection, machine) if each < session_id and not excluded.get(each)]
    rows = _times(connection, ids)
    for number, each in enumerate(ids, start=1):
        yield [row for row in rows if row["session_id"] == each], len(ids) - number


def _exclusions(connection: "DuckDBPyConnection") -> dict[str, bool]:
    """Return whether a session is excluded, for each that a file has decided about."""
    return {row["session_id"]: row["excluded"] for row in fetch(connection, "queries/exclusions", {})}


def _machine(connection: "DuckDBPyConnection", session_id: str) -> str | None:
    row = connection.execute(
        f"SELECT CAST(fingerprint AS VARCHAR) FROM session WHERE session_id = {literal(session_id)}"
    ).fetchone()
    return row[0] if row else None


def _sessions(connection: "DuckDBPyConnection", machine: str | None) -> list[str]:
    """Return the ids of the newest sessions of a machine, newest first; ids of sessions grow with time.

    Backfilled sessions are left out: they are of older commits.
    """
    rows = connection.execute(
        f"SELECT CAST(session_id AS VARCHAR) FROM session WHERE fingerprint = {literal(machine)} "
        "AND NOT coalesce(map_contains(tags, 'backfill'), false) "
        f"ORDER BY session_id DESC LIMIT {SEARCHED + 1}"
    ).fetchall()
    return [session_id for (session_id,) in rows]


def _times(connection: "DuckDBPyConnection", ids: Sequence[str]) -> list[Row]:
    if not ids:
        return []
    return fetch(connection, "queries/main_times", {"session_ids": list(ids), "metrics": list(MAIN_TIMES)})


@contextlib.contextmanager
def _attached(connection: "DuckDBPyConnection", path: str) -> Iterator[None]:
    """Make a file the current database for the length of a block."""
    with contextlib.ExitStack() as stack:
        stack.callback(db.detach, connection, _ALIAS)
        if attach_ours(connection, path, _ALIAS) != SCHEMA_VERSION:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchdb-"))
            attach_copy(connection, path, _ALIAS, scratch)
        connection.execute(f"USE {_ALIAS}")
        with translated(path):
            yield
