"""Student's t distribution, the normal distribution and Welch's t test, without scipy.

The incomplete beta function is a continued fraction, evaluated by Lentz's method (W. H. Press et al., Numerical
Recipes, 3rd edition, 2007, section 6.4); many degrees of freedom use G. W. Hill's transform (Communications of the ACM
13, 1970, algorithm 395); quantiles use Newton's method within a bracket. All agree with scipy to 1e-9.

Welch's test (B. L. Welch, Biometrika 34, 1947, with Satterthwaite's degrees of freedom) asks whether two samples of
unequal spread differ in their mean. It assumes independent values: those of sessions, not the rounds within one
session, which share its disturbances.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

_HILL_FROM = 1e5
"""Degrees of freedom from which Hill's transform is accurate to 1e-12, and the continued fraction is slow."""

_STIRLING_FROM = 50.0
_TINY = 1e-300
_CLOSE = 1e-16
_STEPS = 2_000


def normal_sf(z: float) -> float:
    """Return the share of the standard normal distribution above `z`."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def normal_ppf(p: float) -> float:
    """Return the quantile of the standard normal distribution: the point with the share `p` below it.

    Raises:
        ValueError: `p` is not between 0 and 1.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"a probability is between 0 and 1, not {p}")
    if p in {0, 1}:
        return math.copysign(math.inf, p - 0.5)
    return NormalDist().inv_cdf(p)


def t_sf(t: float, dof: float) -> float:
    """Return the share of Student's t distribution above `t`: the one-sided p-value of `t`.

    Args:
        t: any number.
        dof: degrees of freedom, above 0; need not be whole.

    Raises:
        ValueError: `dof` is not above 0.
    """
    if not dof > 0:
        raise ValueError(f"degrees of freedom are above 0, not {dof}")
    if math.isnan(t):
        return t
    if dof >= _HILL_FROM:
        return normal_sf(math.copysign(_hill(abs(t), dof), t))
    tail = 0.5 * _beta_share(abs(t) / math.sqrt(dof), dof / 2)
    return tail if t >= 0 else 1 - tail


@lru_cache(maxsize=1024)
def t_ppf(p: float, dof: float) -> float:
    """Return the quantile of Student's t distribution: the point with the share `p` below it.

    Raises:
        ValueError: `p` is not between 0 and 1, or `dof` is not above 0.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"a probability is between 0 and 1, not {p}")
    if not dof > 0:
        raise ValueError(f"degrees of freedom are above 0, not {dof}")
    if p in {0, 1} or math.isinf(dof):
        return normal_ppf(p)
    if p == 0.5:  # noqa: PLR2004 - the middle
        return 0.0
    return _upper_point(1 - p, dof) if p > 0.5 else -_upper_point(p, dof)  # noqa: PLR2004


def _hill(t: float, dof: float) -> float:
    """Return the normal variate with the same tail as `t`, which is not negative."""
    if math.isinf(dof):
        return t
    a = dof - 0.5
    w = math.sqrt(a * math.log1p(t * t / dof))
    return w + (w**3 + 3 * w) / (48 * a * a) if math.isfinite(w) else w


def _upper_point(tail: float, dof: float) -> float:
    """Return the point with the share `tail`, less than one half, above it."""
    low, high = 0.0, 1.0
    while t_sf(high, dof) > tail:
        low, high = high, high * 2
    if math.isinf(high):
        return high
    t = (low + high) / 2
    for _ in range(200):
        above = t_sf(t, dof)
        if above > tail:
            low = t
        else:
            high = t
        # Logarithms of tails are nearly linear, so that Newton's method needs few steps.
        density = _density(t, dof)
        nearer = t + above * math.log(above / tail) / density if above and density else math.inf
        if not low <= nearer <= high:
            nearer = (low + high) / 2
        if abs(nearer - t) <= _CLOSE * 4 * abs(nearer):
            return nearer
        t = nearer
    return t


def _density(t: float, dof: float) -> float:
    scale = _log_gamma_ratio(dof / 2) - 0.5 * math.log(dof * math.pi)
    return math.exp(scale - (dof + 1) / 2 * math.log1p(t * t / dof))


def _beta_share(ratio: float, a: float) -> float:
    """Return the regularised incomplete beta function I_x(a, 1/2) at x = 1 / (1 + ratio²).

    This is the two-sided p-value of t = ratio·√(2a). The ratio keeps precision that 1 - x would lose.
    """
    odds = ratio * ratio
    if odds == 0:
        return 1.0
    log_odds = math.log1p(odds) if math.isfinite(odds) else 2 * math.log(ratio)
    x = 1 / (1 + odds)
    y = odds * x if x else 1.0
    front = math.exp(_log_gamma_ratio(a) - 0.5 * math.log(math.pi) - a * log_odds + 0.5 * math.log(y))
    if x < (a + 1) / (a + 2.5):
        return front * _fraction(a, 0.5, x) / a
    return 1 - front * _fraction(0.5, a, y) / 0.5


def _log_gamma_ratio(a: float) -> float:
    """Return ln(Γ(a + 1/2) / Γ(a)); the difference of two large logarithms would lose digits that matter."""
    if a < _STIRLING_FROM:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    return 0.5 * math.log(a) - 1 / (8 * a) + 1 / (192 * a**3) - 1 / (640 * a**5)


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function by Lentz's method."""
    c = 1.0
    d = 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / _away_from_zero(1 + even * d)
        c = _away_from_zero(1 + even / c)
        result *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _away_from_zero(1 + odd * d)
        c = _away_from_zero(1 + odd / c)
        result *= d * c
        if abs(d * c - 1) < _CLOSE * 3:
            break
    return result


