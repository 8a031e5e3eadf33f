"""A metric over the values of a dimension, one line for each benchmark, with the intervals of the comparison."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison, ComparisonRow
from pytest_benchdb.present.plot.axes import axis_unit, bottom_mark, is_empty, legend_above, set_scale, short_names
from pytest_benchdb.present.plot.drawing import Drawing, Panel
from pytest_benchdb.present.plot.style import PlotStyle, plain
from pytest_benchdb.present.verdicts.words import series_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 8
_FEWEST_FOR_LOG, _STEEP = 3, 16.0
"""Sizes, and their largest ratio, from which on the dimension gets a logarithmic axis."""

_DODGE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """A figure at one value of the dimension, with its interval where it has one."""

    at: int
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    name: str
    metric: str
    unit: str
    points: tuple[_Point, ...]


def dimension_drawing(comparisons: Sequence[Comparison]) -> Drawing:
    """Return the drawing of the comparisons of an axis; each has the same baseline.

    Raises:
        ConfigError: nothing was measured.
    """
    name, first = comparisons[0].baseline.name.split("=", 1) if comparisons else ("", "")
    texts = [first, *(comparison.candidate.name.partition("=")[2] for comparison in comparisons)]
    lines = _lines(comparisons)
    panels, notes = [], [warning for comparison in comparisons[:1] for warning in comparison.warnings]
    for metric in dict.fromkeys(line.metric for line in lines):
        members = [line for line in lines if line.metric == metric]
        if is_empty(point.value for line in members for point in line.points):
            continue
        if len(members) > MOST_LINES:
            notes.append(f"{MOST_LINES} of {len(members)} benchmarks are drawn for {metric}; -k chooses others")
            members = members[:MOST_LINES]
        draw = partial(_draw, lines=members, texts=texts, dimension=name)
        panels.append(Panel(draw=draw, height=2.6 + 0.16 * len(members), unit=f"{metric} ({members[0].unit})"))
    if not panels:
        raise ConfigError(f"there is nothing to draw: no benchmark has figures at the values of {name or 'the axis'}")
    names = {line.name for line in lines}
    return Drawing(panels=tuple(panels), title=names.pop() if len(names) == 1 else None, notes=tuple(notes))


def _lines(comparisons: Sequence[Comparison]) -> list[_Line]:
    rows: dict[tuple[str, str], dict[int, ComparisonRow]] = {}
    for at, comparison in enumerate(comparisons, start=1):
        for row in comparison.rows:
            rows.setdefault((row.key.fullname, _metric(row, comparison)), {})[at] = row
    names = dict(zip(rows, short_names([fullname for fullname, _ in rows]), strict=True))
    return [_line(names[key], key[1], by_place) for key, by_place in rows.items()]


def _metric(row: ComparisonRow, comparison: Comparison) -> str:
    """Return the metric; with the device if the same benchmark has a row for several."""
    alike = [
        other
        for other in comparison.rows
        if (other.key.fullname, other.key.metric) == (row.key.fullname, row.key.metric)
    ]
    return row.key.metric if len(alike) == 1 else series_name(row)


def _line(name: str, metric: str, rows: dict[int, ComparisonRow]) -> _Line:
    newest = next(iter(rows.values()))
    points = [_Point(at=0, value=next((v for row in rows.values() if (v := row.judgement.baseline) is not None), None))]
    for at, row in rows.items():
        judgement, interval = row.judgement, row.judgement.interval
        low = high = None
        if judgement.baseline is not None and interval is not None:
            low, high = (judgement.baseline * (1 + end) for end in (interval.low, interval.high))
        points.append(_Point(at=at, value=judgement.candidate, low=low, high=high))
    return _Line(name=name, metric=metric, unit=newest.unit, points=tuple(points))


def _draw(ax: "Axes", style: PlotStyle, *, lines: Sequence[_Line], texts: Sequence[str], dimension: str) -> None:
    places, is_number = _places(texts, dimension, ax)
    unit = axis_unit(lines[0].unit, [point.value for line in lines for point in line.points])
    handles: list[Any] = []
    for number, line in enumerate(lines):
        shift = 0.0 if is_number else (number - (len(lines) - 1) / 2) / max(len(lines), 2) * _DODGE
        mark = style.mark(number) | ({} if is_number else {"linestyle": "none"})
        points = sorted(line.points, key=lambda point: places[point.at])
        xs = [places[point.at] + shift for point in points]
        ys = [unit.of(point.value) for point in points]
        handles += ax.plot(xs, ys, **mark)
        for x, y, point in zip(xs, ys, points, strict=True):
            low, high = unit.of(point.low), unit.of(point.high)
            if math.isfinite(y) and math.isfinite(low) and math.isfinite(high):
                ends = [[max(y - low, 0.0)], [max(high - y, 0.0)]]
                ax.errorbar([x], [y], ends, color=mark["color"], capsize=2.5, linewidth=mark["linewidth"], fmt="none")
    labels = [line.name for line in lines] if len(lines) > 1 else []
    handles = handles if labels else []
    lost = sorted({places[point.at] for line in lines for point in line.points if point.value is None})
    cross = bottom_mark(ax, lost, style)
    if cross is not None:
        handles.append(cross)
        labels.append("failed or not measured")
    metric = lines[0].metric
    set_scale(ax, "y", [unit.of(point.value) for line in lines for point in line.points], style.scale, metric)
    ax.set_ylabel(unit.label(metric))
    ax.set_xlabel(plain(dimension.rpartition(":")[2]))
    if not is_number:
        limit = max(8, style.characters(0.85) // len(texts))
        ax.set_xticks(range(len(texts)), [plain(text, limit) for text in texts])
        ax.set_xlim(-0.6, len(texts) - 0.4)
    ax.grid(axis="y", color="#dddddd", linewidth=style.font_size * 0.05)
    ax.set_axisbelow(True)
    legend_above(ax, handles, labels, style)


def _places(texts: Sequence[str], dimension: str, ax: "Axes") -> tuple[list[float], bool]:
    """Return where each value of the dimension lies, and whether they are numbers."""
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        numbers = []
    if not numbers or not all(map(math.isfinite, numbers)):
        return [float(place) for place in range(len(texts))], False
    steep = min(numbers) > 0 and max(numbers) / min(numbers) >= _STEEP
    if len(numbers) >= _FEWEST_FOR_LOG and steep:
        set_scale(ax, "x", numbers, "log", dimension, whole=True)
    else:
        ax.set_xticks(sorted(numbers), [f"{number:g}" for number in sorted(numbers)])
    return numbers, True
