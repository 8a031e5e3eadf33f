"""Import a long table, one row per value, as CSV or Parquet.

Columns are ``session, started_at, benchmark, value`` and optionally ``round, metric, unit, better, commit, branch,
fingerprint, backend, params``; others are ignored. `table_row` checks rows, `table_sessions` groups them into sessions.
"""

import contextlib
import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError, MissingExtraError
from pytest_benchdb.importers.reading.files import MOST_ROWS, opened
from pytest_benchdb.importers.tables.table_row import COLUMNS, REQUIRED, BadRow, Cells, is_empty, parse_row
from pytest_benchdb.importers.tables.table_sessions import Sessions
from pytest_benchdb.model.imported import ImportedSession, ImportProblem

_DELIMITERS = (",", ";", "\t", "|")
_MAX_LINE = 1 << 20
_MAX_ROW_LINES = 100
"""Most lines of a row: a cell of parameters may have some."""
_MAX_HEADER = 64 * 1024
_TEXT_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_MAGIC = b"PAR1"
_BATCH_ROWS = 10_000
_MAX_GROUP = 1 << 30
_MAX_FOOTER = 100 << 20
_TEXT_COLUMNS = ("session", "benchmark", "metric", "unit", "better", "commit", "branch", "fingerprint", "backend")


class CsvTable:
    """The importer of text tables, separated by commas, semicolons, tabs or bars, gzipped or not."""

    name = "csv"

    def can_read(self, path: Path, head: bytes) -> bool:
        """Return whether the header or the suffix is known."""
        is_text = b"\x00" not in head and path.name.lower().endswith(_TEXT_SUFFIXES)
        return is_text or _header_of(head) is not None

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the sessions of a table.

        Raises:
            ImportFormatError: its header lacks a required column.
        """
        return _sessions(_csv_rows(path))


class ParquetTable:
    """The importer of Parquet tables; needs pyarrow."""

    name = "parquet"

    def can_read(self, path: Path, head: bytes) -> bool:
        """Return whether the file begins with Parquet's four magic bytes, or has its suffix."""
        return head.startswith(_MAGIC) or path.suffix.lower() == ".parquet"

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the sessions of a table.

        Raises:
            ImportFormatError: it is damaged or lacks a required column.
            MissingExtraError: pyarrow is not installed.
        """
        return _sessions(_parquet_rows(path))


def text_header(path: Path) -> tuple[str, list[str]] | None:
    """Return delimiter and columns of an uncompressed text table; None for any other header or file."""
    try:
        with path.open("rb") as file:
            return _header(file.readline(_MAX_HEADER))
    except (ImportFormatError, OSError):
        return None


def _sessions(rows: Iterable[tuple[str, Cells | BadRow]]) -> Iterator[ImportedSession | ImportProblem]:
    """Yield a problem for each bad row, then the sessions."""
    sessions = Sessions()
    seen = False
    for number, (place, cells) in enumerate(rows):
        if number >= MOST_ROWS:
            raise ImportFormatError(f"it has more than {MOST_ROWS:,} rows; split it")
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


def _header_of(head: bytes) -> tuple[str, list[str]] | None:
    """Return delimiter and columns of a table from its first bytes; None if it is not a table of results."""
    line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    for delimiter in _DELIMITERS:
        try:
            names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            continue
        if len(set(REQUIRED) & set(names)) >= 2:  # noqa: PLR2004 - one might be chance
            return delimiter, names
    return None


def _csv_rows(path: Path) -> Iterator[tuple[str, Cells | BadRow]]:
    """Yield the rows below the header: the place, with the cells or an error."""
    with opened(path) as file:
        delimiter, names = _header(file.readline(_MAX_HEADER))
        # Latin-1 never fails; each row is decoded separately, so that a bad byte loses only its row.
        text = io.TextIOWrapper(file, encoding="latin-1", newline="")
        lines = _Lines(text)
        while True:
            place = f"line {lines.number + 1}"
            try:
                fields = next(csv.reader(lines, delimiter=delimiter))
            except StopIteration:
                return
            except csv.Error as error:
                yield place, BadRow(f"it cannot be split into cells: {error}")
                lines.keep_first()
                continue
            cells = _cells(names, fields) if fields else None
            if lines.keep_first(unless=cells):
                yield place, BadRow("a quote in it is not closed")
            elif cells is not None:
                yield place, cells


class _Lines:
    """Iterate over lines of bounded length: a file without line ends must not be read into memory as one line.

    Attributes:
        number: number of the last line that belongs to a row, the header included.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._row: list[str] = []
        self._again: deque[str] = deque()
        self.number = 1

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self._row) == _MAX_ROW_LINES:
            raise csv.Error(f"it has more than {_MAX_ROW_LINES} lines, or a quote in it is not closed")
        line = self._again.popleft() if self._again else self._text.readline(_MAX_LINE)
        if not line:
            raise StopIteration
        if len(line) == _MAX_LINE and not line.endswith("\n"):
            raise ImportFormatError(f"it has a line of more than {_MAX_LINE} bytes; it is not a table of results")
        self._row.append(line)
        return line

    def keep_first(self, unless: Cells | BadRow | None = None) -> bool:
        """End a row; if it has several lines, and is not good, return the later ones to be read as rows, and True.

        A quote that is not closed takes the lines below into its cell. They must not be lost with it.
        """
        row, self._row = self._row, []
        if len(row) > 1 and not _is_good(unless):
            self._again.extendleft(reversed(row[1:]))
            self.number += 1
            return True
        self.number += len(row)
        return False


