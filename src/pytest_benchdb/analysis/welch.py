"""Welch's t test: do two samples of unequal spread differ in their mean?

Source: B. L. Welch, Biometrika 34 (1947), with Satterthwaite's degrees of freedom. It assumes independent values: those
of sessions, not of the rounds within one, which share whatever disturbed their session.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_benchdb.analysis.student import t_ppf, t_sf


@dataclass(frozen=True, slots=True, kw_only=True)
class WelchTest:
    """Outcome of the test, in the unit of the values.

    Attributes:
        difference: mean of the candidate less that of the baseline.
        t: the difference in standard errors; infinite without any spread.
        p_value: one-sided: that the candidate only looks larger.
        low: lower end of the two-sided confidence interval of the difference.
        high: its upper end.
    """

    difference: float
    t: float
    dof: float
    p_value: float
    low: float
    high: float


def welch(baseline: Sequence[float], candidate: Sequence[float], *, level: float = 0.95) -> WelchTest:
    """Test whether `candidate` is larger than `baseline`.

    Args:
        baseline: at least two values.
        candidate: likewise.
        level: confidence of the interval.

    Raises:
        ValueError: a side has fewer than two values.
    """
    return welch_from_summary(_summary(baseline), _summary(candidate), level=level)


def welch_from_summary(
    baseline: tuple[float, float, int], candidate: tuple[float, float, int], *, level: float = 0.95
) -> WelchTest:
    """Test as `welch` does, by (mean, standard deviation with n - 1, n) of each side.

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
    # Shares of the variance, because its fourth powers leave the range of floats.
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
