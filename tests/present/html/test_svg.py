"""Small charts: every value is where its size puts it, and what cannot be drawn is not."""

import math
import re

import pytest

from pytest_benchdb.present.html.svg import LINE_HEIGHT, LINE_WIDTH, STRIP_WIDTH, history_line, strip_of


def points_of(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def test_strip_has_a_tick_for_each_round_that_fits() -> None:
    strip = strip_of((1.0, 2.0, 3.0, 4.0, 100.0), [1.0, 2.0, 3.0, 4.0, 100.0])

    assert strip is not None
    assert strip.beyond
    places = [x for x, _ in points_of(strip.ticks)]
    assert len(places) == 4
    assert places == sorted(places)
    assert strip.left < strip.middle < strip.left + strip.width < STRIP_WIDTH


def test_strip_of_equal_rounds_is_in_the_middle() -> None:
    strip = strip_of((2.0, 2.0, 2.0, 2.0, 2.0), [2.0, 2.0])

    assert strip is not None
    assert strip.middle == STRIP_WIDTH / 2
    assert not strip.beyond


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_strip_of_figures_that_are_not_finite_is_not_drawn(value: float) -> None:
    assert strip_of((1.0, 2.0, 3.0, 4.0, value)) is None


def test_history_line_puts_the_largest_value_on_top_and_leaves_gaps() -> None:
    line = history_line([1.0, 3.0, None, 2.0], [(0, 2.0)], [(3, "better")])

    assert line is not None
    (x1, y1), (x2, y2), (x3, y3) = points_of(line.line)
    assert x1 < x2 < x3 < LINE_WIDTH
    assert 0 < y2 < y3 < y1 < LINE_HEIGHT
    assert line.line.count("M") == 2
    assert (line.last_x, line.last_y) == (x3, y3)
    assert [(mark.x, mark.direction) for mark in line.marks] == [(x3, "better")]


@pytest.mark.parametrize("values", [[], [1.0], [None, 1.0], [None, None], [math.inf, 1.0]])
def test_history_line_of_fewer_than_two_figures_is_not_drawn(values: list[float | None]) -> None:
    assert history_line(values, [], []) is None


def test_history_line_of_many_sessions_stays_small_and_keeps_its_ends() -> None:
    line = history_line([float(value) for value in range(1000)], [(0, 500.0)], [])

    assert line is not None
    assert len(points_of(line.line)) == 75
    assert line.line.startswith("M")
    assert line.last_x > 0.95 * LINE_WIDTH - 4


def test_history_line_of_zero_and_negative_values_is_drawn() -> None:
    line = history_line([-1.0, 0.0, 1.0], [(0, 0.0)], [])

    assert line is not None
    heights = [y for _, y in points_of(line.line)]
    assert heights == sorted(heights, reverse=True)
