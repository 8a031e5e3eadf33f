"""Levels that were accepted: where history begins, and what is still at such a level."""

from collections.abc import Callable

import pytest

from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.gate.accepted_levels import drop_before_acceptances
from pytest_benchdb.operations.gate.allowances import Allowance

NOW = "2026-11-21T08:00:00"


def _allowance(pattern: str = "*", **values: str | None) -> Allowance:
    return Allowance(**{"pattern": pattern, "metric": None, "reason": "why", "expires_at": None, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("allowance", "left"),
    [
        (_allowance(since_session_id="2"), "23456"),
        (_allowance(since_session_id="3"), "123456"),
        (_allowance(since_session_id="2", metric="memory"), "123456"),
        (_allowance(since_session_id="7"), "123456"),
        (_allowance(since_session_id="gone"), "123456"),
        (_allowance(since_session_id="2", expires_at="2026-11-01T00:00:00"), "123456"),
        (_allowance(), "123456"),
    ],
    ids=["level", "too few left", "other metric", "the candidate", "unknown session", "expired", "no session"],
)
def test_history_before_an_accepted_level_is_left_out(
    session: Callable[..., SessionRow], value: Callable[..., SessionValue], allowance: Allowance, left: str
) -> None:
    sessions = {name: session(name, f"2026-11-21T0{name}:00:00") for name in "1234567"}
    history = [value(name, started_at=sessions[name].started_at) for name in "123456"]

    kept = drop_before_acceptances(history, [allowance], sessions, sessions["7"], NOW)

    assert "".join(one.session_id for one in kept) == left
