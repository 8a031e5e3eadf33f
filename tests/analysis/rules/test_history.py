import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.analysis.session_figures import failed, reading, session, sessions, steady

from pytest_benchdb.analysis.rules.history import judge_figures, judge_history
from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.series import SeriesKey, SessionValue

POLICY = default_policy("wall_time", "s", "lower", sessions=20)
MEMORY = default_policy("python_peak", "B", "lower", sessions=20)
THROUGHPUT = default_policy("throughput", "1/s", "higher", sessions=20)
HISTORY = sessions(steady(20))
QUIET = sessions(steady(20, spread=0.003))
"""A history so quiet that one session can show that nothing changed."""
RATE = SeriesKey(fullname="tests/test_a.py::test_a", metric="throughput")


def rates(figures: list[float]) -> list[SessionValue]:
    return [reading(figure, key=RATE, unit="1/s", better="higher") for figure in figures]


def test_history_formula_agrees_with_scipy() -> None:
    figures, candidate = steady(20, spread=0.03), 1.04e-3

    judgement = judge_history(sessions(figures), session(candidate), POLICY)

    logs = np.log(figures)
    clipped = np.minimum(np.abs(logs - np.median(logs)), POLICY.relative)
    deviations = [
        1.4826 * stats.median_abs_deviation(logs),
        stats.iqr(logs) / 1.349,
        math.sqrt((clipped**2).sum() / 19),
    ]
    deviation = max(*deviations, 0.005)
    error = deviation * math.sqrt(1 + math.pi / 40)
    distance = math.log(candidate) - np.median(logs)
    ends = np.expm1(distance + np.array([-1, 1]) * stats.t.ppf(0.975, 19) * error)
    assert judgement.interval is not None
    assert judgement.test == "history"
    assert judgement.statistic == pytest.approx(distance / error, rel=1e-9)
    assert judgement.p_value == pytest.approx(stats.t.sf(distance / error, 19), rel=1e-9)
    assert (judgement.interval.low, judgement.interval.high) == pytest.approx(tuple(ends), rel=1e-9)


@pytest.mark.parametrize(
    ("factor", "verdict", "state"),
    [
        (0.5, "improved", "suspect"),
        (0.95, "improved", "suspect"),
        (0.979, "inconclusive", None),
        (0.99, "unchanged", None),
        (1.0, "unchanged", None),
        (1.01, "unchanged", None),
        (1.02, "inconclusive", None),
        (1.06, "regressed", "suspect"),
        (2.0, "regressed", "suspect"),
    ],
)
def test_session_is_judged_by_its_history(factor: float, verdict: str, state: str | None) -> None:
    judgement = judge_history(QUIET, session(1e-3 * factor), POLICY)

    assert (judgement.verdict, judgement.state) == (verdict, state)
    assert (judgement.baseline_sessions, judgement.candidate_sessions) == (20, 1)


def test_history_that_could_hide_a_change_that_counts_leaves_it_open() -> None:
    judgement = judge_history(HISTORY, session(1e-3), POLICY)

    assert (judgement.verdict, judgement.state) == ("inconclusive", None)
    assert judgement.reason == "no change that counts, but the interval reaches beyond the limit"


def test_change_is_that_of_the_two_values_shown() -> None:
    judgement = judge_history(HISTORY, session(1.1e-3), POLICY)

    assert judgement.baseline == pytest.approx(statistics.median(value.min or 0 for value in HISTORY), rel=1e-5)
    assert judgement.candidate == 1.1e-3
    assert judgement.change == pytest.approx(1.1e-3 / (judgement.baseline or 1) - 1)


def test_change_within_a_wide_noise_is_inconclusive() -> None:
    judgement = judge_history(sessions(steady(20, spread=0.2)), session(1.2e-3), POLICY)

    assert (judgement.verdict, judgement.reason) == ("inconclusive", "within the noise")


def test_times_of_nanoseconds_do_not_fail_by_their_share() -> None:
    assert judge_history(sessions([100e-9] * 20), session(140e-9), POLICY).verdict == "unchanged"
    assert judge_history(sessions([100e-9] * 20), session(160e-9), POLICY).verdict == "regressed"


@pytest.mark.parametrize("count", [1, 4])
def test_history_of_few_sessions_only_learns(count: int) -> None:
    judgement = judge_history(HISTORY[:count], session(9e-3), POLICY)

    assert (judgement.verdict, judgement.state, judgement.sessions_needed) == ("inconclusive", "learning", 5 - count)
    assert judgement.change == pytest.approx(8, abs=0.5)


