"""The Mann-Whitney U test: does one sample tend to have larger values than another?

Source: H. B. Mann and D. R. Whitney, Annals of Mathematical Statistics 18 (1947); the choice between exact and
asymptotic p-value follows ``scipy.stats.mannwhitneyu``. It assumes independent values.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Literal

from pytest_benchdb.analysis.statistics.student import normal_ppf, normal_sf

Alternative = Literal["two-sided", "greater", "less"]
_EXACT_UP_TO = 8
_EXACT_PAIRS = 20_000
"""Beyond this, exact counts are slow and the asymptotic value is as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankTest:
    """Result of the test.

    Attributes:
        u: number of pairs in which the first sample's value is larger; ties count half.
        exact: whether the p-value is exact rather than approximated.
    """

    u: float
    p_value: float
    exact: bool


def mann_whitney(first: Sequence[float], second: Sequence[float], alternative: Alternative = "two-sided") -> RankTest:
    """Test whether `first` tends to have values above `second` (``greater``), below it (``less``), or either.

    The p-value is exact if one sample has at most 8 values and none are equal; otherwise it is the normal approximation
    with corrections for ties and continuity.

    Raises:
        ValueError: a sample is empty or has a NaN.
    """
    if not first or not second:
        raise ValueError(f"a rank test needs values on both sides, not {len(first)} and {len(second)}")
    if any(math.isnan(value) for value in (*first, *second)):
        raise ValueError("a rank test cannot place NaN")
    u_first, ties = _statistic(first, second)
    pairs = len(first) * len(second)
    u = {"greater": u_first, "less": pairs - u_first}.get(alternative, max(u_first, pairs - u_first))
    exact = not ties and min(len(first), len(second)) <= _EXACT_UP_TO and pairs <= _EXACT_PAIRS
    tail = _exact_tail(u, len(first), len(second)) if exact else _normal_tail(u, len(first), len(second), ties)
    p_value = tail if alternative != "two-sided" else 2 * tail
    return RankTest(u=u_first, p_value=min(p_value, 1.0), exact=exact)


def shift_interval(first: Sequence[float], second: Sequence[float], *, level: float) -> tuple[float, float] | None:
    """Return the interval of how far `second` is above `first` that the test's ranks give.

    It is between two of all differences of a value of `second` and one of `first`, in order of size (D. F. Bauer,
    Journal of the American Statistical Association 67, 1972).

    Returns:
        Both ends; None if there are too few values for this level.
    """
    n, m = len(first), len(second)
    differences = sorted(later - earlier for earlier in first for later in second)
    if min(n, m) <= _EXACT_UP_TO and n * m <= _EXACT_PAIRS:
        most = (1 - level) / 2 * math.comb(n + m, n)
        outside = sum(total <= most for total in accumulate(_orders(min(n, m), max(n, m))))
    else:
        deviation = math.sqrt(n * m * (n + m + 1) / 12)
        outside = math.floor(n * m / 2 - normal_ppf((1 + level) / 2) * deviation)
    return (differences[outside - 1], differences[n * m - outside]) if outside > 0 else None


def _statistic(first: Sequence[float], second: Sequence[float]) -> tuple[float, int]:
    """Return U of `first`, and the sum of t³ - t over the groups of t equal values."""
    counts = Counter((*first, *second))
    rank_of: dict[float, float] = {}
    placed = 0
    for value in sorted(counts):
        rank_of[value] = placed + (counts[value] + 1) / 2
        placed += counts[value]
    rank_sum = math.fsum(rank_of[value] for value in first)
    ties = sum(count**3 - count for count in counts.values())
    return rank_sum - len(first) * (len(first) + 1) / 2, ties


def _normal_tail(u: float, n: int, m: int, ties: int) -> float:
    total = n + m
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    return normal_sf((u - n * m / 2 - 0.5) / math.sqrt(variance))


def _exact_tail(u: float, n: int, m: int) -> float:
    """Return the share of all orders of n + m distinct values with U at least `u`."""
    counts = _orders(min(n, m), max(n, m))
    return sum(counts[round(u) :]) / math.comb(n + m, n)


@lru_cache(maxsize=64)
def _orders(n: int, m: int) -> tuple[int, ...]:
    """Return how many orders have U = 0, 1, ... n·m: the coefficients of the Gaussian binomial (n + m over n).

    This is the product over i = 1..n of (1 - q^(m+i)) / (1 - q^i), expanded up to q^(n·m).
    """
    size = n * m + 1
    counts = [1] + [0] * (size - 1)
    for i in range(1, n + 1):
        for power in range(size - 1, m + i - 1, -1):
            counts[power] -= counts[power - m - i]
        for power in range(i, size):
            counts[power] += counts[power - i]
    return tuple(counts)
