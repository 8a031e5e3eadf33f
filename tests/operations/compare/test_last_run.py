from dataclasses import replace
from typing import Any

import pytest

from pytest_benchdb.model.report import EarlierTime
from pytest_benchdb.operations.compare.last_run import changes_of


def time(before: float | None, now: float | None, **given: Any) -> EarlierTime:
    sides = {name: {"min": figure, "median": 9.0, "value": 9.0} for name, figure in (("before", before), ("now", now))}
    known = {"run_id": "r", "metric": "wall_time", "phase": None, "unit": "s", "session_id": "s"}
    return EarlierTime(**{**known, **sides, **given})


@pytest.mark.parametrize(
    ("now", "size", "is_worse"),
    [(1.04, "small", True), (1.06, "counts", True), (1.3, "large", True), (0.7, "large", False), (1.0, "small", False)],
)
def test_change_is_of_the_figure_that_comparisons_use(now: float, size: str, is_worse: bool) -> None:
    (change,) = changes_of([time(1.0, now)])

    assert change.share == pytest.approx(now - 1)
    assert (change.size, change.is_worse) == (size, is_worse)


def test_change_of_nanoseconds_does_not_count() -> None:
    (change,) = changes_of([time(10e-9, 20e-9)])

    assert (change.share, change.size) == (1.0, "small")


def test_change_of_times_without_a_minimum_is_of_the_medians_of_both() -> None:
    (change,) = changes_of([time(None, 1.0)])

    assert change.share == 0.0


@pytest.mark.parametrize("before", [0.0, None])
def test_no_change_from_nothing(before: float | None) -> None:
    nothing = {"min": before, "median": before, "value": before}

    assert changes_of([replace(time(1.0, 1.0), before=nothing)]) == []