def test_history_of_five_sessions_decides() -> None:
    assert judge_history(HISTORY[:5], session(2e-3), POLICY).verdict == "regressed"


def test_history_beyond_the_window_is_forgotten() -> None:
    before = sessions(steady(20, figure=5e-3))

    assert judge_history(before + QUIET, session(1e-3), POLICY).verdict == "unchanged"


def test_history_of_outliers_is_judged_by_its_middle() -> None:
    figures = steady(20)
    figures[3] *= 40
    figures[11] *= 40

    assert judge_history(sessions(figures), session(1.1e-3), POLICY).verdict == "regressed"


# ---- what cannot be judged


def test_benchmark_without_history_is_new() -> None:
    judgement = judge_history([], session(1e-3), POLICY)

    assert (judgement.verdict, judgement.state, judgement.sessions_needed) == ("new", "learning", 5)
    assert judgement.candidate == 1e-3


def test_benchmark_whose_history_never_passed_is_new_with_the_reason() -> None:
    judgement = judge_history([failed()], session(1e-3), POLICY)

    assert judgement.verdict == "new"
    assert judgement.reason == "the baseline has no usable value: failed: AssertionError: 3 != 4"


def test_benchmark_without_a_session_is_missing() -> None:
    judgement = judge_history(HISTORY, None, POLICY)

    assert (judgement.verdict, judgement.baseline_sessions, judgement.candidate) == ("missing", 20, None)


def test_session_that_failed_is_an_error_however_fast_it_was() -> None:
    judgement = judge_history(HISTORY, session(1e-6, outcome="failed", reason="boom"), POLICY)

    assert (judgement.verdict, judgement.reason, judgement.change) == ("error", "failed: boom", None)


def test_session_that_was_skipped_is_missing() -> None:
    skipped = failed(outcome="skipped", reason="no CUDA device")

    judgement = judge_history(HISTORY, skipped, POLICY)

    assert (judgement.verdict, judgement.reason) == ("missing", "skipped: no CUDA device")


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_session_without_a_finite_value_is_inconclusive(figure: float) -> None:
    judgement = judge_history(HISTORY, reading(figure), POLICY)

    assert (judgement.verdict, judgement.candidate) == ("inconclusive", None)
    assert judgement.reason == f"wall_time is {figure}, which is not a measurement"


def test_history_values_that_are_not_finite_are_left_out() -> None:
    judgement = judge_history([*QUIET, reading(math.nan), failed(), reading(None)], session(1e-3), POLICY)

    assert (judgement.verdict, judgement.baseline_sessions) == ("unchanged", 20)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"unit": "ms"}, "the unit changed from s to ms"),
        ({"code_hash": "b"}, "the benchmark's own code changed"),
        ({"result_count": 9}, "it returned 9 results, 10 in the baseline"),
    ],
    ids=["unit", "code", "results"],
)
def test_session_that_measured_something_else_is_incomparable(fields: dict[str, object], reason: str) -> None:
    history = sessions(steady(20), code_hash="a", result_count=10)
    candidate = session(1e-3, **{"code_hash": "a", "result_count": 10, **fields})

    judgement = judge_history(history, candidate, POLICY)

    assert (judgement.verdict, judgement.reason) == ("incomparable", reason)
    assert judgement.change is None


def test_history_restarts_after_the_benchmark_changed() -> None:
    history = [*sessions(steady(20, figure=9e-3), code_hash="a"), *sessions(steady(3), code_hash="b")]

    judgement = judge_history(history, session(1e-3, code_hash="b"), POLICY)

    assert (judgement.state, judgement.sessions_needed, judgement.baseline_sessions) == ("learning", 2, 3)


def test_session_whose_code_is_unknown_is_compared() -> None:
    assert judge_history(QUIET, session(1e-3, code_hash="b"), POLICY).verdict == "unchanged"


# ---- no variance, zeros, negative values


def test_exact_metric_is_judged_by_its_change_alone() -> None:
    history = [reading(1_000_000.0, unit="B")] * 20

    verdicts = {size: judge_history(history, reading(size, unit="B"), MEMORY) for size in (1e6, 1_009_000, 1_020_000)}

    assert {size: judgement.verdict for size, judgement in verdicts.items()} == {
        1e6: "unchanged",
        1_009_000: "unchanged",
        1_020_000: "regressed",
    }
    assert {(judgement.test, judgement.p_value) for judgement in verdicts.values()} == {("exact", None)}


