"""Orders of growth: how a cost depends on a size, with intervals.

The orders are those of google/benchmark (``1``, ``log n``, ``n``, ``n log n``, ``n²``, ``n³``). Each is fitted with a
constant part, because a call costs something even for an empty input, by least squares of the logarithms: errors of
timings are relative, and sizes span magnitudes. The best order is the one with the least corrected Akaike criterion;
those within 6 of it, at least 1/20 as likely, are not ruled out (K. P. Burnham and D. R. Anderson, Model Selection and
Multimodel Inference, 2nd edition, 2002, sections 2.4 and 2.6).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import linear_regression
from typing import NamedTuple

from pytest_benchdb.analysis.statistics.student import t_ppf
from pytest_benchdb.model.answer.growth import Curve, Exponent, Growth
from pytest_benchdb.model.verdict import Interval

LEAST_SIZES = 3
"""Number of sizes below which there is no exponent: a line through two points has no interval."""
LEAST_FOR_ORDER = 5
"""Number of sizes below which the corrected Akaike criterion of a curve is not defined."""

_ORDERS: Mapping[str, Callable[[float], float]] = {
    "log n": math.log,
    "n": lambda n: n,
    "n log n": lambda n: n * math.log(n),
    "n²": lambda n: n * n,
    "n³": lambda n: n**3,
}
_LEVEL = 0.95
_NOT_RULED_OUT = 6.0
_OUT_OF_SIGHT = math.log(1e6)
_GRID = 200
_GOLDEN = (math.sqrt(5) - 1) / 2
_PRECISION = 1e-9
_LEAST_RMS = 1e-3
"""No timings follow a curve more closely; without it, points without noise would be too sure of one curve."""


class _Fit(NamedTuple):
    order: str
    cost: float
    cost_error: float
    constant: float
    rss: float
    parameters: int


def growth_of(sizes: Sequence[float], values: Sequence[float]) -> Growth | None:
    """Return how values grow with a size.

    Args:
        sizes: different from each other, at least 1.
        values: the value at each size, in any unit.

    Returns:
        None for fewer than three sizes.
    """
    if len(sizes) < LEAST_SIZES:
        return None
    positive = all(value > 0 for value in values)
    curves = _fits(sizes, values) if positive and len(sizes) >= LEAST_FOR_ORDER else []
    scores = sorted((_criterion(fit, len(sizes)), fit) for fit in curves)
    best = scores[0] if scores else None
    return Growth(
        points=len(sizes),
        low=min(sizes),
        high=max(sizes),
        exponent=_exponent(sizes, values) if positive else None,
        curve=None if best is None else _curve(best[1], len(sizes)),
        also=() if best is None else tuple(fit.order for score, fit in scores[1:] if score - best[0] <= _NOT_RULED_OUT),
    )


def _exponent(sizes: Sequence[float], values: Sequence[float]) -> Exponent:
    xs, ys = [math.log(size) for size in sizes], [math.log(value) for value in values]
    line = linear_regression(xs, ys)
    mean = math.fsum(xs) / len(xs)
    rss = math.fsum((y - line.intercept - line.slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
    error = math.sqrt(rss / (len(xs) - 2) / math.fsum((x - mean) ** 2 for x in xs))
    reach = t_ppf((1 + _LEVEL) / 2, len(xs) - 2) * error
    return Exponent(value=line.slope, interval=Interval(low=line.slope - reach, high=line.slope + reach, level=_LEVEL))


def _fits(sizes: Sequence[float], values: Sequence[float]) -> list[_Fit]:
    logs = [math.log(value) for value in values]
    mean = math.fsum(logs) / len(logs)
    constant = _Fit("1", 0.0, 0.0, math.exp(mean), math.fsum((y - mean) ** 2 for y in logs), 1)
    return [constant, *(_fit(order, list(map(growth, sizes)), logs) for order, growth in _ORDERS.items())]


def _fit(order: str, grown: Sequence[float], logs: Sequence[float]) -> _Fit:
    """Fit ``constant + cost * grown``; for a given ratio of the two, the best cost is a mean."""

    def residuals(ratio: float) -> tuple[float, float]:
        distances = [y - math.log(ratio + x) for x, y in zip(grown, logs, strict=True)]
        mean = math.fsum(distances) / len(distances)
        return math.fsum((distance - mean) ** 2 for distance in distances), mean

    ratio = _least(lambda log_ratio: residuals(math.exp(log_ratio))[0], *_range_of_ratios(grown))
    ratio = math.exp(ratio)
    if min(grown) > 0 and residuals(0.0)[0] <= residuals(ratio)[0]:
        ratio = 0.0
    rss, log_cost = residuals(ratio)
    cost = math.exp(log_cost)
    return _Fit(order, cost, _cost_error(grown, cost, ratio, rss), cost * ratio, rss, 2)


def _range_of_ratios(grown: Sequence[float]) -> tuple[float, float]:
    """Return logarithms of the ratios at which the constant is too small or too large to be seen."""
    return math.log(min(x for x in grown if x > 0)) - _OUT_OF_SIGHT, math.log(max(grown)) + _OUT_OF_SIGHT


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the argument with the least value: by a grid, then by golden section between its best points."""
    step = (high - low) / _GRID
    at = min((low + step * number for number in range(_GRID + 1)), key=function)
    low, high = at - step, at + step
    while high - low > _PRECISION:
        first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if function(first) <= function(second):
            high = second
        else:
            low = first
    return (low + high) / 2


def _cost_error(grown: Sequence[float], cost: float, ratio: float, rss: float) -> float:
    """Return the standard error of the cost, from the curvature of the residuals in cost and constant."""
    fitted = [cost * (ratio + x) for x in grown]
    by_cost = [x / y for x, y in zip(grown, fitted, strict=True)]
    squares = math.fsum(slope * slope for slope in by_cost)
    if ratio == 0:
        return math.sqrt(rss / (len(grown) - 1) / squares)
    by_constant = [1 / y for y in fitted]
    mixed = math.fsum(one * other for one, other in zip(by_cost, by_constant, strict=True))
    determinant = squares - mixed**2 / math.fsum(slope * slope for slope in by_constant)
    return math.sqrt(rss / (len(grown) - 2) / determinant) if determinant > 0 else math.inf


def _criterion(fit: _Fit, points: int) -> float:
    """Return the corrected Akaike criterion; the variance of the residuals counts as a parameter."""
    parameters = fit.parameters + 1
    variance = max(fit.rss / points, _LEAST_RMS**2)
    correction = 2 * parameters * (parameters + 1) / (points - parameters - 1)
    return points * math.log(variance) + 2 * parameters + correction


def _curve(fit: _Fit, points: int) -> Curve:
    dof = points - (1 if fit.constant == 0 else 2)
    reach = t_ppf((1 + _LEVEL) / 2, dof) * fit.cost_error
    grows = fit.parameters > 1
    return Curve(
        order=fit.order,
        cost=fit.cost if grows else None,
        cost_interval=Interval(low=fit.cost - reach, high=fit.cost + reach, level=_LEVEL) if grows else None,
        constant=fit.constant,
        rms=math.sqrt(fit.rss / points),
    )
