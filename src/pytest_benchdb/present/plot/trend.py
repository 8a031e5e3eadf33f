"""The figures of benchmarks over sessions: values, levels with their noise, and where they change."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_benchdb.analysis.series.trend import level_bands
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.trend import Trend, TrendPoint, Trends
from pytest_benchdb.model.metric import MAIN_TIMES
from pytest_benchdb.model.wording import percent_text
from pytest_benchdb.present.history.trend import series_name
from pytest_benchdb.present.plot.axes import AxisUnit, axis_unit, bottom_mark, legend_above, set_scale, short_names
from pytest_benchdb.present.plot.drawing import Drawing, Panel
from pytest_benchdb.present.plot.style import PlotStyle
from pytest_benchdb.present.writing.times import local_minute, zones_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SERIES = 8
"""Lines of a panel: more would look alike."""

_MOST_TEXTS = 5
_COMMIT = 7
_TICK_IN = 0.75


def trend_drawing(trends: Trends) -> Drawing:
    """Return the drawing of trends: a panel for each metric, times first; in it the series that changed first.

    Raises:
        ConfigError: there is no series.
    """
    if not trends.series:
        there = f"; there are {', '.join(trends.metrics)}" if trends.metrics else ""
        raise ConfigError(f"there is nothing to draw: no series matches {trends.selection or 'a time'}{there}")
    groups: dict[tuple[str, str], list[Trend]] = {}
    for trend in trends.series:
        groups.setdefault((trend.key.metric, trend.unit), []).append(trend)
    panels, notes = [], []
    for (metric, unit), series in sorted(groups.items(), key=lambda group: group[0][0] not in MAIN_TIMES):
        shown = series[:MOST_SERIES]
        if len(shown) < len(series):
            notes.append(f"{len(shown)} of {len(series)} series of {metric} are drawn; -k chooses others")

        names = _names(shown, trends)
        draw = partial(_draw, trends=trends, series=shown, names=names)
        panels.append(Panel(draw=draw, height=2.6 + 0.16 * len(shown), unit=f"{metric} ({unit})"))
    only = _names(list(trends.series), trends)[0] if len(trends.series) == 1 else None
    return Drawing(panels=tuple(panels), title=only, notes=tuple(notes))


def _names(series: Sequence[Trend], trends: Trends) -> list[str]:
    full = [series_name(trend, trends) for trend in series]
    return short_names(full)


def _draw(ax: "Axes", style: PlotStyle, *, trends: Trends, series: Sequence[Trend], names: Sequence[str]) -> None:
    order = session_order(trends.series)
    places = {point.session_id: number for number, point in enumerate(order)}
    values = [point.value for trend in series for point in trend.points]
    unit = axis_unit(series[0].unit, values)
    handles: list[Any] = []
    for number, trend in enumerate(series):
        handles.append(_draw_series(ax, trend, places, unit, style.mark(number)))
    labels = list(names) if len(series) > 1 else []
    handles = handles if labels else []
    for handle, text in _draw_marks(ax, series, places, unit, style):
        handles.append(handle)
        labels.append(text)
    metric = series[0].key.metric
    set_scale(ax, "y", [unit.of(value) for value in values], style.scale, metric)
    if sum(len(trend.changes) for trend in series):
        _leave_room(ax)
    ax.set_ylabel(unit.label(metric))
    ax.grid(axis="y", color="#dddddd", linewidth=style.font_size * 0.05)
    ax.set_axisbelow(True)
    _label_sessions(ax, order, trends, style)
    legend_above(ax, handles, labels, style)


def _draw_series(ax: "Axes", trend: Trend, places: dict[str, int], unit: AxisUnit, mark: dict[str, Any]) -> Any:
    xs = [places[point.session_id] for point in trend.points]
    for place, band in enumerate(bands := level_bands(trend)):
        last = bands[place + 1].start - 1 if place + 1 < len(bands) else len(xs) - 1
        begin, end = xs[band.start] - 0.4, xs[last] + 0.4
        if band.low is not None and band.high is not None:
            low, high = unit.of(band.low), unit.of(band.high)
            ax.fill_between([begin, end], low, high, color=mark["color"], alpha=0.15, linewidth=0)
        ax.hlines(unit.of(band.level), begin, end, color=mark["color"], linewidth=mark["linewidth"] * 0.6)
    (line,) = ax.plot(xs, [unit.of(point.value) for point in trend.points], **mark)
    return line


def _draw_marks(
    ax: "Axes", series: Sequence[Trend], places: dict[str, int], unit: AxisUnit, style: PlotStyle
) -> list[tuple[Any, str]]:
    """Draw bands' key, changes, anomalies and failures; return their legend."""
    from matplotlib.patches import Patch

    said: list[tuple[Any, str]] = []
    if any(band.low is not None for trend in series for band in level_bands(trend)):
        said.append((Patch(color="#000000", alpha=0.15, linewidth=0), "level ± 2 standard deviations"))
    changes = [(trend, change) for trend in series for change in trend.changes]
    line = None
    for trend, change in changes:
        x = places[trend.points[change.point.index].session_id] - 0.5
        line = ax.axvline(x, color="#000000", linestyle=(0, (1, 2)), linewidth=style.font_size * 0.09)
    if line is not None:
        said.append((line, "change of level"))
    if len(changes) <= _MOST_TEXTS:
        for trend, change in changes:
            x = places[trend.points[change.point.index].session_id] - 0.5
            text = percent_text(change.point.change) + ("?" if change.point.provisional else "")
            ax.annotate(
                text,
                (x, 1.0),
                xycoords=ax.get_xaxis_transform(),
                xytext=(2, -2),
                textcoords="offset points",
                va="top",
                fontsize=style.font_size * 0.85,
                bbox={"facecolor": "#ffffff", "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
            )
    anomalies = [
        (places[trend.points[anomaly.index].session_id], unit.of(anomaly.value))
        for trend in series
        for anomaly in trend.anomalies
    ]
    if anomalies:
        xs, ys = zip(*anomalies, strict=True)
        ring = ax.plot(
            xs, ys, linestyle="none", marker="o", markersize=style.font_size, markerfacecolor="none", color="#000000"
        )
        said.append((ring[0], "anomaly"))
    lost = sorted({places[point.session_id] for trend in series for point in trend.points if point.value is None})
    cross = bottom_mark(ax, lost, style)
    if cross is not None:
        said.append((cross, "failed or not measured"))
    return said


def _leave_room(ax: "Axes") -> None:
    """Leave room above the lines for the sizes of changes."""
    low, high = ax.transData.inverted().transform(ax.transAxes.transform([(0.0, 0.0), (0.0, 1.12)]))[:, 1]
    ax.set_ylim(low, high)


def session_order(series: Sequence[Trend]) -> list[TrendPoint]:
    """Return a point of each session, in the order in which every series has them."""
    ranked = sorted(series, key=lambda trend: -len(trend.points))
    order = list(ranked[0].points)
    known = {point.session_id for point in order}
    for trend in ranked[1:]:
        before = -1
        for point in trend.points:
            if point.session_id in known:
                before = next(n for n, other in enumerate(order) if other.session_id == point.session_id)
            else:
                before = next((n for n in range(before + 1, len(order)) if _is_later(order[n], point)), len(order))
                order.insert(before, point)
                known.add(point.session_id)
    return order


def _is_later(other: TrendPoint, point: TrendPoint) -> bool:
    return other.started_at > point.started_at


def _label_sessions(ax: "Axes", order: Sequence[TrendPoint], trends: Trends, style: PlotStyle) -> None:
    by_commit = trends.order == "ancestry"
    most = max(2, int(style.width_in * 9 / style.font_size / _TICK_IN / (1 if by_commit else 1.5)))
    step = max(1, math.ceil(len(order) / most))
    ticks = list(range(0, len(order), step))
    days = {local_minute(point.started_at)[:10] for point in order}
    texts = []
    for tick in ticks:
        point = order[tick]
        minute = local_minute(point.started_at)
        time = minute[11:] if len(days) == 1 else minute[:10] if len(days) == len(order) else minute.replace(" ", "\n")
        texts.append((point.commit or "")[:_COMMIT] if by_commit else time)
    ax.set_xticks(ticks, texts)
    ax.set_xlim(-0.6, len(order) - 0.4)
    if by_commit:
        ax.set_xlabel("commit")
    else:
        day = f"{next(iter(days))}, " if len(days) == 1 else ""
        ax.set_xlabel(f"session started ({day}{zones_text(point.started_at for point in order)})")
