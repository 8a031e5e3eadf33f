"""Answers about many runs: every round of them, what sensors said meanwhile, and sums over all."""

from dataclasses import dataclass

from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.report import ReportRow, SessionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRounds:
    """One run, and its rounds.

    Attributes:
        values_s: seconds per iteration of the main time, one per round in run order; empty if they were not kept or
            may not be shown.
    """

    row: ReportRow
    session: SessionRow
    values_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsWithRounds:
    """The runs of a report with their rounds.

    Attributes:
        selection: the filters in force, as the user wrote them; None without.
    """

    runs: tuple[RunRounds, ...]
    selection: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One metric of one sensor during a run, in SI units.

    Attributes:
        domain: the sensor, or the part of the machine that it is about; None if it does not say.
        n: number of readings.
        mean: of all readings.
        begin_s: time of the first reading, in seconds since the start of the run.
        end_s: time of the last.
        means: of the readings in as many equal spans of that time; None for a span without one.
    """

    row: ReportRow
    session: SessionRow
    metric: str
    unit: str
    phase: str | None
    domain: str | None
    provenance: Provenance
    n: int
    min: float
    mean: float
    max: float
    begin_s: float
    end_s: float
    means: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Courses:
    """The readings of sensors during the runs of a report.

    Attributes:
        metrics: those that were asked for.
        available: the metrics that these runs have over time.
    """

    courses: tuple[Course, ...]
    metrics: tuple[str, ...]
    available: tuple[str, ...]
    selection: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A figure of several runs, in SI units."""

    n: int
    mean: float
    min: float
    max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceRow:
    """The runs of one model, or of one benchmark without a model, on one device in one configuration.

    Attributes:
        subject: the model with its version, or the full name of the benchmark.
        time_s: of the runs' medians, in seconds per iteration; None if none was timed.
        throughput: in items per second; None if none was measured.
        memory_bytes: that the runs themselves needed; None if that is not known.
        latest_at: start of the newest run's session, ISO 8601 in UTC.
    """

    subject: str
    device: str | None
    precision: str | None
    batch_size: int | None
    runs: int
    sessions: int
    time_s: Range | None
    throughput: Range | None
    memory_bytes: Range | None
    latest_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestRun:
    """One run, as a list of the newest shows it."""

    run_id: str
    started_at: str
    fullname: str
    device: str | None
    outcome: str
    median_s: float | None
    throughput: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """How fast everything is, on each device.

    Attributes:
        rows: by subject, device, precision and batch size.
        top: the rows with the highest throughput, each subject once; empty without throughput.
        latest: the newest runs, the newest first.
        not_passed: number of runs without figures, because they did not pass or are not valid.
        simulated: number of simulated runs, which are left out.
    """

    sources: tuple[str, ...]
    selection: str | None
    sessions: int
    rows: tuple[PerformanceRow, ...]
    top: tuple[PerformanceRow, ...]
    latest: tuple[LatestRun, ...]
    not_passed: int
    simulated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """One device of one machine, and what ran on it.

    Attributes:
        device: None for runs that never reached one.
        machine: name of the processor; None if not known.
        outcomes: number of runs by outcome.
        subjects: number of models, and of benchmarks without a model.
    """

    backend: str | None
    device: str | None
    machine: str | None
    sessions: int
    runs: int
    outcomes: dict[str, int]
    subjects: int
    first_at: str
    latest_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRow:
    """One machine: the facts of its newest session."""

    fingerprint: str | None
    cpu_model: str | None
    cores: int | None
    threads: int | None
    ram_bytes: int | None
    os: str | None
    python: str | None
    sessions: int
    first_at: str
    latest_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """On what everything ran."""

    sources: tuple[str, ...]
    selection: str | None
    sessions: int
    devices: tuple[DeviceRow, ...]
    machines: tuple[MachineRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerRow:
    """One run that measured power or energy: a row of the view `power_metrics`, in its units.

    Attributes:
        energy_j: of one iteration.
        items_per_joule: None without a throughput.
        method: how it was measured.
    """

    run_id: str
    session_id: str
    started_at: str
    fullname: str
    model: str | None
    backend: str | None
    device: str | None
    mean_w: float | None
    peak_w: float | None
    energy_j: float | None
    mean_celsius: float | None
    peak_celsius: float | None
    items_per_joule: float | None
    method: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What runs took in power and energy.

    Attributes:
        without: number of passed runs that have neither.
        reasons: why energy that was asked for is missing, each with its number of runs.
    """

    sources: tuple[str, ...]
    selection: str | None
    sessions: int
    rows: tuple[PowerRow, ...]
    without: int
    reasons: dict[str, int]
