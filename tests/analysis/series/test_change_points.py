"""Change points are found where the level changed, and nowhere else."""

import math
import random

import pytest

from pytest_benchdb.analysis.series.change_points import change_points, levels


def noisy(level: float, n: int, *, seed: int = 1, deviation: float = 0.02) -> list[float]:
    chance = random.Random(seed)  # noqa: S311 - noise, no secret
    return [level * math.exp(chance.gauss(0, deviation)) for _ in range(n)]


def autocorrelated(n: int, seed: int, similarity: float, deviation: float) -> list[float]:
    chance = random.Random(seed)  # noqa: S311 - noise, no secret
    state, values = chance.gauss(0, deviation), []
    for _ in range(n):
        state = similarity * state + chance.gauss(0, deviation * math.sqrt(1 - similarity**2))
        values.append(math.exp(state))
    return values


def test_step_is_described() -> None:
    before, after = noisy(1e-3, 30), noisy(1.2e-3, 20, seed=2)

    (point,) = change_points(before + after)

    assert (point.index, point.previous, point.values_after) == (30, 29, 20)
    assert point.before == pytest.approx(1e-3, rel=0.01)
    assert point.after == pytest.approx(1.2e-3, rel=0.01)
    assert point.change == pytest.approx(point.after / point.before - 1)
    assert point.p_value < 1e-6
    assert not point.provisional


def test_step_with_four_values_after_is_provisional() -> None:
    points = change_points([*noisy(1.0, 30), 1.31, 1.29, 1.3, 1.32])

    assert [(point.index, point.provisional) for point in points] == [(30, True)]


def test_gap_before_the_new_level_is_the_unmeasured_range() -> None:
    values: list[float | None] = [*noisy(1.0, 20), None, math.nan, None, *noisy(1.5, 20, seed=2)]

    (point,) = change_points(values)

    assert (point.previous, point.index) == (19, 23)


def test_two_steps_are_kept_apart() -> None:
    values = noisy(1.0, 30) + noisy(1.15, 30, seed=2) + noisy(1.0, 30, seed=3)

    points = change_points(values)

    assert [point.index for point in points] == [30, 60]
    assert [point.change is not None and point.change > 0 for point in points] == [True, False]


@pytest.mark.parametrize("seed", range(5))
def test_place_of_a_clear_step_does_not_depend_on_unit_or_direction(seed: int) -> None:
    values = noisy(1.0, 25, seed=seed) + noisy(1.1, 25, seed=seed + 100)

    here = [point.index for point in change_points(values)]
    scaled = [point.index for point in change_points([value * 1e-9 for value in values])]
    inverted = [point.index for point in change_points([1 / value for value in values])]

    assert here == scaled == inverted == [pytest.approx(25, abs=1)]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([], id="nothing"),
        pytest.param([None] * 30, id="nothing measured"),
        pytest.param(noisy(1.0, 4) + noisy(2.0, 4), id="too few"),
        pytest.param([1.0] * 30, id="constant"),
        pytest.param([0.0] * 30, id="zeros"),
        pytest.param([*noisy(1.0, 20), 5.0, *noisy(1.0, 20, seed=2)], id="one outlier"),
        pytest.param([*noisy(1.0, 20), 5.0, 5.1, *noisy(1.0, 20, seed=2)], id="two outliers"),
        pytest.param(noisy(1.0, 30, deviation=0.001) + noisy(1.02, 30, seed=2, deviation=0.001), id="below 3 %"),
    ],
)
def test_series_without_a_lasting_change_has_no_change_points(values: list[float | None]) -> None:
    assert change_points(values) == []


def test_exact_step_of_a_constant_series_is_found() -> None:
    (point,) = change_points([1024.0] * 15 + [2048.0] * 15)

    assert (point.index, point.change) == (15, 1.0)


def test_step_from_zero_has_no_share() -> None:
    (point,) = change_points([0.0] * 15 + [3.0] * 15)

    assert (point.before, point.after, point.change) == (0.0, 3.0, None)


def test_smaller_least_change_finds_smaller_steps() -> None:
    values = noisy(1.0, 30, deviation=0.001) + noisy(1.02, 30, seed=2, deviation=0.001)

    assert [point.index for point in change_points(values, least_change=0.01)] == [30]


def test_levels_are_the_medians_between_change_points() -> None:
    values: list[float | None] = [1.0] * 12 + [None] + [2.0] * 12

    assert levels(values, change_points(values)) == [1.0] * 13 + [2.0] * 12


@pytest.mark.parametrize("similarity", [0.0, 0.4, 0.7])
def test_flat_series_have_at_most_one_false_change_point_in_twenty(similarity: float) -> None:
    found = [len(change_points(autocorrelated(100, seed, similarity, 0.02))) for seed in range(40)]

    assert sum(found) <= 2


@pytest.mark.parametrize(("similarity", "step"), [(0.0, 1.05), (0.4, 1.10), (0.7, 1.15)])
def test_clear_steps_are_found_within_four_values(similarity: float, step: float) -> None:
    hits = 0
    for seed in range(30):
        values = autocorrelated(100, seed, similarity, 0.02)
        place = 25 + seed
        stepped = [value * (step if index >= place else 1.0) for index, value in enumerate(values)]
        hits += any(abs(point.index - place) <= 4 for point in change_points(stepped))

    assert hits >= 28
