"""Find the lasting changes of a series' level.

The rule works on logarithms: a running median of five against single outliers, optimal partitioning, then merging: the
weakest cut is dropped until all pass three tests. docs/explanation/change-points.md has its measured quality.

1. Do the values differ in rank (Mann-Whitney)? The limit for p is low because a cut is chosen among many.
2. Is the step large compared with the wandering of the level itself? Neighbouring values are correlated, so a mean of n
   of them is worth fewer independent ones (M. S. Bartlett, Journal of the Royal Statistical Society 98, 1935).
3. Is it large enough to matter?

A piece costs the sum of squared differences from its mean, a cut costs a penalty, and pieces have a minimum length. The
best partition is found exactly, by dynamic programming with functional pruning (FPOP, by R. Maidstone, T. Hocking, G.
Rigaill and P. Fearnhead, Statistics and Computing 27, 2017): of a piece that is still open, only those starts are kept
that are best for some level, which are about ten, however long the series is.
"""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from statistics import median

from pytest_benchdb.analysis.statistics.mann_whitney import mann_whitney
from pytest_benchdb.analysis.statistics.spread import robust_deviation
from pytest_benchdb.model.answer.trend import ChangePoint

LEAST_VALUES = 12
"""Number of values below which no change point is searched for."""

LEAST_CHANGE = 0.03
"""Smallest step that is reported, as a share."""

SURE_AFTER = 5
"""Number of values of the new level from which a change point is no longer provisional."""

_SHORTEST_LEVEL = 4
_PENALTY = 10.0
_LARGEST_P = 0.001
_LEAST_T = 5.5
_NOISE_PER_STEP = 1.5
_LEAST_NOISE = 0.001
_MAD_OF_NORMAL = 1.4826
_MAX_MOVE = 3
_CLIP_DEVIATIONS = 2.0
_MAX_CORRELATION = 0.95
_ROUNDING = 1e-9
"""By how much a range of levels may be too small for its rounding errors."""


def autocorrelation(pieces: Sequence[Sequence[float]]) -> float:
    """Return the lag-1 autocorrelation over pieces of a series that each have their own level.

    Outliers are clipped to two deviations. The bias from estimating the levels is corrected (F. H. C. Marriott and
    J. A. Pope, Biometrika 41, 1954).

    Returns:
        From 0 to 0.95; 0 if chance explains it (less than two standard errors).
    """
    sizes = sorted(abs(value) for piece in pieces for value in piece)
    n = len(sizes)
    reach = _CLIP_DEVIATIONS * _MAD_OF_NORMAL * (median(sizes) if sizes else 0.0)
    if not reach:
        return 0.0
    products = squares = 0.0
    for piece in pieces:
        clipped = [max(-reach, min(reach, value)) for value in piece]
        mean = math.fsum(clipped) / len(clipped)
        residuals = [value - mean for value in clipped]
        products += math.fsum(one * following for one, following in pairwise(residuals))
        squares += math.fsum(residual * residual for residual in residuals)
    if not squares:
        return 0.0
    correlation = products / squares
    correlation += (1 + 3 * correlation) * len(pieces) / n
    return min(correlation, _MAX_CORRELATION) if correlation > 2 / math.sqrt(n) else 0.0


def effective_size(n: int, correlation: float) -> float:
    """Return the effective sample size of n values of a first-order autoregressive process.

    Args:
        n: at least 1.
        correlation: lag-1 autocorrelation, from 0 to below 1.
    """
    spread = (1 + correlation) / (1 - correlation)
    ends = 2 * correlation * (1 - correlation**n) / (n * (1 - correlation) ** 2)
    return n / (spread - ends)


