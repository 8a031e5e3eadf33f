"""Bootstrap interval of a ratio of medians: how far rounds of one session alone would let it wander.

Source: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), percentile method. Resamples are not
drawn value by value: the median of n values drawn with replacement is an order statistic of n uniform places among the
sorted values, and places of order statistics follow the beta distribution, so that one draw a resample gives exactly
the same distribution however many rounds there are.
"""

import random
from collections.abc import Sequence
from functools import lru_cache

from pytest_benchdb.analysis.spread import quantile

RESAMPLES = 2000


def median_ratio_interval(
    baseline: Sequence[float], candidate: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """Return the interval of median(candidate) / median(baseline); the same values always give the same interval.

    Args:
        baseline: one per round, at least two; any unit.
        candidate: likewise.
        level: confidence.
        resamples: how many; more are smoother and slower.

    Returns:
        Its ends; None where a side has fewer than two values, or a resampled baseline is not above 0.
    """
    if min(len(baseline), len(candidate)) < 2:  # noqa: PLR2004 - one value has no spread
        return None
    below = _resampled_medians(sorted(baseline), resamples, seed=1)
    if min(below) <= 0:
        return None
    above = _resampled_medians(sorted(candidate), resamples, seed=2)
    ratios = [over / under for over, under in zip(above, below, strict=True)]
    return quantile(ratios, (1 - level) / 2), quantile(ratios, (1 + level) / 2)


def _resampled_medians(ordered: Sequence[float], resamples: int, *, seed: int) -> list[float]:
    return [(ordered[low] + ordered[high]) / 2 for low, high in _places(len(ordered), resamples, seed)]


@lru_cache(maxsize=128)
def _places(n: int, resamples: int, seed: int) -> tuple[tuple[int, int], ...]:
    """Return, for each resample, which two of n sorted values are in its middle; twice the same if n is odd."""
    generator = random.Random(seed * 1_000_003 + n)  # noqa: S311 - nothing secret
    places = []
    middle = (n + 1) // 2
    for _ in range(resamples):
        low = generator.betavariate(middle, n - middle + 1)
        # The next larger of the n - middle places above `low` is the smallest of as many uniform ones.
        high = low if n % 2 else low + (1 - low) * generator.betavariate(1, n - middle)
        places.append((min(int(low * n), n - 1), min(int(high * n), n - 1)))
    return tuple(places)