def _away_from_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY


@dataclass(frozen=True, slots=True, kw_only=True)
class WelchTest:
    """Result of the test, in the unit of the values.

    Attributes:
        difference: mean of the candidate minus mean of the baseline.
        t: the difference in standard errors; infinite without any spread.
        dof: degrees of freedom.
        p_value: one-sided, for the alternative that the candidate is larger.
        low: lower end of the two-sided confidence interval of the difference.
        high: upper end.
    """

    difference: float
    t: float
    dof: float
    p_value: float
    low: float
    high: float


def welch(
    baseline: Sequence[float], candidate: Sequence[float], *, level: float = 0.95, least_deviation: float = 0.0
) -> WelchTest:
    """Test whether `candidate` is larger than `baseline`.

    Args:
        baseline: at least two values.
        candidate: at least two values.
        level: confidence of the interval.
        least_deviation: standard deviation that each side has at least.

    Raises:
        ValueError: a side has fewer than two values.
    """
    (mean_a, deviation_a, n_a), (mean_b, deviation_b, n_b) = _summary(baseline), _summary(candidate)
    return welch_from_summary(
        (mean_a, max(deviation_a, least_deviation), n_a), (mean_b, max(deviation_b, least_deviation), n_b), level=level
    )


def welch_from_summary(
    baseline: tuple[float, float, int], candidate: tuple[float, float, int], *, level: float = 0.95
) -> WelchTest:
    """Test like `welch`, from (mean, standard deviation with n - 1, n) of each side.

    Raises:
        ValueError: a side has fewer than two values.
    """
    (mean_a, deviation_a, n_a), (mean_b, deviation_b, n_b) = baseline, candidate
    if min(n_a, n_b) < 2:  # noqa: PLR2004 - one value has no spread
        raise ValueError(f"Welch's test needs two values on each side, not {n_a} and {n_b}")
    difference = mean_b - mean_a
    part_a, part_b = deviation_a**2 / n_a, deviation_b**2 / n_b
    error = math.sqrt(part_a + part_b)
    if error == 0:
        t = math.copysign(math.inf, difference) if difference else 0.0
        return WelchTest(
            difference=difference,
            t=t,
            dof=float(n_a + n_b - 2),
            p_value=0.5 if not difference else float(difference < 0),
            low=difference,
            high=difference,
        )
    # Shares of the variance, because the usual formula's fourth powers overflow.
    share_a, share_b = part_a / (part_a + part_b), part_b / (part_a + part_b)
    dof = 1 / (share_a**2 / (n_a - 1) + share_b**2 / (n_b - 1))
    t = difference / error
    reach = t_ppf((1 + level) / 2, dof) * error
    return WelchTest(
        difference=difference,
        t=t,
        dof=dof,
        p_value=t_sf(t, dof),
        low=difference - reach,
        high=difference + reach,
    )


def _summary(values: Sequence[float]) -> tuple[float, float, int]:
    n = len(values)
    if n < 2:  # noqa: PLR2004 - as above
        return (math.fsum(values), 0.0, n)
    mean = math.fsum(values) / n
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1)), n
