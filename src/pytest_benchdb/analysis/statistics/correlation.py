"""Pearson's and Spearman's correlation, with confidence intervals and p-values."""

import math
from collections.abc import Sequence
from itertools import permutations

from pytest_benchdb.analysis.statistics.student import normal_ppf, t_sf
from pytest_benchdb.model.answer.correlation import Coefficient, Correlation
from pytest_benchdb.model.verdict import Interval

LEAST_PAIRS = 4
"""Number of pairs below which there is no interval."""

_LEVEL = 0.95
_MAX_PERMUTED = 7
_ROUNDING = 1e-9


def correlate(first: Sequence[float | None], second: Sequence[float | None]) -> Correlation | None:
    """Return both correlation coefficients of two quantities.

    On Fisher's scale, the standard error of Pearson's r is 1/√(n-3), which assumes normal values, and Spearman's is
    √((1+r²/2)/(n-3)) (D. G. Bonett and T. A. Wright, Psychometrika 65, 2000). Up to 7 pairs, Spearman's p-value is
    exact, over all permutations: Student's t would be too sure.

    Args:
        first: values of one quantity.
        second: values of the other, in the same order; pairs with a missing or non-finite value are left out.

    Returns:
        None for fewer than 4 pairs, or if one quantity does not vary.
    """
    pairs = [
        (one, other)
        for one, other in zip(first, second, strict=True)
        if one is not None and other is not None and math.isfinite(one) and math.isfinite(other)
    ]
    if len(pairs) < LEAST_PAIRS:
        return None
    ones, others = [one for one, _ in pairs], [other for _, other in pairs]
    r, rho = _pearson(ones, others), _pearson(ranks(ones), ranks(others))
    if r is None or rho is None:
        return None
    n = len(pairs)
    return Correlation(pairs=n, pearson=_of_values(r, n), spearman=_of_ranks(rho, ranks(ones), ranks(others)))


def ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value, from 1; equal values share their mean rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    start = 0
    while start < len(order):
        stop = start
        while stop < len(order) and values[order[stop]] == values[order[start]]:
            stop += 1
        for place in order[start:stop]:
            result[place] = (start + 1 + stop) / 2
        start = stop
    return result


def _pearson(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Pearson's r; None if one side does not vary."""
    ones, others = _normed(first), _normed(second)
    if ones is None or others is None:
        return None
    return max(-1.0, min(1.0, math.fsum(one * other for one, other in zip(ones, others, strict=True))))


def _normed(values: Sequence[float]) -> list[float] | None:
    """Return distances from the mean, scaled to unit length; None if there are none apart from rounding."""
    mean = math.fsum(values) / len(values)
    distances = [value - mean for value in values]
    length = math.hypot(*distances)
    # The limit at which scipy warns about nearly constant input.
    if length <= 1e-13 * math.hypot(*values):
        return None
    return [distance / length for distance in distances]


def _of_values(r: float, n: int) -> Coefficient:
    error = 1 / math.sqrt(n - 3)
    low, high = (r, r) if abs(r) >= 1 else _fisher_interval(r, error)
    return Coefficient(value=r, interval=Interval(low=low, high=high, level=_LEVEL), p_value=_student_p(r, n))


def _of_ranks(rho: float, first: Sequence[float], second: Sequence[float]) -> Coefficient:
    n = len(first)
    # Four ranks in order prove nothing: use the interval of the next smaller value that n ranks can have.
    inner = math.copysign(min(abs(rho), 1 - 12 / (n * (n * n - 1))), rho)
    low, high = _fisher_interval(inner, math.sqrt((1 + inner * inner / 2) / (n - 3)))
    interval = Interval(
        low=low if rho > -1 + _ROUNDING else -1.0, high=high if rho < 1 - _ROUNDING else 1.0, level=_LEVEL
    )
    p_value = (
        _permutation_p(first, second) if n <= _MAX_PERMUTED else max(_student_p(rho, n), 2 / math.factorial(min(n, 20)))
    )
    return Coefficient(value=rho, interval=interval, p_value=p_value)


def _permutation_p(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the share of all permutations of one side whose correlation is at least as strong."""
    ones, others = _normed(first) or [], _normed(second) or []
    observed = abs(math.fsum(one * other for one, other in zip(ones, others, strict=True))) - _ROUNDING
    sums = [abs(sum(one * other for one, other in zip(ones, order, strict=True))) for order in permutations(others)]
    return sum(value >= observed for value in sums) / len(sums)


def _fisher_interval(r: float, error: float) -> tuple[float, float]:
    half = normal_ppf((1 + _LEVEL) / 2) * error
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def _student_p(r: float, n: int) -> float:
    if abs(r) >= 1:
        return 0.0
    return min(1.0, 2 * t_sf(abs(r) * math.sqrt((n - 2) / ((1 - r) * (1 + r))), n - 2))
