"""What sessions show about a commit: whether its level is that before the change or that after it.

Sessions of a step run in turn, so that a machine that drifts shifts all of a step alike. Each step therefore has an
offset of its own, and only differences within a step count. A session far from both levels says little, because its
likelihood is that of Student's t with three degrees of freedom, whose tails are as heavy as those of real sessions.

How sure a step can make us is limited by `doubt`, the share of steps that mislead whatever their figures say: a
neighbour may have disturbed the sessions of one commit and not those of the others.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

HISTORY = -1
"""Step of sessions that did not run in turn with others: those that were in the history before."""

_TAILS = 3.0
"""Degrees of freedom of the likelihood."""
_MEDIAN_VARIANCE = math.pi / 2
"""Variance of a median relative to that of a mean."""
_BETWEEN = (0.25, 0.75)
"""Shares of the way from one level to the other between which a level is neither."""
_NORMAL_DIFFERENCE = 0.6745 * math.sqrt(2)
"""Median of the absolute difference of two values of a normal distribution, in standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The figure of one session.

    Attributes:
        commit: its place in the range: 0 is the good end.
        step: sessions with the same number ran in turn; `HISTORY` if it did not run in turn with others.
        value: on a scale on which equal ratios are equal distances.
    """

    commit: int
    step: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How far figures can be trusted.

    Attributes:
        least_deviation: smallest deviation between sessions that is assumed, on the scale of the readings.
        doubt: share of steps that mislead, whatever their figures say.
        history_doubt: the same for the sessions of the history.
        clear_from: distance in standard errors from which a level is neither of the two.
        steps_to_be_clear: number of steps that must show it.
        repeats: whether a further session of a commit repeats the first, so that a clear one is not measured again.
    """

    least_deviation: float = 0.005
    doubt: float = 0.02
    history_doubt: float = 0.1
    clear_from: float = 3.0
    steps_to_be_clear: int = 2
    repeats: bool = False

    @property
    def most_odds(self) -> float:
        """The most that a step can say, as the logarithm of odds."""
        return math.log((1 - self.doubt) / self.doubt)


EXACT = Noise(least_deviation=0.001, doubt=0.0005, history_doubt=0.0005, steps_to_be_clear=1, repeats=True)
"""For metrics that repeat exactly, or to a permille, such as counted instructions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The two levels, seen from the ends of a range.

    Attributes:
        good: place of the commit that has the level before the change.
        bad: place of the commit that has the level after it.
        shift: level after minus level before, on the scale of the readings.
        deviation: between sessions of one commit and step.
    """

    good: int
    bad: int
    shift: float
    deviation: float


def levels_of(readings: Sequence[Reading], good: int, bad: int, noise: Noise) -> Levels | None:
    """Return the levels of two commits; None unless both were measured in one step.

    The shift is the median of all differences within a step (J. L. Hodges and E. L. Lehmann, Annals of Mathematical
    Statistics 34, 1963); sessions of the history count only if nothing else is there.
    """
    steps = _by_step(readings)
    fresh = [step for number, step in steps.items() if number != HISTORY]
    shifts = _shifts(fresh, good, bad) or _shifts([steps.get(HISTORY, {})], good, bad)
    if not shifts:
        return None
    return Levels(good=good, bad=bad, shift=median(shifts), deviation=_deviation(steps.values(), noise))


def _shifts(steps: Iterable[Mapping[int, list[float]]], good: int, bad: int) -> list[float]:
    return [after - before for step in steps for before in step.get(good, ()) for after in step.get(bad, ())]


def _deviation(steps: Iterable[Mapping[int, list[float]]], noise: Noise) -> float:
    """Return the deviation within a commit and step, from all pairs of sessions, so that outliers hardly count."""
    apart = [abs(one - other) for step in steps for values in step.values() for one, other in combinations(values, 2)]
    return max(median(apart) / _NORMAL_DIFFERENCE if apart else 0.0, noise.least_deviation)


