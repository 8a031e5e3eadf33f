"""Checks files: that every column can be read, and, with ``sql/checks/``, what key constraints would enforce."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.file_errors import is_database_error, translate, translated
from pytest_benchdb.store.history.session_folder import journals, session_files
from pytest_benchdb.store.history.single_file import inbox_files
from pytest_benchdb.store.journal.impossible import find_impossible
from pytest_benchdb.store.schema.migrate import attach_ours
from pytest_benchdb.store.statement import identifier, names, read
from pytest_benchdb.store.target import INBOX_SUFFIX

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A defect of a file.

    Attributes:
        check: name of the statement under ``sql/checks``; ``impossible`` for values that are; ``open`` or ``read`` if
            that fails.
        message: with up to five examples.
    """

    path: Path
    check: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of `validate`.

    Attributes:
        files: number of databases read.
        sessions: number of sessions in them.
        waiting: session files in an inbox, and journals of running and dead sessions.
    """

    files: int
    sessions: int
    waiting: tuple[Path, ...]
    problems: tuple[Problem, ...]


def validate(path: Path, *, progress: Callable[[int, int], None] = lambda _done, _total: None) -> CheckResult:
    """Read and check a file or a folder of sessions; `progress` gets the number of files done and the total.

    Raises:
        StoreMissingError: the path does not exist.
    """
    if path.is_dir():
        files = [path / name for name in sorted(session_files(path))]
        unfolded = journals(path)
    else:
        files = [path]
        unfolded = [*journals(Path(os.fspath(path) + INBOX_SUFFIX)), *map(Path, inbox_files(os.fspath(path)))]
    problems: list[Problem] = []
    sessions = 0
    for done, file in enumerate(files, 1):
        defects, count = _check_file(file)
        problems += defects
        sessions += count
        progress(done, len(files))
    return CheckResult(files=len(files), sessions=sessions, waiting=tuple(unfolded), problems=tuple(problems))


def _check_file(path: Path) -> tuple[list[Problem], int]:
    connection = db.connect(threads=None)
    try:
        attach_ours(connection, path, "checked")
        connection.execute("USE checked")
        problems = _unreadable(connection, path)
        if problems:
            return problems, 0
        for name in names("checks"):
            problems += _run_check(connection, path, name)
        problems += _impossible(connection, path)
        row = connection.execute("SELECT count(*) FROM session").fetchone()
        return problems, row[0] if row else 0
    except StoreError as error:
        return [Problem(path=path, check="open", message=str(error))], 0
    finally:
        with contextlib.suppress(Exception):
            connection.close()


def _unreadable(connection: "DuckDBPyConnection", path: Path) -> list[Problem]:
    """Read every column of every table, because DuckDB verifies only the blocks that it reads."""
    problems = []
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'checked' ORDER BY table_name"
    ).fetchall()
    for (table,) in tables:
        reason = _why_unreadable(connection, path, table)
        if reason is not None:
            problems.append(Problem(path=path, check="read", message=f"table {table}: {reason}"))
    return problems


def _why_unreadable(connection: "DuckDBPyConnection", path: Path, table: str) -> str | None:
    try:
        connection.execute(f"SELECT bit_xor(hash(entry)) FROM {identifier(table)} AS entry").fetchall()
    except Exception as error:
        if not is_database_error(error):
            raise
        return str(translate(error, str(path)))
    return None


def _impossible(connection: "DuckDBPyConnection", path: Path) -> list[Problem]:
    found = find_impossible(connection, "checked", cache=template_folder())
    if not found:
        return []
    examples = "; ".join(reason for _, reason in found[:_MOST_SHOWN])
    more = ", and more" if len(found) > _MOST_SHOWN else ""
    message = f"{len(found)} valid measurement(s) that are impossible, which readers do not take: {examples}{more}"
    return [Problem(path=path, check="impossible", message=message)]


def _run_check(connection: "DuckDBPyConnection", path: Path, name: str) -> list[Problem]:
    text = read(name)
    title = text.splitlines()[0].removeprefix("-- ")
    with translated(str(path)):
        rows = connection.execute(text).fetchmany(_MOST_SHOWN + 1)
    if not rows:
        return []
    examples = "; ".join(str(row[0]) for row in rows[:_MOST_SHOWN])
    more = ", and more" if len(rows) > _MOST_SHOWN else ""
    return [Problem(path=path, check=name.rpartition("/")[2], message=f"{title}: {examples}{more}")]
