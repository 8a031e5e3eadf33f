"""The rows of a site: what its tables, its feed and its badge show of each history.

A site keeps them as plain values, so that a benchmark that has not changed need not be read again.
"""

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from pytest_benchdb.model.answer.picture import BenchmarkHistory, Course, SiteContent
from pytest_benchdb.model.answer.trend import LevelChange, Trend
from pytest_benchdb.model.report import ReportRow, SessionRow
from pytest_benchdb.present.history.trend import commits_text, state_of, sure_text
from pytest_benchdb.present.html.svg import Direction, HistoryLine, Mark, history_line
from pytest_benchdb.present.report.table import message_of
from pytest_benchdb.present.writing.text import sanitize

_IDS = uuid.UUID("5a0c36b5-5d83-5ff2-9a3a-1d4b8a1f6f0e")
"""Namespace of the ids of changes."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._]+")
_LONGEST_SLUG = 60
_MOST_POINTS = 48
"""Points of a line: three pixels for each, so that the page of 300 benchmarks stays below 500 kB."""

_SAME_CHANGE = 3
"""Sessions by which a change may move when further sessions show better where it is."""

_DIRECTIONS: dict[str, Direction] = {"worse": "worse", "better": "better", "neither": "neither"}

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteChange:
    """A change of level.

    Attributes:
        change_id: stays the same when further sessions show better where the change is.
        session_id: the first session of the new level.
        at: when that was.
        share: size of the change; None where the level before is not above 0.
        before: level before, in the unit of the history.
        after: level after.
        worse: whether it is for the worse; None for a metric without a direction.
        commits: the commits between which it happened.
        accepted: why it was accepted; None if it was not.
    """

    change_id: str
    session_id: str
    commit: str | None
    at: str
    share: float | None
    before: float
    after: float
    worse: bool | None
    commits: str
    sure: str
    accepted: str | None

    @property
    def direction(self) -> Direction:
        """Whether it is for the worse."""
        return "neither" if self.worse is None else "worse" if self.worse else "better"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A history of a benchmark, or its newest run if it has none.

    Attributes:
        page: name of the benchmark's page, without folder and ending.
        machine: fingerprint of the machine; None if it is not known.
        unit: of all figures.
        value: median of the newest run; None unless it passed and was measured, see `message`.
        message: what replaces it: the outcome and its reason.
        session_id: session of the newest run.
        level: median since the last change.
        noise: standard deviation of the logarithms since then.
        sessions_needed: number of further sessions before changes are looked for.
    """

    fullname: str
    page: str
    machine: str | None
    device: str | None
    metric: str | None
    phase: str | None
    unit: str
    value: float | None
    message: str | None
    outcome: str | None
    session_id: str | None
    at: str | None
    sessions: int
    level: float | None
    noise: float | None
    state: str
    sessions_needed: int
    line: HistoryLine | None
    changes: tuple[SiteChange, ...]

    @property
    def last_change(self) -> SiteChange | None:
        """The newest change of level."""
        return self.changes[-1] if self.changes else None

    @property
    def is_worse(self) -> bool:
        """Whether its last change is for the worse and was not accepted."""
        last = self.last_change
        return last is not None and last.worse is True and last.accepted is None

    @property
    def is_followed(self) -> bool:
        """Whether it has enough sessions to tell a change."""
        return self.line is not None and not self.sessions_needed


