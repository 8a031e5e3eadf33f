"""Which sessions a report shows, and in which order its runs stand."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.read.report import check_sort, choose_sessions, sort_rows
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.operations.select.sessions import Source

Make = Callable[..., Any]
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)


def source(*paths: Path, sessions: tuple[str, ...] = ()) -> Source:
    return Source(paths=paths or (Path("results"),), sessions=sessions)


@pytest.fixture
def sessions(session: Make) -> list[SessionRow]:
    return [session(f"{day:08d}", f"2026-11-{day}T10:00:00.000000", label=f"day-{day}") for day in range(16, 21)]


@pytest.mark.parametrize(
    ("selection", "names", "days"),
    [
        (Selection(), (), [20]),
        (Selection(last=2), (), [19, 20]),
        (Selection(since="2026-11-18"), (), [18, 19, 20]),
        (Selection(until="2026-11-17"), (), [16, 17]),
        (Selection(since="49h"), (), [20]),
        (Selection(since="2026-11-17", until="2026-11-19", last=2), (), [18, 19]),
        (Selection(), ("latest", "day-16"), [16, 20]),
        (Selection(last=1), ("latest", "day-16"), [20]),
    ],
)
def test_choose_sessions_follows_names_times_and_number(
    sessions: list[SessionRow], selection: Selection, names: tuple[str, ...], days: list[int]
) -> None:
    chosen = choose_sessions(sessions, source(sessions=names), selection, NOW)

    assert [int(session.session_id) for session in chosen] == days


def test_choose_sessions_of_several_files_takes_as_many(sessions: list[SessionRow], tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.duckdb" for name in "abc"]
    for file in files:
        file.touch()

    chosen = choose_sessions(sessions, source(*files, tmp_path), Selection(), NOW)

    assert len(chosen) == 3


def test_choose_sessions_out_of_time_is_refused(sessions: list[SessionRow]) -> None:
    with pytest.raises(ConfigError, match="none of the 5 sessions"):
        choose_sessions(sessions, source(), Selection(since="2027-01-01"), NOW)


@pytest.mark.parametrize("sort", ["speed", "--median", ""])
def test_check_sort_of_an_unknown_column_lists_the_choice(sort: str) -> None:
    with pytest.raises(ConfigError, match=r"no such column; choose from benchmark, "):
        check_sort(sort)


@given(st.lists(st.one_of(st.none(), st.floats(min_value=1e-9, max_value=1e3)), max_size=8), st.booleans())
def test_sort_rows_puts_the_unmeasured_last_both_ways(run: Make, medians_s: list[float | None], down: bool) -> None:
    rows = [run(run_id=str(number), median_s=median_s) for number, median_s in enumerate(medians_s)]

    ordered = [row.median_s for row in sort_rows(rows, "-median" if down else "median")]

    known = sorted((value for value in medians_s if value is not None), reverse=down)
    assert ordered == known + [None] * (len(medians_s) - len(known))


def test_sort_rows_of_failed_runs_ignores_their_figures(run: Make) -> None:
    rows = [run(run_id="failed", median_s=1.0, outcome="failed"), run(run_id="slow", median_s=9.0)]

    assert [row.run_id for row in sort_rows(rows, "median")] == ["slow", "failed"]


def test_sort_rows_of_texts_ignores_case(run: Make) -> None:
    rows = [run(fullname=name) for name in ("b", "C", "a")]

    assert [row.fullname for row in sort_rows(rows, "benchmark")] == ["a", "b", "C"]


def test_sort_rows_without_a_column_keeps_the_order(run: Make) -> None:
    rows = [run(fullname=name) for name in "bca"]

    assert sort_rows(rows, None) == rows
