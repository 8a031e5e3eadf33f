"""Folds a long table, one row per value, into one file of many sessions, in sets instead of rows.

The rows never become Python objects: DuckDB reads the table, and Python sees each text once. A table in which a row
needs an explanation is not for this module: it must be read row by row.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_benchdb.model.run import CHUNK_ROUNDS
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import is_database_error
from pytest_benchdb.store.journal.fold import write_table
from pytest_benchdb.store.statement import literal, read, render

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SESSION_COLUMNS = ("session", "commit", "branch", "fingerprint")
SERIES_COLUMNS = ("benchmark", "params", "backend", "metric", "unit", "better")
_COLUMNS = (*SESSION_COLUMNS, *SERIES_COLUMNS, "started_at", "value", "round")

Texts = tuple[str | None, ...]
"""The cells of a row in some columns, as they are in the file."""


class SeriesName(NamedTuple):
    """What the texts of `SERIES_COLUMNS` mean.

    Attributes:
        run: number of the benchmark with its parameters and backend.
        metric: number of the metric.
        least: smallest value that the metric can have; None without one, as for `most`.
        positive: whether 0 needs an explanation, too.
        whole: whether every value is a whole number.
    """

    run: int
    metric: int
    divisor: float
    factor: float
    offset: float
    least: float | None
    most: float | None
    positive: bool
    whole: bool


class Measured(NamedTuple):
    """One metric of one run of a session; `single` is a reading without rounds."""

    session: int
    run: int
    metric: int
    n: int
    lowest: float
    highest: float
    single: bool


class TableFile:
    """A table in DuckDB; close it."""

    def __init__(self, path: Path, delimiter: str, names: Sequence[str]) -> None:
        """Nothing is read yet.

        Args:
            path: an uncompressed text table with a header.
            delimiter: between cells.
            names: its columns, in lower case.
        """
        self._path = path
        self._delimiter = delimiter
        self._names = names
        self._connection: DuckDBPyConnection = db.connect(threads=None)

    def close(self) -> None:
        """Forget the table."""
        self._connection.close()

    def load(self) -> bool:
        """Read the cells; return whether every line has its cells."""
        known = [name if name in _COLUMNS else f"other_{place}" for place, name in enumerate(self._names)]
        columns = "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in known) + "}"
        sql = read("table/cells").replace("$columns", columns)
        try:
            path = os.fspath(self._path)
            values = {"path": path, "delimiter": self._delimiter}
            if any(char in path for char in "*?["):  # a pattern of names
                return False
            self._connection.execute(render(sql, values))
            for name in _COLUMNS:
                if name not in known:
                    self._connection.execute(f'ALTER TABLE cell ADD COLUMN "{name}" VARCHAR')
        except Exception as error:
            if not is_database_error(error):
                raise
            return False
        return True

    def distinct(self, columns: Sequence[str]) -> list[Texts]:
        """Return the different texts of columns, in the order in which they first appear."""
        names = ", ".join(f'"{name}"' for name in columns)
        sql = f"SELECT {names} FROM cell GROUP BY {names} ORDER BY min(line)"
        return self._connection.execute(sql).fetchall()

    def name(
        self,
        sessions: Mapping[Texts, int],
        series: Mapping[Texts, SeriesName],
        moments: Mapping[str, int],
    ) -> bool:
        """Replace texts by what they mean, and group the rows; return whether every row is as simple as that needs.

        Args:
            sessions: numbers by the texts of `SESSION_COLUMNS`.
            series: by the texts of `SERIES_COLUMNS`.
            moments: microseconds since the epoch by the texts of ``started_at``.
        """
        self._put(
            "session_name",
            [f"raw_{name} VARCHAR" for name in SESSION_COLUMNS] + ["session INTEGER"],
            ((*texts, number) for texts, number in sessions.items()),
        )
        fields = ["run INTEGER", "metric INTEGER", "divisor DOUBLE", "factor DOUBLE", '"offset" DOUBLE']
        fields += ["least DOUBLE", "most DOUBLE", "positive BOOLEAN", "whole BOOLEAN"]
        self._put(
            "series_name",
            [f"raw_{name} VARCHAR" for name in SERIES_COLUMNS] + fields,
            ((*texts, *name) for texts, name in series.items()),
        )
        self._put("moment", ["raw_started_at VARCHAR", "us BIGINT"], moments.items())
        row = self._connection.execute(read("table/entries")).fetchone()
        return row is not None and bool(row[0])

    def measured(self) -> list[Measured]:
        """Return every measurement by session, run and metric, each in the order of the file."""
        sql = (
            "SELECT grouped.session, grouped.run, grouped.metric, n, lowest, highest, samples IS NULL FROM grouped "
            "INNER JOIN place ON place.session = grouped.session AND place.run = grouped.run "
            "ORDER BY grouped.session, place.place, grouped.first_line"
        )
        return [Measured(*row) for row in self._connection.execute(sql).fetchall()]

    def sessions(self) -> dict[int, tuple[int, int, list[int]]]:
        """Return start, number of rows and runs of each session."""
        sql = "SELECT session, min(started_us), sum(rows), list(run ORDER BY place) FROM place GROUP BY session"
        return {row[0]: (row[1], int(row[2]), row[3]) for row in self._connection.execute(sql).fetchall()}

    def fold(
        self,
        journal: Path,
        stored: Iterable[tuple[int, str, int]],
        metrics: Iterable[tuple[int, str, str, str]],
        cache: str | None,
    ) -> str:
        """Write the sessions into a file beside a journal of their other lines, and remove the journal.

        Args:
            journal: has the start and end of each session, and a ``name`` line for each run's number.
            stored: number, id and start in microseconds of the sessions to write.
            metrics: number, name, unit and direction of the metrics.
            cache: folder of templates for new files; None if there is none.

        Returns:
            The file.

        Raises:
            StoreError: it cannot be written.
        """
        self._put(
            "stored",
            ["session INTEGER", "session_id UUID", "started_us BIGINT", "milliseconds VARCHAR"],
            ((number, session_id, us, f"{us // 1000:012x}") for number, session_id, us in stored),
        )
        self._put("metric_name", ["metric INTEGER", "metric_name VARCHAR", "unit VARCHAR", "better VARCHAR"], metrics)
        statements = read("table/runs"), render(read("table/chunks"), {"chunk_rounds": CHUNK_ROUNDS})
        final = write_table(self._connection, os.fspath(journal), *statements, cache=cache)
        with contextlib.suppress(OSError):
            journal.unlink()
        return final

    def _put(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Create a temporary table of rows."""
        kinds = [column.rpartition(" ")[2] for column in columns]
        lists = list(zip(*rows, strict=True)) or [() for _ in columns]
        selects = ", ".join(f"unnest(CAST(? AS {kind}[]))" for kind in kinds)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({', '.join(columns)})")
        self._connection.execute(f"INSERT INTO {table} SELECT {selects}", [list(column) for column in lists])
