"""Results of commands that read: reports of sessions and their runs, one run in full, and tables of plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One run as reports show it; times in seconds per iteration, None where not measured.

    Times are of the main metric, and None unless they may be compared (`valid`).

    Attributes:
        workload: training, inference, serving, ...; None if the test sets none.
        params: parameters by name; None without parameters.
        main_metric: metric of the times: ``wall_time``; without a valid one ``step_time``, ``e2e_latency``,
            ``device_time`` or ``cpu_time``; None if nothing was timed.
        main_phase: the phase of all values; None for the whole run.
        first_call_s: wall-clock time of the first call.
        cpu_s: CPU time of the process for one call, if it was measured for the call alone.
        cpu_per_wall: CPU time of the process, all threads, per wall-clock time of the timed block:
            below 1, the process waited or was preempted.
        throughput: items handled per second, if the test gives their number.
        energy_j: energy of one iteration, of the device as a whole; None unless valid.
        energy_reason: why energy that was asked for is not there.
        flops_per_second: floating-point operations per second, if the test gives the number of one call.
        bytes_per_second: bytes handled per second, if the test gives their number for one call.
        memory_bytes: memory that the benchmark itself needed; None if that is not known.
        memory_metric: metric of `memory_bytes`, the first of `model.metric.MAIN_MEMORY` that the run has.
        peak_rss_bytes: peak resident set within the timed block, with what the process held before.
        device_peak_bytes: peak memory allocated by the device's allocator.
        clock_hz: clock of the device's compute units after the last round.
        throttled_share: share of the timing in which the device was slowed down, for whatever reason.
        rounds: timed blocks of the whole run; samples if the main metric is not a wall time.
        reason: why the run did not pass, or why it has no valid times.
        own_metric: of a run without times, what its timer or the test itself measured: ``timer_value``, ``accuracy``.
        own_unit: unit of the next fields; ``?`` if not known.
        own_value: the value, or the median of several.
        own_min: smallest value.
        own_max: largest value.
        own_n: number of values.
        older_at: start of the run's session, if that is not the report's but an earlier one; else None.
        older_commit: commit of that session.
        relative: its median as a multiple of the smallest of its group; None before
            `present.report.columns.with_relative`, which knows the groups.
        percentiles: those that were asked for, by their column's name (``p99.9``), in seconds per iteration; None where
            the rounds were not kept or are too few.
        roof_share: its rate, as a share of what its device was measured to reach at its arithmetic intensity; None
            without the amount of its work or without measured peaks.
        roof_limit: ``memory`` or ``compute``, the limit that `roof_share` is about.
    """

    run_id: str
    session_id: str
    fullname: str
    name: str
    group: str | None
    backend: str | None
    device: str | None
    model: str | None
    model_version: str | None
    implementation: str | None
    workload: str | None
    precision: str | None
    batch_size: int | None
    outcome: Outcome
    reason: str | None
    valid: bool
    provenance: Provenance
    attempt: int
    worker: str | None
    main_metric: str | None
    main_phase: str | None
    min_s: float | None
    max_s: float | None
    mean_s: float | None
    median_s: float | None
    stddev_s: float | None
    q1_s: float | None
    q3_s: float | None
    p95_s: float | None
    p99_s: float | None
    outliers: int | None
    first_call_s: float | None
    cpu_s: float | None
    cpu_per_wall: float | None
    throughput: float | None
    energy_j: float | None
    energy_reason: str | None = None
    peak_rss_bytes: float | None
    device_peak_bytes: float | None
    clock_hz: float | None
    throttled_share: float | None
    rounds: int | None
    iterations: int | None
    memory_bytes: float | None = None
    memory_metric: str | None = None
    own_metric: str | None = None
    own_unit: str | None = None
    own_value: float | None = None
    own_min: float | None = None
    own_max: float | None = None
    own_n: int | None = None
    roof_share: float | None = None
    roof_limit: str | None = None
    relative: float | None = None
    framework: str | None = None
    sequence_length: int | None = None
    params: Mapping[str, object] | None = None
    flops_per_second: float | None = None
    bytes_per_second: float | None = None
    percentiles: Mapping[str, float | None] = field(default_factory=dict)
    older_at: str | None = None
    older_commit: str | None = None

    @property
    def has_figures(self) -> bool:
        """Whether the figures may be shown: the run passed and they are valid."""
        return self.outcome == "passed" and self.valid

    def values(self) -> dict[str, object]:
        """Return every field by its name; figures that may not be shown are None."""
        # Not `asdict`, which copies what is in the fields: half of the time that a page of many runs takes.
        hidden = frozenset() if self.has_figures else _FIGURES
        return {each.name: None if each.name in hidden else getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNotes:
    """What was noticed while a function was timed.

    Attributes:
        name: the benchmark.
        unstable: why the result may well be different next time; None if its rounds agree.
        notes: remarks about the function, each a sentence about "it".
    """

    name: str
    unstable: str | None
    notes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierTime:
    """A time of a run, and the same time of the newest earlier run of its benchmark on the same machine.

    Attributes:
        unit: of all figures.
        session_id: the earlier session.
        before: `min`, `median` and `value` of the earlier run; None where it has none.
        now: those of the run.
    """

    run_id: str
    metric: str
    phase: str | None
    unit: str
    session_id: str
    before: Mapping[str, float | None]
    now: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierTimes:
    """The earlier times of a session's benchmarks.

    Attributes:
        times: of the benchmarks that were found in earlier sessions.
        left: number of earlier sessions that were not searched for the other benchmarks, which would have taken longer.
        problem: why an earlier session could not be read; None if all could.
    """

    times: tuple[EarlierTime, ...] = ()
    left: int = 0
    problem: str | None = None


_UNITS = {
    "_s": "s",
    "_bytes": "B",
    "_j": "J",
    "_hz": "Hz",
    "throughput": "1/s",
    "flops_per_second": "FLOP/s",
    "bytes_per_second": "B/s",
    "percentiles": "s",
}
RUN_UNITS = {
    field.name: unit for field in fields(ReportRow) for ending, unit in _UNITS.items() if field.name.endswith(ending)
}
"""Unit of each figure of a run, by the name of its field."""

_FIGURES = {
    *RUN_UNITS,
    "own_value",
    "own_min",
    "own_max",
    "own_n",
    "cpu_per_wall",
    "throttled_share",
    "outliers",
    "memory_metric",
    "roof_share",
    "roof_limit",
    "relative",
}


BACKFILL_TAG = "backfill"
"""Tag of the sessions that `benchdb backfill` recorded; those with the same value belong together.

``queries/sessions.sql`` and ``queries/session_values.sql`` know it too.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """One session as lists show it; times are ISO 8601 in UTC.

    Attributes:
        merge_base: commit at which the branch left the default branch.
        remote_url: URL of the git remote, without credentials.
        machine_name: name that the user gave to the machine at an import; None without one.
        excluded: why it is not part of the history; None if it is.
    """

    session_id: str
    project: str
    kind: str
    started_at: str
    finished_at: str | None
    outcome: str
    complete: bool
    label: str | None
    tags: dict[str, str]
    note: str | None
    tool: str
    tool_version: str | None
    commit_sha: str | None
    commit_at: str | None
    commit_subject: str | None = None
    merge_base: str | None = None
    branch: str | None
    dirty: bool | None
    remote_url: str | None = None
    ci_provider: str | None
    ci_url: str | None
    pull_request: str | None
    fingerprint: str | None
    machine_name: str | None = None
    cpu_model: str | None
    cores: int | None
    threads: int | None
    ram_bytes: int | None
    os: str | None
    python: str | None
    load_start: float | None
    load_end: float | None
    steal_s: float | None
    contended: bool | None
    runs: int
    not_passed: int
    excluded: str | None = None

    @property
    def placed_at(self) -> str:
        """The time of the session in the history: when it started, or for a backfilled one, when its commit was made.

        Otherwise the commits of last year, recorded today, would be the newest sessions.
        """
        if BACKFILL_TAG in self.tags and self.commit_at is not None:
            return min(self.commit_at, self.started_at)
        return self.started_at


Row = Mapping[str, Any]
"""A row of a query, by column name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """A session with the requested runs.

    Attributes:
        rows: the runs to show, filtered and sorted.
        outcomes: number of runs by outcome, over the whole session, filtered or not.
        notes: notes on the session or its runs, oldest first: rows of ``queries/notes.sql``.
    """

    session: SessionRow
    rows: tuple[ReportRow, ...]
    outcomes: Mapping[str, int]
    notes: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One or more sessions, oldest first.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        sessions_in_all: number of sessions, shown or not.
        selection: the filters in force, as the user wrote them; None without.
    """

    sources: tuple[str, ...]
    sessions: tuple[SessionReport, ...]
    sessions_in_all: int
    selection: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """Everything about one run.

    Attributes:
        session: the session it belongs to.
        run: columns of `run`, `benchmark`, `device`, `model`, `framework`, by name.
        environment: columns of `environment`; empty if the session has none.
        measurements: columns of `measurement`, by name, one row each.
        samples: rounds in run order, by measurement id.
        series: samples over time, one row per metric and sensor: `n`, `min`, `mean`, `max`, and the `means` of
            `SERIES_BINS` equal spans from `begin_s` to `end_s`, None for spans without a value.
        requests: outcomes of the requests of a token stream, one row per phase.
        notes: notes on the run or its session.
        attachments: columns of `attachment`, by name, and `path`; None if the file is missing.
    """

    session: SessionRow
    run: Row
    environment: Row = field(default_factory=dict)
    measurements: Sequence[Row]
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)
    series: Sequence[Row] = ()
    requests: Sequence[Row] = ()
    attachments: Sequence[Row] = ()
    notes: Sequence[Row] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Named columns of plain values, such as the answer to a query.

    Attributes:
        schema: name of the JSON schema: ``benchdb.query/1``.
        types: DuckDB's type of each column; empty if not known.
        more: whether rows were left out because of a limit.
        facts: other keys of the JSON object, beside the rows.
    """

    schema: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    types: tuple[str, ...] = ()
    more: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)
