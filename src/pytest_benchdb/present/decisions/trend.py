"""Trends as a page: a table of all series, their changes of level, and a chart of each history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.answer.trend import Trend, Trends
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.decisions.history_plot import (
    NO_MARK,
    WORDS,
    History,
    direction_of,
    history_of,
    mark_text,
    marked_sessions,
)
from pytest_benchdb.present.decisions.parts import (
    LONGEST_NAME,
    MOST_ROWS,
    Cell,
    Count,
    counts_of,
    decision_page,
    figure_cell,
    rest_of,
    text_of,
)
from pytest_benchdb.present.history.trend import (
    changes_of,
    commits_text,
    head_text,
    notes_of,
    series_name,
    state_of,
    sure_text,
)
from pytest_benchdb.present.html.svg import LINE_HEIGHT, LINE_WIDTH, HistoryLine, history_line
from pytest_benchdb.present.writing.grid import Style
from pytest_benchdb.present.writing.links import commit_url
from pytest_benchdb.present.writing.times import local_minute
from pytest_benchdb.present.writing.units import NOT_MEASURED, one_quantity

MOST_POINTS = 12_000
"""Sessions of all histories together that are drawn in full: what a browser shows at once."""

MOST_CHARTS = 80
_OPEN = 8
"""Histories that are open at first."""

_MOST_CHANGES = 200
_TAGS = {"worse": "changed for the worse", "better": "changed for the better", "neither": "changed"}
_STYLES: Mapping[str, Style] = {"worse": "bad", "better": "good", "neither": ""}
_UNMOVED = "no change of level"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRow:
    """A row of the table of series.

    Attributes:
        key: id of its chart; empty without one.
        line: its values in short; None with fewer than two.
    """

    key: str
    name: str
    fullname: str
    tags: Sequence[str]
    cells: Sequence[Cell]
    line: HistoryLine | None
    line_text: str
    last: Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOfSeries:
    """A change of level with its series; `key` is the id of the chart, empty without one."""

    key: str
    name: str
    direction: str
    text: str
    value: float | None
    before: str
    after: str
    first_seen: str
    commits: str
    subject: str
    url: str | None
    sure: str
    accepted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The chart of a series; `history` is None with fewer than two values."""

    key: str
    title: str
    about: str
    is_open: bool
    history: History | None


