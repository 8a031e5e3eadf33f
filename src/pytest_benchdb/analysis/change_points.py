"""Where the level of a series changed for good.

The rule, with its measured bar in docs/explanation/change-points.md: logarithms, a running median of five against
single outliers, optimal partitioning, and then merging: of the cuts, the weakest goes until each survives three
questions.

1. Do the values differ in rank (Mann-Whitney)? The probability is small because a cut is chosen among many.
2. Is the step large against what a wandering level does by itself? Values that follow each other resemble each other,
   so a mean of n of them is worth fewer (M. S. Bartlett, Journal of the Royal Statistical Society 98, 1935).
3. Is it large enough to matter?
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pytest_benchdb.analysis.autocorrelation import independent_values, lag_one
from pytest_benchdb.analysis.partition import best_cuts
from pytest_benchdb.analysis.ranks import mann_whitney
from pytest_benchdb.analysis.spread import robust_deviation

LEAST_VALUES = 12
"""Values below which no change point is looked for."""

LEAST_CHANGE = 0.03
"""Smallest step that is told, as a share."""

SURE_AFTER = 5
"""Values of the new level from which a change point is no longer provisional."""

_SHORTEST_LEVEL = 4
_PENALTY = 10.0
_LARGEST_P = 0.001
_LEAST_T = 5.5
_NOISE_PER_STEP = 1.5
_LEAST_NOISE = 0.001
_NORMAL_MAD = 1.4826
_REACH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """A lasting change of a series' level.

    Attributes:
        index: of the first value of the new level.
        previous: index of the last value of the level before; what lies between was not measured.
        before: median of the level before, in the values' unit.
        after: median of the new level, up to the next change point or the end.
        change: after / before - 1; None where `before` is not above 0.
        p_value: of the two-sided Mann-Whitney test of the two levels, not corrected for the choice of the place.
        values_after: values of the new level.
        provisional: whether these are fewer than 5: it may yet turn out to be an outlier.
    """

    index: int
    previous: int
    before: float
    after: float
    change: float | None
    p_value: float
    values_after: int
    provisional: bool


def change_points(values: Sequence[float | None], *, least_change: float = LEAST_CHANGE) -> list[ChangePoint]:
    """Return the lasting changes of a series, the earliest first.

    Args:
        values: one per session, in order; None, NaN and infinite ones are passed over, not filled.
        least_change: smallest step that counts, as a share; noise of more than two thirds of it asks for more.

    Returns:
        Nothing for series of fewer than 12 values.
    """
    places = [place for place, value in enumerate(values) if value is not None and math.isfinite(value)]
    kept = [value for value in values if value is not None and math.isfinite(value)]
    if len(kept) < LEAST_VALUES:
        return []
    scaled = _scaled(kept)
    noise = max(_noise_of(scaled), _LEAST_NOISE)
    smooth = [value / noise for value in _running_median(scaled)]
    cuts = best_cuts(smooth, _PENALTY * math.log(len(kept)), least=_SHORTEST_LEVEL)
    cuts = _by_rank(scaled, cuts)
    cuts = _by_size(scaled, _moved(scaled, cuts), max(math.log1p(least_change), _NOISE_PER_STEP * noise))
    return _described(kept, places, _by_wander(scaled, cuts))


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
    return _NORMAL_MAD * median([abs(step - middle) for step in steps]) / math.sqrt(2)


def _running_median(values: Sequence[float]) -> list[float]:
    return [median(values[max(0, place - 2) : place + 3]) for place in range(len(values))]


def _pieces(values: Sequence[float], cuts: Sequence[int]) -> list[Sequence[float]]:
    borders = [0, *cuts, len(values)]
    return [values[start:stop] for start, stop in pairwise(borders)]


def _sides(values: Sequence[float], cuts: Sequence[int]) -> list[tuple[Sequence[float], Sequence[float]]]:
    """Return the piece before and the piece after each cut."""
    pieces = _pieces(values, cuts)
    return list(pairwise(pieces))


def _by_rank(scaled: Sequence[float], cuts: Sequence[int]) -> list[int]:
    """Drop the cut with the largest p-value until all are small."""
    left = list(cuts)
    while left:
        found = [mann_whitney(before, after).p_value for before, after in _sides(scaled, left)]
        if max(found) < _LARGEST_P:
            break
        del left[found.index(max(found))]
    return left


def _by_size(scaled: Sequence[float], cuts: Sequence[int], least: float) -> list[int]:
    """Drop the smallest step until all are above `least`."""
    left = list(cuts)
    while left:
        found = [abs(median(after) - median(before)) for before, after in _sides(scaled, left)]
        if min(found) > least:
            break
        del left[found.index(min(found))]
    return left


def _by_wander(scaled: Sequence[float], cuts: Sequence[int]) -> list[int]:
    """Drop the step that is smallest against its own uncertainty until all are sure."""
    left = list(cuts)
    while left:
        rests = [[value - median(piece) for value in piece] for piece in _pieces(scaled, left)]
        deviation = max(robust_deviation([value for rest in rests for value in rest]), _LEAST_NOISE)
        similarity = lag_one(rests)
        found = []
        for before, after in _sides(scaled, left):
            worth = 1 / independent_values(len(before), similarity) + 1 / independent_values(len(after), similarity)
            found.append(abs(median(after) - median(before)) / (deviation * math.sqrt(worth)))
        if min(found) > _LEAST_T:
            break
        del left[found.index(min(found))]
    return left


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


def _described(kept: Sequence[float], places: Sequence[int], cuts: Sequence[int]) -> list[ChangePoint]:
    found = []
    for cut, (before, after) in zip(cuts, _sides(kept, cuts), strict=True):
        low, high = median(before), median(after)
        point = ChangePoint(
            index=places[cut],
            previous=places[cut - 1],
            before=low,
            after=high,
            change=high / low - 1 if low > 0 else None,
            p_value=mann_whitney(before, after).p_value,
            values_after=len(after),
            provisional=len(after) < SURE_AFTER,
        )
        found.append(point)
    return found
