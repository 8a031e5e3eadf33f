"""Simulated histories: what a search would measure, with noise of a known kind."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_benchdb.analysis.search.levels import EXACT, Levels, Noise, Reading, is_clear
from pytest_benchdb.analysis.search.search import Range, Standing, standing_of

Draw = Callable[[random.Random], float]


def gaussian(deviation: float) -> Draw:
    return lambda generator: generator.gauss(0, deviation)


def heavy(deviation: float, share: float = 0.1, size: float = 0.2) -> Draw:
    """Some sessions are slower by a fifth and more, as on a machine with neighbours."""

    def draw(generator: random.Random) -> float:
        disturbed = generator.random() < share
        return generator.gauss(0, deviation) + (generator.expovariate(1 / size) if disturbed else 0.0)

    return draw


@dataclass(frozen=True, kw_only=True)
class History:
    """A range of commits with true levels.

    Attributes:
        changes: size of each change by the place of its commit.
        drift: how far the machine's level wanders from session to session.
        broken: commits that cannot be measured.
    """

    last: int
    changes: Mapping[int, float]
    draw: Draw
    drift: float = 0.0
    broken: frozenset[int] = frozenset()

    def level(self, place: int) -> float:
        return math.fsum(math.log1p(change) for at, change in self.changes.items() if at <= place)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    standing: Standing
    steps: int
    runs: int


def search(
    history: History, *, seed: int, sessions: int = 3, ends: int = 5, most_steps: int = 14, noise: Noise | None = None
) -> Outcome:
    """Search as the product does: both ends first, then steps of the ends and one commit in turn."""
    noise = noise or Noise()
    generator = random.Random(seed)  # noqa: S311 - not for secrets
    machine = 0.0
    readings: list[Reading] = []
    skipped: set[int] = set()
    runs = 0

    def measure(step: int, places: list[int], times: int, levels: Levels | None = None) -> None:
        nonlocal machine, runs
        for turn in range(times):
            for place in places if turn % 2 == 0 else places[::-1]:
                machine += generator.gauss(0, history.drift)
                runs += 1
                value = history.level(place) + machine + history.draw(generator)
                readings.append(Reading(commit=place, step=step, value=value))
            own = [reading for reading in readings if reading.step == step]
            if levels is not None and turn > 0 and is_clear(own, levels, noise, commit=places[1]):
                break

    measure(0, [0, history.last], ends)
    exact = noise is EXACT
    weights = (1.0,) * history.last
    for step in range(1, most_steps + 1):
        range_ = Range(last=history.last, weights=weights, skipped=frozenset(skipped))
        standing = standing_of(range_, readings, noise, confidence=0.95)
        while standing.next is not None and standing.next in history.broken:
            skipped.add(standing.next)
            range_ = Range(last=history.last, weights=weights, skipped=frozenset(skipped))
            standing = standing_of(range_, readings, noise, confidence=0.95)
        if standing.next is None or standing.levels is None:
            return Outcome(standing=standing, steps=step - 1, runs=runs)
        good, bad = standing.levels.good, standing.levels.bad
        if exact:
            measure(0, [standing.next], 1)
        else:
            measure(step, [good, standing.next, bad], sessions, standing.levels)
    range_ = Range(last=history.last, weights=weights, skipped=frozenset(skipped))
    return Outcome(standing=standing_of(range_, readings, noise, confidence=0.95), steps=most_steps, runs=runs)
