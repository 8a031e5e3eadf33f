"""The search for the first commit of a new level: probabilities of the commits, the answer, and what to measure next.

`git bisect` with figures that may mislead: instead of halving the list, each step halves the probability (M. Horstein,
IEEE Transactions on Information Theory 9, 1963), and a commit is measured again while it is in doubt.

A commit that cannot be measured is never a step. Nothing distinguishes it from the next one that can be measured, so
the answer is both of them, if the culprit is one of them.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from pytest_benchdb.analysis.search.levels import Levels, Noise, Reading, levels_of, log_odds, third_level

_NEARLY = 0.05
"""By how much of the probability a step may miss the middle for a commit that is checked out already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The commits between two ends.

    Attributes:
        last: place of the bad end; the good end is 0.
        weights: how likely each commit of 1 to `last` is to be the culprit before anything is measured, in any unit.
        skipped: places of commits that cannot be measured.
    """

    last: int
    weights: tuple[float, ...]
    skipped: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """Neighbouring commits, among them the culprit.

    Attributes:
        first: place of the first one.
        last: place of the last one; equal to `first` if the culprit is known.
        probability: that the culprit is among them, from 0 to 1.
    """

    first: int
    last: int
    probability: float

    @property
    def count(self) -> int:
        """The number of commits."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known after some steps.

    Attributes:
        levels: the ends that the search has narrowed to, and their levels; None before both ends were measured.
        probabilities: of each commit from 1 on to be the culprit; they add up to 1.
        suspects: fewest neighbouring commits that have the confidence that was asked for.
        likeliest: fewest neighbouring commits that the sessions cannot tell apart, with the largest probability.
        next: place of the commit to measure next; None if the answer is known or nothing more can be measured.
        others: places at which a further change of level was seen, each the end of the narrowed search.
    """

    levels: Levels | None
    probabilities: tuple[float, ...]
    suspects: Suspects
    likeliest: Suspects
    next: int | None
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The ends to which a search has narrowed."""

    levels: Levels | None
    others: tuple[int, ...] = field(default=())


def standing_of(range_: Range, readings: Sequence[Reading], noise: Noise, *, confidence: float) -> Standing:
    """Return what readings show about the commits of a range.

    If the level changes more than once, the search goes on for the largest change that was seen.

    Args:
        range_: the commits.
        readings: of the commits and both ends, in any order.
        noise: how far they can be trusted.
        confidence: probability from which the answer is known, 0.95 for instance.
    """
    state = _narrowed(range_, readings, noise)
    levels = state.levels
    first, last = (levels.good + 1, levels.bad) if levels else (1, range_.last)
    odds = log_odds(readings, levels, noise) if levels else {}
    probabilities = _probabilities(range_, first, last, odds)
    groups = _groups(first, last, range_.skipped)
    likeliest = max((_mass(probabilities, *group) for group in groups), key=lambda each: each.probability)
    known = likeliest.probability >= confidence
    settled = {place for place, sure in odds.items() if noise.repeats and abs(sure) >= noise.most_odds}
    unmeasurable = range_.skipped | settled
    step = None if known or levels is None else _best_step(unmeasurable, levels, probabilities, odds)
    return Standing(
        levels=levels,
        probabilities=tuple(probabilities),
        suspects=likeliest if known else _fewest(probabilities, groups, confidence),
        likeliest=likeliest,
        next=step,
        others=state.others,
    )


def _narrowed(range_: Range, readings: Sequence[Reading], noise: Noise) -> _State:
    """Return the ends of the largest change, by going from ends to a third level between them."""
    levels = levels_of(readings, 0, range_.last, noise)
    others: list[int] = []
    while levels is not None and (middle := third_level(readings, levels, noise)) is not None:
        sides = [levels_of(readings, levels.good, middle, noise), levels_of(readings, middle, levels.bad, noise)]
        known = [side for side in sides if side is not None]
        if not known:
            break
        others.append(middle)
        levels = max(known, key=lambda side: abs(side.shift))
    return _State(levels=levels, others=tuple(others))


def _probabilities(range_: Range, first: int, last: int, odds: Mapping[int, float]) -> list[float]:
    """Return the probability of each commit from 1 on: those from the culprit on have the level after the change."""
    below = list(accumulate((odds.get(place, 0.0) for place in range(last, first - 1, -1)), initial=0.0))
    # `below[i]` is the evidence of the last i commits; the culprit at `place` makes those from it on changed.
    logs = [
        math.log(range_.weights[place - 1]) + below[last - place + 1] if first <= place <= last else -math.inf
        for place in range(1, range_.last + 1)
    ]
    most = max(logs)
    shares = [math.exp(log - most) for log in logs]
    total = math.fsum(shares)
    return [share / total for share in shares]


def _groups(first: int, last: int, skipped: Collection[int]) -> list[tuple[int, int]]:
    """Return the commits from `first` to `last` in groups that no session can tell apart."""
    ends = [place for place in range(first, last + 1) if place == last or place not in skipped]
    return [(before + 1, end) for before, end in pairwise([first - 1, *ends])]


def _mass(probabilities: Sequence[float], first: int, last: int) -> Suspects:
    total = min(1.0, math.fsum(probabilities[first - 1 : last]))
    return Suspects(first=first, last=last, probability=total)


def _fewest(probabilities: Sequence[float], groups: Sequence[tuple[int, int]], confidence: float) -> Suspects:
    """Return the fewest neighbouring commits that together have the confidence, the likeliest of those."""
    best = _mass(probabilities, groups[0][0], groups[-1][1])
    for start, (first, _) in enumerate(groups):
        for _, last in groups[start:]:
            found = _mass(probabilities, first, last)
            if found.probability >= confidence:
                if (found.count, -found.probability) < (best.count, -best.probability):
                    best = found
                break
    return best


def _best_step(
    unmeasurable: Collection[int], levels: Levels, probabilities: Sequence[float], odds: Mapping[int, float]
) -> int | None:
    """Return the commit that splits the probability best; one that was measured before if it is nearly as good."""
    sums = list(accumulate(probabilities))
    splits = {
        place: abs(sums[place - 1] - 0.5) for place in range(levels.good + 1, levels.bad) if place not in unmeasurable
    }
    if not splits:
        return None
    best = min(splits, key=lambda place: splits[place])
    again = [place for place in splits if place in odds and splits[place] <= splits[best] + _NEARLY]
    return min(again, key=lambda place: splits[place]) if again else best
