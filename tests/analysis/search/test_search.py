import random
from collections.abc import Callable

import pytest
from tests.analysis.search.simulation import History, Outcome, gaussian, heavy, search

from pytest_benchdb.analysis.search.levels import EXACT, Noise, Reading
from pytest_benchdb.analysis.search.search import Range, standing_of

LAST = 63
CONFIDENCE = 0.95


def exact(last: int, culprit: int, *measured: int) -> list[Reading]:
    return [Reading(commit=place, step=0, value=0.1 * (place >= culprit)) for place in (0, last, *measured)]


def even(last: int, *skipped: int) -> Range:
    return Range(last=last, weights=(1.0,) * last, skipped=frozenset(skipped))


def test_standing_before_both_ends_were_measured_knows_nothing() -> None:
    standing = standing_of(even(4), [Reading(commit=0, step=0, value=0.0)], EXACT, confidence=CONFIDENCE)

    assert standing.levels is None
    assert standing.next is None
    assert (standing.suspects.first, standing.suspects.last) == (1, 4)
    assert standing.probabilities == pytest.approx([0.25] * 4)


def test_standing_of_both_ends_measures_the_middle_next() -> None:
    standing = standing_of(even(8), exact(8, 5), EXACT, confidence=CONFIDENCE)

    assert standing.next == 4
    assert standing.suspects.count == 8


def test_standing_of_a_range_of_one_commit_is_the_answer_at_once() -> None:
    standing = standing_of(even(1), exact(1, 1), EXACT, confidence=CONFIDENCE)

    assert standing.next is None
    assert (standing.suspects.first, standing.suspects.last, standing.suspects.probability) == (1, 1, 1.0)


def test_standing_between_two_neighbours_knows_the_commit() -> None:
    standing = standing_of(even(8), exact(8, 5, 4, 5), EXACT, confidence=CONFIDENCE)

    assert standing.next is None
    assert (standing.suspects.first, standing.suspects.last) == (5, 5)
    assert CONFIDENCE < standing.suspects.probability < 1


def test_standing_with_skipped_commits_is_the_shortest_range() -> None:
    standing = standing_of(even(8, 4, 5), exact(8, 5, 3, 6), EXACT, confidence=CONFIDENCE)

    assert standing.next is None
    assert (standing.suspects.first, standing.suspects.last) == (4, 6)


def test_standing_of_nothing_but_skipped_commits_is_all_of_them() -> None:
    standing = standing_of(even(4, 1, 2, 3), exact(4, 2), EXACT, confidence=CONFIDENCE)

    assert standing.next is None
    assert (standing.suspects.first, standing.suspects.last, standing.suspects.probability) == (1, 4, 1.0)


def test_standing_prefers_likely_commits() -> None:
    weights = (0.02, 0.02, 0.02, 0.02, 1.0, 1.0, 1.0, 1.0)

    standing = standing_of(Range(last=8, weights=weights), exact(8, 6), EXACT, confidence=CONFIDENCE)

    assert standing.next == 6


def test_standing_of_an_unlikely_commit_needs_more_than_its_neighbours() -> None:
    weights = (1.0, 1.0, 1.0, 0.02, 1.0, 1.0, 1.0, 1.0)
    range_ = Range(last=8, weights=weights)

    first = standing_of(range_, exact(8, 4, 3, 4), EXACT, confidence=CONFIDENCE)
    last = standing_of(range_, exact(8, 4, 3, 4, 2, 5, 1, 6), EXACT, confidence=CONFIDENCE)

    assert first.next not in {None, 3, 4}  # a count is not repeated: other commits have to agree
    assert (last.suspects.first, last.suspects.last) == (4, 4)


def test_standing_measures_a_commit_again_that_is_nearly_as_good() -> None:
    in_doubt = [
        Reading(commit=place, step=step, value=value)
        for step in (0, 1)
        for place, value in ((0, 0.0), (0, 0.01), (8, 0.1), (8, 0.11))
    ]
    middle = [Reading(commit=5, step=1, value=0.055)]

    standing = standing_of(even(9 - 1), [*in_doubt, *middle], Noise(), confidence=CONFIDENCE)

    assert standing.next in {4, 5}


@pytest.mark.parametrize("culprit", range(1, LAST + 1))
def test_search_by_count_finds_every_commit_of_64_in_six_steps(culprit: int) -> None:
    history = History(last=LAST, changes={culprit: 0.1}, draw=gaussian(0.0005))

    outcome = search(history, seed=culprit, ends=1, noise=EXACT)

    assert (outcome.standing.suspects.first, outcome.standing.suspects.last) == (culprit, culprit)
    assert outcome.steps <= 6
    assert outcome.runs <= 8


def outcomes(make: Callable[[random.Random], tuple[History, set[int]]], number: int) -> list[tuple[bool, Outcome]]:
    """Return for each seed whether the answer has the confidence and is right, and the outcome."""
    found = []
    for seed in range(number):
        history, truth = make(random.Random(seed))  # noqa: S311 - not for secrets
        outcome = search(history, seed=seed)
        suspects = outcome.standing.likeliest
        right = not truth.isdisjoint(range(suspects.first, suspects.last + 1))
        found.append((right and suspects.probability >= CONFIDENCE, outcome))
    return found


def planted(size: float, **facts: object) -> Callable[[random.Random], tuple[History, set[int]]]:
    def make(generator: random.Random) -> tuple[History, set[int]]:
        culprit = generator.randint(1, LAST)
        return History(last=LAST, changes={culprit: size}, **facts), {culprit}  # type: ignore[arg-type]

    return make


def two_changes(generator: random.Random) -> tuple[History, set[int]]:
    first, second = sorted(generator.sample(range(1, LAST + 1), 2))
    return History(last=LAST, changes={first: 0.1, second: 0.1}, draw=gaussian(0.02)), {first, second}


def with_broken_commits(generator: random.Random) -> tuple[History, set[int]]:
    history, truth = planted(0.1, draw=gaussian(0.02))(generator)
    broken = frozenset(generator.sample(range(1, LAST), 20))
    return History(last=LAST, changes=history.changes, draw=history.draw, broken=broken), truth


SCENES = {
    "+5 %": (planted(0.05, draw=gaussian(0.015)), 0.9),
    "+10 %": (planted(0.1, draw=gaussian(0.02)), 0.95),
    "+20 %": (planted(0.2, draw=gaussian(0.03)), 0.95),
    "-10 %": (planted(-0.1, draw=gaussian(0.02)), 0.95),
    "heavy tails": (planted(0.1, draw=heavy(0.02)), 0.9),
    "drift": (planted(0.1, draw=heavy(0.02), drift=0.01), 0.9),
    "two changes": (two_changes, 0.85),
    "broken commits": (with_broken_commits, 0.9),
}


@pytest.mark.parametrize("scene", SCENES)
def test_search_by_time_finds_the_planted_commit_of_64(scene: str) -> None:
    make, least = SCENES[scene]

    results = outcomes(make, 20)

    assert sum(right for right, _ in results) >= least * len(results)
    assert max(outcome.steps for _, outcome in results) <= 14


@pytest.mark.long
@pytest.mark.parametrize("scene", SCENES)
def test_search_is_as_often_right_as_its_confidence_says(scene: str) -> None:
    make, _ = SCENES[scene]

    sure = [right for right, outcome in outcomes(make, 200) if outcome.standing.likeliest.probability >= CONFIDENCE]

    assert len(sure) > 100
    assert sum(sure) / len(sure) >= CONFIDENCE - 0.02
