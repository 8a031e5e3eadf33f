import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from tests.analysis.session_figures import failed, reading, session, sessions, steady

from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.analysis.rules.sides import judge_samples, judge_sides
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.verdict import Judgement, Statistic

POLICY = default_policy("wall_time", "s", "lower", sessions=5)
MEMORY = default_policy("python_peak", "B", "lower", sessions=5)
THROUGHPUT = default_policy("throughput", "1/s", "higher", sessions=5)
BASELINE = sessions(steady(5))
FIGURES = st.lists(st.floats(1e-6, 1e6), min_size=3, max_size=10).filter(lambda side: max(side) > min(side) * 1.01)


@given(baseline=FIGURES, candidate=FIGURES)
def test_samples_are_tested_on_their_logarithms_as_scipy_does(baseline: list[float], candidate: list[float]) -> None:
    judgement = judge_samples(baseline, candidate, POLICY)
    assume(judgement.test != "ranks")

    logs = np.log(candidate), np.log(baseline)
    expected = stats.ttest_ind(*logs, equal_var=False, alternative="greater")
    interval = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.95)
    assert judgement.interval is not None
    assert judgement.test == "welch"
    assert judgement.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-9)
    assert judgement.statistic == pytest.approx(expected.statistic, rel=1e-6, abs=1e-9)
    assert judgement.interval.low == pytest.approx(math.expm1(interval.low), rel=1e-6, abs=1e-9)
    assert judgement.interval.high == pytest.approx(math.expm1(interval.high), rel=1e-6, abs=1e-9)
    assert judgement.change == pytest.approx(math.expm1(logs[0].mean() - logs[1].mean()), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("factor", "verdict"), [(0.8, "improved"), (1.0, "unchanged"), (1.2, "regressed")])
def test_sides_of_five_sessions_are_decided(factor: float, verdict: str) -> None:
    judgement = judge_sides(BASELINE, sessions(steady(5, figure=1e-3 * factor, seed=2)), POLICY)

    assert (judgement.verdict, judgement.state, judgement.test) == (verdict, None, "welch")
    assert (judgement.baseline_sessions, judgement.candidate_sessions, judgement.sessions_needed) == (5, 5, None)


def test_sides_within_a_wide_noise_are_inconclusive() -> None:
    judgement = judge_sides(
        sessions(steady(5, spread=0.3)), sessions(steady(5, figure=1.3e-3, spread=0.3, seed=3)), POLICY
    )

    assert (judgement.verdict, judgement.reason) == ("inconclusive", "within the noise")


@pytest.mark.parametrize(("sessions_a_side", "verdict"), [(4, "inconclusive"), (5, "regressed")])
def test_sides_that_are_wholly_apart_differ_whatever_one_session_did(sessions_a_side: int, verdict: str) -> None:
    baseline = steady(sessions_a_side)
    candidate = [1.1 * figure for figure in steady(sessions_a_side - 1, seed=2)]

    judgement = judge_samples(baseline, [*candidate, 2.5e-3], POLICY)

    assert judgement.verdict == verdict
    assert judgement.interval is not None
    assert judgement.p_value is not None
    if verdict == "regressed":  # Welch alone would not know
        assert judgement.test == "ranks"
        assert judgement.change == pytest.approx(0.1, abs=0.02)
        assert judgement.p_value == pytest.approx(1 / 252)
        assert 0 < judgement.interval.low < judgement.interval.high
    else:
        assert judgement.p_value > 0.01
        assert judgement.interval.low < 0


def test_sides_whose_interval_reaches_beyond_the_limit_are_not_called_unchanged() -> None:
    """A change of 0 with an interval from -40 to +80 % says nothing about whether it changed."""
    baseline, candidate = [1.0e-3, 1.3e-3, 0.8e-3], [1.3e-3, 0.8e-3, 1.01e-3]

    judgement = judge_samples(baseline, candidate, POLICY)

    assert judgement.change == pytest.approx(0, abs=0.05)
    assert judgement.interval is not None
    assert judgement.interval.high > POLICY.relative
    assert (judgement.verdict, judgement.state) == ("inconclusive", None)
    assert judgement.reason == "no change that counts, but the interval reaches beyond the limit"


