"""The rounds of runs: boxes with every round, cumulated shares, or histograms."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.runs import RunRounds, RunsWithRounds
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.plot.axes import AxisUnit, axis_unit, legend_above, session_text, set_scale, short_names
from pytest_benchdb.present.plot.drawing import Drawing, Panel
from pytest_benchdb.present.plot.style import FILLS, HATCHES, PlotStyle, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

Shape = Literal["box", "ecdf", "histogram"]
SHAPES: tuple[Shape, ...] = ("box", "ecdf", "histogram")

MOST_BOXES, MOST_LINES = 60, 8
_MOST_BINS = 60
_MANY_ROUNDS = 2000
_BOX, _SPREAD = 0.6, 0.36


def distribution_drawing(runs: RunsWithRounds, shape: Shape = "box") -> Drawing:
    """Return the drawing of the rounds of runs.

    Raises:
        ConfigError: there is no run with a time, or with rounds for this shape.
    """
    notes = []
    timed = [run for run in runs.runs if run.row.median_s is not None or not run.row.has_figures]
    if len(timed) < len(runs.runs):
        notes.append(f"{counted(len(runs.runs) - len(timed), 'run')} without a time left out")
    if shape != "box":
        kept = [run for run in timed if run.values_s]
        if len(kept) < len(timed):
            notes.append(f"{counted(len(timed) - len(kept), 'run')} without rounds left out")
        timed = kept
    if not any(run.row.has_figures for run in timed):
        what = "with rounds" if shape != "box" else "with a time"
        raise ConfigError(f"there is nothing to draw: no run {what} matches {runs.selection or 'the sessions'}")
    most = MOST_BOXES if shape == "box" else MOST_LINES
    if len(timed) > most:
        notes.append(f"{most} of {len(timed)} runs are drawn; -k chooses others")
        timed = timed[:most]
    first = {run.row.fullname: place for place, run in reversed(list(enumerate(timed)))}
    timed.sort(key=lambda run: first[run.row.fullname])  # sessions of a benchmark side by side
    names = _names(timed)
    draw = _DRAWERS[shape]
    height = 0.5 + 0.34 * len(timed) if shape == "box" else 2.6 + 0.16 * len(timed)
    panel = Panel(draw=partial(draw, runs=timed, names=names), height=height, unit="time (s)")
    return Drawing(panels=(panel,), title=names[0] if len(timed) == 1 else None, notes=tuple(notes))


def _names(runs: Sequence[RunRounds]) -> list[str]:
    names = short_names([run.row.fullname for run in runs])
    if len({run.row.device for run in runs}) > 1:
        names = [f"{name} on {run.row.device or 'no device'}" for name, run in zip(names, runs, strict=True)]
    if len({run.row.session_id for run in runs}) > 1:
        names = [f"{name} · {session_text(run.session)}" for name, run in zip(names, runs, strict=True)]
    if any(run.row.provenance == "simulated" for run in runs):
        marks = (" (simulated)" if run.row.provenance == "simulated" else "" for run in runs)
        names = [name + mark for name, mark in zip(names, marks, strict=True)]
    return names


def _what(runs: Sequence[RunRounds]) -> str:
    metrics = {run.row.main_metric for run in runs if run.row.main_metric is not None}
    return f"{metrics.pop()} of one iteration" if len(metrics) == 1 else "time of one iteration"


def _values(runs: Sequence[RunRounds]) -> list[float | None]:
    figures = [value for run in runs for value in (run.row.min_s, run.row.q1_s, run.row.median_s, run.row.max_s)]
    return [*figures, *(value for run in runs for value in run.values_s)]


def _draw_boxes(ax: "Axes", style: PlotStyle, *, runs: Sequence[RunRounds], names: Sequence[str]) -> None:
    shown = [run for run in runs if run.row.has_figures]
    unit = axis_unit("s", [run.row.median_s for run in shown])
    sessions = list(dict.fromkeys(run.row.session_id for run in runs))
    for number, run in enumerate(runs):
        y = len(runs) - 1 - number
        if not run.row.has_figures:
            ax.text(
                0.01, y, run.row.outcome if run.row.outcome != "passed" else "not valid", style="italic",
                va="center", transform=ax.get_yaxis_transform(), fontsize=style.font_size * 0.9,
            )  # fmt: skip
            continue
        _draw_box(ax, run, y, unit, style, sessions.index(run.row.session_id))
    ax.use_sticky_edges = False
    values = [unit.of(value) for value in _values(shown)]
    set_scale(ax, "x", values, style.scale, _what(shown))
    ax.set_yticks(range(len(runs)), [plain(name, style.characters(0.38)) for name in reversed(names)])
    ax.set_ylim(-0.7, len(runs) - 0.3)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(unit.label(_what(shown)))
    ax.grid(axis="x", color="#dddddd", linewidth=style.font_size * 0.05)
    ax.set_axisbelow(True)


def _draw_box(ax: "Axes", run: RunRounds, y: float, unit: AxisUnit, style: PlotStyle, session: int) -> None:
    row = run.row
    thin, thick = style.font_size * 0.07, style.font_size * 0.2
    low, q1, middle, q3, high = (unit.of(value) for value in (row.min_s, row.q1_s, row.median_s, row.q3_s, row.max_s))
    ax.hlines(y, low, high, color="#000000", linewidth=thin)
    ax.barh(
        y, q3 - q1, _BOX, left=q1, edgecolor="#000000", linewidth=thin,
        facecolor=FILLS[session % len(FILLS)], hatch=HATCHES[session % len(HATCHES)],
    )  # fmt: skip
    ax.vlines(middle, y - _BOX / 2, y + _BOX / 2, color="#000000", linewidth=thick)
    # Rounds are spread over the height of the box in the order in which they ran.
    n = len(run.values_s)
    heights = [y + _SPREAD * (((place * 7) % 11) / 10 - 0.5) for place in range(n)]
    ax.plot(
        [unit.of(value) for value in run.values_s], heights, linestyle="none", marker=".", alpha=0.5,
        color="#000000" if style.grey else "#0072b2", markersize=style.font_size * 0.4,
        markeredgewidth=0, rasterized=n > _MANY_ROUNDS, zorder=3,
    )  # fmt: skip


def _draw_shares(ax: "Axes", style: PlotStyle, *, runs: Sequence[RunRounds], names: Sequence[str]) -> None:
    unit = axis_unit("s", [run.row.median_s for run in runs])
    handles = []
    for number, run in enumerate(runs):
        ordered = sorted(unit.of(value) for value in run.values_s)
        shares = [(place + 1) / len(ordered) for place in range(len(ordered))]
        mark = {**style.mark(number), "markevery": max(1, len(ordered) // 12)}
        handles += ax.plot([ordered[0], *ordered], [0.0, *shares], drawstyle="steps-post", **mark)
    set_scale(ax, "x", [unit.of(value) for run in runs for value in run.values_s], style.scale, _what(runs))
    ax.set_xlabel(unit.label(_what(runs)))
    ax.set_ylabel("share of the rounds")
    ax.set_ylim(0, 1.02)
    ax.grid(color="#dddddd", linewidth=style.font_size * 0.05)
    legend_above(ax, handles if len(runs) > 1 else [], names, style)


def _draw_histogram(ax: "Axes", style: PlotStyle, *, runs: Sequence[RunRounds], names: Sequence[str]) -> None:
    import numpy as np

    unit = axis_unit("s", [run.row.median_s for run in runs])
    samples = [np.array([unit.of(value) for value in run.values_s]) for run in runs]
    together = np.concatenate(samples)
    is_log = set_scale(ax, "x", together.tolist(), style.scale, _what(runs))
    edges = _edges([np.log(sample) for sample in samples] if is_log else samples)
    edges = np.exp(edges) if is_log else edges
    handles: list[Any] = []
    for number, sample in enumerate(samples):
        mark = style.mark(number)
        look: dict[str, Any] = {"edgecolor": mark["color"], "linewidth": mark["linewidth"]}
        if len(samples) > 1:
            look |= {
                "fill": True,
                "facecolor": "none",
                "hatch": HATCHES[number % len(HATCHES)],
                "linestyle": mark["linestyle"],
            }
        else:
            look |= {"fill": True, "facecolor": FILLS[1], "edgecolor": "#000000"}
        counts, _ = np.histogram(sample, bins=edges)
        handles.append(ax.stairs(counts, edges, **look))
    ax.set_xlabel(unit.label(_what(runs)))
    ax.set_ylabel("rounds")
    legend_above(ax, handles if len(runs) > 1 else [], names, style)


def _edges(samples: "Sequence[NDArray[Any]]") -> "NDArray[Any]":
    """Return edges of bins for all samples, as narrow as suits the narrowest of them."""
    import numpy as np

    low, high = min(float(sample.min()) for sample in samples), max(float(sample.max()) for sample in samples)
    widths = [
        float(np.diff(np.histogram_bin_edges(sample, bins="auto")[:2])[0]) for sample in samples if np.ptp(sample)
    ]
    bins = min(_MOST_BINS, max(1, math.ceil((high - low) / min(widths)))) if widths else 10
    return np.histogram_bin_edges(np.concatenate(samples), bins=bins)


_DRAWERS: dict[Shape, Callable[..., None]] = {"box": _draw_boxes, "ecdf": _draw_shares, "histogram": _draw_histogram}
