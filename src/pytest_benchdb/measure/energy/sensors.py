"""The meters of a session, grouped into panels: the sensors that cover one device and are read together.

A meter that raises, hangs, or returns what cannot be true is left out for the rest of the session, with the reason.
"""

import contextlib
import itertools
import statistics
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar, runtime_checkable

from pytest_benchdb.interfaces import Meter
from pytest_benchdb.measure.energy.bounded import Bounded, checked_domains, checked_readings
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Reading

T = TypeVar("T")
Key = tuple[str, str]
"""A meter's name and the name of one of its domains."""
Readings = Mapping[Key, Reading]
Idle = Mapping[Key, Mapping[str, float | None]]
"""Idle power by sensor: ``watts`` (None if not measured) and ``window_s``."""

POLL_S = 0.0005
"""Pause between two readings of a counter while its tick is measured."""
_BUILTIN_COVERS = {"nvml": "device", "amdsmi": "device", "rapl": "host", "macos": "host"}
"""What built-in meters cover; needed for those that were left out before a session has them."""
READ_LIMIT_S = 5.0
"""Longest time that a meter may take for an answer; a reading takes milliseconds."""
_CHANGES = 8
_TICK_LIMIT_S = 2.0
_MOST_POLLS = round(_TICK_LIMIT_S / POLL_S)


@runtime_checkable
class ExplainsAbsence(Protocol):
    """A meter that explains why it lacks sensors that similar meters have.

    Attributes:
        absent: reason for each missing domain, by name.
    """

    absent: Mapping[str, str]


@runtime_checkable
class ReadsSome(Protocol):
    """A meter that can read some of its domains without the others, such as those of one device of eight."""

    def read_some(self, domains: Collection[str]) -> Mapping[str, Reading]:
        """Read the domains with these names once, in as few calls as the library allows."""


@runtime_checkable
class KnowsProcesses(Protocol):
    """A meter that knows which processes use a device."""

    def other_processes(self, device_uuid: str) -> int | None:
        """Return the number of other processes that compute on the device; None if not reported."""


