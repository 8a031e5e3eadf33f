"""The conditions of timing on a device: clock, temperature and throttling at both ends of the timed block.

The same kernel takes six times as long on a GPU whose clock has not come up, and some percent longer on a hot one.
Sensors are read before the first and after the last round, and between the rounds of the warm-up; never between
timed rounds, because a reading takes as long as a small kernel.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_benchdb.measure.energy import counter
from pytest_benchdb.measure.energy.sensors import Panel, Readings, Sensor
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.run import Measurement

STEADY_SHARE = 0.02
"""Difference of a device's clocks below which a warm-up has brought it up: a step of 15 MHz is below 1 %."""
STEADY_READINGS = 4
STEADY_GAP_S = 0.1
"""Least time between two of these readings, so that they cover 0.3 s."""
SPOILED_SHARE = 0.05
"""Share of the timing in which heat or a hardware limit may slow the device down before its times are not valid."""

_METRICS = ("clock_frequency", "temperature", "throttle_time", "throttled")
_SPOILING = {
    "thermal": "for heat",
    "thermal_software": "for heat",
    "thermal_hardware": "for heat",
    "hardware": "by its hardware",
    "power_brake": "by the power supply",
}
"""Reasons that spoil times. A power limit is none of them: most large kernels run at it, every time."""
_OF_THE_HOST = frozenset({"cpu_time", "thread_time", "first_call_time", "queue_time"})


class Conditions:
    """What the sensors of one device show around one timed block."""

    def __init__(self, panel: Panel, *, clock_ns: Callable[[], int], absent: str = "no meter reads it") -> None:
        """Take the device's sensors, its wall clock, and the reason why a sensor is missing; read nothing yet."""
        own = tuple(sensor for sensor in panel.only(*_METRICS).sensors if sensor.domain.device_uuid is not None)
        self._panel = replace(panel, sensors=own)
        self._clock = self._panel.only("clock_frequency")
        self._clock_ns = clock_ns
        self._absent = absent
        self._seen: list[tuple[int, float | None]] = []
        self._before: Readings = {}
        self._after: Readings = {}

    def is_steady(self) -> bool:
        """Return whether the device's clock has come up; call it between the rounds of a warm-up.

        A device whose clock cannot be read is steady.
        """
        if not self._clock.sensors:
            return True
        now_ns = self._clock_ns()
        if not self._seen or now_ns - self._seen[-1][0] >= STEADY_GAP_S * 1e9:
            self._seen.append((now_ns, self._clock.read()[self._clock.sensors[0].key].value))
        last = [value for _, value in self._seen[-STEADY_READINGS:]]
        values = [value for value in last if value is not None]
        if len(values) < len(last):
            return True
        return len(values) == STEADY_READINGS and max(values) - min(values) <= STEADY_SHARE * max(values)

    @contextlib.contextmanager
    def around(self, block: contextlib.AbstractContextManager[object]) -> Iterator[None]:
        """Enter a timed block, and read the sensors before and after it."""
        self.begin()
        with block:
            yield
        self.end()

    def begin(self) -> None:
        """Read the sensors before a block."""
        self._before = self._panel.read()

    def end(self) -> None:
        """Read the sensors after it."""
        self._after = self._panel.read()

    def rows(self) -> list[Measurement]:
        """Return clock, temperature and throttling; a row with the reason if there is no clock."""
        rows = [self._gauge(sensor) for sensor in self._of("clock_frequency", "temperature")]
        if not self._clock.sensors:
            rows.append(Measurement.of("clock_frequency", reason=self._absent, valid=False))
        return [*rows, *self._throttle_rows()]

    def why_spoiled(self) -> str | None:
        """Return why the times may not be compared; None if they may."""
        window_s, slowed_s = self._slowed()
        for reason, seconds in slowed_s.items():
            if reason in _SPOILING and seconds >= SPOILED_SHARE * window_s > 0:
                return f"the device was slowed down {_SPOILING[reason]} for {seconds / window_s:.0%} of the timing"
        if slowed_s:
            return None
        for reason in self._active(self._after):
            if reason in _SPOILING:
                return f"the device was slowed down {_SPOILING[reason]} at the end of the timing"
        return None

    def added_to(self, rows: Sequence[Measurement], phase: str | None = None) -> list[Measurement]:
        """Return the rows of a timing and ours, of one phase; times that the conditions spoiled are not valid."""
        return [*map(self.marked, rows), *(replace(row, phase=phase) for row in self.rows())]

    def marked(self, row: Measurement) -> Measurement:
        """Return a row of a timing, not valid if it depends on the device and the conditions spoiled it."""
        metric = METRICS.get(row.metric)
        if metric is None or metric.kind not in {"time", "rate"} or row.metric in _OF_THE_HOST:
            return row
        reason = self.why_spoiled()
        return row if reason is None else replace(row, valid=False, reason=row.reason or reason)

    def _gauge(self, sensor: Sensor) -> Measurement:
        before, after = self._before.get(sensor.key), self._after.get(sensor.key)
        details: dict[str, object] = {"start": None if before is None else before.value}
        if sensor.domain.metric == "clock_frequency":
            if self._seen:
                details["was_steady"] = self.is_steady()
            for end, readings in (("start", self._before), ("end", self._after)):
                if slowed := self._active(readings):
                    details[f"slowed_at_{end}"] = slowed
        value = None if after is None else after.value
        reason = None if value is not None else (after and after.reason) or "it was not read"
        return _row(sensor.domain.metric, sensor, value=value, reason=reason, valid=value is not None, details=details)

    def _throttle_rows(self) -> list[Measurement]:
        window_s, slowed_s = self._slowed()
        if not slowed_s:
            return []
        (sensor, *_) = self._of("throttle_time")
        # The reasons may hold at the same time, so their times are not added up.
        return [
            _row(
                "throttle_time", sensor, value=max(slowed_s.values()), window_s=window_s, domain=None, details=slowed_s
            )
        ]

    def _slowed(self) -> tuple[float, dict[str, float]]:
        """Return the time between the readings and, by reason, for how much of it the device was slowed down."""
        window_s, slowed_s = 0.0, {}
        for sensor in self._of("throttle_time"):
            if sensor.key in self._before and sensor.key in self._after:
                moved = counter.delta(sensor.domain, self._before[sensor.key], self._after[sensor.key])
                if moved.value is not None:
                    window_s = moved.window_s
                    slowed_s[_reason(sensor)] = moved.value
        return window_s, slowed_s

    def _active(self, readings: Readings) -> list[str]:
        """Return the reasons that slow the device down at the time of some readings."""
        sensors = (sensor for sensor in self._of("throttled") if sensor.key in readings)
        return [_reason(sensor) for sensor in sensors if readings[sensor.key].value]

    def _of(self, *metrics: str) -> list[Sensor]:
        return [sensor for sensor in self._panel.sensors if sensor.domain.metric in metrics]


def _reason(sensor: Sensor) -> str:
    """Return the reason in a name such as ``GPU-8c1f.../throttle_power_cap``."""
    name = sensor.domain.name.rpartition("/")[2]
    return name.partition("_")[2] or name


def _row(metric: str, sensor: Sensor, **values: Any) -> Measurement:
    about: Mapping[str, Any] = {
        "method": sensor.meter.name,
        "provenance": sensor.meter.provenance,
        "domain": sensor.domain.name,
        "scope": sensor.domain.scope,
    }
    return Measurement.of(metric, **{**about, **values})
