"""The `sim` backend: a simulated machine with known results, to test windows, validity and storage without hardware.

Its time advances only on request, so that all values are the same on every machine. The handle in a test uses
simulated time and memory; the meter reads the machine's power and counters. All rows are `simulated`.
"""

import functools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import BlockingDevice
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading

WORK_K_PER_W = 0.08
"""Kelvin above the idle temperature for each watt above the idle power."""
IDLE_K = 305.0
IDLE_HZ = 345e6
BUSY_HZ = 1.98e9
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimProfile:
    """The behaviour of a simulated machine.

    Attributes:
        name: part of the device's name, ``sim:<name>``.
        devices: number of devices.
        idle_w: power of an idle device.
        busy_w: power at work, unless the work specifies its own.
        tick_s: update interval of the energy counter.
        phase_s: time of the first update.
        reports_tick: whether the meter reports `tick_s`; otherwise it must be measured.
        wrap_j: energy at which the counter restarts at 0; None if it does not.
        reset_at_s: time at which the counter is reset to 0; None if it is not.
        not_supported: sensors that the machine lacks: ``energy``, ``power``, ``temperature``, ...
        lost_at_s: time from which no sensor can be read; None if they always can.
        fail_after: number of operations after which all others fail; None if none does.
        memory_bytes: memory of each device.
        read_s: time to read all sensors once.
        jitter: standard deviation of the duration of work, as a share of it.
        seed: of the jitter.
    """

    name: str = "steady"
    devices: int = 1
    idle_w: float = 100.0
    busy_w: float = 500.0
    tick_s: float = 0.1
    phase_s: float = 0.0
    reports_tick: bool = True
    wrap_j: float | None = None
    reset_at_s: float | None = None
    not_supported: frozenset[str] = frozenset()
    lost_at_s: float | None = None
    fail_after: int | None = None
    memory_bytes: int = 1 << 30
    read_s: float = 1e-4
    jitter: float = 0.0
    seed: int = 0


@dataclass(slots=True)
class DeviceState:
    """Power, energy and memory of one device.

    Attributes:
        drawn_j: energy since the machine was switched on.
        shown_j: energy at the counter's last update, before wrap and reset.
        offset_j: energy at the reset.
        watts: current power.
    """

    watts: float
    drawn_j: float = 0.0
    shown_j: float = 0.0
    offset_j: float = 0.0
    allocated_bytes: int = 0
    peak_bytes: int = 0
    operations: int = 0


@dataclass(slots=True)
class SimMachine:
    """A machine whose time passes only in `advance`.

    Attributes:
        profile: its behaviour.
        now_ns: its clock, nanoseconds since it was switched on.
        states: its devices.
    """

    profile: SimProfile = field(default_factory=SimProfile)
    now_ns: int = 0
    states: list[DeviceState] = field(init=False)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.states = [DeviceState(watts=self.profile.idle_w) for _ in range(self.profile.devices)]
        self._random = random.Random(self.profile.seed)  # noqa: S311 - repeatable on purpose

    def uuid(self, index: int) -> str:
        """Return the unique id of a device."""
        return f"SIM-{self.profile.name}-{index}"

    def work(self, index: int, seconds: float, watts: float | None = None) -> float:
        """Keep one device busy and the others idle; return the time taken, seconds."""
        took_s = seconds
        if self.profile.jitter:
            took_s = max(0.0, seconds * (1.0 + self._random.gauss(0.0, self.profile.jitter)))
        state = self.states[index]
        state.watts = self.profile.busy_w if watts is None else watts
        self.advance(took_s)
        state.watts = self.profile.idle_w
        return took_s

    def advance(self, seconds: float) -> None:
        """Advance the time at the current power of every device."""
        begun_ns, self.now_ns = self.now_ns, self.now_ns + round(seconds * _NS)
        update_ns = self._last_update_ns()
        reset_ns = None if self.profile.reset_at_s is None else round(self.profile.reset_at_s * _NS)
        for state in self.states:
            if update_ns > begun_ns:
                state.shown_j = state.drawn_j + state.watts * (update_ns - begun_ns) / _NS
            if reset_ns is not None and begun_ns < reset_ns <= self.now_ns:
                state.offset_j = state.drawn_j + state.watts * (reset_ns - begun_ns) / _NS
            state.drawn_j += state.watts * (self.now_ns - begun_ns) / _NS

    def counter_j(self, index: int) -> float:
        """Return the value of a device's energy counter."""
        shown_j = max(0.0, self.states[index].shown_j - self.states[index].offset_j)
        return shown_j if self.profile.wrap_j is None else math.fmod(shown_j, self.profile.wrap_j)

    def temperature_k(self, index: int) -> float:
        """Return the temperature of a device, which follows its mean power."""
        mean_w = self.states[index].drawn_j * _NS / self.now_ns if self.now_ns else self.profile.idle_w
        return IDLE_K + WORK_K_PER_W * max(0.0, mean_w - self.profile.idle_w)

    def clock_hz(self, index: int) -> float:
        """Return the clock of a device."""
        return BUSY_HZ if self.states[index].watts > self.profile.idle_w else IDLE_HZ

    @property
    def is_lost(self) -> bool:
        """Whether its sensors can no longer be read."""
        return self.profile.lost_at_s is not None and self.now_ns >= self.profile.lost_at_s * _NS

    def _last_update_ns(self) -> int:
        """Return the time of the counters' last update."""
        tick_ns, phase_ns = round(self.profile.tick_s * _NS), round(self.profile.phase_s * _NS)
        return (self.now_ns - phase_ns) // tick_ns * tick_ns + phase_ns


