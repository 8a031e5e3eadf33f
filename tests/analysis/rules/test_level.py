"""The level that a session is compared with, after an improvement and without one."""

import random
from collections.abc import Sequence

import pytest

from pytest_benchdb.analysis.rules.effect_size import scale_for
from pytest_benchdb.analysis.rules.history import judge_figures
from pytest_benchdb.analysis.rules.level import begin_of_level
from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.model.verdict import Policy

TIME = default_policy("wall_time", "s", "lower", sessions=20)
MEMORY = default_policy("python_peak", "B", "lower", sessions=20)
RATE = default_policy("throughput", "1/s", "higher", sessions=20)
WOBBLE = (1.0, 1.004, 0.997, 1.002, 0.999, 1.003, 0.998, 1.001, 1.0, 0.996)


def level(figure: float, sessions: int) -> list[float]:
    return [figure * WOBBLE[number % len(WOBBLE)] for number in range(sessions)]


def begin(history: Sequence[float], policy: Policy = TIME) -> int:
    return begin_of_level(history, scale_for(history, policy, centre=1.0), policy)


@pytest.mark.parametrize("since", [5, 9, 12])
def test_level_begins_with_the_last_improvement(since: int) -> None:
    assert begin(level(10.0, 15) + level(5.0, since)) == 15


@pytest.mark.parametrize(
    ("history", "first"),
    [
        (level(10.0, 15), 0),
        (level(10.0, 15) + level(5.0, 4), 0),
        (level(5.0, 15) + level(10.0, 4), 0),
        (level(5.0, 15) + level(10.0, 5), 15),
        (level(10.0, 15) + level(9.9, 5), 0),
        (level(5.0, 3) + level(10.0, 6) + level(5.0, 5), 9),
        (level(10.0, 3) + level(5.0, 5), 3),
        (level(10.0, 2) + level(5.0, 5), 0),
        ([*level(10.0, 10), 5.0, 5.01, 9.9, 5.0, 5.01, 5.0], 10),
    ],
    ids=[
        "no change",
        "too short",
        "worse, too short",
        "worse",
        "within limits",
        "a fix",
        "young history",
        "too young",
        "one stray",
    ],
)
def test_level_begins_only_with_a_lasting_change(history: list[float], first: int) -> None:
    assert begin(history) == first


@pytest.mark.parametrize(("before", "since"), [(10.0, 20.0), (20.0, 10.0)])
def test_level_of_a_rate_begins_in_both_directions(before: float, since: float) -> None:
    assert begin(level(before, 10) + level(since, 6), RATE) == 10


@pytest.mark.parametrize("spread", [0.005, 0.02, 0.1])
def test_level_hardly_ever_begins_by_chance(spread: float) -> None:
    generator = random.Random(1)  # noqa: S311 - nothing secret
    histories = [[generator.lognormvariate(0, spread) for _ in range(20)] for _ in range(400)]

    assert sum(begin(history) > 0 for history in histories) <= 2


@pytest.mark.parametrize("since", [5, 9, 10])
def test_loss_of_an_improvement_regresses(since: int) -> None:
    judgement = judge_figures(level(10.0, 15) + level(5.0, since), 10.0, TIME)

    assert judgement.verdict == "regressed"
    assert judgement.change == pytest.approx(1.0, abs=0.01)
    assert judgement.baseline_sessions == since


def test_loss_of_an_improvement_of_exact_memory_regresses() -> None:
    judgement = judge_figures([1e6] * 14 + [0.8e6] * 9, 1e6, MEMORY)

    assert (judgement.verdict, judgement.test) == ("regressed", "exact")
    assert judgement.change == pytest.approx(0.25)


@pytest.mark.parametrize(("since", "verdict"), [(1, "regressed"), (4, "regressed"), (5, "unchanged")])
def test_loss_that_stays_is_reported_until_it_is_the_level(since: int, verdict: str) -> None:
    assert judge_figures(level(5.0, 15) + level(10.0, since), 10.0, TIME).verdict == verdict


def test_new_level_shows_a_further_loss() -> None:
    assert judge_figures(level(5.0, 15) + level(10.0, 6), 11.0, TIME).verdict == "regressed"
