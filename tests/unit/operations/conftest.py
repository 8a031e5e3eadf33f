"""Runs and sessions for the tests of selecting."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from pytest_benchdb.model.report import ReportRow, SessionRow


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