def _is_good(cells: Cells | BadRow | None) -> bool:
    try:
        return cells is not None and not isinstance(cells, BadRow) and parse_row(cells) is not None
    except BadRow:
        return False


def _header(line: bytes) -> tuple[str, list[str]]:
    header = _header_of(line)
    if header is None:
        shown = line[:60].decode("utf-8", "replace").strip()
        raise ImportFormatError(f"its first line is {shown!r}; expected a header with {', '.join(REQUIRED)}")
    delimiter, names = header
    _check_columns(names)
    return delimiter, names


def _check_columns(names: list[str]) -> None:
    """Check that a table has every required column, and no known column twice."""
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise ImportFormatError(f"it lacks the column {', '.join(missing)}; it has {', '.join(names)[:200]}")
    twice = sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
    if twice:
        raise ImportFormatError(f"it has the column {', '.join(twice)} twice")


def _cells(names: list[str], fields: list[str]) -> Cells | BadRow:
    if len(fields) != len(names):
        return BadRow(f"it has {len(fields)} cells, and the header {len(names)}")
    try:
        return {
            name: cell.encode("latin-1").decode("utf-8")
            for name, cell in zip(names, fields, strict=True)
            if name in COLUMNS
        }
    except UnicodeDecodeError:
        return BadRow("it is not UTF-8")


def _parquet_rows(path: Path) -> Iterator[tuple[str, Cells | BadRow]]:
    """Yield the rows: the place, with the cells or an error."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        message = "Parquet files are read by pyarrow; install it with: pip install 'pytest-benchdb[arrow]'"
        raise MissingExtraError(message) from error
    number = 0
    try:
        options: dict[str, Any] = {"thrift_string_size_limit": _MAX_FOOTER, "thrift_container_size_limit": _MAX_FOOTER}
        with contextlib.closing(pq.ParquetFile(path, **options)) as file:
            schema, metadata = file.schema_arrow, file.metadata
        _check_columns([name.strip().lower() for name in schema.names])
        known = {name.strip().lower(): name for name in schema.names if name.strip().lower() in COLUMNS}
        _check_size(metadata)
        # Texts as dictionaries: a long text that repeats is not to be written out for each row.
        texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_binary(field.type)]
        options["read_dictionary"] = [name for name in texts if name in known.values()]
        with contextlib.closing(pq.ParquetFile(path, **options)) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(known.values())):
                columns = [_column(pa, name, batch.column(written)) for name, written in known.items()]
                for cells in zip(*columns, strict=True):
                    number += 1
                    bad = next((cell for cell in cells if isinstance(cell, BadRow)), None)
                    yield f"row {number}", bad or dict(zip(known, cells, strict=True))
    except ImportFormatError:
        raise
    except Exception as error:  # pyarrow raises many kinds for a damaged file
        detail = " ".join(str(error).split())[:200]
        after = f" after row {number}" if number else ""
        raise ImportFormatError(f"it is not a Parquet file that can be read{after}: {detail}") from error


def _check_size(metadata: Any) -> None:
    """Refuse a file that claims to be too large, before a row group of it is unpacked."""
    if metadata.num_rows > MOST_ROWS:
        raise ImportFormatError(f"it has {metadata.num_rows:,} rows; at most {MOST_ROWS:,} are read, so split it")
    for number in range(metadata.num_row_groups):
        # Of all columns: asking pyarrow for that of one ends the process if a statistic of it is damaged.
        size = metadata.row_group(number).total_byte_size
        if size > _MAX_GROUP:
            limit = f"at most {_MAX_GROUP >> 20} MiB are read; write smaller row groups"
            raise ImportFormatError(f"unpacked, its row group {number} has {size:,} bytes; {limit}")


def _column(pa: Any, name: str, column: Any) -> list[Any]:
    """Return the cells of a column as plain values, or as the error of their row."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        texts = _column(pa, name, column.dictionary)
        return [None if index is None else texts[index] for index in column.indices.to_pylist()]
    if any(is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)):
        return _texts(pa, name, column)
    if not pa.types.is_null(kind):
        if name == "value":
            if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
                raise ImportFormatError(f"its column value is of type {kind}; expected a number")
            column = column.cast(pa.float64(), safe=False)
        elif name == "round" and not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise ImportFormatError(f"its column round is of type {kind}; expected a whole number")
        elif name == "started_at":
            return _times(pa, column, kind)
        elif name in _TEXT_COLUMNS:
            return _texts(pa, name, column.cast(pa.string()))
    cells: list[Any] = column.to_pylist()
    return cells


def _texts(pa: Any, name: str, column: Any) -> list[Any]:
    """Return texts; one that is not UTF-8 costs its row."""
    try:
        texts: list[Any] = column.to_pylist()
        if not pa.types.is_binary(column.type):
            return texts
    except UnicodeDecodeError:
        texts = column.cast(pa.large_binary()).to_pylist()
    for place, text in enumerate(texts):
        if isinstance(text, bytes):
            try:
                texts[place] = text.decode("utf-8")
            except UnicodeDecodeError:
                texts[place] = BadRow(f"{name} is not UTF-8")
    return texts


def _times(pa: Any, column: Any, kind: Any) -> list[int | None]:
    """Return times in microseconds since the epoch: a time outside of Python's calendar must cost its row only."""
    if pa.types.is_timestamp(kind):
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        numbers = column.cast(pa.int64()).to_pylist()
    elif pa.types.is_date(kind):
        per_second = 10**3
        numbers = column.cast(pa.date64()).cast(pa.int64()).to_pylist()
    else:
        raise ImportFormatError(f"its column started_at is of type {kind}; expected a timestamp or a text")
    return [None if number is None else number * 10**6 // per_second for number in numbers]
