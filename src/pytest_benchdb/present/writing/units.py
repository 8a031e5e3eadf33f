"""Write figures in readable units, shared by a column or chosen for a single figure.

The store has SI units; only this module scales them.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pytest_benchdb.errors import ConfigError

FigureKind = Literal[
    "time", "memory", "rate", "flops", "bandwidth", "energy", "frequency", "percent", "count", "factor"
]

NOT_MEASURED = "-"
"""Shown for None: an unmeasured figure is never shown as 0."""

_MICRO = "\N{MICRO SIGN}"
_MU = "\N{GREEK SMALL LETTER MU}"
_MOST_DECIMALS = 6
_MOST_WHOLE = 1e9
_LEAST_SHOWN, _MOST_SHOWN = 0.1, 1e4
"""Scaled figures outside this range lose digits, or are hard to read."""
_KINDS: Mapping[str, FigureKind] = {"s": "time", "B": "memory", "1/s": "rate", "J": "energy"}
_PREFIXED = frozenset({"W", "Hz", "B/s", "FLOP/s"})
_PREFIXES = ("n", _MICRO, "m", "", "k", "M", "G", "T")
_BASE = _PREFIXES.index("")
_KELVIN_AT_ZERO_CELSIUS = 273.15


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit to show figures in.

    Attributes:
        symbol: ``ms``, ``MiB``.
        size: in SI units: 1e-3 for ``ms``.
        digits: significant digits of figures; 0 for whole numbers.
    """

    symbol: str
    size: float
    digits: int = 4

    def ascii(self) -> "Unit":
        """Return the unit with an ASCII symbol."""
        return Unit(self.symbol.replace(_MICRO, "u"), self.size, self.digits)


class RowUnits(NamedTuple):
    """The units of the rows of a table.

    Attributes:
        shared: the unit of all rows, for the heading; None if they differ, and cells have their unit.
        of_rows: one for each row.
    """

    shared: Unit | None
    of_rows: tuple[Unit, ...]

    def ascii(self) -> "RowUnits":
        """Return the units with ASCII symbols."""
        return RowUnits(self.shared and self.shared.ascii(), tuple(unit.ascii() for unit in self.of_rows))

    def add_to(self, texts: Sequence[str]) -> list[str]:
        """Return the cells of a column with their units, if these differ."""
        if self.shared is not None:
            return list(texts)
        widest = max((len(unit.symbol) for unit in self.of_rows), default=0)
        return [
            f"{text} {unit.symbol:<{widest}}" if text.strip() not in {"", NOT_MEASURED} else text
            for text, unit in zip(texts, self.of_rows, strict=True)
        ]


# From small to large; a figure is shown in the largest unit in which it is at least 1.
_LADDERS: dict[FigureKind, tuple[Unit, ...]] = {
    "time": (Unit("ns", 1e-9), Unit(_MICRO + "s", 1e-6), Unit("ms", 1e-3), Unit("s", 1.0)),
    "memory": tuple(Unit(symbol, 1024.0**step, 3) for step, symbol in enumerate(("B", "KiB", "MiB", "GiB", "TiB"))),
    "rate": tuple(Unit(f"{prefix}/s", 1000.0**step) for step, prefix in enumerate(("", "k", "M", "G"))),
    "flops": tuple(Unit(f"{prefix}FLOP/s", 1000.0**step) for step, prefix in enumerate(("", "k", "M", "G", "T", "P"))),
    "bandwidth": tuple(Unit(f"{prefix}B/s", 1000.0**step) for step, prefix in enumerate(("", "k", "M", "G", "T"))),
    "energy": tuple(Unit(f"{prefix}J", 1000.0**step) for step, prefix in enumerate(("n", _MICRO, "m", "", "k"), -3)),
    "frequency": tuple(Unit(f"{prefix}Hz", 1000.0**step) for step, prefix in enumerate(("", "k", "M", "G"))),
    "percent": (Unit("%", 0.01, 2),),
    "count": (Unit("", 1.0, 0),),
    "factor": (Unit("", 1.0, 3),),
}

_SCALED: dict[str, FigureKind] = {
    "time": "time",
    "memory": "memory",
    "rate": "rate",
    "flops": "flops",
    "bandwidth": "bandwidth",
    "energy": "energy",
}
"""Quantities whose unit users may choose."""


def _sizes(values: Iterable[float | None]) -> list[float]:
    return [abs(value) for value in values if value is not None and math.isfinite(value) and value]


def choose_unit(kind: FigureKind, values: Iterable[float | None]) -> Unit:
    """Return the unit that suits the typical value, the upper median.

    `values` are in SI units, shares for percentages; None is skipped.
    """
    return _fitting(_LADDERS[kind], values)