@given(baseline=FIGURES, candidate=FIGURES, limit=st.floats(0.001, 10))
def test_sides_are_unchanged_only_if_the_whole_interval_is_within_the_limit(
    baseline: list[float], candidate: list[float], limit: float
) -> None:
    judgement = judge_samples(baseline, candidate, replace(POLICY, relative=limit))

    assert judgement.interval is not None
    within = -limit <= judgement.interval.low and judgement.interval.high <= limit
    assert (judgement.verdict == "unchanged") == within


def test_sides_that_are_apart_by_less_than_counts_are_unchanged() -> None:
    judgement = judge_samples(steady(5, spread=1e-4), [1.02 * figure for figure in steady(5, spread=1e-4)], POLICY)

    assert judgement.verdict == "unchanged"


def test_sides_of_exact_figures_need_one_session_each() -> None:
    verdicts = [
        judge_sides([reading(1e6, unit="B")], [reading(size, unit="B")], MEMORY).verdict
        for size in (1e6, 1.02e6, 0.9e6)
    ]

    assert verdicts == ["unchanged", "regressed", "improved"]


def test_sides_of_times_without_variance_have_an_interval_all_the_same() -> None:
    judgement = judge_samples([1.1] * 4, [1.2] * 3, POLICY)

    assert (judgement.verdict, judgement.test) == ("regressed", "welch")
    assert judgement.interval is not None
    assert 0 < judgement.interval.low < 0.2 / 2.2 < judgement.interval.high
    assert judgement.p_value


def test_sides_of_memory_without_variance_are_judged_by_their_change() -> None:
    judgement = judge_samples([1.1e6] * 4, [1.2e6] * 3, MEMORY)

    assert (judgement.verdict, judgement.test, judgement.p_value) == ("regressed", "exact", None)


def test_sides_with_zeros_are_compared_by_plain_differences() -> None:
    baseline = [reading(figure) for figure in (0.0, 0.1, 0.2)]
    candidate = [reading(figure) for figure in (5.0, 5.1, 5.2)]

    judgement = judge_sides(baseline, candidate, POLICY)

    assert (judgement.verdict, judgement.test) == ("regressed", "welch")
    assert judgement.change == pytest.approx(50)


@given(factor=st.floats(0.01, 100), sessions_a_side=st.sampled_from([1, 2, 3, 5]))
def test_throughput_drop_is_never_an_improvement(factor: float, sessions_a_side: int) -> None:
    key = SeriesKey(fullname="a", metric="throughput")
    sides = [
        [reading(figure, key=key, unit="1/s") for figure in steady(sessions_a_side, figure=level)]
        for level in (1e3, 1e3 * factor)
    ]

    judgement = judge_sides(sides[0], sides[1], THROUGHPUT)

    assert judgement.verdict != ("improved" if factor < 1 else "regressed")
    if not 0.7 < factor < 1.3:
        assert judgement.verdict == ("regressed" if factor < 1 else "improved")


@given(baseline=FIGURES, candidate=FIGURES)
def test_sides_the_other_way_round_give_the_opposite_verdict(baseline: list[float], candidate: list[float]) -> None:
    policy = replace(POLICY, relative=0.0, absolute=0.0)
    opposite = {"regressed": "improved", "improved": "regressed"}

    there, back = judge_samples(baseline, candidate, policy), judge_samples(candidate, baseline, policy)

    assert back.verdict == opposite.get(there.verdict, there.verdict)


# ---- what cannot be compared


@pytest.mark.parametrize(
    ("baseline", "candidate", "verdict", "reason"),
    [
        (BASELINE, [], "missing", "the candidate has no result"),
        ([], BASELINE, "new", None),
        (BASELINE, [failed()] * 3, "error", "3 of 3 sessions: failed: AssertionError: 3 != 4"),
        (BASELINE, [*BASELINE, failed()], "error", "1 of 6 sessions: failed: AssertionError: 3 != 4"),
        ([failed()], BASELINE, "error", "the baseline failed: AssertionError: 3 != 4"),
        (BASELINE, sessions(steady(3), unit="ms"), "incomparable", "the unit changed from s to ms"),
    ],
    ids=["missing", "new", "failed", "one failed", "baseline failed", "unit"],
)
def test_sides_that_cannot_be_compared(
    baseline: list[SessionValue], candidate: list[SessionValue], verdict: str, reason: str | None
) -> None:
    judgement = judge_sides(baseline, candidate, POLICY)

    assert (judgement.verdict, judgement.reason, judgement.change) == (verdict, reason, None)


