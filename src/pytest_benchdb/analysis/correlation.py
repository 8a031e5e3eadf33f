"""How closely two quantities go together, with what the number of pairs leaves open."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_benchdb.analysis.student import normal_ppf, t_sf
from pytest_benchdb.model.judgement import Interval

LEAST_PAIRS = 4
"""Pairs below which no interval can be given."""

_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A coefficient of correlation.

    Attributes:
        value: from -1 to 1.
        interval: confidence interval by Fisher's transform.
        p_value: two-sided, of no correlation, by Student's t.
    """

    value: float
    interval: Interval
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Both coefficients of one set of pairs.

    Attributes:
        pairs: how many pairs have both values.
        pearson: of the values: how closely they follow a straight line.
        spearman: of their ranks: how closely one rises with the other, in whatever shape.
    """

    pairs: int
    pearson: Coefficient
    spearman: Coefficient


def correlate(first: Sequence[float | None], second: Sequence[float | None]) -> Correlation | None:
    """Return how two quantities go together.

    The interval of Pearson's r has the standard error 1/√(n-3) on Fisher's scale, which assumes normal values; that of
    Spearman's √((1+r²/2)/(n-3)) (D. G. Bonett and T. A. Wright, Psychometrika 65, 2000).

    Args:
        first: values of one quantity.
        second: values of the other, pair by pair; a pair that lacks one, or has one that is not finite, is left out.

    Returns:
        None with fewer than 4 pairs, or where one quantity is the same in all of them.
    """
    pairs = [
        (one, other)
        for one, other in zip(first, second, strict=True)
        if one is not None and other is not None and math.isfinite(one) and math.isfinite(other)
    ]
    if len(pairs) < LEAST_PAIRS:
        return None
    ones, others = [one for one, _ in pairs], [other for _, other in pairs]
    r, rho = _product_moment(ones, others), _product_moment(ranks(ones), ranks(others))
    if r is None or rho is None:
        return None
    n = len(pairs)
    return Correlation(
        pairs=n,
        pearson=_coefficient(r, n, 1 / math.sqrt(n - 3)),
        spearman=_coefficient(rho, n, math.sqrt((1 + rho * rho / 2) / (n - 3))),
    )


def ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value from 1; equal values share the mean of their ranks."""
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


def _product_moment(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Pearson's r; None if one side does not vary."""
    ones, others = _normed(first), _normed(second)
    if ones is None or others is None:
        return None
    return max(-1.0, min(1.0, math.fsum(one * other for one, other in zip(ones, others, strict=True))))


def _normed(values: Sequence[float]) -> list[float] | None:
    """Return distances from the mean, of length 1 together; None if there are none beside rounding."""
    mean = math.fsum(values) / len(values)
    rests = [value - mean for value in values]
    length = math.hypot(*rests)
    # Where scipy warns of input that is nearly constant.
    if length <= 1e-13 * math.hypot(*values):
        return None
    return [rest / length for rest in rests]


def _coefficient(r: float, n: int, error: float) -> Coefficient:
    if abs(r) >= 1:
        return Coefficient(value=r, interval=Interval(low=r, high=r, level=_LEVEL), p_value=0.0)
    half = normal_ppf((1 + _LEVEL) / 2) * error
    interval = Interval(low=math.tanh(math.atanh(r) - half), high=math.tanh(math.atanh(r) + half), level=_LEVEL)
    t = abs(r) * math.sqrt((n - 2) / ((1 - r) * (1 + r)))
    return Coefficient(value=r, interval=interval, p_value=min(1.0, 2 * t_sf(t, n - 2)))
