"""Parquet files: the exporter's, which DuckDB writes, and reading them again.

DuckDB brings its own reader and writer of Parquet, so neither needs pyarrow.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pytest_benchdb.model.exchange.exported import ExportFile, StoredRun, StoredSession
from pytest_benchdb.model.exchange.long_table import COLUMNS, NAMES, json_line, long_rows
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.statement import identifier, literal

_PIECE = 1 << 20
_FETCHED = 1000
_MOST_LINE = 1 << 30
"""Bytes of the longest row: that of a measurement with fifty million rounds."""


class ParquetTable:
    """The long table as Parquet with zstd; rounds are lists of doubles.

    Attributes:
        by_date: whether to write a folder with a file for each day, ``date=2026-11-21/data_0.parquet``, as Hive does.
    """

    name = "parquet"
    is_text = False
    holds: Literal["history", "session"] = "history"
    rounds = True

    def __init__(self, *, by_date: bool = False) -> None:
        """Write one file, or a folder of days."""
        self.by_date = by_date
        self.suffix = "" if by_date else ".parquet"

    def takes(self, _run: StoredRun) -> bool:
        """Return True: every run has a row."""
        return True

    def export(self, sessions: Iterable[StoredSession]) -> Iterator[ExportFile]:
        """Yield the files; they are complete before the first is yielded.

        Raises:
            StoreError: there is no space for temporary files.
        """
        with tempfile.TemporaryDirectory(prefix="benchdb-parquet-") as folder:
            written = Path(folder) / "written"
            with translated(folder):
                self._write(sessions, Path(folder) / "rows.jsonl", written)
            for path in sorted([written] if written.is_file() else written.rglob("*.parquet")):
                name = path.relative_to(written).as_posix() if written.is_dir() else "results.parquet"
                yield ExportFile(name=name, pieces=_pieces(path))

    def _write(self, sessions: Iterable[StoredSession], rows: Path, written: Path) -> None:
        with rows.open("wb") as file:
            file.writelines(json_line(row, ascii_only=False) + b"\n" for row in long_rows(sessions))
        types = {column.name: column.kind for column in COLUMNS}
        source = (
            f"read_json({literal(os.fspath(rows))}, format = 'newline_delimited', columns = {_struct(types)}, "
            f"maximum_object_size = {_MOST_LINE})"
        )
        columns, options = "*", ""
        if self.by_date:
            columns, options = "*, CAST(started_at AS DATE) AS date", ", PARTITION_BY (date)"
        with contextlib.closing(db.connect()) as connection:
            connection.execute(
                f"COPY (SELECT {columns} FROM {source}) TO {literal(os.fspath(written))} "
                f"(FORMAT parquet, COMPRESSION zstd{options})"
            )


def parquet_names(path: Path) -> list[str]:
    """Return the names of a file's columns; empty if it is not a Parquet file that can be read."""
    try:
        with contextlib.closing(_open(path)) as connection:
            rows = connection.execute(f"DESCRIBE SELECT * FROM {_table(path)}").fetchall()
    except Exception:  # noqa: BLE001 - DuckDB raises many kinds for a damaged file
        return []
    return [row[0] for row in rows]


def parquet_rows(path: Path) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a long table, with the values of `model.exchange.long_table.COLUMNS`; times are texts.

    Raises:
        StoreError: it is damaged, or a column has another type.
    """
    there = set(parquet_names(path))
    columns = ", ".join(
        "NULL"
        if column.name not in there
        else f"CAST({identifier(column.name)} AS {'VARCHAR' if column.kind in {'TIMESTAMP', 'JSON'} else column.kind})"
        for column in COLUMNS
    )
    with translated(os.fspath(path)), contextlib.closing(_open(path)) as connection:
        cursor = connection.execute(f"SELECT {columns} FROM {_table(path)}")
        while rows := cursor.fetchmany(_FETCHED):
            yield from rows


def _open(path: Path) -> Any:
    connection = db.connect()
    db.close_to_outside(connection, [path.parent])
    return connection


def _table(path: Path) -> str:
    return f"read_parquet({literal(os.fspath(path.absolute()))}, hive_partitioning = false)"


def _struct(types: dict[str, str]) -> str:
    return "{" + ", ".join(f"{identifier(name)}: {literal(types[name])}" for name in NAMES) + "}"


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
