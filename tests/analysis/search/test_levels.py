import math

import pytest

from pytest_benchdb.analysis.search.levels import (
    EXACT,
    HISTORY,
    Noise,
    Reading,
    distances,
    is_clear,
    levels_of,
    log_odds,
    third_level,
)

NOISE = Noise()
LAST = 4


def step(number: int, offset: float = 0.0, **values: tuple[float, ...]) -> list[Reading]:
    """Return the readings of a step, with `c0` as the good end and `c4` as the bad one."""
    return [
        Reading(commit=int(name[1:]), step=number, value=offset + value)
        for name, each in values.items()
        for value in each
    ]


def test_levels_are_not_known_before_both_ends_ran_in_turn() -> None:
    apart = [*step(0, c0=(0.0,)), *step(1, c4=(0.1,))]

    assert levels_of(apart, 0, LAST, NOISE) is None


def test_levels_are_differences_within_steps_whatever_the_machine_drifts() -> None:
    readings = [*step(0, c0=(0.0, 0.0), c4=(0.1, 0.1)), *step(1, 5.0, c0=(0.0,), c4=(0.1,))]

    levels = levels_of(readings, 0, LAST, NOISE)

    assert levels is not None
    assert levels.shift == pytest.approx(0.1)
    assert levels.deviation == NOISE.least_deviation


def test_levels_deviation_hardly_depends_on_one_disturbed_session() -> None:
    calm = step(0, c0=(0.0, 0.01, 0.02, 0.01, 0.0), c4=(0.1, 0.11, 0.12, 0.11, 0.1))
    disturbed = [*calm[:-1], Reading(commit=LAST, step=0, value=0.9)]

    before, after = (levels_of(readings, 0, LAST, NOISE) for readings in (calm, disturbed))

    assert before is not None
    assert after is not None
    assert after.shift == pytest.approx(before.shift, abs=0.01)
    assert after.deviation < 2 * before.deviation


@pytest.mark.parametrize(("value", "changed"), [(0.0, False), (0.1, True), (0.5, True), (-0.3, False)])
def test_log_odds_of_a_commit_at_or_beyond_a_level_are_those_of_the_level(value: float, *, changed: bool) -> None:
    readings = step(0, 7.0, c0=(0.0, 0.0), c2=(value, value), c4=(0.1, 0.1))
    levels = levels_of(readings, 0, LAST, NOISE)
    assert levels is not None

    odds = log_odds(readings, levels, NOISE)

    most = math.log((1 - NOISE.doubt) / NOISE.doubt)
    assert odds == {2: pytest.approx(most if changed else -most)}
    assert is_clear(readings, levels, NOISE, commit=2)


def test_log_odds_of_an_improvement_are_the_other_way_round() -> None:
    readings = step(0, c0=(0.0, 0.0), c1=(0.0,), c2=(-0.1,), c4=(-0.1, -0.1))
    levels = levels_of(readings, 0, LAST, NOISE)
    assert levels is not None

    odds = log_odds(readings, levels, NOISE)

    assert odds[1] < 0 < odds[2]


def test_log_odds_half_way_are_even() -> None:
    readings = step(0, c0=(0.0, 0.0), c2=(0.05,), c4=(0.1, 0.1))
    levels = levels_of(readings, 0, LAST, NOISE)
    assert levels is not None

    assert log_odds(readings, levels, NOISE)[2] == pytest.approx(0.0)
    assert not is_clear(readings, levels, NOISE, commit=2)


def test_log_odds_of_several_steps_add_up_and_those_of_the_history_count_less() -> None:
    one = step(0, c0=(0.0,), c2=(0.1,), c4=(0.1,))
    two = [*one, *step(1, c0=(0.0,), c2=(0.1,), c4=(0.1,))]
    old = step(HISTORY, c0=(0.0,), c2=(0.1,), c4=(0.1,))
    levels = levels_of(two, 0, LAST, NOISE)
    assert levels is not None

    odds = [log_odds(readings, levels, NOISE)[2] for readings in (old, one, two)]

    assert odds[0] < odds[1] < odds[2] == pytest.approx(2 * odds[1])


def test_distances_are_from_the_level_before_by_step() -> None:
    readings = [*step(0, c0=(0.0,), c2=(0.1,), c4=(0.1,)), *step(1, 3.0, c0=(0.0,), c2=(0.1,))]
    levels = levels_of(readings, 0, LAST, NOISE)
    assert levels is not None

    found = distances(readings, levels, NOISE)

    assert found == {2: [[pytest.approx(0.1)], [pytest.approx(0.1)]]}


def test_third_level_needs_two_steps_of_times_and_one_of_counts() -> None:
    once = step(0, c0=(0.0,) * 3, c2=(0.1,) * 3, c4=(0.2,) * 3)
    twice = [*once, *step(1, c0=(0.0,) * 3, c2=(0.1,) * 3, c4=(0.2,) * 3)]
    levels = levels_of(twice, 0, LAST, NOISE)
    assert levels is not None

    assert third_level(once, levels, NOISE) is None
    assert third_level(twice, levels, NOISE) == 2
    assert third_level(once, levels, EXACT) == 2


def test_third_level_of_ends_that_are_equal_is_none() -> None:
    readings = step(0, c0=(0.0,), c2=(0.1,), c4=(0.0,))
    levels = levels_of(readings, 0, LAST, EXACT)
    assert levels is not None

    assert third_level(readings, levels, EXACT) is None
