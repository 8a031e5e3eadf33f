"""Judging the rows of a gate: histories, disturbed sessions, shifts, q-values, what people let pass."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.compare.rows import judge_pairs
from pytest_benchdb.operations.gate.adjust import Excuses, doubt_shifted, is_suspect, with_allowances, with_q_values
from pytest_benchdb.operations.gate.allowances import Allowance
from pytest_benchdb.operations.gate.judge import GateRule, gate_pairs, judge_rerun
from pytest_benchdb.operations.gate.policy import Rules, parse_overrides
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
    ) -> tuple[ComparisonRow, ...]:
        history = self.history() if history is None else history
        candidate = [] if factor is None else [self.value("99", BASE_S * factor, fullname="a", **values)]
        sessions = {one.session_id: self.session(one.session_id) for one in history}
        sessions["99"] = self.session("99", contended=contended)
        return self.rows(history, candidate, rules, sessions, missing=missing)

    def rows(
        self,
        history: Sequence[SessionValue],
        candidate: Sequence[SessionValue],
        rules: Rules | None = None,
        sessions: Mapping[str, SessionRow] | None = None,
        *,
        missing: Sequence[str] = (),
        **options: Any,
    ) -> tuple[ComparisonRow, ...]:
        rules = rules or Rules()
        sessions = sessions or {one.session_id: self.session(one.session_id) for one in (*history, *candidate)}
        pairs, mains = gate_pairs(history, candidate, rules, missing)
        rule = GateRule(rules=rules, sessions=sessions, mains=mains, **{"confirms": 2, **options})
        return judge_pairs(pairs, rule, {})


@pytest.fixture
def bench(value: Callable[..., SessionValue], session: Callable[..., SessionRow]) -> Bench:
    return Bench(value, session)


@pytest.mark.parametrize(
    ("factor", "verdict", "state"),
    [
        (1.0, "unchanged", None),
        (1.02, "inconclusive", None),
        (1.1, "regressed", "suspect"),
        (0.8, "improved", "suspect"),
    ],
)
def test_session_is_judged_by_its_history(bench: Bench, factor: float, verdict: str, state: str | None) -> None:
    (row,) = bench.judge(factor)

    assert (row.judgement.verdict, row.judgement.state) == (verdict, state)
    assert is_suspect(row) is (verdict == "regressed")


@pytest.mark.parametrize("sessions", [0, 1, 4])
def test_session_with_a_short_history_never_regresses(bench: Bench, sessions: int) -> None:
    (row,) = bench.judge(3.0, history=bench.history(sessions))

    assert row.judgement.state == "learning"
    assert row.judgement.sessions_needed == 5 - sessions
    assert not is_suspect(row)


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

    (row,) = bench.judge(factor, history=history, **values)

    assert row.judgement.verdict == verdict
    if verdict not in {"regressed", "unchanged"}:
        assert row.judgement.reason


def test_count_that_was_zero_regresses_by_its_quantity(bench: Bench, value: Callable[..., SessionValue]) -> None:
    history = [value(str(at), 0.0, metric="failed_requests", unit="1") for at in range(6)]
    rules = Rules(thresholds=parse_thresholds(["failed_requests:2"]))

    def verdict(count: float) -> str:
        candidate = value("99", count, metric="failed_requests", unit="1")
        (row,) = bench.rows(history, [candidate], rules)
        return row.judgement.verdict

    assert (verdict(0.0), verdict(2.0), verdict(5.0)) == ("unchanged", "unchanged", "regressed")


def test_benchmark_that_is_missing_is_a_row_and_one_that_was_deselected_is_none(bench: Bench) -> None:
    history = [*bench.history(), *bench.history(name="gone"), *bench.history(name="deselected")]

    rows = bench.judge(1.0, history=history, missing=["gone"])

    assert [(row.key.fullname, row.judgement.verdict) for row in rows] == [
        ("a", "unchanged"),
        ("gone", "missing"),
    ]


def test_regression_in_a_disturbed_session_is_unstable_unless_both_clocks_agree(bench: Bench) -> None:
    both = [replace(one, cpu_s=one.value, wall_per_cpu=1.0) for one in bench.history()]

    (waiting,) = bench.judge(1.2, contended=True)
    (slower,) = bench.judge(1.2, history=both, contended=True, cpu_s=1.2 * BASE_S, wall_per_cpu=1.0)
    (calm,) = bench.judge(1.2, history=both, cpu_s=BASE_S, wall_per_cpu=1.0)

    assert (waiting.judgement.verdict, waiting.judgement.state) == ("inconclusive", "unstable")
    assert is_suspect(waiting)
    assert slower.judgement.verdict == "regressed"
    assert (calm.judgement.verdict, calm.judgement.state) == ("inconclusive", "unstable")


def test_improvement_is_not_a_suspect_in_either_direction(bench: Bench) -> None:
    history = bench.history(metric="throughput", unit="1/s", better="higher")
    rules = Rules(thresholds=parse_thresholds(["throughput:5%"]))

    (faster,) = bench.judge(1.2, history=history, rules=rules, metric="throughput", unit="1/s", better="higher")
    (slower,) = bench.judge(0.8, history=history, rules=rules, metric="throughput", unit="1/s", better="higher")

    assert faster.judgement.verdict == "improved"
    assert slower.judgement.verdict == "regressed"
    assert is_suspect(slower)
    assert not is_suspect(faster)


def test_row_that_is_not_gated_is_shown_but_not_a_suspect(bench: Bench) -> None:
    rules = Rules(overrides=parse_overrides({"a": "off"}, "here"))

    (row,) = bench.judge(1.2, rules=rules)

    assert (row.judgement.verdict, row.judgement.state) == ("regressed", "not gated")
    assert not is_suspect(row)


def test_only_the_main_time_is_judged_unless_another_is_named(bench: Bench, value: Callable[..., SessionValue]) -> None:
    history = [*bench.history(), *bench.history(metric="cpu_time")]
    candidate = [value("99", BASE_S, fullname="a"), value("99", BASE_S, fullname="a", metric="cpu_time")]

    def metrics(*limits: str) -> list[str]:
        return [row.key.metric for row in bench.rows(history, candidate, Rules(thresholds=parse_thresholds(limits)))]

    assert metrics() == ["wall_time"]
    assert metrics("time:5%") == ["wall_time"]
    assert metrics("cpu_time:5%") == ["wall_time", "cpu_time"]


def _suite(bench: Bench, factors: Sequence[float]) -> tuple[ComparisonRow, ...]:
    history = [one for number in range(len(factors)) for one in bench.history(name=f"t{number}")]
    candidate = [bench.value("99", BASE_S * factor, fullname=f"t{number}") for number, factor in enumerate(factors)]
    return bench.rows(history, candidate)


def test_shift_of_the_suite_puts_its_regressions_in_doubt(bench: Bench) -> None:
    rows, shift = doubt_shifted(_suite(bench, [1.1] * 9 + [1.0]))

    assert shift is not None
    assert shift.change == pytest.approx(0.1, abs=0.01)
    assert {(row.judgement.verdict, row.judgement.state) for row in rows[:9]} == {("inconclusive", "unstable")}


def test_shift_of_the_suite_does_not_explain_a_much_larger_change(bench: Bench) -> None:
    rows, shift = doubt_shifted(_suite(bench, [1.05] * 9 + [1.2]))

    assert shift is not None
    assert [row.judgement.verdict for row in rows] == ["inconclusive"] * 9 + ["regressed"]


def test_unchanged_suite_has_no_shift(bench: Bench) -> None:
    rows, shift = doubt_shifted(_suite(bench, [1.0] * 9 + [1.2]))

    assert shift is None
    assert [row.judgement.verdict for row in rows] == ["unchanged"] * 9 + ["regressed"]


def test_q_values_are_added_and_filter_only_when_asked(bench: Bench) -> None:
    rows = _suite(bench, [1.0] * 9 + [1.035])

    shown = with_q_values(rows, None)
    filtered = with_q_values(rows, 1e-9)

    assert all(row.q_value is not None for row in shown)
    assert shown[-1].judgement.verdict == "regressed"
    assert filtered[-1].judgement.verdict == "inconclusive"
    assert "above --fdr 1e-09" in (filtered[-1].judgement.reason or "")


def test_regression_that_people_let_pass_is_accepted_with_its_reason(bench: Bench) -> None:
    allowance = Allowance(pattern="*", metric="time", reason="new codec", expires_at=None, origin="allow.toml")

    excuses = Excuses(allowances=[allowance], session=bench.session("99"), now="2026-11-21T00:00:00")
    (row,) = with_allowances(bench.judge(1.2), excuses)

    assert (row.judgement.verdict, row.judgement.state) == ("regressed", "accepted")
    assert row.judgement.reason == "new codec (allow.toml)"
    assert not is_suspect(row)


@pytest.mark.parametrize(("factor", "verdict"), [(1.2, "regressed"), (1.0, "unchanged")])
def test_rerun_is_judged_by_the_history_of_its_suspicion(bench: Bench, factor: float, verdict: str) -> None:
    (row,) = bench.judge(1.2)
    value = bench.value("again", BASE_S * factor, fullname="a")
    assert row.policy is not None

    calm = judge_rerun(bench.history(), value, row.policy, bench.session("again"))
    disturbed = judge_rerun(bench.history(), value, row.policy, bench.session("again", contended=True))

    assert calm.verdict == verdict
    assert disturbed.verdict in {"unchanged", "inconclusive"}


@pytest.mark.parametrize(
    ("metric", "verdict"), [("wall_time", "inconclusive"), ("cpu_time", "regressed"), ("thread_time", "regressed")]
)
def test_disturbed_session_is_doubted_for_what_other_work_makes_longer(
    bench: Bench, metric: str, verdict: str, value: Callable[..., SessionValue]
) -> None:
    history = [value(str(number), 1e-3 * (1 + number % 3 / 1000), metric=metric) for number in range(12)]
    rules = Rules(thresholds=parse_thresholds([f"{metric}:5%"]))
    sessions = {"99": bench.session("99", contended=True)}

    rows = bench.rows(history, [value("99", 2e-3, metric=metric)], rules, sessions)

    assert [row.judgement.verdict for row in rows] == [verdict]


@pytest.mark.parametrize(
    ("figure", "cpu_s", "verdict"),
    [
        (230.0, None, "regressed"),
        (230.0, 4.3e-3, "regressed"),
        (700.0, None, "inconclusive"),
        (700.0, 1.01e-3, "inconclusive"),
        (700.0, 1.4e-3, "regressed"),
    ],
    ids=["beyond any machine", "in CPU time too", "not known", "the machine", "less, in CPU time too"],
)
def test_rate_that_falls_in_a_disturbed_session_is_doubted_unless_the_machine_is_ruled_out(
    bench: Bench, value: Callable[..., SessionValue], figure: float, cpu_s: float | None, verdict: str
) -> None:
    rate = {"metric": "throughput", "unit": "1/s", "better": "higher"}
    history = [value(str(at), 1e3 * WOBBLE[at], cpu_s=1e-3 * WOBBLE[at], **rate) for at in range(10)]
    rules = Rules(thresholds=parse_thresholds(["throughput:5%"]))
    disturbed = bench.session("99", contended=True)

    candidate = value("99", figure, cpu_s=cpu_s, **rate)
    (row,) = bench.rows(history, [candidate], rules, {"99": disturbed})
    assert row.policy is not None
    again = judge_rerun(history, candidate, row.policy, disturbed)

    assert (row.judgement.verdict, again.verdict) == (verdict, verdict)


def test_failed_run_without_a_device_is_an_error_of_its_main_time(
    bench: Bench, value: Callable[..., SessionValue]
) -> None:
    history = bench.history(metric="step_time")
    failed = value("99", None, fullname="a", outcome="failed", reason="OOM", backend=None, device=None)

    rows = bench.rows(history, [failed])

    assert [(row.key.metric, row.judgement.verdict) for row in rows] == [("step_time", "error")]


@pytest.mark.parametrize(("allow_cross", "verdict"), [(False, "incomparable"), (True, "unchanged")])
def test_other_device_is_compared_where_people_allow_it(
    bench: Bench, value: Callable[..., SessionValue], allow_cross: bool, verdict: str
) -> None:
    history = bench.history(backend="cuda", device="A100")
    candidate = value("99", BASE_S, fullname="a", backend="cuda", device="H200")

    (row,) = bench.rows(history, [candidate], allow_cross=allow_cross)

    assert row.judgement.verdict == verdict
    assert row.judgement.candidate == BASE_S
