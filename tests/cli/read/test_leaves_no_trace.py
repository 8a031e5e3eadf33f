"""Commands that read leave nothing behind where there is nothing to read."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.cli.decide.duet_run import DUET_DB
from pytest_benchdb.cli.frame.project import DEFAULT_DB
from pytest_benchdb.plugin.settings import DEFAULT_PATH
from pytest_benchdb.store.target import DEFAULT_FOLDERS

Call = Callable[..., Any]

READING = (
    ("report",),
    ("sessions",),
    ("show", "latest"),
    ("query", "SELECT 1"),
    ("env",),
    ("trend",),
    ("noise",),
    ("correlate",),
    ("compare", "latest~1", "latest"),
    ("regress",),
    ("baseline", "list"),
    ("accept", "--list"),
    ("note", "latest", "seen"),
)


def names_under(folder: Path) -> list[str]:
    return sorted(os.fspath(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture(params=["empty", "package", "old trace"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a folder without sessions; the last has what earlier versions left."""
    folder = tmp_path / "place"
    folder.mkdir()
    if request.param != "empty":
        (folder / "module.py").write_text("")
    if request.param == "old trace":
        (folder / "history.duckdb").write_bytes(b"")
        (folder / "history.lock").write_bytes(b"")
    return folder


@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
def test_reading_a_folder_without_sessions_writes_nothing(benchdb: Call, place: Path, words: tuple[str, ...]) -> None:
    before = names_under(place)

    ended = benchdb(*words, "--db", str(place))

    assert (ended.status, ended.out) == (5, "")
    assert "contains no session" in ended.err
    assert names_under(place) == before


def test_advice_names_the_folder_only_if_it_can_be_recorded_into(benchdb: Call, place: Path) -> None:
    advised = benchdb("sessions", "--db", str(place)).err

    is_free = names_under(place) == []
    assert advised.rstrip().endswith(f"pytest --benchdb={place}" if is_free else "record one with: pytest --benchdb")


def test_doctor_says_that_there_is_no_session(benchdb: Call, place: Path) -> None:
    before = names_under(place)

    ended = benchdb("doctor", str(place), "--width", "200")

    assert ended.status == 0
    assert "contains no session" in ended.out
    assert "everything is in order" not in ended.out
    assert names_under(place) == before


def test_unfinished_sessions_are_named(benchdb: Call, tmp_path: Path) -> None:
    from pytest_benchdb.store.journal.journal import Journal

    journal = Journal("019a9e5c-7b2c-7000-8000-0123456789ab", lambda: [tmp_path], b'{"k":"session"}\n')
    try:
        ended = benchdb("sessions", "--db", str(tmp_path))
    finally:
        journal.close(b'{"k":"end"}\n')

    assert ended.status == 5
    assert "contains no finished session, but 1 unfinished" in ended.err


def test_default_folders_have_one_name_each() -> None:
    assert (DEFAULT_DB, DUET_DB) == DEFAULT_FOLDERS
    assert DEFAULT_PATH == DEFAULT_DB
