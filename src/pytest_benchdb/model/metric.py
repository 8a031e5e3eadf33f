"""The metric registry: unit, direction and bounds of every stored quantity, and words that name several metrics.

`objection_to_rounds` and its siblings say what no measurement can be; importers ask them about what they read, and
`store.journal.impossible` about the tables of a database.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal

from pytest_benchdb.model.wording import did_you_mean

Better = Literal["lower", "higher", "none"]
Kind = Literal["time", "memory", "energy", "power", "rate", "count", "temperature", "ratio", "frequency", "other"]
Provenance = Literal["measured", "imported", "simulated", "derived"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A quantity: its SI unit, which direction is better, and what it means."""

    name: str
    unit: str
    better: Better
    kind: Kind
    description: str


_ALL = (
    Metric("wall_time", "s", "lower", "time", "Wall-clock time of one iteration"),
    Metric("cpu_time", "s", "lower", "time", "CPU time of the process for one call, all threads"),
    Metric("user_time", "s", "lower", "time", "CPU time of a command in user space, descendants included"),
    Metric("system_time", "s", "lower", "time", "CPU time of a command in the kernel, descendants included"),
    Metric("thread_time", "s", "lower", "time", "CPU time of the calling thread for one iteration"),
    Metric("device_time", "s", "lower", "time", "Time of one iteration on the device's own clock"),
    Metric("first_call_time", "s", "lower", "time", "Wall-clock time of the first call, compilation included"),
    Metric("timer_value", "?", "none", "other", "Reading of a timer whose unit is not known"),
    Metric("block_wall_time", "s", "none", "time", "Wall-clock time of the whole timed block"),
    Metric("block_cpu_time", "s", "none", "time", "CPU time of the process in the timed block"),
    Metric("block_thread_time", "s", "none", "time", "CPU time of the calling thread in the timed block"),
    Metric("peak_rss", "B", "lower", "memory", "Peak resident set of the process in the timed block"),
    Metric("command_peak", "B", "lower", "memory", "Largest resident set of one process of a command"),
    Metric("rss_start", "B", "none", "memory", "Resident set of the process before the timed block"),
    Metric("rss_growth", "B", "lower", "memory", "Peak resident set in the timed block, above that before it"),
    Metric("python_peak", "B", "lower", "memory", "Peak of the allocations that Python traced"),
    Metric("device_peak", "B", "lower", "memory", "Peak memory allocated by the device's allocator"),
    Metric("device_reserved", "B", "lower", "memory", "Peak memory reserved by the device's allocator"),
    Metric("device_fragmentation", "B", "none", "memory", "Peak of reserved device memory above that of allocated"),
    Metric("allocator_retries", "1", "lower", "count", "Allocations that had to empty the allocator's cache first"),
    Metric("device_used", "B", "lower", "memory", "Device memory in use by all processes"),
    Metric("tree_peak", "B", "lower", "memory", "Peak memory of the process and its children, page cache included"),
    Metric("native_peak", "B", "lower", "memory", "Peak of all allocations that memray traced, native ones included"),
    Metric("tree_memory", "B", "none", "memory", "Memory of the process and its children, page cache included"),
    Metric("uss", "B", "lower", "memory", "Memory that only this process uses"),
    Metric("rss", "B", "none", "memory", "Resident set of the process"),
    Metric("minor_faults", "1", "none", "count", "Page faults served without input or output"),
    Metric("major_faults", "1", "none", "count", "Page faults that read from a disk"),
    Metric("voluntary_switches", "1", "none", "count", "Context switches in which the process waited"),
    Metric("involuntary_switches", "1", "none", "count", "Context switches in which the process was preempted"),
    Metric("steal_time", "s", "none", "time", "CPU time that the hypervisor gave to other machines"),
    Metric("instructions", "1", "lower", "count", "Instructions of one iteration in user space, all threads"),
    Metric(
        "l1_misses", "1", "lower", "count", "Accesses of one iteration that missed the simulated first-level caches"
    ),
    Metric("ll_misses", "1", "lower", "count", "Accesses of one iteration that missed the simulated last-level cache"),
    Metric("cycles", "1", "lower", "count", "Clock cycles of one iteration in user space, all threads"),
    Metric("cache_misses", "1", "lower", "count", "Accesses of one iteration that missed the last-level cache"),
    Metric("branch_misses", "1", "lower", "count", "Branches of one iteration that were predicted wrongly"),
    Metric("bytecodes", "1", "lower", "count", "Instructions of Python's bytecode that one call executes, all threads"),
    Metric("python_calls", "1", "lower", "count", "Calls of Python functions in one call of the benchmark"),
    Metric("throughput", "1/s", "higher", "rate", "Items handled per second"),
    Metric("energy", "J", "lower", "energy", "Energy of one iteration"),
    Metric("energy_per_sample", "J", "lower", "energy", "Energy of one sample, or of one item that a call handles"),
    Metric("energy_per_step", "J", "lower", "energy", "Energy of one training step"),
    Metric("energy_per_token", "J", "lower", "energy", "Energy of one output token"),
    Metric("energy_per_request", "J", "lower", "energy", "Energy of one request that was answered whole"),
    Metric("co2", "kg", "lower", "other", "CO2 of the energy of one iteration, at a stated factor of the grid"),
    Metric("power", "W", "lower", "power", "Electrical power"),
    Metric("idle_power", "W", "none", "power", "Electrical power of the idle device, its context alive"),
    Metric("temperature", "K", "none", "temperature", "Temperature of the device"),
    Metric("clock_frequency", "Hz", "none", "frequency", "Clock of the device's compute units"),
    Metric("throttle_time", "s", "none", "time", "Time in which the device was slowed down for power or heat"),
    Metric("throttled", "1", "none", "ratio", "1 while the device is slowed down for the named reason, else 0"),
    Metric("utilization", "1", "none", "ratio", "Share of the time in which the device was busy"),
    Metric("ttft", "s", "lower", "time", "Time to the first token of a request"),
    Metric("tpot", "s", "lower", "time", "Time per output token after the first"),
    Metric("itl", "s", "lower", "time", "Gap between two chunks of a request"),
    Metric("e2e_latency", "s", "lower", "time", "Time from sending a request to its last chunk"),
    Metric("ttfot", "s", "lower", "time", "Time to the first token of the answer itself, after its reasoning"),
    Metric("failed_requests", "1", "lower", "count", "Requests that were not answered whole"),
    Metric("peak_concurrency", "1", "none", "count", "Largest number of requests in flight at one time"),
    Metric("peak_tokens_per_second", "1/s", "none", "rate", "Most output tokens in one second, over all requests"),
    Metric("max_requests_per_second", "1/s", "higher", "rate", "Most requests answered whole per second in a sweep"),
    Metric("max_tokens_per_second", "1/s", "higher", "rate", "Most output tokens per second in a sweep"),
    Metric("client_cpu_share", "1", "none", "ratio", "CPU time of the client that sent requests, as a share of a core"),
    Metric("client_loop_delay", "s", "none", "time", "Time by which the client ran late what was due"),
    Metric("total_tokens_per_second", "1/s", "higher", "rate", "Tokens of prompts and answers per second"),
    Metric("queue_time", "s", "lower", "time", "Time from when a request was due until it was sent"),
    Metric("requests_per_second", "1/s", "higher", "rate", "Requests that were answered whole per second"),
    Metric("goodput", "1/s", "higher", "rate", "Requests that met every objective per second"),
    Metric("bytes_per_second", "B/s", "higher", "rate", "Bytes handled per second"),
    Metric("flops_per_second", "1/s", "higher", "rate", "Floating-point operations per second"),
    Metric("peak_bytes_per_second", "B/s", "none", "rate", "Bytes per second that the device's memory can move"),
    Metric("peak_flops_per_second", "1/s", "none", "rate", "Floating-point operations per second of the device"),
    Metric("step_time", "s", "lower", "time", "Wall-clock time of one training step"),
    Metric("scaling_efficiency", "1", "higher", "ratio", "Throughput per rank, as a share of that of one rank alone"),
    Metric("tokens_per_second", "1/s", "higher", "rate", "Output tokens per second over all requests"),
)

