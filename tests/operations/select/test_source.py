"""SPEC: paths, and names of sessions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.errors import ConfigError, StoreMissingError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.sessions import find_sessions, split_specs

Make = Callable[..., SessionRow]
FIRST = "019a9e5c-0001-7000-8000-000000000001"
SECOND = "019a9e5c-0002-7000-8000-000000000002"
THIRD = "019a9e60-0003-7000-8000-000000000003"


@pytest.fixture
def sessions(session: Make) -> list[SessionRow]:
    return [session(FIRST, label="nightly"), session(SECOND, label="nightly"), session(THIRD)]


@pytest.mark.parametrize(
    ("specs", "found"),
    [
        (["latest"], [THIRD]),
        (["latest~0"], [THIRD]),
        (["latest~2"], [FIRST]),
        (["nightly"], [SECOND]),
        (["label:nightly"], [SECOND]),
        (["019a9e60"], [THIRD]),
        ([FIRST], [FIRST]),
        ([FIRST.upper()], [FIRST]),
        (["session:019a9e5c-0002"], [SECOND]),
        (["latest", THIRD, "latest~1"], [THIRD, SECOND]),
    ],
    ids=",".join,
)
def test_find_sessions_by_name(sessions: list[SessionRow], specs: list[str], found: list[str]) -> None:
    assert [session.session_id for session in find_sessions(specs, sessions)] == found


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ("latest~3", "there are only 3 of them"),
        ("weekly", "'weekly' is no session"),
        ("label:019a9e60", "is no session"),
        ("session:nightly", "is no session"),
        ("ffff", "is no session"),
        ("019", "is no session"),
        ("019a9e5c", f"fits 2 sessions: {FIRST} .*{SECOND} .*write more of the id"),
    ],
)
def test_find_sessions_by_a_wrong_name_is_refused(sessions: list[SessionRow], spec: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        find_sessions([spec], sessions)


def test_split_specs_tells_paths_from_sessions(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()

    source = split_specs([str(folder), "latest~1", "label:x", f"file:{folder}", "0123abcd"], tmp_path / "unused")

    assert source.paths == (folder,)
    assert source.sessions == ("latest~1", "label:x", "0123abcd")


def test_split_specs_without_a_path_takes_the_database(tmp_path: Path) -> None:
    assert split_specs(["latest"], tmp_path).paths == (tmp_path,)


@pytest.mark.parametrize("spec", ["missing/", "./missing", "missing.duckdb", "file:missing", "~/missing-folder"])
def test_split_specs_of_a_missing_path_says_how_to_record(tmp_path: Path, spec: str) -> None:
    with pytest.raises(StoreMissingError, match=r"missing.* does not exist; record into it with: pytest --benchdb="):
        split_specs([spec], tmp_path)


def test_split_specs_of_a_word_without_a_database_names_both(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match=r"no file, folder or session 'word', and .*absent does not exist"):
        split_specs(["word"], tmp_path / "absent")


def test_split_specs_of_an_overlong_word_is_a_session_name(tmp_path: Path) -> None:
    assert split_specs(["x" * 5000, "nul\0"], tmp_path).sessions == ("x" * 5000, "nul\0")
