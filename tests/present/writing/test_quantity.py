"""Single figures with their unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.present.writing.units import one_quantity, quantity, unit_for


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
