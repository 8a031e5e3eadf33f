"""Series of sensors: of a call that is repeated, untimed, in a pass of its own, and of blocks that happen once."""

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pytest_benchdb.measure.sampler.sampler import Sampler
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement, Summary

EXPECTED = ("rss", "utilization", "power", "temperature", "clock_frequency")
"""Metrics that get a reason if a run has no series of them."""
MOST_WINDOWS = 100
"""Most windows of a block that happens again and again: each costs a question to the sampling process."""


def record_series(
    call: Callable[[], object],
    sampler: Sampler,
    *,
    min_duration_s: float,
    clock: Callable[[], float],
) -> tuple[tuple[Series, ...], tuple[Measurement, ...]]:
    """Repeat a call for `min_duration_s`, but at least once, and return the series that sensors gave meanwhile.

    `clock` returns seconds. Return the raw series, and for each of them a measurement of the pass ``series`` with
    its statistics. A metric of `EXPECTED` without any series has a measurement with the reason.

    Raises:
        Exception: raised by the call; the sampler is stopped.
    """
    calls = 0
    sampler.start()
    try:
        begun_s = clock()
        while calls == 0 or clock() - begun_s < min_duration_s:
            call()
            calls += 1
        duration_s = clock() - begun_s
    except BaseException:
        sampler.stop()
        raise
    series = sampler.stop()
    return series, summaries(series, sampler, {"calls": calls, "duration_s": duration_s})


def summaries(series: Sequence[Series], sampler: Sampler, details: Mapping[str, object]) -> tuple[Measurement, ...]:
    """Return the statistics of each series, and the reason of each metric of `EXPECTED` that has none."""
    sampled = {each.metric for each in series}
    missing = (_missing(metric, sampler) for metric in EXPECTED if metric not in sampled)
    return (*(_summarised(each, sampler, details) for each in series), *missing)


class SeriesBlock:
    """The series of one kind of work, sampled beside it while it is timed; each window continues the last one."""

    def __init__(self, sampler: Sampler, clock: Callable[[], float]) -> None:
        """Take the sampler, and a clock in seconds."""
        self._sampler = sampler
        self._clock = clock
        self._begun_s: float | None = None
        self._before_s = 0.0
        self._windows = 0
        self._points: dict[tuple[str, str, str | None], Series] = {}

    def start(self) -> None:
        """Begin a window, unless there were `MOST_WINDOWS`."""
        if self._windows < MOST_WINDOWS:
            self._sampler.start()
            self._begun_s = self._clock()

    def stop(self, *, whole: bool = True) -> None:
        """End the window; one that is not `whole` is dropped."""
        begun_s, self._begun_s = self._begun_s, None
        if begun_s is None:
            return
        took_s = self._clock() - begun_s
        series = self._sampler.stop()
        if not whole:
            return
        for each in series:
            key = (each.metric, each.domain, each.device_id)
            later_s = tuple(self._before_s + t_s for t_s in each.t_s)
            before = self._points.get(key)
            self._points[key] = (
                replace(each, t_s=later_s)
                if before is None
                else replace(before, t_s=(*before.t_s, *later_s), values=(*before.values, *each.values))
            )
        self._before_s += took_s
        self._windows += 1

    def rows(self) -> tuple[tuple[Series, ...], tuple[Measurement, ...]]:
        """Return the series and their statistics, as `record_series`."""
        series = tuple(self._points.values())
        details = {"windows": self._windows, "duration_s": self._before_s, "beside": "the timed block"}
        return series, summaries(series, self._sampler, details)


def time_weighted_mean(t_s: Sequence[float], values: Sequence[float]) -> float:
    """Return the mean over time of values that each cover the time since the previous point.

    That is true of counter differences; gauge points are so close together that it does not matter. The plain mean
    of powers from counters would be too high: the shorter an interval, the larger its power.
    The first value has no interval and counts only if it is the only one.

    >>> time_weighted_mean([0.0, 1.0, 3.0], [7.0, 4.0, 1.0])
    2.0
    """
    if len(values) == 1 or t_s[-1] <= t_s[0]:
        return statistics.fmean(values)
    spans = [after - before for before, after in itertools.pairwise(t_s)]
    return sum(span * value for span, value in zip(spans, values[1:], strict=True)) / (t_s[-1] - t_s[0])


def _summarised(series: Series, sampler: Sampler, details: Mapping[str, object]) -> Measurement:
    values = series.values
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    summary = Summary(
        n=len(values),
        min=min(values),
        max=max(values),
        mean=time_weighted_mean(series.t_s, values),
        median=quartiles[1],
        stddev=statistics.stdev(values) if len(values) > 1 else None,
        q1=quartiles[0],
        q3=quartiles[2],
    )
    return Measurement(
        metric=series.metric,
        unit=series.unit,
        better=METRICS[series.metric].better if series.metric in METRICS else "none",
        pass_name="series",
        phase=series.phase,
        provenance=series.provenance,
        method=sampler.method,
        summary=summary,
        device_id=series.device_id,
        domain=series.domain,
        scope=sampler.scopes.get((series.metric, series.domain)),
        window_s=series.t_s[-1] - series.t_s[0],
        details=details,
    )


def _missing(metric: str, sampler: Sampler) -> Measurement:
    own = [reason for name, reason in sampler.reasons.items() if name.partition("/")[0] == metric]
    general = [f"{name}: {reason}" for name, reason in sampler.reasons.items() if "/" not in name]
    reason = "; ".join([*own, *general]) or f"no sensor of {metric} gave a reading here"
    return Measurement(
        metric=metric,
        unit=METRICS[metric].unit,
        better=METRICS[metric].better,
        pass_name="series",
        method=sampler.method,
        reason=reason,
    )
