from pathlib import Path

import pytest

from pytest_benchdb.store import own_commands
from pytest_benchdb.store.own_commands import OwnCommand, recall, remember


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "pytest-benchdb"


def own(session_id: str) -> OwnCommand:
    return OwnCommand(session_id=session_id, command="pytest -q 'a b'", folder="/work")


def test_own_command_is_recalled_and_no_other() -> None:
    for session_id in ("one", "two"):
        remember(own(session_id))

    assert recall("one") == own("one")
    assert recall("three") is None
    assert recall("o") is None


def test_nothing_is_recalled_without_a_cache_or_from_damaged_lines(cache: Path) -> None:
    assert recall("one") is None

    remember(own("one"))
    (cache / "commands.jsonl").write_bytes(b"one\n{}\n\xff one\n")

    assert recall("one") is None


def test_older_half_is_forgotten_once_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_commands, "_MOST_BYTES", 300)
    for number in range(10):
        remember(own(f"session-{number}"))

    assert recall("session-9") == own("session-9")
    assert recall("session-0") is None


def test_commands_are_not_written_through_a_link(cache: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("", encoding="utf-8")
    cache.mkdir()
    (cache / "commands.jsonl").symlink_to(victim)

    remember(own("one"))

    assert victim.read_text(encoding="utf-8") == ""
