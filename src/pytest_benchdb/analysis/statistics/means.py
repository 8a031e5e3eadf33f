"""Means of rounds with their intervals, and the ratio of two.

The intervals are of this series of rounds alone, as if its rounds were independent: another session on another day may
differ by more, which is what the rules for sessions are for.
"""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from pytest_benchdb.analysis.statistics.student import t_ppf

_UPPER = 0.975


class Estimate(NamedTuple):
    """A figure with half the width of its 95 % interval; None for the half with a single round."""

    value: float
    half: float | None


def mean_of(values: Sequence[float]) -> Estimate:
    """Return the mean of at least one value, with the interval of Student's t.

    >>> mean = mean_of([1.0, 2.0, 3.0])
    >>> mean.value, round(mean.half or 0, 4)
    (2.0, 2.4841)
    """
    mean = statistics.fmean(values)
    if len(values) == 1:
        return Estimate(mean, None)
    error = statistics.stdev(values) / math.sqrt(len(values))
    return Estimate(mean, t_ppf(_UPPER, len(values) - 1) * error)


def ratio_of_means(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Return the mean of the first as a multiple of that of the second, which is above 0.

    The variance is that of the delta method: the relative variances of both means add up (van Kempen and van Vliet,
    "Mean and variance of ratio estimators used in fluorescence ratio imaging", Cytometry 39, 2000, equation 8). The
    degrees of freedom are those of the smaller series, which errs on the side of caution.
    """
    ratio = statistics.fmean(first) / statistics.fmean(second)
    least = min(len(first), len(second))
    if least == 1:
        return Estimate(ratio, None)
    relative = sum(
        statistics.variance(values) / (len(values) * statistics.fmean(values) ** 2) for values in (first, second)
    )
    return Estimate(ratio, t_ppf(_UPPER, least - 1) * ratio * math.sqrt(relative))
