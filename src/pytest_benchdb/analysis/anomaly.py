"""Single sessions that stand out from their neighbours and did not last: of the machine, not of the code."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_benchdb.analysis.change_points import ChangePoint, levels
from pytest_benchdb.analysis.spread import robust_deviation

LEAST_SHARE = 0.05
"""Smallest distance from the level that is told, as a share."""

_DEVIATIONS = 5.0
_FEWEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """A session far off the level around it, whose successor is back.

    Attributes:
        index: of the session's value.
        value: in the series' unit.
        level: where its neighbours are, likewise.
        change: value / level - 1.
        deviations: distance from the level in standard deviations of the series' noise; infinite if it has none.
    """

    index: int
    value: float
    level: float
    change: float
    deviations: float


def anomalies(values: Sequence[float | None], points: Sequence[ChangePoint]) -> list[Anomaly]:
    """Return the single outlying values that reverted, the earliest first.

    The rule is Conbench's, on logarithms: five standard deviations off, of noise that outliers do not widen, and the
    next value less than half as far off in this direction. The newest value may yet be the first of a new level.

    Args:
        values: one per session, in order; None, NaN and values that are not above 0 are passed over.
        points: change points of the same values.
    """
    at = levels(values, points)
    rests = [
        (place, value, level, math.log(value / level))
        for place, (value, level) in enumerate(zip(values, at, strict=True))
        if value is not None and level is not None and math.isfinite(value) and value > 0 and level > 0
    ]
    if len(rests) < _FEWEST:
        return []
    noise = robust_deviation([rest for *_, rest in rests])
    found = []
    for (place, value, level, rest), (*_, following) in pairwise(rests):
        far = abs(rest) > max(_DEVIATIONS * noise, math.log1p(LEAST_SHARE))
        if far and following * math.copysign(1, rest) < abs(rest) / 2:
            deviations = abs(rest) / noise if noise else math.inf
            change = value / level - 1
            found.append(Anomaly(index=place, value=value, level=level, change=change, deviations=deviations))
    return found
