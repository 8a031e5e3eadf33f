"""The meters of a session as panels of sensors: which can be read, which see a device, one read for all.

A meter that raises is left out for the rest of the session, with its reason.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pytest_benchdb.interfaces import Meter
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Reading

Key = tuple[str, str]
"""A meter's name and the name of one of its domains."""
Readings = Mapping[Key, Reading]

POLL_S = 0.0005
"""Pause between two readings of a counter while its tick is measured."""
_BUILTIN_COVERS = {"nvml": "device", "amdsmi": "device", "rapl": "host", "macos": "host"}
"""What built-in meters cover, for those that were left out earlier and are not here."""
_CHANGES = 8
_TICK_LIMIT_S = 2.0


@runtime_checkable
class ExplainsAbsence(Protocol):
    """A meter that says why it lacks sensors that others of its kind have.

    Attributes:
        absent: reason for each missing domain, by its name.
    """

    absent: Mapping[str, str]


@runtime_checkable
class KnowsProcesses(Protocol):
    """A meter that knows which processes use a device."""

    def other_processes(self, device_uuid: str) -> int | None:
        """Return how many other processes compute on the device; None if not reported."""


@runtime_checkable
class HasOwnTime(Protocol):
    """A meter of simulated hardware, whose time does not pass by itself."""

    def sleep(self, seconds: float) -> None:
        """Let simulated time pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A domain and the meter that reads it."""

    meter: Meter
    domain: Domain

    @property
    def key(self) -> Key:
        """Meter and domain by name."""
        return (self.meter.name, self.domain.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The sensors that see one device, read together.

    Attributes:
        sensors: in the meters' order.
        sleep: lets time pass; the meter's own where the hardware is simulated.
    """

    sensors: tuple[Sensor, ...]
    sleep: Callable[[float], None]
    on_failure: Callable[[Meter, Exception], None]

    @property
    def energy(self) -> tuple[Sensor, ...]:
        """The energy counters."""
        return tuple(s for s in self.sensors if s.domain.metric == "energy" and s.domain.kind == "counter")

    def read(self) -> dict[Key, Reading]:
        """Read every meter once; what one of them cannot read is a reading without a value."""
        meters = {sensor.meter.name: sensor.meter for sensor in self.sensors}
        readings: dict[Key, Reading] = {}
        for name, meter in meters.items():
            try:
                by_domain = meter.read()
                lost = f"{name} has no reading of it"
            except Exception as error:  # noqa: BLE001 - another package's meter may raise anything; the session goes on
                self.on_failure(meter, error)
                by_domain = {}
                lost = f"{name} failed: {_text(error)}"
            now_ns = time.monotonic_ns()
            for sensor in self.sensors:
                if sensor.meter is meter:
                    reading = by_domain.get(sensor.domain.name)
                    readings[sensor.key] = reading or Reading(None, now_ns, f"{sensor.domain.name}: {lost}")
        return readings


class Sensors:
    """All meters of a session; probed once, read often.

    Attributes:
        unavailable: why a meter cannot be read, by its name.
        idle: idle power by device and provenance, as `energy_pass` measured it.
    """

    def __init__(
        self,
        meters: Sequence[Meter],
        *,
        unavailable: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the meters, and why others cannot be read, by their names; nothing is read yet."""
        self.unavailable: dict[str, str] = dict(unavailable or {})
        self._meters = tuple(meters)
        self._sleep = sleep
        self._domains: dict[str, tuple[Domain, ...]] = {}
        self._ticks: dict[Key, float | None] = {}
        self.idle: dict[tuple[str | None, Provenance], Mapping[Key, Mapping[str, float | None]]] = {}

    def panel(self, device_uuid: str | None, provenance: Provenance) -> Panel:
        """Return the sensors of a device and of the host around it.

        Simulated and real sensors are never mixed: a simulated device has no real host. `device_uuid` is
        `Device.uuid`, None for the host itself; `provenance` is that of the backend that the code runs on.
        """
        sensors = tuple(
            Sensor(meter=meter, domain=domain)
            for meter in self._usable()
            if (meter.provenance == "simulated") == (provenance == "simulated")
            for domain in self._domains[meter.name]
            if domain.device_uuid is None or is_same_device(domain.device_uuid, device_uuid)
        )
        own = next((s.meter for s in sensors if isinstance(s.meter, HasOwnTime)), None)
        return Panel(sensors=sensors, sleep=own.sleep if own else self._sleep, on_failure=self._disable)

    def absences(self, device_uuid: str | None) -> tuple[str, ...]:
        """Return why there may be no energy counter for a device: unreadable meters, missing sensors.

        Only what could have covered it is named: a missing library for GPUs does not matter to the processor.
        """
        wanted = "host" if device_uuid is None else "device"
        covers = _BUILTIN_COVERS | {meter.name: getattr(meter, "covers", wanted) for meter in self._meters}
        reasons = [
            f"{name}: {reason}" for name, reason in self.unavailable.items() if covers.get(name, wanted) == wanted
        ]
        for meter in self._meters:
            absent = meter.absent if isinstance(meter, ExplainsAbsence) else {}
            for name, reason in absent.items():
                owner, _, sensor = name.partition("/")
                if sensor == "energy" and is_same_device(owner, device_uuid):
                    reasons.append(f"{meter.name}: {name}: {reason}")
        return tuple(reasons)

    def ticks(self, panel: Panel) -> Mapping[Key, float | None]:
        """Return how often each energy counter of a panel changes, seconds; what is not reported is measured once.

        None means that it changed too seldom within two seconds.
        """
        unknown = []
        for sensor in panel.energy:
            if sensor.domain.tick_s is not None:
                self._ticks[sensor.key] = sensor.domain.tick_s
            elif sensor.key not in self._ticks:
                unknown.append(sensor.key)
        if unknown:
            self._ticks.update(measured_ticks(panel, unknown))
        return {sensor.key: self._ticks[sensor.key] for sensor in panel.energy}

    def other_processes(self, device_uuid: str | None) -> int | None:
        """Return how many other processes compute on a device; None if no meter knows."""
        if device_uuid is None:
            return None
        for meter in self._usable():
            if isinstance(meter, KnowsProcesses):
                try:
                    count = meter.other_processes(device_uuid)
                except Exception as error:  # noqa: BLE001 - as above
                    self._disable(meter, error)
                    continue
                if count is not None:
                    return count
        return None

    def _usable(self) -> list[Meter]:
        for meter in self._meters:
            if meter.name in self.unavailable or meter.name in self._domains:
                continue
            try:
                probe = meter.probe()
                domains = tuple(meter.domains()) if probe.available else ()
            except Exception as error:  # noqa: BLE001 - as above
                self._disable(meter, error)
                continue
            if probe.available:
                self._domains[meter.name] = domains
            else:
                self.unavailable[meter.name] = probe.reason or "not available"
        return [meter for meter in self._meters if meter.name not in self.unavailable]

    def _disable(self, meter: Meter, error: Exception) -> None:
        self.unavailable[meter.name] = f"left out after {_text(error)}"


def measured_ticks(panel: Panel, keys: Sequence[Key]) -> dict[Key, float | None]:
    """Watch counters change and return the median time between two changes, seconds.

    It ends after 8 changes of the slowest, or after 2 s on the readings' own clock.
    """
    last = panel.read()
    begun_ns = {key: last[key].monotonic_ns for key in keys}
    changed_ns: dict[Key, list[int]] = {key: [] for key in keys}
    waiting = set(keys)
    while waiting:
        panel.sleep(POLL_S)
        now = panel.read()
        for key in tuple(waiting):
            reading = now[key]
            if reading.value is not None and reading.value != last[key].value:
                changed_ns[key].append(reading.monotonic_ns)
            over = reading.monotonic_ns - begun_ns[key] >= _TICK_LIMIT_S * 1e9
            if over or reading.value is None or len(changed_ns[key]) >= _CHANGES:
                waiting.discard(key)
        last = now
    gaps_ns = {key: [after - before for before, after in itertools.pairwise(at)] for key, at in changed_ns.items()}
    return {key: statistics.median(gaps) / 1e9 if len(gaps) > 1 else None for key, gaps in gaps_ns.items()}


def is_same_device(one: str, other: str | None) -> bool:
    """Return whether two unique ids name one device: NVML writes ``GPU-8c1f...``, torch only ``8c1f...``."""
    return other is not None and one.lower().removeprefix("gpu-") == other.lower().removeprefix("gpu-")


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