@functools.cache
def this_machine() -> SimMachine:
    """Return the simulated machine of this process; there is only one, like real hardware."""
    return SimMachine()


class SimOutOfMemoryError(RuntimeError):
    """The simulated device has less memory than requested."""


class SimFailedError(RuntimeError):
    """The simulated device fails because of its profile."""


class SimHandle:
    """The ``bench.device`` of a test: a device that only uses time, power and memory."""

    def __init__(self, machine: SimMachine, index: int) -> None:
        """Take one device of a machine."""
        self._machine = machine
        self._state = machine.states[index]
        self._index = index

    def work(self, seconds: float, watts: float | None = None) -> float:
        """Keep the device busy; return the time taken, seconds.

        `seconds` is the time before the profile's jitter, `watts` the power meanwhile; None means the profile's.

        Raises:
            SimFailedError: the profile's `fail_after` is exceeded.
        """
        self._state.operations += 1
        limit = self._machine.profile.fail_after
        if limit is not None and self._state.operations > limit:
            raise SimFailedError(f"simulated failure of operation {self._state.operations}")
        return self._machine.work(self._index, seconds, watts)

    def allocate(self, size_bytes: int) -> None:
        """Allocate memory of the device.

        Raises:
            SimOutOfMemoryError: there is not enough left.
        """
        state, limit = self._state, self._machine.profile.memory_bytes
        if state.allocated_bytes + size_bytes > limit:
            left = limit - state.allocated_bytes
            raise SimOutOfMemoryError(f"{size_bytes} bytes do not fit into the {left} of {limit} that are left")
        state.allocated_bytes += size_bytes
        state.peak_bytes = max(state.peak_bytes, state.allocated_bytes)

    def free(self, size_bytes: int) -> None:
        """Free memory of the device."""
        self._state.allocated_bytes = max(0, self._state.allocated_bytes - size_bytes)


