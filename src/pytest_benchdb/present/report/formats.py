"""A report in every file format, for the command line and pytest's options.

Markdown is for people. JSON and CSV are data in SI units; unmeasured values are null or empty.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import PurePath

from pytest_benchdb.model.answer.picture import NO_PICTURES, ReportPictures
from pytest_benchdb.model.report import RUN_UNITS, Report, ReportRow, SessionReport
from pytest_benchdb.present.report.columns import (
    USUAL_OPTIONS,
    Column,
    RenderOptions,
    columns_named,
    figure_of,
    parse_grouping,
    raw_name,
    related_report,
    unusual_metric,
)
from pytest_benchdb.present.report.session import facts_of, warnings_of
from pytest_benchdb.present.report.table import mark_index, marks_of, message_of, run_table
from pytest_benchdb.present.writing.values import escape, markdown_table, object_json, write_csv

REPORT_SCHEMA = "benchdb.report/1"


def report_markdown(report: Report, options: RenderOptions = USUAL_OPTIONS) -> str:
    """Return a report as Markdown: a heading, facts and tables for each session."""
    return "\n".join(_session(shown, report, options) for shown in report.sessions)


def _session(shown: SessionReport, report: Report, options: RenderOptions) -> str:
    table = run_table(shown.rows, options)
    lines = [f"## Benchmarks of {escape(shown.session.project)}", ""]
    lines += [f"- **{label}:** {escape(text)}" for label, text in facts_of(shown, report)]
    lines += [f"- **warning:** {escape(text)}" for text in warnings_of(shown)]
    lines.append("")
    rows: list[list[str]] = []
    for index, row in enumerate(shown.rows):
        cells = [escape(table.full_text(index, column)) for column in table.columns]
        message = message_of(row)
        if message is not None:
            cells = _with_message(cells, table.columns, escape(message))
        cells[mark_index(table.columns)] += escape(marks_of(row, table.columns))
        rows.append(cells)
    right = [column.align == "right" for column in table.columns]
    for title, members in table.groups(rows):
        lines += [] if title is None else [f"### {escape(title)}", ""]
        lines.append(markdown_table(table.labels(), right, members))
    return "\n".join(lines)


def _with_message(cells: Sequence[str], columns: Sequence[Column], message: str) -> list[str]:
    """Put the message into the first figure's cell and empty the others."""
    result = []
    for cell, column in zip(cells, columns, strict=True):
        result.append(cell if column.kind == "text" else message)
        message = message if column.kind == "text" else ""
    return result


def report_json(report: Report, options: RenderOptions = USUAL_OPTIONS) -> str:
    """Return a report as one JSON object with a line end."""
    content = {
        "sources": list(report.sources),
        "selection": report.selection,
        "sessions_in_all": report.sessions_in_all,
        "units": RUN_UNITS,
        "sessions": [_session_values(shown, options) for shown in report.sessions],
    }
    return object_json(REPORT_SCHEMA, content)


def report_csv(report: Report, columns: Sequence[Column] | None = None, grouping: Sequence[str] = ()) -> str:
    """Return the runs of a report as CSV, one per line, with every field if `columns` is None.

    The columns that runs are grouped by are added in front.
    """
    rows = [row for shown in report.sessions for row in shown.rows]
    if columns is None:
        # Percentiles are computed for the columns that ask for them only.
        names = [field.name for field in fields(ReportRow) if field.name != "percentiles"]
        return write_csv(names, ([values[name] for name in names] for values in map(ReportRow.values, rows)))
    chosen = {column.key for column in columns}
    groups = [column for key in grouping if key not in chosen for column in columns_named([key])]
    shown = [*groups, *columns, *_required_columns(columns, rows)]
    return write_csv([raw_name(column) for column in shown], ([figure_of(row, c.key) for c in shown] for row in rows))


def _session_values(shown: SessionReport, options: RenderOptions) -> dict[str, object]:
    return {
        **asdict(shown.session),
        "outcomes": dict(shown.outcomes),
        "notes": list(shown.notes),
        "group_by": list(options.grouping_of(shown.rows)),
        "rows": [row.values() for row in shown.rows],
    }


def _required_columns(columns: Sequence[Column], rows: Sequence[ReportRow]) -> list[Column]:
    """Return columns that were not chosen, but without which figures would be misread."""
    keys = []
    if any(column.kind == "time" for column in columns) and any(unusual_metric(row) for row in rows):
        keys.append("metric")
    if any(row.provenance == "simulated" for row in rows):
        keys.append("provenance")
    shown = {column.key for column in columns}
    return [column for key in keys if key not in shown for column in columns_named([key])]


REPORT_SUFFIXES = {".md": "md", ".json": "json", ".csv": "csv", ".html": "html"}
"""Format of a report, by file suffix."""


def format_of(file: str) -> str | None:
    """Return the format for a file name; None if its suffix is unknown.

    >>> format_of("out/Report.HTML"), format_of("report.docx")
    ('html', None)
    """
    return REPORT_SUFFIXES.get(PurePath(file).suffix.lower())


def report_text(
    report: Report, format_name: str, options: RenderOptions = USUAL_OPTIONS, pictures: ReportPictures = NO_PICTURES
) -> str:
    """Return a report as ``md``, ``json``, ``csv`` or ``html``; only the last draws `pictures`.

    Raises:
        MissingExtraError: the format needs a package that is not installed.
    """
    # Late import: commands that only need the names of the formats do not pay for it.
    if format_name == "html":
        from pytest_benchdb.present.report.page import report_html

        return report_html(report, options, pictures)

    if format_name == "md":
        return report_markdown(report, options)
    related = related_report(report, options)
    if format_name == "json":
        return report_json(related, options)
    return report_csv(related, options.columns, parse_grouping(options.group_by or "none"))
