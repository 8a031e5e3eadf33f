"""A level that crept away from a pinned baseline is reported, in the direction that is worse."""

import math

import pytest

from pytest_benchdb.analysis.series.trend import creep
from pytest_benchdb.model.metric import Better


@pytest.mark.parametrize(
    ("better", "now", "crept"),
    [
        pytest.param("lower", 1.12, True, id="slower"),
        pytest.param("lower", 1.09, False, id="a little slower"),
        pytest.param("lower", 0.5, False, id="faster"),
        pytest.param("higher", 0.88, True, id="less throughput"),
        pytest.param("higher", 1.5, False, id="more throughput"),
        pytest.param("none", 9.0, False, id="no direction"),
    ],
)
def test_creep_follows_the_direction_of_the_metric(better: Better, now: float, crept: bool) -> None:
    found = creep([1.0, *[now] * 5], [1.0, 1.0], better)

    assert found is not None
    assert found.crept is crept
    assert found.change == pytest.approx(now - 1)


def test_creep_uses_the_five_newest_measured_values() -> None:
    found = creep([9.0, 1.2, None, 1.2, math.nan, 1.3, 1.2, 1.2], [1.0, None, 1.0, 1.1], "lower")

    assert found is not None
    assert (found.recent, found.baseline, found.values) == (1.2, 1.0, 5)


@pytest.mark.parametrize(
    ("values", "baseline"), [([], [1.0]), ([1.0], []), ([1.0], [None]), ([1.0], [0.0])], ids=["a", "b", "c", "d"]
)
def test_creep_without_both_sides_is_not_reported(values: list[float | None], baseline: list[float | None]) -> None:
    assert creep(values, baseline, "lower") is None