def trend_html(trends: Trends) -> str:
    """Return trends as a page.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    drawn = trends.series[:MOST_ROWS]
    keys = _charted(drawn)
    changes = changes_of(trends)
    return decision_page(
        "trend.html.jinja",
        title=text_of(head_text(trends)),
        facts=_facts(trends),
        notes=[text_of(note) for note in notes_of(trends)],
        counts=_counts(trends),
        has_metrics=len({trend.key.metric for trend in trends.series}) > 1,
        rows=[_row(trend, trends, keys) for trend in drawn],
        rest=rest_of(
            trends.series[MOST_ROWS:],
            lambda trend: (
                text_of(f"{series_name(trend, trends)} {trend.key.metric}", LONGEST_NAME),
                f"{one_quantity(trend.level, trend.unit)}, {state_of(trend)}",
            ),
            "series",
            "-f csv and -f json have them",
        ),
        changes=[_change(trend, number, trends, keys) for trend, number in _numbered(changes)[:_MOST_CHANGES]],
        changes_left=max(len(changes) - _MOST_CHANGES, 0),
        charts=[
            _chart(trend, trends, keys[id(trend)], is_open=place < _OPEN)
            for place, trend in enumerate(trend for trend in drawn if id(trend) in keys)
        ],
        order_reason=text_of(trends.order_reason) if trends.order_reason else None,
        marked=marked_sessions((trend for trend in drawn if id(trend) in keys), trends.marks),
        line_size=(LINE_WIDTH, LINE_HEIGHT),
        words=WORDS,
        nothing=_nothing(trends),
    )


def _facts(trends: Trends) -> list[tuple[str, str]]:
    facts = [("read", ", ".join(text_of(source) for source in trends.sources))]
    facts += [("selected", text_of(trends.selection))] if trends.selection else []
    machines = {trend.fingerprint for trend in trends.series}
    names = sorted(text_of(trends.machine_name(machine), LONGEST_NAME) for machine in machines)
    facts += [("machine" if len(names) == 1 else "machines", ", ".join(names[:20]))] if names else []
    return facts


def _nothing(trends: Trends) -> str:
    there = ", ".join(text_of(metric, LONGEST_NAME) for metric in trends.metrics[:40])
    return f"No series to show.{f' There are these metrics: {there}.' if there else ''}"


def _charted(series: Sequence[Trend]) -> dict[int, str]:
    """Return the ids of the charts, by identity of the series: the most urgent, as many as a page takes."""
    keys: dict[int, str] = {}
    points = 0
    for trend in series:
        points += len(trend.points)
        if len(keys) == MOST_CHARTS or (keys and points > MOST_POINTS):
            break
        keys[id(trend)] = f"series-{len(keys) + 1}"
    return keys


def _tag(trend: Trend) -> str:
    return _TAGS[direction_of(trend.changes[-1])] if trend.changes else _UNMOVED


def _counts(trends: Trends) -> list[Count]:
    styles = {_TAGS[direction]: style for direction, style in _STYLES.items()}
    order = (*_TAGS.values(), _UNMOVED)
    return counts_of(map(_tag, trends.series), lambda tag: styles.get(tag, ""), order)


def _row(trend: Trend, trends: Trends, keys: Mapping[int, str]) -> SeriesRow:
    latest = trend.changes[-1] if trend.changes else None
    direction = None if latest is None else direction_of(latest)
    marks = [(change.point.index, direction_of(change)) for change in trend.changes]
    starts = [0, *(change.point.index for change in trend.changes)]
    levels = [
        (start, level)
        for start in starts
        if (level := next((point.level for point in trend.points[start:] if point.level is not None), None)) is not None
    ]
    noise = NOT_MEASURED if trend.deviation is None else f"{trend.deviation * 100:.1f} %"
    state = state_of(trend)
    if direction is None or latest is None:
        change = figure_cell("last change", NOT_MEASURED, None)
    else:
        sign, word = WORDS[direction]
        change = figure_cell(
            "last change",
            f"{sign} {percent_text(latest.point.change)} {word}",
            latest.point.change,
            _STYLES[direction],
        )
    return SeriesRow(
        key=keys.get(id(trend), ""),
        name=text_of(series_name(trend, trends), LONGEST_NAME),
        fullname=text_of(trend.key.fullname),
        tags=[_tag(trend).replace(" ", "-")],
        cells=[
            Cell(label="metric", text=text_of(trend.key.metric, LONGEST_NAME)),
            figure_cell("sessions", str(trend.measured), trend.measured),
            figure_cell("level", text_of(one_quantity(trend.level, trend.unit)), trend.level),
            figure_cell("noise", noise, trend.deviation),
        ],
        line=history_line([point.value for point in trend.points], levels, marks),
        line_text=f"{counted(trend.measured, 'session')}, {state}",
        last=[change, Cell(label="state", text=text_of(state), style="" if state == "steady" else "warn")],
    )


def _numbered(changes: Sequence[tuple[Trend, object]]) -> list[tuple[Trend, int]]:
    """Return each change by its series and its number in it, in the same order."""
    return [(trend, next(at for at, own in enumerate(trend.changes) if own is change)) for trend, change in changes]


def _change(trend: Trend, number: int, trends: Trends, keys: Mapping[int, str]) -> ChangeOfSeries:
    change = trend.changes[number]
    mark = trends.marks.get(change.first.session_id, NO_MARK)
    direction = direction_of(change)
    said = mark_text(mark)
    return ChangeOfSeries(
        key=keys.get(id(trend), ""),
        name=text_of(f"{series_name(trend, trends)} {trend.key.metric}", LONGEST_NAME),
        direction=direction,
        text=percent_text(change.point.change),
        value=change.point.change,
        before=text_of(one_quantity(change.point.before, trend.unit)),
        after=text_of(one_quantity(change.point.after, trend.unit)),
        first_seen=local_minute(change.first.started_at),
        commits=text_of(commits_text(change)),
        subject=text_of("; ".join(part for part in (mark.subject, said) if part), LONGEST_NAME),
        url=commit_url(mark.remote_url, change.first.commit),
        sure=text_of(sure_text(change)),
        accepted=text_of(change.accepted),
    )


def _chart(trend: Trend, trends: Trends, key: str, *, is_open: bool) -> Chart:
    name = text_of(f"{series_name(trend, trends)} {trend.key.metric}", LONGEST_NAME)
    latest = f", {percent_text(trend.changes[-1].point.change)}" if trend.changes else ""
    return Chart(
        key=key,
        title=name,
        about=text_of(f"{one_quantity(trend.level, trend.unit)}, {state_of(trend)}{latest}"),
        is_open=is_open,
        history=history_of(trend, trends.marks, f"History of {name}"),
    )