def test_exact_metric_below_its_floor_is_unchanged() -> None:
    assert judge_history([reading(100.0)] * 9, reading(1100.0), MEMORY).verdict == "unchanged"


def test_exact_metric_that_does_not_repeat_is_tested() -> None:
    history = [reading(figure, unit="B") for figure in steady(20, figure=1e6, spread=0.05)]

    judgement = judge_history(history, reading(1.05e6, unit="B"), MEMORY)

    assert (judgement.test, judgement.verdict) == ("history", "inconclusive")


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.05, "regressed"), (1.015, "unchanged"), (1.025, "inconclusive"), (0.9, "improved")]
)
def test_times_without_variance_have_an_interval_as_wide_as_half_a_percent(factor: float, verdict: str) -> None:
    judgement = judge_history(sessions([1e-3] * 20), session(1e-3 * factor), POLICY)

    assert (judgement.verdict, judgement.test) == (verdict, "history")
    assert judgement.interval is not None
    assert judgement.interval.low < factor - 1 < judgement.interval.high
    assert judgement.interval.high - judgement.interval.low > 0.015
    assert judgement.p_value


def test_times_of_a_few_ticks_have_an_interval_as_wide_as_the_tick() -> None:
    judgement = judge_history(sessions([2e-9] * 20), session(3e-9), POLICY)

    assert judgement.interval is not None
    assert judgement.interval.high - judgement.interval.low > 0.5


def test_figures_without_variance_that_are_no_times_are_judged_by_their_change() -> None:
    accuracy = default_policy("accuracy", "1", "higher", sessions=20)

    assert judge_figures([0.9] * 9, 0.8, accuracy).test == "exact"


def test_zero_baseline_is_inconclusive_for_times() -> None:
    judgement = judge_history([reading(0.0)] * 9, reading(1.0), POLICY)

    assert (judgement.verdict, judgement.change) == ("inconclusive", None)
    assert judgement.reason == "the baseline is 0, so there is no relative change"


def test_zero_baseline_of_a_count_regresses_with_the_first() -> None:
    policy = default_policy("failed_requests", "1", "lower", sessions=9)

    assert judge_history([reading(0.0)] * 9, reading(0.0), policy).verdict == "unchanged"
    assert judge_history([reading(0.0)] * 9, reading(1.0), policy).verdict == "regressed"


def test_zeros_among_times_are_judged_by_plain_differences() -> None:
    history = [reading(figure) for figure in [0.0, *steady(19, figure=1.0, spread=0.001)]]

    judgements = [judge_history(history, reading(figure), POLICY) for figure in (1.0, 1.2, 0.0)]

    assert [judgement.verdict for judgement in judgements] == ["unchanged", "regressed", "improved"]
    assert judgements[2].change == -1


@pytest.mark.parametrize(("better", "verdict"), [("lower", "improved"), ("higher", "regressed")])
def test_negative_values_are_judged_by_plain_differences(better: Better, verdict: str) -> None:
    history = [reading(-figure) for figure in steady(20, figure=100.0)]

    judgement = judge_history(history, reading(-120.0), replace(POLICY, better=better))

    assert judgement.verdict == verdict
    assert judgement.change == pytest.approx(-0.2, abs=0.01)


# ---- direction


@given(factor=st.floats(0.01, 100))
def test_throughput_drop_is_never_an_improvement(factor: float) -> None:
    judgement = judge_history(rates(steady(20, figure=1000.0)), rates([1000.0 * factor])[0], THROUGHPUT)

    assert judgement.verdict != ("improved" if (judgement.change or 0) < 0 else "regressed")


@given(factor=st.floats(0.2, 5), spread=st.sampled_from([0.002, 0.01, 0.1]))
def test_time_and_its_reciprocal_rate_give_the_same_test(factor: float, spread: float) -> None:
    times = steady(20, spread=spread)

    by_time = judge_figures(times, factor * 1e-3, replace(POLICY, relative=0.0, absolute=0.0))
    by_rate = judge_figures([1 / time for time in times], 1e3 / factor, replace(THROUGHPUT, relative=0.0))

    assert by_time.verdict == by_rate.verdict
    assert by_time.p_value == pytest.approx(by_rate.p_value, rel=1e-6, abs=1e-6)


