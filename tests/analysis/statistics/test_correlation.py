"""Coefficients, p-values and intervals agree with scipy."""

import math
import random

import pytest

from pytest_benchdb.analysis.statistics.correlation import correlate, ranks


def pairs(seed: int, n: int, *, step: float = 0.0) -> tuple[list[float], list[float]]:
    """Return pairs that are more or less correlated; with `step`, rounded so that there are ties."""
    chance = random.Random(seed)  # noqa: S311 - data, no secret
    ones = [chance.gauss(0, 1) for _ in range(n)]
    others = [one * chance.choice([-1, 0.5, 2]) + chance.gauss(0, 1) for one in ones]
    if step:
        ones, others = [[round(value / step) * step for value in side] for side in (ones, others)]
    return ones, others


@pytest.mark.parametrize("step", [0.0, 0.7], ids=["distinct", "tied"])
@pytest.mark.parametrize("n", [4, 5, 12, 300])
def test_coefficients_equal_those_of_scipy(n: int, step: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    ones, others = pairs(n, n, step=step)

    found = correlate(ones, others)
    pearson, spearman = stats.pearsonr(ones, others), stats.spearmanr(ones, others)
    expected = pearson.confidence_interval(0.95)

    assert found is not None
    assert found.pairs == n
    assert found.pearson.value == pytest.approx(pearson.statistic, abs=1e-12)
    assert found.pearson.p_value == pytest.approx(pearson.pvalue, rel=1e-9)
    assert (found.pearson.interval.low, found.pearson.interval.high) == pytest.approx(tuple(expected), rel=1e-9)
    assert found.spearman.value == pytest.approx(spearman.statistic, abs=1e-12)
    if n > 7:
        assert found.spearman.p_value == pytest.approx(spearman.pvalue, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("step", [0.0, 0.7], ids=["distinct", "tied"])
@pytest.mark.parametrize("n", [4, 6])
def test_p_value_of_few_ranks_is_counted_over_all_orders(n: int, step: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    ones, others = pairs(n + 1, n, step=step)

    found = correlate(ones, others)
    counted = stats.permutation_test(
        (ones,),
        lambda order: stats.spearmanr(order, others).statistic,
        permutation_type="pairings",
        n_resamples=math.inf,
    )

    assert found is not None
    assert found.spearman.p_value == pytest.approx(counted.pvalue, abs=1e-12)


def test_few_ranks_in_full_order_are_not_certain() -> None:
    found = correlate([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 4.0, 9.0, 16.0, 25.0])

    assert found is not None
    assert found.spearman.value == pytest.approx(1.0)
    assert found.spearman.interval.low < 0 < found.spearman.interval.high == 1.0
    assert found.spearman.p_value == pytest.approx(2 / math.factorial(5))


def test_interval_of_spearman_is_wider_than_that_of_pearson() -> None:
    line = [float(value) for value in range(10)]
    found = correlate(line, [0, 2, 1, 3, 5, 4, 6, 8, 7, 9])

    assert found is not None
    assert found.pearson.value == pytest.approx(found.spearman.value)
    assert found.spearman.interval.low < found.pearson.interval.low < found.pearson.value


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_straight_line_correlates_fully(sign: float) -> None:
    found = correlate([1.0, 2.0, 3.0, 4.0, 5.0], [sign * value for value in (2.0, 4.0, 6.0, 8.0, 10.0)])

    assert found is not None
    assert found.pearson.value == pytest.approx(sign)
    assert found.pearson.interval.low == pytest.approx(sign)
    assert found.spearman.value == pytest.approx(sign)


def test_rising_curve_has_full_rank_correlation_only() -> None:
    found = correlate([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [math.exp(value) for value in range(6)])

    assert found is not None
    assert found.spearman.value == pytest.approx(1.0)
    assert found.pearson.value < 0.95


def test_pairs_that_lack_a_value_are_left_out() -> None:
    ones: list[float | None] = [1.0, 2.0, None, 3.0, 4.0, math.nan, 5.0]
    others: list[float | None] = [1.0, 3.0, 9.0, 2.0, None, 9.0, 5.0]

    found = correlate(ones, others)

    assert found is not None
    assert found.pairs == 4


@pytest.mark.parametrize(
    ("ones", "others"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], id="three pairs"),
        pytest.param([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 4.0, 3.0], id="one side constant"),
        pytest.param([0.1 + 0.2, 0.3, 0.3, 0.3], [1.0, 2.0, 4.0, 3.0], id="constant but for rounding"),
    ],
)
def test_correlation_that_cannot_be_computed_is_none(ones: list[float], others: list[float]) -> None:
    assert correlate(ones, others) is None


def test_equal_values_share_their_ranks() -> None:
    assert ranks([3.0, 1.0, 3.0, 2.0]) == [3.5, 1.0, 3.5, 2.0]
