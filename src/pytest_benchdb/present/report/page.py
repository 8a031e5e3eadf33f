"""A report as one HTML file: a table of all runs that opens into their histories and distributions.

It loads nothing, runs only its own script, says all it has to say without one, and never uses colour alone to convey
meaning.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from pytest_benchdb.model.answer.picture import NO_PICTURES, ReportPictures
from pytest_benchdb.model.report import Report, ReportRow, Row, SessionReport
from pytest_benchdb.model.verdict import VERDICT_STYLES, VERDICTS
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.html.shell import pack, render_page, template_macro
from pytest_benchdb.present.report.columns import USUAL_OPTIONS, RenderOptions
from pytest_benchdb.present.report.page_data import DETAIL_SCRIPTS, DrawnRun, page_data
from pytest_benchdb.present.report.page_plain import plain_details
from pytest_benchdb.present.report.page_rows import WORDS, PageRow, page_rows
from pytest_benchdb.present.report.session import facts_of, warnings_of
from pytest_benchdb.present.report.table import RunTable, run_table
from pytest_benchdb.present.writing.grid import Style, outcome_style
from pytest_benchdb.present.writing.links import commit_url, web_url
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.values import value_text

_SCRIPTS = (*DETAIL_SCRIPTS, "table.js", "report.js")

MOST_ROWS = 500
"""Rows up to which all are in the page's table; a browser takes seconds to lay out thousands of them."""

_FIRST_ROWS = 200
_ROWS_PER_PACK = 64

Groups = list[tuple[str | None, list[PageRow]]]
"""Rows by the title of their group."""

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

_LONGEST_KEY = 300
_CHANGES: dict[str, tuple[str, str, Style]] = {
    "worse": (WORDS["worse"][0], "changed for the worse", "bad"),
    "better": (WORDS["better"][0], "changed for the better", "good"),
    "neither": (WORDS["neither"][0], "changed", ""),
}
_VERDICT_TAGS = tuple(verdict for verdict in VERDICTS if verdict != "error")
"""An error is an outcome as well, and is counted as that."""

_ENVIRONMENT = (
    *("os", "kernel", "cpu_model", "cores", "threads", "ram_bytes", "virtualization", "python", "packages", "details"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the rows of the table have in common.

    Attributes:
        columns: alignment and title of each.
        has_strips: whether there is a column for the spread of the rounds.
        has_lines: whether there are columns for histories.
        baseline: what the runs are compared with; None if they are not.
    """

    columns: tuple[tuple[str, str], ...]
    has_strips: bool
    has_lines: bool
    baseline: str | None

    words: ClassVar = WORDS

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.columns) + self.has_strips + 2 * self.has_lines + (self.baseline is not None)


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
    runs = [row for shown in report.sessions for row in shown.rows]
    table = run_table(runs, options)
    rows = page_rows(table, _keys(runs), pictures)
    drawn = [
        DrawnRun(run=run, row=row, picture=pictures.of(run.run_id)) for run, row in zip(table.rows, rows, strict=True)
    ]
    groups = table.groups(drawn)
    data = page_data(report, groups, pictures)
    sessions = [_page_session(shown, report, pictures) for shown in report.sessions]
    look = _look(table, rows, pictures)
    now, later = _split([(title, [one.row for one in members]) for title, members in groups])
    if later:
        data |= {"rows": _packed_rows(later, look), "rows_per_pack": _ROWS_PER_PACK}
    return render_page(
        "report.html.jinja",
        scripts=_SCRIPTS,
        data=data,
        title=", ".join(dict.fromkeys(session.title for session in sessions)) or "Benchmarks",
        sessions=sessions,
        counts=_counts(rows, pictures),
        look=look,
        groups=now,
        later=later,
        plain=plain_details([one for _, members in groups for one in members], pictures),
        runs=counted(len(rows), "run"),
        total=len(rows),
        history=counted(len(pictures.sessions), "session"),
        order_reason=pictures.order_reason,
        doubts=[sanitize(text) for text in pictures.doubts],
        meanings=[(column.title, _MEANINGS[column.key]) for column in table.columns if column.key in _MEANINGS],
    )


def _look(table: RunTable, rows: Sequence[PageRow], pictures: ReportPictures) -> Look:
    return Look(
        columns=tuple(zip((column.align for column in table.columns), table.labels(), strict=True)),
        has_strips=any(row.strip for row in rows),
        has_lines=any(row.line for row in rows),
        baseline=None if pictures.baseline is None else sanitize(pictures.baseline),
    )


def _split(groups: Groups) -> tuple[Groups, Groups]:
    """Return the rows that are in the table from the start, and those that its script adds when they are wanted."""
    count = sum(len(rows) for _, rows in groups)
    left = count if count <= MOST_ROWS else _FIRST_ROWS
    now, later = [], []
    for title, rows in groups:
        if rows[:left]:
            now.append((title, rows[:left]))
        if rows[left:]:
            later.append((title, rows[left:]))
        left = max(0, left - len(rows))
    return now, later


def _packed_rows(groups: Groups, look: Look) -> list[str]:
    """Return the markup of rows, packed."""
    run_row = template_macro("report-row.html.jinja", "run_row")
    rows = [str(run_row(row, look)) for _, members in groups for row in members]
    return [pack(rows[start : start + _ROWS_PER_PACK]) for start in range(0, len(rows), _ROWS_PER_PACK)]


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
        if tag not in _CHANGES and tag not in _VERDICT_TAGS
    ]
    counts.sort(key=lambda count: count.tag != "passed")
    if pictures.sessions:
        counts += [
            Count(tag=tag, text=f"{sign} {tags[tag]} {text}", style=style)
            for tag, (sign, text, style) in _CHANGES.items()
            if tags[tag]
        ]
    if pictures.baseline is not None:
        against = f"against {sanitize(pictures.baseline)}"
        counts += [
            Count(tag=verdict, text=f"{tags[verdict]} {verdict} {against}", style=VERDICT_STYLES[verdict])
            for verdict in _VERDICT_TAGS
            if tags[verdict]
        ]
    return counts
