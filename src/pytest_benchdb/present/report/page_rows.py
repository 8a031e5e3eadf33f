"""The rows of a report's page: their cells, the small charts in them, and what they can be found and sorted by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pytest_benchdb.model.answer.picture import ReportPictures, RunPicture
from pytest_benchdb.model.answer.trend import LevelChange, Trend
from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.model.verdict import VERDICT_STYLES, Judgement
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.history.trend import state_of
from pytest_benchdb.present.html.svg import Direction, HistoryLine, Strip, history_line, strip_of
from pytest_benchdb.present.report.columns import Column, figure_of
from pytest_benchdb.present.report.table import RunTable, mark_index, marks_of, message_of, row_style
from pytest_benchdb.present.writing.grid import Style
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.times import local_minute
from pytest_benchdb.present.writing.units import NOT_MEASURED, one_quantity

WORDS: dict[Direction, tuple[str, str]] = {
    "worse": ("\N{BLACK UP-POINTING TRIANGLE}", "worse"),
    "better": ("\N{BLACK DOWN-POINTING TRIANGLE}", "better"),
    "neither": ("\N{BLACK DIAMOND}", "changed"),
}
"""Sign and word of each direction of a change."""

_SHORT_COMMIT = 8
_ALIGNED = re.compile(r"(?P<figure>\S+)(?P<spaces> *)(?P<unit>(?: \S+)?) *")
_FIGURE_SPACE = "\N{FIGURE SPACE}"
_POINT_SPACE = "\N{PUNCTUATION SPACE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a row.

    Attributes:
        label: title of its column, which narrow screens show beside it.
        value: value to sort by, figures in SI units; None without one.
        span: number of columns that it covers.
    """

    kind: Literal["name", "text", "figure", "message"]
    label: str
    text: str
    value: str | float | None = None
    span: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The last change of level of a run's history.

    Attributes:
        text: how large: ``+25.0 %``.
        where: the commit, or the day without one.
        value: the change as a share, to sort by.
    """

    direction: Direction
    text: str
    where: str
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How a run compares with the baseline.

    Attributes:
        text: the change, if there is one: ``+25.0 %``.
        verdict: ``regressed``.
        value: the change as a share, to sort by.
    """

    text: str
    verdict: str
    style: Style
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """One run.

    Attributes:
        key: id of its element, which links name.
        marks: marks after the name: simulated, a rerun.
        note: why there are no figures, if no column of figures can show it.
        style: style of the message that replaces figures.
        tags: words that the filters look for: its outcome, and how it changed.
        strip: its rounds; None without figures.
        strip_text: the strip in words.
        line: its history; None with fewer than two values.
        line_text: the history in words.
        change: its last change of level; None without one.
        state: state of the history in a few words; empty without a history.
        compared: how it compares with the baseline; None if it was not compared.
    """

    key: str
    fullname: str
    marks: str
    cells: tuple[Cell, ...]
    note: str | None
    style: Style
    tags: tuple[str, ...]
    strip: Strip | None
    strip_text: str
    line: HistoryLine | None
    line_text: str
    change: Change | None
    state: str
    compared: Compared | None

    def search_text(self) -> str:
        """Return the texts that a search looks at, in lower case."""
        texts = [self.fullname, self.marks, self.note or "", *self.tags]
        texts += [cell.text for cell in self.cells if cell.kind != "figure"]
        return " ".join(text for text in texts if text).lower()

    def sort_values(self) -> list[str | float | None]:
        """Return the value of each column, then of its spread, its history, its last change and its comparison."""
        values = [value for cell in self.cells for value in [cell.value] + [None] * (cell.span - 1)]
        change = None if self.change is None else self.change.value
        return [*values, None, None, change, None if self.compared is None else self.compared.value]


def page_rows(table: RunTable, keys: Sequence[str], pictures: ReportPictures) -> list[PageRow]:
    """Return the rows of a table, in its order.

    Args:
        table: of the runs.
        keys: the id of each row.
        pictures: what the small charts draw.
    """
    labels = table.labels()
    texts = [
        table.texts(column) if column.key == "benchmark" else [_filled(text, column) for text in table.texts(column)]
        for column in table.columns
    ]
    return [
        _page_row(row, key, list(map(_cell, [row] * len(labels), table.columns, labels, cells)), table, pictures)
        for row, key, *cells in zip(table.rows, keys, *texts, strict=True)
    ]


def _filled(text: str, column: Column) -> str:
    """Replace the spaces that align decimal points with spaces as wide as digits and points."""
    if column.kind == "text":
        return text
    parts = _ALIGNED.fullmatch(text)
    if parts is None:
        return text.strip(" ")
    point = "" if "." in parts["figure"] or not parts["spaces"] else _POINT_SPACE
    return parts["figure"] + point + _FIGURE_SPACE * (len(parts["spaces"]) - len(point)) + parts["unit"]


