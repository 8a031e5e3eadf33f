"""Scales of charts put values where they belong, and mark round ones."""

import math

import pytest

from pytest_benchdb.present.html.scale import ACROSS, Scale, fit_scale, tick_texts
from pytest_benchdb.present.writing.units import Unit


@pytest.mark.parametrize(
    ("values", "is_log"), [([1, 99], False), ([1, 100], True), ([0, 100], False), ([-5, 900], False)]
)
def test_values_that_span_a_factor_of_a_hundred_are_logarithmic(values: list[float], is_log: bool) -> None:
    scale = fit_scale(values)

    assert scale is not None
    assert scale.is_log is is_log


@pytest.mark.parametrize("values", [[5.0], [0.0], [-3.0], [1e-300, 1e300], [1.0, 1.0], [0.0, 1e-12]])
def test_every_value_is_within_its_scale_and_has_ticks(values: list[float]) -> None:
    scale = fit_scale(values)

    assert scale is not None
    assert all(0 < scale.share(value) < 1 for value in values)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 6
    assert all(scale.low <= tick <= scale.high for tick in ticks)
    assert all(tick_texts(ticks, Unit("s", 1.0)))


def test_nothing_finite_has_no_scale() -> None:
    assert fit_scale([None, math.nan, math.inf]) is None


def test_values_beyond_the_ends_are_put_at_the_ends() -> None:
    scale = Scale(low=1.0, high=10.0, is_log=True)

    assert (scale.x(0.0), scale.x(-5.0), scale.x(1000.0)) == (0.0, 0.0, ACROSS)
    assert scale.y(math.sqrt(10.0), 200) == pytest.approx(100)


def test_ticks_are_round_and_written_with_as_few_digits_as_tell_them_apart() -> None:
    assert Scale(low=0.93, high=1.31).ticks() == pytest.approx([1.0, 1.1, 1.2, 1.3])
    assert Scale(low=0.8, high=130.0, is_log=True).ticks() == pytest.approx([1.0, 10.0, 100.0])
    assert tick_texts([1e-3, 1.5e-3], Unit("ms", 1e-3)) == ["1.0 ms", "1.5 ms"]
    assert tick_texts([20.0, 40.0], Unit("", 1.0)) == ["20", "40"]
