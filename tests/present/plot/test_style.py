"""Sizes, names and units of figures."""

import math

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.present.plot.axes import axis_unit, short_names
from pytest_benchdb.present.plot.style import PlotStyle, parse_size, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [("16x9cm", (6.299, 3.543)), ("3.5x2.4in", (3.5, 2.4)), ("8.5 cm", (3.346, None)), ("8.5X6CM", (3.346, 2.362))],
)
def test_sizes_are_in_inches(text: str, expected: tuple[float, float | None]) -> None:
    assert [side and round(side, 3) for side in parse_size(text)] == list(expected)


@pytest.mark.parametrize(
    "text", ["", "8", "8x6", "8x6px", "x6cm", "0x6cm", "8.5x6cmcm", "999x9in", "nanxnancm", "-8x6cm"]
)
def test_bad_sizes_get_one_line_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="--size"):
        parse_size(text)


def test_names_are_shown_literally() -> None:
    assert plain("a$b$_c\x1b[31m") == r"a\$b\$_c\x1b[31m"
    assert plain("_private") == " _private"
    assert len(plain("x" * 500, 40)) == 40


def test_short_names_are_unique() -> None:
    assert short_names(["a.py::test_x", "b.py::test_y"]) == ["test_x", "test_y"]
    assert short_names(["a.py::test_x", "b.py::test_x"]) == ["a.py::test_x", "b.py::test_x"]


def test_an_axis_has_one_unit_and_gaps_for_what_was_not_measured() -> None:
    unit = axis_unit("s", [1e-3, 2e-3, None, 5.0])

    assert unit.label("wall_time") == "wall_time (ms)"
    assert unit.of(2e-3) == pytest.approx(2.0)
    assert all(math.isnan(unit.of(value)) for value in (None, math.nan, math.inf))
    assert axis_unit("K", [300.0]).of(300.15) == pytest.approx(27.0)


def test_marks_differ_without_colour() -> None:
    style = PlotStyle(grey=True)

    marks = {(style.mark(n)["marker"], style.mark(n)["linestyle"]) for n in range(8)}

    assert len(marks) == 8
