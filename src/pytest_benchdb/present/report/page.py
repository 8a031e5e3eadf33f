"""A report as one HTML file: it loads nothing, runs only its own script, and says in words what it colours.

Names and reasons come from outside: Jinja escapes them, and the page's Content-Security-Policy lets nothing but
the style sheet and the script of this package in, by their hashes.

A report as the page shows it: every text safe and scaled, nothing left for the template to decide.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from pytest_benchdb import __version__
from pytest_benchdb.errors import MissingExtraError
from pytest_benchdb.model.report import Report, ReportRow, SessionReport
from pytest_benchdb.present.report.columns import (
    Column,
    default_columns,
    default_grouping,
    figure_of,
    group_value,
    has_figures,
)
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
from pytest_benchdb.present.writing.grid import Fact, Style, outcome_style
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.units import FigureKind, Unit, align_points

if TYPE_CHECKING:
    from markupsafe import Markup


_FIGURE_SPACE = "\N{FIGURE SPACE}"
_POINT_SPACE = "\N{PUNCTUATION SPACE}"
_MEANINGS = {
    "median": "median of the rounds",
    "spread": "interquartile range of the rounds in percent of their median",
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
    "metric": "what the times are of: step_time is one training step, e2e_latency one request",
    "throughput": "items handled per second",
    "energy": "energy of one iteration, of the counters of the narrowest scope; only where all of them are valid",
    "first_call": "first call, compilation included",
    "device_memory": "peak of what the device's allocator had handed out",
    "cpu": "CPU time of the process in percent of the wall-clock time",
    "cpu_time": "CPU time of the process for one call",
    "memory": "peak resident set of the process while the rounds ran",
    "rounds": "timed blocks, times the calls in each where there are several",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a row.

    Attributes:
        label: the head of its column, which narrow screens show beside it.
        value: what to sort by, a figure in SI units; None where there is none.
        span: columns that it takes.
    """

    kind: Literal["name", "text", "figure", "message"]
    label: str
    text: str
    value: str | float | None = None
    span: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """One run.

    Attributes:
        marks: what must be said beside the name: simulated, a rerun.
        note: why there are no figures, where no column of figures could hold it.
        style: the colour of what stands in place of figures.
    """

    fullname: str
    marks: str
    cells: tuple[Cell, ...]
    note: str | None
    style: Style


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePart:
    """One session.

    Attributes:
        labels: heads of the columns, with their units.
        groups: rows by title; None for rows that stand alone.
        meanings: columns that need explaining, with what they mean.
    """

    title: str
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]
    columns: tuple[Column, ...]
    labels: tuple[str, ...]
    groups: tuple[tuple[str | None, tuple[PageRow, ...]], ...]
    meanings: tuple[tuple[str, str], ...]

    @property
    def runs(self) -> int:
        """How many runs are shown."""
        return sum(len(rows) for _, rows in self.groups)


def page_part(
    shown: SessionReport,
    report: Report,
    columns: Sequence[Column] | None,
    group_by: str | None,
    units: Mapping[FigureKind, Unit],
) -> PagePart:
    """Return one session as the page shows it; the arguments are those of `html.report_html`."""
    chosen = tuple(columns) if columns is not None else default_columns(shown.rows)
    key = default_grouping(shown.rows) if group_by is None else None if group_by == "none" else group_by
    scale = units_for(shown.rows, chosen, units, ascii_only=False)
    labels = tuple(_label(column, scale) for column in chosen)
    names = names_of(shown.rows, key)
    texts = [names if column.key == "benchmark" else _texts(shown.rows, column, scale) for column in chosen]
    groups: dict[str | None, list[PageRow]] = {}
    for index, row in enumerate(shown.rows):
        cells = [
            _cell(row, column, label, column_texts[index])
            for column, label, column_texts in zip(chosen, labels, texts, strict=True)
        ]
        groups.setdefault(group_value(row, key) if key else None, []).append(_page_row(row, cells, chosen))
    return PagePart(
        title=sanitize(f"Benchmarks of {shown.session.project}"),
        facts=tuple((label, sanitize(text)) for label, text in facts_of(shown, report)),
        warnings=tuple(sanitize(text) for text in warnings_of(shown)),
        columns=chosen,
        labels=labels,
        groups=tuple((title_of(key, value) if key else None, tuple(rows)) for value, rows in groups.items()),
        meanings=tuple((column.title, _MEANINGS[column.key]) for column in chosen if column.key in _MEANINGS),
    )


