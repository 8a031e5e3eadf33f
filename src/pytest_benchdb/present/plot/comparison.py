"""The changes of a comparison as intervals on one axis, the most harmful first."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison, ComparisonRow
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.verdict import VERDICTS
from pytest_benchdb.present.plot.axes import legend_above, set_scale, short_names
from pytest_benchdb.present.plot.drawing import Drawing, Panel
from pytest_benchdb.present.plot.style import PlotStyle, plain
from pytest_benchdb.present.verdicts.rows import shown_rows
from pytest_benchdb.present.verdicts.words import series_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 60
_FACTOR = 2.0
"""From this ratio on, either way, changes are shown as factors on a logarithmic axis."""

_MARKS: dict[str, dict[str, Any]] = {
    "regressed": {"marker": "v", "markerfacecolor": "#000000"},
    "exceeded": {"marker": "v", "markerfacecolor": "#000000"},
    "improved": {"marker": "^", "markerfacecolor": "#ffffff"},
    "unchanged": {"marker": "o", "markerfacecolor": "#000000"},
    "inconclusive": {"marker": "o", "markerfacecolor": "#ffffff"},
}
_OTHER = {"marker": "x", "markerfacecolor": "none"}


def comparison_drawing(comparison: Comparison) -> Drawing:
    """Return the drawing of a comparison.

    Raises:
        ConfigError: there is no row.
    """
    rows = shown_rows(comparison.rows, order="worst")
    sides = f"{comparison.candidate.name} against {comparison.baseline.name}"
    if not rows:
        raise ConfigError(f"there is nothing to draw: nothing of {sides} was compared")
    notes = list(comparison.warnings)
    if len(rows) > MOST_ROWS:
        notes.append(f"{MOST_ROWS} of {len(rows)} rows are drawn, the most harmful; -k chooses others")
        rows = rows[:MOST_ROWS]
    panel = Panel(draw=partial(_draw, rows=rows), height=0.8 + 0.26 * len(rows), unit="change")
    return Drawing(panels=(panel,), title=sides, notes=tuple(notes))


def _draw(ax: "Axes", style: PlotStyle, *, rows: Sequence[ComparisonRow]) -> None:
    ratios = [ratio for row in rows for ratio in _ratios(row) if ratio is not None]
    as_factor = style.scale == "log" or (style.scale == "auto" and _is_wide(ratios))
    handles: dict[str, Any] = {}
    _draw_limit(ax, rows, as_factor=as_factor)
    for number, row in enumerate(rows):
        y = len(rows) - 1 - number
        ratio, low, high = _ratios(row)
        if ratio is None:
            text = (
                row.judgement.text if row.judgement.reason is None else f"{row.judgement.text}: {row.judgement.reason}"
            )
            ax.text(
                0.01, y, plain(text, style.characters(0.5)), style="italic", va="center",
                transform=ax.get_yaxis_transform(), fontsize=style.font_size * 0.9,
            )  # fmt: skip
            continue
        if low is not None and high is not None:
            ends = [_place(end, as_factor=as_factor) for end in (low, high)]
            ax.plot(ends, [y, y], color="#000000", linewidth=style.font_size * 0.1, marker="|", markersize=4)
        mark = {"color": "#000000", "markersize": style.font_size * 0.6, **_MARKS.get(row.judgement.verdict, _OTHER)}
        (point,) = ax.plot([_place(ratio, as_factor=as_factor)], [y], linestyle="none", **mark)
        handles[row.judgement.verdict] = point
    ax.axvline(_place(1.0, as_factor=as_factor), color="#000000", linewidth=style.font_size * 0.07)
    if as_factor:
        set_scale(ax, "x", ratios, "log", "the ratio")
    metric = _metric(rows)
    what = "candidate / baseline" if as_factor else "change (%)"
    ax.set_xlabel(f"{what} of {plain(metric)}{_direction(rows)}" if metric else what + _direction(rows))
    names = _names(rows, with_metric=metric is None)
    ax.set_yticks(range(len(rows)), [plain(name, style.characters(0.38)) for name in reversed(names)])
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="#dddddd", linewidth=style.font_size * 0.05)
    ax.set_axisbelow(True)
    known = sorted(handles, key=VERDICTS.index)
    legend_above(ax, [handles[verdict] for verdict in known], known, style)


def _ratios(row: ComparisonRow) -> tuple[float | None, float | None, float | None]:
    """Return candidate / baseline and the ends of its interval; None where there is none."""
    judgement = row.judgement
    if judgement.change is None or not math.isfinite(judgement.change):
        return None, None, None
    interval = judgement.interval
    if interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return 1 + judgement.change, None, None
    return 1 + judgement.change, 1 + interval.low, 1 + interval.high


def _is_wide(ratios: Sequence[float]) -> bool:
    return bool(ratios) and min(ratios) > 0 and (max(ratios) >= _FACTOR or min(ratios) <= 1 / _FACTOR)


def _place(ratio: float, *, as_factor: bool) -> float:
    return ratio if as_factor else (ratio - 1) * 100


def _draw_limit(ax: "Axes", rows: Sequence[ComparisonRow], *, as_factor: bool) -> None:
    """Shade the changes that are too small to count, if the limit is the same for all rows."""
    limits = {round(row.limit, 12) for row in rows if row.limit is not None}
    if len(limits) == 1:
        limit = limits.pop()
        low, high = (_place(1 + end, as_factor=as_factor) for end in (-limit, limit))
        if not as_factor or low > 0:
            ax.axvspan(low, high, color="#eeeeee", linewidth=0, zorder=0)


def _metric(rows: Sequence[ComparisonRow]) -> str | None:
    """Return the metric of all rows; None if they differ."""
    names = {series_name(row) for row in rows if row.judgement.change is not None}
    return names.pop() if len(names) == 1 else None


def _direction(rows: Sequence[ComparisonRow]) -> str:
    ways: set[Better] = {row.better for row in rows if row.judgement.change is not None}
    if ways == {"lower"}:
        return ", less is better"
    return ", more is better" if ways == {"higher"} else ""


def _names(rows: Sequence[ComparisonRow], *, with_metric: bool) -> list[str]:
    names = short_names([row.key.fullname for row in rows])
    if not with_metric:
        return names
    return [f"{name} · {series_name(row)}" for name, row in zip(names, rows, strict=True)]
