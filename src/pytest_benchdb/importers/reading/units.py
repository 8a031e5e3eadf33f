"""Units as other tools write them, and how their values become those of the SI unit.

`present.writing.units` has the units that are shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from pytest_benchdb.model.metric import Kind


@dataclass(frozen=True, slots=True)
class NamedUnit:
    """A unit: ``value / divisor * factor + offset`` is in the SI unit.

    Attributes:
        si: the SI unit that the store keeps.
        kind: the quantity.
        factor: SI units per unit; 1 for units below the SI unit, which have a divisor instead: 1.1 / 1000 is the
            double closest to 0.0011, 1.1 * 0.001 is not.
    """

    si: str
    kind: Kind
    factor: float = 1.0
    divisor: float = 1.0
    offset: float = 0.0

    def to_si(self, value: float) -> float:
        """Convert a value in this unit to the SI unit.

        >>> UNITS["ms"].to_si(1.1), UNITS["MiB"].to_si(0.5)
        (0.0011, 524288.0)
        """
        return value / self.divisor * self.factor + self.offset


_TIMES: dict[str, tuple[float, float]] = {
    "s sec secs second seconds": (1, 1),
    "ms msec msecs millisecond milliseconds": (1, 1e3),
    "us usec usecs microsecond microseconds \N{MICRO SIGN}s \N{GREEK SMALL LETTER MU}s": (1, 1e6),
    "ns nsec nsecs nanosecond nanoseconds": (1, 1e9),
    "ps picosecond picoseconds": (1, 1e12),
    "min minute minutes": (60, 1),
    "h hour hours": (3600, 1),
}
_PREFIXES: dict[str, tuple[float, float]] = {
    "n": (1, 1e9),
    "u": (1, 1e6),
    "\N{MICRO SIGN}": (1, 1e6),
    "\N{GREEK SMALL LETTER MU}": (1, 1e6),
    "m": (1, 1e3),
    "": (1, 1),
    "k": (1e3, 1),
    "M": (1e6, 1),
    "G": (1e9, 1),
    "T": (1e12, 1),
}
_EVENTS = ("1", "op", "ops", "it", "iter", "items", "req", "requests", "token", "tokens", "tok", "rows", "calls")
_BYTES = {"B": 1.0, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
_BINARY = {f"{prefix}iB": 1024.0**power for power, prefix in enumerate("KMGT", 1)}
_SCALED: tuple[tuple[str, str, Kind], ...] = (("J", "J", "energy"), ("W", "W", "power"), ("Hz", "Hz", "frequency"))


def _all_units() -> Iterator[tuple[str, NamedUnit]]:
    for names, (factor, divisor) in _TIMES.items():
        yield from ((name, NamedUnit("s", "time", factor, divisor)) for name in names.split())
    sizes = {**_BYTES, **_BINARY, "kiB": 1024.0, "byte": 1.0, "bytes": 1.0}
    for name, size in sizes.items():
        yield name, NamedUnit("B", "memory", size)
        yield f"{name}/s", NamedUnit("B/s", "rate", size)
    for symbol, si, kind in _SCALED:
        for prefix, (factor, divisor) in _PREFIXES.items():
            yield prefix + symbol, NamedUnit(si, kind, factor, divisor)
    yield "Wh", NamedUnit("J", "energy", 3600.0)
    yield "kWh", NamedUnit("J", "energy", 3.6e6)
    yield from _rates()
    for name in ("1", "count"):
        yield name, NamedUnit("1", "count")
    yield "%", NamedUnit("1", "ratio", 1.0, 100.0)
    yield "K", NamedUnit("K", "temperature")
    yield "kg", NamedUnit("kg", "other")
    yield "g", NamedUnit("kg", "other", divisor=1000.0)
    for name in ("degC", "\N{DEGREE SIGN}C"):
        yield name, NamedUnit("K", "temperature", offset=273.15)


def _rates() -> Iterator[tuple[str, NamedUnit]]:
    """Yield events per second: ``1/s``, ``ops/s``, ``k/s``, ``GFLOP/s``."""
    for event in _EVENTS:
        yield f"{event}/s", NamedUnit("1/s", "rate")
        yield f"{event}/sec", NamedUnit("1/s", "rate")
    for prefix in ("", "k", "M", "G", "T"):
        factor = _PREFIXES[prefix][0]
        for name in (f"{prefix}/s", f"{prefix}ops/s", f"{prefix}FLOP/s", f"{prefix}FLOPS"):
            yield name, NamedUnit("1/s", "rate", factor)


UNITS = MappingProxyType(dict(_all_units()))
"""Every known unit by name; case matters: ``mW`` is not ``MW``."""
