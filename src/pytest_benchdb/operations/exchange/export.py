"""Export stored sessions in other tools' formats."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.exporters import pytest_benchmark
from pytest_benchdb.model.report import RunRecord
from pytest_benchdb.model.run import Summary
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.exchange.output_file import write_file
from pytest_benchdb.store.read.reader import Reader

TOGETHER = 1_000_000
"""Most rounds to read in one query; sessions with more are read run by run, to bound the memory."""

_METRICS = ("wall_time", "cpu_time", "timer_value")
"""Metrics whose rounds pytest-benchmark can represent, the preferred one first."""

_NEEDED = ("n", "min", "max", "mean", "median")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """How many runs were exported, and how many left out because they did not pass or have no valid rounds."""

    runs: int
    left_out: int


def export_pytest_benchmark(source: Path, session_id: str, target: Path) -> Exported:
    """Write one session, stored in `source`, to a file in the JSON shape of pytest-benchmark.

    Raises:
        ConfigError: the session does not exist, or the file cannot be written.
        StoreError: the source cannot be read.
    """
    with open_source((source,)) as reader:
        session = next((row for row in reader.sessions() if row.session_id == session_id), None)
        if session is None:
            raise ConfigError(f"{source} has no session {session_id}")
        rows = reader.runs([session.session_id])
        readings = _readings(reader.measurements([session.session_id]))
        exported = [row for row in rows if row["outcome"] == "passed" and row["run_id"] in readings]
        environment = reader.environment_of(session.session_id)
        records = _records(reader, exported, readings)
        write_file(target, pytest_benchmark.export(session, environment, records))
    return Exported(runs=len(exported), left_out=len(rows) - len(exported))


def _readings(measurements: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the measurement whose rounds may be exported, by run."""
    readings: dict[str, Mapping[str, Any]] = {}
    for metric in reversed(_METRICS):
        for row in measurements:
            whole = row["metric"] == metric and row["phase"] is None and row["pass"] == "time"
            measured = row["valid"] and row["provenance"] != "simulated"
            if whole and measured and all(row[name] is not None for name in _NEEDED):
                readings[row["run_id"]] = row
    return readings


def _records(
    reader: Reader, rows: Sequence[Mapping[str, Any]], readings: Mapping[str, Mapping[str, Any]]
) -> Iterator[RunRecord]:
    if not rows:
        return
    session_ids = [rows[0]["session_id"]]
    together = sum(row["rounds"] or 0 for row in rows) <= TOGETHER
    samples = _samples(reader.samples(session_ids)) if together else {}
    for row in rows:
        if not together:
            samples = _samples(reader.samples(session_ids, run_id=row["run_id"]))
        reading = readings[row["run_id"]]
        yield _record(row, reading, samples.get((row["run_id"], reading["metric"])))


def _samples(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Sequence[float]]:
    return {
        (row["run_id"], row["metric"]): row["samples"]
        for row in rows
        if row["phase"] is None and row["pass"] == "time" and row["samples"]
    }


def _record(row: Mapping[str, Any], reading: Mapping[str, Any], samples: Sequence[float] | None) -> RunRecord:
    names = ("n", "min", "max", "mean", "median", "stddev", "q1", "q3")
    return RunRecord(
        fullname=row["fullname"],
        name=row["name"],
        group=row["group_name"],
        params=row["params"],
        param_id=row["param_id"],
        extra_info=row["extra_info"] or {},
        timer=row["timer"],
        options=json.loads(reading["details"] or "{}"),
        iterations=row["iterations"] or 1,
        samples_s=samples,
        summary=Summary(**{name: reading[name] for name in names}),
        outliers=reading["outliers"],
    )
