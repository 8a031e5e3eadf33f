"""Where the level of a series changed for good.

The rule, with its measured bar in docs/explanation/change-points.md: logarithms, a running median of five against
single outliers, optimal partitioning, and then merging: the weakest cut goes until every one passes three tests.

1. Do the values differ in rank (Mann-Whitney)? The probability is small because a cut is chosen among many.
2. Is the step large against what a wandering level does by itself? Values that follow each other resemble each other,
   so a mean of n of them is worth fewer (M. S. Bartlett, Journal of the Royal Statistical Society 98, 1935).
3. Is it large enough to matter?

The partitioning is that of R. Killick, P. Fearnhead and I. A. Eckley, Journal of the American Statistical Association
107 (2012), with pruning (PELT). The cost of a piece is the sum of squared differences from its mean, each cut costs a
penalty, and pieces have a least length.
"""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from statistics import median

from pytest_benchdb.analysis.statistics.mann_whitney import mann_whitney
from pytest_benchdb.analysis.statistics.spread import robust_deviation
from pytest_benchdb.model.answer.trend import ChangePoint

LEAST_VALUES = 12
"""Values below which no change point is looked for."""

LEAST_CHANGE = 0.03
"""Smallest step that is reported, as a share."""

SURE_AFTER = 5
"""Values of the new level from which a change point is no longer provisional."""

_SHORTEST_LEVEL = 4
_PENALTY = 10.0
_LARGEST_P = 0.001
_LEAST_T = 5.5
_NOISE_PER_STEP = 1.5
_LEAST_NOISE = 0.001
_MAD_OF_NORMAL = 1.4826
_REACH = 3
_CLIP = 2.0
_MOST = 0.95


def lag_one(pieces: Sequence[Sequence[float]]) -> float:
    """Return the correlation of neighbours over pieces of a series that each have their own level.

    Outliers count as two deviations at most. What estimating the levels takes away is given back (F. H. C. Marriott
    and J. A. Pope, Biometrika 41, 1954).

    Returns:
        From 0 to 0.95; 0 as well where chance explains it (less than two standard errors).
    """
    sizes = sorted(abs(value) for piece in pieces for value in piece)
    n = len(sizes)
    reach = _CLIP * _MAD_OF_NORMAL * (median(sizes) if sizes else 0.0)
    if not reach:
        return 0.0
    products = squares = 0.0
    for piece in pieces:
        clipped = [max(-reach, min(reach, value)) for value in piece]
        mean = math.fsum(clipped) / len(clipped)
        rests = [value - mean for value in clipped]
        products += math.fsum(one * other for one, other in pairwise(rests))
        squares += math.fsum(rest * rest for rest in rests)
    if not squares:
        return 0.0
    similarity = products / squares
    similarity += (1 + 3 * similarity) * len(pieces) / n
    return min(similarity, _MOST) if similarity > 2 / math.sqrt(n) else 0.0


def independent_values(n: int, similarity: float) -> float:
    """Return how many independent values have a mean as sure as that of n values of a first-order process.

    Args:
        n: at least 1.
        similarity: correlation of neighbours, from 0 to below 1.
    """
    spread = (1 + similarity) / (1 - similarity)
    ends = 2 * similarity * (1 - similarity**n) / (n * (1 - similarity) ** 2)
    return n / (spread - ends)


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
        totals = [costs[start] - (total - sums[start]) ** 2 / (end - start) for start in starts]
        best = min(totals)
        costs[end] = best + penalty
        previous[end] = starts[totals.index(best)]
        if max(totals) > costs[end]:
            # A start that loses against a cut right here never wins again, as soon as that cut can be made.
            lost |= {s: lost.get(s, end) for s, cost in zip(starts, totals, strict=True) if cost > costs[end]}
        if lost:
            gone = {start for start, since in lost.items() if since + least <= end}
            starts = [start for start in starts if start not in gone]
            lost = {start: since for start, since in lost.items() if start not in gone}
    cuts = []
    end = n
    while (end := previous[end]) > 0:
        cuts.append(end)
    return cuts[::-1]


