import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_benchdb.analysis.statistics.spread import clipped_deviation, quantile, robust_deviation

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(values=VALUES, share=st.floats(0, 1))
def test_quantile_agrees_with_numpy(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), rel=1e-9, abs=1e-6)


@given(values=VALUES)
def test_robust_deviation_is_the_larger_of_two(values: list[float]) -> None:
    expected = max(1.4826 * stats.median_abs_deviation(values), stats.iqr(values) / 1.349)

    assert robust_deviation(values) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_robust_deviation_takes_no_notice_of_an_outlier() -> None:
    assert robust_deviation([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 1e9]) < 5


def test_clipped_deviation_grows_with_how_often_values_stray_not_how_far() -> None:
    steady = [1.0, 1.1, 0.9, 1.0, 1.1, 0.9, 1.0]

    once, far, twice = (clipped_deviation([*steady, *strays], 0.5) for strays in ([2.0], [9e9], [2.0, 2.0]))

    assert once == far < twice


def test_clipped_deviation_of_values_within_the_limit_is_the_plain_one() -> None:
    assert clipped_deviation([1.0, 2.0, 3.0], 10.0) == pytest.approx(1.0)
    assert clipped_deviation([1.0], 10.0) == 0
