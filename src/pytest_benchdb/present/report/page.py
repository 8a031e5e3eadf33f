"""A report as one HTML file: it loads nothing, runs only its own script, and never uses colour alone to convey meaning.

Names and reasons come from outside: Jinja escapes them, and the page's Content-Security-Policy allows only the style
sheet and script of this package, by hash. The template has no logic: it gets text that is already scaled and safe.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from pytest_benchdb import __version__
from pytest_benchdb.errors import MissingExtraError
from pytest_benchdb.model.report import Report, ReportRow, SessionReport
from pytest_benchdb.present.report.columns import USUAL_OPTIONS, Column, RenderOptions, figure_of
from pytest_benchdb.present.report.session import facts_of, warnings_of
from pytest_benchdb.present.report.table import mark_index, marks_of, message_of, row_style, run_table
from pytest_benchdb.present.writing.grid import Fact, Style
from pytest_benchdb.present.writing.text import sanitize

if TYPE_CHECKING:
    from markupsafe import Markup

_JOINTS = re.compile(r"(?<=::)|(?<=/)|(?=\[)")
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
class PageRow:
    """One run.

    Attributes:
        marks: marks after the name: simulated, a rerun.
        note: why there are no figures, if no column of figures can show it.
        style: style of the message that replaces figures.
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
        labels: titles of the columns with their units.
        groups: title and rows of each group; the title is None if rows are not grouped.
        meanings: title and meaning of columns that need explaining.
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
        """Number of runs that are shown."""
        return sum(len(rows) for _, rows in self.groups)


def _page_part(shown: SessionReport, report: Report, options: RenderOptions) -> PagePart:
    table = run_table(shown.rows, options)
    labels = table.labels()
    texts = [
        table.texts(column) if column.key == "benchmark" else [_filled(text, column) for text in table.texts(column)]
        for column in table.columns
    ]
    rows = [
        _page_row(row, list(map(_cell, [row] * len(labels), table.columns, labels, cells)), table.columns)
        for row, *cells in zip(table.rows, *texts, strict=True)
    ]
    return PagePart(
        title=sanitize(f"Benchmarks of {shown.session.project}"),
        facts=tuple((label, sanitize(text)) for label, text in facts_of(shown, report)),
        warnings=tuple(sanitize(text) for text in warnings_of(shown)),
        columns=tuple(table.columns),
        labels=tuple(labels),
        groups=tuple((title, tuple(members)) for title, members in table.groups(rows)),
        meanings=tuple((column.title, _MEANINGS[column.key]) for column in table.columns if column.key in _MEANINGS),
    )


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


def _page_row(row: ReportRow, cells: list[Cell], columns: Sequence[Column]) -> PageRow:
    message = message_of(row)
    marks = sanitize(marks_of(row, columns).strip())
    if marks and not any(cell.kind == "name" for cell in cells):
        place = mark_index(columns)
        cells[place] = replace(cells[place], text=f"{cells[place].text} {marks}")
    note = None if message is None else sanitize(message)
    if note is not None and any(cell.kind == "figure" for cell in cells):
        cells, note = _with_message(cells, note), None
    return PageRow(
        fullname=sanitize(row.fullname),
        marks=marks,
        cells=tuple(cells),
        note=note,
        style=row_style(row),
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


def require_jinja() -> None:
    """Check that Jinja is installed.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("jinja2") is None:
        raise MissingExtraError("HTML reports need Jinja2; install it with: pip install 'pytest-benchdb[html]'")


def report_html(report: Report, options: RenderOptions = USUAL_OPTIONS) -> str:
    """Return a report as one self-contained page.

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
    parts = [_page_part(shown, report, options) for shown in report.sessions]
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
    """Allow line breaks between the parts of a benchmark's name."""
    from markupsafe import Markup

    return Markup("<wbr>").join(_JOINTS.split(name))


def _source(text: str) -> str:
    """Return the source expression of a Content-Security-Policy (level 3, section 2.3.1) that allows a text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
