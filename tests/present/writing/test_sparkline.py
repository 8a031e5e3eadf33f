"""Many values as a line of bars."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.present.writing.sparkline import histogram, sparkline

VALUES = st.floats(min_value=-1e300, max_value=1e300)


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([None, None], "  "),
        ([5.0, 5.0, 5.0], "▅▅▅"),
        ([0.0, 7.0], "▁█"),
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "▁▂▃▄▅▆▇█"),
        ([0.0, None, 7.0], "▁ █"),
    ],
    ids=["nothing", "gaps only", "constant", "two", "rising", "gap"],
)
def test_sparkline_is_exact(values: list[float | None], bars: str) -> None:
    assert sparkline(values) == bars


def test_sparkline_for_ascii_terminals_is_ascii() -> None:
    assert sparkline([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], ascii_only=True) == "_.-~=+*#"


@given(st.lists(st.one_of(st.none(), VALUES), max_size=50))
def test_sparkline_has_one_sign_for_each_value_and_rises_with_them(values: list[float | None]) -> None:
    bars = sparkline(values)

    assert len(bars) == len(values)
    known = sorted((value, bar) for value, bar in zip(values, bars, strict=True) if value is not None)
    assert [bar for _, bar in known] == sorted(bar for _, bar in known)
    assert all((value is None) == (bar == " ") for value, bar in zip(values, bars, strict=True))


@given(st.lists(st.floats(min_value=-1e6, max_value=1e6), min_size=1, max_size=50), st.integers(1, 60))
def test_histogram_shows_every_value_somewhere(values: list[float], bins: int) -> None:
    bars = histogram(values, bins)

    assert len(bars) == bins
    assert 1 <= sum(bar != " " for bar in bars) <= len(values)
    assert "█" in bars
