"""The rows of a CSV file, each with its line."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.file_content import opened
from pytest_benchdb.importers.table_row import COLUMNS, REQUIRED, BadRow, Cells

DELIMITERS = (",", ";", "\t", "|")
_MOST_LINE = 1 << 20
_MOST_HEADER = 64 * 1024


def header_of(head: bytes) -> tuple[str, list[str]] | None:
    """Return the delimiter and the columns of a table whose first bytes these are; None if it is no such table."""
    line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    for delimiter in DELIMITERS:
        try:
            names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            continue
        if len(set(REQUIRED) & set(names)) >= 2:  # noqa: PLR2004 - one might be chance
            return delimiter, names
    return None


def csv_rows(path: Path) -> Iterator[tuple[str, Cells | BadRow]]:
    """Yield the rows below the header: place and cells, or what is wrong with the row.

    Raises:
        ImportFormatError: it has no header with the columns that are needed.
    """
    with opened(path) as file:
        delimiter, names = _header(file.readline(_MOST_HEADER))
        # Latin-1 never fails; each row is decoded for itself, so that one bad byte costs one row.
        text = io.TextIOWrapper(file, encoding="latin-1", newline="")
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            first = reader.line_num + 2
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield f"line {first}", BadRow(f"it cannot be split into cells: {error}")
                continue
            if fields:
                yield f"line {first}", _cells(names, fields)


class _Lines:
    """Lines of bounded length: a file without line ends must not be read into memory as one."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(_MOST_LINE)
        if not line:
            raise StopIteration
        if len(line) == _MOST_LINE and not line.endswith("\n"):
            raise ImportFormatError(f"it has a line of more than {_MOST_LINE} bytes; it is no table of results")
        return line


def _header(line: bytes) -> tuple[str, list[str]]:
    found = header_of(line)
    if found is None:
        shown = line[:60].decode("utf-8", "replace").strip()
        raise ImportFormatError(f"its first line is {shown!r}; a header with {', '.join(REQUIRED)} is wanted")
    delimiter, names = found
    check_columns(names)
    return delimiter, names


def check_columns(names: list[str]) -> None:
    """Check that a table has the columns that it needs, each once.

    Raises:
        ImportFormatError: it has not.
    """
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