@runtime_checkable
class HasOwnTime(Protocol):
    """A meter of simulated hardware, which keeps its own time."""

    def sleep(self, seconds: float) -> None:
        """Advance the simulated time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A domain and the meter that reads it."""

    meter: Meter
    domain: Domain

    @property
    def key(self) -> Key:
        """Names of the meter and the domain."""
        return (self.meter.name, self.domain.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The sensors that cover one device, read together.

    Attributes:
        sensors: in the meters' order.
        sleep: waits; simulated hardware has its own.
    """

    sensors: tuple[Sensor, ...]
    sleep: Callable[[float], None]
    read_meter: Callable[[Meter, Collection[str]], tuple[Mapping[str, Reading], str]]

    @property
    def energy(self) -> tuple[Sensor, ...]:
        """The energy counters."""
        return tuple(s for s in self.sensors if s.domain.metric == "energy" and s.domain.kind == "counter")

    def only(self, *metrics: str) -> "Panel":
        """Return the panel of the sensors of some metrics."""
        return replace(self, sensors=tuple(s for s in self.sensors if s.domain.metric in metrics))

    def read(self) -> dict[Key, Reading]:
        """Read every meter once; a sensor that cannot be read has a reading without a value."""
        meters = {sensor.meter.name: sensor.meter for sensor in self.sensors}
        readings: dict[Key, Reading] = {}
        for meter in meters.values():
            wanted = {sensor.domain.name for sensor in self.sensors if sensor.meter is meter}
            by_domain, lost = self.read_meter(meter, wanted)
            now_ns = time.monotonic_ns()
            for sensor in self.sensors:
                if sensor.meter is meter:
                    reading = by_domain.get(sensor.domain.name)
                    readings[sensor.key] = reading or Reading(None, now_ns, f"{sensor.domain.name}: {lost}")
        return readings


class Sensors:
    """All meters of a session; probed once, read often.

    Attributes:
        unavailable: why a meter cannot be read, by name.
        idle: idle power by device and provenance, measured by `energy_pass.prepare`.
    """

    def __init__(
        self,
        meters: Sequence[Meter],
        *,
        unavailable: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        limit_s: float = READ_LIMIT_S,
    ) -> None:
        """Take the meters, and by name the reasons why others cannot be read; read nothing yet.

        A meter may take `limit_s` for each answer.
        """
        self.unavailable: dict[str, str] = dict(unavailable or {})
        self._meters = tuple(meters)
        self._sleep = sleep
        self._bounded = {meter.name: Bounded(limit_s) for meter in self._meters}
        self._domains: dict[str, tuple[Domain, ...]] = {}
        self._ticks: dict[Key, float | None] = {}
        self.idle: dict[tuple[str | None, Provenance], Idle] = {}

    def panel(self, device_uuid: str | None, provenance: Provenance) -> Panel:
        """Return the sensors of a device and of the host around it.

        Simulated and real sensors are never mixed: a simulated device has no real host. `device_uuid` is
        `Device.uuid`, None for the host itself; `provenance` is the backend's.
        """
        sensors = tuple(
            Sensor(meter=meter, domain=domain)
            for meter in self._usable()
            if (meter.provenance == "simulated") == (provenance == "simulated")
            for domain in self._domains[meter.name]
            if domain.device_uuid is None or is_same_device(domain.device_uuid, device_uuid)
        )
        own = next((s.meter for s in sensors if isinstance(s.meter, HasOwnTime)), None)
        sleep = own.sleep if own else self._sleep
        return Panel(sensors=sensors, sleep=sleep, read_meter=self._read)

    def absences(self, device_uuid: str | None, kind: str = "energy") -> tuple[str, ...]:
        """Return why a device may have no sensor of a kind: unreadable meters, missing sensors.

        A sensor is of a kind if its name is the kind, or begins with it and ``_``: ``energy``, ``clock_sm``. Only
        meters that could cover the device are named: a missing GPU library does not matter to the processor.
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
                if sensor.partition("_")[0] == kind and is_same_device(owner, device_uuid):
                    reasons.append(f"{meter.name}: {name}: {reason}")
        return tuple(reasons)

    def ticks(self, panel: Panel) -> Mapping[Key, float | None]:
        """Return the tick of each energy counter of a panel, seconds; measured once if the meter does not report it.

        None means that the counter changed too rarely within two seconds.
        """
        unknown = []
        for sensor in panel.energy:
            if sensor.domain.tick_s is not None:
                self._ticks[sensor.key] = sensor.domain.tick_s
            elif sensor.key not in self._ticks:
                unknown.append(sensor.key)
        if unknown:
            self._ticks.update(measure_ticks(panel, unknown))
        return {sensor.key: self._ticks[sensor.key] for sensor in panel.energy}

    def other_processes(self, device_uuid: str | None) -> int | None:
        """Return the number of other processes that compute on a device; None if no meter reports it."""
        if device_uuid is None:
            return None
        for meter in self._usable():
            if isinstance(meter, KnowsProcesses):
                try:
                    count = self._ask(meter, partial(meter.other_processes, device_uuid))
                except Exception as error:  # noqa: BLE001 - as above
                    self._disable(meter, error)
                    continue
                if count is not None:
                    return count
        return None

    def close(self) -> None:
        """Close every meter that answers, and end the threads that ask them."""
        for meter in self._meters:
            if meter.name in self._domains and meter.name not in self.unavailable:
                with contextlib.suppress(Exception):
                    self._ask(meter, meter.close)
            self._bounded[meter.name].close()

    def _usable(self) -> list[Meter]:
        for meter in self._meters:
            if meter.name in self.unavailable or meter.name in self._domains:
                continue
            try:
                probe = self._ask(meter, meter.probe)
                domains = checked_domains(self._ask(meter, meter.domains)) if probe.available else ()
            except Exception as error:  # noqa: BLE001 - as above
                self._disable(meter, error)
                continue
            if probe.available:
                self._domains[meter.name] = domains
            else:
                self.unavailable[meter.name] = probe.reason or "not available"
        return [meter for meter in self._meters if meter.name not in self.unavailable]

    def _read(self, meter: Meter, wanted: Collection[str]) -> tuple[Mapping[str, Reading], str]:
        """Return the readings of a meter by domain, and why others are missing."""
        name = meter.name
        if name in self.unavailable:
            return {}, f"{name} was {self.unavailable[name]}"
        try:
            read = partial(meter.read_some, wanted) if isinstance(meter, ReadsSome) else meter.read
            readings = checked_readings(self._ask(meter, read), self._domains[name], meter.provenance)
        except Exception as error:  # noqa: BLE001 - another package's meter may raise anything; the session goes on
            self._disable(meter, error)
            return {}, f"{name} failed: {_text(error)}"
        return readings, f"{name} has no reading of it"

    def _ask(self, meter: Meter, question: Callable[[], T]) -> T:
        return self._bounded[meter.name].ask(question)

    def _disable(self, meter: Meter, error: Exception) -> None:
        self.unavailable[meter.name] = f"left out after {_text(error)}"


def measure_ticks(panel: Panel, keys: Sequence[Key]) -> dict[Key, float | None]:
    """Watch counters change and return the median time between two changes, seconds.

    Stop after 8 changes of the slowest counter, or after 2 s on the readings' own clock.
    """
    panel = panel.only("energy")
    last = panel.read()
    begun_ns = {key: last[key].monotonic_ns for key in keys}
    changed_ns: dict[Key, list[int]] = {key: [] for key in keys}
    waiting = set(keys)
    polls = 0  # also a limit, because a meter's own clock may stand still
    while waiting and polls < _MOST_POLLS:
        polls += 1
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
    """Return whether two unique ids are of one device: NVML writes ``GPU-8c1f...``, torch only ``8c1f...``."""
    return other is not None and one.lower().removeprefix("gpu-") == other.lower().removeprefix("gpu-")


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