def best_cuts(values: Sequence[float], penalty: float, *, least: int) -> list[int]:
    """Return the cuts of lowest total cost: ascending indices of the first value of each piece but the first.

    Args:
        values: finite, in order of time.
        penalty: cost of one cut, in squares of the values' unit.
        least: minimum length of a piece.
    """
    n = len(values)
    if n < 2 * least:
        return []
    centre = math.fsum(values) / n  # far from zero, differences of sums would lose digits that matter
    centred = [value - centre for value in values]
    sums = [0.0, *accumulate(centred)]
    squares = [0.0, *accumulate(value * value for value in centred)]
    # costs[t]: lowest cost of the first t values, minus the sum of their squares, which all partitions share.
    costs = [-penalty, *[math.inf] * n]
    previous = [0] * (n + 1)
    open_starts: list[_Start] = []
    for end in range(least, n + 1):
        newest = end - least
        if costs[newest] < math.inf:
            open_starts = _with_start(open_starts, newest, costs, sums, squares)
        total = sums[end]
        totals = [costs[start] - (total - sums[start]) ** 2 / (end - start) for start, _ in open_starts]
        best = min(totals)
        costs[end] = best + penalty
        previous[end] = open_starts[totals.index(best)][0]
    cuts = []
    end = n
    while (end := previous[end]) > 0:
        cuts.append(end)
    return cuts[::-1]


_Start = tuple[int, list[tuple[float, float]]]
"""Start of a piece that is still open, and the levels for which it is the best start: disjoint, ascending ranges."""


def _with_start(
    starts: Sequence[_Start], newest: int, costs: Sequence[float], sums: Sequence[float], squares: Sequence[float]
) -> list[_Start]:
    """Add a start, and keep of the others what is still best for some level.

    An earlier start is better for the levels around the mean of the values between both, because it pays no cut there
    and little for these values; whatever follows costs both the same.
    """
    taken: list[tuple[float, float]] = []
    kept: list[_Start] = []
    for start, ranges in starts:
        length = newest - start
        mean = (sums[newest] - sums[start]) / length
        within = squares[newest] - squares[start] - length * mean * mean
        # `costs` are without the squares, which these values cost the earlier start only.
        saved = (costs[newest] + squares[newest] - costs[start] - squares[start] - within) / length
        if saved < 0:
            continue
        reach = math.sqrt(saved) * (1 + _ROUNDING)
        low, high = mean - reach, mean + reach
        left = [(max(low, first), min(high, last)) for first, last in ranges if first < high and last > low]
        if left:
            kept.append((start, left))
            taken += left
    free = _without(taken)
    if free:
        kept.append((newest, free))
    return kept


