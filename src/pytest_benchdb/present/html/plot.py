"""A chart that a template draws without a script: paths, symbols and texts, already scaled and worded.

Heights are pixels. Across, paths are in thousandths of the width, which the page stretches, and symbols and texts are
in percent of it, so that a chart fits any window and its texts keep their size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.present.html.scale import Scale, tick_texts
from pytest_benchdb.present.writing.units import Unit

Anchor = Literal["start", "middle", "end"]

SYMBOLS = {
    "circle": "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
    "square": "M-4-4h8v8h-8z",
    "diamond": "M0-5.5L5.5 0L0 5.5L-5.5 0z",
    "up": "M0-5L5 4H-5z",
    "down": "M0 5L5-4H-5z",
    "cross": "M-4-4L4 4M4-4L-4 4",
    "plus": "M-5 0H5M0-5V5",
    "bar": "M-2-5.5h4v11h-4z",
}
"""Shapes of points, around the origin, by their name."""

_CHARACTER = 1.15
"""Half the width of a character in percent of a telephone's width."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path in thousandths of the width and pixels of the height."""

    style: str
    d: str


@dataclass(frozen=True, slots=True)
class Symbol:
    """A point; `text` is shown under the pointer."""

    style: str
    name: str
    x: float
    y: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text; `x` in percent of the width."""

    x: float
    y: float
    text: str
    anchor: Anchor = "middle"
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A chart.

    Attributes:
        title: what it shows, in a few words.
        desc: what there is to see in it, in sentences, for those who do not see it.
        height: of the area of the data; texts of the axis are below it.
        top: room above it.
        grid: horizontal lines, and what is written beside them.
        x_ticks: texts below the chart.
        x_title: what is across.
    """

    title: str
    desc: str
    height: int
    top: int = 8
    grid: Sequence[Text] = ()
    x_ticks: Sequence[Text] = ()
    x_title: str = ""
    paths: Sequence[Path] = ()
    symbols: Sequence[Symbol] = ()
    texts: Sequence[Text] = ()

    @property
    def whole_height(self) -> int:
        """The height of the drawing with the texts around it."""
        return self.top + self.height + (42 if self.x_title else 24)


def grid_of(scale: Scale, unit: Unit, height: int, most: int = 5) -> list[Text]:
    """Return the horizontal lines of a scale."""
    ticks = scale.ticks(most)
    return [
        Text(0, scale.y(tick, height), text, "end") for tick, text in zip(ticks, tick_texts(ticks, unit), strict=True)
    ]


def at_percent(x: float) -> float:
    """Return a place in thousandths of the width as percent of it."""
    return round(x / 10, 2)


def text_below(percent: float, y: float, text: str, style: str = "") -> Text:
    """Return a text below a chart, which does not leave it at the sides."""
    half = len(text) * _CHARACTER
    anchor: Anchor = "start" if percent < half else "end" if percent > 100 - half else "middle"
    return Text(percent, y, text, anchor, style)


def line_path(points: Sequence[tuple[float, float] | None]) -> str:
    """Return a path through points; None is a gap."""
    parts: list[str] = []
    is_drawing = False
    for point in points:
        if point is not None:
            parts.append(f"{'L' if is_drawing else 'M'}{point[0]:g} {point[1]:g}")
        is_drawing = point is not None
    return "".join(parts)


def dots_path(points: Sequence[tuple[float, float]]) -> str:
    """Return a path of dots: lines of no length, whose round ends stay round however the chart is stretched."""
    return "".join(f"M{x:g} {y:g}h0" for x, y in points)
