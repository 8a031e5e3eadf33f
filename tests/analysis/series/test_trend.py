"""A trend uses comparable sessions only, and has the sessions around each change."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pytest

from pytest_benchdb.analysis.series.trend import trend_of
from pytest_benchdb.model.answer.trend import Trend
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue

LOW, HIGH = 1.0, 1.3
KEY = SeriesKey(fullname="test_a.py::test_x", metric="wall_time", backend="cpu", device="Test CPU")


def value(number: int, figure: float | None, **changes: Any) -> SessionValue:
    known: dict[str, Any] = {
        "key": KEY,
        "session_id": f"s{number}",
        "run_id": f"r{number}",
        "started_at": f"2026-11-21T{number:02d}",
        "outcome": "passed",
        "reason": None,
        "valid": True,
        "provenance": "measured",
        "unit": "s",
        "better": "lower",
        "min": figure,
        "n": 10,
        "code_hash": "code",
        "labels": {},
    }
    return SessionValue(**{**known, "value": figure, **changes})


def session(session_id: str) -> SessionRow:
    known: dict[str, Any] = dict.fromkeys(field.name for field in fields(SessionRow))
    known.update(session_id=session_id, commit_sha=f"commit-{session_id}", fingerprint="machine")
    return SessionRow(**known)


def trend(values: Sequence[SessionValue], baseline: Sequence[SessionValue] = ()) -> Trend:
    return trend_of(values, {one.session_id: session(one.session_id) for one in (*values, *baseline)}, baseline)


def stepped(**changes: Any) -> list[SessionValue]:
    return [value(number, LOW if number < 10 else HIGH, **changes) for number in range(20)]


def test_change_names_the_sessions_and_commits_around_it() -> None:
    (change,) = trend(stepped()).changes

    assert (change.before.commit, change.first.commit) == ("commit-s9", "commit-s10")
    assert change.point.change == pytest.approx(0.3)
    assert change.unmeasured == 0


@pytest.mark.parametrize(("better", "worse"), [("lower", True), ("higher", False), ("none", None)])
def test_change_is_worse_by_the_direction_of_the_metric(better: Better, worse: bool | None) -> None:
    (change,) = trend(stepped(better=better)).changes

    assert change.worse is worse


def test_failed_session_is_a_gap_with_its_reason() -> None:
    values = stepped()
    values[10] = value(10, None, outcome="failed", reason="AssertionError", unit="s", min=None)

    found = trend(values)

    assert found.measured == 19
    assert found.points[10].value is None
    assert "AssertionError" in (found.points[10].reason or "")
    assert (found.changes[0].unmeasured, found.changes[0].first.session_id) == (1, "s11")


@pytest.mark.parametrize("changes", [{"code_hash": "other"}, {"unit": "1"}], ids=["code", "unit"])
def test_sessions_of_other_code_or_unit_are_left_out(changes: dict[str, Any]) -> None:
    values = [value(number, LOW, **changes) for number in range(12)] + [value(number, HIGH) for number in range(12, 24)]

    found = trend(values)

    assert (found.other_code, found.measured, found.changes) == (12, 12, ())


def test_unknown_code_continues_any_series() -> None:
    values = [value(number, LOW, code_hash=None) for number in range(12)] + [
        value(number, LOW) for number in range(12, 24)
    ]

    assert trend(values).measured == 24


def test_minimum_represents_a_session_unless_a_summary_lacks_it() -> None:
    with_minimum = [value(number, 2.0, min=1.0) for number in range(12)]
    imported = value(12, 2.0, min=None, n=5)

    assert (trend(with_minimum).statistic, trend(with_minimum).level) == ("min", 1.0)
    assert (trend([*with_minimum, imported]).statistic, trend([*with_minimum, imported]).level) == ("value", 2.0)


def test_level_and_noise_are_those_since_the_last_change() -> None:
    found = trend(stepped())

    assert (found.level, found.deviation) == (HIGH, 0.0)


def test_creep_is_reported_against_the_baseline_alone() -> None:
    values = [value(number, 1.0 + number / 50) for number in range(15)]

    with_baseline = trend(values, values[:2]).creep

    assert trend(values).creep is None
    assert with_baseline is not None
    assert with_baseline.crept


def test_sessions_needed_counts_those_before_changes_are_looked_for() -> None:
    assert trend([value(0, LOW)]).sessions_needed == 11
    assert trend(stepped()).sessions_needed == 0


def test_series_without_any_figure_has_no_level() -> None:
    found = trend([value(0, None, outcome="failed", reason="x", min=None)])

    assert (found.level, found.measured, found.changes, found.deviation) == (None, 0, (), None)
