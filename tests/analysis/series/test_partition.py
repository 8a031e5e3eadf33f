"""The cuts have the lowest cost, compared with all partitions and with ruptures."""

import math
import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from pytest_benchdb.analysis.series.change_points import best_cuts

LEAST = 4


def wandering(seed: int, *, step_share: float) -> tuple[list[float], float]:
    chance = random.Random(seed)  # noqa: S311 - noise, no secret
    level, values = 0.0, []
    for _ in range(chance.randint(8, 120)):
        level += chance.gauss(0, 4) if chance.random() < step_share else 0.0
        values.append(level + chance.gauss(0, 1))
    return values, chance.choice([2, 5, 10]) * math.log(len(values))


def cost(values: Sequence[float], cuts: Sequence[int], penalty: float) -> float:
    borders = [0, *cuts, len(values)]
    total = penalty * len(cuts)
    for start, stop in pairwise(borders):
        mean = math.fsum(values[start:stop]) / (stop - start)
        total += math.fsum((value - mean) ** 2 for value in values[start:stop])
    return total


def least_cost(values: Sequence[float], penalty: float) -> float:
    """Return the cost of the best partition, computed without pruning."""
    costs = {0: -penalty}
    for stop in range(LEAST, len(values) + 1):
        starts = [start for start in costs if start + LEAST <= stop]
        costs[stop] = min(costs[start] + penalty + cost(values[start:stop], [], 0) for start in starts)
    return costs[len(values)]


@pytest.mark.parametrize("seed", range(20))
def test_cuts_of_a_jumping_series_cost_the_least_possible(seed: int) -> None:
    values, penalty = wandering(seed, step_share=0.15)

    cuts = best_cuts(values, penalty, least=LEAST)

    assert cost(values, cuts, penalty) == pytest.approx(least_cost(values, penalty), rel=1e-9)
    assert all(stop - start >= LEAST for start, stop in zip([0, *cuts], [*cuts, len(values)], strict=True))


@pytest.mark.parametrize("seed", range(60))
def test_cuts_of_a_stepping_series_equal_those_of_ruptures(seed: int) -> None:
    numpy, ruptures = pytest.importorskip("numpy"), pytest.importorskip("ruptures")
    values, penalty = wandering(seed, step_share=0.03)

    found = ruptures.KernelCPD(kernel="linear", min_size=LEAST).fit(numpy.array(values)[:, None]).predict(pen=penalty)

    assert best_cuts(values, penalty, least=LEAST) == found[:-1]


def test_cuts_of_values_far_from_zero_are_those_near_zero() -> None:
    values, penalty = wandering(3, step_share=0.1)

    cuts = best_cuts([value + 1e9 for value in values], penalty, least=LEAST)

    assert cuts == best_cuts(values, penalty, least=LEAST) != []


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 7, [0.0] * 3 + [9.0] * 4], ids=["none", "one", "equal", "short"])
def test_cuts_of_too_few_values_are_none(values: list[float]) -> None:
    assert best_cuts(values, 0.1, least=LEAST) == []
