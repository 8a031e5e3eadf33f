"""The ``stats`` of one benchmark in pytest-benchmark's JSON -> a measurement."""

import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.run import Measurement, Summary

_INT64 = 2**63 - 1
_WALL = frozenset({"perf_counter", "monotonic", "time", "default_timer"})
_CPU = frozenset({"process_time", "thread_time"})
_FIGURES = ("min", "max", "mean", "median", "stddev", "q1", "q3")


class Unusable(Exception):  # noqa: N818 - it is caught three lines above where it is raised, and tells no more
    """A benchmark cannot be taken; the text says why."""


def timer_of(options: Mapping[str, Any]) -> str | None:
    """Return the clock's name as the plugin writes it: ``time.perf_counter``; None if the file does not say."""
    name = options.get("timer")
    if not isinstance(name, str) or not name.strip():
        return None
    base = name.rpartition(".")[2].removesuffix("_ns")
    return f"time.{name.rpartition('.')[2]}" if base in _WALL | _CPU else name[:200]


def iterations_of(stats: Mapping[str, Any]) -> int | None:
    """Return the calls in one round; None if the file does not say.

    Raises:
        Unusable: it is not a number of calls.
    """
    return _count(stats, "iterations")


def measurement_of(stats: Mapping[str, Any], timer: str | None, *, details: dict[str, object] | None) -> Measurement:
    """Return the rounds, seconds per iteration; their statistics where the rounds were not saved.

    Args:
        stats: the object as the file has it.
        timer: name of the clock; None is pytest-benchmark's usual one.
        details: the benchmark's options.

    Raises:
        Unusable: a figure is missing, not finite or no number.
    """
    metric, scale = _metric_of(timer)
    known = METRICS[metric]
    data = stats.get("data")
    rounds = _count(stats, "rounds")
    if data is None or data == []:
        summary, samples = _summary(stats, rounds, scale), None
        negative = summary.min is not None and summary.min < 0
        reason = "its file has a time below zero" if negative else None
        if summary.median is None:
            reason = reason or "its file has no median"
    else:
        summary, samples = None, _samples(data, rounds, scale)
        reason = "its file has a time below zero" if min(samples) < 0 else None
    return Measurement(
        metric=metric,
        unit=known.unit,
        better=known.better,
        provenance="imported",
        method=timer,
        samples=samples,
        summary=summary,
        valid=reason is None,
        reason=reason,
        details=details,
    )


def _metric_of(timer: str | None) -> tuple[str, float]:
    """Return the metric that a clock measures, and how many of its units are a second."""
    if timer is None:
        return "wall_time", 1.0
    name = timer.removeprefix("time.")
    base = name.removesuffix("_ns")
    scale = 1.0 if base == name else 1e9
    if base in _WALL:
        return "wall_time", scale
    return ("cpu_time", scale) if base in _CPU else ("timer_value", 1.0)


def _samples(data: object, rounds: int | None, scale: float) -> list[float]:
    if not isinstance(data, list):
        raise Unusable(f"stats.data is a {type(data).__name__}, not a list")
    if rounds is not None and rounds != len(data):
        raise Unusable(f"stats.data has {len(data)} values, and stats.rounds says {rounds}: the file is not whole")
    for index, value in enumerate(data):
        if type(value) not in {float, int} or not math.isfinite(_float(value)):
            raise Unusable(f"stats.data[{index}] is {_shown(value)}; seconds are wanted")
    return [value / scale for value in data] if scale != 1 else list(map(float, data))


def _summary(stats: Mapping[str, Any], rounds: int | None, scale: float) -> Summary:
    figures: dict[str, float | None] = {}
    for name in _FIGURES:
        value = stats.get(name)
        if value is not None and (type(value) not in {float, int} or not math.isfinite(_float(value))):
            raise Unusable(f"stats.{name} is {_shown(value)}; seconds are wanted")
        figures[name] = None if value is None else float(value) / scale
    if figures["median"] is None and figures["mean"] is None:
        has = ", ".join(islice(map(str, stats), 5)) or "nothing"
        raise Unusable(f"stats has neither rounds nor a median nor a mean; it has {has[:100]}")
    if rounds is not None and rounds < 2:  # noqa: PLR2004 - one round has no deviation: 0 was never measured
        figures["stddev"] = None
    return Summary(n=rounds, **figures)


def _count(stats: Mapping[str, Any], name: str) -> int | None:
    value = stats.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 < value <= _INT64:
        raise Unusable(f"stats.{name} is {_shown(value)}; a whole number from 1 on is wanted")
    return value


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _shown(value: object) -> str:
    return (
        repr(value)[:60] if isinstance(value, (str, int, float, bool)) or value is None else f"a {type(value).__name__}"
    )
