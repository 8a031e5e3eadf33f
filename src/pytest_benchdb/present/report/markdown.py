"""Reports as GitHub-flavoured Markdown, safe against what names may hold."""

from collections.abc import Mapping, Sequence

from pytest_benchdb.model.report import Report, SessionReport
from pytest_benchdb.present.report.columns import Column, default_columns, default_grouping, group_value
from pytest_benchdb.present.report.session_header import facts_of, warnings_of
from pytest_benchdb.present.report.table import (
    figure_text,
    mark_place,
    marks_of,
    message_of,
    names_of,
    title_of,
    unit_symbol,
    units_for,
)
from pytest_benchdb.present.writing.markdown import escape, markdown_table
from pytest_benchdb.present.writing.units import FigureKind, Unit


def report_markdown(
    report: Report, columns: Sequence[Column] | None, group_by: str | None, units: Mapping[FigureKind, Unit]
) -> str:
    """Write a report: for each session a heading, its facts and its tables.

    Args:
        report: the sessions.
        columns: columns to show; None chooses them for each session.
        group_by: what to group by, ``none`` for nothing; None chooses for each session.
        units: units that the user asked for.
    """
    parts = [_session(shown, report, columns, group_by, units) for shown in report.sessions]
    return "\n".join(parts)


def _session(
    shown: SessionReport,
    report: Report,
    columns: Sequence[Column] | None,
    group_by: str | None,
    units: Mapping[FigureKind, Unit],
) -> str:
    chosen = tuple(columns) if columns is not None else default_columns(shown.rows)
    key = default_grouping(shown.rows) if group_by is None else None if group_by == "none" else group_by
    lines = [f"## Benchmarks of {escape(shown.session.project)}", ""]
    lines += [f"- **{label}:** {escape(text)}" for label, text in facts_of(shown, report)]
    lines += [f"- **warning:** {escape(text)}" for text in warnings_of(shown)]
    lines.append("")
    scale = units_for(shown.rows, chosen, units, ascii_only=False)
    heads = [_head(column, scale) for column in chosen]
    right = [column.align == "right" for column in chosen]
    groups: dict[str | None, list[list[str]]] = {}
    for row, name in zip(shown.rows, names_of(shown.rows, key), strict=True):
        cells = [escape(name) if c.key == "benchmark" else escape(figure_text(row, c, scale)) for c in chosen]
        message = message_of(row)
        if message is not None:
            cells = _with_message(cells, chosen, escape(message))
        cells[mark_place(chosen)] += escape(marks_of(row, chosen))
        groups.setdefault(group_value(row, key) if key else None, []).append(cells)
    for value, rows in groups.items():
        lines += [f"### {escape(title_of(key, value))}", ""] if key else []
        lines.append(markdown_table(heads, right, rows))
    return "\n".join(lines)


def _head(column: Column, units: Mapping[FigureKind, Unit]) -> str:
    symbol = unit_symbol(column, units)
    return f"{column.title} ({symbol})" if symbol else column.title


def _with_message(cells: Sequence[str], columns: Sequence[Column], message: str) -> list[str]:
    """Put the outcome and its reason into the first figure's cell and empty the others."""
    result = []
    left = message
    for cell, column in zip(cells, columns, strict=True):
        if column.kind == "text":
            result.append(cell)
        else:
            result.append(left)
            left = ""
    return result
