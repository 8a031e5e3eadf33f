"""The Python API: recorded results as Arrow tables."""

import contextlib
import os
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType, UnionType
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import MissingExtraError, StoreMissingError
from pytest_benchdb.model.report import ReportRow, SessionRow
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.read.query import TIMEOUT_S
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.where import parse_where
from pytest_benchdb.operations.select.selection import find_sessions
from pytest_benchdb.operations.select.spec.context import spec_context
from pytest_benchdb.present.report.columns import default_grouping, with_relative
from pytest_benchdb.store.read.sandbox import Limits
from pytest_benchdb.store.target import missing_text

if TYPE_CHECKING:
    import pyarrow as pa
    from typing_extensions import Self


PathLike = str | os.PathLike[str]


class History:
    """Recorded sessions, open for reading; see `pytest_benchdb.open`.

    Query methods return a `pyarrow.Table`; ``.to_pandas()`` and ``polars.from_arrow`` convert it to a data frame.
    Times are in seconds per iteration, sizes in bytes, and null means not measured.

    Attributes:
        paths: the opened files and folders.
        warnings: one line for each session that could not be read.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Open files and folders; use `pytest_benchdb.open`."""
        self.paths = tuple(paths)
        self._stack = contextlib.ExitStack()
        self._reader = self._stack.enter_context(open_source(self.paths))
        self.warnings = self._reader.warnings

    def __enter__(self) -> "Self":
        """Return the history."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; returned tables stay valid."""
        self._stack.close()

    def sessions(self) -> "pa.Table":
        """Return one row per session, oldest first: project, time, outcome, commit, machine, numbers of runs.

        Raises:
            MissingExtraError: pyarrow is not installed.
            StoreError: the files cannot be read.
        """
        rows = [{field.name: getattr(row, field.name) for field in fields(row)} for row in self._reader.sessions()]
        return _table(SessionRow, rows)

    def runs(
        self, *, k: str | None = None, where: str | None = None, session: str | Sequence[str] | None = None
    ) -> "pa.Table":
        """Return one row per run, with the statistics of its wall time, CPU share and peak memory.

        The figures of a run that did not pass are null.

        Args:
            k: expression over full names, as `-k`: ``"sort and not slow"``.
            where: filter, as `-w`: ``"backend=cuda model=bert*"``.
            session: names of sessions, as for `benchdb report`: ``"latest"``, a label, an id; None for all.

        Raises:
            ConfigError: a filter or a name is not valid.
            MissingExtraError: pyarrow is not installed.
            StoreError: the files cannot be read.
        """
        return _table(ReportRow, [row.values() for row in self._runs(k, where, session)])

    def samples(
        self,
        *,
        metric: str | None = "wall_time",
        k: str | None = None,
        where: str | None = None,
        session: str | Sequence[str] | None = None,
    ) -> "pa.Table":
        """Return the raw rounds: one row per measurement, with a list of its values in the order the rounds ran.

        Times are in seconds per iteration; warm-up rounds are not included. Runs that did not pass are included, so
        check ``outcome``.

        Args:
            metric: name of a metric; None for every metric with rounds.
            k: as in `runs`.
            where: as in `runs`.
            session: as in `runs`.

        Raises:
            ConfigError: a filter or a name is not valid.
            MissingExtraError: pyarrow is not installed.
            StoreError: the files cannot be read.
        """
        import_arrow()
        runs = {row.run_id: row for row in self._runs(k, where, session)}
        sessions = sorted({row.session_id for row in runs.values()})
        rows = [row for row in self._reader.samples(sessions, metric=metric) if row["run_id"] in runs]
        return _samples_table(rows, runs)

    def sql(self, statement: str, *, timeout_s: float = TIMEOUT_S, rows: int | None = Limits().rows) -> "pa.Table":
        """Return the answer to one SELECT statement, which has no access to files or the network.

        `benchdb schema` prints the tables and views.

        Args:
            statement: the statement.
            timeout_s: time limit in seconds.
            rows: the most rows allowed; None for no limit.

        Raises:
            QueryError: the statement was refused, failed, or ran past a limit.
            MissingExtraError: pyarrow is not installed.
            StoreError: the files cannot be read.
        """
        import_arrow()
        # On a connection of its own, because the sandbox locks it down.
        with open_source(self.paths) as reader:
            return reader.query_arrow(statement, Limits(seconds=timeout_s, rows=rows))

    def _runs(self, k: str | None, where: str | None, session: str | Sequence[str] | None) -> list[ReportRow]:
        matches, condition = parse_expression(k or ""), parse_where(where or "")
        sessions = self._reader.sessions()
        if session is not None:
            names = [session] if isinstance(session, str) else session
            sessions = find_sessions(names, sessions, spec_context(self._reader))
        report = self._reader.report([row.session_id for row in sessions])
        chosen = [[row for row in rows if matches(row.fullname) and condition.matches(row)] for rows in report.values()]
        return [row for rows in chosen for row in with_relative(rows, default_grouping(rows))]


def open_history(path: PathLike, *more: PathLike) -> History:
    """Open recorded results for reading: a folder of sessions, a file, or several of either.

    Args:
        path: the PATH of `pytest --benchdb=PATH`, or a session file.
        more: further paths; a session found in several is read once.

    Returns:
        The history; use it in a ``with`` statement, or close it.

    Raises:
        StoreMissingError: a path does not exist, or contains no session.
        StoreError: a path is foreign, damaged, locked or newer.

    Example:
        >>> import pytest_benchdb
        >>> with pytest_benchdb.open("results") as history:  # doctest: +SKIP
        ...     runs = history.runs(k="sort", session="latest").to_pandas()
        ...     slow = history.sql("SELECT name, max(median_s) FROM report GROUP BY name")
    """
    paths = [Path(source) for source in (path, *more)]
    for source in paths:
        if not source.exists():
            raise StoreMissingError(missing_text(source))
    return History(paths)


def import_arrow() -> Any:
    """Return pyarrow.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        message = "Arrow tables need pyarrow; install it with: pip install 'pytest-benchdb[arrow]'"
        raise MissingExtraError(message) from error
    return pa


def _table(kind: type[Any], rows: Sequence[Mapping[str, object]]) -> "pa.Table":
    """Return rows as a table typed by the class's annotations, so that empty columns keep their type."""
    pa = import_arrow()
    hints = typing.get_type_hints(kind)
    schema = pa.schema([(field.name, _arrow_type(pa, hints[field.name])) for field in fields(kind)])
    columns = {name: [_arrow_value(row[name]) for row in rows] for name in schema.names}
    return pa.table(columns, schema=schema)


def _arrow_value(value: object) -> object:
    # Arrow expects a map as a list of pairs.
    return list(value.items()) if isinstance(value, dict) else value


def _arrow_type(pa: Any, hint: Any) -> Any:
    if isinstance(hint, UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    types = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), dict[str, str]: pa.map_(pa.string(), pa.string())}
    return types.get(hint, pa.string())


def _samples_table(rows: Sequence[Mapping[str, Any]], runs: Mapping[str, ReportRow]) -> "pa.Table":
    pa = import_arrow()
    names = ("run_id", "session_id", "phase", "pass", "metric", "unit")
    columns: dict[str, Any] = {name: pa.array([row[name] for row in rows], pa.string()) for name in names}
    columns["fullname"] = pa.array([runs[row["run_id"]].fullname for row in rows], pa.string())
    columns["outcome"] = pa.array([runs[row["run_id"]].outcome for row in rows], pa.string())
    columns["samples"] = pa.array([row["samples"] for row in rows], pa.list_(pa.float64()))
    return pa.table(columns)
