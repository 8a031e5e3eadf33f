"""Ratios are told of two sides above zero, and of nothing else."""

import pytest

from pytest_benchdb.analysis.rules.suite import ratio_of, speedup_of
from pytest_benchdb.model.verdict import Judgement, Verdict


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
def test_ratio_of_what_was_not_compared_is_none(verdict: Verdict) -> None:
    assert ratio_of(judged(-0.5, verdict)) is None


@pytest.mark.parametrize("change", [None, -1.0, -2.0, float("nan"), float("inf")])
def test_ratio_without_a_change_above_minus_one_is_none(change: float | None) -> None:
    assert ratio_of(judged(change)) is None


@pytest.mark.parametrize(("baseline", "candidate"), [(-1.0, -1.5), (-1.0, 1.0), (1.0, -1.0), (0.0, 1.0), (1.0, 0.0)])
def test_ratio_of_a_side_that_is_not_above_zero_is_none(baseline: float, candidate: float) -> None:
    assert ratio_of(judged(0.5, baseline=baseline, candidate=candidate)) is None
