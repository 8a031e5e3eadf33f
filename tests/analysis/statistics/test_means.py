import math

import pytest
from scipy import stats

from pytest_benchdb.analysis.statistics.means import mean_of, ratio_of_means

FIRST = [1.02, 1.05, 0.98, 1.01, 1.10]
SECOND = [0.51, 0.50, 0.52, 0.49, 0.50, 0.53]


def test_interval_of_a_mean_agrees_with_scipy() -> None:
    low, high = stats.t.interval(0.95, len(FIRST) - 1, loc=math.fsum(FIRST) / len(FIRST), scale=stats.sem(FIRST))

    mean = mean_of(FIRST)

    assert mean.half == pytest.approx((high - low) / 2)
    assert mean.value == pytest.approx((high + low) / 2)


def test_one_round_has_no_interval() -> None:
    assert mean_of([1.5]) == (1.5, None)
    assert ratio_of_means([2.0], SECOND).half is None


def test_ratio_of_a_series_to_itself_is_one() -> None:
    assert ratio_of_means(FIRST, FIRST).value == 1.0


def test_ratio_does_not_depend_on_the_unit() -> None:
    ratio = ratio_of_means(FIRST, SECOND)
    scaled = ratio_of_means([value * 1000 for value in FIRST], [value * 1000 for value in SECOND])

    assert scaled == pytest.approx(ratio)


def test_interval_of_a_ratio_covers_the_true_one_as_often_as_it_claims() -> None:
    rng = stats.norm(loc=0, scale=1)
    noise = rng.rvs(size=(2000, 20), random_state=7)
    covered = 0
    for row in noise:
        first, second = [2.0 + 0.1 * value for value in row[:10]], [1.0 + 0.05 * value for value in row[10:]]
        ratio = ratio_of_means(first, second)
        covered += abs(ratio.value - 2.0) <= (ratio.half or 0)

    assert 0.94 <= covered / 2000 <= 0.98
