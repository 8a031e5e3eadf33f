"""A report as one HTML file: a table of all runs that opens into their histories and distributions.

It loads nothing, runs only its own script, says all it has to say without one, and never uses colour alone to convey
meaning.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from pytest_benchdb.model.answer.picture import NO_PICTURES, ReportPictures, RunPicture
from pytest_benchdb.model.answer.trend import LevelChange, Trend
from pytest_benchdb.model.report import Report, ReportRow, Row, SessionReport
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.history.trend import state_of
from pytest_benchdb.present.html.shell import render_page
from pytest_benchdb.present.html.svg import (
    LINE_HEIGHT,
    LINE_WIDTH,
    STRIP_HEIGHT,
    STRIP_WIDTH,
    Direction,
    HistoryLine,
    Strip,
    history_line,
    strip_of,
)
from pytest_benchdb.present.report.columns import USUAL_OPTIONS, Column, RenderOptions, figure_of
from pytest_benchdb.present.report.page_data import page_data
from pytest_benchdb.present.report.session import facts_of, warnings_of
from pytest_benchdb.present.report.table import RunTable, mark_index, marks_of, message_of, row_style, run_table
from pytest_benchdb.present.writing.grid import Style, outcome_style
from pytest_benchdb.present.writing.links import commit_url, web_url
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.times import local_minute
from pytest_benchdb.present.writing.units import one_quantity
from pytest_benchdb.present.writing.values import value_text

_SCRIPTS = ("figures.js", "charts.js", "table.js", "details.js")
_ALIGNED = re.compile(r"(?P<figure>\S+)(?P<spaces> *)(?P<unit>(?: \S+)?) *")
_FIGURE_SPACE = "\N{FIGURE SPACE}"
_POINT_SPACE = "\N{PUNCTUATION SPACE}"
_MEANINGS = {
    "median": "median of the rounds",
    "spread": "interquartile range of the rounds in percent of their median",
    "relative": "median as a multiple of the smallest median of the group",
    "ops": "calls per second: 1 / mean",
    "iqr": "interquartile range of the rounds",
    "mean": "mean of the rounds",
    "stddev": "sample standard deviation of the rounds",
    "min": "fastest round",
    "max": "slowest round",
    "q1": "first quartile of the rounds",
    "q3": "third quartile of the rounds",
    "p95": "95th percentile of the rounds",
    "p99": "99th percentile of the rounds",
    "outliers": "rounds more than 1.5 interquartile ranges outside the quartiles",
    "metric": "metric of the times: step_time is one training step, e2e_latency one request",
    "throughput": "items handled per second",
    "flops": "floating-point operations per second: those of one call, as the test gives them, by its time",
    "bandwidth": "bytes handled per second: those of one call, as the test gives them, by its time",
    "energy": "energy of one iteration, of the device as a whole; only where valid",
    "first_call": "first call, compilation included",
    "device_memory": "peak memory allocated by the device's allocator",
    "clock": "clock of the device's compute units after the last round",
    "throttled": "share of the timing in which the device was slowed down for power or heat",
    "cpu": "CPU time of the process in percent of the wall-clock time",
    "cpu_time": "CPU time of the process for one call",
    "memory": "memory that the benchmark itself needed, without what the process held before",
    "peak_rss": "peak resident set of the process while the rounds ran",
    "rounds": "timed blocks, times the calls in each where there are several",
}

_SHORT_COMMIT = 8
_LONGEST_KEY = 300
_WORDS: dict[Direction, tuple[str, str]] = {
    "worse": ("\N{BLACK UP-POINTING TRIANGLE}", "worse"),
    "better": ("\N{BLACK DOWN-POINTING TRIANGLE}", "better"),
    "neither": ("\N{BLACK DIAMOND}", "changed"),
}
_CHANGES: dict[str, tuple[str, str, Style]] = {
    "worse": (_WORDS["worse"][0], "changed for the worse", "bad"),
    "better": (_WORDS["better"][0], "changed for the better", "good"),
    "neither": (_WORDS["neither"][0], "changed", ""),
}
_ENVIRONMENT = (
    *("os", "kernel", "cpu_model", "cores", "threads", "ram_bytes", "virtualization", "python", "packages", "details"),
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFact:
    """A fact of a session; `url` is where its text leads, None if nowhere."""

    label: str
    text: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSession:
    """One session."""

    title: str
    facts: tuple[PageFact, ...]
    warnings: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A number of runs that the reader can filter by.

    Attributes:
        tag: what such rows have among their tags.
        style: style of the number.
    """

    tag: str
    text: str
    style: Style