@given(factor=st.floats(0.01, 100))
def test_metric_without_direction_neither_regresses_nor_improves(factor: float) -> None:
    judgement = judge_history(HISTORY, session(1e-3 * factor), replace(POLICY, better="none"))

    assert judgement.verdict in {"unchanged", "inconclusive"}


@given(factor=st.floats(0.5, 2), scale=st.floats(1e-3, 1e6))
def test_scale_of_the_unit_does_not_matter(factor: float, scale: float) -> None:
    policy = replace(POLICY, absolute=0.0)
    figures = steady(20)

    plain = judge_figures(figures, factor * 1e-3, policy)
    scaled = judge_figures([figure * scale for figure in figures], factor * 1e-3 * scale, policy)

    assert plain.p_value == pytest.approx(scaled.p_value, rel=1e-6, abs=1e-6)


# ---- two clocks


def test_wall_time_that_the_cpu_time_does_not_share_is_unstable() -> None:
    judgement = judge_history(HISTORY, session(1.4e-3, cpu_s=1e-3, wall_per_cpu=1.4), POLICY)

    assert (judgement.verdict, judgement.state) == ("inconclusive", "unstable")
    assert judgement.reason is not None
    assert "the machine was busy, or the code waits" in judgement.reason
    assert judgement.change == pytest.approx(0.4, abs=0.01)


def test_wall_time_that_the_cpu_time_shares_regresses_on_a_busy_machine_too() -> None:
    judgement = judge_history(HISTORY, session(1.4e-3, cpu_s=1.2e-3, wall_per_cpu=1.17), POLICY)

    assert judgement.verdict == "regressed"


def test_improvement_that_the_cpu_time_does_not_share_is_unstable() -> None:
    assert judge_history(HISTORY, session(0.8e-3, cpu_s=1e-3), POLICY).state == "unstable"


def test_code_that_waits_is_judged_by_its_wall_time_alone() -> None:
    history = sessions(steady(20), cpu_s=1e-4, wall_per_cpu=10.0)

    judgement = judge_history(history, session(1.4e-3, cpu_s=1e-4, wall_per_cpu=14.0), POLICY)

    assert (judgement.verdict, judgement.state) == ("regressed", "suspect")


def test_sessions_of_a_busy_machine_are_left_out_of_the_noise() -> None:
    busy = sessions(steady(6, figure=2e-3, spread=0.3), cpu_s=0.99e-3, wall_per_cpu=2.0)

    judgement = judge_history([*QUIET, *busy], session(1e-3), POLICY)

    assert (judgement.verdict, judgement.baseline_sessions) == ("unchanged", 20)
    assert judgement.baseline == pytest.approx(1e-3, rel=0.02)


@pytest.mark.parametrize(("cpu", "verdict"), [(1e-3, "unchanged"), (1.2e-3, "regressed")])
def test_busy_machine_is_judged_by_its_cpu_time(cpu: float, verdict: str) -> None:
    busy = [session(wall, cpu_s=time) for wall, time in zip(steady(7, figure=2e-3, spread=0.3), steady(7), strict=True)]
    calm = sessions(steady(4))

    judgement = judge_history([*busy, *calm], session(2e-3, cpu_s=cpu, waits=0.0), POLICY)

    assert (judgement.verdict, judgement.candidate) == (verdict, cpu)
    assert judgement.reason == "by its CPU time: the machine was busy"


def test_memory_is_not_judged_by_cpu_time() -> None:
    key = SeriesKey(fullname="a", metric="python_peak")
    history = [reading(1e6, unit="B", key=key, cpu_s=1e-3, wall_per_cpu=1.0)] * 9

    judgement = judge_history(history, reading(2e6, unit="B", key=key, cpu_s=1e-3, wall_per_cpu=1.5), MEMORY)

    assert (judgement.verdict, judgement.state) == ("regressed", "suspect")


# ---- drift


def drifting(count: int, by: float) -> list[float]:
    return [figure * (1 + by) ** index for index, figure in enumerate(steady(count, spread=0.005))]


def test_level_that_moves_by_itself_is_reported_and_compared_with_its_end() -> None:
    figures = drifting(20, 0.01)

    judgement = judge_history(sessions(figures), session(figures[-1]), POLICY)

    assert judgement.state == "drifting"
    assert judgement.reason is not None
    assert judgement.baseline == pytest.approx(statistics.median(figures[-10:]), rel=1e-4)


