"""The level of a history: where the current one begins, and whether it moves by itself.

An older level would be noise, in which the loss of an improvement passes.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from pytest_benchdb.analysis.rules.effect_size import Scale
from pytest_benchdb.analysis.statistics.spread import robust_deviation
from pytest_benchdb.model.verdict import Policy

RECENT = 10
"""Number of sessions that are the level of a history that moves by itself."""

LEAST_SESSIONS = 5
"""Number of sessions from which a new level is the one to compare with."""

_BEFORE = 5
"""Number of sessions before the change that are compared with those after it: there may be older levels."""
_LEAST_BEFORE = 3
_LEAST_STEP = 4.0
"""Deviations within both levels by which they differ at least."""
_LEAST_DEVIATION = 0.005
_STRAYS = 0.2
"""Share of the sessions of the new level that may lie nearer to the old one."""
_AT_ONCE = 0.75
"""Share of the step that the sessions right before and after it show: a level that drifts takes it slowly."""
_NEAREST = 2
_ENDS = 5
_DRIFT = 2.0
"""Deviations between neighbours by which both ends of a drifting history differ; chance exceeds it in 2 of 100."""


def begin_of_level(history: Sequence[float], scale: Scale, policy: Policy) -> int:
    """Return the index of the first session since the last change of level; 0 if there was none.

    A change counts once it has lasted for five sessions, if it is beyond the limits, four times as large as the noise
    within both levels, taken at once, and separates all of the last sessions before it from four fifths of those since.

    Args:
        history: figures, oldest first.
        scale: of these figures.
        policy: has the limits, and the number of sessions that a verdict needs.
    """
    places = [scale.of(figure) for figure in history]
    least = max(LEAST_SESSIONS, policy.least_sessions)
    for start in range(len(history) - least, _LEAST_BEFORE - 1, -1):
        first = max(0, start - _BEFORE)
        if policy.exceeded(median(history[first:start]), median(history[start:])) and _are_apart(
            places[first:start], places[start:], least=scale.spread_of(_LEAST_DEVIATION)
        ):
            return start
    return 0


def is_drifting(history: Sequence[float], scale: Scale, policy: Policy) -> bool:
    """Return whether both ends of a history differ by a change that counts and by more than the noise."""
    if len(history) < 2 * _ENDS:
        return False
    first, last = scale.middle(history[:_ENDS]), scale.middle(history[-_ENDS:])
    steps = [scale.of(after) - scale.of(before) for before, after in pairwise(history)]
    noise = robust_deviation(steps) / math.sqrt(2)
    return policy.exceeded(first, last) and abs(scale.of(last) - scale.of(first)) > _DRIFT * noise


def _are_apart(before: Sequence[float], after: Sequence[float], *, least: float) -> bool:
    """Return whether two levels differ by more than noise of at least `least`."""
    old, new = median(before), median(after)
    step, middle = new - old, (old + new) / 2
    new_side = [(place - middle) * step > 0 for place in after]
    old_side = [(place - middle) * step < 0 for place in before]
    if not (new_side[0] and all(old_side) and new_side.count(False) <= _STRAYS * len(after)):
        return False
    if (median(after[:_NEAREST]) - median(before[-_NEAREST:])) / step < _AT_ONCE:
        return False
    residuals = [*(place - old for place in before), *(place - new for place in after)]
    return abs(step) > _LEAST_STEP * max(robust_deviation(residuals), least)