def report_html(report: Report, options: RenderOptions = USUAL_OPTIONS, pictures: ReportPictures = NO_PICTURES) -> str:
    """Return a report as one self-contained page.

    Args:
        report: what to show.
        options: columns, groups and units.
        pictures: rounds and histories to draw; without them the page has the table and the spread of the rounds.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    rows = [row for shown in report.sessions for row in shown.rows]
    table = run_table(rows, options)
    keys = _keys(rows)
    shown_rows = _page_rows(table, keys, pictures)
    sessions = [_page_session(shown, report, pictures) for shown in report.sessions]
    labels = table.labels()
    return render_page(
        "report.html.jinja",
        scripts=_SCRIPTS,
        data=page_data(report, table.rows, keys, pictures),
        title=", ".join(dict.fromkeys(session.title for session in sessions)) or "Benchmarks",
        sessions=sessions,
        counts=_counts(shown_rows, pictures),
        columns=list(zip(table.columns, labels, strict=True)),
        groups=table.groups(shown_rows),
        runs=counted(len(shown_rows), "run"),
        has_strips=any(row.strip for row in shown_rows),
        has_lines=any(row.line for row in shown_rows),
        history=counted(len(pictures.sessions), "session"),
        order_reason=pictures.order_reason,
        meanings=[(column.title, _MEANINGS[column.key]) for column in table.columns if column.key in _MEANINGS],
        words=_WORDS,
        strip_size=(STRIP_WIDTH, STRIP_HEIGHT),
        line_size=(LINE_WIDTH, LINE_HEIGHT),
    )


def _keys(rows: Sequence[ReportRow]) -> list[str]:
    """Return the id of each row: its benchmark, and what tells it from others of the same; stable across reports."""
    names: dict[str, int] = {}
    keys = []
    for row in rows:
        # Percent-encoded, because an id must not have spaces, and a link to it is the same text.
        name = quote(row.fullname.encode("utf-8", "backslashreplace"), safe="/:[]()=,.-_~")[:_LONGEST_KEY]
        names[name] = names.get(name, 0) + 1
        keys.append(name if names[name] == 1 else f"{name}~{names[name]}")
    return keys


def _page_session(shown: SessionReport, report: Report, pictures: ReportPictures) -> PageSession:
    session = shown.session
    urls = {"commit": commit_url(session.remote_url, session.commit_sha), "CI": web_url(session.ci_url)}
    environment = pictures.environments.get(session.session_id, {})
    return PageSession(
        title=sanitize(f"Benchmarks of {session.project}"),
        facts=tuple(
            PageFact(label=label, text=sanitize(text), url=urls.get(label)) for label, text in facts_of(shown, report)
        ),
        warnings=tuple(sanitize(text) for text in warnings_of(shown)),
        environment=tuple(_environment(environment)),
    )


def _environment(environment: Row) -> Iterable[tuple[str, str]]:
    """Yield what is known of an environment as pairs of texts."""
    for name, value in environment.items():
        if name in _ENVIRONMENT and value is not None and value != {}:
            yield name.replace("_", " "), sanitize(value_text(value))


def _counts(rows: Sequence[PageRow], pictures: ReportPictures) -> list[Count]:
    """Return the counts of runs by what happened to them, and of changes of level."""
    tags = Counter(tag for row in rows for tag in row.tags)
    counts = [
        Count(tag=tag, text=f"{number} {tag}", style="" if tag == "passed" else outcome_style(tag))
        for tag, number in tags.items()
        if tag not in _CHANGES
    ]
    counts.sort(key=lambda count: count.tag != "passed")
    if pictures.sessions:
        counts += [
            Count(tag=tag, text=f"{sign} {tags[tag]} {text}", style=style)
            for tag, (sign, text, style) in _CHANGES.items()
            if tags[tag]
        ]
    return counts


def _page_rows(table: RunTable, keys: Sequence[str], pictures: ReportPictures) -> list[PageRow]:
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
    return PageRow(
        key=key,
        fullname=sanitize(row.fullname),
        marks=marks,
        cells=tuple(cells),
        note=note,
        style=row_style(row),
        tags=(row.outcome, *([change.direction] if change is not None else [])),
        strip=strip,
        strip_text=_strip_text(row) if strip else "",
        line=line,
        line_text=_line_text(trend) if trend is not None and line else "",
        change=change,
        state=state_of(trend) if trend is not None and line else "",
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


def _direction(change: LevelChange) -> Direction:
    return "neither" if change.worse is None else "worse" if change.worse else "better"


def _last_change(trend: Trend | None) -> Change | None:
    if trend is None or not trend.changes:
        return None
    last = trend.changes[-1]
    where = last.first.commit[:_SHORT_COMMIT] if last.first.commit else local_minute(last.first.started_at)
    return Change(
        direction=_direction(last), text=percent_text(last.point.change), where=where, value=last.point.change
    )


def _line(trend: Trend, picture: RunPicture) -> HistoryLine | None:
    return history_line(
        [point.value for point in trend.points],
        [(band.start, band.level) for band in picture.bands],
        [(change.point.index, _direction(change)) for change in trend.changes],
    )


def _line_text(trend: Trend) -> str:
    """Return a history in words, for those who cannot see it."""
    values = [point.value for point in trend.points if point.value is not None]
    low, high = one_quantity(min(values), trend.unit), one_quantity(max(values), trend.unit)
    changes = [f"{percent_text(change.point.change)} {_WORDS[_direction(change)][1]}" for change in trend.changes]
    changed = f"; changes of level: {', '.join(changes)}" if changes else "; no change of level"
    return f"{counted(len(values), 'session')} from {low} to {high}{changed}"
