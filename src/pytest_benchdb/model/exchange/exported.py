"""Stored sessions as exporters get them, and the files that exporters make."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.report import Row, SessionRow
from pytest_benchdb.model.run import Outcome, Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMeasurement:
    """A measurement as the table `measurement` has it: times per iteration, SI units, None for what is not there.

    Attributes:
        samples: one value per round, in run order; None if they were not kept, or not asked for.
        details: the options it was taken with, and what else shows how far it can be trusted.
        comparable: whether `benchdb compare` would take it: of the last attempt, valid, neither simulated nor of a
            single rank or sensor, and of a metric that has a direction.
    """

    metric: str
    unit: str
    better: str
    phase: str | None = None
    pass_name: str = "time"
    provenance: str = "measured"
    method: str | None = None
    valid: bool = True
    reason: str | None = None
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
    outliers: int | None = None
    value: float | None = None
    rank: int | None = None
    domain: str | None = None
    samples: Sequence[float] | None = None
    details: Mapping[str, object] | None = None
    comparable: bool = False

    @property
    def summary(self) -> Summary:
        """Its statistics."""
        return Summary(
            n=self.n,
            min=self.min,
            max=self.max,
            mean=self.mean,
            median=self.median,
            stddev=self.stddev,
            q1=self.q1,
            q3=self.q3,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run with its benchmark, its device and its measurements.

    Attributes:
        fullname: full name of the benchmark, parameters included.
        name: function and parameters.
        params: parameters by name; None without parameters.
        param_id: the parameters as the name shows them.
        started_at: ISO 8601, UTC.
        iterations: calls in one round.
        timer: dotted name of the clock; None if not known.
    """

    run_id: str
    fullname: str
    name: str
    started_at: str
    outcome: Outcome
    provenance: str
    measurements: tuple[StoredMeasurement, ...]
    group: str | None = None
    params: Mapping[str, object] | None = None
    param_id: str | None = None
    reason: str | None = None
    attempt: int = 1
    backend: str | None = None
    device: str | None = None
    model: str | None = None
    model_version: str | None = None
    framework: str | None = None
    framework_version: str | None = None
    implementation: str | None = None
    workload: str | None = None
    use_case: str | None = None
    precision: str | None = None
    batch_size: int | None = None
    sequence_length: int | None = None
    duration_s: float | None = None
    iterations: int | None = None
    rounds: int | None = None
    warmup_rounds: int | None = None
    timer: str | None = None
    extra_info: Mapping[str, object] | None = None

    @property
    def figures(self) -> list[StoredMeasurement]:
        """The measurements that may be compared, and that have a value."""
        return [row for row in self.measurements if row.comparable and row.value is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session with its runs.

    Attributes:
        environment: columns of its environment, by name; empty if it has none.
        runs: in the order they ran; may be read only once, so that only some are in memory at a time.
    """

    session: SessionRow
    runs: Iterable[StoredRun]
    environment: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file that an exporter makes.

    Attributes:
        name: path within the folder that the user names, with forward slashes; not used if the format is one file.
        pieces: its content; read once.
    """

    name: str
    pieces: Iterable[bytes]