class OpenSim(BlockingDevice):
    """An open simulated device; its calls return when their work is done."""

    sync_mode: str | None = "sim"

    def __init__(self, machine: SimMachine, device: Device, index: int) -> None:
        super().__init__(device, SimHandle(machine, index))
        self._machine = machine
        self._state = machine.states[index]

    def clock_ns(self) -> int:
        """Return simulated time, nanoseconds."""
        return self._machine.now_ns

    def mark(self) -> object | None:
        """Return the current simulated time."""
        return self._machine.now_ns

    def elapsed_s(self, begin: object, end: object) -> float:
        """Return simulated time between two marks, seconds.

        Raises:
            TypeError: `begin` or `end` is not a mark.
        """
        if not isinstance(begin, int) or not isinstance(end, int):
            raise TypeError(f"{begin!r} and {end!r} are not marks of a simulated device")
        return (end - begin) / 1e9

    def reset_memory(self) -> None:
        """Restart the peak."""
        self._state.peak_bytes = self._state.allocated_bytes

    def memory(self) -> Mapping[str, float]:
        """Return the peak of allocated memory, bytes."""
        return {"device_peak": float(self._state.peak_bytes)}

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Return whether an exception is a `SimOutOfMemoryError`."""
        return isinstance(error, SimOutOfMemoryError)

    def close(self) -> None:
        """Free all memory."""
        self._state.allocated_bytes = 0


class SimBackend:
    """Devices of a simulated machine; deterministic, with known results.

    Attributes:
        machine: pass it to `SimMeter` to read its sensors.
    """

    name = "sim"
    provenance: Provenance = "simulated"

    def __init__(self, profile: SimProfile | None = None, *, machine: SimMachine | None = None) -> None:
        """Use `machine`, or a new one with `profile`, or by default the one of this process."""
        self.machine = machine or (this_machine() if profile is None else SimMachine(profile))

    def probe(self) -> Probe:
        """Return that it is always there."""
        return Probe(available=True)

    def devices(self) -> Sequence[Device]:
        """Return the machine's devices."""
        profile = self.machine.profile
        name = f"sim:{profile.name}"
        uuids = [self.machine.uuid(index) for index in range(profile.devices)]
        return [
            Device(
                device_id=content_id("sim", name, uuid),
                backend="sim",
                name=name,
                uuid=uuid,
                memory_bytes=profile.memory_bytes,
                details={"simulated": True},
            )
            for uuid in uuids
        ]

    def open(self, device: Device) -> OpenSim:
        """Start using a device and run one operation of a microsecond.

        Raises:
            SimFailedError: the profile makes it fail.
            BackendUnavailableError: the device belongs to another machine.
        """
        uuids = [self.machine.uuid(index) for index in range(self.machine.profile.devices)]
        if device.uuid not in uuids:
            raise BackendUnavailableError(f"{device.name} ({device.uuid}) is not a device of this simulated machine")
        index = uuids.index(device.uuid)
        opened = OpenSim(self.machine, device, index)
        SimHandle(self.machine, index).work(1e-6)
        return opened


_GAUGES = {"power": "W", "temperature": "K", "clock_frequency": "Hz", "device_used": "B"}


class SimMeter:
    """The sensors of a simulated machine; `read` takes simulated time.

    Attributes:
        machine: the machine that is read.
        absent: reason for each sensor that the machine's profile leaves out.
    """

    name = "sim"
    provenance: Provenance = "simulated"

    def __init__(self, machine: SimMachine | None = None) -> None:
        self.machine = this_machine() if machine is None else machine
        self.absent: dict[str, str] = {
            f"{self.machine.uuid(index)}/{sensor}": "NOT_SUPPORTED"
            for index in range(self.machine.profile.devices)
            for sensor in sorted(self.machine.profile.not_supported)
        }

    def probe(self) -> Probe:
        """Return that it is always there."""
        return Probe(available=True)

    def domains(self) -> Sequence[Domain]:
        """Return one energy counter and four gauges for each device, except those not supported."""
        profile = self.machine.profile
        domains: list[Domain] = []
        for index in range(profile.devices):
            uuid = self.machine.uuid(index)
            if "energy" not in profile.not_supported:
                domains.append(
                    Domain(
                        name=f"{uuid}/energy",
                        metric="energy",
                        unit="J",
                        kind="counter",
                        scope="device",
                        device_uuid=uuid,
                        tick_s=profile.tick_s if profile.reports_tick else None,
                        range=profile.wrap_j,
                    )
                )
            domains += [
                Domain(
                    name=f"{uuid}/{metric}", metric=metric, unit=unit, kind="gauge", scope="device", device_uuid=uuid
                )
                for metric, unit in _GAUGES.items()
                if metric not in profile.not_supported
            ]
        return domains

    def read(self) -> Mapping[str, Reading]:
        """Read every sensor at one simulated moment."""
        machine = self.machine
        machine.advance(machine.profile.read_s)
        now_ns = machine.now_ns
        if machine.is_lost:
            return {d.name: Reading(None, now_ns, f"{d.name}: the simulated machine is lost") for d in self.domains()}
        readings: dict[str, Reading] = {}
        for index, state in enumerate(machine.states):
            values = {
                "energy": machine.counter_j(index),
                "power": state.watts,
                "temperature": machine.temperature_k(index),
                "clock_frequency": machine.clock_hz(index),
                "device_used": float(state.allocated_bytes),
            }
            for metric, value in values.items():
                if metric not in machine.profile.not_supported:
                    readings[f"{machine.uuid(index)}/{metric}"] = Reading(value, now_ns)
        return readings

    def sleep(self, seconds: float) -> None:
        """Advance the simulated time, with every device idle."""
        self.machine.advance(seconds)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
