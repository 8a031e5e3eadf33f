"""Reads sessions for exporters, a batch at a time, so that a long history does not fill the memory."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_benchdb.model.exchange.exported import StoredMeasurement, StoredRun, StoredSession
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.store.read.reader import Reader

TOGETHER = 1_000_000
"""Most rounds to read in one query; sessions with more are read run by run, to bound the memory."""
MOST_RUNS = 5_000
"""Most runs of a batch of sessions, each with some twenty measurements."""

_SAME_NAMES = (
    *("run_id", "fullname", "name", "started_at", "outcome", "provenance", "params", "param_id", "reason", "attempt"),
    *("backend", "device", "model", "model_version", "framework", "framework_version", "implementation", "workload"),
    *("use_case", "precision", "batch_size", "sequence_length", "duration_s", "iterations", "rounds", "warmup_rounds"),
    *("timer", "extra_info"),
)
_MEASURED = (
    *("metric", "unit", "better", "phase", "provenance", "method", "valid", "reason", "n", "min", "max", "mean"),
    *("median", "stddev", "q1", "q3", "p90", "p95", "p99", "outliers", "value", "rank", "domain"),
)

Key = tuple[str, str, str | None]
"""A run, a metric and a phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to read of each session.

    Attributes:
        rounds: whether to read the raw rounds.
        runs: whether a run is wanted, by its id; None takes all.
        metrics: names of the wanted metrics; empty for all.
        takes: whether the exporter can hold a run.
        left_out: called with each wanted run that it cannot hold.
    """

    rounds: bool
    runs: Callable[[str], bool] | None
    metrics: frozenset[str]
    takes: Callable[[StoredRun], bool]
    left_out: Callable[[StoredRun], None]


def stored_sessions(reader: Reader, sessions: Sequence[SessionRow], wanted: Wanted) -> Iterator[StoredSession]:
    """Yield sessions with the runs that the exporter takes."""
    for batch in _batches(sessions):
        ids = [session.session_id for session in batch]
        runs: dict[str, list[Mapping[str, Any]]] = {session_id: [] for session_id in ids}
        for row in reader.runs(ids):
            if wanted.runs is None or wanted.runs(row["run_id"]):
                runs[row["session_id"]].append(row)
        measurements = _by_run(reader.measurements(ids))
        comparable = {
            (value.run_id, value.key.metric, value.key.phase): value.value
            for value in reader.session_values(ids)
            if value.value is not None
        }
        for session in batch:
            yield StoredSession(
                session=session,
                environment=reader.environment_of(session.session_id),
                runs=_runs(reader, runs[session.session_id], measurements, comparable, wanted),
            )


def _batches(sessions: Sequence[SessionRow]) -> Iterator[list[SessionRow]]:
    batch: list[SessionRow] = []
    runs = 0
    for session in sessions:
        if batch and runs + session.runs > MOST_RUNS:
            yield batch
            batch, runs = [], 0
        batch.append(session)
        runs += session.runs
    if batch:
        yield batch


def _by_run(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["run_id"], []).append(row)
    return found


def _runs(
    reader: Reader,
    rows: Sequence[Mapping[str, Any]],
    measurements: Mapping[str, Sequence[Mapping[str, Any]]],
    comparable: Mapping[Key, float],
    wanted: Wanted,
) -> Iterator[StoredRun]:
    together = wanted.rounds and sum(row["rounds"] or 0 for row in rows) <= TOGETHER
    samples = _samples(reader, rows, None) if together and rows else {}
    for row in rows:
        measured = [_measurement(each) for each in _wanted(measurements.get(row["run_id"], ()), wanted)]
        if wanted.metrics and not measured and row["outcome"] == "passed":
            continue
        run = _run(row, _marked(measured, row["run_id"], comparable))
        if not wanted.takes(run):
            wanted.left_out(run)
            continue
        if wanted.rounds:
            if not together:
                samples = _samples(reader, [row], row["run_id"])
            ids = [each["measurement_id"] for each in _wanted(measurements.get(row["run_id"], ()), wanted)]
            run = replace(
                run,
                measurements=tuple(
                    replace(each, samples=samples.get(measurement_id))
                    for measurement_id, each in zip(ids, run.measurements, strict=True)
                ),
            )
        yield run


def _wanted(rows: Iterable[Mapping[str, Any]], wanted: Wanted) -> list[Mapping[str, Any]]:
    return [row for row in rows if not wanted.metrics or row["metric"] in wanted.metrics]


def _samples(reader: Reader, rows: Sequence[Mapping[str, Any]], run_id: str | None) -> dict[str, Sequence[float]]:
    found = reader.samples([rows[0]["session_id"]], run_id=run_id)
    return {row["measurement_id"]: row["samples"] for row in found if row["samples"]}


def _run(row: Mapping[str, Any], measurements: Sequence[StoredMeasurement]) -> StoredRun:
    known = {name: row[name] for name in _SAME_NAMES}
    return StoredRun(**known, group=row["group_name"], measurements=tuple(measurements))


def _measurement(row: Mapping[str, Any]) -> StoredMeasurement:
    known = {name: row[name] for name in _MEASURED}
    details = row["details"]
    return StoredMeasurement(
        **known, pass_name=row["pass"], details=json.loads(details) if isinstance(details, str) else details
    )


def _marked(rows: list[StoredMeasurement], run_id: str, comparable: Mapping[Key, float]) -> list[StoredMeasurement]:
    """Mark the measurement that comparisons take, of each metric and phase."""
    marked = list(rows)
    found: set[tuple[str, str | None]] = set()
    for place, row in sorted(enumerate(rows), key=lambda item: item[1].domain or ""):
        key = row.metric, row.phase
        value = comparable.get((run_id, *key))
        is_it = value is not None and value == row.value and row.valid and row.rank is None
        if is_it and key not in found and row.provenance != "simulated":
            found.add(key)
            marked[place] = replace(row, comparable=True)
    return marked
