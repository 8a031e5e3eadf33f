"""Backups: whole, incremental, verified, restored to a time, and never over anything."""

import datetime as dt
import json
import os
from pathlib import Path

import pytest
from tests.store import journals as j

from pytest_benchdb.errors import ConfigError, CorruptFileError, ForeignFileError
from pytest_benchdb.store.history.merge import merge
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.target import Target
from pytest_benchdb.store.upkeep.backup import BackedUp, back_up, backups_in, restore

NOW = dt.datetime(2026, 11, 21, 8, tzinfo=dt.timezone.utc)


def record(folder: Path, day: int = 0) -> Path:
    journal = j.write_journal(folder, j.run_lines("test_a", [10, 20]), started_us=j.STARTED_US + day * 86_400_000_000)
    path = fold(str(journal), cache=os.environ["XDG_CACHE_HOME"]).path
    assert path is not None
    return Path(path)


@pytest.fixture
def results(tmp_path: Path) -> Target:
    record(tmp_path / "results")
    return Target(path=tmp_path / "results", kind="folder")


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    return tmp_path / "copies"


def made(target: Target, copies: Path, day: int = 0, *, full: bool = False, retain_days: int | None = None) -> BackedUp:
    retain = None if retain_days is None else dt.timedelta(days=retain_days)
    return back_up(target, copies, now=NOW + dt.timedelta(days=day), full=full, retain=retain)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.duckdb") if path.name != "history.duckdb"}


def test_backup_is_incremental_and_each_is_whole(results: Target, copies: Path, tmp_path: Path) -> None:
    before = contents(results.path)
    first = made(results, copies)
    record(results.path, day=1)
    second = made(results, copies, day=1)
    third = made(results, copies, day=2)

    assert [(len(b.backup.files), b.copied, b.problems) for b in (first, second, third)] == [
        (1, 1, ()),
        (2, 1, ()),
        (2, 0, ()),
    ]
    restore(first.backup, Target(path=tmp_path / "old", kind="folder"))
    restore(third.backup, Target(path=tmp_path / "new", kind="folder"))
    assert contents(tmp_path / "old") == before
    assert contents(tmp_path / "new") == contents(results.path)
    with open_history([tmp_path / "new"]) as reader:
        assert len(reader.sessions()) == 2


def test_single_file_comes_back_byte_by_byte(results: Target, copies: Path, tmp_path: Path) -> None:
    single = Target(path=tmp_path / "one.duckdb", kind="file")
    merge([results.path], single)

    backup = made(single, copies).backup
    restore(backup, Target(path=tmp_path / "back.duckdb", kind="file"))

    assert (tmp_path / "back.duckdb").read_bytes() == single.path.read_bytes()
    assert made(single, copies, day=1).copied == 0


def test_attachments_are_in_the_backup(results: Target, copies: Path, tmp_path: Path) -> None:
    results.attachments.mkdir()
    (results.attachments / ("a" * 40)).write_bytes(b"profile")

    backup = made(results, copies).backup
    restore(backup, Target(path=tmp_path / "back", kind="folder"))

    assert (tmp_path / "back" / "attachments" / ("a" * 40)).read_bytes() == b"profile"


def test_session_that_runs_is_named(results: Target, copies: Path) -> None:
    journal = j.write_journal(results.path, j.run_lines("test_a", [1]), ended=False)
    with journal.open("rb+") as held:
        import fcntl

        fcntl.flock(held, fcntl.LOCK_EX)
        problems = made(results, copies).problems

    assert [str(journal) in problem for problem in problems] == [True]


def test_damaged_file_keeps_no_other_out_of_the_backup(results: Target, copies: Path) -> None:
    damaged = record(results.path, day=1)
    damaged.write_bytes(damaged.read_bytes()[:5000])

    done = made(results, copies)

    assert len(done.backup.files) == 2
    assert [str(damaged) in problem for problem in done.problems] == [True]


def test_old_backups_go_and_their_files_too(results: Target, copies: Path) -> None:
    made(results, copies)
    gone = record(results.path, day=1)
    made(results, copies, day=1)
    gone.unlink()

    last = made(results, copies, day=40, retain_days=30)

    assert len(last.expired) == 2
    assert [backup.path for backup in backups_in(copies)] == [last.backup.path]
    assert {path.name for path in (copies / "files").iterdir()} == {entry.checksum for entry in last.backup.files}


@pytest.mark.parametrize("damage", ["changed", "shorter", "missing"])
def test_damaged_backup_restores_nothing(results: Target, copies: Path, tmp_path: Path, damage: str) -> None:
    record(results.path, day=1)
    backup = made(results, copies).backup
    file = copies / "files" / backup.files[-1].checksum
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(content[:-1] + (b"" if damage == "shorter" else b"\xff" if content[-1:] != b"\xff" else b"\0"))

    with pytest.raises(CorruptFileError, match=backup.files[-1].checksum):
        restore(backup, Target(path=tmp_path / "back", kind="folder"))
    assert not (tmp_path / "back").exists()
    assert made(results, copies, day=1, full=True).copied == 2
    restore(backups_in(copies)[-1], Target(path=tmp_path / "back", kind="folder"))


def test_restore_never_replaces_anything(results: Target, copies: Path, tmp_path: Path) -> None:
    backup = made(results, copies).backup
    before = contents(results.path)

    for place in (results, Target(path=tmp_path / "x.duckdb", kind="file")):
        with pytest.raises(ConfigError, match="benchdb merge"):
            restore(backup, place)
    assert contents(results.path) == before


def test_backups_stay_out_of_the_store_and_of_other_folders(results: Target, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")

    with pytest.raises(ConfigError, match="within"):
        made(results, results.path / "copies")
    with pytest.raises(ConfigError, match=r"holds 'thesis.txt'"):
        made(results, tmp_path / "mine")


@pytest.mark.parametrize(
    "change",
    [
        {"files": [{"name": "../../etc/x", "checksum": "a" * 64, "size_bytes": 1}]},
        {"files": [{"name": "x", "checksum": "../../../etc/passwd", "size_bytes": 1}]},
        {"files": [{"name": "a\\..\\x", "checksum": "a" * 64, "size_bytes": 1}]},
        {"files": [{"name": "x"}]},
        {"schema": "benchdb.backup/9"},
        {"kind": "device"},
        {"created_at": "yesterday"},
    ],
)
def test_list_from_elsewhere_cannot_name_other_files(results: Target, copies: Path, change: dict[str, object]) -> None:
    path = made(results, copies).backup.path
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    with pytest.raises(ForeignFileError, match="is not the list of a backup"):
        backups_in(copies)
