"""The energy of work that cannot be repeated: counters read where a block begins and where it ends.

Nothing waits for a counter's next change, because the block would begin with an idle device. So a window is off by up
to one tick at each end: 5 % of a window of 20 ticks at worst, and nothing on average in the middle of steady work.
"""

import threading

from pytest_benchdb.measure.energy import counter
from pytest_benchdb.measure.energy.energy_rows import Watched, energy_rows, most, unmeasured, why_nothing
from pytest_benchdb.measure.energy.sensors import Key, Readings, Sensors
from pytest_benchdb.measure.energy.window import EnergyPlan
from pytest_benchdb.model.run import Measurement

METHOD = "counters read at both ends of the block"
_READS_PER_WRAP = 2


class EnergyBlock:
    """The windows of one kind of work: one for each time that it was done."""

    def __init__(self, sensors: Sensors, plan: EnergyPlan) -> None:
        """Take the meters and the device; `plan` need not have a duration."""
        self._sensors = sensors
        self._plan = plan
        self._panel = sensors.panel(plan.device_uuid, plan.provenance)
        if self._panel.energy:
            sensors.ticks(self._panel)  # now, because it may take seconds
        limits = [limit for s in self._panel.energy if (limit := counter.unread_limit_s(s.domain)) is not None]
        self._reread_s = min(limits) / _READS_PER_WRAP if limits else None
        self._readings: list[Readings] = []
        self._lock = threading.Lock()
        self._end: threading.Event | None = None
        self._moved: dict[Key, counter.Delta] = {}
        self._first: Readings = {}
        self._last: Readings = {}
        self._windows = 0
        self._others: int | None = None

    def start(self) -> None:
        """Read the counters at the beginning of a window."""
        if not self._panel.energy:
            return
        if self._windows == 0:
            self._others = self._sensors.other_processes(self._plan.device_uuid)
        self._readings = [self._panel.read()]
        if self._reread_s is not None:
            self._end = threading.Event()
            threading.Thread(target=self._reread, args=(self._end, self._reread_s), daemon=True).start()

    def stop(self, *, whole: bool = True) -> None:
        """Read the counters at the end of a window; one that is not `whole` is dropped."""
        if not self._readings:
            return
        if self._end is not None:
            self._end.set()
        with self._lock:
            readings, self._readings = [*self._readings, self._panel.read()], []
        if not whole:
            return
        for sensor in self._panel.energy:
            moved = counter.accumulate(sensor.domain, [each[sensor.key] for each in readings])
            before = self._moved.get(sensor.key)
            self._moved[sensor.key] = moved if before is None else before + moved
        self._first = self._first or readings[0]
        self._last = readings[-1]
        self._windows += 1

    def rows(self, iterations: float) -> tuple[Measurement, ...]:
        """Return the rows of `energy_rows`, with the energy of each of `iterations` units of work."""
        if not self._panel.energy:
            return (unmeasured(why_nothing(self._panel, self._sensors, self._plan)),)
        if self._windows == 0 or iterations <= 0:
            return (unmeasured("the work did not run to its end"),)
        watched = Watched(
            moved=self._moved,
            iterations=iterations,
            windows=self._windows,
            first=self._first,
            last=self._last,
            details={"windows": self._windows, "read": METHOD},
            others=most(self._others, self._sensors.other_processes(self._plan.device_uuid)),
        )
        return energy_rows(self._panel, watched, self._sensors, self._plan)

    def _reread(self, end: threading.Event, pause_s: float) -> None:
        """Read counters that wrap often enough to see each wrap: once in half a minute or more."""
        while not end.wait(pause_s):
            with self._lock:
                if end.is_set():
                    return
                self._readings.append(self._panel.read())
