from statistics import correlation

import pytest

from pytest_benchdb.environment.git.log import LoggedCommit
from pytest_benchdb.operations.backfill.plan import PlannedCommit, left_s, plan_turns, spread_order, thin

DAY_S = 86_400
NUMBERS = [*range(8, 60), 100, 997]


def commits(*days: float | None) -> list[LoggedCommit]:
    return [
        LoggedCommit(sha=f"{at:040x}", authored_unix_s=None if day is None else round(day * DAY_S), subject=f"c{at}")
        for at, day in enumerate(days)
    ]


def subjects(chosen: list[LoggedCommit]) -> list[str]:
    return [str(commit.subject) for commit in chosen]


@pytest.mark.parametrize("number", [0, 1, 2, 3, *NUMBERS])
@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_each_pass_visits_each_place_once(number: int, turn: int) -> None:
    assert sorted(spread_order(number, turn)) == list(range(number))


@pytest.mark.parametrize("number", NUMBERS)
def test_no_pass_follows_the_history(number: int) -> None:
    for turn in range(6):
        assert abs(correlation(range(number), spread_order(number, turn))) < 0.35


@pytest.mark.parametrize("number", [2, 5, *NUMBERS])
def test_two_passes_cancel_a_straight_drift(number: int) -> None:
    visited = [*spread_order(number, 0), *spread_order(number, 1)]

    sums = {place: sum(at for at, other in enumerate(visited) if other == place) for place in range(number)}

    assert len(set(sums.values())) == 1


@pytest.mark.parametrize("number", NUMBERS)
def test_a_backfill_stopped_early_has_commits_from_the_whole_range(number: int) -> None:
    first = sorted(spread_order(number, 0)[: number // 2])

    gaps = [after - before for before, after in zip([-1, *first], [*first, number], strict=True)]

    assert max(gaps) <= 6


def test_thin_keeps_the_newest_and_each_nth_before_it() -> None:
    assert subjects(thin(commits(*range(7)), every=3)) == ["c0", "c3", "c6"]
    assert subjects(thin(commits(*range(6)), every=3)) == ["c2", "c5"]


def test_thin_by_dates_leaves_a_step_between_commits() -> None:
    chosen = thin(commits(0, 1, 7, 7.5, 9, 14), step_s=7 * DAY_S)

    assert subjects(chosen) == ["c0", "c2", "c5"]


def test_thin_by_dates_skips_commits_without_a_date_and_dates_that_go_back() -> None:
    chosen = thin(commits(0, None, 30, 10), step_s=7 * DAY_S)

    assert subjects(chosen) == ["c0", "c3"]


def test_thin_applies_only_before_the_step_before_every() -> None:
    history = commits(*range(10))
    only = {commit.sha for commit in history if commit.subject != "c9"}

    assert subjects(thin(history, only=only, step_s=2 * DAY_S, every=2)) == ["c0", "c4", "c8"]


def test_turns_leave_out_what_is_recorded_and_what_failed() -> None:
    history = commits(*range(5))
    planned = [
        PlannedCommit(commit=history[0]),
        PlannedCommit(commit=history[1], recorded=1),
        PlannedCommit(commit=history[2], recorded=2),
        PlannedCommit(commit=history[3], failure="does not build"),
        PlannedCommit(commit=history[4], recorded=1, failure="it failed in the second pass"),
    ]

    turns = plan_turns(planned, 2, retry_failed=False)
    again = plan_turns(planned, 2, retry_failed=True)

    assert sorted((turn.planned.commit.subject, turn.number) for turn in turns) == [("c0", 1), ("c0", 2), ("c1", 2)]
    assert {(turn.planned.commit.subject, turn.number) for turn in {*again} - {*turns}} == {
        ("c3", 1),
        ("c3", 2),
        ("c4", 2),
    }


def test_the_rest_takes_as_long_as_the_runs_so_far() -> None:
    assert left_s([2.0, 4.0], 10) == 30.0
    assert left_s([], 10) is None
