"""Runs and reports for the tests of `present`."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_benchdb.model.report import Report, ReportRow, SessionReport, SessionRow

SESSION_ID = "019a9e5c-7b2c-7000-8000-0123456789ab"


def _run(fullname: str = "tests/test_a.py::test_x", median_s: float | None = 1e-3, **changes: Any) -> ReportRow:
    """Return a run with figures derived from its median; None for one without figures."""
    scaled = {
        name: None if median_s is None else median_s * factor
        for name, factor in {
            "min_s": 0.97,
            "max_s": 1.4,
            "mean_s": 1.01,
            "median_s": 1.0,
            "stddev_s": 0.02,
            "q1_s": 0.99,
            "q3_s": 1.01,
            "p95_s": 1.1,
            "p99_s": 1.2,
            "cpu_s": 0.98,
            "first_call_s": 3.0,
        }.items()
    }
    scaled["cpu_per_wall"] = None if median_s is None else 0.97
    values: dict[str, Any] = {
        "run_id": "019a9e5c-7b2d-7000-8000-000000000001",
        "session_id": SESSION_ID,
        "fullname": fullname,
        "name": fullname.rpartition("::")[2],
        "group": None,
        "backend": "cpu",
        "device": "cpu",
        "model": None,
        "model_version": None,
        "implementation": None,
        "workload": None,
        "precision": None,
        "batch_size": None,
        "outcome": "passed",
        "reason": None,
        "valid": True,
        "provenance": "measured",
        "attempt": 1,
        "worker": None,
        "main_metric": None if median_s is None else "wall_time",
        "main_phase": None,
        "outliers": 2,
        "throughput": None,
        "energy_j": None,
        "device_peak_bytes": None,
        "clock_hz": None,
        "throttled_share": None,
        "memory_bytes": None if median_s is None else 61.3 * 2**20,
        "memory_metric": None if median_s is None else "rss_growth",
        "peak_rss_bytes": None if median_s is None else 61.3 * 2**20,
        "rounds": None if median_s is None else 1000,
        "iterations": None if median_s is None else 10,
        **scaled,
        **changes,
    }
    return ReportRow(**values)


def _session(**changes: Any) -> SessionRow:
    """Return a session of one minute on a fixed machine."""
    values: dict[str, Any] = {
        "session_id": SESSION_ID,
        "project": "yarl",
        "kind": "pytest",
        "started_at": "2026-11-21T02:03:04.500000",
        "finished_at": "2026-11-21T02:04:04.500000",
        "outcome": "passed",
        "complete": True,
        "label": None,
        "tags": {},
        "note": None,
        "tool": "pytest-benchdb",
        "tool_version": "0.1.0",
        "commit_sha": "0123456789abcdef0123456789abcdef01234567",
        "commit_at": "2026-11-20T10:00:00.000000",
        "branch": "main",
        "dirty": False,
        "ci_provider": None,
        "ci_url": None,
        "pull_request": None,
        "fingerprint": "11111111-1111-1111-1111-111111111111",
        "cpu_model": "AMD EPYC 7B13",
        "cores": 4,
        "threads": 8,
        "ram_bytes": 32 * 2**30,
        "os": "Debian GNU/Linux 12",
        "python": "CPython 3.11.7",
        "load_start": 0.1,
        "load_end": 0.9,
        "steal_s": 0.0,
        "contended": False,
        "runs": 1,
        "not_passed": 0,
        **changes,
    }
    return SessionRow(**values)


def _report(*rows: ReportRow, selection: str | None = None, **changes: Any) -> Report:
    """Return a report of one session with these runs."""
    outcomes: dict[str, int] = {}
    for row in rows:
        outcomes[row.outcome] = outcomes.get(row.outcome, 0) + 1
    shown = SessionReport(session=_session(**changes), rows=rows, outcomes=outcomes)
    return Report(sources=("results",), sessions=(shown,), sessions_in_all=1, selection=selection)


@pytest.fixture(scope="session")
def run() -> Callable[..., ReportRow]:
    return _run


@pytest.fixture(scope="session")
def session() -> Callable[..., SessionRow]:
    return _session


@pytest.fixture(scope="session")
def report() -> Callable[..., Report]:
    return _report
