"""The facts above a table, and the list of sessions."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.model.report import Report
from pytest_benchdb.present.report.session import layout_sessions, missing_energy, session_header
from pytest_benchdb.present.writing.grid import plain_text
from pytest_benchdb.present.writing.text import sanitize, width, wrap

Make = Callable[..., Any]
ANY_TEXT = st.text(st.characters(), max_size=60)
NOW = dt.datetime(2026, 11, 21, 5, 4, tzinfo=dt.timezone.utc)
SNAPSHOTS = Path(__file__).parents[1] / "snapshots"


def header(report: Report, columns: int, *, ascii_only: bool = False) -> str:
    return plain_text(session_header(report.sessions[0], report, columns, ascii_only=ascii_only))


def everything(report: Make, run: Make) -> Report:
    made: Report = report(
        run(),
        run(outcome="failed", reason="no"),
        selection="-k x",
        label="nightly",
        tags={"branch": "a", "os": "b"},
        dirty=True,
        ci_provider="github",
        pull_request="12",
        ci_url="https://ci.example/runs/1",
        outcome="interrupted",
        complete=False,
        contended=True,
    )
    return made


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_session_header_at_a_width_is_exact(report: Make, run: Make, columns: int) -> None:
    text = header(everything(report, run), columns)

    assert text == (SNAPSHOTS / f"header-{columns}.txt").read_text(encoding="utf-8")


def test_session_header_leaves_out_unknown_facts(report: Make, run: Make) -> None:
    nothing = dict.fromkeys(("commit_sha", "branch", "cpu_model", "cores", "threads", "ram_bytes", "os", "python"))

    text = header(report(run(), **nothing), 80)

    assert [line.split()[0] for line in text.splitlines()[1:]] == ["session", "recorded", "outcome", "data"]


def test_session_header_of_a_clock_set_back_has_no_duration(report: Make, run: Make) -> None:
    assert "took" not in header(report(run(), finished_at="2026-11-20T00:00:00"), 80)


@given(project=ANY_TEXT, label=ANY_TEXT, columns=st.integers(1, 150), ascii_only=st.booleans())
def test_session_header_of_any_texts_fits(
    report: Make, run: Make, project: str, label: str, columns: int, ascii_only: bool
) -> None:
    made = report(run(), project=project, label=label)

    for line in session_header(made.sessions[0], made, columns, ascii_only=ascii_only):
        assert width("".join(span.text for span in line)) <= columns


@given(ANY_TEXT.map(sanitize), st.integers(1, 50))
def test_wrap_of_any_text_fits(text: str, columns: int) -> None:
    assert all(width(line) <= columns for line in wrap(text, columns))


def test_sessions_at_80_columns_are_exact(session: Make) -> None:
    sessions = [
        session(),
        session(session_id="019a9e5c-8888-7000-8000-0123456789ab", outcome="crashed", complete=False, runs=12),
        session(commit_subject="parse: read \x1b[31mescapes in one pass and not in two"),
        session(label="nightly", dirty=True, not_passed=3, outcome="failed", commit_sha=None),
    ]

    assert layout_sessions(sessions, 80, now=NOW).plain() == (SNAPSHOTS / "sessions-80.txt").read_text(encoding="utf-8")


@given(label=ANY_TEXT, project=ANY_TEXT, columns=st.integers(1, 200))
def test_sessions_of_any_texts_fit(session: Make, label: str, project: str, columns: int) -> None:
    table = layout_sessions([session(label=label, project=project), session()], columns, now=NOW)

    assert all(width("".join(span.text for span in line)) <= columns for line in table.lines)


def test_missing_energy_is_told_with_its_reasons(run: Make) -> None:
    rows = [
        run(energy_reason="run: sudo chmod"),
        run(energy_reason="run: sudo chmod"),
        run(energy_reason="window of 3 ticks is shorter than 20"),
        run(energy_j=5.0),
        run(outcome="failed", energy_reason="the test did not pass"),
        run(),
    ]

    assert missing_energy(rows) == [
        "no energy of 2 runs of 5 that passed: run: sudo chmod",
        "no energy of 1 run of 5 that passed: window of 3 ticks is shorter than 20",
    ]
