"""Files that belong to runs: taken by their hash, folded, merged, found again."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.store import journals as j
from tests.store.conftest import Ask

from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import Attachment
from pytest_benchdb.store.attachments import (
    KeptFile,
    attachment_folders,
    find_attachment,
    keep_attachments,
    remove_stale_copies,
    spool_attachments,
)
from pytest_benchdb.store.history.merge import merge
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.history.session_folder import recover
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.target import Target

CONTENT = b"what a profiler said"
CHECKSUM = hashlib.blake2b(CONTENT, digest_size=20).hexdigest()


def no_spare() -> Path:
    raise OSError("no cache folder")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "out" / "trace.json"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def attachment(path: Path, name: str | None = None) -> Attachment:
    return Attachment(path=str(path), name=name or path.name)


def entry(kept: KeptFile) -> dict[str, object]:
    return {
        "id": kept.attachment_id,
        "name": kept.name,
        "media_type": kept.media_type,
        "checksum": kept.checksum,
        "size_bytes": kept.size_bytes,
        "created_us": kept.created_us,
    }


def journal_with(folder: Path, kept: Sequence[KeptFile], *, attachments: Path, ended: bool = True) -> tuple[Path, str]:
    run_id = uuid7()
    assert all((attachments / one.checksum).is_file() for one in kept)
    lines = j.run_lines("test_a", [10, 20], run_id=run_id, attachments=[entry(one) for one in kept])
    return j.write_journal(folder, lines, ended=ended), run_id


def stored(place: Path, file: Path, *, kind: str = "folder") -> tuple[Path, str]:
    """Store one session with one attachment; return its file and the run's id."""
    target = Target(path=place, kind="file" if kind == "file" else "folder")
    kept = keep_attachments([attachment(file)], target.attachments).files
    journal, run_id = journal_with(target.spool, kept, attachments=target.attachments)
    path = fold(str(journal), cache=os.environ["XDG_CACHE_HOME"]).path
    assert path is not None
    return Path(path), run_id


def test_keep_copies_a_file_under_its_hash(tmp_path: Path, file: Path) -> None:
    kept = keep_attachments([attachment(file, "a trace.json")], tmp_path / "kept")

    (one,) = kept.files
    assert kept.lost == ()
    assert (one.name, one.media_type, one.checksum, one.size_bytes) == (
        "a trace.json",
        "application/json",
        CHECKSUM,
        len(CONTENT),
    )
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [CHECKSUM]
    assert (tmp_path / "kept" / CHECKSUM).read_bytes() == CONTENT
    assert file.read_bytes() == CONTENT


def test_keep_of_equal_files_keeps_one(tmp_path: Path, file: Path) -> None:
    other = file.with_name("other.bin")
    other.write_bytes(CONTENT)

    kept = keep_attachments([attachment(file), attachment(other), attachment(file)], tmp_path / "kept")

    assert [one.checksum for one in kept.files] == [CHECKSUM] * 3
    assert len({one.attachment_id for one in kept.files}) == 3
    assert len(list((tmp_path / "kept").iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("profile.svg", "image/svg+xml"),
        ("profile.svg.gz", "application/gzip"),
        ("memray.bin", "application/octet-stream"),
        ("out", "application/json"),  # the name says nothing, the file's own does
    ],
)
def test_keep_guesses_the_type_by_the_name(tmp_path: Path, file: Path, name: str, media_type: str) -> None:
    (one,) = keep_attachments([attachment(file, name)], tmp_path / "kept").files

    assert one.media_type == media_type


def test_keep_of_an_unknown_kind_of_name_has_no_type(tmp_path: Path, file: Path) -> None:
    plain = file.rename(file.with_name("trace"))

    (one,) = keep_attachments([attachment(plain)], tmp_path / "kept").files

    assert one.media_type is None


def test_keep_of_a_file_that_vanished_says_so_and_takes_the_others(tmp_path: Path, file: Path) -> None:
    gone = file.with_name("gone.txt")

    kept = keep_attachments([attachment(gone), attachment(file)], tmp_path / "kept")

    assert [one.name for one in kept.files] == ["trace.json"]
    assert kept.lost == (f"gone.txt: {gone} cannot be read: No such file or directory",)


def test_keep_of_a_pipe_does_not_wait_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    kept = keep_attachments([attachment(pipe)], tmp_path / "kept")

    assert kept.lost == (f"pipe: {pipe} is not a regular file",)
    assert list((tmp_path / "kept").iterdir()) == []


