"""Sessions for the tests of the exporters, without a database."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from pytest_benchdb.model.exchange.exported import StoredMeasurement, StoredRun, StoredSession
from pytest_benchdb.model.report import SessionRow

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def measurement(samples: Sequence[float] | None = (1e-3, 3e-3, 2e-3), **changes: Any) -> StoredMeasurement:
    """Return a time of three rounds."""
    values: dict[str, Any] = {
        "metric": "wall_time",
        "unit": "s",
        "better": "lower",
        "n": 3,
        "min": 1e-3,
        "max": 3e-3,
        "mean": 2e-3,
        "median": 2e-3,
        "stddev": 1e-3,
        "q1": 1.5e-3,
        "q3": 2.5e-3,
        "outliers": 0,
        "value": 2e-3,
        "samples": samples,
        "comparable": True,
        **changes,
    }
    return StoredMeasurement(**values)


def reading(metric: str, unit: str, value: float, better: str = "lower", **changes: Any) -> StoredMeasurement:
    """Return a single reading."""
    known: dict[str, Any] = {"n": 1, "comparable": better != "none", **changes}
    return StoredMeasurement(metric=metric, unit=unit, value=value, better=better, **known)


def run(fullname: str = "tests/test_a.py::test_x[1]", *rows: StoredMeasurement, **changes: Any) -> StoredRun:
    """Return a run of a benchmark with a parameter, by default with a time of three rounds."""
    values: dict[str, Any] = {
        "run_id": f"run of {fullname}",
        "fullname": fullname,
        "name": fullname.rpartition("::")[2],
        "started_at": "2026-11-21T02:03:05.000000",
        "outcome": "passed",
        "provenance": "measured",
        "params": {"n": 1},
        "param_id": "1",
        "backend": "cpu",
        "device": "Test CPU",
        "timer": "time.perf_counter",
        "iterations": 10,
        "rounds": 3,
        "measurements": rows or (measurement(),),
        **changes,
    }
    return StoredRun(**values)


def session(*runs: StoredRun, environment: dict[str, Any] | None = None, **changes: Any) -> StoredSession:
    """Return a session."""
    known: dict[str, Any] = dict.fromkeys(field.name for field in fields(SessionRow))
    known.update(session_id="018f0000-0000-7000-8000-000000000001", project="demo", kind="pytest")
    known.update(started_at="2026-11-21T02:03:04.500000", outcome="passed", complete=True, tags={}, runs=len(runs))
    known.update({"tool": "pytest-benchdb", "fingerprint": "f00dcafe-0000-0000-0000-000000000000", **changes})
    return StoredSession(session=SessionRow(**known), environment=environment or {}, runs=list(runs))


def failed(fullname: str = "tests/test_a.py::test_broken") -> StoredRun:
    """Return a run that failed before it was timed."""
    row = StoredMeasurement(metric="wall_time", unit="s", better="lower", valid=False, reason="not timed")
    return run(fullname, row, outcome="failed", reason="AssertionError: assert 1 == 2")


def simulated(fullname: str = "tests/test_a.py::test_simulated") -> StoredRun:
    """Return a run on the simulated backend."""
    return run(fullname, measurement(provenance="simulated", comparable=False), provenance="simulated", backend="sim")
