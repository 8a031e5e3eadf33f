"""The passes after the timing pass: memory, energy and series, each in executions of its own.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.model.metric import METRICS, Provenance
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.registry import Registry

_FIGURE_OF = {"memory": "python_peak", "energy": "energy", "series": "rss"}
"""The metric that says so when a pass has failed."""
PASSES = tuple(_FIGURE_OF)
"""What ``--benchdb-passes`` may name beside ``time``, which is always made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a pass is told of the timed function.

    Attributes:
        call: runs one round and waits for the device.
        opened: the device.
        iterations: calls in one round.
        round_s: median time of one round.
        phase: named part of the run; None for the whole.
        provenance: of the device.
    """

    call: Callable[[], object]
    opened: OpenDevice
    iterations: int
    round_s: float
    phase: str | None
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class PassResult:
    """What a pass gave."""

    measurements: tuple[Measurement, ...] = ()
    series: tuple[Series, ...] = ()


def passes_named(names: Sequence[str]) -> tuple[str, ...]:
    """Return the passes to make, in their order.

    Raises:
        ConfigError: a name is unknown.
    """
    for name in names:
        if name not in {"time", *PASSES}:
            known = ", ".join(("time", *PASSES))
            raise ConfigError(f"--benchdb-passes {name!r} is unknown; give some of {known}, comma-separated")
    return tuple(name for name in PASSES if name in names)


class Passes:
    """The passes of one process; what they need is started when the first is made."""

    def __init__(self, names: Sequence[str], registry: Registry) -> None:
        """Choose the passes.

        Raises:
            ConfigError: a name is unknown.
        """
        self._names = passes_named(names)
        self._registry = registry
        self._sensors: object = None

    def make(self, timing: Timing) -> PassResult:
        """Make every chosen pass of one function; one that fails says why, and costs nothing that was timed."""
        made = [self._made(name, timing) for name in self._names]
        rows = (row for result in made for row in result.measurements)
        series = (one for result in made for one in result.series)
        return PassResult(
            measurements=tuple(replace(row, phase=timing.phase) for row in rows),
            series=tuple(replace(one, phase=timing.phase) for one in series),
        )

    def close(self) -> None:
        """End what was started."""

    def _made(self, name: str, timing: Timing) -> PassResult:
        metric = METRICS[_FIGURE_OF[name]]
        try:
            result: PassResult = getattr(self, f"_{name}")(timing)
        except Exception as error:  # noqa: BLE001 - of the function, or of a library that a meter uses
            why = f"the {name} pass ended with {type(error).__name__}: {error}"
            missing = Measurement(
                metric=metric.name, unit=metric.unit, better=metric.better, pass_name=name, reason=why
            )
            return PassResult(measurements=(missing,))
        return result

    def _energy(self, timing: Timing) -> PassResult:
        from pytest_benchdb.backends.meters import meters
        from pytest_benchdb.measure.energy import measure_energy
        from pytest_benchdb.measure.energy_window import EnergyPlan
        from pytest_benchdb.measure.sensors import Sensors

        if not isinstance(self._sensors, Sensors):
            found = self._registry.meters(meters())
            self._sensors = Sensors(found, unavailable=self._registry.meters_left_out)
        plan = EnergyPlan(
            rounds_hint_s=timing.round_s,
            iterations=timing.iterations,
            device_uuid=timing.opened.device.uuid,
            provenance=timing.provenance,
        )
        return PassResult(measurements=measure_energy(timing.call, self._sensors, plan))
