"""Figures: one unit per column, useful digits, and never a number for an unmeasured value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.present.writing.units import (
    RowUnits,
    Unit,
    align_points,
    choose_unit,
    named_unit,
    one_quantity,
    parse_units,
    quantity,
    row_units,
    unit_for,
    write_figure,
)

MICROSECOND = named_unit("time", "us")


@pytest.mark.parametrize(
    ("values", "symbol"),
    [
        ([3.2e-10], "ns"),
        ([1.5e-9], "ns"),
        ([999e-9], "ns"),
        ([1e-6], "\N{MICRO SIGN}s"),
        ([2e-3, 5e-3, 7.0], "ms"),
        ([1.0], "s"),
        ([7200.0], "s"),
        ([None, 1e-3, None], "ms"),
        ([float("nan"), 1e-3], "ms"),
        ([0.0], "s"),
        ([], "s"),
    ],
)
def test_choose_unit_of_times_follows_the_typical_value(values: list[float | None], symbol: str) -> None:
    assert choose_unit("time", values).symbol == symbol


@pytest.mark.parametrize(
    ("value", "symbol"), [(512.0, "B"), (1024.0, "KiB"), (64 * 2.0**20, "MiB"), (3 * 2.0**40, "TiB")]
)
def test_choose_unit_of_memory_is_binary(value: float, symbol: str) -> None:
    assert choose_unit("memory", [value]).symbol == symbol


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (float("nan"), "-"),
        (float("inf"), "-"),
        (0.0, "0"),
        (1.23456e-6, "1.235"),
        (12.3456e-6, "12.35"),
        (123.456e-6, "123.5"),
        (1234.56e-6, "1235"),
        (123456.7e-6, "123457"),
        (9.99996e-6, "10.00"),
        (0.99996e-6, "1.000"),
        (0.123456e-6, "0.123"),
        (0.00123456e-6, "0.00123"),
        (1.23456e-12, "1.23e-6"),
        (5e3, "5.000e9"),
        (-12.3456e-6, "-12.35"),
    ],
)
def test_write_figure_has_sensible_digits(value: float | None, text: str) -> None:
    assert write_figure(value, MICROSECOND) == text


def test_write_figure_of_a_count_is_exact() -> None:
    assert write_figure(1_000_003, choose_unit("count", [5])) == "1000003"


@given(st.floats(min_value=1e-12, max_value=1e6), st.sampled_from(["ns", "us", "ms", "s"]))
def test_write_figure_is_within_rounding_of_the_value(value_s: float, symbol: str) -> None:
    unit = named_unit("time", symbol)

    shown_s = float(write_figure(value_s, unit)) * unit.size

    assert math.isclose(shown_s, value_s, rel_tol=0.0051)


@given(st.floats(min_value=1e-9, max_value=1e3))
def test_write_figure_in_its_own_unit_keeps_four_digits(value_s: float) -> None:
    unit = choose_unit("time", [value_s])

    shown_s = float(write_figure(value_s, unit)) * unit.size

    assert math.isclose(shown_s, value_s, rel_tol=0.00051)
    assert len(write_figure(value_s, unit)) <= 6


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=True)), max_size=5))
def test_write_figure_of_the_unmeasured_is_never_a_number(values: list[float | None]) -> None:
    unit = choose_unit("time", values)

    for value in values:
        shown = write_figure(value, unit)
        assert (shown == "-") == (value is None or not math.isfinite(value))


def test_align_points_puts_points_below_each_other() -> None:
    padded = align_points(["1.235", "12.35", "1235", "-"])

    assert [text.rjust(8) for text in padded] == ["   1.235", "  12.35 ", "1235    ", "       -"]


def test_parse_units_reads_several() -> None:
    units = parse_units(["time=ms", "memory=kib"])

    assert units == {"time": Unit("ms", 1e-3), "memory": Unit("KiB", 1024.0, 3)}


@pytest.mark.parametrize("text", ["time=parsec", "time", "speed=ms", "memory=MB"])
def test_parse_units_of_nonsense_shows_valid_examples(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--unit .*(choose one of|as in)"):
        parse_units([text])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.5e-3, "s", "1.500 ms"),
        (0.0, "s", "0 s"),
        (7.0, "B", "7 B"),
        (12_288.0, "B", "12.0 KiB"),
        (4.997, "J", "4.997 J"),
        (2.5e-3, "J", "2.500 mJ"),
        (86_566.0, "1/s", "86.57 k/s"),
        (0.25, "1/s", "0.250 /s"),
        (700.0, "W", "700.0 W"),
        (0.0, "W", "0 W"),
        (1.98e9, "Hz", "1.980 GHz"),
        (4.8e12, "B/s", "4.800 TB/s"),
        (1.11e-7, "kg", "111.0 \N{MICRO SIGN}g"),
        (2.5, "kg", "2.500 kg"),
        (345.2, "K", "72.1 \N{DEGREE SIGN}C"),
        (3.0, "1", "3"),
        (0.875, "1", "0.875"),
        (2.5, "EUR", "2.500 EUR"),
        (None, "K", "-"),
        (float("nan"), "W", "-"),
    ],
)
def test_one_quantity_is_exact(value: float | None, unit: str, text: str) -> None:
    assert one_quantity(value, unit) == text


@given(st.floats(min_value=1e-6, max_value=1e12), st.sampled_from(["s", "J", "1/s", "W", "Hz", "B/s"]))
def test_quantity_is_within_rounding_of_the_raw(value: float, unit: str) -> None:
    chosen = unit_for(unit, [value])

    figure = quantity(value, chosen).split(" ")[0]

    assert float(figure) * chosen.size == pytest.approx(value, rel=0.0051)


def time_units(*rows: float | None) -> RowUnits:
    return row_units([[value] for value in rows], lambda values: choose_unit("time", values))


def test_rows_share_a_unit_if_it_costs_no_digits() -> None:
    units = time_units(1.5e-3, None, 0.2e-3, 9.0)

    assert units.shared == named_unit("time", "ms")
    assert units.add_to(["1.5", "-", "0.2", "9000"]) == ["1.5", "-", "0.2", "9000"]


@pytest.mark.parametrize("rows", [(3e-6, 20e-3, 30e-3), (1e-6, 1e-6, 55e-3)], ids=["too small", "too large"])
def test_rows_of_different_sizes_have_their_own_units(rows: tuple[float, ...]) -> None:
    units = time_units(*rows)

    assert units.shared is None
    assert all(1 <= row / unit.size < 1000 for row, unit in zip(rows, units.of_rows, strict=True))


def test_units_in_cells_are_padded_so_that_points_still_line_up() -> None:
    units = time_units(3e-6, None, 2.0, 4.0)

    assert units.add_to(["3.000", "-", "2.000", "4.000"]) == ["3.000 \N{MICRO SIGN}s", "-", "2.000 s ", "4.000 s "]
    assert units.ascii().add_to(["3.000", "-", "2.000", ""]) == ["3.000 us", "-", "2.000 s ", ""]
