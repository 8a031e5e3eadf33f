"""Sweeps of token streams: more and more load, until the server answers no more for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles
from typing import Literal

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.measure.stream import StreamResult
from pytest_benchdb.model.run import Measurement

Axis = Literal["concurrency", "rate"]

DEFAULT_LEVELS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Concurrencies of a sweep that names neither these nor rates."""
LEVEL_S = 10.0
"""Duration of a level if the sweep gives neither that nor a number of requests."""
LEAST_GAIN = 0.1
"""Share of the additional concurrency that must come back as additional throughput; else the server is saturated."""
LEAST_ANSWERED = 0.9
"""Share of the throughput of a server without a queue that must be reached; else the server is saturated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLevel:
    """One level of a sweep.

    Attributes:
        load: the concurrency or the rate.
        result: of its stream.
    """

    load: float
    result: StreamResult

    def value(self, metric: str) -> float | None:
        """Return the value of a metric, the median of one with samples; None if it has none that is valid."""
        row = next((row for row in self.result.measurements if row.metric == metric and row.valid), None)
        if row is None:
            return None
        return median(row.samples) if row.samples else row.value


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSweep:
    """The results of a sweep.

    Attributes:
        axis: what was increased.
        levels: in ascending order.
        saturated_at: the lowest load at which the server was saturated; None if it was at none.
        unknown: why it is not known what the server can do at most; None if it is.
    """

    axis: Axis
    levels: tuple[StreamLevel, ...]
    saturated_at: float | None
    unknown: str | None

    def measurements(self) -> tuple[Measurement, ...]:
        """Return the metrics of the whole sweep."""
        shown = ("requests_per_second", "tokens_per_second", "ttft", "tpot", "e2e_latency")
        levels = [{self.axis: level.load, **{metric: level.value(metric) for metric in shown}} for level in self.levels]
        details = {"saturated_at": self.saturated_at, "levels": levels}
        return tuple(
            self._most(f"max_{metric}", metric, details) for metric in ("requests_per_second", "tokens_per_second")
        )

    def _most(self, name: str, metric: str, details: Mapping[str, object]) -> Measurement:
        values = [value for level in self.levels if (value := level.value(metric)) is not None]
        reason = self.unknown or (None if values else f"no level has {metric}")
        return Measurement.of(
            name,
            method=f"largest {metric} of a sweep of the {self.axis} that saturated the server",
            value=None if reason else max(values),
            reason=reason,
            details=details,
        )


def levels_of(
    concurrency: Iterable[int] | None, rate: Iterable[float] | None, *, requests: float | None = None
) -> tuple[Axis, tuple[float, ...]]:
    """Return what a sweep increases, and its levels; `requests` is the number of each level, None if not fixed.

    Raises:
        ConfigError: both are given, the levels do not ascend, or are higher than the number of requests.
    """
    if concurrency is not None and rate is not None:
        raise ConfigError("a sweep increases either concurrency= or rate=; give one of them")
    axis: Axis = "concurrency" if rate is None else "rate"
    given = concurrency if rate is None else rate
    levels: tuple[float, ...] = DEFAULT_LEVELS if given is None else tuple(given)
    if not levels or any(low >= high for low, high in pairwise(levels)):
        raise ConfigError(f"{axis}={given!r} is not a list of ascending levels, such as [1, 2, 4]")
    if axis == "concurrency" and requests is not None and requests < levels[-1]:
        raise ConfigError(
            f"requests={requests:g} are too few for a concurrency of {levels[-1]:g}; "
            "give several for each, or duration_s instead"
        )
    return axis, levels


def sweep_levels(
    axis: Axis, loads: Sequence[float], measure: Callable[[float], StreamResult], *, stop: bool
) -> StreamSweep:
    """Measure one level after another; with `stop`, until the server, or the client, is saturated.

    With a growing concurrency, a server is saturated when twice as many requests at once give less than a tenth more
    answers per second (and so on in proportion). With a growing rate, it is when the block took a tenth longer than
    its arrivals and one answer at the lowest rate (its 90th percentile), or when that many requests failed.
    """
    levels: list[StreamLevel] = []
    saturated_at: float | None = None
    unknown: str | None = None
    for load in loads:
        levels.append(StreamLevel(load=load, result=measure(load)))
        if (why := levels[-1].result.saturated) is not None and saturated_at is None:
            unknown = f"at {axis} {load:g}, {why}"
        elif unknown is None and saturated_at is None and _is_saturated(axis, levels):
            saturated_at = load
        if stop and (unknown is not None or saturated_at is not None):
            break
    if unknown is None and saturated_at is None:
        unknown = f"the server was not saturated at {axis} {levels[-1].load:g}, the last level"
    return StreamSweep(axis=axis, levels=tuple(levels), saturated_at=saturated_at, unknown=unknown)


def _is_saturated(axis: Axis, levels: Sequence[StreamLevel]) -> bool:
    """Return whether the server was saturated at the last of the levels."""
    last = levels[-1]
    answered = last.value("requests_per_second")
    if answered is None:
        return True
    if axis == "rate":
        requests = last.result.requests
        needed_s = max(request.due_s or 0.0 for request in requests) + _answer_s(levels[0])
        return answered * needed_s < LEAST_ANSWERED * len(requests)
    if len(levels) == 1:
        return False
    before = levels[-2]
    answered_before = before.value("requests_per_second") or 0.0
    more_load = last.load / before.load - 1
    return answered < answered_before * (1 + LEAST_GAIN * more_load)


def _answer_s(level: StreamLevel) -> float:
    latencies = next(
        (row.samples for row in level.result.measurements if row.metric == "e2e_latency" and row.samples), (0.0,)
    )
    return quantiles(latencies, n=10, method="inclusive")[-1] if len(latencies) > 1 else latencies[0]
