import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_benchdb.analysis.statistics.student import welch, welch_from_summary

SIDE = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12).filter(lambda side: max(side) - min(side) > 1e-3)


@given(baseline=SIDE, candidate=SIDE)
def test_welch_agrees_with_scipy(baseline: list[float], candidate: list[float]) -> None:
    test = welch(baseline, candidate, level=0.99)

    expected = stats.ttest_ind(candidate, baseline, equal_var=False, alternative="greater")
    interval = stats.ttest_ind(candidate, baseline, equal_var=False).confidence_interval(0.99)
    assert test.t == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert test.p_value == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-9)
    assert test.dof == pytest.approx(expected.df, rel=1e-9)
    assert (test.low, test.high) == pytest.approx((interval.low, interval.high), rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_welch_from_summaries_agrees_with_scipy(level: float) -> None:
    test = welch_from_summary((1.0, 0.2, 5), (1.3, 0.05, 40), level=level)

    expected = stats.ttest_ind_from_stats(1.3, 0.05, 40, 1.0, 0.2, 5, equal_var=False, alternative="greater")
    assert (test.t, test.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


@pytest.mark.parametrize(("after", "p_value", "t"), [(1.0, 0.5, 0.0), (2.0, 0.0, math.inf), (0.5, 1.0, -math.inf)])
def test_welch_without_spread_is_certain(after: float, p_value: float, t: float) -> None:
    test = welch([1.0, 1.0], [after, after])

    assert (test.p_value, test.t, test.low, test.high) == (p_value, t, after - 1, after - 1)


def test_welch_of_one_value_raises() -> None:
    with pytest.raises(ValueError, match="two values on each side, not 1 and 2"):
        welch([1.0], [1.0, 2.0])
