import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_benchdb.analysis.rules.few_sessions import PARTS, cliffs_delta, ratio_interval
from pytest_benchdb.model.verdict import Statistic


def rounds(n: int, *, seed: int) -> list[float]:
    generator = random.Random(seed)  # noqa: S311 - nothing secret
    return [1 + generator.expovariate(20) for _ in range(n)]


def ratio_of(statistic: Statistic) -> object:
    reduce = np.min if statistic == "min" else np.median
    return lambda over, under, axis: reduce(over, axis=axis) / reduce(under, axis=axis)


def minima_of_parts(values: list[float]) -> list[float]:
    return [float(min(part)) for part in np.array_split(values, PARTS)]


@pytest.mark.parametrize("n", [5, 10, 30, 200])
@pytest.mark.parametrize("statistic", ["median", "min", "value"])
def test_interval_agrees_with_scipy_as_far_as_chance_allows(n: int, statistic: Statistic) -> None:
    baseline, candidate = rounds(n, seed=1), rounds(n, seed=2)

    low, high = ratio_interval([baseline], [candidate], statistic, resamples=20_000) or (0, 0)

    if statistic == "min" and n > PARTS:
        baseline, candidate = minima_of_parts(baseline), minima_of_parts(candidate)
    expected = stats.bootstrap(
        (candidate, baseline), ratio_of(statistic), method="percentile", n_resamples=20_000, rng=1
    ).confidence_interval
    width = expected.high - expected.low
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.05 * width)


@pytest.mark.parametrize("statistic", ["median", "min"])
def test_interval_of_several_sessions_agrees_with_a_bootstrap_of_both_levels(statistic: Statistic) -> None:
    baseline = [rounds(30, seed=seed) for seed in (1, 2, 3)]
    candidate = [[1.1 * value for value in rounds(20, seed=seed)] for seed in (4, 5)]
    reduce = min if statistic == "min" else np.median
    generator = random.Random(1)  # noqa: S311 - nothing secret

    def figure_of(side: list[list[float]]) -> float:
        figures = []
        for session in generator.choices(side, k=len(side)):
            values = minima_of_parts(session) if statistic == "min" else session
            figures.append(reduce(generator.choices(values, k=len(values))))
        return float(np.median(figures))

    expected = np.quantile([figure_of(candidate) / figure_of(baseline) for _ in range(5_000)], (0.025, 0.975))

    low, high = ratio_interval(baseline, candidate, statistic, resamples=5_000) or (0, 0)

    assert (low, high) == pytest.approx(tuple(expected), abs=0.08 * (expected[1] - expected[0]))


@pytest.mark.parametrize("statistic", ["median", "min"])
def test_interval_is_the_same_each_time(statistic: Statistic) -> None:
    baseline, candidate = [rounds(30, seed=1)], [rounds(31, seed=2)]

    assert ratio_interval(baseline, candidate, statistic) == ratio_interval(baseline, candidate, statistic)


@pytest.mark.parametrize("statistic", ["median", "min"])
def test_interval_of_equal_rounds_has_no_width(statistic: Statistic) -> None:
    assert ratio_interval([[2.0] * 5], [[3.0] * 5], statistic) == (1.5, 1.5)


def test_interval_of_minima_knows_that_a_part_of_the_session_was_disturbed() -> None:
    """Half of the session took twice as long, in which no fast round helps."""
    calm, disturbed = [1.0] * 50, [1.0] * 3 + [2.0] * 47

    interval = ratio_interval([calm], [disturbed], "min")

    assert interval == (1.0, 2.0)


@pytest.mark.parametrize("statistic", ["median", "min"])
@pytest.mark.parametrize(
    ("baseline", "candidate"),
    [([1.0], [1.0, 2.0]), ([1.0, 2.0], []), ([0.0, 0.0, 1.0], [1.0, 2.0]), ([-1.0, 1.0], [1.0, 2.0])],
    ids=str,
)
def test_interval_that_has_no_meaning_is_none(
    baseline: list[float], candidate: list[float], statistic: Statistic
) -> None:
    assert ratio_interval([baseline], [candidate], statistic) is None


@pytest.mark.parametrize("sides", [([], [[1.0, 2.0]]), ([[1.0, 2.0]], []), ([[1.0, 2.0], []], [[1.0, 2.0]])], ids=str)
def test_interval_needs_the_rounds_of_every_session(sides: tuple[list[list[float]], list[list[float]]]) -> None:
    assert ratio_interval(*sides, "min") is None


SIDE = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=20)


@given(baseline=SIDE, candidate=SIDE)
def test_delta_is_the_mean_sign_over_all_pairs(baseline: list[float], candidate: list[float]) -> None:
    signs = [(after > before) - (after < before) for before in baseline for after in candidate]

    assert cliffs_delta(baseline, candidate) == pytest.approx(sum(signs) / len(signs))


@pytest.mark.parametrize(("baseline", "candidate"), [([], [1.0]), ([1.0], [])], ids=str)
def test_delta_of_an_empty_side_is_none(baseline: list[float], candidate: list[float]) -> None:
    assert cliffs_delta(baseline, candidate) is None
