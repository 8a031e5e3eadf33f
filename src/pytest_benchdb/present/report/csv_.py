"""Reports and tables as CSV (RFC 4180): raw SI values, units in the names of the columns.

Every text is quoted, and one that a spreadsheet would take for a formula begins with an apostrophe,
as OWASP advises against CSV injection; a text that begins with an apostrophe gets a second one, so
that `read_text` gives every text back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields

from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.present.report.columns import Column, columns_named, figure_of, raw_name, unusual_metric
from pytest_benchdb.present.report.document import DataTable, Report
from pytest_benchdb.present.report.json_ import plain_value, run_values

_FULLWIDTH = "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
_DANGEROUS = tuple("=+-@\t\r\n'" + _FULLWIDTH)


def report_csv(report: Report, columns: Sequence[Column] | None) -> str:
    """Write the runs of a report, one a line.

    Args:
        report: the sessions.
        columns: what `--columns` asks for; None for every field of a run.
    """
    rows = [row for shown in report.sessions for row in shown.rows]
    if columns is None:
        names = [field.name for field in fields(ReportRow)]
        return _write(names, (list(run_values(row).values()) for row in rows))
    shown = [*columns, *_telling(columns, rows)]
    return _write([raw_name(column) for column in shown], ([figure_of(row, c.key) for c in shown] for row in rows))


def _telling(columns: Sequence[Column], rows: Sequence[ReportRow]) -> list[Column]:
    """Return columns that nobody asked for, without which figures would be taken for what they are not."""
    keys = []
    if any(column.kind == "time" for column in columns) and any(unusual_metric(row) for row in rows):
        keys.append("metric")
    if any(row.provenance == "simulated" for row in rows):
        keys.append("provenance")
    shown = {column.key for column in columns}
    return [column for key in keys if key not in shown for column in columns_named([key])]


def table_csv(table: DataTable) -> str:
    """Write a table with its column names in the first line."""
    return _write(table.columns, table.rows)


def read_text(cell: str) -> str:
    """Undo what the writer does to a text, after a CSV reader has undone the quotes."""
    return cell.removeprefix("'")


def _write(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [",".join(map(_text, names))]
    lines += [",".join(map(_cell, row)) for row in rows]
    return "".join(line + "\r\n" for line in lines)


def _cell(value: object) -> str:
    plain = plain_value(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return "true" if plain else "false"
    return repr(plain) if isinstance(plain, int | float) else _text(str(plain))


def _text(text: str) -> str:
    # Readers before Python 3.11 and most spreadsheets stop at a NUL.
    text = text.replace("\0", "\\0")
    guard = "'" if text.startswith(_DANGEROUS) else ""
    return '"' + guard + text.replace('"', '""') + '"'
