from dataclasses import replace

import pytest

from pytest_benchdb.analysis.rules.effect_size import (
    change_of,
    repeats,
    verdict_on_change,
    verdict_within_limits,
)
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.verdict import Interval, Policy, Verdict

POLICY = Policy(better="lower", relative=0.05, absolute=2.0)


@pytest.mark.parametrize(
    ("baseline", "candidate", "expected"),
    [
        (100, 105, False),
        (100, 106, True),
        (100, 94, True),
        (10, 12, False),
        (10, 12.1, True),
        (0, 3, True),
        (-100, -94, True),
    ],
)
def test_change_counts_beyond_both_limits(baseline: float, candidate: float, expected: bool) -> None:
    assert POLICY.exceeded(baseline, candidate) is expected


@pytest.mark.parametrize(
    ("baseline", "low", "high", "verdict"),
    [
        (100, -0.05, 0.05, "unchanged"),
        (100, 0.01, 0.04, "unchanged"),
        (100, -0.051, 0.0, "inconclusive"),
        (100, 0.0, 0.051, "inconclusive"),
        (10, -0.2, 0.2, "unchanged"),
        (-100, -0.05, 0.05, "unchanged"),
        (0, 0.0, 0.0, "inconclusive"),
    ],
)
def test_nothing_changed_only_if_the_interval_is_within_the_limits(
    baseline: float, low: float, high: float, verdict: Verdict
) -> None:
    interval = Interval(low=low, high=high, level=0.95)

    assert verdict_within_limits(interval, baseline, POLICY)[0] == verdict
    assert verdict_within_limits(None, baseline, POLICY)[0] == "inconclusive"


@pytest.mark.parametrize(
    ("better", "candidate", "verdict"),
    [
        ("lower", 11, "regressed"),
        ("lower", 9, "improved"),
        ("higher", 11, "improved"),
        ("higher", 9, "regressed"),
        ("none", 11, "inconclusive"),
        ("none", 9, "inconclusive"),
    ],
)
def test_direction_follows_the_metric(better: Better, candidate: float, verdict: Verdict) -> None:
    assert verdict_on_change(10, candidate, replace(POLICY, better=better), sure=True)[0] == verdict


def test_direction_of_a_change_that_chance_explains_is_inconclusive() -> None:
    assert verdict_on_change(10, 20, POLICY, sure=False) == ("inconclusive", "within the noise")


def test_direction_from_zero_is_inconclusive_unless_the_metric_is_exact() -> None:
    assert verdict_on_change(0, 20, POLICY, sure=True)[0] == "inconclusive"
    assert verdict_on_change(0, 20, replace(POLICY, exact=True), sure=True)[0] == "regressed"


def test_change_is_a_share_of_the_baseline() -> None:
    assert change_of(10, 11) == pytest.approx(0.1)
    assert change_of(-10, -11) == pytest.approx(-0.1)
    assert change_of(0, 11) is None


def test_figures_repeat_if_they_are_equal_or_meant_to_be() -> None:
    exact = replace(POLICY, exact=True)

    assert repeats([100, 100], POLICY)
    assert not repeats([100, 101], POLICY)
    assert repeats([100, 101], exact)
    assert not repeats([100, 110], exact)