def log_odds(readings: Sequence[Reading], levels: Levels, noise: Noise) -> dict[int, float]:
    """Return for each measured commit between the ends the logarithm of the odds that it has the level after.

    Steps in which no end was measured say nothing.
    """
    odds: dict[int, float] = {}
    for number, step in _by_step(readings).items():
        start = _start_of(step, levels)
        if start is None:
            continue
        offset, error = start
        doubt = noise.history_doubt if number == HISTORY else noise.doubt
        for commit, values in step.items():
            if levels.good < commit < levels.bad:
                evidence = math.fsum(_evidence(value - offset, levels, error) for value in values)
                odds[commit] = odds.get(commit, 0.0) + _doubted(evidence, doubt)
    return odds


def is_clear(readings: Sequence[Reading], levels: Levels, noise: Noise, *, commit: int) -> bool:
    """Return whether readings of one step say as much of a commit as a step can: further sessions would add nothing."""
    sure = log_odds(readings, levels, noise).get(commit)
    return sure is not None and abs(sure) >= noise.most_odds


def _start_of(step: Mapping[int, list[float]], levels: Levels) -> tuple[float, float] | None:
    """Return the level before the change in a step, and its standard error."""
    known = [*step.get(levels.good, ()), *(value - levels.shift for value in step.get(levels.bad, ()))]
    if not known:
        return None
    return median(known), levels.deviation * math.sqrt(_MEDIAN_VARIANCE / len(known))


def _evidence(distance: float, levels: Levels, error: float) -> float:
    """Return the log-likelihood ratio of one session; `distance` is from the level before the change.

    What is beyond a level counts as if it were on it: slower than the slow level is not evidence for the fast one.
    """
    share = min(1.0, max(0.0, distance / levels.shift)) if levels.shift else 0.5
    width = math.hypot(levels.deviation, error)
    before, after = share * levels.shift / width, (1 - share) * levels.shift / width
    return (_TAILS + 1) / 2 * (math.log1p(before**2 / _TAILS) - math.log1p(after**2 / _TAILS))


def _doubted(evidence: float, doubt: float) -> float:
    """Return evidence that allows for steps that mislead: with odds of at most (1 - doubt) to doubt."""
    most = math.log((1 - doubt) / doubt)
    return max(-most, min(most, evidence))


def distances(readings: Sequence[Reading], levels: Levels, noise: Noise) -> dict[int, list[list[float]]]:
    """Return how far the sessions of commits between the ends are from the level before, by commit and step.

    Steps in which no end was measured are left out, as are sessions of the history that are not as good as others.
    """
    found: dict[int, list[list[float]]] = {}
    for number, step in _by_step(readings).items():
        start = _start_of(step, levels)
        if start is None or (number == HISTORY and noise.history_doubt > noise.doubt):
            continue
        for commit, values in step.items():
            if levels.good < commit < levels.bad:
                found.setdefault(commit, []).append([value - start[0] for value in values])
    return found


def third_level(readings: Sequence[Reading], levels: Levels, noise: Noise) -> int | None:
    """Return a commit whose level is clearly neither that before nor that after the change; None without one.

    There are then at least two changes between the ends.
    """
    if not levels.shift:
        return None
    for commit, steps in distances(readings, levels, noise).items():
        values = [value for step in steps for value in step]
        share = median(values) / levels.shift
        error = levels.deviation * math.sqrt(2 * _MEDIAN_VARIANCE / len(values))
        clear = min(share, 1 - share) * abs(levels.shift) > noise.clear_from * error
        if _BETWEEN[0] < share < _BETWEEN[1] and clear and len(steps) >= noise.steps_to_be_clear:
            return commit
    return None


def _by_step(readings: Iterable[Reading]) -> dict[int, dict[int, list[float]]]:
    """Return the values by step and commit."""
    steps: dict[int, dict[int, list[float]]] = {}
    for reading in readings:
        steps.setdefault(reading.step, {}).setdefault(reading.commit, []).append(reading.value)
    return steps
