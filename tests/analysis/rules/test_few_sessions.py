import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_benchdb.analysis.rules.few_sessions import cliffs_delta, median_ratio_interval


def rounds(n: int, *, seed: int) -> list[float]:
    generator = random.Random(seed)  # noqa: S311 - nothing secret
    return [1 + generator.expovariate(20) for _ in range(n)]


@pytest.mark.parametrize("n", [5, 8, 30, 201])
def test_interval_agrees_with_scipy_as_far_as_chance_allows(n: int) -> None:
    baseline, candidate = rounds(n, seed=1), rounds(n, seed=2)

    low, high = median_ratio_interval(baseline, candidate, resamples=20_000) or (0, 0)

    expected = stats.bootstrap(
        (candidate, baseline),
        lambda over, under, axis: np.median(over, axis=axis) / np.median(under, axis=axis),
        method="percentile",
        n_resamples=20_000,
        rng=1,
    ).confidence_interval
    width = expected.high - expected.low
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.05 * width)


def test_interval_is_the_same_each_time_and_in_any_order() -> None:
    baseline, candidate = rounds(30, seed=1), rounds(31, seed=2)

    first = median_ratio_interval(baseline, candidate)

    assert first == median_ratio_interval(baseline[::-1], sorted(candidate))


def test_interval_of_equal_rounds_has_no_width() -> None:
    assert median_ratio_interval([2.0] * 5, [3.0] * 5) == (1.5, 1.5)


@pytest.mark.parametrize(
    ("baseline", "candidate"),
    [([1.0], [1.0, 2.0]), ([1.0, 2.0], []), ([0.0, 0.0, 1.0], [1.0, 2.0]), ([-1.0, 1.0], [1.0, 2.0])],
    ids=str,
)
def test_interval_that_has_no_meaning_is_none(baseline: list[float], candidate: list[float]) -> None:
    assert median_ratio_interval(baseline, candidate) is None


SIDE = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=20)


@given(baseline=SIDE, candidate=SIDE)
def test_delta_is_the_mean_sign_over_all_pairs(baseline: list[float], candidate: list[float]) -> None:
    signs = [(after > before) - (after < before) for before in baseline for after in candidate]

    assert cliffs_delta(baseline, candidate) == pytest.approx(sum(signs) / len(signs))


@pytest.mark.parametrize(("baseline", "candidate"), [([], [1.0]), ([1.0], [])], ids=str)
def test_delta_of_an_empty_side_is_none(baseline: list[float], candidate: list[float]) -> None:
    assert cliffs_delta(baseline, candidate) is None
