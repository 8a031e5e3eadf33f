"""Runs SQL from users: one SELECT, without access to files, network or settings, limited in time, memory and rows.

Four walls protect the user: the statement must be a SELECT that calls only harmless table functions, the connection
has no access to anything outside and its settings are locked, the file is attached read-only, and all of it happens in
a process of its own (`serve`; `store.read.query_process` starts it), whose memory the operating system limits and which
is killed when it takes too long: some statements are slow or large before DuckDB looks at its limits.
"""

import contextlib
import os
import pickle
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import BenchdbError, QueryError, interruptible, is_interrupt
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import is_database_error
from pytest_benchdb.store.statement import identifier, nodes, syntax_tree

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ALIAS = "history"
LENGTH_BYTES = 8
_OWN_BYTES = 1_000_000_000
"""What the process needs beside the query: DuckDB, Python, and the stacks of threads."""

_TABLE_FUNCTIONS = frozenset(
    {
        "duckdb_columns",
        "duckdb_functions",
        "duckdb_schemas",
        "duckdb_tables",
        "duckdb_types",
        "duckdb_views",
        "generate_series",
        "json_each",
        "json_tree",
        "pragma_table_info",
        "range",
        "repeat",
        "unnest",
    }
)
"""Table functions that touch nothing outside the database; some others do (`enable_logging`)."""

_SANDBOX = (
    "SET max_temp_directory_size = '0KiB'",
    "SET allow_community_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one statement.

    Attributes:
        memory_bytes: for DuckDB; the process may take a bit more.
        rows: most rows of the answer; None means no limit.
        answer_bytes: most bytes of the answer.
        cut: True drops further rows and sets `Answer.more`; False makes them an error.
    """

    seconds: float = 60.0
    memory_bytes: int = 2_000_000_000
    rows: int | None = 1_000_000
    answer_bytes: int = 500_000_000
    cut: bool = False
    threads: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of a statement.

    Attributes:
        columns: names, in order.
        types: DuckDB's name for the type of each column.
        rows: Python values; times are UTC.
        more: whether rows were dropped.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool = False


def serve(database: str) -> None:
    """Answer requests from standard input until it ends: the main function of the sandbox's process.

    A request is a pickled tuple of the statement and its limits; the answer is a pickled `Answer` or exception. Each
    has its length in eight bytes before it.
    """
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    connection = db.connect()
    db.attach(connection, database, _ALIAS, read_only=True)
    connection.execute(f"USE {_ALIAS}")
    while header := sys.stdin.buffer.read(LENGTH_BYTES):
        sql, limits = pickle.loads(sys.stdin.buffer.read(int.from_bytes(header, "big")))  # noqa: S301 - from us
        _limit_process(limits)
        try:
            content = _packed(ask(connection, sql, limits), limits)
        except MemoryError:
            content = pickle.dumps(QueryError("the query needs more memory than it may use; narrow it down"))
        except BenchdbError as error:
            content = pickle.dumps(error)
        output.write(len(content).to_bytes(LENGTH_BYTES, "big") + content)
        output.flush()


def _packed(answer: Answer, limits: Limits) -> bytes:
    content = pickle.dumps(answer)
    if len(content) > limits.answer_bytes:
        message = f"the answer has more than {limits.answer_bytes:,} bytes; narrow the query down"
        raise QueryError(message)
    return content


def _limit_process(limits: Limits) -> None:
    """Limit the memory of this process, where the operating system can, and let it write no file."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = limits.memory_bytes + limits.answer_bytes + _OWN_BYTES
    for kind, limit in ((resource.RLIMIT_DATA, wanted), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(OSError, ValueError):
            _, most = resource.getrlimit(kind)
            resource.setrlimit(kind, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))


def ask(connection: "DuckDBPyConnection", sql: str, limits: Limits) -> Answer:
    """Run a user's statement.

    Raises:
        QueryError: it was refused, failed, or ran past a limit.
    """

    def fetch(own: "DuckDBPyConnection") -> Answer:
        cursor = own.execute(sql)
        rows = cursor.fetchall() if limits.rows is None else cursor.fetchmany(limits.rows + 1)
        _check_rows(len(rows), limits)
        described = cursor.description or []
        return Answer(
            columns=tuple(str(column[0]) for column in described),
            types=tuple(str(column[1]) for column in described),
            rows=tuple(rows[: limits.rows]),
            more=limits.rows is not None and len(rows) > limits.rows,
        )

    return _run(connection, sql, limits, fetch)


def _run(
    connection: "DuckDBPyConnection", sql: str, limits: Limits, fetch: Callable[["DuckDBPyConnection"], Answer]
) -> Answer:
    _check(connection, sql)
    _lock(connection, limits)
    timed_out = threading.Event()
    # A separate connection: rows that are never fetched would keep the reader's busy.
    own = connection.cursor()

    def interrupt() -> None:
        timed_out.set()
        own.interrupt()

    timer = threading.Timer(limits.seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        current = connection.execute("SELECT current_database()").fetchone()
        own.execute(f"USE {identifier(current[0] if current else 'memory')}")
        return fetch(own)
    except QueryError:
        raise
    except Exception as error:
        if timed_out.is_set():
            message = f"the query ran longer than {limits.seconds:g} s and was stopped; narrow it down"
            raise QueryError(message) from error
        if is_interrupt(error):
            raise KeyboardInterrupt from error
        if not is_database_error(error) and not isinstance(error, (RuntimeError, ValueError, OverflowError)):
            raise
        raise QueryError(f"the query failed: {error}") from error
    finally:
        timer.cancel()
        own.close()


def _check(connection: "DuckDBPyConnection", sql: str) -> None:
    """Refuse everything but one SELECT, or what DuckDB treats as one: FROM, VALUES, DESCRIBE, WITH."""
    try:
        statements = connection.extract_statements(sql)
    except Exception as error:
        raise QueryError(f"the query cannot be read: {error}") from error
    if len(statements) != 1:
        count = "no statement" if not statements else f"{len(statements)} statements"
        message = f"the query has {count}; give exactly one SELECT"
        raise QueryError(message)
    try:
        with interruptible():
            tree = syntax_tree(connection, sql)
    except Exception as error:
        raise QueryError(f"the query cannot be read: {error}") from error
    if tree.get("error"):
        message = f"{statements[0].type.name} is not allowed; give exactly one SELECT"
        raise QueryError(message)
    for node in nodes(tree):
        name = str(node.get("function", {}).get("function_name", "")).lower()
        if node.get("type") == "TABLE_FUNCTION" and name not in _TABLE_FUNCTIONS:
            message = f"the table function {name} is not allowed; query the tables and views that benchdb schema lists"
            raise QueryError(message)


def _lock(connection: "DuckDBPyConnection", limits: Limits) -> None:
    """Remove a connection's access to anything outside the database, for good."""
    row = connection.execute("SELECT current_setting('lock_configuration')").fetchone()
    if row is not None and row[0]:
        return
    connection.execute(f"SET memory_limit = '{limits.memory_bytes}B'")
    connection.execute(f"SET threads = {limits.threads:d}")
    for statement in _SANDBOX:
        connection.execute(statement)


def _check_rows(count: int, limits: Limits) -> None:
    if limits.rows is not None and count > limits.rows and not limits.cut:
        message = f"the query returns more than {limits.rows:,} rows; add a LIMIT or aggregate"
        raise QueryError(message)
