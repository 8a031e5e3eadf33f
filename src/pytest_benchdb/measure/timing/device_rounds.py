"""Rounds on the device's own clock, without the time in which it waits for the next launch.

A mark on the timeline of an idle device is reached at once, so the time to the next mark would hold the launch between
them. So the device is kept busy while a whole round, with the marks around it, is queued up behind.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pytest_benchdb.interfaces import HoldsQueue, OpenDevice
from pytest_benchdb.measure.timing.calls import Watch

_MARGIN = 1.5
"""How many times as long as queueing a round takes the device is kept busy: the next may take longer."""
_FIRST_HOLD_S = 1e-3
_MOST_HOLD_S = 0.5
_TRIES = 5
"""Rounds in a row that could not be queued as a whole, after which none can: the function waits for the device."""


@dataclass(slots=True)
class _Round:
    """The marks of one round, in their order, and how long the host took to place all of them, seconds."""

    held: object = None
    begin: object = None
    end: object = None
    queued_s: float = 0.0


class DeviceRounds:
    """Rounds of one function on a device that can be kept busy."""

    def __init__(self, device: OpenDevice, *, flushes: bool) -> None:
        """Take an open device that has marks; `flushes` empties its caches before each round."""
        self._device = device
        self._flushes = flushes
        self._hold_s = 0.0
        self._round = _Round()
        self._watch = Watch(self._begin, device.clock_ns, self._finish, self._end)

    def times(
        self, run: Callable[[Watch], object], *, round_s: float, is_enough: Callable[[int], bool]
    ) -> list[float] | None:
        """Return the device's time of each round, seconds; None if it cannot be measured without launches.

        Args:
            run: waits for the device, then makes the calls of one round between the readings of the given clocks.
            round_s: how long a round takes with its launches; queueing it takes less.
            is_enough: whether so many rounds are enough.
        """
        device, failures = self._device, 0
        taken_s: list[float] = []
        self._hold_s = min(_MARGIN * round_s, _FIRST_HOLD_S)
        while not is_enough(len(taken_s)):
            if self._hold_s > _MOST_HOLD_S:
                return None
            run(self._watch)
            device.synchronize()
            if self._round.held is None:
                return None
            held_s = device.elapsed_s(self._round.held, self._round.begin)
            if self._round.queued_s <= held_s:
                taken_s.append(device.elapsed_s(self._round.begin, self._round.end))
                failures = 0
            elif (failures := failures + 1) >= _TRIES:
                return None
            self._adjust(held_s)
        return taken_s

    def _adjust(self, held_s: float) -> None:
        """Choose the next time to keep the device busy; the device may be off by a factor, as its clock rises."""
        wanted_s = _MARGIN * self._round.queued_s
        exactness = held_s / self._hold_s if self._hold_s > 0 else 1.0
        self._hold_s = max(wanted_s / exactness if exactness > 0 else wanted_s, self._hold_s / 2)

    def _begin(self) -> int:
        device, marks = self._device, self._round
        begun_ns = device.clock_ns()
        marks.held = device.mark()
        if not isinstance(device, HoldsQueue) or not device.hold(self._hold_s):
            marks.held = None
        if self._flushes:
            device.flush_cache()
        marks.begin = device.mark()
        return begun_ns

    def _finish(self) -> None:
        self._round.end = self._device.mark()

    def _end(self, begun_ns: int, _start_ns: int, end_ns: int) -> None:
        self._round.queued_s = (end_ns - begun_ns) / 1e9
