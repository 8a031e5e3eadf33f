"""In a forest plot worse is to the right, half is as far as double, and nothing leaves the drawing."""

import math
import re
from itertools import pairwise

import pytest
from tests.present.verdicts.results import row

from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.verdict import Interval, Policy
from pytest_benchdb.present.html.forest import WIDTH, axis_for, mark_of

POLICY = Policy(better="lower", relative=0.05)


def x_of(one: ComparisonRow, *others: ComparisonRow) -> float:
    mark = mark_of(one, axis_for([one, *others], one.better))
    assert mark is not None
    assert mark.x is not None
    return mark.x


def test_worse_is_to_the_right_in_either_direction() -> None:
    slower, fewer = row(change=0.3), row(change=-0.3, better="higher", unit="1/s")

    assert x_of(slower) > WIDTH / 2
    assert x_of(fewer) > WIDTH / 2
    assert x_of(row(change=-0.3)) < WIDTH / 2
    assert x_of(row(change=0.3, better="higher")) < WIDTH / 2
    assert x_of(row(change=-0.3, better="none")) < WIDTH / 2


def test_half_and_double_are_equally_far_from_no_change() -> None:
    half, double = row(change=-0.5), row(change=1.0)

    assert x_of(double, half) - WIDTH / 2 == pytest.approx(WIDTH / 2 - x_of(half, double))


def test_one_huge_change_does_not_squeeze_the_others() -> None:
    rows = [row(change=0.01 * n, policy=POLICY) for n in range(-10, 11)]
    huge = row(change=900.0, policy=POLICY)
    axis = axis_for([*rows, huge], "lower")

    assert axis.x(0.1) - axis.x(-0.1) > WIDTH / 6
    mark = mark_of(huge, axis)
    assert mark is not None
    assert mark.arrows


def test_zone_and_interval_are_where_their_ends_are() -> None:
    one = row(change=0.2, policy=POLICY, interval=Interval(low=0.1, high=0.3, level=0.95))
    axis = axis_for([one], "lower")
    mark = mark_of(one, axis)

    assert mark is not None
    assert mark.zone is not None
    left, width = mark.zone
    assert left == axis.x(-0.05)
    assert width == pytest.approx(axis.x(0.05) - left, abs=0.11)
    assert mark.line.startswith(f"M{axis.x(0.1):g} 12H{axis.x(0.3):g}")


@pytest.mark.parametrize("change", [-1.0, -5.0, 0.0, 1e308, math.inf, math.nan, 1e-300])
@pytest.mark.parametrize("better", ["lower", "higher", "none"])
def test_nothing_leaves_the_drawing(change: float, better: str) -> None:
    one = row(change=change, better=better, policy=POLICY, interval=Interval(low=-2.0, high=math.inf, level=0.9))
    axis = axis_for([one], one.better)
    mark = mark_of(one, axis)

    assert mark is not None
    numbers = [float(number) for number in re.findall(r"[MH](-?[\d.]+)", mark.line + mark.arrows)]
    assert all(0 <= number <= WIDTH for number in [*numbers, mark.x or 0.0])
    ticks = axis.ticks()
    assert [text for _, text in ticks].count("0") == 1
    assert len(ticks) >= 3
    assert all(later - earlier > 30 for (earlier, _), (later, _) in pairwise(ticks))


def test_row_without_a_change_has_no_mark() -> None:
    assert mark_of(row("missing"), axis_for([row("missing")], "lower")) is None
