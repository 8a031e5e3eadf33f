"""Reports as GitHub-flavoured Markdown."""

from collections.abc import Sequence

from pytest_benchdb.model.report import Report, SessionReport
from pytest_benchdb.present.report.columns import USUAL_OPTIONS, Column, RenderOptions
from pytest_benchdb.present.report.session import facts_of, warnings_of
from pytest_benchdb.present.report.table import figure_text, mark_place, marks_of, message_of, run_table
from pytest_benchdb.present.writing.markdown import escape, markdown_table


def report_markdown(report: Report, options: RenderOptions = USUAL_OPTIONS) -> str:
    """Write a report: for each session a heading, its facts and its tables."""
    return "\n".join(_session(shown, report, options) for shown in report.sessions)


def _session(shown: SessionReport, report: Report, options: RenderOptions) -> str:
    table = run_table(shown.rows, options)
    lines = [f"## Benchmarks of {escape(shown.session.project)}", ""]
    lines += [f"- **{label}:** {escape(text)}" for label, text in facts_of(shown, report)]
    lines += [f"- **warning:** {escape(text)}" for text in warnings_of(shown)]
    lines.append("")
    rows: list[list[str]] = []
    for row, name in zip(shown.rows, table.names, strict=True):
        cells = [
            escape(name if column.key == "benchmark" else figure_text(row, column, table.units))
            for column in table.columns
        ]
        message = message_of(row)
        if message is not None:
            cells = _with_message(cells, table.columns, escape(message))
        cells[mark_place(table.columns)] += escape(marks_of(row, table.columns))
        rows.append(cells)
    right = [column.align == "right" for column in table.columns]
    for title, members in table.groups(rows):
        lines += [] if title is None else [f"### {escape(title)}", ""]
        lines.append(markdown_table(table.labels(), right, members))
    return "\n".join(lines)


def _with_message(cells: Sequence[str], columns: Sequence[Column], message: str) -> list[str]:
    """Put the outcome and its reason into the first figure's cell and empty the others."""
    result = []
    for cell, column in zip(cells, columns, strict=True):
        result.append(cell if column.kind == "text" else message)
        message = message if column.kind == "text" else ""
    return result
