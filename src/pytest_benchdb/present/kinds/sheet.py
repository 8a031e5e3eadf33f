"""Tables of text with a title, and how a terminal, Markdown and HTML show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_benchdb.present.html.shell import render_page
from pytest_benchdb.present.html.svg import HistoryLine
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, fit
from pytest_benchdb.present.writing.text import clip, sanitize, wrap
from pytest_benchdb.present.writing.values import escape, markdown_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table.

    Attributes:
        columns: what is shown in each: its heading and whether it is right-aligned, as for a terminal.
        rows: texts, one for each column.
        lines: a small chart for each row, in HTML instead of the column `chart_at`; empty without charts.
        chart_at: index of the column of text that the charts replace.
        most: rows that a terminal shows.
    """

    title: str
    columns: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[HistoryLine | None, ...] = ()
    chart_at: int = -1
    most: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheets:
    """A report of one kind.

    Attributes:
        head: what it is about, in one line.
        notes: how to read it, and what is left out.
    """

    head: str
    notes: tuple[str, ...]
    sheets: tuple[Sheet, ...]


def sheets_lines(sheets: Sheets, width: int, *, ascii_only: bool = False, verbose: bool = False) -> list[Line]:
    """Return lines for a terminal, none wider than `width`; all rows if `verbose`."""
    lines: list[Line] = [(Span(clip(sanitize(sheets.head, ascii_only=ascii_only), width), "head"),)]
    for note in sheets.notes:
        lines += [(Span(line, "dim"),) for line in wrap(sanitize(note, ascii_only=ascii_only), width)]
    for sheet in sheets.sheets:
        if not sheet.rows:
            continue
        shown = sheet.rows if verbose else sheet.rows[: sheet.most]
        entries = tuple(
            Entry(cells=tuple(Span(sanitize(cell, ascii_only=ascii_only)) for cell in row)) for row in shown
        )
        section = Section(title=None, entries=entries)
        lines += [(Span(""),), (Span(clip(sheet.title, width), "head"),)]
        lines += fit(sheet.columns, [section], width, ascii_only=ascii_only).said(width)
        if len(shown) < len(sheet.rows):
            lines.append((Span(f"{len(sheet.rows) - len(shown)} more not shown: -v shows all", "dim"),))
    return lines


def sheets_markdown(sheets: Sheets) -> str:
    """Return Markdown, for a job summary or a comment."""
    parts = [f"## {escape(sheets.head)}\n"]
    if sheets.notes:
        parts.append("".join(f"- {escape(note)}\n" for note in sheets.notes))
    for sheet in sheets.sheets:
        if sheet.rows:
            heads = [_head(column) for column in sheet.columns]
            right = [column.align == "right" for column in sheet.columns]
            rows = [[escape(cell) for cell in row] for row in sheet.rows]
            parts.append(f"### {escape(sheet.title)}\n\n{markdown_table(list(map(escape, heads)), right, rows)}")
    return "\n".join(parts)


def sheets_html(sheets: Sheets) -> str:
    """Return one page that opens without a network, and needs no script.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    pages = [
        {
            "title": sheet.title,
            "heads": [(_head(column), column.align) for column in sheet.columns],
            "rows": list(zip(sheet.rows, sheet.lines or (None,) * len(sheet.rows), strict=True)),
            "chart_at": sheet.chart_at,
        }
        for sheet in sheets.sheets
        if sheet.rows
    ]
    return render_page("kind.html.jinja", scripts=(), data=None, title=sheets.head, notes=sheets.notes, sheets=pages)


def text_column(title: str, priority: int = 0) -> Heading:
    """Return the heading of a column of names."""
    return Heading(title=title, priority=priority)


def figure_column(title: str, unit: str = "", priority: int = 0) -> Heading:
    """Return the heading of a column of figures."""
    return Heading(title=title, unit=unit, align="right", flexible=False, priority=priority)


def _head(column: Heading) -> str:
    return f"{column.title} ({column.unit})" if column.unit else column.title


def used(columns: Sequence[Heading], rows: Sequence[tuple[str, ...]]) -> list[int]:
    """Return the places of the columns in which at least one row has something."""
    return [place for place in range(len(columns)) if any(row[place] not in {"", "-"} for row in rows)]


def sheet_of(title: str, columns: Sequence[Heading], rows: Sequence[tuple[str, ...]]) -> Sheet:
    """Return a sheet without the columns in which no row has anything."""
    places = used(columns, rows)
    return Sheet(
        title=title,
        columns=tuple(columns[place] for place in places),
        rows=tuple(tuple(row[place] for place in places) for row in rows),
    )
