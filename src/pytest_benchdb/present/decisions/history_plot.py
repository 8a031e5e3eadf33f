"""The history of a benchmark as a chart: sessions, levels with their bands, changes of level, anomalies, marks."""

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pytest_benchdb.analysis.series.trend import level_bands
from pytest_benchdb.model.answer.trend import LevelBand, LevelChange, SessionMark, Trend, TrendPoint
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.decisions.parts import LONGEST_NAME, LONGEST_UNIT, SHORT_COMMIT, text_of
from pytest_benchdb.present.history.trend import commits_text, state_of, sure_text
from pytest_benchdb.present.html.plot import (
    Path,
    Plot,
    Symbol,
    Text,
    at_percent,
    dots_path,
    grid_of,
    line_path,
    text_below,
)
from pytest_benchdb.present.html.scale import ACROSS, Scale, fit_scale
from pytest_benchdb.present.html.svg import Direction
from pytest_benchdb.present.writing.links import commit_url
from pytest_benchdb.present.writing.times import local_minute
from pytest_benchdb.present.writing.units import Unit, one_quantity, quantity, unit_for

HEIGHT = 190
_TOP, _LEAST_TOP = 26, 8
_MOST_MARKED = 100
_MARGIN = 14.0
_MOST_DATES = 4
_MOST_WRITTEN = 4
"""Changes of level whose size is written into the chart; of more, only their letters fit."""
_LEAST_POINTS = 2
NO_MARK = SessionMark()
WORDS: Mapping[Direction, tuple[str, str]] = {
    "worse": ("\N{BLACK UP-POINTING TRIANGLE}", "worse"),
    "better": ("\N{BLACK DOWN-POINTING TRIANGLE}", "better"),
    "neither": ("\N{BLACK DIAMOND}", "changed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A change of level in words.

    Attributes:
        letter: what the chart calls it.
        value: the change as a share; None from a level of 0.
        url: page of the commit; None if it is not known.
        accepted: why it was accepted; empty if it was not.
    """

    letter: str
    direction: Direction
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
class PointRow:
    """A session of the chart in words: the chart's data as a table."""

    started: str
    commit: str
    value: float | None
    text: str
    level: float | None
    level_text: str
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A chart with all that is in it."""

    plot: Plot
    changes: Sequence[ChangeRow]
    points: Sequence[PointRow]


def history_of(trend: Trend, marks: Mapping[str, SessionMark], title: str) -> History | None:
    """Return the chart of a series; None with fewer than two values.

    Args:
        trend: the series.
        marks: what people said about sessions, by id.
        title: what the chart is called.
    """
    trend = replace(trend, unit=text_of(trend.unit, LONGEST_UNIT))
    values = [point.value for point in trend.points]
    if sum(value is not None for value in values) < _LEAST_POINTS:
        return None
    bands = level_bands(trend)
    scale = fit_scale([*values, *(end for band in bands for end in (band.low, band.high))])
    if scale is None:
        return None
    unit = unit_for(trend.unit, values)
    letters = _letters(len(trend.changes))
    changes = [_change_row(change, trend, marks, letter) for change, letter in zip(trend.changes, letters, strict=True)]
    drawing = _Drawing(trend=trend, bands=bands, scale=scale, unit=unit, marks=marks)
    return History(
        plot=drawing.plot(title, changes),
        changes=changes,
        points=[_point_row(point, place, trend, unit, marks) for place, point in enumerate(trend.points)],
    )


def direction_of(change: LevelChange) -> Direction:
    """Return whether a change is for the worse."""
    return "neither" if change.worse is None else "worse" if change.worse else "better"


def mark_text(mark: SessionMark) -> str:
    """Return what people said about a session."""
    parts = [f"baseline {name}" for name in mark.baselines]
    parts += [f"label {mark.label}"] if mark.label else []
    parts += [f"note: {note}" for note in mark.notes]
    return "; ".join(text_of(part) for part in parts)


def marked_sessions(histories: Iterable[Trend], marks: Mapping[str, SessionMark]) -> list[tuple[str, str]]:
    """Return when the sessions that people said something about were, and what; each once, oldest first."""
    times = {point.session_id: point.started_at for trend in histories for point in trend.points}
    said = sorted(
        (times[session_id], text)
        for session_id, mark in marks.items()
        if session_id in times and (text := mark_text(mark))
    )
    return [(local_minute(started), text) for started, text in said[-_MOST_MARKED:]]


def _letters(count: int) -> list[str]:
    """Return as many names: A, B, ..., Z, AA, AB, ..."""
    alphabet = string.ascii_uppercase
    names = [*alphabet, *(first + second for first in alphabet for second in alphabet)]
    return [names[place] if place < len(names) else str(place + 1) for place in range(count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawing:
    """A series on its scales: what the parts of the chart are drawn from."""

    trend: Trend
    bands: Sequence[LevelBand]
    scale: Scale
    unit: Unit
    marks: Mapping[str, SessionMark]

    def plot(self, title: str, changes: Sequence[ChangeRow]) -> Plot:
        """Return the chart."""
        cuts = [self._x(change.point.index - 0.5) for change in self.trend.changes]
        lines = (Path(f"mark {row.direction}", f"M{cut:g} 0V{HEIGHT}") for cut, row in zip(cuts, changes, strict=True))
        paths = [*(Path("band", path) for path in self._bands()), *lines, *self._values()]
        return Plot(
            title=title,
            desc=_desc(self.trend, changes),
            height=HEIGHT,
            top=_TOP if changes else _LEAST_TOP,
            grid=grid_of(self.scale, self.unit, HEIGHT),
            x_ticks=self._dates(),
            paths=[path for path in paths if path.d],
            symbols=list(self._symbols()),
            texts=[
                Text(
                    at_percent(cut),
                    -8,
                    f"{row.letter} {row.text}" if len(changes) <= _MOST_WRITTEN else row.letter,
                    style=row.direction,
                )
                for cut, row in zip(cuts, changes, strict=True)
            ],
        )

    def _x(self, index: float) -> float:
        count = len(self.trend.points)
        return round(_MARGIN + index / (count - 1) * (ACROSS - 2 * _MARGIN), 1)

    def _y(self, value: float) -> float:
        return self.scale.y(value, HEIGHT)

    def _values(self) -> Iterator[Path]:
        points = enumerate(self.trend.points)
        places = [None if point.value is None else (self._x(at), self._y(point.value)) for at, point in points]
        odd = {anomaly.index for anomaly in self.trend.anomalies}
        yield Path("values", line_path(places))
        yield Path("levels", self._levels())
        yield Path("dots", dots_path([place for at, place in enumerate(places) if place is not None and at not in odd]))

    def _symbols(self) -> Iterator[Symbol]:
        for anomaly in self.trend.anomalies:
            about = f"stands out: {quantity(anomaly.value, self.unit)}"
            yield Symbol("odd", "circle", at_percent(self._x(anomaly.index)), self._y(anomaly.value), about)
        for at, point in enumerate(self.trend.points):
            x = at_percent(self._x(at))
            if point.value is None:
                about = text_of(f"no figure: {point.reason or 'not measured'}")
                yield Symbol("gap", "cross", x, HEIGHT - 6, about)
            mark = self.marks.get(point.session_id, NO_MARK)
            if text := mark_text(mark):
                yield Symbol("said", "up" if mark.baselines else "diamond", x, HEIGHT - 1, text)

    def _bands(self) -> Iterator[str]:
        for band, (left, right) in zip(self.bands, self._spans(), strict=True):
            if band.low is not None and band.high is not None:
                top, bottom = self._y(band.high), self._y(band.low)
                yield f"M{left:g} {top:g}H{right:g}V{max(bottom, top + 1):g}H{left:g}z"

    def _levels(self) -> str:
        return "".join(
            f"M{left:g} {self._y(band.level):g}H{right:g}"
            for band, (left, right) in zip(self.bands, self._spans(), strict=True)
        )

    def _spans(self) -> list[tuple[float, float]]:
        """Return where each level begins and ends."""
        starts = [0, *(change.point.index for change in self.trend.changes)]
        borders = [0.0, *(self._x(start - 0.5) for start in starts[1:]), float(ACROSS)]
        spans = dict(zip(starts, pairwise(borders), strict=True))
        return [spans[band.start] for band in self.bands]

    def _dates(self) -> list[Text]:
        points = self.trend.points
        last = len(points) - 1
        places = sorted({round(last * step / (_MOST_DATES - 1)) for step in range(_MOST_DATES)})
        # Those within would touch the outer ones on a telephone, which does not show them.
        return [
            text_below(
                at_percent(self._x(place)),
                0,
                local_minute(points[place].started_at),
                "" if place in {0, last} else "inner",
            )
            for place in places
        ]


def _desc(trend: Trend, changes: Sequence[ChangeRow]) -> str:
    first, last = trend.points[0], trend.points[-1]
    parts = [
        f"{counted(trend.measured, 'session')}, {local_minute(first.started_at)} to {local_minute(last.started_at)}",
        f"level now {one_quantity(trend.level, trend.unit)}, {state_of(trend)}",
    ]
    parts += [f"{row.letter}: {row.text} {WORDS[row.direction][1]} at {row.first_seen}" for row in changes]
    return "; ".join(parts) + "."


def _change_row(change: LevelChange, trend: Trend, marks: Mapping[str, SessionMark], letter: str) -> ChangeRow:
    mark = marks.get(change.first.session_id, NO_MARK)
    return ChangeRow(
        letter=letter,
        direction=direction_of(change),
        text=percent_text(change.point.change),
        value=change.point.change,
        before=one_quantity(change.point.before, trend.unit),
        after=one_quantity(change.point.after, trend.unit),
        first_seen=local_minute(change.first.started_at),
        commits=text_of(commits_text(change)),
        subject=text_of(mark.subject, LONGEST_NAME),
        url=commit_url(mark.remote_url, change.first.commit),
        sure=text_of(sure_text(change)),
        accepted=text_of(change.accepted),
    )


def _point_row(point: TrendPoint, place: int, trend: Trend, unit: Unit, marks: Mapping[str, SessionMark]) -> PointRow:
    remarks = [
        point.reason,
        "stands out" if any(anomaly.index == place for anomaly in trend.anomalies) else None,
        mark_text(marks.get(point.session_id, NO_MARK)),
    ]
    return PointRow(
        started=local_minute(point.started_at),
        commit=text_of((point.commit or "-")[:SHORT_COMMIT]),
        value=point.value,
        text=quantity(point.value, unit),
        level=point.level,
        level_text=quantity(point.level, unit),
        remark=text_of("; ".join(remark for remark in remarks if remark)),
    )
