"""Scales of charts: where a value is between two ends, and round values to mark there."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_benchdb.present.writing.units import Unit, quantity

ACROSS = 1000
"""Width of a chart's own coordinates, which the page stretches over the room that there is."""

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_LEAST_DECADES = 2.0
"""Values that span a factor of 100 are shown by their logarithms."""
_ROOM = 0.06
"""Room beyond the outermost values, as a share of their distance."""
_MOST_DIGITS = 12
_LARGEST = 1e300
"""Beyond it, distances would not be finite."""
_TINY = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A scale from `low` to `high`, linear or logarithmic."""

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return where a value is: 0.0 at the lower end, 1.0 at the upper; values beyond the ends are put there."""
        if self.is_log and value <= 0:
            return 0.0
        low, high, place = (math.log(one) if self.is_log else one for one in (self.low, self.high, value))
        return min(max((place - low) / (high - low), 0.0), 1.0)

    def x(self, value: float) -> float:
        """Return where a value is across a chart."""
        return round(self.share(value) * ACROSS, 1)

    def y(self, value: float, height: float) -> float:
        """Return where a value is in a chart of a height, whose origin is at the top."""
        return round((1 - self.share(value)) * height, 1)

    def ticks(self, most: int = 5) -> list[float]:
        """Return round values within the scale, `most` at most but for logarithmic scales of many decades."""
        return _log_ticks(self.low, self.high, most) if self.is_log else _linear_ticks(self.low, self.high, most)


def fit_scale(values: Iterable[float | None], *, log: bool | None = None) -> Scale | None:
    """Return a scale that shows values with some room around them; None without a finite value.

    Args:
        values: those that are not finite are skipped.
        log: whether it is logarithmic, if all values are above 0; None if they span a factor of 100.
    """
    finite = sorted(min(max(v, -_LARGEST), _LARGEST) for v in values if v is not None and math.isfinite(v))
    if not finite:
        return None
    low, high = finite[0], finite[-1]
    has_logs = low >= 1 / _LARGEST
    decades = math.log10(high) - math.log10(low) if has_logs else 0.0
    if has_logs and high > low and (decades >= _LEAST_DECADES if log is None else log):
        margin = math.exp(_ROOM * (math.log(high) - math.log(low)))
        return Scale(low=max(low / margin, low * _TINY), high=min(high * margin, high / _TINY), is_log=True)
    margin = (high - low) * _ROOM or abs(high) * _ROOM or 1.0
    # What cannot be negative and is not, has no room below 0.
    return Scale(low=max(low - margin, 0.0) if low > 0 else low - margin, high=high + margin)


def tick_texts(ticks: Sequence[float], unit: Unit) -> list[str]:
    """Return what is written at ticks: as few digits as tell them apart, with the unit.

    >>> tick_texts([0.0010, 0.0012, 0.0014], Unit("ms", 1e-3))
    ['1.0 ms', '1.2 ms', '1.4 ms']
    """
    if unit.symbol == "K":
        return [quantity(tick, unit) for tick in ticks]
    scaled = [tick / unit.size for tick in ticks]
    decimals = 0
    while decimals < _MOST_DIGITS and any(not _is_exact(value, decimals) for value in scaled):
        decimals += 1
    if decimals == _MOST_DIGITS or any(abs(value) >= 1e9 for value in scaled):  # noqa: PLR2004 - too long to write out
        return [quantity(tick, unit) for tick in ticks]
    return [f"{value:.{decimals}f} {unit.symbol}".rstrip() for value in scaled]


def _is_exact(value: float, decimals: int) -> bool:
    return math.isclose(round(value, decimals), value, rel_tol=1e-6, abs_tol=1e-15)


def _linear_ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * size for size in _STEPS if power * size >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [(first + place) * step for place in range(count)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for sizes in ((1.0, 2.0, 5.0), (1.0,)):
        found = [size * 10.0**decade for decade in decades for size in sizes if low <= size * 10.0**decade <= high]
        if len(found) <= most:
            break
    every = -(-len(found) // most) if found else 1
    return found[::every] or [math.sqrt(low * high)]
