"""A sensor of the sampler and its points; standard library only, for the sampling process."""

import os
from collections.abc import Callable

POINT_LIMIT = 200_000
"""Most points of one sensor in one window; the sensor then fails with that reason."""
CELSIUS_K = 273.15
"""0 °C in kelvin."""
_CLOSED = -1
_FILE_BYTES = 4096


class Sensor:
    """A sensor and its points in the current window.

    Attributes:
        t_ns: time of each point, by `time.monotonic_ns`, ascending.
        values: value of each point, in `unit`.
    """

    def __init__(  # noqa: PLR0913 - importing dataclasses would cost the child 8 ms
        self,
        metric: str,
        unit: str,
        domain: str,
        read: Callable[[], float],
        *,
        kind: str = "gauge",
        scale: float = 1.0,
        wrap: float | None = None,
        scope: str | None = None,
        device: str | None = None,
    ) -> None:
        """Make a sensor; read nothing yet.

        Args:
            metric: as in `model.metric.METRICS`.
            unit: SI unit of the points.
            domain: unique among the sensors of the metric.
            read: returns the current reading.
            kind: ``gauge``: a point is a reading; ``flow``: a point is the difference of two readings per second;
                ``tick``: the same for a counter that does not move between its ticks.
            scale: factor from the reading's unit to the point's.
            wrap: reading at which a counter restarts; None if it does not.
            scope: what the sensor covers; None if unknown.
            device: unique id of its device; None for the host.
        """
        self.metric = metric
        self.unit = unit
        self.domain = domain
        self.read = read
        self.scope = scope
        self.device = device
        self._kind = kind
        self._scale = scale
        self._wrap = wrap
        self.begin()

    def begin(self) -> None:
        """Forget the points and the last reading."""
        self.t_ns: list[int] = []
        self.values: list[float] = []
        self._last: tuple[float, int] | None = None
        self._at_edge = False

    def sample(self, clock: Callable[[], int]) -> None:
        """Take a reading and keep the resulting point, if any.

        Raises:
            OverflowError: the window has `POINT_LIMIT` points already.
        """
        if len(self.values) >= POINT_LIMIT:
            raise OverflowError(f"left after {POINT_LIMIT} points")
        value, now_ns = self.read(), clock()
        if self._kind == "gauge":
            self._keep(now_ns, value * self._scale)
            return
        if self._last is None:
            self._last = (value, now_ns)
            return
        last, last_ns = self._last
        if now_ns <= last_ns or (self._kind == "tick" and value == last):
            return
        self._last = (value, now_ns)
        # A counter's first change ends an interval that began somewhere within a tick.
        whole = self._kind == "flow" or self._at_edge
        self._at_edge = True
        used = self._difference(last, value)
        if whole and used is not None:
            self._keep(now_ns, used * self._scale / ((now_ns - last_ns) / 1e9))

    def series(self) -> dict[str, object]:
        """Return the points as JSON values."""
        return {
            "metric": self.metric,
            "unit": self.unit,
            "domain": self.domain,
            "scope": self.scope,
            "device": self.device,
            "t_ns": self.t_ns,
            "values": self.values,
        }

    def _difference(self, last: float, value: float) -> float | None:
        """Return the increase of a counter; None after a reset, because the count before it is lost."""
        used = value - last
        if used < 0 and self._wrap is not None and used + self._wrap < self._wrap / 2:
            used += self._wrap
        return used if used >= 0 else None

    def _keep(self, now_ns: int, value: float) -> None:
        self.t_ns.append(now_ns)
        # CPU time ticks every 10 ms: a busy interval may appear to have one tick too many.
        self.values.append(min(value, 1.0) if self.metric == "utilization" else value)


class SensorFile:
    """A small file that is read repeatedly; opened at the first reading and kept open."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = _CLOSED

    def content(self) -> bytes:
        """Return the current content."""
        if self._fd == _CLOSED:
            self._fd = os.open(self._path, os.O_RDONLY)
        return os.pread(self._fd, _FILE_BYTES, 0)

    def number(self) -> float:
        """Return the content as a number."""
        return float(self.content())


def read_text(path: str) -> str:
    """Return the stripped content of a file; empty if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib costs the child 5 ms
            return file.read().strip()
    except OSError:
        return ""


def list_names(folder: str) -> list[str]:
    """Return the names in a folder, sorted; none if it cannot be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - as above
    except OSError:
        return []