METRICS = MappingProxyType({metric.name: metric for metric in _ALL})

MAIN_TIMES = ("wall_time", "step_time", "e2e_latency", "device_time", "cpu_time")
"""The main time of a benchmark is the first of these that it has."""

MAIN_MEMORY = ("device_peak", "native_peak", "python_peak", "command_peak", "rss_growth")
"""The memory that a benchmark itself needed is the first of these that it has: none holds what the process had before.

The first three are exact where they were asked for: on a device, or in the memory pass. A command's peak is that of
processes of its own. The last is always there on Linux, if the process grew by enough to tell.
"""


def _of_kind(kind: Kind) -> tuple[str, ...]:
    return tuple(metric.name for metric in _ALL if metric.kind == kind and metric.better != "none")


TIME, MEMORY = "time", "memory"
METRIC_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        TIME: MAIN_TIMES,
        "wall": ("wall_time",),
        "cpu": ("cpu_time",),
        MEMORY: MAIN_MEMORY,
        "rate": _of_kind("rate"),
    }
)
"""Words that users may write instead of names, in every option and filter that takes metrics.

A word means all of its metrics that were measured; those of `MAINS` mean only the first that a benchmark has.
"""

MAINS = MappingProxyType({TIME: MAIN_TIMES, MEMORY: MAIN_MEMORY})
"""The words that mean one metric of each benchmark."""


