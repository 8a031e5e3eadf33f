"""What the kinds of figures share: units and scales of axes, names, marks and legends."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.present.plot.style import PlotStyle, Scale, plain
from pytest_benchdb.present.writing.text import sanitize, shorten
from pytest_benchdb.present.writing.times import local_minute
from pytest_benchdb.present.writing.units import unit_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as MatplotlibAxis

WIDE = 30.0
"""From this ratio of the largest to the smallest figure on, a logarithmic axis is chosen."""

_KELVIN_AT_ZERO_CELSIUS = 273.15
_FEW_DECADES = 3.0
_SHORT = 8
_KEY = 6
"""Characters that the line before a name takes in a legend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisUnit:
    """The unit in which all figures of an axis are shown.

    Attributes:
        symbol: empty for counts.
        size: of the unit, in SI units.
        zero: its zero, in SI units.
    """

    symbol: str
    size: float
    zero: float = 0.0

    def of(self, value: float | None) -> float:
        """Return a figure in this unit; NaN, which draws nothing, for None and what is not finite."""
        if value is None or not math.isfinite(value):
            return math.nan
        return (value - self.zero) / self.size

    def label(self, what: str) -> str:
        """Return the label of the axis."""
        return f"{plain(what)} ({self.symbol})" if self.symbol else plain(what)


def axis_unit(unit: str, values: Iterable[float | None]) -> AxisUnit:
    """Return the unit for an axis of figures in the SI unit `unit`."""
    if unit == "K":
        return AxisUnit(symbol="\N{DEGREE SIGN}C", size=1.0, zero=_KELVIN_AT_ZERO_CELSIUS)
    chosen = unit_for(unit, values)
    return AxisUnit(symbol=chosen.symbol, size=chosen.size)


def set_scale(
    ax: "Axes", way: Literal["x", "y"], values: Iterable[float | None], wanted: Scale, what: str, *, whole: bool = False
) -> bool:
    """Give an axis a linear or a logarithmic scale; return whether it is logarithmic.

    Args:
        ax: the axes.
        way: which axis of them.
        values: in the unit of the axis.
        wanted: as in `PlotStyle`.
        what: name of the figures, for the message.
        whole: whether `values` themselves should be the ticks of a logarithmic axis.

    Raises:
        ConfigError: a logarithmic scale was asked for, and a value is not above 0.
    """
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not _is_logarithmic(finite, wanted, what):
        return False
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

    axis: MatplotlibAxis = ax.xaxis if way == "x" else ax.yaxis
    ax.set(**{f"{way}scale": "log"})
    if whole:
        axis.set_major_locator(FixedLocator(sorted(set(finite))))
        axis.set_minor_locator(NullLocator())
    else:
        decades = math.log10(max(finite) / min(finite))
        subs = (1.0, 2.0, 5.0) if decades < _FEW_DECADES else (1.0,)
        axis.set_major_locator(LogLocator(base=10, subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
    return True


def _is_logarithmic(values: Sequence[float], wanted: Scale, what: str) -> bool:
    positive = bool(values) and min(values) > 0
    if wanted == "log":
        if not positive:
            raise ConfigError(f"a logarithmic scale: {what} has values that are not above 0; take a linear one")
        return True
    return wanted == "auto" and positive and max(values) / min(values) >= WIDE


def is_empty(values: Iterable[float | None]) -> bool:
    """Return whether there is no finite value."""
    return not any(value is not None and math.isfinite(value) for value in values)


def short_names(fullnames: Sequence[str]) -> list[str]:
    """Return names without their file, unless two would be the same."""
    short = [name.partition("::")[2] or name for name in fullnames]
    return short if len(set(short)) == len(set(fullnames)) else list(fullnames)


def session_text(session: SessionRow) -> str:
    """Return the shortest name of a session: its label, else its commit, else its time."""
    commit = None if session.commit_sha is None else session.commit_sha[:_SHORT]
    return session.label or commit or local_minute(session.started_at)


def legend_above(ax: "Axes", handles: Sequence[Any], labels: Sequence[str], style: PlotStyle) -> None:
    """Put a legend above the axes, in as many columns as its labels allow."""
    if not handles:
        return
    # Long names are shortened to half of the width, so that the short ones beside them need no lines of their own.
    room = style.characters(1.0) // min(len(labels), 2) - _KEY
    shown = [shorten(sanitize(label), room) for label in labels]
    columns = max(1, min(len(labels), style.characters(1.05) // (max(map(len, shown)) + _KEY)))
    ax.legend(
        handles,
        list(map(plain, shown)),
        loc="lower left",
        bbox_to_anchor=(0.0, 1.01),
        borderaxespad=0.0,
        frameon=False,
        ncols=columns,
        handlelength=2.6,
    )


def bottom_mark(ax: "Axes", places: Sequence[float], style: PlotStyle) -> Any:
    """Mark places at the bottom of the axes where there is no figure; return the marks, None without any."""
    if not places:
        return None
    (line,) = ax.plot(
        places,
        [0.03] * len(places),
        transform=ax.get_xaxis_transform(),
        linestyle="none",
        marker="x",
        color="#000000",
        markersize=style.font_size * 0.5,
        clip_on=False,
    )
    return line