def change_points(values: Sequence[float | None], *, least_change: float = LEAST_CHANGE) -> list[ChangePoint]:
    """Return the lasting changes of a series, the earliest first.

    Args:
        values: one per session, in order; None, NaN and infinite ones are passed over, not filled.
        least_change: smallest step that counts, as a share; noise of more than two thirds of it requires a larger one.

    Returns:
        Nothing for fewer than 12 values.
    """
    places = [place for place, value in enumerate(values) if value is not None and math.isfinite(value)]
    kept = [value for value in values if value is not None and math.isfinite(value)]
    if len(kept) < LEAST_VALUES:
        return []
    scaled = _scaled(kept)
    noise = max(_noise_of(scaled), _LEAST_NOISE)
    smooth = [median(scaled[max(0, place - 2) : place + 3]) / noise for place in range(len(scaled))]
    cuts = best_cuts(smooth, _PENALTY * math.log(len(kept)), least=_SHORTEST_LEVEL)
    cuts = _strong(cuts, lambda left: [-mann_whitney(*sides).p_value for sides in _sides(scaled, left)], -_LARGEST_P)
    cuts = _strong(
        _moved(scaled, cuts),
        lambda left: [abs(median(after) - median(before)) for before, after in _sides(scaled, left)],
        max(math.log1p(least_change), _NOISE_PER_STEP * noise),
    )
    cuts = _strong(cuts, lambda left: _steps_per_error(scaled, left), _LEAST_T)
    return [
        _described(sides, index=places[cut], previous=places[cut - 1])
        for cut, sides in zip(cuts, _sides(kept, cuts), strict=True)
    ]


def levels(values: Sequence[float | None], points: Sequence[ChangePoint]) -> list[float | None]:
    """Return the level at each place: the median of the values between the change points around it.

    Returns:
        As many as there are values; None throughout a stretch without values.
    """
    result: list[float | None] = []
    borders = [0, *(point.index for point in points), len(values)]
    for start, stop in pairwise(borders):
        kept = [value for value in values[start:stop] if value is not None and math.isfinite(value)]
        result += [median(kept) if kept else None] * (stop - start)
    return result


def _scaled(values: Sequence[float]) -> list[float]:
    """Return logarithms; for series with values that have none, shares of their typical size."""
    if all(value > 0 for value in values):
        return [math.log(value) for value in values]
    size = median([abs(value) for value in values if value] or [1.0])
    return [value / size for value in values]


def _noise_of(scaled: Sequence[float]) -> float:
    """Return the standard deviation from value to value, which steps and outliers hardly touch."""
    steps = [after - before for before, after in pairwise(scaled)]
    middle = median(steps)
    return _MAD_OF_NORMAL * median([abs(step - middle) for step in steps]) / math.sqrt(2)


def _pieces(values: Sequence[float], cuts: Sequence[int]) -> list[Sequence[float]]:
    borders = [0, *cuts, len(values)]
    return [values[start:stop] for start, stop in pairwise(borders)]


def _sides(values: Sequence[float], cuts: Sequence[int]) -> list[tuple[Sequence[float], Sequence[float]]]:
    """Return the piece before and the piece after each cut."""
    return list(pairwise(_pieces(values, cuts)))


def _strong(cuts: Sequence[int], strengths_of: Callable[[list[int]], list[float]], least: float) -> list[int]:
    """Drop the weakest cut until all are stronger than `least`."""
    left = list(cuts)
    while left:
        strengths = strengths_of(left)
        if min(strengths) > least:
            break
        del left[strengths.index(min(strengths))]
    return left


def _steps_per_error(scaled: Sequence[float], cuts: Sequence[int]) -> list[float]:
    """Return the size of each step in its standard errors."""
    rests = [[value - median(piece) for value in piece] for piece in _pieces(scaled, cuts)]
    deviation = max(robust_deviation([value for rest in rests for value in rest]), _LEAST_NOISE)
    similarity = lag_one(rests)
    steps = []
    for before, after in _sides(scaled, cuts):
        worth = 1 / independent_values(len(before), similarity) + 1 / independent_values(len(after), similarity)
        steps.append(abs(median(after) - median(before)) / (deviation * math.sqrt(worth)))
    return steps


def _moved(scaled: Sequence[float], cuts: Sequence[int]) -> list[int]:
    """Move each cut to where it divides the values best: the running median blurs it by up to two places."""
    left = list(cuts)
    for place, (before, after) in enumerate(_sides(scaled, cuts)):
        low = max(left[place] - _REACH, (left[place - 1] if place else 0) + 1)
        high = min(left[place] + _REACH, (left[place + 1] if place + 1 < len(left) else len(scaled)) - 1)
        levels_of = median(before), median(after)
        left[place] = min(range(low, high + 1), key=lambda cut: _distance(scaled[low : high + 1], cut - low, levels_of))
    return left


def _distance(values: Sequence[float], cut: int, levels_of: tuple[float, float]) -> float:
    before, after = levels_of
    return math.fsum(abs(v - before) for v in values[:cut]) + math.fsum(abs(v - after) for v in values[cut:])


def _described(sides: tuple[Sequence[float], Sequence[float]], *, index: int, previous: int) -> ChangePoint:
    before, after = sides
    low, high = median(before), median(after)
    return ChangePoint(
        index=index,
        previous=previous,
        before=low,
        after=high,
        change=high / low - 1 if low > 0 else None,
        p_value=mann_whitney(before, after).p_value,
        values_after=len(after),
        provisional=len(after) < SURE_AFTER,
    )
