"""The ratio of two sides, where there is one: what geometric means and speedups are made of."""

import math

from pytest_benchdb.model.judgement import Judgement, Verdict
from pytest_benchdb.model.metric import Better

COMPARED: frozenset[Verdict] = frozenset({"regressed", "improved", "unchanged", "inconclusive"})
"""Verdicts on a change; the others are on a side that has nothing to compare."""


def ratio_of(judgement: Judgement) -> float | None:
    """Return candidate / baseline; None where nothing was compared, or a side is not above 0.

    >>> ratio_of(Judgement(verdict="regressed", change=0.25, baseline=4.0, candidate=5.0))
    1.25
    """
    change = judgement.change
    if judgement.verdict not in COMPARED or change is None or not math.isfinite(change) or change <= -1:
        return None
    if any(figure is not None and figure <= 0 for figure in (judgement.baseline, judgement.candidate)):
        return None
    return 1 + change


def speedup_of(judgement: Judgement, better: Better) -> float | None:
    """Return how many times better the candidate is, in the metric's direction; None without a ratio or a direction."""
    ratio = ratio_of(judgement)
    if ratio is None or better == "none":
        return None
    return ratio if better == "higher" else 1 / ratio
