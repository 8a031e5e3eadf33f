"""Values of any kind and tables of them, as text on a terminal, JSON, CSV or Markdown.

CSV is RFC 4180 with plain line feeds, raw SI values, and units in the column names. Every text is quoted; one that a
spreadsheet would take for a formula gets an apostrophe in front (`model.value.spreadsheet`). Markdown is
GitHub-flavoured and safe for any names.
"""

import datetime as dt
import decimal
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.value.spreadsheet import csv_text
from pytest_benchdb.present.writing.grid import Entry, Heading, Section, Span, Table, fit
from pytest_benchdb.present.writing.text import sanitize

# An underscore inside a word is never emphasis, and test names are full of them.
_SPECIAL = re.compile(r"[\\`*\[\]~|#]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MENTION = "@\u200b"


def value_text(value: object) -> str:
    """Return a value as text; None is empty, floats keep all their digits."""
    plain = plain_value(value)
    if plain is None:
        return "NaN" if isinstance(value, float) else ""
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, dict):
        return ", ".join(f"{key}={value_text(item)}" for key, item in plain.items())
    if isinstance(plain, list):
        return "[" + ", ".join(value_text(item) for item in plain) + "]"
    return str(plain)


def layout_values(table: DataTable, width: int, *, ascii_only: bool = False) -> Table:
    """Lay out a table in at most `width` terminal columns; figures are right-aligned."""
    numeric = [
        any(isinstance(row[index], int | float) for row in table.rows)
        and all(isinstance(row[index], int | float | None) for row in table.rows)
        for index in range(len(table.columns))
    ]
    headings = [
        Heading(
            title=sanitize(name, ascii_only=ascii_only),
            align="right" if numeric[index] else "left",
            priority=index,
            flexible=not numeric[index],
        )
        for index, name in enumerate(table.columns)
    ]
    entries = tuple(
        Entry(cells=tuple(Span(sanitize(value_text(value), ascii_only=ascii_only)) for value in row))
        for row in table.rows
    )
    return fit(headings, [Section(title=None, entries=entries)], width, ascii_only=ascii_only)


def table_json(table: DataTable) -> str:
    """Return a table as one JSON object, with an object per row; repeated column names get a number."""
    names = unique_names(table.columns)
    columns: Sequence[object] = names
    if table.types:
        columns = [{"name": name, "type": kind} for name, kind in zip(names, table.types, strict=True)]
    document = {
        "schema": table.schema,
        **table.facts,
        "columns": columns,
        "more": table.more,
        "rows": [dict(zip(names, row, strict=True)) for row in table.rows],
    }
    return _dump(document)


def object_json(schema: str, content: Mapping[str, object]) -> str:
    """Return one JSON object with its schema name."""
    return _dump({"schema": schema, **content})


def plain_value(value: object) -> object:
    """Convert a value from DuckDB to one for JSON; NaN and infinities become null.

    >>> plain_value([float("nan"), dt.date(2026, 1, 2)])
    [None, '2026-01-02']
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_value(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, decimal.Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value)


def unique_names(names: Sequence[str]) -> list[str]:
    """Return names with a number after those that came before."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        unique.append(f"{name}_{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return unique


def _dump(document: object) -> str:
    """Return a document as JSON, with a line end."""
    # ASCII works in every terminal, pipe and editor, and can represent lone surrogates in a test's name.
    return json.dumps(plain_value(document), indent=1, allow_nan=False) + "\n"


def table_csv(table: DataTable) -> str:
    """Return a table as CSV, with its column names in the first line."""
    return write_csv(table.columns, table.rows)


def write_csv(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows of values as CSV, with column names in the first line."""
    lines = [",".join(map(csv_text, names))]
    lines += [",".join(map(_cell, row)) for row in rows]
    return "".join(line + "\n" for line in lines)


def _cell(value: object) -> str:
    plain = plain_value(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return "true" if plain else "false"
    return repr(plain) if isinstance(plain, int | float) else csv_text(str(plain))


def escape(text: str) -> str:
    r"""Escape text so that Markdown shows it literally, on one line and inside tables.

    A zero-width space after ``@`` prevents a mention from notifying anyone.

    >>> escape("a|b\n<script>`_x_`")
    'a\\|b\\\\n&lt;script&gt;\\`\\_x\\_\\`'
    """
    safe = _SPECIAL.sub(lambda match: "\\" + match[0], sanitize(text))
    safe = re.sub(r"[&<>]", lambda match: _ENTITIES[match[0]], safe)
    return safe.replace("@", _MENTION)


def table_markdown(table: DataTable) -> str:
    """Return a table; columns of figures are right-aligned."""
    right = [
        all(isinstance(row[index], int | float) or row[index] is None for row in table.rows)
        for index in range(len(table.columns))
    ]
    rows = [[escape(value_text(value)) for value in row] for row in table.rows]
    text = markdown_table([escape(name) for name in table.columns], right, rows)
    return text + ("\n_More rows were left out: raise `--limit`._\n" if table.more else "")


def markdown_table(heads: Sequence[str], right: Sequence[bool], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are already Markdown."""
    rule = ["---:" if is_right else ":---" for is_right in right]
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, rule, *rows)]
    return "\n".join(lines) + "\n"
