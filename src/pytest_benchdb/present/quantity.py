"""Single figures of any metric with their unit, each in the size that reads best."""

import math
from collections.abc import Iterable, Mapping

from pytest_benchdb.present.units import NOT_MEASURED, FigureKind, Unit, choose_unit, write_figure

_KINDS: Mapping[str, FigureKind] = {"s": "time", "B": "memory", "1/s": "rate", "J": "energy"}
_PREFIXED = frozenset({"W", "Hz", "B/s"})
_PREFIXES = ("n", "\N{MICRO SIGN}", "m", "", "k", "M", "G", "T")
_BASE = _PREFIXES.index("")
_KELVIN_AT_ZERO_CELSIUS = 273.15


def unit_for(unit: str, values: Iterable[float | None]) -> Unit:
    """Return the unit in which figures of one row are shown.

    Args:
        unit: SI unit as it is stored.
        values: the figures, in it; None is passed over.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    kind = _KINDS.get(unit)
    if kind is not None:
        chosen = choose_unit(kind, known)
        return Unit("B", 1.0, 0) if chosen.symbol == "B" else chosen  # there are no parts of bytes
    if unit in _PREFIXED:
        return _prefixed(unit, known)
    # Counts are whole; a figure without a unit need not be.
    whole = all(value.is_integer() for value in map(float, known))
    return Unit("" if unit == "1" else unit, 1.0, 0 if whole else 4)


def quantity(value: float | None, unit: Unit) -> str:
    """Write a figure with its unit; temperatures in degrees Celsius.

    >>> quantity(0.0123, Unit("ms", 1e-3)), quantity(300.0, Unit("K", 1.0)), quantity(None, Unit("s", 1.0))
    ('12.30 ms', '26.9 °C', '-')
    """
    if value is not None and unit.symbol == "K":
        return f"{value - _KELVIN_AT_ZERO_CELSIUS:.1f} \N{DEGREE SIGN}C"
    text = write_figure(value, unit)
    return text if text == NOT_MEASURED or not unit.symbol else f"{text} {unit.symbol}"


def one_quantity(value: float | None, unit: str) -> str:
    """Write a figure that stands alone.

    >>> one_quantity(65.5e3, "W"), one_quantity(1.98e9, "Hz")
    ('65.50 kW', '1.980 GHz')
    """
    return quantity(value, unit_for(unit, [value]))


def _prefixed(symbol: str, known: list[float]) -> Unit:
    ladder = [Unit(prefix + symbol, 1000.0 ** (step - _BASE)) for step, prefix in enumerate(_PREFIXES)]
    sizes = sorted(abs(value) for value in known if value)
    if not sizes:
        return ladder[_BASE]
    typical = sizes[len(sizes) // 2]
    return next((unit for unit in reversed(ladder) if unit.size <= typical * (1 + 1e-12)), ladder[0])
