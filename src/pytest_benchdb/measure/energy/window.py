"""The window of an energy pass: rounds repeated between two edges of a counter until it is long enough.

A counter that is updated every 100 ms only shows the energy until its last update. Read at arbitrary moments,
a window of 2 s at 500 W, with 100 W idle, is off by 2 % on average and 4 % at worst
(`benchmarks/energy_windows.py`). So the window begins when the slowest counter changes and ends when it
changes again:

- Rounds much shorter than a tick keep running while waiting for an edge. Those before the first edge are not
  counted, those before the last edge are.
- With longer rounds nothing runs while waiting for an edge. The wait at the end is part of the window, at idle
  power: an error of less than one tick at idle power, instead of one at full power.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_benchdb.measure.energy.counter import unread_limit_s
from pytest_benchdb.measure.energy.sensors import Key, Panel, Readings, Sensor
from pytest_benchdb.model.metric import Provenance

SHORT_ROUND = 0.1
"""Share of a tick; shorter rounds keep running while waiting for an edge."""
UNREAD_S = 10.0
"""Longest time between readings if rounds end in time; shorter for counters that wrap sooner."""
_PATIENCE = 1.5
"""Ticks to wait for an edge; a tick is a median, not a guarantee."""
_POLLS = 100
"""Readings of the counter per tick while nothing else runs."""
_STOPPED = 50
"""Readings in a row with one time, after which the meter's clock is taken to have stopped."""
_GROWTH = 4
"""Largest growth of the number of rounds between two readings: a wrong hint must not cost hours."""
UNKNOWN_TICK_WINDOW_S = 2.0
"""Window if the tick is unknown: as long as 20 ticks of the slowest known counter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyPlan:
    """Duration and device of an energy pass.

    Attributes:
        rounds_hint_s: time of one round, measured by the timing pass.
        iterations: calls in one round; values are per call.
        device_uuid: `Device.uuid` of the device that the rounds run on; None for the processor.
        on_host: whether a device without uuid is the processor; the host's energy belongs to the processor alone.
        provenance: of the backend.
        min_ticks: ticks of a counter in a valid window: without edges, the error is 5 % at worst with 20 ticks, and
            2 % with 50 (``strict``).
        min_window_s: shortest window for any tick; RAPL is within 1 % from 100 ms on.
        max_window_s: longest window; a round that has begun is not cut off.
    """

    rounds_hint_s: float
    iterations: int = 1
    device_uuid: str | None = None
    on_host: bool = True
    provenance: Provenance = "measured"
    min_ticks: int = 20
    min_window_s: float = 0.1
    max_window_s: float = 60.0

    @property
    def is_host(self) -> bool:
        """Whether the energy is the host's."""
        return self.device_uuid is None and self.on_host


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The readings of one window.

    Attributes:
        readings: of the whole panel, in time order: at the first edge, in between, at the last edge.
        after_rounds: the readings right after the last round, for gauges: at the last edge they may show an
            idle device.
        rounds: rounds between the first and the last reading.
        tail_s: time after the last round spent waiting for the last edge.
        starts_at_edge: whether the slowest counter changed just before the first reading.
        ends_at_edge: whether it changed just before the last.
    """

    readings: tuple[Readings, ...]
    after_rounds: Readings
    rounds: int
    tail_s: float
    starts_at_edge: bool
    ends_at_edge: bool


def watch(call: Callable[[], object], panel: Panel, ticks: Mapping[Key, float | None], plan: EnergyPlan) -> Window:
    """Repeat rounds until the window is long enough for every energy counter of the panel.

    Args:
        call: runs one round and returns when the device is done.
        panel: sensors, with at least one energy counter.
        ticks: time between two changes of each energy counter, seconds; None if unknown.
        plan: duration.

    Raises:
        ValueError: the panel has no energy counter.
        Exception: raised by `call`.
    """
    if not panel.energy:
        raise ValueError("there is no energy counter to watch")
    watch = _Watch(call, panel, ticks, plan)
    starts_at_edge = watch.to_edge(count_rounds=False)
    watch.begin()
    watch.repeat()
    after_rounds, after_ns = watch.kept[-1], watch.now_ns
    ends_at_edge = watch.to_edge(count_rounds=True)
    return Window(
        readings=tuple(watch.kept),
        after_rounds=watch.kept[-1] if watch.short else after_rounds,
        rounds=watch.rounds,
        tail_s=0.0 if watch.short else (watch.now_ns - after_ns) / 1e9,
        starts_at_edge=starts_at_edge,
        ends_at_edge=ends_at_edge,
    )


class _Watch:
    """State of one window."""

    def __init__(
        self, call: Callable[[], object], panel: Panel, ticks: Mapping[Key, float | None], plan: EnergyPlan
    ) -> None:
        self._call, self._panel = call, panel
        self._last = panel.read()
        ticking = [s for s in panel.energy if ticks[s.key] is not None and self._last[s.key].value is not None]
        self._slowest = max(ticking, key=lambda sensor: ticks[sensor.key] or 0.0, default=None)
        self._clock: Sensor = self._slowest or panel.energy[0]
        self._tick_s = ticks[self._slowest.key] if self._slowest is not None else None
        window_s = UNKNOWN_TICK_WINDOW_S if self._tick_s is None else plan.min_ticks * self._tick_s
        self._target_s = min(max(plan.min_window_s, window_s), plan.max_window_s)
        self.short = self._tick_s is not None and plan.rounds_hint_s <= SHORT_ROUND * self._tick_s
        limits = [limit for s in panel.energy if (limit := unread_limit_s(s.domain)) is not None]
        self._unread_s = min([UNREAD_S, *limits])
        self.rounds = 0
        self.kept: list[Readings] = []
        self._same = 0

    @property
    def now_ns(self) -> int:
        return self._last[self._clock.key].monotonic_ns

    def begin(self) -> None:
        self.rounds = 0
        self.kept = [self._last]

    def repeat(self) -> None:
        begun_ns, batch = self.now_ns, 1
        while True:
            for _ in range(batch):
                self._call()
            self.rounds += batch
            self._read(self._panel)
            self.kept.append(self._last)
            elapsed_s = (self.now_ns - begun_ns) / 1e9
            is_lost = all(self._last[sensor.key].value is None for sensor in self._panel.energy)
            if elapsed_s >= self._target_s or is_lost or self._has_stopped:
                return
            round_s = max(elapsed_s / self.rounds, 1e-9)
            wanted = math.ceil((self._target_s - elapsed_s) / round_s)
            batch = max(1, min(wanted, _GROWTH * batch, int(self._unread_s / round_s)))

    def to_edge(self, *, count_rounds: bool) -> bool:
        """Continue until the slowest counter changes; return whether it did within a tick and a half."""
        if self._slowest is None or self._tick_s is None:
            return False
        key, counters = self._slowest.key, self._panel.only("energy")
        before, begun_ns = self._last[key].value, self.now_ns
        while self.now_ns - begun_ns < _PATIENCE * self._tick_s * 1e9 and not self._has_stopped:
            if self.short:
                self._call()
                self.rounds += count_rounds
            else:
                self._panel.sleep(self._tick_s / _POLLS)
            self._read(counters)
            if self._last[key].value != before:
                break
        at_edge = {sensor.key: self._last[sensor.key] for sensor in counters.sensors}
        self._last = {**self._panel.read(), **at_edge}
        self.kept.append(self._last)
        return self._last[key].value not in {before, None}

    def _read(self, panel: Panel) -> None:
        before_ns, self._last = self.now_ns, {**self._last, **panel.read()}
        self._same = self._same + 1 if self.now_ns == before_ns else 0

    @property
    def _has_stopped(self) -> bool:
        return self._same >= _STOPPED