def test_keep_goes_to_the_spare_folder_where_its_own_cannot_be_written(tmp_path: Path, file: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")

    kept = keep_attachments([attachment(file)], blocked / "attachments", spare=lambda: tmp_path / "spare")

    assert [one.checksum for one in kept.files] == [CHECKSUM]
    assert (tmp_path / "spare" / CHECKSUM).read_bytes() == CONTENT


def test_keep_without_any_folder_says_which_could_not_be_written(tmp_path: Path, file: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")

    kept = keep_attachments([attachment(file)], blocked, spare=no_spare)

    assert kept.files == ()
    assert kept.lost == (f"trace.json: {blocked} cannot be written: File exists",)


def test_keep_of_nothing_makes_no_folder(tmp_path: Path) -> None:
    keep_attachments([], tmp_path / "kept")

    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("checksum", ["../secret", "a/b", "", ".", "/etc/passwd"])
def test_find_takes_no_path_for_a_checksum(tmp_path: Path, checksum: str) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("x")

    assert find_attachment(checksum, [tmp_path, tmp_path / "a"]) is None


def test_places_of_every_kind_of_store_are_where_sessions_put_their_files(tmp_path: Path) -> None:
    folder, main = tmp_path / "results", tmp_path / "all.duckdb"
    folder.mkdir()

    assert attachment_folders(folder) == (folder / "attachments", spool_attachments())
    assert attachment_folders(folder / "2026.duckdb")[1] == folder / "attachments"
    assert attachment_folders(main)[0] == tmp_path / "all.duckdb.attachments"
    assert attachment_folders(tmp_path / "all.duckdb.inbox" / "2026.duckdb")[1] == tmp_path / "all.duckdb.attachments"
    for path, kind in ((folder, "folder"), (main, "file")):
        assert Target(path=path, kind="file" if kind == "file" else "folder").attachments == attachment_folders(path)[0]


def test_fold_writes_a_row_for_each_file(tmp_path: Path, file: Path, ask: Ask) -> None:
    path, run_id = stored(tmp_path / "results", file)

    rows = ask(path, "SELECT CAST(run_id AS VARCHAR), name, media_type, checksum, size_bytes FROM attachment")
    assert rows == [(run_id, "trace.json", "application/json", CHECKSUM, len(CONTENT))]
    assert ask(path, "SELECT count(*) FROM attachment JOIN run USING (session_id, run_id)") == [(1,)]
    ((created, started),) = ask(path, "SELECT epoch_us(created_at), epoch_us(started_at) FROM attachment, session")
    assert created > started


def test_fold_of_a_journal_without_attachments_has_none(tmp_path: Path, ask: Ask) -> None:
    journal = j.write_journal(tmp_path, j.run_lines("test_a", [10]))

    path = fold(str(journal), cache=os.environ["XDG_CACHE_HOME"]).path

    assert path is not None
    assert ask(Path(path), "SELECT count(*) FROM attachment") == [(0,)]


@pytest.mark.parametrize("damage", [b"", b"{broken\n"], ids=["died", "died with a damaged journal"])
def test_recover_loses_no_attachment(tmp_path: Path, file: Path, damage: bytes) -> None:
    folder = tmp_path / "results"
    kept = keep_attachments([attachment(file)], folder / "attachments").files
    journal, run_id = journal_with(folder, kept, attachments=folder / "attachments", ended=False)
    journal.write_bytes(journal.read_bytes() + damage)

    recovered, _ = recover(folder)

    assert len(recovered) == 1
    with open_history([folder]) as reader:
        (one,) = reader.run_detail(run_id).attachments
    assert one["path"] == str(folder / "attachments" / CHECKSUM)


def test_recover_removes_copies_that_died(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "attachments"
    keep_attachments([attachment(file)], folder)
    old, new = folder / ".old.part", folder / ".new.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))

    remove_stale_copies(folder)

    assert sorted(path.name for path in folder.iterdir()) == [new.name, CHECKSUM]


@pytest.mark.parametrize("source_kind", ["folder", "file"])
@pytest.mark.parametrize("target_kind", ["folder", "file"])
def test_merge_takes_files_along(tmp_path: Path, file: Path, source_kind: str, target_kind: str) -> None:
    source = tmp_path / ("a.duckdb" if source_kind == "file" else "a")
    _, run_id = stored(source, file, kind=source_kind)
    if source_kind == "file":
        merge([tmp_path / "a.duckdb.inbox"], Target(path=source, kind="file"))
    name = "all.duckdb" if target_kind == "file" else "all"
    target = Target(path=tmp_path / name, kind="file" if target_kind == "file" else "folder")

    first = merge([source], target)
    again = merge([source], target)

    assert (first.added, first.missing) == (1, ())
    assert (again.added, again.missing) == (0, ())
    assert (target.attachments / CHECKSUM).read_bytes() == CONTENT
    with open_history([target.path]) as reader:
        (one,) = reader.run_detail(run_id).attachments
    assert one["path"] == str(target.attachments / CHECKSUM)


def test_merge_of_one_session_file_takes_its_own_files_only(tmp_path: Path, file: Path) -> None:
    path, _ = stored(tmp_path / "a", file)
    other = file.with_name("other.txt")
    other.write_text("of another session")
    stored(tmp_path / "a", other)

    merge([path], Target(path=tmp_path / "all", kind="folder"))

    assert [one.name for one in (tmp_path / "all" / "attachments").iterdir()] == [CHECKSUM]


def test_merge_says_which_files_are_not_there_and_takes_the_session(tmp_path: Path, file: Path) -> None:
    path, run_id = stored(tmp_path / "a", file)
    (tmp_path / "a" / "attachments" / CHECKSUM).unlink()

    merged = merge([tmp_path / "a"], Target(path=tmp_path / "all.duckdb", kind="file"))

    assert merged.added == 1
    assert merged.missing == (f"trace.json ({CHECKSUM}) is not beside {path}",)
    with open_history([tmp_path / "all.duckdb"]) as reader:
        (one,) = reader.run_detail(run_id).attachments
    assert (one["name"], one["path"]) == ("trace.json", None)


def test_merge_says_that_a_file_has_changed(tmp_path: Path, file: Path) -> None:
    stored(tmp_path / "a", file)
    kept = tmp_path / "a" / "attachments" / CHECKSUM
    kept.write_text("somebody's editor")

    merged = merge([tmp_path / "a"], Target(path=tmp_path / "all", kind="folder"))

    assert merged.missing == (f"trace.json: {kept} has changed since it was attached",)
    assert list((tmp_path / "all" / "attachments").iterdir()) == []
