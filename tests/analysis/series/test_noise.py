"""Detectable changes agree with a simulation."""

import math
import random

import pytest

from pytest_benchdb.analysis.series.noise import (
    Sessions,
    detectable_between,
    detectable_in_history,
    noise_of,
    sessions_needed,
    two_modes,
)


def session_values(n: int, deviation: float, *, seed: int = 1) -> list[float]:
    chance = random.Random(seed)  # noqa: S311 - noise, no secret
    return [1e-3 * math.exp(chance.gauss(0, deviation)) for _ in range(n)]


def test_noise_of_known_deviation_is_found() -> None:
    found = noise_of(Sessions(values=session_values(400, 0.02)))

    assert found is not None
    assert found.deviation == pytest.approx(0.02, rel=0.1)
    assert found.sessions == 400
    assert found.causes == ()
    assert found.detectable[3] > found.detectable[5] > found.detectable[10] > 0.02


@pytest.mark.parametrize("per_side", [3, 4, 5, 10])
def test_detectable_rise_is_found_in_four_cases_of_five(per_side: int) -> None:
    stats, numpy = pytest.importorskip("scipy.stats"), pytest.importorskip("numpy")
    rise = math.log1p(detectable_between(0.02, per_side))
    chance = numpy.random.default_rng(1)

    before, after = chance.normal(0, 0.02, (4000, per_side)), chance.normal(rise, 0.02, (4000, per_side))
    tests = stats.ttest_ind(after, before, axis=1, equal_var=False, alternative="greater")

    assert (tests.pvalue < 0.01).mean() == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize(("confirms", "limit"), [(0, 0.0), (2, 0.0), (2, 0.08)])
def test_rise_against_a_history_is_found_in_four_cases_of_five(confirms: int, limit: float) -> None:
    stats, numpy = pytest.importorskip("scipy.stats"), pytest.importorskip("numpy")
    chance = numpy.random.default_rng(1)
    rise = math.log1p(detectable_in_history(0.02, 20, confirms, limit))

    history, newest = chance.normal(0, 0.02, (8000, 20)), chance.normal(rise, 0.02, (1 + confirms, 8000))
    reach = max(stats.t.ppf(0.99, 19) * 0.02 * math.sqrt(1 + math.pi / 40), math.log1p(limit))

    found = (newest - numpy.median(history, axis=1) > reach).all(axis=0)
    assert found.mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("per_side", [3, 5, 10])
def test_no_rise_below_the_limit_is_detectable(per_side: int) -> None:
    assert detectable_between(1e-6, per_side, 0.05) == pytest.approx(0.05, rel=1e-3)
    assert detectable_in_history(1e-6, 20, 2, 0.03) == pytest.approx(0.03, rel=1e-3)
    assert noise_of(Sessions(values=[1.0] * 6), limits=lambda value, _sessions: 0.05 / value).needed == 3  # type: ignore[union-attr]


def test_sessions_needed_grow_with_the_noise_and_end() -> None:
    needed = [sessions_needed(deviation, 0.05) for deviation in (0.001, 0.01, 0.02, 0.05, 1.0)]

    assert needed[-1] is None
    assert needed[:-1] == sorted(count for count in needed if count is not None)
    assert needed[2] is not None
    assert detectable_between(0.02, needed[2]) <= 0.05 < detectable_between(0.02, needed[2] - 1)


@pytest.mark.parametrize("values", [[], [1.0, 1.1], [None, 1.0, 0.0, 2.0]], ids=["none", "two", "two above zero"])
def test_noise_of_fewer_than_three_values_is_not_reported(values: list[float | None]) -> None:
    assert noise_of(Sessions(values=values)) is None


def test_exact_values_hide_nothing() -> None:
    found = noise_of(Sessions(values=[1024.0] * 6))

    assert found is not None
    assert (found.deviation, found.detectable[5], found.needed, found.causes) == (0.0, 0.0, 3, ("exact",))


def test_noise_is_that_since_the_level_last_changed() -> None:
    found = noise_of(Sessions(values=[*session_values(20, 0.01), *(2 * v for v in session_values(20, 0.01, seed=2))]))

    assert found is not None
    assert (found.sessions, found.causes) == (20, ("level changed",))
    assert found.deviation < 0.02


def test_causes_are_reported_the_gravest_first() -> None:
    values = session_values(6, 0.1)
    sessions = Sessions(values=values, wall_per_cpu=[1.5] * 6, rounds=[3] * 6, round_s=[2e-6] * 5 + [None])

    found = noise_of(sessions)

    assert found is not None
    assert found.causes == ("contended", "short rounds", "few rounds")


def test_two_heaps_are_distinguished_from_one() -> None:
    chance = random.Random(3)  # noqa: S311 - noise, no secret
    one = [[chance.gauss(0, 1) for _ in range(20)] for _ in range(200)]
    two = [[value + 10 * (place % 3 == 0) for place, value in enumerate(values)] for values in one]

    assert sum(map(two_modes, one)) <= 4
    assert sum(map(two_modes, two)) >= 196
    assert not two_modes([1.0] * 20)
