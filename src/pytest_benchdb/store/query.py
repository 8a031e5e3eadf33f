"""SQL from users: one SELECT, without files, network or settings, within limits of time, memory and rows."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import MissingExtraError, QueryError
from pytest_benchdb.store import connection as db

if TYPE_CHECKING:
    import pyarrow
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one statement may take.

    Attributes:
        memory: as DuckDB writes it.
        rows: rows of the answer; None takes all.
        cut: whether more rows are cut off, and told by `Answer.more`; else they are an error.
    """

    seconds: float = 60.0
    memory: str = "2GB"
    rows: int | None = 1_000_000
    cut: bool = False
    threads: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a statement returned.

    Attributes:
        columns: names, in order.
        types: DuckDB's name of each column's type.
        rows: Python values; times are UTC.
        more: whether rows were cut off.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool = False


_SANDBOX = (
    "SET temp_directory = ''",
    "SET allow_community_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def ask(connection: "DuckDBPyConnection", sql: str, limits: Limits) -> Answer:
    """Run a user's statement.

    Raises:
        QueryError: it was refused, failed, or ran past a limit.
    """

    def fetch(cursor: "DuckDBPyConnection") -> Answer:
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


def ask_arrow(connection: "DuckDBPyConnection", sql: str, limits: Limits) -> "pyarrow.Table":
    """Run a user's statement and return an Arrow table.

    Raises:
        QueryError: it was refused, failed, or ran past a limit.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
    except ImportError as error:
        message = "Arrow tables need pyarrow; install it with: pip install 'pytest-benchdb[arrow]'"
        raise MissingExtraError(message) from error

    def fetch(cursor: "DuckDBPyConnection") -> "pyarrow.Table":
        batches = cursor.fetch_record_batch(10_000)
        kept: list[pyarrow.RecordBatch] = []
        count = 0
        for batch in batches:
            count += batch.num_rows
            _check_rows(count, limits)
            kept.append(batch)
            if limits.rows is not None and count > limits.rows:
                break
        return pa.Table.from_batches(kept, schema=batches.schema).slice(0, limits.rows)

    return _run(connection, sql, limits, fetch)


def _run(connection: "DuckDBPyConnection", sql: str, limits: Limits, fetch: Any) -> Any:
    _check(connection, sql)
    _lock(connection, limits)
    late = threading.Event()

    def interrupt() -> None:
        late.set()
        connection.interrupt()

    timer = threading.Timer(limits.seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        return fetch(connection.execute(sql))
    except QueryError:
        raise
    except Exception as error:
        if late.is_set():
            message = f"the query ran longer than {limits.seconds:g} s and was stopped; narrow it down"
            raise QueryError(message) from error
        if not db.is_database_error(error) and not isinstance(error, (RuntimeError, ValueError, OverflowError)):
            raise
        raise QueryError(f"the query failed: {error}") from error
    finally:
        timer.cancel()


def _check(connection: "DuckDBPyConnection", sql: str) -> None:
    """Refuse everything but one SELECT (or what DuckDB runs as one: FROM, VALUES, DESCRIBE, WITH)."""
    try:
        statements = connection.extract_statements(sql)
    except Exception as error:
        raise QueryError(f"the query cannot be read: {error}") from error
    if len(statements) != 1:
        count = "no statement" if not statements else f"{len(statements)} statements"
        message = f"the query has {count}; give exactly one SELECT"
        raise QueryError(message)
    kind = statements[0].type.name
    if kind != "SELECT":
        message = f"{kind} is not allowed; give exactly one SELECT"
        raise QueryError(message)


def _lock(connection: "DuckDBPyConnection", limits: Limits) -> None:
    """Close the doors of a connection for good."""
    row = connection.execute("SELECT current_setting('lock_configuration')").fetchone()
    if row is not None and row[0]:
        return
    connection.execute(f"SET memory_limit = '{limits.memory}'")
    connection.execute(f"SET threads = {limits.threads:d}")
    for statement in _SANDBOX:
        connection.execute(statement)


def _check_rows(count: int, limits: Limits) -> None:
    if limits.rows is not None and count > limits.rows and not limits.cut:
        message = f"the query returns more than {limits.rows:,} rows; add a LIMIT or aggregate"
        raise QueryError(message)
