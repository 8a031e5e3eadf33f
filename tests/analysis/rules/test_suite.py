import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.session_figures import session

from pytest_benchdb.analysis.rules.suite import geometric_mean, ratio_of, speedup_of, suite_shift
from pytest_benchdb.model.comparison import Shift
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Judgement, Verdict

RATIOS = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20)


def suite(*changes: float | None, metric: str = "wall_time") -> list[tuple[SeriesKey, Judgement]]:
    return [
        (SeriesKey(fullname=f"test_{index}", metric=metric), Judgement(verdict="unchanged", change=change))
        for index, change in enumerate(changes)
    ]


@given(ratios=RATIOS)
def test_geometric_mean_of_the_reciprocals_is_the_reciprocal(ratios: list[float]) -> None:
    assert geometric_mean([1 / ratio for ratio in ratios]) == pytest.approx(1 / geometric_mean(ratios), rel=1e-9)


def test_geometric_mean_of_a_doubling_and_a_halving_is_one() -> None:
    assert geometric_mean([2.0, 0.5]) == 1


@pytest.mark.parametrize("ratios", [[], [1.0, 0.0], [-1.0]], ids=str)
def test_geometric_mean_of_nothing_raises(ratios: list[float]) -> None:
    with pytest.raises(ValueError, match="ratios above 0"):
        geometric_mean(ratios)


def test_shift_of_most_benchmarks_is_reported() -> None:
    assert suite_shift(suite(0.05, 0.06, 0.04, 0.05, -0.01)) == Shift(change=0.05, agreeing=0.8)


def test_shift_downwards_is_reported() -> None:
    assert suite_shift(suite(*[-0.1] * 5)) == Shift(change=-0.1, agreeing=1)


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [0.5] * 4,
        [0.03] * 8,
        [0.05, 0.05, 0.05, 0.05, 0.05, -0.01, -0.01, 0.0],
        [None] * 8,
        [0.5, 0.0, 0.0, 0.0, 0.0, 0.0],
    ],
    ids=["nothing", "too few", "too small", "too little agreement", "no figures", "one"],
)
def test_shift_of_no_suite_is_none(changes: list[float | None]) -> None:
    assert suite_shift(suite(*changes)) is None


def test_shift_counts_a_benchmark_once_however_many_phases_it_has() -> None:
    phases = [
        (SeriesKey(fullname="test_a", metric="wall_time", phase=str(n)), change) for n, change in enumerate([1] * 9)
    ]
    judged = [(key, Judgement(verdict="regressed", change=change)) for key, change in phases]

    assert suite_shift([*judged, *suite(0.0, 0.0, 0.0, 0.0)]) is None


def test_shift_of_one_metric_is_detected_beside_an_unchanged_metric() -> None:
    shift = suite_shift([*suite(*[0.0] * 20, metric="python_peak"), *suite(*[0.1] * 5)])

    assert shift is not None
    assert math.isclose(shift.change, 0.1)


def test_shift_takes_sessions_as_well() -> None:
    values = [session(1.0, key=SeriesKey(fullname=str(n), metric="wall_time")) for n in range(5)]

    assert suite_shift([(value, Judgement(verdict="unchanged", change=0.1)) for value in values]) is not None


def judged(
    change: float | None,
    verdict: Verdict = "unchanged",
    *,
    baseline: float | None = None,
    candidate: float | None = None,
) -> Judgement:
    return Judgement(verdict=verdict, change=change, baseline=baseline, candidate=candidate)


def test_speedup_follows_the_direction_of_the_metric() -> None:
    assert speedup_of(judged(-0.5), "lower") == pytest.approx(2.0)
    assert speedup_of(judged(1.0), "lower") == pytest.approx(0.5)
    assert speedup_of(judged(1.0), "higher") == pytest.approx(2.0)
    assert speedup_of(judged(1.0), "none") is None


@pytest.mark.parametrize("verdict", ["error", "missing", "new", "incomparable"])
def test_ratio_of_an_uncompared_judgement_is_none(verdict: Verdict) -> None:
    assert ratio_of(judged(-0.5, verdict)) is None


@pytest.mark.parametrize("change", [None, -1.0, -2.0, float("nan"), float("inf")])
def test_ratio_without_a_change_above_minus_one_is_none(change: float | None) -> None:
    assert ratio_of(judged(change)) is None


@pytest.mark.parametrize(("baseline", "candidate"), [(-1.0, -1.5), (-1.0, 1.0), (1.0, -1.0), (0.0, 1.0), (1.0, 0.0)])
def test_ratio_of_a_side_that_is_not_above_zero_is_none(baseline: float, candidate: float) -> None:
    assert ratio_of(judged(0.5, baseline=baseline, candidate=candidate)) is None
