import math
import random
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from pytest_benchdb.analysis.statistics.mann_whitney import Alternative, mann_whitney, shift_interval

SIZES = [(1, 1), (2, 100), (3, 4), (5, 1), (8, 8), (8, 30), (9, 9), (20, 33)]
FEW_VALUES = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=15)


@pytest.mark.parametrize("alternative", get_args(Alternative))
@pytest.mark.parametrize("digits", [0, 12], ids=["ties", "no ties"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_mann_whitney_agrees_with_scipy(sizes: tuple[int, int], digits: int, alternative: Alternative) -> None:
    generator = np.random.default_rng(sum(sizes))
    first, second = (generator.normal(shift, size=n).round(digits) for shift, n in zip((0, 0.4), sizes, strict=True))

    if digits == 0 and sizes == (1, 1):
        second += 1  # of equal values newer versions of scipy say nothing

    result = mann_whitney(first.tolist(), second.tolist(), alternative)

    expected = stats.mannwhitneyu(first, second, alternative=alternative)
    assert result.u == expected.statistic
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)


@given(first=FEW_VALUES, second=FEW_VALUES)
def test_mann_whitney_of_ties_agrees_with_scipy(first: list[float], second: list[float]) -> None:
    assume(len({*first, *second}) > 1)  # of equal values newer versions of scipy say nothing

    result = mann_whitney(first, second)

    assert result.p_value == pytest.approx(stats.mannwhitneyu(first, second).pvalue, rel=1e-9)


def test_mann_whitney_of_equal_values_is_inconclusive() -> None:
    assert mann_whitney([2.0] * 4, [2.0] * 5).p_value == 1


def test_mann_whitney_published_example_is_exact() -> None:
    # Mann and Whitney 1947, section 3: of the orders of 3 and 3 values, 1 in 20 has all of one side above.
    result = mann_whitney([4.0, 5.0, 6.0], [1.0, 2.0, 3.0], "greater")

    assert (result.u, result.p_value, result.exact) == (9, 0.05, True)


@pytest.mark.parametrize(("first", "second"), [([], [1.0]), ([1.0], []), ([math.nan], [1.0])], ids=str)
def test_mann_whitney_without_values_raises(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="a rank test"):
        mann_whitney(first, second)


def test_shift_interval_is_of_the_tabulated_order_statistics() -> None:
    # Tables of the Wilcoxon rank sum test: for 5 and 5 values at 95 %, the third of the 25 differences at each end.
    first, second = [1.0, 2.0, 4.0, 8.0, 16.0], [33.0, 50.0, 71.0, 94.0, 120.0]
    differences = sorted(b - a for a in first for b in second)

    assert shift_interval(first, second, level=0.95) == (differences[2], differences[-3])


def test_shift_interval_of_too_few_values_is_none() -> None:
    assert shift_interval([1.0, 2.0, 3.0], [4.0, 5.0, 6.0], level=0.95) is None


@pytest.mark.parametrize("size", [6, 12])
def test_shift_interval_covers_the_shift_as_often_as_it_says(size: int) -> None:
    generator = random.Random(3)  # noqa: S311 - nothing secret
    covered = 0
    for _ in range(400):
        first = [generator.gauss(0, 1) for _ in range(size)]
        ends = shift_interval(first, [generator.gauss(0.5, 1) for _ in range(size)], level=0.95)
        assert ends is not None
        covered += ends[0] <= 0.5 <= ends[1]

    assert 0.93 <= covered / 400 <= 0.98
