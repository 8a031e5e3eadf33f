"""Packing, pruning, upgrading and repairing: nothing but what was named is lost, whatever the store."""

import os
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.store import journals as j

from pytest_benchdb.errors import StoreError
from pytest_benchdb.model.annotation import Note
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.store.history.annotate import annotate
from pytest_benchdb.store.history.merge import merge
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.schema.template import SCHEMA_VERSION
from pytest_benchdb.store.target import Target
from pytest_benchdb.store.upkeep import packing, removal, rewrite
from pytest_benchdb.store.upkeep.files import content_of
from pytest_benchdb.store.upkeep.packing import pack
from pytest_benchdb.store.upkeep.removal import remove
from pytest_benchdb.store.upkeep.rewrite import Removal
from pytest_benchdb.store.upkeep.upgrade import upgrade

NAMES = ("test_a", "test_b", "test_c")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three sessions."""
    place = tmp_path / "results"
    for number in range(3):
        runs = [j.run_lines(name, [10 + number, 20, 30 + number]) for name in NAMES]
        journal = j.write_journal(place, *runs, started_us=j.STARTED_US + number * 86_400_000_000)
        fold(str(journal), cache=os.environ["XDG_CACHE_HOME"])
    return place


@pytest.fixture(params=["folder", "file"])
def target(request: pytest.FixtureRequest, folder: Path) -> Target:
    if request.param == "folder":
        return Target(path=folder, kind="folder")
    single = Target(path=folder.parent / "one.duckdb", kind="file")
    merge([folder], single)
    return single


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the store holds, in an order that does not depend on its files."""
    with open_history([path]) as reader:
        assert not reader.warnings
        return {
            table: reader.query(f"SELECT * FROM {table} ORDER BY ALL").rows  # type: ignore[misc]
            for table in ("session", "run", "measurement", "round_chunk", "benchmark", "samples")
        }


def ids_of(path: Path) -> list[str]:
    with open_history([path]) as reader:
        return [session.session_id for session in reader.sessions()]


def test_packing_keeps_every_row(target: Target) -> None:
    before = rows_of(target.path)

    packed = pack(target)

    assert packed.problems == ()
    assert packed.files_after == 1
    assert packed.bytes_after <= packed.bytes_before
    assert rows_of(target.path) == before
    again = pack(target)
    assert (again.files_before, again.files_after, again.problems) == (1, 1, ())
    assert rows_of(target.path) == before


def test_packing_goes_on_with_what_was_recorded_since(folder: Path) -> None:
    target = Target(path=folder, kind="folder")
    pack(target)
    journal = j.write_journal(folder, j.run_lines("test_a", [1, 2]), started_us=j.STARTED_US + 9 * 86_400_000_000)
    fold(str(journal), cache=os.environ["XDG_CACHE_HOME"])
    before = rows_of(folder)
    assert len(before["session"]) == 4

    assert pack(target).files_after == 1
    assert rows_of(folder) == before


def test_packing_keeps_annotations(folder: Path) -> None:
    target = Target(path=folder, kind="folder")
    created_at = "2026-11-21T08:00:00.000000"
    annotate(target, Note(note_id=uuid7(), session_id=ids_of(folder)[0], created_at=created_at, text="a note"))

    assert pack(target).files_after == 1
    with open_history([folder]) as reader:
        assert [note["text"] for note in reader.notes()] == ["a note"]


def test_packing_leaves_a_damaged_file_alone(folder: Path) -> None:
    damaged = min(folder.glob("*.duckdb"))
    content = damaged.read_bytes()
    damaged.write_bytes(content[:5000])

    packed = pack(Target(path=folder, kind="folder"))

    assert [str(damaged) in problem for problem in packed.problems] == [True]
    assert damaged.read_bytes() == content[:5000]
    assert len(ids_of(folder)) == 2


def test_file_whose_rows_are_not_in_the_packed_one_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = min(folder.glob("*.duckdb"))
    lost_id = content_of(lost).sessions[0]

    def forgetful(source: Path, final: Path, **_options: object) -> None:
        rewrite.rewrite(source, final, Removal(rounds=[lost_id]))

    monkeypatch.setattr(packing, "rewrite", forgetful)
    packed = pack(Target(path=folder, kind="folder"))

    assert packed.problems == (f"{lost} stays: its rows of round_chunk are not all in the packed file",)
    assert lost.exists()
    assert packed.files_after == 2


def test_removed_session_is_gone_with_everything_of_its_own(target: Target) -> None:
    first, *others = ids_of(target.path)
    before = rows_of(target.path)

    removed = remove(target, Removal(sessions=[first]))

    assert removed.problems == ()
    assert ids_of(target.path) == others
    after = rows_of(target.path)
    for table in ("run", "measurement", "round_chunk"):
        assert 0 < len(after[table]) < len(before[table])
        assert set(map(str, after[table])) <= set(map(str, before[table]))


def test_removed_rounds_leave_statistics(target: Target) -> None:
    first, *_ = ids_of(target.path)
    before = rows_of(target.path)

    removed = remove(target, Removal(rounds=[first]))

    assert removed.problems == ()
    after = rows_of(target.path)
    assert after["measurement"] == before["measurement"]
    assert after["run"] == before["run"]
    kept = [row for row in before["round_chunk"] if first not in map(str, row)]
    assert 0 < len(kept) < len(before["round_chunk"])
    assert list(after["round_chunk"]) == kept


def test_removal_from_a_file_of_several_sessions_keeps_the_others(folder: Path) -> None:
    target = Target(path=folder, kind="folder")
    pack(target)
    first, *others = ids_of(folder)

    assert remove(target, Removal(sessions=[first])).files == 1
    assert ids_of(folder) == others


def test_file_that_cannot_be_written_anew_stays_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows_of(folder)

    def fails(source: Path, *_args: object) -> None:
        raise StoreError(f"{source}: no space")

    monkeypatch.setattr(removal, "rewrite", fails)
    removed = remove(Target(path=folder, kind="folder"), Removal(rounds=ids_of(folder)))

    assert len(removed.problems) == 3
    assert rows_of(folder) == before


def test_older_files_are_upgraded_once(folder: Path) -> None:
    older = folder / min(folder.glob("*.duckdb")).name
    before = rows_of(folder)
    with duckdb.connect(str(older)) as connection:
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'schema_version'; DROP TABLE exclusion")
        for (view,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
            connection.execute(f'DROP VIEW "{view}"')
        connection.execute("ALTER TABLE session DROP COLUMN commit_subject")
    assert content_of(older).version == 2

    upgraded = upgrade(Target(path=folder, kind="folder"))

    assert (upgraded.upgraded, upgraded.current, upgraded.problems) == ((older,), 2, ())
    assert content_of(older).version == SCHEMA_VERSION
    assert upgrade(Target(path=folder, kind="folder")).upgraded == ()
    assert [row[:3] for row in rows_of(folder)["run"]] == [row[:3] for row in before["run"]]