STATISTICS = frozenset({"min", "max", "mean", "median", "stddev", "iqr", "q1", "q3", "ops"})
"""Words that users of pytest-benchmark may write where a metric is asked for."""


def metrics_of(word: str) -> tuple[str, ...]:
    """Return the metrics that a word means; a metric's name means itself.

    >>> metrics_of("cpu"), metrics_of("my_metric")
    (('cpu_time',), ('my_metric',))
    """
    return METRIC_WORDS.get(word.lower(), (word,))


def is_known(word: str) -> bool:
    """Return whether a word is the name of a metric or one of `METRIC_WORDS`, rather than a metric of a suite's own."""
    return word in METRICS or word.lower() in METRIC_WORDS


def absent_text(word: str, measured: Iterable[str]) -> str:
    """Return why there are no values of a metric, and what was measured instead.

    >>> absent_text("cpu_time", ["wall_time"]), absent_text("enrgy", ["wall_time"])
    ('nothing here measured it; there are wall_time', 'no metric of this name; did you mean energy?')
    >>> absent_text("median", ["wall_time"])
    'a statistic, not a metric; write time for the main time of each benchmark'
    """
    there = sorted(measured)
    if word.lower() in STATISTICS and word not in there:
        return f"a statistic, not a metric; write {TIME} for the main time of each benchmark"
    if is_known(word):
        return f"nothing here measured it; there are {', '.join(there)}"
    question = did_you_mean(word, [*METRIC_WORDS, *METRICS, *there])
    return "no metric of this name" + (question or f"; there are {', '.join(there)}")


TOLERANCE = 1e-9
"""By how much, relative to the larger, statistics may contradict each other: they were rounded."""

