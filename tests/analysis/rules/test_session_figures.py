import math

import pytest
from tests.analysis.session_figures import failed, reading, session

from pytest_benchdb.analysis.rules.session_figures import defect_of, figure_of, shared_statistic
from pytest_benchdb.model.run import Outcome
from pytest_benchdb.model.verdict import Statistic, Verdict


@pytest.mark.parametrize(
    ("statistic", "expected"), [("min", 1.0), ("median", 1.02), ("mean", 1.03), ("value", 1.02)], ids=str
)
def test_figure_is_the_statistic(statistic: Statistic, expected: float) -> None:
    assert figure_of(session(1.0), statistic) == expected


@pytest.mark.parametrize("statistic", ["min", "median", "mean", "value"])
def test_figure_of_a_single_reading_is_the_reading(statistic: Statistic) -> None:
    assert figure_of(reading(7.0), statistic) == 7.0


def test_figure_of_rounds_without_their_minimum_is_none() -> None:
    assert figure_of(session(1.0, min=None), "min") is None


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_figure_that_is_not_finite_is_none_with_a_reason(figure: float) -> None:
    assert figure_of(reading(figure), "min") is None
    assert defect_of(reading(figure), "min") == ("inconclusive", f"wall_time is {figure}, which is not a measurement")


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        ("failed", "error"),
        ("error", "error"),
        ("timeout", "error"),
        ("oom", "error"),
        ("crashed", "error"),
        ("xfailed", "missing"),
        ("skipped", "missing"),
        ("unsupported", "missing"),
    ],
)
def test_figure_of_a_run_that_did_not_pass_is_none_whatever_it_holds(outcome: Outcome, verdict: Verdict) -> None:
    value = session(1.0, outcome=outcome, reason="no CUDA device")

    assert figure_of(value, "min") is None
    assert defect_of(value, "min") == (verdict, f"{outcome}: no CUDA device")


def test_figure_that_may_not_be_compared_is_none() -> None:
    value = session(1.0, valid=False, reason="the rounds were not waited for")

    assert defect_of(value, "min") == ("inconclusive", "the rounds were not waited for")


def test_figure_that_was_not_measured_is_none() -> None:
    assert defect_of(reading(None), "min") == ("missing", "wall_time was not measured")


def test_defect_of_a_sound_session_is_none() -> None:
    assert defect_of(session(1.0, outcome="xpassed"), "min") is None


def test_shared_statistic_is_one_that_all_sessions_have() -> None:
    assert shared_statistic([session(1.0), reading(2.0)], "min") == "min"
    assert shared_statistic([session(1.0), session(2.0, min=None)], "min") == "value"


def test_failed_session_of_the_tests_is_one() -> None:
    assert defect_of(failed(), "min") == ("error", "failed: AssertionError: 3 != 4")