def page_name(fullname: str) -> str:
    """Return the name of a benchmark's page: safe on every file system, and the same for ever.

    >>> page_name("tests/test_a.py::test_sort[10-<b>]")
    'test_a.py-test_sort-10-b-63c28d414a25'
    """
    digest = hashlib.blake2b(fullname.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    file, _, rest = fullname.partition("::")
    slug = _UNSAFE.sub("-", f"{file.rpartition('/')[2]}-{rest}").strip("-._")[:_LONGEST_SLUG].strip("-._")
    return f"{slug}-{digest}" if slug else digest


def rows_of(history: BenchmarkHistory, content: SiteContent, before: Iterable[SiteRow] = ()) -> tuple[SiteRow, ...]:
    """Return the rows of a benchmark: its histories, and runs that belong to none.

    Args:
        history: the benchmark.
        content: the site's sessions.
        before: its rows as the site has them, whose changes keep their ids.
    """
    machines = {row.session_id: row for row in content.sessions}
    known = {_series(row.fullname, row.machine, row.device, row.metric, row.phase): row for row in before}
    left = list(history.runs)
    rows = []
    for course in history.courses:
        run = _newest(course.trend, history.runs, machines)
        if run is not None and run in left:
            left.remove(run)
        rows.append(_row(history.fullname, course, run, machines, known))
    rows += [_lone_row(history.fullname, run, machines) for run in left]
    return tuple(rows)


def _newest(trend: Trend, runs: Iterable[ReportRow], sessions: Mapping[str, SessionRow]) -> ReportRow | None:
    """Return the newest run that belongs to a history; one that failed belongs to all of its machine and device."""
    for run in runs:
        same = sessions[run.session_id].fingerprint == trend.fingerprint and run.device == trend.key.device
        if same and (not run.has_figures or (run.main_metric, run.main_phase) == (trend.key.metric, trend.key.phase)):
            return run
    return None


def _row(
    fullname: str,
    course: Course,
    run: ReportRow | None,
    sessions: Mapping[str, SessionRow],
    known: Mapping[str, SiteRow],
) -> SiteRow:
    trend = course.trend
    series = _series(fullname, trend.fingerprint, trend.key.device, trend.key.metric, trend.key.phase)
    earlier = known[series].changes if series in known else ()
    last = run.session_id if run is not None else trend.points[-1].session_id
    has_value = run is not None and run.has_figures
    places = {point.session_id: place for place, point in enumerate(trend.points)}
    return SiteRow(
        fullname=sanitize(fullname),
        page=page_name(fullname),
        machine=trend.fingerprint,
        device=trend.key.device and sanitize(trend.key.device),
        metric=sanitize(trend.key.metric),
        phase=trend.key.phase and sanitize(trend.key.phase),
        unit=trend.unit,
        value=run.median_s if run is not None and has_value else None,
        message=None if run is None or has_value else sanitize(message_of(run) or "not measured"),
        outcome=None if run is None else run.outcome,
        session_id=last,
        at=sessions[last].placed_at,
        sessions=trend.measured,
        level=trend.level,
        noise=trend.deviation,
        state=state_of(trend),
        sessions_needed=trend.sessions_needed,
        line=_line(course),
        changes=tuple(_change(change, series, sessions, places, earlier) for change in trend.changes),
    )


def _lone_row(fullname: str, run: ReportRow, sessions: Mapping[str, SessionRow]) -> SiteRow:
    message = message_of(run)
    session = sessions[run.session_id]
    return SiteRow(
        fullname=sanitize(fullname),
        page=page_name(fullname),
        machine=session.fingerprint,
        device=run.device and sanitize(run.device),
        metric=run.main_metric and sanitize(run.main_metric),
        phase=run.main_phase and sanitize(run.main_phase),
        unit="s",
        value=run.median_s if run.has_figures else None,
        message=None if message is None else sanitize(message),
        outcome=run.outcome,
        session_id=run.session_id,
        at=session.placed_at,
        sessions=0,
        level=None,
        noise=None,
        state="",
        sessions_needed=0,
        line=None,
        changes=(),
    )


def _line(course: Course) -> HistoryLine | None:
    trend = course.trend
    return history_line(
        [point.value for point in trend.points],
        [(band.start, band.level) for band in course.bands],
        [(change.point.index, _direction(change)) for change in trend.changes],
        most=_MOST_POINTS,
    )


def _direction(change: LevelChange) -> Direction:
    return "neither" if change.worse is None else "worse" if change.worse else "better"


def _change(
    change: LevelChange,
    series: str,
    sessions: Mapping[str, SessionRow],
    places: Mapping[str, int],
    earlier: Iterable[SiteChange],
) -> SiteChange:
    first = change.first
    near = [
        one
        for one in earlier
        if one.worse == change.worse
        and abs(places.get(one.session_id, -_SAME_CHANGE - 1) - change.point.index) <= _SAME_CHANGE
    ]
    same = min(near, key=lambda one: abs(places[one.session_id] - change.point.index), default=None)
    own_id = str(uuid.uuid5(_IDS, f"{series}\n{first.session_id}"))
    return SiteChange(
        change_id=own_id if same is None else same.change_id,
        session_id=first.session_id,
        commit=first.commit,
        at=sessions[first.session_id].placed_at if same is None else same.at,
        share=change.point.change,
        before=change.point.before,
        after=change.point.after,
        worse=change.worse,
        commits=sanitize(commits_text(change)),
        sure=sanitize(sure_text(change)),
        accepted=None if change.accepted is None else sanitize(change.accepted),
    )


def _series(*parts: str | None) -> str:
    return "\n".join(part or "" for part in parts)


def as_plain(rows: Iterable[SiteRow]) -> list[dict[str, Any]]:
    """Return rows as plain values, for the list that a site keeps."""
    return [asdict(row) for row in rows]


def from_plain(found: object) -> tuple[SiteRow, ...] | None:
    """Return rows from plain values; None if these are not as `as_plain` returns them."""
    if not isinstance(found, list):
        return None
    try:
        return tuple(_row_from(entry) for entry in found)
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def _row_from(entry: dict[str, Any]) -> SiteRow:
    line = entry["line"]
    changes = tuple(_checked(SiteChange, change) for change in entry["changes"])
    return _checked(SiteRow, {**entry, "line": None if line is None else _line_from(line), "changes": changes})


def _line_from(entry: dict[str, Any]) -> HistoryLine:
    marks = tuple(Mark(x=float(mark["x"]), direction=_DIRECTIONS[mark["direction"]]) for mark in entry["marks"])
    return HistoryLine(
        line=str(entry["line"]),
        levels=str(entry["levels"]),
        marks=marks,
        last_x=float(entry["last_x"]),
        last_y=float(entry["last_y"]),
    )


def _checked(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    """Return an instance whose fields have the types that it declares.

    Raises:
        TypeError: they have not.
    """
    made = kind(**values)
    for declared in fields(made):  # type: ignore[arg-type] # both kinds are dataclasses
        value = getattr(made, declared.name)
        expected = tuple if declared.name == "changes" else declared.type
        if not isinstance(value, expected) and not (isinstance(value, int) and isinstance(0.5, expected)):  # type: ignore[arg-type]
            message = f"{declared.name} is {value!r}"
            raise TypeError(message)
    return made
