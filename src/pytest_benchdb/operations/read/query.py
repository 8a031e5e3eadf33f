"""One SELECT of a user over the results."""

from collections.abc import Sequence
from pathlib import Path

from pytest_benchdb.model.report import DataTable
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.store.read.sandbox import Limits

QUERY_SCHEMA = "benchdb.query/1"
TIMEOUT_S = Limits().seconds


def run_query(
    paths: Sequence[Path],
    sql: str,
    *,
    limit: int | None = None,
    timeout_s: float = TIMEOUT_S,
    feedback: Feedback = SILENT,
) -> DataTable:
    """Return the answer to one read-only statement, which has no access to files or the network.

    Args:
        paths: files and folders to ask.
        sql: the statement.
        limit: rows to return; what is more is cut, and `DataTable.more` says so. None cuts nothing, and refuses
            an answer above the store's own limit.
        timeout_s: how long it may take.
        feedback: for progress, and for sessions that could not be read.

    Raises:
        QueryError: the statement was refused, failed, or ran past a limit.
        StoreError: a file cannot be read.
    """
    limits = Limits(seconds=timeout_s) if limit is None else Limits(seconds=timeout_s, rows=limit, cut=True)
    with open_source(paths, feedback) as reader:
        answer = reader.query(sql, limits)
    return DataTable(
        schema=QUERY_SCHEMA, columns=answer.columns, types=answer.types, rows=answer.rows, more=answer.more
    )
