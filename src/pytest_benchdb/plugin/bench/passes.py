"""The passes after the timing pass: memory, energy, counters and series, each in separate executions.

PYTEST_DONT_REWRITE
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.registry import Registry

if TYPE_CHECKING:
    from pytest_benchdb.measure.energy.conditions import Conditions
    from pytest_benchdb.measure.energy.sensors import Sensors
    from pytest_benchdb.measure.sampler.sampler import Sampler


SERIES_S = 1.0
"""Time for which the series pass repeats rounds."""
_METRIC_OF = {"memory": "python_peak", "energy": "energy", "counters": "instructions", "series": "rss"}
"""The metric whose row states the reason if a pass fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTarget:
    """The timed function that a pass runs again.

    Attributes:
        call: runs one round and waits for the device.
        opened: the device.
        iterations: calls in one round.
        round_s: median time of one round.
        phase: named part of the run; None means the whole run.
        provenance: of the device's values.
    """

    call: Callable[[], object]
    opened: OpenDevice
    iterations: int
    round_s: float
    phase: str | None
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class PassResult:
    """The measurements and series of a pass."""

    measurements: tuple[Measurement, ...] = ()
    series: tuple[Series, ...] = ()


class Passes:
    """The passes of one process; samplers and sensors start when first needed."""

    def __init__(self, names: Sequence[str], registry: Registry, *, alone: bool) -> None:
        """Select passes by name, in order; `alone` means that no other xdist worker runs beside this process."""
        self._names = names
        self._alone = alone
        self._registry = registry
        self._sensors: Sensors | None = None
        self._samplers: dict[str, Sampler] = {}

    @property
    def has_any(self) -> bool:
        """Whether timing is followed by a pass."""
        return bool(self._names)

    def make(self, target: PassTarget) -> PassResult:
        """Run every selected pass of one function; a failed one only gives its reason."""
        results = [self._run(name, target) for name in self._names]
        rows = (row for result in results for row in result.measurements)
        readings = (series for result in results for series in result.series)
        return PassResult(
            measurements=tuple(replace(row, phase=target.phase) for row in rows),
            series=tuple(replace(series, phase=target.phase) for series in readings),
        )

    def sensors(self) -> "Sensors":
        """Return the energy meters of the session, found by the first call."""
        if self._sensors is None:
            from pytest_benchdb.backends.meters import meters
            from pytest_benchdb.measure.energy.sensors import Sensors

            self._sensors = Sensors(self._registry.meters(meters()), unavailable=self._registry.meters_left_out)
        return self._sensors

    def conditions(self, opened: OpenDevice, provenance: Provenance) -> "Conditions | None":
        """Return what reads the clock of a device around its timing; None for devices that no meter can find."""
        uuid = opened.device.uuid
        if uuid is None or provenance == "simulated":
            return None
        from pytest_benchdb.measure.energy.conditions import Conditions

        sensors = self.sensors()
        panel = sensors.panel(uuid, provenance)
        reasons = sensors.absences(uuid, "clock") or ("no meter reads the clock of this device",)
        return Conditions(panel, clock_ns=opened.clock_ns, absent="; ".join(reasons))

    def close(self) -> None:
        """Stop the samplers."""
        for sampler in self._samplers.values():
            sampler.close()
        self._samplers.clear()

    def _run(self, name: str, target: PassTarget) -> PassResult:
        if target.provenance == "simulated" and name != "energy":
            return PassResult()  # this host's memory and sensors are not the simulated device's
        try:
            result: PassResult = getattr(self, f"_{name}")(target)
        except Exception as error:  # noqa: BLE001 - from the function, or from a library that a meter uses
            why = f"the {name} pass ended with {type(error).__name__}: {error}"
            return PassResult(measurements=(Measurement.of(_METRIC_OF[name], pass_name=name, reason=why),))
        return result

    def _memory(self, target: PassTarget) -> PassResult:
        from pytest_benchdb.measure.process.block_usage import BlockProbe
        from pytest_benchdb.measure.process.memory_pass import measure_memory

        probe = BlockProbe()
        try:
            return PassResult(measurements=measure_memory(target.call, probe=probe))
        finally:
            probe.close()

    def _counters(self, target: PassTarget) -> PassResult:
        from pytest_benchdb.backends.meters import perf_events
        from pytest_benchdb.measure.process.counters_pass import count_events

        return PassResult(measurements=count_events(target.call, perf_events, iterations=target.iterations))

    def _series(self, target: PassTarget) -> PassResult:
        from pytest_benchdb.measure.sampler.sampler import Sampler
        from pytest_benchdb.measure.sampler.series_pass import record_series

        device = target.opened.device
        if device.device_id not in self._samplers:
            watched = {device.uuid: device.device_id} if device.backend == "cuda" and device.uuid else {}
            self._samplers[device.device_id] = Sampler(devices=watched)
        series, summaries = record_series(
            target.call, self._samplers[device.device_id], min_duration_s=SERIES_S, clock=time.monotonic
        )
        return PassResult(measurements=summaries, series=series)

    def _energy(self, target: PassTarget) -> PassResult:
        from pytest_benchdb.measure.energy.energy_pass import measure_energy, unmeasured
        from pytest_benchdb.measure.energy.window import EnergyPlan

        if not self._alone:
            # A counter covers the whole device, and cannot separate its processes.
            why = "other xdist workers use the device meanwhile; run without -n"
            return PassResult(measurements=(unmeasured(why),))
        plan = EnergyPlan(
            rounds_hint_s=target.round_s,
            iterations=target.iterations,
            device_uuid=target.opened.device.uuid,
            provenance=target.provenance,
        )
        return PassResult(measurements=measure_energy(target.call, self.sensors(), plan))
