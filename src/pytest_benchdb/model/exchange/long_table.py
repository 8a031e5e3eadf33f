"""The long table that `benchdb export` writes and `benchdb import` reads: one row per measurement of a run.

A run without measurements has one row too, so that what failed or was skipped is not lost.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_benchdb.model.exchange.exported import StoredMeasurement, StoredRun, StoredSession
from pytest_benchdb.model.value.json_value import json_value

Value = str | int | float | bool | None | list[float] | dict[str, object]


@dataclass(frozen=True, slots=True)
class LongColumn:
    """A column: its name, its DuckDB type (`JSON` is an object), and its meaning."""

    name: str
    kind: str
    meaning: str


COLUMNS = (
    LongColumn("session_id", "VARCHAR", "The session"),
    LongColumn("started_at", "TIMESTAMP", "When it started, UTC"),
    LongColumn("kind", "VARCHAR", "pytest, import, api or sample: figures of a sample are made up"),
    LongColumn("project", "VARCHAR", "Its project"),
    LongColumn("label", "VARCHAR", "Its label"),
    LongColumn("commit", "VARCHAR", "Its commit"),
    LongColumn("branch", "VARCHAR", "Its branch"),
    LongColumn("dirty", "BOOLEAN", "Whether tracked files differed from the commit"),
    LongColumn("committed_at", "TIMESTAMP", "Author time of the commit, UTC"),
    LongColumn("machine_fingerprint", "VARCHAR", "Results of different fingerprints are not compared"),
    LongColumn("cpu_model", "VARCHAR", "Name of the processor"),
    LongColumn("os", "VARCHAR", "Operating system and version"),
    LongColumn("python", "VARCHAR", "Implementation, version and build"),
    LongColumn("tool", "VARCHAR", "What recorded the session"),
    LongColumn("tool_version", "VARCHAR", "Its version"),
    LongColumn("run_id", "VARCHAR", "The run"),
    LongColumn("run_started_at", "TIMESTAMP", "When it started, UTC"),
    LongColumn("benchmark", "VARCHAR", "Full name of the benchmark"),
    LongColumn("group", "VARCHAR", "Its group"),
    LongColumn("params", "JSON", "Parameters by name"),
    LongColumn("param_id", "VARCHAR", "pytest's id of the parameters"),
    LongColumn("backend", "VARCHAR", "Kind of hardware"),
    LongColumn("device", "VARCHAR", "Name of the device"),
    LongColumn("model", "VARCHAR", "The model under test"),
    LongColumn("model_version", "VARCHAR", "Its version"),
    LongColumn("framework", "VARCHAR", "The framework it ran in"),
    LongColumn("framework_version", "VARCHAR", "Its version"),
    LongColumn("implementation", "VARCHAR", "Which of several implementations"),
    LongColumn("workload", "VARCHAR", "training, inference, ..."),
    LongColumn("use_case", "VARCHAR", "Name of the use case"),
    LongColumn("precision", "VARCHAR", "fp32, fp16, ..."),
    LongColumn("batch_size", "BIGINT", "Items in one call"),
    LongColumn("sequence_length", "BIGINT", "Length of one item"),
    LongColumn("attempt", "INTEGER", "1 for the first, 2 for the first rerun, ..."),
    LongColumn("outcome", "VARCHAR", "passed, failed, error, skipped, ..."),
    LongColumn("reason", "VARCHAR", "Why the run did not pass"),
    LongColumn("duration_s", "DOUBLE", "Time of the test's call phase, seconds"),
    LongColumn("iterations", "BIGINT", "Calls in one round"),
    LongColumn("rounds", "BIGINT", "Timed blocks"),
    LongColumn("warmup_rounds", "BIGINT", "Blocks thrown away before them"),
    LongColumn("timer", "VARCHAR", "Clock of the rounds"),
    LongColumn("metric", "VARCHAR", "What was measured; empty for a run without measurements"),
    LongColumn("phase", "VARCHAR", "Named part of the run; empty for the whole"),
    LongColumn("pass", "VARCHAR", "time, memory, energy, counters or series: what else ran while it was taken"),
    LongColumn("unit", "VARCHAR", "SI unit of the figures"),
    LongColumn("better", "VARCHAR", "lower, higher or none"),
    LongColumn("provenance", "VARCHAR", "measured, imported, simulated or derived"),
    LongColumn("method", "VARCHAR", "How it was taken"),
    LongColumn("domain", "VARCHAR", "The sensor it comes from"),
    LongColumn("rank", "INTEGER", "Rank of a distributed run"),
    LongColumn("valid", "BOOLEAN", "Whether it may be compared"),
    LongColumn("why_not", "VARCHAR", "Why it is missing or not valid"),
    LongColumn("value", "DOUBLE", "The figure to show: the median of the rounds, or the single reading"),
    LongColumn("n", "BIGINT", "Number of rounds; 1 for a single reading"),
    LongColumn("min", "DOUBLE", "Smallest round"),
    LongColumn("max", "DOUBLE", "Largest round"),
    LongColumn("mean", "DOUBLE", "Mean of the rounds"),
    LongColumn("median", "DOUBLE", "Median of the rounds"),
    LongColumn("stddev", "DOUBLE", "Sample standard deviation of the rounds"),
    LongColumn("q1", "DOUBLE", "First quartile"),
    LongColumn("q3", "DOUBLE", "Third quartile"),
    LongColumn("p90", "DOUBLE", "90th percentile"),
    LongColumn("p95", "DOUBLE", "95th percentile"),
    LongColumn("p99", "DOUBLE", "99th percentile"),
    LongColumn("outliers", "BIGINT", "Rounds more than 1.5 interquartile ranges outside the quartiles"),
    LongColumn("samples", "DOUBLE[]", "Every round in run order, per iteration"),
)
NAMES = tuple(column.name for column in COLUMNS)
NEEDED = ("session_id", "started_at", "run_id", "benchmark", "metric", "samples")
"""The columns by which such a table is recognised."""

_NO_MEASUREMENT = (None,) * (len(NAMES) - NAMES.index("metric"))


def long_rows(sessions: Iterable[StoredSession]) -> Iterator[tuple[Value, ...]]:
    """Yield the rows of sessions, with the values of `COLUMNS`."""
    for stored in sessions:
        before = _of_session(stored)
        for run in stored.runs:
            head = before + _of_run(run)
            for measurement in run.measurements:
                yield head + _of_measurement(measurement)
            if not run.measurements:
                yield head + _NO_MEASUREMENT


def json_line(row: tuple[Value, ...], *, ascii_only: bool = True) -> bytes:
    """Return a row as one JSON object; a figure that JSON cannot hold becomes null.

    Args:
        row: the values of `COLUMNS`.
        ascii_only: False replaces lone surrogates, as of a file name that is not UTF-8, by question marks.
    """
    cells = dict(zip(NAMES, row, strict=True))
    try:
        text = json.dumps(cells, allow_nan=False, ensure_ascii=ascii_only)
    except ValueError:
        finite = {name: _finite(value) for name, value in cells.items()}
        text = json.dumps(finite, allow_nan=False, ensure_ascii=ascii_only)
    return text.encode("utf-8", "replace")


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return json_value(value) if isinstance(value, dict) else value


def _of_session(stored: StoredSession) -> tuple[Value, ...]:
    session = stored.session
    return (
        session.session_id,
        session.started_at,
        session.kind,
        session.project,
        session.label,
        session.commit_sha,
        session.branch,
        session.dirty,
        session.commit_at,
        session.fingerprint,
        session.cpu_model,
        session.os,
        session.python,
        session.tool,
        session.tool_version,
    )


def _of_run(run: StoredRun) -> tuple[Value, ...]:
    return (
        run.run_id,
        run.started_at,
        run.fullname,
        run.group,
        None if run.params is None else dict(run.params),
        run.param_id,
        run.backend,
        run.device,
        run.model,
        run.model_version,
        run.framework,
        run.framework_version,
        run.implementation,
        run.workload,
        run.use_case,
        run.precision,
        run.batch_size,
        run.sequence_length,
        run.attempt,
        run.outcome,
        run.reason,
        run.duration_s,
        run.iterations,
        run.rounds,
        run.warmup_rounds,
        run.timer,
    )


def _of_measurement(row: StoredMeasurement) -> tuple[Value, ...]:
    return (
        row.metric,
        row.phase,
        row.pass_name,
        row.unit,
        row.better,
        row.provenance,
        row.method,
        row.domain,
        row.rank,
        row.valid,
        row.reason,
        row.value,
        row.n,
        row.min,
        row.max,
        row.mean,
        row.median,
        row.stddev,
        row.q1,
        row.q3,
        row.p90,
        row.p95,
        row.p99,
        row.outliers,
        None if row.samples is None else list(row.samples),
    )
