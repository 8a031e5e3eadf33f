"""Judging the rows of a gate: histories, disturbed sessions, shifts, q-values, what people let pass."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.gate.allowances import Allowance
from pytest_benchdb.operations.gate.policy import Rules, parse_overrides
from pytest_benchdb.operations.gate.rows import (
    Context,
    JudgedRow,
    is_suspect,
    judge_again,
    judge_rows,
    with_allowances,
    with_q_values,
    with_shift,
)
from pytest_benchdb.operations.select.filters.threshold import parse_thresholds

BASE_S = 1e-3
WOBBLE = (1.0, 1.004, 0.997, 1.002, 0.999, 1.003, 0.998, 1.001, 1.0, 0.996)


class Bench:
    """Makes values and judges them."""

    def __init__(self, value: Callable[..., SessionValue], session: Callable[..., SessionRow]) -> None:
        self.value = value
        self.session = session

    def history(self, n: int = 10, name: str = "a", **values: Any) -> list[SessionValue]:
        return [self.value(str(at), BASE_S * WOBBLE[at], fullname=name, **values) for at in range(n)]

    def judge(
        self,
        factor: float | None,
        *,
        history: Sequence[SessionValue] | None = None,
        rules: Rules | None = None,
        contended: bool = False,
        missing: Sequence[str] = (),
        **values: Any,
    ) -> list[JudgedRow]:
        history = self.history() if history is None else history
        candidate = [] if factor is None else [self.value("99", BASE_S * factor, fullname="a", **values)]
        sessions = {one.session_id: self.session(one.session_id) for one in history}
        sessions["99"] = self.session("99", contended=contended)
        context = Context(rules=rules or Rules(), sessions=sessions, confirms=2, missing=missing)
        return judge_rows(history, candidate, context)


@pytest.fixture
def bench(value: Callable[..., SessionValue], session: Callable[..., SessionRow]) -> Bench:
    return Bench(value, session)


@pytest.mark.parametrize(
    ("factor", "verdict", "state"),
    [
        (1.0, "unchanged", None),
        (1.02, "unchanged", None),
        (1.1, "regressed", "suspect"),
        (0.8, "improved", "suspect"),
    ],
)
def test_session_is_judged_by_its_history(bench: Bench, factor: float, verdict: str, state: str | None) -> None:
    (judged,) = bench.judge(factor)

    assert (judged.row.judgement.verdict, judged.row.judgement.state) == (verdict, state)
    assert is_suspect(judged) is (verdict == "regressed")


@pytest.mark.parametrize("sessions", [0, 1, 4])
def test_session_with_a_short_history_never_regresses(bench: Bench, sessions: int) -> None:
    (judged,) = bench.judge(3.0, history=bench.history(sessions))

    assert judged.row.judgement.state == "learning"
    assert judged.row.judgement.sessions_needed == 5 - sessions
    assert not is_suspect(judged)


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        ("zero variance", "regressed"),
        ("zeros", "unchanged"),
        ("from zero", "inconclusive"),
        ("negative", "regressed"),
        ("nan", "inconclusive"),
        ("unit", "incomparable"),
        ("code", "incomparable"),
        ("results", "incomparable"),
        ("failed", "error"),
        ("skipped", "missing"),
    ],
)
def test_odd_values_have_their_verdicts(bench: Bench, case: str, verdict: str) -> None:
    same = [replace(one, value=BASE_S, min=BASE_S) for one in bench.history()]
    cases: dict[str, tuple[list[SessionValue], float, dict[str, Any]]] = {
        "zero variance": (same, 1.1, {}),
        "zeros": ([replace(one, value=0.0, min=0.0) for one in same], 0.0, {}),
        "from zero": ([replace(one, value=0.0, min=0.0) for one in same], 5.0, {}),
        "negative": ([replace(one, value=-2 * BASE_S, min=-2 * BASE_S) for one in same], -1.0, {}),
        "nan": (same, float("nan"), {}),
        "unit": (same, 1.1, {"unit": "ms"}),
        "code": (same, 1.1, {"code_hash": "other"}),
        "results": ([replace(one, result_count=5) for one in same], 1.1, {"result_count": 6}),
        "failed": (same, 1.0, {"outcome": "failed", "reason": "AssertionError"}),
        "skipped": (same, 1.0, {"outcome": "skipped", "reason": "no GPU"}),
    }
    history, factor, values = cases[case]

    (judged,) = bench.judge(factor, history=history, **values)

    assert judged.row.judgement.verdict == verdict
    if verdict not in {"regressed", "unchanged"}:
        assert judged.row.judgement.reason


def test_count_that_was_zero_regresses_by_its_quantity(bench: Bench, value: Callable[..., SessionValue]) -> None:
    history = [value(str(at), 0.0, metric="failed_requests", unit="1") for at in range(6)]
    rules = Rules(thresholds=parse_thresholds(["failed_requests:2"]))

    def verdict(count: float) -> str:
        candidate = value("99", count, metric="failed_requests", unit="1")
        sessions = {one.session_id: bench.session(one.session_id) for one in (*history, candidate)}
        (judged,) = judge_rows(history, [candidate], Context(rules=rules, sessions=sessions))
        return judged.row.judgement.verdict

    assert (verdict(0.0), verdict(2.0), verdict(5.0)) == ("unchanged", "unchanged", "regressed")


def test_benchmark_that_is_missing_is_a_row_and_one_that_was_deselected_is_none(bench: Bench) -> None:
    history = [*bench.history(), *bench.history(name="gone"), *bench.history(name="deselected")]

    rows = bench.judge(1.0, history=history, missing=["gone"])

    assert [(one.row.key.fullname, one.row.judgement.verdict) for one in rows] == [
        ("a", "unchanged"),
        ("gone", "missing"),
    ]


def test_regression_in_a_disturbed_session_is_unstable_unless_both_clocks_tell_it(bench: Bench) -> None:
    both = [replace(one, cpu_s=one.value, wall_per_cpu=1.0) for one in bench.history()]

    (waiting,) = bench.judge(1.2, contended=True)
    (slower,) = bench.judge(1.2, history=both, contended=True, cpu_s=1.2 * BASE_S, wall_per_cpu=1.0)
    (calm,) = bench.judge(1.2, history=both, cpu_s=BASE_S, wall_per_cpu=1.0)

    assert (waiting.row.judgement.verdict, waiting.row.judgement.state) == ("inconclusive", "unstable")
    assert is_suspect(waiting)
    assert slower.row.judgement.verdict == "regressed"
    assert (calm.row.judgement.verdict, calm.row.judgement.state) == ("inconclusive", "unstable")


def test_improvement_is_no_suspect_whatever_the_direction(bench: Bench) -> None:
    history = bench.history(metric="throughput", unit="1/s", better="higher")
    rules = Rules(thresholds=parse_thresholds(["throughput:5%"]))

    (faster,) = bench.judge(1.2, history=history, rules=rules, metric="throughput", unit="1/s", better="higher")
    (slower,) = bench.judge(0.8, history=history, rules=rules, metric="throughput", unit="1/s", better="higher")

    assert faster.row.judgement.verdict == "improved"
    assert slower.row.judgement.verdict == "regressed"
    assert is_suspect(slower)
    assert not is_suspect(faster)


def test_row_that_is_not_gated_is_shown_and_is_no_suspect(bench: Bench) -> None:
    rules = Rules(overrides=parse_overrides({"a": "off"}, "here"))

    (judged,) = bench.judge(1.2, rules=rules)

    assert (judged.row.judgement.verdict, judged.row.judgement.state) == ("regressed", "not gated")
    assert not is_suspect(judged)


def test_only_the_main_time_is_judged_unless_another_is_named(bench: Bench, value: Callable[..., SessionValue]) -> None:
    history = [*bench.history(), *bench.history(metric="cpu_time")]
    candidate = [value("99", BASE_S, fullname="a"), value("99", BASE_S, fullname="a", metric="cpu_time")]
    sessions = {one.session_id: bench.session(one.session_id) for one in (*history, *candidate)}

    def metrics(*limits: str) -> list[str]:
        context = Context(rules=Rules(thresholds=parse_thresholds(limits)), sessions=sessions)
        return [one.row.key.metric for one in judge_rows(history, candidate, context)]

    assert metrics() == ["wall_time"]
    assert metrics("time:5%") == ["wall_time"]
    assert metrics("cpu_time:5%") == ["wall_time", "cpu_time"]


def _suite(bench: Bench, factors: Sequence[float]) -> list[JudgedRow]:
    history = [one for number in range(len(factors)) for one in bench.history(name=f"t{number}")]
    candidate = [bench.value("99", BASE_S * factor, fullname=f"t{number}") for number, factor in enumerate(factors)]
    sessions = {one.session_id: bench.session(one.session_id) for one in (*history, *candidate)}
    return judge_rows(history, candidate, Context(rules=Rules(), sessions=sessions, confirms=2))


def test_shift_of_the_suite_puts_its_regressions_in_doubt(bench: Bench) -> None:
    rows, shift = with_shift(_suite(bench, [1.1] * 9 + [1.0]))

    assert shift is not None
    assert shift.change == pytest.approx(0.1, abs=0.01)
    assert {one.row.judgement.state for one in rows[:9]} == {"unstable"}
    assert not any(map(is_suspect, rows))


def test_shift_of_the_suite_explains_no_change_that_goes_much_further(bench: Bench) -> None:
    rows, shift = with_shift(_suite(bench, [1.05] * 9 + [1.5]))

    assert shift is not None
    assert [is_suspect(one) for one in rows] == [False] * 9 + [True]


def test_suite_that_stands_still_has_no_shift(bench: Bench) -> None:
    rows, shift = with_shift(_suite(bench, [1.0] * 9 + [1.2]))

    assert shift is None
    assert [one.row.judgement.verdict for one in rows] == ["unchanged"] * 9 + ["regressed"]


def test_q_values_are_added_and_filter_only_when_asked(bench: Bench) -> None:
    rows = _suite(bench, [1.0] * 9 + [1.035])

    shown = with_q_values(rows, None)
    filtered = with_q_values(rows, 1e-9)

    assert all(one.row.q_value is not None for one in shown)
    assert shown[-1].row.judgement.verdict == "regressed"
    assert filtered[-1].row.judgement.verdict == "inconclusive"
    assert "above --fdr 1e-09" in (filtered[-1].row.judgement.reason or "")


def test_regression_that_people_let_pass_is_accepted_with_its_reason(bench: Bench) -> None:
    allowance = Allowance(pattern="*", metric="time", reason="new codec", expires_at=None, origin="allow.toml")

    (judged,) = with_allowances(bench.judge(1.2), [allowance], bench.session("99"), "2026-11-21T00:00:00")

    assert (judged.row.judgement.verdict, judged.row.judgement.state) == ("regressed", "accepted")
    assert judged.row.judgement.reason == "new codec (allow.toml)"
    assert not is_suspect(judged)


@pytest.mark.parametrize(("factor", "verdict"), [(1.2, "regressed"), (1.0, "unchanged")])
def test_rerun_is_judged_by_the_history_of_its_suspicion(bench: Bench, factor: float, verdict: str) -> None:
    (judged,) = bench.judge(1.2)
    value = bench.value("again", BASE_S * factor, fullname="a")

    assert judge_again(judged, value, bench.session("again")).verdict == verdict
    assert judge_again(judged, value, bench.session("again", contended=True)).verdict in {"unchanged", "inconclusive"}
