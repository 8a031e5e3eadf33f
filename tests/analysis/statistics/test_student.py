import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from pytest_benchdb.analysis.statistics.student import normal_ppf, normal_sf, t_ppf, t_sf, welch, welch_from_summary

DEGREES = [1.0, 1.5, 2.0, 3.0, 4.7, 9.0, 19.0, 99.3, 101.0, 999.0, 99_999.0, 1e5, 1e6, 1e8, 1e12, math.inf]
PLACES = [0.0, 1e-9, 0.01, 0.5, 1.0, 1.9, 2.0, 3.0, 5.0, 10.0, 50.0, 1e3, 1e8]
SHARES = [1e-100, 1e-12, 1e-6, 0.001, 0.01, 0.3, 0.4999999, 0.5, 0.500001, 0.7, 0.975, 0.99, 0.999999]


@pytest.mark.parametrize("dof", DEGREES)
def test_t_tails_agree_with_scipy(dof: float) -> None:
    for t in [*PLACES, *(-place for place in PLACES)]:
        assert t_sf(t, dof) == pytest.approx(stats.t.sf(t, dof), abs=1e-9)


@pytest.mark.parametrize("dof", DEGREES)
def test_t_far_tails_keep_their_digits(dof: float) -> None:
    for t in PLACES[3:]:
        expected = stats.t.sf(t, dof)
        assert t_sf(t, dof) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("dof", DEGREES)
def test_t_quantiles_agree_with_scipy(dof: float) -> None:
    for share in SHARES:
        assert t_ppf(share, dof) == pytest.approx(stats.t.ppf(share, dof), rel=1e-9, abs=1e-14)


@given(p=st.floats(1e-12, 1 - 1e-12), dof=st.floats(1, 1e7))
def test_t_quantile_is_the_inverse_of_the_share(p: float, dof: float) -> None:
    assert t_sf(-t_ppf(p, dof), dof) == pytest.approx(p, rel=1e-9)


@given(t=st.floats(-1e6, 1e6), dof=st.floats(0.5, 1e9))
def test_t_share_agrees_with_the_incomplete_beta_function(t: float, dof: float) -> None:
    assert t_sf(-t, dof) == pytest.approx(special.stdtr(dof, t), abs=1e-9)


def test_t_of_tails_too_small_for_floats_is_infinite_or_zero() -> None:
    assert t_ppf(1e-300, 0.5) == -math.inf
    assert t_sf(1e300, 30) == 0.0
    assert t_sf(math.inf, 3) == 0.0
    assert (t_ppf(0, 3), t_ppf(1, 3)) == (-math.inf, math.inf)


def test_normal_agrees_with_scipy() -> None:
    for z in [-40.0, -8.0, -1.0, 0.0, 0.3, 2.0, 6.0]:
        assert normal_sf(z) == pytest.approx(stats.norm.sf(z), rel=1e-12)
    for share in SHARES:
        assert normal_ppf(share) == pytest.approx(stats.norm.ppf(share), rel=1e-9, abs=1e-15)


def test_t_of_nan_is_nan() -> None:
    assert math.isnan(t_sf(math.nan, 3))


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_quantile_of_no_probability_raises(p: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        t_ppf(p, 3)
    with pytest.raises(ValueError, match="between 0 and 1"):
        normal_ppf(p)


@pytest.mark.parametrize("dof", [0, -1, math.nan])
def test_t_without_degrees_of_freedom_raises(dof: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        t_sf(1, dof)
    with pytest.raises(ValueError, match="above 0"):
        t_ppf(0.9, dof)


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