def _fitting(ladder: Sequence[Unit], values: Iterable[float | None]) -> Unit:
    sizes = sorted(_sizes(values))
    if not sizes:
        return next((unit for unit in ladder if unit.size == 1.0), ladder[0])
    typical = sizes[len(sizes) // 2]
    return next((unit for unit in reversed(ladder) if unit.size <= typical * (1 + 1e-12)), ladder[0])


def row_units(rows: Sequence[Sequence[float | None]], choose: Callable[[Iterable[float | None]], Unit]) -> RowUnits:
    """Return the units of the rows of a table: one for all, unless it would cost some of them digits.

    Args:
        rows: the figures of each row that decide, in SI units; None is skipped.
        choose: returns the unit that suits figures.
    """
    shared = choose(figure for row in rows for figure in row)
    if all(_LEAST_SHOWN <= figure / shared.size < _MOST_SHOWN for row in rows for figure in _sizes(row)):
        return RowUnits(shared, (shared,) * len(rows))
    return RowUnits(None, tuple(choose(row) if _sizes(row) else shared for row in rows))


def named_unit(kind: FigureKind, symbol: str) -> Unit:
    """Return the unit with a symbol; ``us`` is the microsecond.

    Raises:
        ConfigError: the quantity has no such unit.
    """
    for unit in _LADDERS[kind]:
        if symbol.replace(_MU, _MICRO).lower() in {unit.symbol.lower(), unit.ascii().symbol.lower()}:
            return unit
    choices = ", ".join(unit.ascii().symbol for unit in _LADDERS[kind])
    message = f"--unit {kind}={symbol}: not a unit of {kind}; choose one of {choices}"
    raise ConfigError(message)


def parse_units(texts: Iterable[str]) -> dict[FigureKind, Unit]:
    """Parse `--unit` arguments: ``time=us``, ``memory=MiB``, ``energy=mJ``, ``rate=k/s``, ``flops=GFLOP/s``.

    Raises:
        ConfigError: an argument is not of this form, or names an unknown quantity or unit.
    """
    units: dict[FigureKind, Unit] = {}
    for text in texts:
        for part in text.split(","):
            kind, _, symbol = (piece.strip() for piece in part.partition("="))
            quantity_kind = _SCALED.get(kind)
            if quantity_kind is None:
                message = (
                    f"--unit {part}: give one of {', '.join(_SCALED)} and a unit, as in --unit time=us or "
                    "--unit memory=MiB"
                )
                raise ConfigError(message)
            units[quantity_kind] = named_unit(quantity_kind, symbol)
    return units


def write_figure(value: float | None, unit: Unit) -> str:
    """Return a figure in a unit, with a sensible number of digits.

    Figures of 1 and above have the unit's significant digits, without rounding away whole digits; smaller ones
    have one digit less. Figures that need more than six decimals get an exponent.

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
    """Pad figures on the right so that their decimal points line up when right-aligned."""
    tails = [len(text) - point if (point := text.find(".")) >= 0 else 0 for text in texts]
    most = max(tails, default=0)
    return [
        text if text == NOT_MEASURED else text + " " * (most - tail) for text, tail in zip(texts, tails, strict=True)
    ]


def unit_for(unit: str, values: Iterable[float | None]) -> Unit:
    """Return the unit for showing `values`, which are in the SI unit `unit`, together; None is skipped."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    kind = _KINDS.get(unit)
    if kind is not None:
        readable = choose_unit(kind, finite)
        return Unit("B", 1.0, 0) if readable.symbol == "B" else readable  # bytes are whole
    if unit in _PREFIXED:
        return _fitting(
            [Unit(prefix + unit, 1000.0 ** (step - _BASE)) for step, prefix in enumerate(_PREFIXES)], finite
        )
    if unit == "kg":
        return _fitting(
            [Unit(prefix + "g", 1000.0 ** (step - _BASE - 1)) for step, prefix in enumerate(_PREFIXES)], finite
        )
    # Counts are whole; a figure without a unit need not be.
    whole = all(value.is_integer() for value in map(float, finite))
    return Unit("" if unit == "1" else unit, 1.0, 0 if whole else 4)


def quantity(value: float | None, unit: Unit) -> str:
    """Return a figure with its unit; temperatures in degrees Celsius.

    >>> quantity(0.0123, Unit("ms", 1e-3)), quantity(300.0, Unit("K", 1.0)), quantity(None, Unit("s", 1.0))
    ('12.30 ms', '26.9 °C', '-')
    """
    if value is not None and unit.symbol == "K":
        return f"{value - _KELVIN_AT_ZERO_CELSIUS:.1f} \N{DEGREE SIGN}C"
    text = write_figure(value, unit)
    return text if text == NOT_MEASURED or not unit.symbol else f"{text} {unit.symbol}"


def one_quantity(value: float | None, unit: str) -> str:
    """Return a figure in the unit that suits it.

    >>> one_quantity(65.5e3, "W"), one_quantity(1.98e9, "Hz")
    ('65.50 kW', '1.980 GHz')
    """
    return quantity(value, unit_for(unit, [value]))
