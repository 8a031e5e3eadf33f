import math

import pytest

from pytest_benchdb.importers.reading.units import UNITS
from pytest_benchdb.model.metric import METRICS


@pytest.mark.parametrize("unit", sorted({metric.unit for metric in METRICS.values()} - {"?"}))
def test_units_of_the_metrics_are_known_and_are_their_own(unit: str) -> None:
    assert (UNITS[unit].si, UNITS[unit].to_si(3.0)) == (unit, 3.0)


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [("ms", 1.1, 0.0011), ("us", 7.3, 7.3e-6), ("ns", 3.0, 3e-9), ("mJ", 0.3, 0.0003), ("KiB", 1.0, 1024.0)],
)
def test_to_si_is_within_one_step_of_the_true_value(name: str, value: float, stored: float) -> None:
    assert abs(UNITS[name].to_si(value) - stored) <= math.ulp(stored)


def test_units_distinguish_upper_and_lower_case() -> None:
    assert UNITS["mW"].to_si(1.0) == 1e-3
    assert UNITS["MW"].to_si(1.0) == 1e6
