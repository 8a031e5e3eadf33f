"""The metric registry: unit and direction of every stored quantity, and words that name several metrics."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

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
    Metric("thread_time", "s", "lower", "time", "CPU time of the calling thread for one iteration"),
    Metric("device_time", "s", "lower", "time", "Time of one iteration on the device's own clock"),
    Metric("first_call_time", "s", "lower", "time", "Wall-clock time of the first call, compilation included"),
    Metric("timer_value", "?", "none", "other", "Reading of a timer whose unit is not known"),
    Metric("block_wall_time", "s", "none", "time", "Wall-clock time of the whole timed block"),
    Metric("block_cpu_time", "s", "none", "time", "CPU time of the process in the timed block"),
    Metric("block_thread_time", "s", "none", "time", "CPU time of the calling thread in the timed block"),
    Metric("peak_rss", "B", "lower", "memory", "Peak resident set of the process in the timed block"),
    Metric("rss_start", "B", "none", "memory", "Resident set of the process before the timed block"),
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
    Metric("cycles", "1", "lower", "count", "Clock cycles of one iteration in user space, all threads"),
    Metric("cache_misses", "1", "lower", "count", "Accesses of one iteration that missed the last-level cache"),
    Metric("branch_misses", "1", "lower", "count", "Branches of one iteration that were predicted wrongly"),
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


def _of_kind(kind: Kind) -> tuple[str, ...]:
    return tuple(metric.name for metric in _ALL if metric.kind == kind and metric.better != "none")


TIME = "time"
METRIC_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        TIME: MAIN_TIMES,
        "wall": ("wall_time",),
        "cpu": ("cpu_time",),
        "memory": _of_kind("memory"),
        "rate": _of_kind("rate"),
    }
)
"""Words that users may write instead of names, in every option and filter that takes metrics.

A word means all of its metrics that were measured; `time` means only the first that a benchmark has.
"""


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
