import os
import shutil
from pathlib import Path

import pytest
from tests.store import journals as j
from tests.store.conftest import Ask
from tests.store.history.test_history import id_of, ids, read_only_mount, session
from tests.store.processes import HOLD, running

from pytest_benchdb.errors import ConfigError, StoreError
from pytest_benchdb.model.annotation import Acceptance, Baseline, Note
from pytest_benchdb.model.identity import content_id, uuid7
from pytest_benchdb.store.history.annotate import annotate
from pytest_benchdb.store.history.merge import MergeResult, merge
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.target import Target
from pytest_benchdb.store.upkeep.check import validate

AT = "2026-11-21T08:00:00.000000"


def folder_of(path: Path) -> Target:
    return Target(path=path, kind="folder")


def file_of(path: Path) -> Target:
    return Target(path=path, kind="file")


def baseline(name: str = "release", *, at: str = AT, removed: bool = False, session_id: str | None = None) -> Baseline:
    return Baseline(
        baseline_id=uuid7(),
        project="demo",
        name=name,
        spec="latest",
        session_id=session_id,
        created_at=at,
        removed_at=at if removed else None,
    )


def acceptance(reason: str = 'it\'s "fine" 100 %') -> Acceptance:
    return Acceptance(
        acceptance_id=uuid7(),
        pattern="*::test_a[*]",
        metric="wall_time",
        fingerprint=j.FINGERPRINT,
        since_session_id=content_id("since"),
        reason=reason,
        author="me",
        created_at=AT,
        expires_at="2027-01-01T00:00:00.000000",
    )


def note(session_id: str | None = None, text: str = "ü") -> Note:
    return Note(note_id=uuid7(), session_id=session_id, author=None, created_at=AT, text=text)


def written(*paths: Path) -> tuple[list[str], list[str], list[str]]:
    """Return names of baselines, reasons of acceptances, texts of notes."""
    with open_history(paths) as reader:
        assert reader.warnings == ()
        return (
            [one.name for one in reader.baselines()],
            [one.reason for one in reader.acceptances()],
            sorted(one["text"] for one in reader.notes()),
        )