def _without(taken: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the levels that are in none of the ranges."""
    free = []
    reached = -math.inf
    for first, last in sorted(taken):
        if first > reached:
            free.append((reached, first))
        reached = max(reached, last)
    if reached < math.inf:
        free.append((reached, math.inf))
    return free


def change_points(values: Sequence[float | None], *, least_change: float = LEAST_CHANGE) -> list[ChangePoint]:
    """Return the lasting changes of a series, the earliest first.

    Args:
        values: one per session, in order; None, NaN and infinities are skipped, not filled in.
        least_change: smallest step that counts, as a share; noise above two thirds of it requires a larger step.

    Returns:
        Empty for fewer than 12 values.
    """
    places = [place for place, value in enumerate(values) if value is not None and math.isfinite(value)]
    kept = [value for value in values if value is not None and math.isfinite(value)]
    if len(kept) < LEAST_VALUES:
        return []
    scaled = _rescale(kept)
    noise = max(_noise_of(scaled), _LEAST_NOISE)
    smooth = [median(scaled[max(0, place - 2) : place + 3]) / noise for place in range(len(scaled))]
    cuts = best_cuts(smooth, _PENALTY * math.log(len(kept)), least=_SHORTEST_LEVEL)
    cuts = _drop_weak(
        cuts, lambda remaining: [-mann_whitney(*sides).p_value for sides in _sides(scaled, remaining)], -_LARGEST_P
    )
    cuts = _drop_weak(
        _refine(scaled, cuts),
        lambda remaining: [abs(median(after) - median(before)) for before, after in _sides(scaled, remaining)],
        max(math.log1p(least_change), _NOISE_PER_STEP * noise),
    )
    cuts = _drop_weak(cuts, lambda remaining: _steps_per_error(scaled, remaining), _LEAST_T)
    return [
        _change_point(sides, index=places[cut], previous=places[cut - 1])
        for cut, sides in zip(cuts, _sides(kept, cuts), strict=True)
    ]


def levels(values: Sequence[float | None], points: Sequence[ChangePoint]) -> list[float | None]:
    """Return the level at each place: the median of the values between the change points around it.

    Returns:
        One per value; None throughout a level without values.
    """
    result: list[float | None] = []
    borders = [0, *(point.index for point in points), len(values)]
    for start, stop in pairwise(borders):
        kept = [value for value in values[start:stop] if value is not None and math.isfinite(value)]
        result += [median(kept) if kept else None] * (stop - start)
    return result


def _rescale(values: Sequence[float]) -> list[float]:
    """Return logarithms; if some value is not above 0, shares of the typical magnitude instead."""
    if all(value > 0 for value in values):
        return [math.log(value) for value in values]
    size = median([abs(value) for value in values if value] or [1.0])
    return [value / size for value in values]


def _noise_of(scaled: Sequence[float]) -> float:
    """Return the standard deviation from value to value, which steps and outliers hardly affect."""
    steps = [after - before for before, after in pairwise(scaled)]
    middle = median(steps)
    return _MAD_OF_NORMAL * median([abs(step - middle) for step in steps]) / math.sqrt(2)


def _pieces(values: Sequence[float], cuts: Sequence[int]) -> list[Sequence[float]]:
    borders = [0, *cuts, len(values)]
    return [values[start:stop] for start, stop in pairwise(borders)]


def _sides(values: Sequence[float], cuts: Sequence[int]) -> list[tuple[Sequence[float], Sequence[float]]]:
    """Return the piece before and the piece after each cut."""
    return list(pairwise(_pieces(values, cuts)))


def _drop_weak(cuts: Sequence[int], strengths_of: Callable[[list[int]], list[float]], least: float) -> list[int]:
    """Drop the weakest cut until all remaining ones are stronger than `least`."""
    remaining = list(cuts)
    while remaining:
        strengths = strengths_of(remaining)
        if min(strengths) > least:
            break
        del remaining[strengths.index(min(strengths))]
    return remaining


def _steps_per_error(scaled: Sequence[float], cuts: Sequence[int]) -> list[float]:
    """Return the size of each step in standard errors."""
    pieces = [(piece, median(piece)) for piece in _pieces(scaled, cuts)]
    residuals = [[value - middle for value in piece] for piece, middle in pieces]
    deviation = max(robust_deviation([value for piece in residuals for value in piece]), _LEAST_NOISE)
    correlation = autocorrelation(residuals)
    steps = []
    for before, after in _sides(scaled, cuts):
        worth = 1 / effective_size(len(before), correlation) + 1 / effective_size(len(after), correlation)
        steps.append(abs(median(after) - median(before)) / (deviation * math.sqrt(worth)))
    return steps


def _refine(scaled: Sequence[float], cuts: Sequence[int]) -> list[int]:
    """Move each cut to where it separates the values best: the running median blurs it by up to two places."""
    remaining = list(cuts)
    for place, (before, after) in enumerate(_sides(scaled, cuts)):
        low = max(remaining[place] - _MAX_MOVE, (remaining[place - 1] if place else 0) + 1)
        high = min(
            remaining[place] + _MAX_MOVE, (remaining[place + 1] if place + 1 < len(remaining) else len(scaled)) - 1
        )
        medians = median(before), median(after)
        remaining[place] = min(
            range(low, high + 1), key=lambda cut: _distance(scaled[low : high + 1], cut - low, medians)
        )
    return remaining


def _distance(values: Sequence[float], cut: int, medians: tuple[float, float]) -> float:
    before, after = medians
    return math.fsum(abs(v - before) for v in values[:cut]) + math.fsum(abs(v - after) for v in values[cut:])


def _change_point(sides: tuple[Sequence[float], Sequence[float]], *, index: int, previous: int) -> ChangePoint:
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
