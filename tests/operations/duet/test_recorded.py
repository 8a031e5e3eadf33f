"""A duet without a command takes the one that this user recorded here, and no other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import make_session

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.duet.recorded import recorded_words, without_recording
from pytest_benchdb.store.own_commands import OwnCommand, remember

Recorded = Callable[..., list[str]]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Return a function that records sessions, of None from elsewhere, and gives the words of a duet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def call(*commands: str | None, folder: Path = tmp_path) -> list[str]:
        for at, command in enumerate(commands):
            made = make_session(tmp_path / "db", at=at, command="pytest -p evil --benchdb")
            if command is not None:
                remember(OwnCommand(session_id=made.session_id, command=command, folder=str(folder.resolve())))
        return recorded_words(tmp_path / "db", tmp_path, "benchdb duet main -- pytest")

    return call


def test_newest_own_command_is_taken_without_its_recording(recorded: Recorded) -> None:
    own = (
        "pytest tests -k 'a or b' -p no:randomly --benchdb=db --benchdb-label x --benchdb-fail-on=time:5% --benchdb-all"
    )

    assert recorded("pytest old", own, None) == [
        "pytest",
        "tests",
        "-k",
        "a or b",
        "-p",
        "no:randomly",
        "--benchdb-all",
    ]


@pytest.mark.parametrize(
    ("commands", "options", "what"),
    [
        ((None, None), {}, "you did not record the session on this machine"),
        (("pytest",), {"folder": Path("/elsewhere")}, "the session was recorded in "),
        (("pytest --token=***",), {}, "secrets were masked"),
        (("make bench",), {}, "does not call pytest"),
    ],
)
def test_other_commands_are_not_run(
    recorded: Recorded, commands: tuple[str | None, ...], options: dict[str, Any], what: str
) -> None:
    with pytest.raises(ConfigError, match="benchdb duet main -- pytest") as raised:
        recorded(*commands, **options)

    assert what in str(raised.value)


def test_database_that_is_not_there_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="say what to run after --"):
        recorded_words(tmp_path / "none", tmp_path, "benchdb duet main -- pytest")


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["pytest", "--benchdb", "--benchmark-only"], ["pytest", "--benchmark-only"]),
        (["pytest", "--benchdb-strict", "tests"], ["pytest", "tests"]),
        (["pytest", "--benchmark-json", "out.json", "-x"], ["pytest", "-x"]),
        (["pytest", "--benchdb-backends", "cuda", "-q"], ["pytest", "--benchdb-backends", "cuda", "-q"]),
        (["pytest", "--benchmark-autosave", "tests"], ["pytest", "tests"]),
    ],
)
def test_options_that_record_are_left_out(words: list[str], kept: list[str]) -> None:
    assert without_recording(words) == kept
