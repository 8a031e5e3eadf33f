"""Reads a long table, one row per value, as CSV or Parquet.

Columns ``session, started_at, benchmark, value``, and if it has them ``round, metric, unit, better, commit, branch,
fingerprint, backend, params``; others are left alone.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.csv_rows import csv_rows, header_of
from pytest_benchdb.importers.parquet_rows import MAGIC, parquet_rows
from pytest_benchdb.importers.table_row import BadRow, Cells, is_empty, parse_row
from pytest_benchdb.importers.table_sessions import Sessions
from pytest_benchdb.model.imported import ImportedSession, ImportProblem

_TEXT_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


class CsvTable:
    """The importer of tables as text: commas, semicolons, tabs or bars between the cells, packed by gzip or not."""

    name = "csv"

    def can_read(self, path: Path, head: bytes) -> bool:
        """Tell by the header; a file without one that we know counts by its suffix."""
        return b"\x00" not in head and (header_of(head) is not None or path.name.lower().endswith(_TEXT_SUFFIXES))

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the sessions of a table.

        Raises:
            ImportFormatError: it has no header with the columns that are needed.
        """
        return _sessions(csv_rows(path))


class ParquetTable:
    """The importer of tables as Parquet; needs pyarrow."""

    name = "parquet"

    def can_read(self, path: Path, head: bytes) -> bool:
        """Tell by the four bytes that Parquet files begin with, or by the suffix."""
        return head.startswith(MAGIC) or path.suffix.lower() == ".parquet"

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the sessions of a table.

        Raises:
            ImportFormatError: it is damaged or has not the columns that are needed.
            MissingExtraError: pyarrow is not installed.
        """
        return _sessions(parquet_rows(path))


def _sessions(rows: Iterable[tuple[str, Cells | BadRow]]) -> Iterator[ImportedSession | ImportProblem]:
    """Yield a problem for each row that cannot be taken, then the sessions.

    Raises:
        ImportFormatError: there are no rows.
    """
    sessions = Sessions()
    seen = False
    for place, cells in rows:
        if not isinstance(cells, BadRow) and is_empty(cells):
            continue
        seen = True
        try:
            if isinstance(cells, BadRow):
                raise cells
            sessions.add(parse_row(cells), place)
        except BadRow as error:
            yield ImportProblem(place=place, text=str(error))
    if not seen:
        raise ImportFormatError("it has a header and no rows")
    yield from sessions.finish()
