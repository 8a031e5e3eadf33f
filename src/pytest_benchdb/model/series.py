"""One metric of one benchmark over sessions: the input of comparisons, gates and trends."""

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_benchdb.model.metric import Better, Provenance
from pytest_benchdb.model.run import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesKey:
    """The identity of a series.

    Attributes:
        phase: named part of the run; None for the whole run.
        device: the vendor's name of the device; None if the run never reached one.
    """

    fullname: str
    metric: str
    phase: str | None = None
    backend: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionValue:
    """One session's value of a series, in the metric's SI unit, per iteration; None if not measured.

    Attributes:
        started_at: start of the session, ISO 8601 in UTC; of a backfilled one, the time of its commit.
        valid: whether the values may be compared; `reason` says why not.
        value: the single reading, or the median of the rounds.
        n: number of rounds; 1 for a single reading.
        cpu_s: for a time, also the CPU time of one iteration: the smallest round on the thread's clock, else the CPU
            time of the timed block divided by its calls.
        wall_per_cpu: wall-clock time of the timed block per CPU time of the calling thread; 1 for undisturbed
            code that only computes.
        waits: context switches per call of the timed block in which the process gave up the processor by itself.
        code_hash: hash of the test's source; a change ends the series.
        result_count: number of results that the benchmarked code returned.
        labels: model, version, precision, implementation, workload, batch_size, ...; only those that are set.
        params: parameters of the test by name, as JSON values.
    """

    key: SeriesKey
    session_id: str
    run_id: str
    started_at: str
    outcome: Outcome
    reason: str | None
    valid: bool
    provenance: Provenance
    unit: str
    better: Better
    value: float | None
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    median: float | None = None
    stddev: float | None = None
    n: int | None = None
    cpu_s: float | None = None
    wall_per_cpu: float | None = None
    waits: float | None = None
    code_hash: str | None = None
    result_count: int | None = None
    group: str | None = None
    labels: Mapping[str, str]
    params: Mapping[str, object] | None = None
