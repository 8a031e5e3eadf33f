"""Which of the sessions a selection leaves."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError, StoreMissingError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.selection import Selection, make_selection, pick_sessions

Make = Callable[..., SessionRow]
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)


def selection(*paths: Path, **filters: Any) -> Selection:
    return Selection(paths=paths or (Path("results"),), now=NOW, **filters)


@pytest.fixture
def sessions(session: Make) -> list[SessionRow]:
    branches = {16: "main", 17: "main"}
    return [
        session(f"{day:08d}", f"2026-11-{day}T10:00:00.000000", label=f"day-{day}", branch=branches.get(day, "dev"))
        for day in range(16, 21)
    ]


@pytest.mark.parametrize(
    ("filters", "days"),
    [
        ({}, [20]),
        ({"last": 2}, [19, 20]),
        ({"since": "2026-11-18"}, [18, 19, 20]),
        ({"until": "2026-11-17"}, [16, 17]),
        ({"since": "49h"}, [20]),
        ({"since": "2026-11-17", "until": "2026-11-19", "last": 2}, [18, 19]),
        ({"specs": ("latest", "day-16")}, [16, 20]),
        ({"specs": ("latest", "day-16"), "last": 1}, [20]),
    ],
)
def test_pick_sessions_follows_names_times_and_number(
    sessions: list[SessionRow], filters: dict[str, Any], days: list[int]
) -> None:
    picked = pick_sessions(sessions, selection(**filters), newest=None)

    assert [int(session.session_id) for session in picked] == days


@pytest.mark.parametrize(("filters", "count"), [({}, 3), ({"last": 4}, 4), ({"specs": ("latest",)}, 1)])
def test_pick_sessions_without_a_number_takes_the_newest(
    sessions: list[SessionRow], filters: dict[str, Any], count: int
) -> None:
    assert pick_sessions(sessions, selection(**filters), newest=3) == sessions[-count:]


def test_pick_sessions_of_several_files_takes_as_many(sessions: list[SessionRow], tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.duckdb" for name in "abc"]
    for file in files:
        file.touch()

    assert len(pick_sessions(sessions, selection(*files, tmp_path), newest=None)) == 3


def test_pick_sessions_of_a_branch(sessions: list[SessionRow]) -> None:
    assert pick_sessions(sessions, selection(), branch="main") == sessions[:2]


def test_pick_sessions_of_an_unknown_branch_names_the_others(sessions: list[SessionRow]) -> None:
    with pytest.raises(ConfigError, match="--branch mian: no session of this branch; choose from dev, main"):
        pick_sessions(sessions, selection(), branch="mian")


def test_pick_sessions_out_of_time_is_refused(sessions: list[SessionRow]) -> None:
    with pytest.raises(ConfigError, match="none of the 5 sessions"):
        pick_sessions(sessions, selection(since="2027-01-01"))


@pytest.mark.parametrize(
    ("filters", "text"),
    [
        ({}, None),
        ({"keyword": "sort", "where": "backend=cpu"}, "-k sort -w backend=cpu"),
        ({"metrics": ("wall_time", "cpu_time")}, "--metric wall_time,cpu_time"),
    ],
)
def test_selection_text_lists_the_filters(filters: dict[str, Any], text: str | None) -> None:
    assert selection(**filters).text() == text


def test_make_selection_distinguishes_paths_from_sessions(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()

    selected = make_selection([str(folder), "latest~1", "label:x", f"file:{folder}", "0123abcd"], tmp_path / "unused")

    assert selected.paths == (folder,)
    assert selected.specs == ("latest~1", "label:x", "0123abcd")


def test_make_selection_without_a_path_takes_the_database(tmp_path: Path) -> None:
    assert make_selection(["latest"], tmp_path).paths == (tmp_path,)


@pytest.mark.parametrize("spec", ["missing/", "./missing", "missing.duckdb", "file:missing", "~/missing-folder"])
def test_make_selection_of_a_missing_path_says_how_to_record(tmp_path: Path, spec: str) -> None:
    with pytest.raises(StoreMissingError, match=r"missing.* does not exist; record into it with: pytest --benchdb="):
        make_selection([spec], tmp_path)


def test_make_selection_of_a_word_without_a_database_names_both(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match=r"no file, folder or session 'word', and .*absent does not exist"):
        make_selection(["word"], tmp_path / "absent")


def test_make_selection_of_an_overlong_word_is_a_session_name(tmp_path: Path) -> None:
    assert make_selection(["x" * 5000, "nul\0"], tmp_path).specs == ("x" * 5000, "nul\0")