def test_sides_that_are_both_flaky_are_judged_by_passed_sessions() -> None:
    judgement = judge_sides([*BASELINE, failed()], [*BASELINE, failed()], POLICY)

    assert (judgement.verdict, judgement.candidate_sessions) == ("unchanged", 5)


# ---- few sessions

ROUNDS = [1 + 7 * index % 30 / 1000 for index in range(30)]


def one_session_each(factor: float, *, with_rounds: bool = True, **given: Any) -> Judgement:
    """Judge a session by one that it takes `factor` times as long as."""
    sides = [session(1.0, run_id="before")], [session(factor, run_id="after", **given)]
    rounds = {"before": ROUNDS, "after": [round_ * factor for round_ in ROUNDS]}
    return judge_sides(*sides, POLICY, rounds=rounds if with_rounds else {})


@pytest.mark.parametrize(
    ("factor", "verdict", "state"),
    [
        (0.5, "improved", "suspect"),
        (0.9, "inconclusive", "suspect"),
        (1.0, "unchanged", None),
        (1.2, "inconclusive", "suspect"),
        (1.3, "regressed", "suspect"),
    ],
)
@pytest.mark.parametrize("with_rounds", [True, False], ids=["rounds", "summary"])
def test_one_session_per_side_decides_only_otherwise_unexplained_changes(
    factor: float, verdict: str, state: str | None, with_rounds: bool
) -> None:
    judgement = one_session_each(factor, with_rounds=with_rounds)

    if not with_rounds and verdict == "unchanged":
        verdict = "inconclusive"
    assert (judgement.verdict, judgement.state, judgement.sessions_needed) == (verdict, state, 2)
    assert judgement.test == ("rounds" if with_rounds else "summary")
    assert judgement.change == pytest.approx(factor - 1)
    assert (judgement.interval is not None) == with_rounds
    if judgement.interval is not None:
        assert judgement.interval.within_session
        assert judgement.interval.low <= factor - 1 <= judgement.interval.high
    assert judgement.p_value is None


@given(
    rounds=st.lists(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=30), min_size=2, max_size=4),
    statistic=st.sampled_from(["min", "median"]),
)
def test_change_is_always_inside_its_interval(rounds: list[list[float]], statistic: Statistic) -> None:
    one, *others = [
        session(min(of_run), run_id=str(number), median=float(np.median(of_run)), value=float(np.median(of_run)))
        for number, of_run in enumerate(rounds)
    ]

    judgement = judge_sides(
        [one],
        others,
        replace(POLICY, statistic=statistic),
        rounds={str(number): of_run for number, of_run in enumerate(rounds)},
    )

    assert judgement.change is not None
    assert judgement.interval is not None
    assert judgement.interval.low <= judgement.change <= judgement.interval.high


def test_one_session_a_side_without_rounds_says_what_is_missing() -> None:
    judgement = one_session_each(1.0, with_rounds=False)

    assert judgement.reason == "without an interval, it may have changed"


def test_one_session_a_side_is_judged_by_its_minimum_and_never_by_one_statistic_alone() -> None:
    judgement = one_session_each(1.0, median=9.0, value=9.0, mean=9.0)

    assert judgement.verdict == "unchanged"
    assert judge_sides([session(1.0)], [session(2.0, median=1.0, value=1.0)], POLICY).verdict == "inconclusive"


def test_one_session_a_side_whose_cpu_time_stood_still_is_unstable() -> None:
    judgement = judge_sides([session(1.0)], [session(2.0, cpu_s=0.99)], POLICY)

    assert (judgement.verdict, judgement.state) == ("inconclusive", "unstable")


def test_one_reading_a_side_has_no_interval() -> None:
    judgement = judge_sides([reading(1.0)], [reading(1.1)], POLICY)

    assert (judgement.verdict, judgement.interval) == ("inconclusive", None)


# ---- two clocks


def test_sides_with_unchanged_cpu_time_are_unstable() -> None:
    busy = [session(wall, cpu_s=cpu) for wall, cpu in zip(steady(5, figure=2e-3), steady(5), strict=True)]

    judgement = judge_sides(BASELINE, busy, POLICY)

    assert (judgement.verdict, judgement.state) == ("inconclusive", "unstable")


def test_sides_leave_single_disturbed_sessions_out() -> None:
    judgement = judge_sides(BASELINE, [*BASELINE, session(9e-3, cpu_s=1e-3)], POLICY)

    assert (judgement.verdict, judgement.candidate_sessions) == ("unchanged", 5)
