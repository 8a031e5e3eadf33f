"""Runs and sessions for the tests of selecting."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from pytest_benchdb.model.report import ReportRow, SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue


def _run(**values: Any) -> ReportRow:
    known: dict[str, Any] = dict.fromkeys(field.name for field in fields(ReportRow))
    known.update(
        session_id="s",
        fullname="tests/test_a.py::test_x",
        name="test_x",
        outcome="passed",
        valid=True,
        provenance="measured",
        attempt=1,
    )
    return ReportRow(**{**known, **values})


def _session(session_id: str, started_at: str = "2026-11-21T00:00:00", **values: Any) -> SessionRow:
    known: dict[str, Any] = dict.fromkeys(field.name for field in fields(SessionRow))
    known.update(project="p", kind="pytest", outcome="passed", complete=True, tags={}, runs=1, not_passed=0)
    return SessionRow(**{**known, "session_id": session_id, "started_at": started_at, **values})


@pytest.fixture(scope="session")
def run() -> Callable[..., ReportRow]:
    return _run


@pytest.fixture(scope="session")
def session() -> Callable[..., SessionRow]:
    return _session


def _value(session_id: str = "s", value: float | None = 1e-3, **values: Any) -> SessionValue:
    names = ("fullname", "metric", "phase", "backend", "device")
    key = {"fullname": "tests/test_a.py::test_x", "metric": "wall_time", "backend": "cpu", "device": "Test CPU"}
    key.update({name: values.pop(name) for name in names if name in values})
    known: dict[str, Any] = {
        "run_id": f"run-{session_id}",
        "started_at": f"2026-11-21T{session_id:0>8}",
        "outcome": "passed",
        "reason": None,
        "valid": value is not None,
        "provenance": "measured",
        "unit": "s",
        "better": "lower",
        "min": value,
        "median": value,
        "mean": value,
        "max": value,
        "stddev": 0.0,
        "n": 10,
        "code_hash": "c0de",
        "labels": {},
    }
    return SessionValue(**{**known, **values, "key": SeriesKey(**key), "session_id": session_id, "value": value})


@pytest.fixture(scope="session")
def value() -> Callable[..., SessionValue]:
    """Return a function that makes one session's value of a series: in seconds of wall time by default."""
    return _value
