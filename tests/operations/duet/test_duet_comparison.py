from pathlib import Path

import pytest

from pytest_benchdb.operations.compare.run import Choice
from pytest_benchdb.operations.duet.plan import Duet, SideChoice
from pytest_benchdb.operations.duet.run import SHARE, choice_for
from pytest_benchdb.operations.select.filters.threshold import parse_thresholds


def duet(pairs: int, *programs: str) -> Duet:
    base, head = programs or ("pytest", "pytest")
    return Duet(
        base=SideChoice(commit="main", program=(base,)),
        head=SideChoice(commit=None, program=(head,)),
        arguments=(),
        pairs=pairs,
        database=Path("results"),
    )


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
