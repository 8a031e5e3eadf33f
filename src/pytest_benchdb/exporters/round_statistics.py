"""Statistics of rounds by the formulas of pytest-benchmark 5.3 (``pytest_benchmark/stats.py``).

They differ from the database's, whose quartiles are interpolated linearly.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

_FENCE = 1.5


def statistics_of(samples: Sequence[float]) -> dict[str, object]:
    """Return the 16 statistics under pytest-benchmark's names, in its order.

    Args:
        samples: one per round, at least one; any unit.

    >>> statistics_of([1.0, 2.0, 3.0, 4.0, 20.0])["outliers"]
    '1;1'
    """
    ordered = sorted(samples)
    n = len(ordered)
    total = math.fsum(ordered)
    mean = min(max(total / n, ordered[0]), ordered[-1])  # equal rounds have exactly their own mean
    stddev = math.sqrt(math.fsum((x - mean) ** 2 for x in ordered) / (n - 1)) if n > 1 else 0
    q1, q3 = quartiles(ordered)
    iqr = q3 - q1
    low, high = q1 - _FENCE * iqr, q3 + _FENCE * iqr
    beyond_stddev = _outside(ordered, mean - stddev, mean + stddev)
    beyond_iqr = _outside(ordered, low, high)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": mean,
        "stddev": stddev,
        "rounds": n,
        "median": _median(ordered),
        "iqr": iqr,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond_iqr,
        "stddev_outliers": beyond_stddev,
        "outliers": f"{beyond_stddev};{beyond_iqr}",
        "ld15iqr": ordered[min(bisect_left(ordered, low), n - 1)],
        "hd15iqr": ordered[max(bisect_right(ordered, high) - 1, 0)],
        "ops": n / total if total else 0,
        "total": total,
    }


def quartiles(ordered: Sequence[float]) -> tuple[float, float]:
    """Return the first and third quartile by method 3 (odd counts) or 2 (even counts) of Wikipedia's "Quartile".

    >>> quartiles([1.0, 2.0, 3.0, 4.0, 5.0])
    (1.75, 4.25)
    """
    count = len(ordered)
    n, rest = divmod(count, 4)
    if count == 1:
        return ordered[0], ordered[0]
    if rest == 1:
        return _between(ordered, n - 1, 0.75), _between(ordered, 3 * n, 0.25)
    if rest == 3:  # noqa: PLR2004 - of four
        return _between(ordered, n, 0.25), _between(ordered, 3 * n + 1, 0.75)
    return _median(ordered[: count // 2]), _median(ordered[count // 2 :])


def _between(ordered: Sequence[float], index: int, share: float) -> float:
    return (1 - share) * ordered[index] + share * ordered[index + 1]


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _outside(ordered: Sequence[float], low: float, high: float) -> int:
    return bisect_left(ordered, low) + len(ordered) - bisect_right(ordered, high)
