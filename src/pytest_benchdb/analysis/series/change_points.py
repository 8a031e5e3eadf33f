"""Find the lasting changes of a series' level.

The rule works on logarithms: a running median of five against single outliers, optimal partitioning, then merging: the
weakest cut is dropped until all pass three tests. docs/explanation/change-points.md has its measured quality.

1. Do the values differ in rank (Mann-Whitney)? The limit for p is low because a cut is chosen among many.
2. Is the step large compared with the wandering of the level itself? Neighbouring values are correlated, so a mean of n
   of them is worth fewer independent ones (M. S. Bartlett, Journal of the Royal Statistical Society 98, 1935).
3. Is it large enough to matter?

The partitioning is PELT, by R. Killick, P. Fearnhead and I. A. Eckley, Journal of the American Statistical Association
107 (2012). A piece costs the sum of squared differences from its mean, a cut costs a penalty, and pieces have a minimum
length.
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
    sums = [0.0, *accumulate(value - centre for value in values)]
    # costs[t]: lowest cost of the first t values, minus the sum of their squares, which all partitions share.
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
            # A start that loses to a cut right here never wins again, once that cut can be made.
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
    residuals = [[value - median(piece) for value in piece] for piece in _pieces(scaled, cuts)]
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
