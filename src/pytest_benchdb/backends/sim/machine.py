"""The simulated machine: its clock, the power of its devices, and what their counters show."""

import functools
import math
import random
from dataclasses import dataclass, field

WORK_K_PER_W = 0.08
"""Kelvin above the idle temperature for each watt above the idle power."""
IDLE_K = 305.0
IDLE_HZ = 345e6
BUSY_HZ = 1.98e9
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimProfile:
    """How a simulated machine behaves.

    Attributes:
        name: in the device's name: ``sim:<name>``.
        devices: how many it has.
        idle_w: power of an idle device.
        busy_w: power at work, where the work itself has none.
        tick_s: how often its energy counter is updated.
        phase_s: when the first update is.
        reports_tick: whether the meter reports `tick_s`, or leaves it to be measured.
        wrap_j: energy at which the counter restarts at 0; None if it does not.
        reset_at_s: moment at which the counter is set back to 0; None if it is not.
        not_supported: sensors that the machine lacks: ``energy``, ``power``, ``temperature``, ...
        lost_at_s: moment from which on no sensor answers; None if they always do.
        fail_after: operations after which all others fail; None if none does.
        memory_bytes: memory of each device.
        read_s: time that one reading of all sensors takes.
        jitter: standard deviation of the duration of work, as a share of it.
        seed: of that jitter.
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
    """One device: what it draws now, what it has drawn, what its counter shows.

    Attributes:
        drawn_j: energy since the machine was switched on.
        shown_j: energy at the counter's last update, before wrap and reset.
        offset_j: energy at the reset.
        watts: present power.
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
    """A machine whose time passes by `advance` only.

    Attributes:
        profile: how it behaves.
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
        """Keep one device busy and the others idle; return how long it took, seconds."""
        took_s = seconds
        if self.profile.jitter:
            took_s = max(0.0, seconds * (1.0 + self._random.gauss(0.0, self.profile.jitter)))
        state = self.states[index]
        state.watts = self.profile.busy_w if watts is None else watts
        self.advance(took_s)
        state.watts = self.profile.idle_w
        return took_s

    def advance(self, seconds: float) -> None:
        """Let time pass at the present power of every device."""
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
        """Return what the energy counter of a device shows."""
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
        """Whether its sensors have fallen silent."""
        return self.profile.lost_at_s is not None and self.now_ns >= self.profile.lost_at_s * _NS

    def _last_update_ns(self) -> int:
        """Return when the counters were updated last; they are updated every tick."""
        tick_ns, phase_ns = round(self.profile.tick_s * _NS), round(self.profile.phase_s * _NS)
        return (self.now_ns - phase_ns) // tick_ns * tick_ns + phase_ns


@functools.cache
def this_machine() -> SimMachine:
    """Return the simulated machine of this process: there is one, as there is one of real hardware."""
    return SimMachine()
