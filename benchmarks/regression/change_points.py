"""Measure how well change points are found: on made-up noise, and on published histories of asv.

    python benchmarks/regression/change_points.py [--asv FOLDER_OF_GRAPHS]

The bar: of clear steps (5 % in white noise of 2 %, 10 % in noise that wanders) at least 93 % are found within four
sessions, and at most 0.05 change points are found per 100 sessions of a flat series. `--asv` takes a folder `graphs` of
pages that `asv publish` made; flat stretches and clear steps in them are labelled by a rule of their own, below.
Everything is seeded. Exit status 1 if the bar is missed.
"""

import argparse
import json
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from pytest_benchdb.analysis.series.change_points import change_points

SERIES = 200
LENGTH = 100
DEVIATION = 0.02
NEAR = 4
MOST_FALSE = 0.05
LEAST_FOUND = 0.93
BLOCK = 20
HALF = 30

Noise = Callable[[random.Random], list[float]]


def white(chance: random.Random) -> list[float]:
    """Independent values of one size."""
    return [chance.gauss(0, DEVIATION) for _ in range(LENGTH)]


def wandering(similarity: float) -> Noise:
    """Values that each resemble the one before, as those of machines do."""

    def make(chance: random.Random) -> list[float]:
        state, values = chance.gauss(0, DEVIATION), []
        for _ in range(LENGTH):
            state = similarity * state + chance.gauss(0, DEVIATION * math.sqrt(1 - similarity**2))
            values.append(state)
        return values

    return make


def spiky(noise: Noise, share: float) -> Noise:
    """Noise in which a share of the values is much too large."""

    def make(chance: random.Random) -> list[float]:
        return [v + (abs(chance.gauss(0, 0.3)) if chance.random() < share else 0.0) for v in noise(chance)]

    return make


def uneven(chance: random.Random) -> list[float]:
    """Independent values, quiet and loud by turns."""
    return [chance.gauss(0, 0.01 if (index // 25) % 2 else 0.03) for index in range(LENGTH)]


def two_modes(chance: random.Random) -> list[float]:
    """Values of one of two levels, chosen anew each time."""
    return [chance.gauss(0, 0.005) + (0.05 if chance.random() < 0.3 else 0.0) for _ in range(LENGTH)]


# The noise, and the smallest step in it that counts as clear.
NOISES: dict[str, tuple[Noise, float]] = {
    "white": (white, 0.05),
    "wandering, 0.4": (wandering(0.4), 0.10),
    "wandering, 0.7": (wandering(0.7), 0.10),
    "white, 5 % spikes": (spiky(white, 0.05), 0.05),
    "wandering 0.7, 3 % spikes": (spiky(wandering(0.7), 0.03), 0.10),
    "quiet and loud spells": (uneven, 0.05),
    "two modes 5 % apart": (two_modes, 0.10),
}


def false_ones(noise: Noise) -> float:
    """Return change points found per 100 values of flat series."""
    found = sum(len(change_points([math.exp(v) for v in noise(random.Random(seed))])) for seed in range(SERIES))
    return found / SERIES * 100 / LENGTH


def found_steps(noise: Noise, step: float) -> float:
    """Return the share of steps in the middle half of a series that are found."""
    hits = 0
    for seed in range(SERIES):
        chance = random.Random(10_000 + seed)
        place = chance.randint(25, 75)
        values = [math.exp(value) * (1 + step if index >= place else 1.0) for index, value in enumerate(noise(chance))]
        hits += any(abs(point.index - place) <= NEAR for point in change_points(values))
    return hits / SERIES


def histories(folder: Path) -> Iterator[list[float]]:
    """Return one series of each benchmark, of a parameter chosen by chance."""
    chance = random.Random(5)
    for file in sorted(folder.rglob("*.json")):
        if "summary" in file.parts:
            continue
        points = json.loads(file.read_text(encoding="utf-8"))
        rows = [p[1] if isinstance(p[1], list) else [p[1]] for p in points if isinstance(p, list) and len(p) == 2]
        if not rows:
            continue
        column = chance.randrange(max(map(len, rows)))
        values = [row[column] for row in rows if column < len(row)]
        yield [value for value in values if isinstance(value, int | float) and value > 0]


def flat_stretches(series: Sequence[float]) -> Iterator[Sequence[float]]:
    """Return stretches of 100 values in which no block of 20 has a median more than 1.5 % off the whole's."""
    logs = [math.log(value) for value in series]
    for start in range(0, len(logs) - LENGTH + 1, LENGTH):
        stretch = logs[start : start + LENGTH]
        middle = median(stretch)
        if all(abs(median(stretch[i : i + BLOCK]) - middle) < 0.015 for i in range(0, LENGTH, BLOCK)):
            yield series[start : start + LENGTH]


def clear_step(series: Sequence[float]) -> Sequence[float] | None:
    """Return the 60 values around the largest step that eyes would call clear, the step in the middle.

    It is one of 5 % or more, on whose wrong side at most 3 of the 60 lie, and whose halves stand still.
    """
    logs = [math.log(value) for value in series]
    best: tuple[float, int] | None = None
    for place in range(HALF, len(logs) - HALF + 1):
        before, after = logs[place - HALF : place], logs[place : place + HALF]
        step = median(after) - median(before)
        size = abs(step)
        if size < math.log1p(0.05) or (best and size <= best[0]):
            continue
        middle, sign = (median(after) + median(before)) / 2, math.copysign(1, step)
        wrong = sum((v - middle) * sign > 0 for v in before) + sum((v - middle) * sign < 0 for v in after)
        drift = max(abs(median(half[:15]) - median(half[15:])) for half in (before, after))
        at_place = (before[-1] - middle) * sign <= 0 <= (after[0] - middle) * sign
        if wrong <= 3 and drift <= 0.2 * size and at_place:
            best = (size, place)
    return None if best is None else series[best[1] - HALF : best[1] + HALF]


def judge(name: str, false: float, found: float, size: str) -> bool:
    """Print one line; return whether it meets the bar."""
    met = false <= MOST_FALSE and found >= LEAST_FOUND
    print(f"{name:28} {false:10.3f} {found:12.1%} of {size:24} {'' if met else 'MISSED'}")
    return met


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--asv", type=Path, help="folder `graphs` of a site that asv published")
    given = parser.parse_args()
    print(f"{'noise':28} {'false/100':>10} {'found':>12}")
    met = [
        judge(name, false_ones(noise), found_steps(noise, step), f"{step:.0%}")
        for name, (noise, step) in NOISES.items()
    ]
    if given.asv:
        all_series = list(histories(given.asv))
        flat = [stretch for series in all_series for stretch in flat_stretches(series)]
        stepped = [found for series in all_series if (found := clear_step(series)) is not None]
        false = sum(len(change_points(stretch)) for stretch in flat) / max(len(flat), 1)
        hits = sum(any(abs(point.index - HALF) <= NEAR for point in change_points(series)) for series in stepped)
        size = f"{len(stepped)} steps, {len(flat)} stretches"
        met.append(judge("asv histories", false, hits / max(len(stepped), 1), size))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
