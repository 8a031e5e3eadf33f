"""Every comparison limits changes, chooses the time of a benchmark and keeps sides apart in the same way."""

from collections.abc import Callable

import pytest

from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement
from pytest_benchdb.operations.compare.pairs import Pair
from pytest_benchdb.operations.compare.rows import apply_thresholds, find_mains, refuse_incomparable
from pytest_benchdb.operations.compare.run import CompareRequest, SidesRule
from pytest_benchdb.operations.select.filters.threshold import parse_thresholds

Make = Callable[..., SessionValue]
POLICY = default_policy("wall_time", "s", "lower", sessions=3)
JUDGED = Judgement(verdict="regressed", change=0.5, p_value=0.001, baseline=2.0, candidate=3.0, baseline_sessions=4)


def pair(value: SessionValue, *, obstacle: str | None = None, can_cross: bool = True) -> Pair:
    return Pair(key=value.key, baseline=(value,), candidate=(value,), obstacle=obstacle, can_cross=can_cross)


@pytest.mark.parametrize(
    ("texts", "limits"),
    [
        ((), (0.05, 50e-9)),
        (("wall_time:8%",), (0.08, 50e-9)),
        (("wall_time:200us",), (0.0, 200e-6)),
        (("time:8%", "time:9%", "wall_time:200us"), (0.09, 200e-6)),
        (("memory:8%",), (0.05, 50e-9)),
    ],
    ids=["none", "share", "quantity", "several", "another metric"],
)
def test_limits_are_the_last_share_and_the_last_quantity(
    value: Make, texts: tuple[str, ...], limits: tuple[float, float]
) -> None:
    policy = apply_thresholds(POLICY, parse_thresholds(texts), value(), "wall_time")

    assert (policy.relative, policy.absolute) == pytest.approx(limits)


def test_comparison_of_sides_limits_changes_as_the_gate_does(value: Make) -> None:
    request = CompareRequest(share=0.2, thresholds=parse_thresholds(["wall_time:8%"]))

    policy = SidesRule(request=request, sessions={}).policy(pair(value()))

    assert (policy.relative, policy.absolute) == (0.08, 50e-9)


def test_main_time_is_the_first_that_was_measured_of_each_phase(value: Make) -> None:
    values = [value(metric="cpu_time"), value(metric="step_time"), value(metric="wall_time", phase="load")]

    assert sorted(find_mains(values).values()) == ["step_time", "wall_time"]


def test_sides_apart_show_both_values_and_no_change(value: Make) -> None:
    judgement = refuse_incomparable(JUDGED, pair(value(), obstacle="ran on A and on B"), None, allow_cross=False)

    assert judgement == Judgement(
        verdict="incomparable",
        baseline=2.0,
        candidate=3.0,
        baseline_sessions=4,
        reason="ran on A and on B; --allow-cross compares them",
    )


@pytest.mark.parametrize(
    ("obstacle", "can_cross", "allow_cross", "verdict"),
    [
        (None, True, False, "regressed"),
        ("other device", True, True, "regressed"),
        ("two benchmarks", False, True, "incomparable"),
    ],
)
def test_sides_meet_where_nothing_keeps_them_apart(
    value: Make, obstacle: str | None, can_cross: bool, allow_cross: bool, verdict: str
) -> None:
    one = pair(value(), obstacle=obstacle, can_cross=can_cross)

    assert refuse_incomparable(JUDGED, one, None, allow_cross=allow_cross).verdict == verdict


def test_failed_side_is_an_error_on_any_machine(value: Make) -> None:
    failed = Judgement(verdict="error", reason="failed")

    assert refuse_incomparable(failed, pair(value()), "another machine", allow_cross=False) == failed