@pytest.fixture(params=["folder", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    """Hold one session."""
    session(tmp_path / "sessions")
    if request.param == "folder":
        return folder_of(tmp_path / "sessions")
    target = file_of(tmp_path / "one.duckdb")
    merge([tmp_path / "sessions"], target)
    return target


def test_annotate_rows_come_back_as_they_were_written(place: Target) -> None:
    (session_id,) = ids(place.path)
    entries = (baseline(session_id=session_id), acceptance(), note(session_id))
    for entry in entries:
        annotate(place, entry)

    with open_history([place.path]) as reader:
        assert reader.baselines() == [entries[0]]
        assert reader.acceptances() == [entries[1]]
        (found,) = reader.notes(session_id)
        assert (found["session_id"], found["text"], found["created_at"]) == (session_id, "ü", AT)


def test_annotate_leaves_nothing_else_behind(tmp_path: Path) -> None:
    path = annotate(folder_of(tmp_path), note())

    assert list(tmp_path.iterdir()) == [path]


def test_annotate_disturbs_no_reader(place: Target) -> None:
    before = ids(place.path)
    for entry in (baseline(), acceptance(), note()):
        annotate(place, entry)

    assert ids(place.path) == before
    assert written(place.path) == (["release"], ['it\'s "fine" 100 %'], ["ü"])
    checked = validate(place.path)
    assert (checked.problems, checked.sessions) == ((), 1)


def test_annotate_folder_of_nothing_but_annotations_has_no_session(tmp_path: Path) -> None:
    annotate(folder_of(tmp_path), note())

    assert ids(tmp_path) == []
    assert written(tmp_path) == ([], [], ["ü"])


def test_annotate_newest_baseline_of_a_name_wins(place: Target) -> None:
    annotate(place, baseline(at="2026-11-21T09:00:00.000000", session_id=content_id("new")))
    annotate(place, baseline(at=AT, session_id=content_id("old")))
    annotate(place, baseline("other"))

    with open_history([place.path]) as reader:
        assert [(one.name, one.session_id) for one in reader.baselines()] == [
            ("other", None),
            ("release", content_id("new")),
        ]


def test_annotate_removed_baseline_is_gone_until_it_is_set_again(place: Target) -> None:
    annotate(place, baseline())
    annotate(place, baseline(at="2026-11-21T09:00:00.000000", removed=True))
    assert written(place.path)[0] == []

    annotate(place, baseline(at="2026-11-21T10:00:00.000000"))
    assert written(place.path)[0] == ["release"]


def test_folder_history_takes_each_annotation_once(tmp_path: Path, ask: Ask) -> None:
    session(tmp_path)
    path = annotate(folder_of(tmp_path), note())
    shutil.copyfile(path, tmp_path / "copy.duckdb")
    for _again in range(2):
        assert written(tmp_path)[2] == ["ü"]

    (tmp_path / "history.duckdb").unlink()
    assert written(tmp_path)[2] == ["ü"]
    assert ask(tmp_path / "history.duckdb", "SELECT count(*) FROM note") == [(1,)]


def test_folder_history_annotation_goes_with_its_last_file(tmp_path: Path) -> None:
    kept = session(tmp_path)
    first = annotate(folder_of(tmp_path), baseline())
    annotate(folder_of(tmp_path), note(id_of(kept)))
    copy = tmp_path / "copy.duckdb"
    shutil.copyfile(first, copy)
    assert written(tmp_path) == (["release"], [], ["ü"])

    first.unlink()
    assert written(tmp_path) == (["release"], [], ["ü"])
    copy.unlink()
    assert written(tmp_path) == ([], [], ["ü"])
    assert ids(tmp_path) == [id_of(kept)]


def test_folder_history_note_outlives_the_session_it_is_about(tmp_path: Path) -> None:
    gone = session(tmp_path)
    annotate(folder_of(tmp_path), note(id_of(gone)))
    content = gone.read_bytes()
    ids(tmp_path)

    gone.unlink()
    assert ids(tmp_path) == []
    gone.write_bytes(content)
    with open_history([tmp_path]) as reader:
        assert [one["text"] for one in reader.notes(id_of(gone))] == ["ü"]


def test_folder_history_note_of_a_damaged_journal_goes_with_its_session(tmp_path: Path) -> None:
    journal = j.write_journal(tmp_path, j.run_lines("test_a", [10]), b"not json\n")
    path = fold(str(journal), cache=os.environ["XDG_CACHE_HOME"]).path
    assert path is not None
    session(tmp_path, number=1)
    assert len(written(tmp_path)[2]) == 1

    Path(path).unlink()
    assert written(tmp_path)[2] == []


def test_annotate_several_places_at_once_are_read_together(tmp_path: Path) -> None:
    session(tmp_path / "a")
    session(tmp_path / "b", number=1)
    annotate(folder_of(tmp_path / "a"), baseline("one"))
    annotate(folder_of(tmp_path / "b"), baseline("two"))

    assert written(tmp_path / "a", tmp_path / "b")[0] == ["one", "two"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_merge_keeps_annotations_and_doubles_none(tmp_path: Path, place: Target, kind: str) -> None:
    (session_id,) = ids(place.path)
    for entry in (baseline(), acceptance("ok"), note(session_id), note()):
        annotate(place, entry)
    target = folder_of(tmp_path / "all") if kind == "folder" else file_of(tmp_path / "all.duckdb")

    first = merge([place.path], target)
    count = len(list(tmp_path.glob("all/*")))
    again = merge([place.path], target)

    assert (first.added, again.added, first.refused) == (1, 0, ())
    assert written(target.path) == (["release"], ["ok"], ["ü", "ü"])
    assert len([name for name in tmp_path.glob("all/*.duckdb") if name.name != "history.duckdb"]) == count


def test_merge_brings_annotations_of_sessions_that_are_there_already(tmp_path: Path, place: Target) -> None:
    target = file_of(tmp_path / "all.duckdb")
    merge([place.path], target)
    annotate(place, note())

    assert merge([place.path], target) == MergeResult(added=0, present=1, refused=())
    assert written(target.path)[2] == ["ü"]


def test_annotate_locked_file_leaves_it_in_the_inbox(tmp_path: Path) -> None:
    session(tmp_path / "sessions")
    target = file_of(tmp_path / "one.duckdb")
    merge([tmp_path / "sessions"], target)

    with running(HOLD, target.path, "rw"):
        path = annotate(target, note(), wait_s=0)
        assert path.parent == target.spool

    assert written(target.path)[2] == ["ü"]
    assert not path.exists()


def test_annotate_session_file_stays_as_it_was_recorded(tmp_path: Path) -> None:
    path = session(tmp_path)
    before = path.read_bytes()

    with pytest.raises(ConfigError, match=f"--db {tmp_path}"):
        annotate(file_of(path), note())

    assert path.read_bytes() == before


def test_annotate_read_only_folder_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    session(folder)

    with read_only_mount(folder), pytest.raises(StoreError, match=r"cannot be written|Read-only"):
        annotate(folder_of(folder), note())

    assert list(folder.glob(".*")) == []


def test_annotate_damaged_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "one.duckdb"
    path.write_bytes(b"nothing of the kind")

    with pytest.raises(StoreError, match="not a pytest-benchdb database"):
        annotate(file_of(path), note())
