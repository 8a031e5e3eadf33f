"""The passes after the timing pass: memory, energy and series, each in executions of its own.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable
from dataclasses import dataclass

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement

PASSES = ("time", "memory", "energy", "series")
DEFAULT_PASSES = ("time",)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassResult:
    """What the passes of one function gave."""

    measurements: tuple[Measurement, ...] = ()
    series: tuple[Series, ...] = ()


def passes_named(text: str) -> tuple[str, ...]:
    """Return the passes that ``--benchdb-passes`` names; the timing pass is always made.

    Raises:
        ConfigError: one of them is unknown.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in PASSES:
            raise ConfigError(
                f"--benchdb-passes {name!r} is unknown; give some of {', '.join(PASSES)}, comma-separated"
            )
    return tuple(name for name in PASSES if name == "time" or name in names)


Pass = Callable[[Callable[[], object], OpenDevice, int], PassResult]
"""Makes one pass: the call of one round, the device, and the calls in it."""
