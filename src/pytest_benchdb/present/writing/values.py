"""Values of any kind (answers to queries, environments) as text, and as tables that fit the terminal."""

from pytest_benchdb.present.report.document import DataTable
from pytest_benchdb.present.report.json_ import plain_value
from pytest_benchdb.present.writing.grid import Entry, Heading, Section, Span, Table, fit
from pytest_benchdb.present.writing.text import sanitize

MISSING = ""


def value_text(value: object) -> str:
    """Write one value; None is empty, floats keep every digit that tells them apart."""
    plain = plain_value(value)
    if plain is None:
        return "NaN" if isinstance(value, float) else MISSING
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, dict):
        return ", ".join(f"{key}={value_text(item)}" for key, item in plain.items())
    if isinstance(plain, list):
        return "[" + ", ".join(value_text(item) for item in plain) + "]"
    return str(plain)


def layout_values(table: DataTable, width: int, *, ascii_only: bool = False) -> Table:
    """Lay a table of values out in at most `width` columns of the terminal; figures stand on the right."""
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
