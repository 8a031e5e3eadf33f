"""Values of two sides meet in one row where they measured the same."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.compare.pairs import Matching, Pair, pair_sides

Make = Callable[..., SessionValue]


def shape(pairs: list[Pair]) -> list[tuple[Any, ...]]:
    return [
        (pair.key.fullname.rpartition("::")[2], pair.key.metric, len(pair.baseline), len(pair.candidate))
        for pair in pairs
    ]


def test_pairs_of_equal_benchmarks_take_every_session(value: Make) -> None:
    pairs = pair_sides([value("a"), value("b")], [value("c")])

    assert shape(pairs) == [("test_x", "wall_time", 2, 1)]
    assert pairs[0].obstacle is None


def test_pairs_keep_what_only_one_side_has(value: Make) -> None:
    pairs = pair_sides([value(fullname="f::test_gone")], [value(fullname="f::test_fresh")])

    assert shape(pairs) == [("test_gone", "wall_time", 1, 0), ("test_fresh", "wall_time", 0, 1)]


def test_pairs_of_other_metrics_and_phases_stay_apart(value: Make) -> None:
    pairs = pair_sides([value(metric="peak_rss"), value(phase="load")], [value()])

    assert shape(pairs) == [
        ("test_x", "peak_rss", 1, 0),
        ("test_x", "wall_time", 1, 0),
        ("test_x", "wall_time", 0, 1),
    ]


def test_pairs_of_two_devices_are_matched_by_device(value: Make) -> None:
    first, second = ([value("a", device=name, backend="cuda") for name in names] for names in ("AB", "BA"))

    pairs = pair_sides(first, second)

    assert [(pair.key.device, pair.obstacle) for pair in pairs] == [("A", None), ("B", None)]


def test_pair_of_another_device_of_the_backend_has_an_obstacle(value: Make) -> None:
    (pair,) = pair_sides([value("a", backend="cuda", device="A100")], [value("b", backend="cuda", device="H200")])

    assert pair.obstacle == "ran on A100 and on H200"
    assert pair.can_cross


def test_pairs_of_other_backends_stay_apart(value: Make) -> None:
    pairs = pair_sides([value("a", backend="cuda")], [value("b", backend="cpu")])

    assert shape(pairs) == [("test_x", "wall_time", 1, 0), ("test_x", "wall_time", 0, 1)]


def test_failed_run_without_a_device_goes_with_its_benchmark(value: Make) -> None:
    failed = value("b", None, outcome="failed", backend=None, device=None)

    (pair,) = pair_sides([value("a")], [failed])

    assert (len(pair.baseline), len(pair.candidate), pair.obstacle) == (1, 1, None)
    assert pair.key.backend == "cpu"


def test_failed_run_shows_in_every_series_of_its_benchmark(value: Make) -> None:
    failed = value("b", None, outcome="failed", backend=None, device=None)
    baseline = [value("a", metric="peak_rss", unit="B"), value("a", metric="step_time", phase="train")]

    pairs = pair_sides(baseline, [failed])

    assert shape(pairs) == [("test_x", "peak_rss", 1, 1), ("test_x", "step_time", 1, 1)]
    assert [pair.candidate[0].outcome for pair in pairs] == ["failed", "failed"]
    assert [pair.candidate[0].unit for pair in pairs] == ["B", "s"]


def test_failed_session_among_passed_ones_stays_with_them(value: Make) -> None:
    failed = value("b", None, outcome="failed", backend=None, device=None)

    (pair,) = pair_sides([value("a"), failed, value("c")], [value("d")])

    assert [one.outcome for one in pair.baseline] == ["passed", "failed", "passed"]


def test_two_benchmarks_of_one_name_on_a_side_are_an_obstacle(value: Make) -> None:
    matching = Matching(name_of=lambda _value: "same")

    (pair,) = pair_sides([value("a", fullname="f::x"), value("a", fullname="f::y")], [value("b")], matching)

    assert pair.obstacle == "2 benchmarks of one side fit: f::x, f::y; choose one with -k or -w"
    assert not pair.can_cross


@pytest.mark.parametrize("side", [0, 1])
def test_nothing_on_a_side_leaves_the_other(value: Make, side: int) -> None:
    sides: list[list[SessionValue]] = [[], []]
    sides[side] = [value()]

    (pair,) = pair_sides(sides[0], sides[1])

    assert (len(pair.baseline), len(pair.candidate)) == (1 - side, side)


def test_nothing_at_all_gives_no_pair() -> None:
    assert pair_sides([], []) == []
