"""Ways to check suspects: the best first, and the next for what it leaves."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import ComparisonRow, ConfirmWay
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement
from pytest_benchdb.operations.gate.confirm import INTERRUPTED, Confirmation, undecided_row
from pytest_benchdb.operations.gate.ways import check_by


class Told:
    """Stands for a way: clears what it is told to, and leaves the rest."""

    def __init__(self, name: ConfirmWay, clears: str = "", raises: type[BaseException] | None = None) -> None:
        self.name = name
        self.clears = clears
        self.raises = raises
        self.asked: list[str] = []

    def check(self, suspects: Sequence[ComparisonRow]) -> Confirmation:
        self.asked = [row.key.fullname for row in suspects]
        if self.raises is not None:
            raise self.raises("there is no checkout")
        left = {row.key for row in suspects if row.key.fullname not in self.clears}
        rows = tuple(undecided_row(row, "left") if row.key in left else _cleared(row) for row in suspects)
        return Confirmation(rows=rows, undecided=frozenset(left), out_of_reach=frozenset(left))


def _cleared(row: ComparisonRow) -> ComparisonRow:
    return replace(row, judgement=replace(row.judgement, verdict="inconclusive", reason="cleared"))


def _rows(value: Callable[..., SessionValue]) -> list[ComparisonRow]:
    return [
        ComparisonRow(
            key=value(fullname=name).key,
            unit="s",
            better="lower",
            group=None,
            judgement=Judgement(verdict="regressed", state="suspect"),
            labels={},
        )
        for name in "ab"
    ]


def _undecided(found: Confirmation) -> set[str]:
    return {key.fullname for key in found.undecided}


def test_next_way_checks_what_the_first_leaves(value: Callable[..., SessionValue]) -> None:
    ways = Told("duet", "a"), Told("rerun", "ab")

    found = check_by(ways, _rows(value), None, print)

    assert ways[1].asked == ["b"]
    assert [(row.confirmed_by, row.judgement.reason) for row in found.rows] == [
        ("duet", "cleared"),
        ("rerun", "cleared"),
    ]
    assert not found.undecided


def test_way_that_is_not_possible_says_so_and_leaves_all(value: Callable[..., SessionValue]) -> None:
    said: list[str] = []

    found = check_by([Told("duet", raises=ConfigError), Told("rerun", "a")], _rows(value), None, said.append)

    assert said == ["running both commits in turn is not possible: there is no checkout"]
    assert [row.confirmed_by for row in found.rows] == ["rerun", None]
    assert _undecided(found) == {"b"}


def test_only_way_that_is_not_possible_leaves_all_undecided(value: Callable[..., SessionValue]) -> None:
    found = check_by([], _rows(value), "there is no checkout", lambda _text: None)

    assert [row.judgement.verdict for row in found.rows] == ["inconclusive", "inconclusive"]
    assert _undecided(found) == {"a", "b"}


def test_interrupt_keeps_what_was_decided(value: Callable[..., SessionValue]) -> None:
    found = check_by([Told("duet", "a"), Told("rerun", raises=KeyboardInterrupt)], _rows(value), None, print)

    assert found.interrupted
    assert [row.judgement.reason for row in found.rows] == ["cleared", INTERRUPTED]
    assert _undecided(found) == {"b"}