def test_constant_level_is_not_called_drifting() -> None:
    assert judge_history(HISTORY, session(1e-3), POLICY).state is None


@pytest.mark.parametrize(
    ("before", "now", "verdict", "state"),
    [
        (0.0, 1.0, "regressed", "suspect"),
        (0.01, 25.0, "regressed", "suspect"),
        (0.0, 0.02, "inconclusive", None),
        (0.0, None, "inconclusive", "unstable"),
        (None, 1.0, "inconclusive", "unstable"),
    ],
    ids=["waits", "waits often", "preempted", "not known", "not known before"],
)
def test_code_that_begins_to_wait_regresses_on_a_busy_machine_too(
    before: float | None, now: float | None, verdict: str, state: str
) -> None:
    # The rounds of these sessions were disturbed, the fastest ones were not: see wall_per_cpu beside min and cpu_s.
    history = sessions(steady(20), wall_per_cpu=1.5, waits=before)

    judgement = judge_history(history, session(1.98e-3, cpu_s=1.02e-3, wall_per_cpu=1.9, waits=now), POLICY)

    assert (judgement.verdict, judgement.state) == (verdict, state)


def test_contended_session_is_judged_by_the_amount_of_its_cpu_time() -> None:
    history = sessions(steady(20), wall_per_cpu=1.5)

    judgement = judge_history(history, session(1.98e-3, cpu_s=1.1e-3, wall_per_cpu=1.9, waits=0.0), POLICY)

    assert (judgement.verdict, judgement.reason) == ("regressed", "by its CPU time: the machine was busy")
    assert judgement.change == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.035, "inconclusive"), (1.08, "regressed"), (0.92, "improved"), (0.99, "inconclusive")]
)
def test_history_of_two_levels_suspects_figures_beyond_both(factor: float, verdict: str) -> None:
    levels = [1e-3 * (1.04 if number % 2 else 0.96) for number in range(20)]

    judgement = judge_figures(levels, 1e-3 * factor, POLICY)

    assert judgement.verdict == verdict
    assert judgement.p_value is not None
    assert min(judgement.p_value, 1 - judgement.p_value) > 0.01  # t alone would not know


def test_verdict_by_the_range_of_the_history_has_its_numbers() -> None:
    levels = [1e-3 * (1.5 if number % 2 else 0.7) for number in range(20)]

    judgement = judge_figures(levels, 1.8e-3, POLICY)

    assert (judgement.verdict, judgement.test, judgement.statistic) == ("regressed", "range", None)
    assert judgement.p_value == pytest.approx(1 / 21)
    assert judgement.interval is not None
    assert (judgement.interval.low, judgement.interval.high) == pytest.approx((1.8 / 1.5 - 1, 1.8 / 0.7 - 1))
    assert judgement.interval.level == pytest.approx(19 / 21)


def test_history_of_six_sessions_is_too_short_to_suspect_figures_beyond_it() -> None:
    levels = [1e-3 * (1.04 if number % 2 else 0.96) for number in range(7)]

    verdicts = [judge_figures(levels[:count], 1.08e-3, POLICY).verdict for count in (6, 7)]

    assert verdicts == ["inconclusive", "regressed"]


@pytest.mark.parametrize(
    ("strays", "verdict", "reason"),
    [
        ([1.12], "regressed", None),
        ([1.12, 1.15], "inconclusive", "2 of 20 earlier sessions were as far off"),
        ([1.12, 1.5], "regressed", None),
        ([0.85, 0.88], "regressed", None),
    ],
    ids=["one", "two", "one-of-another-kind", "on-the-other-side"],
)
def test_history_with_sessions_as_far_off_is_inconclusive_with_their_number(
    strays: list[float], verdict: str, reason: str | None
) -> None:
    figures = steady(20)
    for number, factor in enumerate(strays):
        figures[5 * number] = 1e-3 * factor

    judgement = judge_figures(figures, 1.1e-3, POLICY)

    assert (judgement.verdict, judgement.reason) == (verdict, reason)


@pytest.mark.parametrize(("before", "last"), [(5, 1), (6, 2), (10, 2), (20, 2), (20, 4)], ids=str)
def test_change_that_stays_is_reported_again(before: int, last: int) -> None:
    figures = steady(before) + [1.2 * figure for figure in steady(last)]

    judgement = judge_figures(figures, 1.2e-3, POLICY)

    assert (judgement.verdict, judgement.state) == ("regressed", "suspect")