def _label(column: Column, units: Mapping[FigureKind, Unit]) -> str:
    symbol = unit_symbol(column, units)
    return f"{column.title} ({symbol})" if symbol else column.title


def _texts(rows: Sequence[ReportRow], column: Column, units: Mapping[FigureKind, Unit]) -> list[str]:
    texts = [figure_text(row, column, units) if column.kind == "text" or has_figures(row) else "" for row in rows]
    if column.kind in {"text", "rounds", "count"}:
        return texts
    return [_filled(text) for text in align_points(texts)]


def _filled(text: str) -> str:
    """Replace the spaces that put points below each other by such as are as wide as what they stand for."""
    figure = text.rstrip(" ")
    spaces = len(text) - len(figure)
    if not figure or not spaces:
        return figure
    point = "" if "." in figure else _POINT_SPACE
    return figure + point + _FIGURE_SPACE * (spaces - len(point))


def _cell(row: ReportRow, column: Column, label: str, text: str) -> Cell:
    if column.key == "benchmark":
        return Cell(kind="name", label=label, text=sanitize(text), value=sanitize(row.fullname))
    value = figure_of(row, column.key)
    if column.kind == "text":
        return Cell(kind="text", label=label, text=sanitize(text), value=sanitize(str(value or "")))
    return Cell(kind="figure", label=label, text=text, value=value)


def _page_row(row: ReportRow, cells: list[Cell], columns: Sequence[Column]) -> PageRow:
    message = message_of(row)
    marks = sanitize(marks_of(row, columns).strip())
    if marks and not any(cell.kind == "name" for cell in cells):
        place = mark_place(columns)
        cells[place] = replace(cells[place], text=f"{cells[place].text} {marks}")
    note = None if message is None else sanitize(message)
    if note is not None and any(cell.kind == "figure" for cell in cells):
        cells, note = _with_message(cells, note), None
    return PageRow(
        fullname=sanitize(row.fullname),
        marks=marks,
        cells=tuple(cells),
        note=note,
        style=outcome_style(row.outcome) if row.outcome != "passed" else "warn",
    )


def _with_message(cells: Sequence[Cell], message: str) -> list[Cell]:
    """Put the outcome and its reason in place of the first figures that stand together, and empty the others."""
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


_JOINTS = re.compile(r"(?<=::)|(?<=/)|(?=\[)")


def require_jinja() -> None:
    """Refuse to go on without Jinja.

    Raises:
        MissingExtraError: it is not installed.
    """
    if find_spec("jinja2") is None:
        raise MissingExtraError("HTML reports need Jinja2; install it with: pip install 'pytest-benchdb[html]'")


def report_html(
    report: Report, columns: Sequence[Column] | None, group_by: str | None, units: Mapping[FigureKind, Unit]
) -> str:
    """Write a report as one self-contained page.

    Args:
        report: the sessions.
        columns: columns to show; None chooses them for each session.
        group_by: what to group by, ``none`` for nothing; None chooses for each session.
        units: units that the user asked for.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    require_jinja()
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = _breakable
    parts = [page_part(shown, report, columns, group_by, units) for shown in report.sessions]
    style, script = _asset("report.css"), _asset("report.js")
    return environment.from_string(_asset("report.html.jinja")).render(
        title=", ".join(dict.fromkeys(part.title for part in parts)) or "Benchmarks",
        parts=parts,
        version=__version__,
        style=Markup(style),  # noqa: S704 - a file of this package; all else is escaped
        style_source=_source(style),
        script=Markup(script),  # noqa: S704 - as above
        script_source=_source(script),
    )


def _asset(name: str) -> str:
    return (resources.files("pytest_benchdb.present") / "assets" / name).read_text(encoding="utf-8")


def _breakable(name: str) -> "Markup":
    """Let the name of a benchmark break into lines at its joints."""
    from markupsafe import Markup

    return Markup("<wbr>").join(_JOINTS.split(name))


def _source(text: str) -> str:
    """Return the expression by which a Content-Security-Policy (level 3, section 2.3.1) lets a text in."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
