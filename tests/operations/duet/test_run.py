from collections import Counter
from pathlib import Path

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.compare.run import Choice
from pytest_benchdb.operations.duet.plan import Duet, SideChoice, schedule
from pytest_benchdb.operations.duet.run import SHARE, choice_for, run_duet
from pytest_benchdb.operations.select.filters.threshold import parse_thresholds


def duet(
    pairs: int = 1,
    base: str = "pytest",
    head: str = "pytest",
    *,
    commit: str | None = "main",
    arguments: tuple[str, ...] = (),
) -> Duet:
    return Duet(
        base=SideChoice(commit=commit, program=(base,)),
        head=SideChoice(commit=None, program=(head,)),
        arguments=arguments,
        pairs=pairs,
        database=Path("results"),
    )


def test_schedule_of_pairs_turns_the_order_of_every_second_pair() -> None:
    turns = "".join("A" if place == "base" else "B" for place in schedule(5))

    assert turns == "ABBAABBAAB"


@pytest.mark.parametrize("pairs", [1, 2, 3, 7, 20])
def test_schedule_gives_both_sides_the_same_number_of_turns(pairs: int) -> None:
    assert Counter(schedule(pairs)) == {"base": pairs, "head": pairs}


@pytest.mark.parametrize("pairs", [2, 4, 10])
def test_schedule_of_an_even_number_of_pairs_cancels_a_straight_drift(pairs: int) -> None:
    places = list(schedule(pairs))

    middle = {place: sum(at for at, one in enumerate(places) if one == place) / pairs for place in set(places)}

    assert middle["base"] == middle["head"]


@pytest.mark.parametrize("pairs", [0, -1])
def test_play_without_pairs_is_refused(pairs: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"--pairs {pairs}"):
        run_duet(duet(pairs=pairs), tmp_path, {})


def test_play_of_a_file_in_the_checkout_names_the_path_that_both_sides_have(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    file = tmp_path / "tests" / "test_a.py"
    file.touch()

    with pytest.raises(ConfigError, match=r"write tests/test_a\.py"):
        run_duet(duet(arguments=(f"{file}::test_x",)), tmp_path, {})


@pytest.mark.parametrize(("pairs", "share"), [(4, None), (5, SHARE), (10, SHARE)])
def test_choice_for_enough_pairs_asks_for_smaller_changes_of_times(pairs: int, share: float | None) -> None:
    assert choice_for(duet(pairs), Choice()).share == share


@pytest.mark.parametrize(
    "choice",
    [
        Choice(share=0.1),
        Choice(thresholds=tuple(parse_thresholds(["wall_time:10%"]))),
        Choice(metrics=("wall_time", "peak_rss")),
        Choice(metrics=("my_metric",)),
    ],
    ids=["share", "threshold", "memory", "own-metric"],
)
def test_choice_for_leaves_what_the_user_said_and_other_metrics_alone(choice: Choice) -> None:
    assert choice_for(duet(5), choice) == choice


def test_choice_for_two_environments_lets_their_pythons_differ() -> None:
    assert choice_for(duet(5, "a", "b"), Choice()).allow_cross
    assert not choice_for(duet(5), Choice()).allow_cross
