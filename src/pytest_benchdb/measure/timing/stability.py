"""How well rounds agree: whether a warm-up has settled, how well a median is known, what disturbed it."""

import math
import statistics
from collections.abc import Sequence

STABLE_SHARE = 0.02
"""Relative difference of two successive medians below which a warm-up has settled."""
_STABLE_ROUNDS = 5
_Z95 = 1.96


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
    if below < 0 or middle <= 0:
        return None
    ordered = sorted(values)
    return (ordered[count - 1 - below] - ordered[below]) / (2 * middle)
