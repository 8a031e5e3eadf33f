"""Sessions that stand out and revert are anomalies; changes and the newest session are not."""

import math
import random

import pytest

from pytest_benchdb.analysis.series.change_points import change_points
from pytest_benchdb.analysis.series.trend import anomalies


def quiet(level: float, n: int, seed: int = 1) -> list[float | None]:
    chance = random.Random(seed)  # noqa: S311 - noise, no secret
    return [level * math.exp(chance.gauss(0, 0.01)) for _ in range(n)]


def places(values: list[float | None]) -> list[int]:
    return [found.index for found in anomalies(values, change_points(values))]


def test_single_outlier_that_reverts_is_an_anomaly() -> None:
    (found,) = anomalies([*quiet(2.0, 20), 3.0, *quiet(2.0, 10)], [])

    assert (found.index, found.value) == (20, 3.0)
    assert found.change == pytest.approx(0.5, abs=0.02)
    assert found.deviations > 20


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([], id="nothing"),
        pytest.param([1.0, 9.0, 1.0], id="too few"),
        pytest.param(quiet(1.0, 40), id="quiet"),
        pytest.param([*quiet(1.0, 20), 3.0], id="the newest"),
        pytest.param([*quiet(1.0, 20), *quiet(3.0, 20)], id="a lasting change"),
        pytest.param([1.0] * 10 + [1.04] + [1.0] * 10, id="below 5 %"),
        pytest.param([1.0] * 10 + [0.0] + [1.0] * 10, id="zero"),
    ],
)
def test_series_without_a_reverting_outlier_has_no_anomalies(values: list[float | None]) -> None:
    assert places(values) == []


def test_outlier_before_a_gap_reverts_at_the_next_measured_session() -> None:
    assert places([*quiet(1.0, 20), 2.0, None, None, *quiet(1.0, 5)]) == [20]


def test_outlier_is_found_beside_a_lasting_change() -> None:
    values = [*quiet(1.0, 15), 2.0, *quiet(1.0, 15), *quiet(1.5, 15), 0.8, *quiet(1.5, 15)]

    assert places(values) == [15, 46]


def test_outlier_of_a_constant_series_has_no_finite_distance() -> None:
    (found,) = anomalies([1.0] * 10 + [2.0] + [1.0] * 10, [])

    assert math.isinf(found.deviations)
