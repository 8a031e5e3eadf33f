"""A report as one HTML file: it loads nothing, runs only its own script, and says in words what it colours.

Names and reasons come from outside: Jinja escapes them, and the page's Content-Security-Policy lets nothing but
the style sheet and the script of this package in, by their hashes.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from pytest_benchdb import __version__
from pytest_benchdb.errors import MissingExtraError
from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.present.columns import (
    Column,
    default_columns,
    default_grouping,
    figure_of,
    group_value,
    has_figures,
)
from pytest_benchdb.present.document import Report, SessionReport
from pytest_benchdb.present.session_header import Fact, facts_of, warnings_of
from pytest_benchdb.present.table import (
    figure_text,
    marks_of,
    message_of,
    names_of,
    outcome_style,
    title_of,
    unit_symbol,
    units_for,
)
from pytest_benchdb.present.text import sanitize
from pytest_benchdb.present.units import NOT_MEASURED, FigureKind, Unit, align_points

_FIGURE_SPACE = "\N{FIGURE SPACE}"
_POINT_SPACE = "\N{PUNCTUATION SPACE}"
_TITLES = {"spread": "IQR %"}
_MEANINGS = {
    "median": "median of the rounds",
    "spread": "interquartile range of the rounds in percent of the median",
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
    "cpu": "CPU time of the process in percent of the wall-clock time",
    "cpu_time": "CPU time of the process for one call",
    "memory": "peak resident set of the process within the timed block",
    "rounds": "timed blocks, times the calls in each where there is more than one",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a row.

    Attributes:
        label: the head of its column, which narrow screens show beside it.
        value: what to sort by: the figure in SI units; empty where there is none.
        span: columns that it takes.
    """

    label: str
    text: str
    kind: str
    value: str = ""
    span: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One run: its name, what must be said beside it, and its cells.

    Attributes:
        message: what stands in place of figures; None for a run whose figures hold.
        style: how the message is coloured.
    """

    name: str
    fullname: str
    marks: str
    cells: tuple[Cell, ...]
    message: str | None
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One session as the template shows it."""

    title: str
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]
    columns: tuple[Column, ...]
    labels: tuple[str, ...]
    groups: tuple[tuple[str | None, tuple[Line, ...]], ...]
    meanings: tuple[tuple[str, str], ...]

    @property
    def runs(self) -> int:
        """How many runs are shown."""
        return sum(len(lines) for _, lines in self.groups)


def require_jinja() -> None:
    """Refuse to go on without Jinja.

    Raises:
        MissingExtraError: it is not installed.
    """
    from importlib.util import find_spec

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

    css, script = _asset("report.css"), _asset("report.js")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    parts = [_part(shown, report, columns, group_by, units) for shown in report.sessions]
    return environment.from_string(_asset("report.html.jinja")).render(
        title=", ".join(dict.fromkeys(part.title for part in parts)) or "Benchmarks",
        parts=parts,
        version=__version__,
        # Trusted: files of this package. Everything else is escaped.
        css=Markup(css),  # noqa: S704
        css_hash=_hash(css),
        script=Markup(script),  # noqa: S704
        script_hash=_hash(script),
    )


def _asset(name: str) -> str:
    return resources.files("pytest_benchdb.present").joinpath("assets", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the source expression by which Content-Security-Policy (level 2, section 4.2.4) allows a text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _part(
    shown: SessionReport,
    report: Report,
    columns: Sequence[Column] | None,
    group_by: str | None,
    units: Mapping[FigureKind, Unit],
) -> Part:
    chosen = tuple(columns) if columns is not None else default_columns(shown.rows)
    key = default_grouping(shown.rows) if group_by is None else None if group_by == "none" else group_by
    scale = units_for(shown.rows, chosen, units, ascii_only=False)
    labels = tuple(_label(column, scale) for column in chosen)
    texts = [_texts(shown.rows, column, scale) for column in chosen]
    groups: dict[str | None, list[Line]] = {}
    for index, (row, name) in enumerate(zip(shown.rows, names_of(shown.rows, key), strict=True)):
        cells = [column[index] for column in texts]
        groups.setdefault(group_value(row, key) if key else None, []).append(_line(row, name, chosen, labels, cells))
    return Part(
        title=sanitize(f"Benchmarks of {shown.session.project}"),
        facts=tuple((label, sanitize(text)) for label, text in facts_of(shown, report)),
        warnings=tuple(map(sanitize, warnings_of(shown))),
        columns=chosen,
        labels=labels,
        groups=tuple((title_of(key, value) if key else None, tuple(lines)) for value, lines in groups.items()),
        meanings=tuple((_TITLES.get(c.key, c.title), _MEANINGS[c.key]) for c in chosen if c.key in _MEANINGS),
    )


def _label(column: Column, units: Mapping[FigureKind, Unit]) -> str:
    symbol = unit_symbol(column, units)
    return f"{column.title} ({symbol})" if symbol else column.title


def _texts(rows: Sequence[ReportRow], column: Column, units: Mapping[FigureKind, Unit]) -> list[str]:
    """Write a column; figures are filled up so that their points stand below each other."""
    texts = [
        sanitize(figure_text(row, column, units)) if column.kind == "text" or has_figures(row) else "" for row in rows
    ]
    if column.kind in {"text", "rounds", "count"}:
        return texts
    return [_filled(text) for text in align_points(texts)]


def _filled(text: str) -> str:
    figure = text.rstrip(" ")
    spaces = len(text) - len(figure)
    if not figure or not spaces:
        return figure
    point = "" if "." in figure else _POINT_SPACE
    return figure + point + _FIGURE_SPACE * (spaces - len(point))


def _line(row: ReportRow, name: str, columns: Sequence[Column], labels: Sequence[str], texts: Sequence[str]) -> Line:
    message = message_of(row)
    cells: list[Cell] = []
    left = message
    for column, label, text in zip(columns, labels, texts, strict=True):
        if message is None or column.kind == "text":
            value = figure_of(row, column.key)
            cells.append(
                Cell(
                    label=label,
                    text=text or NOT_MEASURED,
                    kind="name" if column.key == "benchmark" else "text" if column.kind == "text" else "figure",
                    value="" if value is None else repr(value) if not isinstance(value, str) else sanitize(value),
                )
            )
        elif cells and cells[-1].kind == "message":
            last = cells.pop()
            cells.append(Cell(label=last.label, text=last.text, kind="message", span=last.span + 1))
        else:
            cells.append(Cell(label="", text=left or "", kind="message"))
            left = ""
    return Line(
        name=sanitize(name),
        fullname=sanitize(row.fullname),
        marks=marks_of(row).strip(),
        cells=tuple(Cell_ if Cell_.kind != "message" else Cell_ for Cell_ in cells),
        message=None if message is None else sanitize(message),
        style=(outcome_style(row.outcome) if row.outcome != "passed" else "warn") or "dim",
    )
