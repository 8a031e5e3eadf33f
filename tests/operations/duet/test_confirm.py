"""The gate of a duet: what a second duet repeats, and what chance explains among many benchmarks."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Side
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Judgement
from pytest_benchdb.operations.duet.confirm import confirm_duet, corrected, with_repeat


def _row(name: str = "a", verdict: Any = "regressed", p_value: float | None = 1e-3, **judged: Any) -> ComparisonRow:
    return ComparisonRow(
        key=SeriesKey(fullname=f"test_a.py::{name}", metric="wall_time"),
        unit="s",
        better="lower",
        group=None,
        judgement=Judgement(verdict=verdict, p_value=p_value, **judged),
        labels={},
    )


def _comparison(rows: Sequence[ComparisonRow]) -> Comparison:
    side = Side(name="main", sessions=())
    return Comparison(baseline=side, candidate=side, rows=tuple(rows))


@pytest.fixture
def asked() -> list[Sequence[str]]:
    return []


@pytest.fixture
def repeat(asked: list[Sequence[str]]) -> Callable[..., Any]:
    """Return a function that makes a further duet of rows."""

    def make(*rows: ComparisonRow) -> Any:
        def run(names: Sequence[str]) -> Comparison:
            asked.append(names)
            return _comparison(rows)

        return run

    return make


def test_regression_that_a_second_duet_repeats_is_confirmed(
    repeat: Callable[..., Any], asked: list[Sequence[str]]
) -> None:
    said: list[str] = []

    result = confirm_duet(_comparison([_row(), _row("b", "unchanged", 0.5)]), 1, repeat(_row()), said.append)

    assert [row.judgement.verdict for row in result.rows] == ["regressed", "unchanged"]
    assert len(result.rows[0].confirmations) == 1
    assert asked == [["test_a.py::a"]]
    assert said == ["duet 2 of 2: 1 suspect in turn again"]


def test_regression_that_a_second_duet_does_not_repeat_is_a_suspect(repeat: Callable[..., Any]) -> None:
    again = repeat(_row(verdict="unchanged", p_value=0.4, change=0.012))

    (row,) = confirm_duet(_comparison([_row()]), 1, again, print).rows

    assert (row.judgement.verdict, row.judgement.state) == ("inconclusive", "suspect")
    assert row.judgement.reason == "duet 2 did not repeat it (+1.2 %)"


def test_regression_that_is_not_there_again_is_a_suspect() -> None:
    (row,) = with_repeat([_row()], [])

    assert row.judgement.verdict == "inconclusive"


def test_unchanged_duet_is_not_run_again(repeat: Callable[..., Any], asked: list[Sequence[str]]) -> None:
    confirm_duet(_comparison([_row(verdict="unchanged")]), 1, repeat(), print)

    assert asked == []


def test_regression_that_chance_explains_among_many_is_a_suspect() -> None:
    rows = [_row(p_value=0.009), *(_row(f"b{number}", "unchanged", 0.5) for number in range(29))]

    alone, twice = corrected(rows), corrected([*with_repeat(rows[:1], [_row(p_value=0.004)]), *rows[1:]])

    assert (alone[0].judgement.verdict, alone[0].judgement.state) == ("inconclusive", "suspect")
    assert "among 30 results: q-value 0.27" in (alone[0].judgement.reason or "")
    assert twice[0].judgement.verdict == "regressed"
    # Fisher: p1 p2 (1 - ln(p1 p2)) = 4.04e-4, times 30
    assert twice[0].q_value == pytest.approx(0.0121, rel=0.01)


def test_regression_of_what_repeats_exactly_needs_no_correction() -> None:
    (row,) = corrected([_row(p_value=None)])

    assert (row.judgement.verdict, row.q_value) == ("regressed", None)