MOST_ROUNDS = 2**63 - 1
CENTURY_S = 3.2e9
"""The longest time, of one round and of all rounds together."""
_ADDRESSES = 2.0**64


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the values of a metric can be.

    Attributes:
        least: the smallest possible value; None without one.
        most: the largest possible value; None without one.
        takes_time: whether a single reading, and the median and mean of rounds, must be above 0. A round may be 0: it
            was shorter than a tick of the clock.
        whole: whether every reading is a whole number.
    """

    least: float | None = None
    most: float | None = None
    takes_time: bool = False
    whole: bool = False


_BY_KIND: dict[Kind, Bounds] = {
    "time": Bounds(0.0, CENTURY_S),
    "memory": Bounds(0.0, _ADDRESSES),
    "energy": Bounds(0.0),
    "power": Bounds(0.0),
    "rate": Bounds(0.0),
    "count": Bounds(0.0),
    "temperature": Bounds(0.0),
    "ratio": Bounds(0.0),
    "frequency": Bounds(0.0),
    "other": Bounds(),
}
_TAKES_TIME = Bounds(0.0, CENTURY_S, takes_time=True)
_SHARE = Bounds(0.0, 1.0)
_WHOLE = Bounds(0.0, whole=True)
_BY_METRIC = {
    **dict.fromkeys(("wall_time", "step_time", "device_time", "first_call_time", "block_wall_time"), _TAKES_TIME),
    **dict.fromkeys(("ttft", "e2e_latency"), _TAKES_TIME),
    **dict.fromkeys(("throttled", "utilization"), _SHARE),
    **dict.fromkeys(("minor_faults", "major_faults", "voluntary_switches", "involuntary_switches"), _WHOLE),
    **dict.fromkeys(("allocator_retries", "failed_requests", "peak_concurrency"), _WHOLE),
    **dict.fromkeys(("bytecodes", "python_calls"), _WHOLE),
    "co2": Bounds(0.0),
}

BOUNDS: Mapping[str, Bounds] = MappingProxyType(
    {metric.name: _BY_METRIC.get(metric.name, _BY_KIND[metric.kind]) for metric in _ALL}
)
"""The bounds of every metric of ours; a metric of a suite may be any finite number."""

ANY = Bounds()
"""The bounds of a metric of the suite."""

ORDERED = ("min", "q1", "median", "q3", "p90", "p95", "p99", "max")
"""Statistics that never decrease in this order."""


def objection_to_round(metric: str, value: float) -> str | None:
    """Return why a metric cannot have been read as `value` in one round; None if it can.

    >>> objection_to_round("utilization", 1.5)
    'value is 1.5, and utilization is never above 1'
    """
    return _about_value(metric, "value", value)


def objection_to_reading(metric: str, value: float) -> str | None:
    """Return why a metric cannot have been read as `value` without rounds; None if it can.

    >>> objection_to_reading("wall_time", 0.0)
    'value is 0, and wall_time takes time: it was shorter than a tick of the clock'
    """
    return _about_figure(metric, "value", value, n=1)


def objection_to_rounds(metric: str, rounds: Sequence[float]) -> str | None:
    """Return why rounds cannot have been measured; None if they can.

    >>> objection_to_rounds("wall_time", [1.0, -1.0])
    'min is -1.0, and wall_time is never below 0'
    """
    if not rounds:
        return None
    bounds = BOUNDS.get(metric, ANY)
    if not all(map(math.isfinite, rounds)):
        return f"a round is not a finite number, and {metric} is"
    found = _about_value(metric, "min", min(rounds), whole=False) or _about_value(metric, "max", max(rounds))
    if found is None and bounds.whole:
        part = next((value for value in rounds if value != int(value)), None)
        found = None if part is None else f"a round is {part!r}, and {metric} is a whole number"
    if found is None and bounds.takes_time and sorted(rounds)[len(rounds) // 2] == 0:
        found = _too_short(metric, "median")
    return found


def objection_to_statistics(metric: str, statistics: Mapping[str, Any]) -> str | None:
    """Return why statistics of rounds, by the names of `model.run.Summary`, are impossible; None if they are not.

    >>> objection_to_statistics("mine", {"n": 3, "min": 2.0, "median": 1.0})
    'min is 2.0 and median is 1.0, which is less'
    """
    n = statistics.get("n")
    if n is not None and not 1 <= n <= MOST_ROUNDS:
        return f"n is {n}, and there is at least 1 round"
    for name in (*ORDERED, "mean"):
        value = statistics.get(name)
        if value is not None and (found := _about_figure(metric, name, value, n=n)):
            return found
    return _about_order(statistics) or _about_spread(metric, statistics)


def _about_order(statistics: Mapping[str, Any]) -> str | None:
    """Return which two statistics contradict each other."""
    known = [(name, value) for name in ORDERED if (value := statistics.get(name)) is not None]
    pairs = list(pairwise(known))
    low, mean, high = (statistics.get(name) for name in ("min", "mean", "max"))
    if mean is not None:
        pairs += [(("min", low), ("mean", mean))] if low is not None else []
        pairs += [(("mean", mean), ("max", high))] if high is not None else []
    for (name, value), (other, bound) in pairs:
        if value > bound + TOLERANCE * max(abs(value), abs(bound)):
            return f"{name} is {value!r} and {other} is {bound!r}, which is less"
    return None


def _about_spread(metric: str, statistics: Mapping[str, Any]) -> str | None:
    n, low, high, spread = (statistics.get(name) for name in ("n", "min", "max", "stddev"))
    if spread is not None and not (math.isfinite(spread) and spread >= 0):
        return f"stddev is {spread!r}, and a deviation is a finite number from 0 on"
    if n == 1 and (spread or (low is not None and high is not None and high - low > TOLERANCE * abs(high))):
        return "n is 1, and a single round has no spread"
    if low is not None and high is not None and spread is not None:
        range_ = high - low
        if spread > range_ + TOLERANCE * max(abs(low), abs(high)):
            return f"stddev is {spread!r}, which is more than max - min"
    if n is not None and low is not None and is_time(metric) and n * low > CENTURY_S:
        return f"n is {n}, and as many rounds of min {low!r} s take more than a century"
    return None


def is_time(metric: str) -> bool:
    """Return whether a metric of ours is a time."""
    return metric in METRICS and METRICS[metric].kind == "time"


def _about_figure(metric: str, name: str, value: float, *, n: int | None) -> str | None:
    """Return why a statistic or a single reading is impossible."""
    found = _about_value(metric, name, value, whole=name in {"min", "max"} or n == 1)
    is_middle = name in {"median", "mean", "value"}
    if found is None and value == 0 and is_middle and BOUNDS.get(metric, ANY).takes_time:
        return _too_short(metric, name)
    return found


def _about_value(metric: str, name: str, value: float, *, whole: bool = True) -> str | None:
    bounds = BOUNDS.get(metric, ANY)
    if not math.isfinite(value):
        return f"{name} is {value!r}, and {metric} is a finite number"
    if bounds.least is not None and value < bounds.least:
        return f"{name} is {value!r}, and {metric} is never below {bounds.least:g}"
    if bounds.most is not None and value > bounds.most:
        return f"{name} is {value!r}, and {metric} is never above {bounds.most:g}"
    if whole and bounds.whole and value != int(value):
        return f"{name} is {value!r}, and {metric} is a whole number"
    return None


def _too_short(metric: str, name: str) -> str:
    return f"{name} is 0, and {metric} takes time: it was shorter than a tick of the clock"
