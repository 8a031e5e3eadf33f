from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.analysis.rules.suite import (
    geometric_mean,
    is_explained,
    largest_shift,
    ratio_of,
    speedup_of,
    suite_shifts,
)
from pytest_benchdb.model.comparison import ComparisonRow, Shift
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Interval, Judgement, Policy, Verdict

RATIOS = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20)


def row(
    fullname: str = "test_a.py::test_a",
    change: float | None = 0.1,
    verdict: Verdict | None = None,
    *,
    metric: str = "wall_time",
    unit: str = "s",
    phase: str | None = None,
    **judged: Any,
) -> ComparisonRow:
    moved: Verdict = "unchanged" if not change else "regressed" if change > 0 else "improved"
    return ComparisonRow(
        key=SeriesKey(fullname=fullname, metric=metric, phase=phase),
        unit=unit,
        better="lower",
        group=None,
        judgement=Judgement(verdict=verdict or moved, change=change, **judged),
        policy=Policy(better="lower", relative=0.05),
        labels={},
    )


def suite(*changes: float | None, **fields: Any) -> list[ComparisonRow]:
    return [row(f"test_{index}", change, **fields) for index, change in enumerate(changes)]


def shift_of(rows: Iterable[ComparisonRow]) -> Shift | None:
    return largest_shift(suite_shifts(rows).values())


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
    shift = shift_of([*suite(0.08, 0.1, 0.09, 0.1), row(change=-0.01, verdict="unchanged")])

    assert shift is not None
    assert (shift.change, shift.agreeing) == pytest.approx((0.095, 0.8), abs=1e-4)


def test_shift_downwards_is_reported() -> None:
    shift = shift_of(suite(*[-0.1] * 5))

    assert shift is not None
    assert (shift.change, shift.agreeing) == pytest.approx((-0.1, 1.0))


@pytest.mark.parametrize(
    "rows",
    [
        [],
        suite(*[0.5] * 4),
        suite(*[0.04] * 8, verdict="unchanged"),
        suite(*[0.2] * 8, verdict="inconclusive"),
        suite(*[0.1] * 5, -0.1, -0.1, -0.1),
        suite(None, None, None, None, None, None),
        suite(1.0, 1.0, 1.0, 0.0, 0.0, 0.0),
        suite(0.1, 0.12, 0.1, 0.5, 0.6, 0.7),
        suite(*[1.1] * 8),
        suite(*[0.2] * 8, metric="python_peak", unit="B"),
        suite(*[0.2] * 8, metric="throughput", unit="1/s"),
        suite(*[0.2] * 8, metric="accuracy", unit="1"),
        [row(f"test_a[{n}]", 0.2) for n in range(9)] + [row("test_b", 0.0)],
    ],
    ids=[
        "nothing",
        "too few",
        "within limits",
        "within noise",
        "two directions",
        "no figures",
        "half of it",
        "different amounts",
        "more than twice as long",
        "memory",
        "rate",
        "accuracy",
        "parameters of one function",
    ],
)
def test_shift_of_no_suite_is_none(rows: list[ComparisonRow]) -> None:
    assert shift_of(rows) is None


def test_shift_counts_a_function_once_however_many_phases_it_has() -> None:
    phases = [row("test_a", 0.2, phase=str(number)) for number in range(9)]

    assert shift_of([*phases, *suite(0.0, 0.0, 0.0, 0.0)]) is None


def test_shift_of_one_metric_is_detected_beside_an_unchanged_metric() -> None:
    shifts = suite_shifts([*suite(*[0.0] * 20, metric="cpu_time"), *suite(*[0.1] * 5)])

    assert list(shifts) == ["wall_time"]


def test_shift_is_not_voted_on_by_rows_that_say_nothing() -> None:
    silent = [
        row("test_busy", 0.3, "inconclusive", state="unstable"),
        row("test_new", 0.0, "inconclusive", state="learning"),
        row("test_gone", None, "missing"),
    ]

    shift = shift_of([*suite(*[0.1] * 5), *silent])

    assert shift is not None
    assert shift.agreeing == 1


NOISY = Interval(low=-0.1, high=0.3, level=0.95)


@pytest.mark.parametrize(("noisy", "agreeing"), [(4, 1.0), (6, None)])
def test_shift_is_not_voted_on_by_benchmarks_so_noisy_that_they_may_have_moved(
    noisy: int, agreeing: float | None
) -> None:
    hidden = [row(f"test_noisy_{number}", 0.05, "inconclusive", interval=NOISY) for number in range(noisy)]

    shift = shift_of([*suite(*[0.1] * 5), *hidden])

    assert (shift.agreeing if shift else None) == agreeing


@pytest.mark.parametrize(("again", "found"), [(0.1, True), (0.0, False)], ids=["noisy", "back"])
def test_shift_is_voted_against_by_a_benchmark_whose_rerun_was_back(again: float, *, found: bool) -> None:
    interval = Interval(low=again - 0.02, high=again + 0.02, level=0.95)
    rerun = Judgement(verdict="unchanged", change=again, interval=interval)
    cleared = [
        replace(row(f"test_cleared_{number}", 0.1, "inconclusive"), confirmations=(rerun,)) for number in range(3)
    ]

    assert (shift_of([*suite(*[0.1] * 5), *cleared]) is not None) is found


def test_shift_explains_the_part_of_a_change_that_every_rerun_repeats() -> None:
    first = row(change=0.3)
    reruns = [Judgement(verdict="regressed", change=change) for change in (0.12, 0.25)]

    assert is_explained(replace(first, confirmations=tuple(reruns)), Shift(change=0.1, agreeing=0.9))
    assert not is_explained(replace(first, confirmations=tuple(reruns[1:])), Shift(change=0.1, agreeing=0.9))


def test_shift_between_single_sessions_is_reported_by_limits_alone() -> None:
    few = suite(*[0.1] * 5, verdict="inconclusive", state="suspect", test="rounds")

    assert shift_of(few) is not None


@pytest.mark.parametrize(
    ("change", "interval", "explained"),
    [
        (0.1, None, True),
        (0.05, None, True),
        (0.15, None, True),
        (0.21, None, False),
        (0.3, None, False),
        (-0.1, None, False),
        (0.3, Interval(low=0.08, high=0.5, level=0.95), True),
        (0.3, Interval(low=0.2, high=0.4, level=0.95), False),
        (1.2, Interval(low=0.08, high=3.0, level=0.95), False),
    ],
)
def test_shift_explains_what_moved_by_a_similar_amount(
    change: float, interval: Interval | None, *, explained: bool
) -> None:
    assert is_explained(row(change=change, interval=interval), Shift(change=0.1, agreeing=0.9)) is explained


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
