"""Small charts for the rows of tables, drawn without a script: the strip of a run's rounds, the line of a history.

They are paths in pixels, which a template puts into an SVG element; colours come from the style sheet.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

STRIP_WIDTH, STRIP_HEIGHT = 120, 20
LINE_WIDTH, LINE_HEIGHT = 150, 30
_MARGIN = 4.0
_MOST_POINTS = 75
"""Points of a line, which is then two pixels a point; with more sessions, several share one."""

_FAR = 3.0
"""Interquartile ranges beyond the third quartile at which a strip ends; the slowest rounds would squeeze the rest."""

Direction = Literal["worse", "better", "neither"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The rounds of a run on a line from the fastest: a box from quartile to quartile, and a tick for each round.

    Attributes:
        ticks: path of the rounds; empty if only their statistics are known.
        whisker: path from the fastest round to the slowest that fits.
        left: left side of the box.
        width: width of the box.
        middle: place of the median.
        beyond: whether there are rounds beyond the right end.
    """

    ticks: str
    whisker: str
    left: float
    width: float
    middle: float
    beyond: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A change of level: where the first session of the new level is."""

    x: float
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """The values of a history, its levels, and where they change.

    Attributes:
        line: path of the values, with gaps where there is none.
        levels: path of the levels.
        marks: the earliest first.
        last_x: place of the newest value.
        last_y: its height.
    """

    line: str
    levels: str
    marks: tuple[Mark, ...]
    last_x: float
    last_y: float


def strip_of(quartiles: tuple[float, float, float, float, float], rounds: Sequence[float] = ()) -> Strip | None:
    """Return the strip of a run; None if its figures are not finite.

    Args:
        quartiles: smallest, first quartile, median, third quartile, largest.
        rounds: in any order and number.
    """
    low, q1, middle, q3, high = quartiles
    if not all(map(math.isfinite, quartiles)):
        return None
    end = min(high, q3 + _FAR * (q3 - q1)) if q3 > q1 else high
    span = (end - low) or abs(low) or 1.0
    usable = STRIP_WIDTH - 2 * _MARGIN

    def place(value: float) -> float:
        share = (value - low) / span if end > low else 0.5
        return round(_MARGIN + min(max(share, 0.0), 1.0) * usable, 1)

    center = STRIP_HEIGHT / 2
    inside = sorted({place(value) for value in rounds if math.isfinite(value) and value <= end})
    return Strip(
        ticks="".join(f"M{_text(x)} 3v{STRIP_HEIGHT - 6}" for x in inside),
        whisker=f"M{_text(place(low))} {_text(center)}H{_text(place(end))}",
        left=place(q1),
        width=round(max(place(q3) - place(q1), 1.0), 1),
        middle=place(middle),
        beyond=high > end,
    )


def history_line(
    values: Sequence[float | None],
    levels: Sequence[tuple[int, float]],
    marks: Sequence[tuple[int, Direction]],
    *,
    most: int = _MOST_POINTS,
) -> HistoryLine | None:
    """Return the line of a history; None with fewer than two finite values.

    Args:
        values: one per session, in order.
        levels: index of the first session of each level, and the level.
        marks: index of the first session after each change, and whether it is for the worse.
        most: number of points, at most.
    """
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if len(finite) < 2:  # noqa: PLR2004 - one point gives nothing to draw
        return None
    low, high = min(finite), max(finite)
    usable_x, usable_y = LINE_WIDTH - 2 * _MARGIN, LINE_HEIGHT - 2 * _MARGIN

    def x_of(index: float) -> float:
        return round(_MARGIN + index / (len(values) - 1) * usable_x, 1)

    def y_of(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(_MARGIN + (1 - share) * usable_y, 1)

    points = _thinned(values, most)
    starts = [start for start, _ in levels]
    ends = [*starts[1:], len(values) - 1]
    steps = [
        f"M{_text(x_of(start))} {_text(y_of(level))}H{_text(x_of(end))}"
        for (start, level), end in zip(levels, ends, strict=True)
        if math.isfinite(level)
    ]
    last_index, last = next((index, value) for index, value in reversed(points) if value is not None)
    return HistoryLine(
        line=_path([None if value is None else (x_of(index), y_of(value)) for index, value in points]),
        levels="".join(steps),
        marks=tuple(Mark(x=x_of(index), direction=direction) for index, direction in marks),
        last_x=x_of(last_index),
        last_y=y_of(last),
    )


def _thinned(values: Sequence[float | None], most: int) -> list[tuple[float, float | None]]:
    """Return index and value of each point: medians of stretches of equal length if there are too many values."""
    finite = [value if value is not None and math.isfinite(value) else None for value in values]
    if len(finite) <= most:
        return [(float(index), value) for index, value in enumerate(finite)]
    borders = [round(place * len(finite) / most) for place in range(most + 1)]
    points: list[tuple[float, float | None]] = []
    for start, stop in pairwise(borders):
        measured = [value for value in finite[start:stop] if value is not None]
        points.append(((start + stop - 1) / 2, median(measured) if measured else None))
    return points


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """Return a path through points; None is a gap."""
    parts: list[str] = []
    is_drawing = False
    for point in points:
        if point is not None:
            x, y = map(_text, point)
            # A point between two gaps is a dot: a line of no length with a round end.
            parts.append(f"L{x} {y}" if is_drawing else f"M{x} {y}h0")
        is_drawing = point is not None
    return "".join(parts)


def _text(number: float) -> str:
    return f"{number:g}"
