"""One benchmark on one device in one session: its outcome, measurements and timing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.metric import (
    METRICS,
    Provenance,
    objection_to_reading,
    objection_to_rounds,
    objection_to_statistics,
)
from pytest_benchdb.model.reading import Scope, Series

Outcome = Literal[
    "passed", "failed", "error", "skipped", "xfailed", "xpassed", "timeout", "oom", "crashed", "unsupported"
]

PASSED: frozenset[Outcome] = frozenset({"passed", "xpassed"})
"""Outcomes of runs whose values count; SQL repeats them (`session_values.sql`, views of `schema.sql`)."""

NOT_RUN: frozenset[Outcome] = frozenset({"skipped", "unsupported", "xfailed"})
"""Outcomes of runs that were not expected to have values; all others failed."""

CHUNK_ROUNDS = 1024
"""Rounds per stored list: longer lists need more memory to read (527 MB instead of 97 MB for 5e7 rounds)."""

GATE_RULE_KEY = "pytest_benchdb_gate"
"""Key of `Run.extra_info` for `max_regression` and `gate` of the test's marker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a token stream, as its client saw it; times in seconds since the start of the stream's block.

    Attributes:
        index: 0, 1, 2, ... in the order of sending.
        due_s: when the arrival process scheduled it; None in a closed loop.
        sent_s: when it was sent; None if it never was.
        chunk_s: when each chunk with text arrived, ascending.
        tokens_in: tokens of the prompt; None if not known.
        tokens_out: tokens of the answer; None if not known.
        ok: whether the answer was complete.
        slo_ok: whether it met every objective; None without objectives.
        error: why it failed; None if it did not.
        phase: named part of the run; None for the whole.
    """

    index: int
    due_s: float | None
    sent_s: float | None
    chunk_s: Sequence[float]
    tokens_in: int | None
    tokens_out: int | None
    ok: bool
    slo_ok: bool | None = None
    error: str | None = None
    phase: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockUsage:
    """Resources that the process used in the timed block: differences or peaks, in SI units; None if not measured.

    Attributes:
        wall_s: wall-clock time of the block.
        cpu_s: CPU time of the process, all threads.
        thread_s: CPU time of the calling thread.
        peak_rss_bytes: peak resident set within the block.
        rss_start_bytes: resident set before the block.
        minor_faults: page faults without input or output.
        major_faults: page faults that read from a disk.
        voluntary_switches: context switches in which the process waited.
        involuntary_switches: context switches in which it was preempted.
        steal_s: CPU time of this machine, all cores, that the hypervisor gave to others.
    """

    wall_s: float
    cpu_s: float
    thread_s: float | None
    peak_rss_bytes: int | None
    rss_start_bytes: int | None
    minor_faults: int | None
    major_faults: int | None
    voluntary_switches: int | None
    involuntary_switches: int | None
    steal_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Statistics of rounds that were not kept, in the metric's unit; None where not known."""

    n: int | None = None
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    median: float | None = None
    stddev: float | None = None
    q1: float | None = None
    q3: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One metric of one run.

    At most one of `round_ns`, `samples`, `summary` and `value` is set; if none is, `reason` is required.

    Attributes:
        metric: a name of `model.metric.METRICS`, or the suite's own.
        unit: SI unit of the values.
        round_ns: duration of each round, all its iterations, in whole nanoseconds; in run order, warm-up excluded.
        samples: one value per round, per iteration, in run order, warm-up excluded.
        summary: statistics of rounds that the measuring tool did not keep.
        value: a single reading.
        method: how the value was measured.
        reason: why there is no value, or why it may not be compared.
        valid: False for a value that may not be compared.
        device_id: the device, if it is not the run's.
        domain: the sensor; None for clocks and counters of the process.
        scope: what the sensor covers.
        window_s: time over which a counter was read.
        tick_s: time between two changes of that counter.
        rank: the rank of a distributed run; None for the whole run.
        details: further facts about how far it can be trusted, as JSON values.
    """

    metric: str
    unit: str
    better: str
    pass_name: str = "time"
    phase: str | None = None
    provenance: Provenance = "measured"
    method: str | None = None
    reason: str | None = None
    round_ns: Sequence[int] | None = None
    samples: Sequence[float] | None = None
    summary: Summary | None = None
    value: float | None = None
    valid: bool = True
    device_id: str | None = None
    domain: str | None = None
    scope: Scope | None = None
    window_s: float | None = None
    tick_s: float | None = None
    rank: int | None = None
    details: Mapping[str, object] | None = None

    @classmethod
    def of(cls, metric: str, **values: Any) -> "Measurement":
        """Return a measurement of a metric of `METRICS`, with its unit and direction."""
        definition = METRICS[metric]
        return cls(metric=metric, unit=definition.unit, better=definition.better, **values)

    def objection(self) -> str | None:
        """Return why it cannot have been measured, with the figure and its value; None if it can.

        >>> Measurement.of("wall_time", value=-1.0).objection()
        'value is -1.0, and wall_time is never below 0'
        """
        try:
            if self.round_ns is not None:
                return objection_to_rounds(self.metric, [ns / 1e9 for ns in self.round_ns])
            if self.samples is not None:
                return objection_to_rounds(self.metric, self.samples)
            if self.summary is not None:
                return objection_to_statistics(self.metric, asdict(self.summary))
            return None if self.value is None else objection_to_reading(self.metric, self.value)
        except OverflowError:  # an integer beyond the largest float
            return f"a figure is too large, and {self.metric} is a finite number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The measurements of a run, and how they were made.

    Attributes:
        iterations: calls in one round.
        rounds: timed blocks, warm-up excluded.
        calls: calls of the benchmarked function within the timed block, warm-up included;
            None if not known. `BlockUsage.cpu_s / calls` is the CPU time of one call.
        timer: dotted name of the clock.
        invalid: why the values may not be compared; None if they may.
        sync_mode: how the device was synchronised; None if that is not needed.
        cache_mode: ``hot`` or ``cold``; None if the test did not choose.
        provenance: of the run; None for that of the measurements.
        result_count: number of results that the benchmarked code returned; None if the test did not set it.
    """

    measurements: tuple[Measurement, ...]
    iterations: int | None = None
    rounds: int | None = None
    warmup_rounds: int | None = None
    calls: int | None = None
    timer: str | None = None
    invalid: str | None = None
    sync_mode: str | None = None
    cache_mode: str | None = None
    provenance: Provenance | None = None
    result_count: int | None = None
    series: tuple[Series, ...] = ()
    requests: tuple[Request, ...] = ()

    @classmethod
    def missing(cls, reason: str, provenance: Provenance | None = None) -> "Timing":
        """Return the timing of a test that was not timed."""
        row = Measurement.of("wall_time", reason=reason)
        return cls(measurements=(row,), invalid=reason, provenance=provenance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to a run: a profile, a trace.

    Attributes:
        path: where it is now; the store keeps a copy under its hash.
        name: name to show.
    """

    path: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt at one benchmark on one device.

    Attributes:
        device_id: the device; None if the run never reached one.
        attempt: 1 for the first, 2 for the first rerun, and so on.
        worker: the xdist worker's name, None without xdist.
        parallel: whether other tests ran on this machine at the same time.
        started_unix_us: microseconds since the epoch, UTC.
        duration_s: duration of the test's call phase; None if the call never began.
        timing: its measurements; for a run that did not pass, `Timing.invalid` says why they may not be compared.
        extra_info: additional data from the test, the tool and hooks.
        usage: resources used in the timed block; None if not measured.
        devices: devices that were opened for this run, to be stored with it.
    """

    run_id: str
    benchmark: Benchmark
    labels: Labels
    device_id: str | None = None
    outcome: Outcome
    reason: str | None
    attempt: int = 1
    worker: str | None = None
    parallel: bool = False
    started_unix_us: int
    duration_s: float | None = None
    timing: Timing
    extra_info: Mapping[str, object] | None = None
    usage: BlockUsage | None = None
    devices: tuple[Device, ...] = ()
    attachments: tuple[Attachment, ...] = ()
