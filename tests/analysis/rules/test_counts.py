"""The rule of counts: one session a side, the stored spread, and what a count cannot judge."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from pytest_benchdb.analysis.rules.counts import judge_counts, spread_of
from pytest_benchdb.analysis.rules.history import judge_history
from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.verdict import Verdict

POLICY = default_policy("instructions", "1", "lower", sessions=1)
WAITS = "it computes for 3 % of its time only, and a count sees nothing else; judge it by its time"


def counted(count: float | None, spread: float = 0.001, **changes: Any) -> SessionValue:
    figures: Mapping[str, float | None] = (
        dict.fromkeys(("value", "min", "max", "mean", "median"))
        if count is None
        else {"value": count, "min": count, "max": count * (1 + spread), "mean": count, "median": count}
    )
    known: dict[str, Any] = {
        "key": SeriesKey(fullname="tests/test_a.py::test_x", metric="instructions", backend="cpu"),
        "session_id": "s",
        "run_id": "r",
        "started_at": "2026-11-29T00:00:00",
        "outcome": "passed",
        "reason": None,
        "valid": count is not None,
        "provenance": "measured",
        "unit": "1",
        "better": "lower",
        "n": 5,
        "code_hash": "c0de",
        "labels": {},
        **figures,
    }
    return SessionValue(**{**known, **changes})


@pytest.mark.parametrize(
    ("count", "spread", "verdict"),
    [
        (1_004_000, 0.001, "unchanged"),
        (1_006_000, 0.001, "regressed"),
        (994_000, 0.001, "improved"),
        (1_015_000, 0.010, "inconclusive"),
        (1_025_000, 0.010, "regressed"),
    ],
    ids=["within-limit", "beyond-limit", "fewer", "within-spread-of-both", "beyond-spread-of-both"],
)
def test_one_session_a_side_is_judged_by_the_limit_and_the_stored_spread(
    count: float, spread: float, verdict: Verdict
) -> None:
    judgement = judge_counts([counted(1_000_000, spread)], [counted(count, spread)], POLICY)

    assert judgement.verdict == verdict
    assert judgement.test == "counts"
    assert judgement.state is None


@pytest.mark.parametrize("judge", [judge_sides, lambda before, after, policy: judge_history(before, after[-1], policy)])
def test_comparisons_and_gates_judge_counts_without_a_history(judge: Callable[..., Any]) -> None:
    judgement = judge([counted(1_000_000)], [counted(1_020_000)], POLICY)

    assert (judgement.verdict, judgement.test) == ("regressed", "counts")
    assert judgement.change == pytest.approx(0.02)


def test_gate_compares_with_the_newest_count_because_code_changes() -> None:
    history = [counted(2_000_000), counted(1_000_000), counted(None, valid=False, reason=WAITS)]

    assert judge_history(history, counted(1_020_000), POLICY).change == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([counted(1_000)], counted(None, valid=False, reason=WAITS)),
        ([counted(None, valid=False, reason=WAITS)], counted(1_000)),
        ([counted(None, valid=False, reason=WAITS)], counted(None, valid=False, reason=WAITS)),
    ],
    ids=["candidate", "baseline", "both"],
)
def test_benchmark_that_waits_is_inconclusive_by_count_and_never_unchanged(
    before: Sequence[SessionValue], after: SessionValue
) -> None:
    judgement = judge_history(before, after, POLICY)

    assert judgement.verdict == "inconclusive"
    assert "computes for 3 % of its time only" in (judgement.reason or "")


def test_first_count_is_new() -> None:
    assert judge_history([], counted(1_000), POLICY).verdict == "new"


def test_count_of_nothing_is_inconclusive() -> None:
    assert judge_counts([counted(0.0)], [counted(10.0)], POLICY).verdict == "inconclusive"


def test_spread_is_a_share_of_the_count() -> None:
    assert spread_of(counted(1_000, 0.02)) == pytest.approx(0.02)
    assert spread_of(counted(1_000, min=None)) == 0.0


def test_several_sessions_a_side_are_tested() -> None:
    before = [counted(count) for count in (1_000_000, 1_004_000, 998_000, 1_002_000)]
    after = [counted(count) for count in (1_012_000, 1_009_000, 1_008_000, 1_010_000)]
    strayed = [counted(count) for count in (1_020_000, 1_001_000, 999_000, 1_003_000)]

    assert (judge_sides(before, after, POLICY).verdict, judge_sides(before, after, POLICY).test) == (
        "regressed",
        "welch",
    )
    assert judge_sides(before, strayed, POLICY).verdict == "inconclusive"
