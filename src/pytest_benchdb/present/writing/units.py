"""Choose one unit for a column of figures and write figures in it.

Storage holds SI units; this module is the only one that scales them.

Single figures of any metric with their unit, each in the size that reads best.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.errors import ConfigError

FigureKind = Literal["time", "memory", "rate", "energy", "percent", "count"]

NOT_MEASURED = "-"
"""Stands for None: a figure that was not measured is never shown as 0."""

_MICRO = "\N{MICRO SIGN}"
_MU = "\N{GREEK SMALL LETTER MU}"
_MOST_DECIMALS = 6
_MOST_WHOLE = 1e9


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit to show figures in.

    Attributes:
        symbol: how it is written: ``ms``, ``MiB``.
        size: how many SI units one of it is: 1e-3 for ``ms``.
        digits: significant digits of a figure in it; 0 for whole numbers.
    """

    symbol: str
    size: float
    digits: int = 4

    def ascii(self) -> "Unit":
        """Return the unit with a symbol that every terminal can show."""
        return Unit(self.symbol.replace(_MICRO, "u"), self.size, self.digits)


# Each ladder goes from small to large; a figure is shown in the largest unit that it fills.
_LADDERS: dict[FigureKind, tuple[Unit, ...]] = {
    "time": (Unit("ns", 1e-9), Unit(_MICRO + "s", 1e-6), Unit("ms", 1e-3), Unit("s", 1.0)),
    "memory": tuple(Unit(symbol, 1024.0**step, 3) for step, symbol in enumerate(("B", "KiB", "MiB", "GiB", "TiB"))),
    "rate": tuple(Unit(f"{prefix}/s", 1000.0**step) for step, prefix in enumerate(("", "k", "M", "G"))),
    "energy": tuple(Unit(f"{prefix}J", 1000.0**step) for step, prefix in enumerate(("n", _MICRO, "m", "", "k"), -3)),
    "percent": (Unit("%", 0.01, 2),),
    "count": (Unit("", 1.0, 0),),
}

_SCALED: dict[str, FigureKind] = {"time": "time", "memory": "memory", "rate": "rate", "energy": "energy"}
"""Quantities whose unit users may choose."""


def choose_unit(kind: FigureKind, values: Iterable[float | None]) -> Unit:
    """Return the unit in which the typical value is easy to read.

    Args:
        kind: the quantity.
        values: figures in SI units (shares for percentages); None is passed over. Typical is the upper median.
    """
    ladder = _LADDERS[kind]
    known = sorted(abs(value) for value in values if value is not None and math.isfinite(value) and value)
    if not known:
        return next((unit for unit in ladder if unit.size == 1.0), ladder[0])
    typical = known[len(known) // 2]
    fitting = [unit for unit in ladder if unit.size <= typical * (1 + 1e-12)]
    return fitting[-1] if fitting else ladder[0]


def named_unit(kind: FigureKind, symbol: str) -> Unit:
    """Return the unit that a user asked for; ``us`` is the microsecond.

    Raises:
        ConfigError: there is no such unit of this kind.
    """
    for unit in _LADDERS[kind]:
        if symbol.replace(_MU, _MICRO).lower() in {unit.symbol.lower(), unit.ascii().symbol.lower()}:
            return unit
    choices = ", ".join(unit.ascii().symbol for unit in _LADDERS[kind])
    message = f"--unit {kind}={symbol}: no unit of {kind}; choose one of {choices}"
    raise ConfigError(message)


def parse_units(texts: Iterable[str]) -> dict[FigureKind, Unit]:
    """Read `--unit` arguments: ``time=us``, ``memory=MiB``, ``energy=mJ``, ``rate=k/s``.

    Raises:
        ConfigError: an argument is not of this form, or names an unknown quantity or unit.
    """
    units: dict[FigureKind, Unit] = {}
    for text in texts:
        for part in text.split(","):
            kind, _, symbol = (piece.strip() for piece in part.partition("="))
            chosen = _SCALED.get(kind)
            if chosen is None:
                message = (
                    f"--unit {part}: give one of {', '.join(_SCALED)} and a unit, as in --unit time=us or "
                    "--unit memory=MiB"
                )
                raise ConfigError(message)
            units[chosen] = named_unit(chosen, symbol)
    return units


def write_figure(value: float | None, unit: Unit) -> str:
    """Write a figure in a unit, with no more digits than tell something.

    Figures of 1 and above get the unit's significant digits, but whole digits are never rounded away;
    smaller ones get one digit less. What needs more than six decimals is written with an exponent.

    >>> write_figure(0.00123456, Unit("ms", 1e-3)), write_figure(None, Unit("s", 1.0))
    ('1.235', '-')
    """
    if value is None or not math.isfinite(value):
        return NOT_MEASURED
    scaled = value / unit.size
    if scaled == 0:
        return "0"
    if unit.digits == 0:
        return f"{scaled:.0f}"
    if abs(scaled) >= _MOST_WHOLE:
        return f"{scaled:.{unit.digits - 1}e}".replace("e+0", "e").replace("e+", "e")
    digits = max(unit.digits - 1, 1)
    # Rounding can raise the exponent (9.9996 becomes 10.00, 0.99 becomes 1.0), so the rounded figure decides.
    if abs(float(f"{scaled:.{digits - 1}e}")) >= 1:
        digits = unit.digits
    exponent = int(f"{scaled:.{digits - 1}e}".partition("e")[2])
    decimals = max(0, digits - 1 - exponent)
    if decimals > _MOST_DECIMALS:
        return f"{scaled:.{digits - 1}e}".replace("e-0", "e-")
    return f"{scaled:.{decimals}f}"


def align_points(texts: list[str]) -> list[str]:
    """Pad figures on the right so that their decimal points stand below each other when right-aligned."""
    tails = [len(text) - point if (point := text.find(".")) >= 0 else 0 for text in texts]
    most = max(tails, default=0)
    return [
        text if text == NOT_MEASURED else text + " " * (most - tail) for text, tail in zip(texts, tails, strict=True)
    ]


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
