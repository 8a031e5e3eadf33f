"""The Pareto front is exactly what its definition says."""

import math
import random
from collections.abc import Sequence
from itertools import product
from typing import Literal

import pytest

from pytest_benchdb.analysis.pareto import pareto_front

Way = Literal["lower", "higher"]


def by_definition(points: Sequence[Sequence[float]], better: Sequence[Way]) -> tuple[int, ...]:
    def at_least(one: Sequence[float], other: Sequence[float]) -> bool:
        return all(a <= b if way == "lower" else a >= b for a, b, way in zip(one, other, better, strict=True))

    return tuple(
        place
        for place, point in enumerate(points)
        if not any(at_least(other, point) and tuple(other) != tuple(point) for other in points)
    )


@pytest.mark.parametrize("better", [ways for n in (1, 2, 3) for ways in product(("lower", "higher"), repeat=n)])
def test_front_is_what_no_other_point_dominates(better: Sequence[Way]) -> None:
    chance = random.Random(len(better))  # noqa: S311
    for _ in range(150):
        # Few different values, so that points tie in one respect and are equal in all.
        points = [tuple(float(chance.randrange(6)) for _ in better) for _ in range(chance.randrange(12))]

        assert pareto_front(points, better) == by_definition(points, better)


def test_equal_points_are_all_on_the_front() -> None:
    assert pareto_front([(1, 2), (1, 2), (2, 2)], ["lower", "lower"]) == (0, 1)


def test_infinite_values_are_the_best_or_the_worst() -> None:
    assert pareto_front([(math.inf, 5.0), (1.0, 5.0), (1.0, math.inf)], ["lower", "higher"]) == (2,)


def test_ten_thousand_points_on_the_front_of_a_plane_take_no_time() -> None:
    points = [(float(n), float(n)) for n in range(10_000)]

    assert len(pareto_front(points, ["lower", "higher"])) == 10_000


def test_what_was_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        pareto_front([(math.nan, 1.0)], ["lower", "lower"])
    with pytest.raises(ValueError, match="1 values"):
        pareto_front([(1.0,)], ["lower", "lower"])
