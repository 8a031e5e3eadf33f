"""Whether a level has crept away from a pinned baseline in steps too small to be told one by one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from pytest_benchdb.model.metric import Better

LEAST_CREEP = 0.10
"""Smallest distance from the baseline that is told, as a share."""

RECENT = 5
"""Newest values whose median stands for today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creep:
    """Where a series stands against its pinned baseline.

    Attributes:
        baseline: median of the baseline's values, in the series' unit.
        recent: median of the newest values, likewise.
        change: recent / baseline - 1.
        crept: whether it is worse by more than the limit.
        values: newest values that it stands on.
    """

    baseline: float
    recent: float
    change: float
    crept: bool
    values: int


def creep(
    values: Sequence[float | None], baseline: Sequence[float | None], better: Better, *, limit: float = LEAST_CREEP
) -> Creep | None:
    """Hold the newest values against those of a pinned baseline.

    Args:
        values: one per session, in order; None and NaN are passed over.
        baseline: those of the pinned sessions.
        better: direction of the metric; ``none`` never creeps.
        limit: distance that counts, as a share; for ``higher`` the baseline is held against today, so that a fall to
            a half counts as much as a rise to the double.

    Returns:
        None where one side has no value, or the baseline is not above 0.
    """
    newest = _measured(values)[-RECENT:]
    pinned = _measured(baseline)
    if not newest or not pinned or median(pinned) <= 0:
        return None
    low, high = median(pinned), median(newest)
    worse = {"lower": high > low * (1 + limit), "higher": high * (1 + limit) < low}.get(better, False)
    return Creep(baseline=low, recent=high, change=high / low - 1, crept=worse, values=len(newest))


def _measured(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]
