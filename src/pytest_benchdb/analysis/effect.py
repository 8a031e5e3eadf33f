"""Effect size: how far two samples lie apart, whatever their unit."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence


def cliffs_delta(baseline: Sequence[float], candidate: Sequence[float]) -> float | None:
    """Return by how much more often the candidate's value is the larger of a pair than the smaller.

    Source: N. Cliff, Psychological Bulletin 114 (1993).

    Returns:
        From -1 (every value of the candidate is below every one of the baseline) over 0 to 1; None if a side is empty.

    >>> cliffs_delta([1.0, 2.0], [2.0, 3.0])
    0.75
    """
    if not baseline or not candidate:
        return None
    ordered = sorted(baseline)
    larger = sum(bisect_left(ordered, value) for value in candidate)
    smaller = sum(len(ordered) - bisect_right(ordered, value) for value in candidate)
    return (larger - smaller) / (len(baseline) * len(candidate))
