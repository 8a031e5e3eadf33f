"""Where a series is best cut into pieces of constant level: optimal partitioning with pruning (PELT).

Source: R. Killick, P. Fearnhead and I. A. Eckley, Journal of the American Statistical Association 107 (2012). The cost
of a piece is the sum of squared differences from its mean, each cut costs a penalty, and pieces have a least length.
"""

import math
from collections.abc import Sequence
from itertools import accumulate


def best_cuts(values: Sequence[float], penalty: float, *, least: int) -> list[int]:
    """Return the cuts of least total cost: indices of the first value of each piece but the first, rising.

    Args:
        values: finite, in order of time.
        penalty: cost of one cut, in squares of the values' unit.
        least: how many values a piece has at least.
    """
    n = len(values)
    if n < 2 * least:
        return []
    centre = math.fsum(values) / n  # far from zero, the differences of sums would lose the digits that matter
    sums = [0.0, *accumulate(value - centre for value in values)]
    # costs[t]: least cost of the first t values, less the sum of their squares, which all partitions share.
    costs = [-penalty, *[math.inf] * n]
    previous = [0] * (n + 1)
    starts: list[int] = []
    lost: dict[int, int] = {}
    for end in range(least, n + 1):
        if costs[end - least] < math.inf:
            starts.append(end - least)
        total = sums[end]
        found = [costs[start] - (total - sums[start]) ** 2 / (end - start) for start in starts]
        best = min(found)
        costs[end] = best + penalty
        previous[end] = starts[found.index(best)]
        if max(found) > costs[end]:
            # A start that loses against a cut right here never wins again, as soon as that cut can be made.
            lost |= {s: lost.get(s, end) for s, cost in zip(starts, found, strict=True) if cost > costs[end]}
        if lost:
            gone = {start for start, since in lost.items() if since + least <= end}
            starts = [start for start in starts if start not in gone]
            lost = {start: since for start, since in lost.items() if start not in gone}
    return _walk_back(previous)


def _walk_back(previous: Sequence[int]) -> list[int]:
    cuts = []
    end = len(previous) - 1
    while (end := previous[end]) > 0:
        cuts.append(end)
    return cuts[::-1]
