from collections import Counter
from pathlib import Path

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.compare.run import CompareRequest
from pytest_benchdb.operations.duet.plan import Duet, SideRequest, schedule
from pytest_benchdb.operations.duet.run import SHARE, adjust_request, run_duet
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
        base=SideRequest(commit=commit, program=(base,)),
        head=SideRequest(commit=None, program=(head,)),
        arguments=arguments,
        pairs=pairs,
        database=Path("results"),
    )


def test_schedule_of_pairs_turns_the_order_of_every_second_pair() -> None:
    turns = "".join("A" if role == "base" else "B" for role in schedule(5))

    assert turns == "ABBAABBAAB"


@pytest.mark.parametrize("pairs", [1, 2, 3, 7, 20])
def test_schedule_gives_both_sides_the_same_number_of_turns(pairs: int) -> None:
    assert Counter(schedule(pairs)) == {"base": pairs, "head": pairs}


@pytest.mark.parametrize("pairs", [2, 4, 10])
def test_schedule_of_an_even_number_of_pairs_cancels_a_straight_drift(pairs: int) -> None:
    places = list(schedule(pairs))

    middle = {role: sum(at for at, one in enumerate(places) if one == role) / pairs for role in set(places)}

    assert middle["base"] == middle["head"]


@pytest.mark.parametrize("pairs", [0, -1])
def test_run_duet_without_pairs_is_refused(pairs: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"--pairs {pairs}"):
        run_duet(duet(pairs=pairs), tmp_path, {})


def test_run_duet_of_an_absolute_path_suggests_a_relative_one(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    file = tmp_path / "tests" / "test_a.py"
    file.touch()

    with pytest.raises(ConfigError, match=r"write tests/test_a\.py"):
        run_duet(duet(arguments=(f"{file}::test_x",)), tmp_path, {})


@pytest.mark.parametrize(("pairs", "share"), [(4, None), (5, SHARE), (10, SHARE)])
def test_adjust_request_enough_pairs_lower_the_limit_of_times(pairs: int, share: float | None) -> None:
    assert adjust_request(duet(pairs), CompareRequest()).share == share


@pytest.mark.parametrize(
    "comparison",
    [
        CompareRequest(share=0.1),
        CompareRequest(thresholds=tuple(parse_thresholds(["wall_time:10%"]))),
        CompareRequest(metrics=("wall_time", "peak_rss")),
        CompareRequest(metrics=("my_metric",)),
    ],
    ids=["share", "threshold", "memory", "own-metric"],
)
def test_adjust_request_keeps_explicit_limits_and_other_metrics(comparison: CompareRequest) -> None:
    assert adjust_request(duet(5), comparison) == comparison


def test_adjust_request_two_environments_may_have_different_pythons() -> None:
    assert adjust_request(duet(5, "a", "b"), CompareRequest()).allow_cross
    assert not adjust_request(duet(5), CompareRequest()).allow_cross