def _cell(row: ReportRow, column: Column, label: str, text: str) -> Cell:
    if column.key == "benchmark":
        return Cell(kind="name", label=label, text=sanitize(text), value=sanitize(row.fullname))
    value = figure_of(row, column.key)
    if column.kind == "text":
        return Cell(kind="text", label=label, text=sanitize(text), value=sanitize(str(value or "")))
    return Cell(kind="figure", label=label, text=text, value=value)


def _page_row(row: ReportRow, key: str, cells: list[Cell], table: RunTable, pictures: ReportPictures) -> PageRow:
    message = message_of(row)
    marks = sanitize(marks_of(row, table.columns).strip())
    if marks and not any(cell.kind == "name" for cell in cells):
        place = mark_index(table.columns)
        cells[place] = replace(cells[place], text=f"{cells[place].text} {marks}")
    note = None if message is None else sanitize(message)
    if note is not None and any(cell.kind == "figure" for cell in cells):
        cells, note = _with_message(cells, note), None
    picture = pictures.of(row.run_id)
    trend = picture.trend
    change = _last_change(trend)
    line = None if trend is None else _line(trend, picture)
    strip = _strip(row, picture)
    compared = None if picture.judgement is None else _compared(picture.judgement)
    tags = [row.outcome, *([change.direction] if change else []), *([compared.verdict] if compared else [])]
    return PageRow(
        key=key,
        fullname=sanitize(row.fullname),
        marks=marks,
        cells=tuple(cells),
        note=note,
        style=row_style(row),
        tags=tuple(dict.fromkeys(tags)),
        strip=strip,
        strip_text=_strip_text(row) if strip else "",
        line=line,
        line_text=_line_text(trend) if trend is not None and line else "",
        change=change,
        state=state_of(trend) if trend is not None and line else "",
        compared=compared,
    )


def _compared(judgement: Judgement) -> Compared:
    return Compared(
        text=NOT_MEASURED if judgement.change is None else percent_text(judgement.change),
        verdict=judgement.verdict,
        style=VERDICT_STYLES[judgement.verdict],
        value=judgement.change,
    )


def _with_message(cells: Sequence[Cell], message: str) -> list[Cell]:
    """Replace the first adjacent figures with the message, and empty the other figures."""
    result: list[Cell] = []
    for cell in cells:
        if cell.kind != "figure":
            result.append(cell)
        elif result and result[-1].kind == "message":
            result[-1] = replace(result[-1], span=result[-1].span + 1)
        else:
            result.append(Cell(kind="message", label="", text=message))
            message = ""
    return result


def _strip(row: ReportRow, picture: RunPicture) -> Strip | None:
    """Return the strip of a run that has several rounds."""
    figures = (row.min_s, row.q1_s, row.median_s, row.q3_s, row.max_s)
    known = [figure for figure in figures if figure is not None]
    if not row.has_figures or len(known) < len(figures) or (row.rounds or 0) <= 1:
        return None
    low, q1, middle, q3, high = known
    return strip_of((low, q1, middle, q3, high), picture.rounds.values_s if picture.rounds is not None else ())


def _strip_text(row: ReportRow) -> str:
    low, q1, q3, high = (one_quantity(value, "s") for value in (row.min_s, row.q1_s, row.q3_s, row.max_s))
    return f"{counted(row.rounds or 0, 'round')} from {low} to {high}, the middle half from {q1} to {q3}"


def direction_of(change: LevelChange) -> Direction:
    """Return whether a change of level is for the worse."""
    return "neither" if change.worse is None else "worse" if change.worse else "better"


def _last_change(trend: Trend | None) -> Change | None:
    if trend is None or not trend.changes:
        return None
    last = trend.changes[-1]
    where = last.first.commit[:_SHORT_COMMIT] if last.first.commit else local_minute(last.first.started_at)
    return Change(
        direction=direction_of(last), text=percent_text(last.point.change), where=where, value=last.point.change
    )


def _line(trend: Trend, picture: RunPicture) -> HistoryLine | None:
    return history_line(
        [point.value for point in trend.points],
        [(band.start, band.level) for band in picture.bands],
        [(change.point.index, direction_of(change)) for change in trend.changes],
    )


def _line_text(trend: Trend) -> str:
    """Return a history in words, for those who cannot see it."""
    values = [point.value for point in trend.points if point.value is not None]
    low, high = one_quantity(min(values), trend.unit), one_quantity(max(values), trend.unit)
    changes = [f"{percent_text(change.point.change)} {WORDS[direction_of(change)][1]}" for change in trend.changes]
    changed = f"; changes of level: {', '.join(changes)}" if changes else "; no change of level"
    return f"{counted(len(values), 'session')} from {low} to {high}{changed}"
