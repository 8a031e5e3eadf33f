"""How well rounds agree: whether a warm-up has settled, how well a median is known, whether a result is unstable."""

import math
import statistics
from collections.abc import Sequence

STABLE_SHARE = 0.02
"""Relative difference of two successive medians below which a warm-up has settled."""
_STABLE_ROUNDS = 5
_Z95 = 1.96
_LEAST_ROUNDS = 6
"""The smallest and the largest of six values enclose the median with a probability of 97 %; of five, with 94 %."""
_LARGE_ERROR = 0.05
_LARGE_DRIFT = 0.1
_LARGE_SPREAD = 0.25
_JUDGED_ROUNDS = 3
_FEW_ROUNDS = 10
"""Rounds below which a drift and quartiles mean little."""


def is_settled(wall_ns: Sequence[int]) -> bool:
    """Return whether the medians of the last two groups of rounds agree within `STABLE_SHARE`."""
    if len(wall_ns) < 2 * _STABLE_ROUNDS:
        return False
    last = statistics.median(wall_ns[-_STABLE_ROUNDS:])
    before = statistics.median(wall_ns[-2 * _STABLE_ROUNDS : -_STABLE_ROUNDS])
    return abs(last - before) <= STABLE_SHARE * before


def median_error(values: Sequence[float]) -> float | None:
    """Return half the 95 % interval of the median as a share of it; None with fewer than six values.

    The interval is that of order statistics, which holds for any distribution.

    >>> round(median_error([98, 99, 100, 100, 101, 102, 150]), 3)
    0.26
    """
    count = len(values)
    below = math.floor((count - _Z95 * math.sqrt(count)) / 2)
    middle = statistics.median(values) if values else 0
    if count < _LEAST_ROUNDS or middle <= 0:
        return None
    ordered = sorted(values)
    return (ordered[count - 1 - below] - ordered[below]) / (2 * middle)


def instability(wall_ns: Sequence[int]) -> str | None:
    """Return why a result may well be different next time, in words; None if its rounds agree.

    >>> instability([100] * 10 + [130] * 10)
    'its rounds drifted by 30 %'
    """
    count = len(wall_ns)
    middle = statistics.median(wall_ns) if wall_ns else 0
    if count < _JUDGED_ROUNDS or middle <= 0:
        return None
    if count < _FEW_ROUNDS:
        spread = (max(wall_ns) - min(wall_ns)) / middle
        return f"its {count} rounds differ by {100 * spread:.0f} %" if spread > _LARGE_SPREAD else None
    first, second = statistics.median(wall_ns[: count // 2]), statistics.median(wall_ns[count // 2 :])
    drift = abs(second - first) / min(first, second) if min(first, second) > 0 else math.inf
    if drift > _LARGE_DRIFT:
        return f"its rounds drifted by {100 * drift:.0f} %"
    low, _, high = statistics.quantiles(wall_ns, n=4)
    if (spread := (high - low) / middle) > _LARGE_SPREAD:
        return f"the middle half of its rounds spans {100 * spread:.0f} % of the median"
    error = median_error(wall_ns)
    return f"its median is known to {100 * error:.0f} % only" if error is not None and error > _LARGE_ERROR else None
