"""Quantiles and robust spreads, which single outliers hardly affect."""

import math
from collections.abc import Sequence
from statistics import median

_MAD_OF_NORMAL = 1.4826
"""Standard deviation of a normal distribution per median absolute deviation."""

_ROUNDING = 1e-9

_IQR_OF_NORMAL = 1.349
"""Interquartile range of a normal distribution per standard deviation."""


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile, interpolated linearly as DuckDB and numpy do by default.

    Args:
        values: at least one, in any order.
        share: share of the values below the quantile, from 0 to 1.
    """
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return a percentile; None unless the values reach that far into the tail.

    The 99.9th percentile of 50 values would be little but the largest of them: at least one value must lie beyond a
    percentile on average, so that it takes 1,000 values.

    Args:
        values: in any order.
        percent: more than 0, less than 100.

    >>> percentile([1.0, 2.0, 3.0], 50), percentile([1.0, 2.0, 3.0], 99.9)
    (2.0, None)
    """
    beyond = len(values) * min(percent, 100 - percent) / 100
    return quantile(values, percent / 100) if beyond >= 1 - _ROUNDING else None


def robust_deviation(values: Sequence[float]) -> float:
    """Return a standard deviation that tolerates a quarter of outliers: the larger of those from MAD and IQR."""
    centre = median(values)
    by_mad = _MAD_OF_NORMAL * median([abs(value - centre) for value in values])
    by_iqr = (quantile(values, 0.75) - quantile(values, 0.25)) / _IQR_OF_NORMAL
    return max(by_mad, by_iqr)


def clipped_deviation(values: Sequence[float], limit: float) -> float:
    """Return the standard deviation around the median, with each distance clipped to `limit`.

    Unlike `robust_deviation`, it grows with the number of outliers; unlike the plain one, not with their distance.
    """
    centre = median(values)
    squares = math.fsum(min(abs(value - centre), limit) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else 0.0
