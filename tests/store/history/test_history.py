import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.store import journals as j
from tests.store.conftest import Ask
from tests.store.processes import HOLD, LOCK, running

from pytest_benchdb.errors import CorruptFileError, ForeignFileError, StoreError, StoreMissingError
from pytest_benchdb.model.identity import content_id, uuid7
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold

MINUTE_US = 60_000_000


def session(folder: Path, *runs: bytes, number: int = 0, **changes: Any) -> Path:
    """Store a session that started `number` minutes after the first."""
    started_us = j.STARTED_US + number * MINUTE_US
    journal = j.write_journal(
        folder,
        *(runs or [j.run_lines("test_a", [10, 20], started_us=started_us)]),
        session_id=uuid7(started_us // 1000),
        started_us=started_us,
        **changes,
    )
    path = fold(str(journal), cache=os.environ["XDG_CACHE_HOME"]).path
    assert path is not None
    return Path(path)


def ids(*paths: Path) -> list[str]:
    with open_history(paths) as reader:
        return [one.session_id for one in reader.sessions()]


def id_of(path: Path) -> str:
    return path.stem.split("-", 1)[1]


def test_open_history_folder_gives_sessions_oldest_first(tmp_path: Path) -> None:
    made = [session(tmp_path, number=number) for number in (2, 0, 1)]

    assert ids(tmp_path) == [id_of(made[1]), id_of(made[2]), id_of(made[0])]


def test_open_history_new_session_appears_and_nothing_doubles(tmp_path: Path, ask: Ask) -> None:
    first = session(tmp_path)
    assert ids(tmp_path) == [id_of(first)]
    second = session(tmp_path, number=1)

    assert ids(tmp_path) == [id_of(first), id_of(second)]
    assert ids(tmp_path) == [id_of(first), id_of(second)]
    assert ask(tmp_path / "history.duckdb", "SELECT count(*) FROM round_chunk") == [(2,)]
    for table in ("environment", "device", "benchmark"):
        assert ask(tmp_path / "history.duckdb", f"SELECT count(*) FROM {table}") == [(1,)]


def test_open_history_removed_session_vanishes(tmp_path: Path, ask: Ask) -> None:
    kept, removed = session(tmp_path), session(tmp_path, number=1)
    ids(tmp_path)
    removed.unlink()

    assert ids(tmp_path) == [id_of(kept)]
    for table in ("run", "round_chunk", "session", "source_file"):
        assert ask(tmp_path / "history.duckdb", f"SELECT count(*) FROM {table}") == [(1,)]


def test_open_history_same_session_under_two_names_counts_once(tmp_path: Path) -> None:
    first = session(tmp_path)
    copy = tmp_path / "copy.duckdb"
    shutil.copyfile(first, copy)

    assert ids(tmp_path) == [id_of(first)]
    first.unlink()
    assert ids(tmp_path) == [id_of(first)]
    copy.unlink()
    with pytest.raises(StoreMissingError, match="contains no session"):
        ids(tmp_path)


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign", "flipped"])
def test_open_history_bad_session_file_is_left_out_with_its_reason(tmp_path: Path, damage: str) -> None:
    good, bad = session(tmp_path), session(tmp_path, number=1)
    whole = bad.read_bytes()
    content = {
        "truncated": whole[:20_000],
        "empty": b"",
        "foreign": b"this is a text",
        "flipped": bytes(byte ^ 255 for byte in whole[12_000:]),
    }[damage]
    bad.write_bytes(whole[:12_000] + content if damage == "flipped" else content)

    for _again in range(2):
        with open_history([tmp_path]) as reader:
            assert [one.session_id for one in reader.sessions()] == [id_of(good)]
            assert len(reader.warnings) == 1
            assert str(bad) in reader.warnings[0]

    bad.write_bytes(whole)
    assert ids(tmp_path) == [id_of(good), id_of(bad)]


@pytest.mark.parametrize("damage", ["truncated", "text", "older", "newer", "wal"])
def test_open_history_unusable_cache_is_made_again(tmp_path: Path, damage: str) -> None:
    made = [session(tmp_path, number=number) for number in range(2)]
    ids(tmp_path)
    cache = tmp_path / "history.duckdb"
    if damage == "truncated":
        cache.write_bytes(cache.read_bytes()[:9000])
    elif damage == "text":
        cache.write_text("what is this")
    elif damage == "wal":
        (tmp_path / "history.duckdb.wal").write_bytes(b"\1" * 500)
    else:
        import duckdb

        with duckdb.connect(str(cache)) as connection:
            version = {"older": "0", "newer": "999"}[damage]
            connection.execute(f"UPDATE meta SET value = '{version}' WHERE key = 'schema_version'")

    assert ids(tmp_path) == [id_of(path) for path in made]


def test_open_history_dead_journal_is_recovered_first(tmp_path: Path) -> None:
    session(tmp_path)
    j.write_journal(tmp_path, j.run_lines("test_b", [5]), ended=False)

    with open_history([tmp_path]) as reader:
        assert sorted(one.outcome for one in reader.sessions()) == ["crashed", "passed"]


def test_open_history_running_session_is_left_alone(tmp_path: Path) -> None:
    session(tmp_path)
    journal = j.write_journal(tmp_path, j.run_lines("test_b", [5]), ended=False)

    with running(LOCK, journal, "ex"):
        assert len(ids(tmp_path)) == 1

    assert journal.exists()


def test_open_history_two_readers_at_once(tmp_path: Path) -> None:
    first = session(tmp_path)

    with open_history([tmp_path]) as one, open_history([tmp_path]) as other:
        assert len(one.sessions()) == len(other.sessions()) == 1
        assert one.report([id_of(first)]) == other.report([id_of(first)])


def test_open_history_reads_new_session_while_another_reader_stays(tmp_path: Path) -> None:
    first = session(tmp_path)

    with open_history([tmp_path]) as old:
        second = session(tmp_path, number=1)
        assert ids(tmp_path) == [id_of(first), id_of(second)]
        assert [one.session_id for one in old.sessions()] == [id_of(first)]

    assert ids(tmp_path) == [id_of(first), id_of(second)]


def test_open_history_cache_open_in_another_program_is_worked_around(tmp_path: Path) -> None:
    first = session(tmp_path)
    ids(tmp_path)
    second = session(tmp_path, number=1)

    with running(HOLD, tmp_path / "history.duckdb", "ro"):
        assert ids(tmp_path) == [id_of(first), id_of(second)]


def test_open_history_that_is_folded_for_too_long_says_so(tmp_path: Path) -> None:
    session(tmp_path)

    with (
        running(LOCK, tmp_path / "history.lock", "ex"),
        pytest.raises(StoreError, match=r"history\.lock is held by another process"),
        open_history([tmp_path], timeout_s=0.1),
    ):
        pass


@contextmanager
def read_only_mount(folder: Path) -> Iterator[None]:
    """Mount a folder onto itself, read-only: the superuser passes every mode."""
    if os.geteuid() != 0 or sys.platform != "linux":
        mode = folder.stat().st_mode
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(mode)
        return
    done = subprocess.run(["mount", "--bind", folder, folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], capture_output=True, check=True)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_open_history_read_only_folder_has_its_cache_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    folder = tmp_path / "results"
    first = session(folder)
    before = sorted(entry.name for entry in folder.iterdir())

    with read_only_mount(folder):
        assert ids(folder) == [id_of(first)]
        assert ids(folder) == [id_of(first)]

    assert sorted(entry.name for entry in folder.iterdir()) == before
    assert len(list((tmp_path / "cache").rglob("history.duckdb"))) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
def test_open_history_folder_of_another_user_has_its_cache_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "results"
    made = session(folder)
    os.chown(folder, 65534, 65534)

    assert ids(folder) == [id_of(made)]

    assert [entry.name for entry in folder.iterdir()] == [made.name]
    assert len(list((tmp_path / "cache").rglob("history.duckdb"))) == 1


def test_open_history_session_file_leaves_nothing_behind(tmp_path: Path) -> None:
    made = [session(tmp_path, number=number) for number in range(2)]

    assert ids(made[1]) == [id_of(made[1])]
    assert sorted(tmp_path.iterdir()) == made


def test_open_history_several_places_are_one_history(tmp_path: Path) -> None:
    a, b = session(tmp_path / "a"), session(tmp_path / "b", number=1)
    c = session(tmp_path / "c", number=2)

    assert ids(tmp_path / "b", tmp_path / "a", c, tmp_path / "a") == [id_of(a), id_of(b), id_of(c)]
    with open_history([tmp_path / "a", c]) as reader:
        assert reader.query("SELECT count(*) FROM run").rows == ((2,),)


def test_open_history_missing_place_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match="pytest --benchdb="), open_history([tmp_path / "none.duckdb"]):
        pass


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", ForeignFileError, "an empty file"),
        (b"SQLite format 3\0" + b"\0" * 100, ForeignFileError, "an SQLite database"),
        (b"hello, this is text", ForeignFileError, "a file of another kind"),
        (None, CorruptFileError, "is damaged"),
    ],
    ids=["empty", "sqlite", "text", "truncated"],
)
def test_open_history_bad_file_says_what_it_is(
    tmp_path: Path, content: bytes | None, error: type[Exception], words: str
) -> None:
    path = tmp_path / "results.db"
    path.write_bytes(session(tmp_path / "s").read_bytes()[:20_000] if content is None else content)

    with pytest.raises(error, match=words), open_history([path]) as reader:
        reader.sessions()


def test_open_history_group_of_a_benchmark_follows_the_newest_session(tmp_path: Path) -> None:
    for number, group in ((1, "middle"), (2, "newest"), (0, "oldest")):
        entry = j.benchmark("test_a", group=group)
        run = j.run_lines("test_a", [10], entry=entry, started_us=j.STARTED_US + number * MINUTE_US)
        session(tmp_path, run, number=number)
        ids(tmp_path)

    with open_history([tmp_path]) as reader:
        assert reader.query("SELECT DISTINCT group_name FROM report").rows == (("newest",),)


def test_open_history_groups_are_the_same_folded_at_once_or_one_by_one(tmp_path: Path) -> None:
    for number, group in ((0, "oldest"), (2, "newest"), (1, "middle")):
        entry = j.benchmark("test_a", group=group)
        run = j.run_lines("test_a", [10], entry=entry, started_us=j.STARTED_US + number * MINUTE_US)
        session(tmp_path, run, number=number)

    with open_history([tmp_path]) as reader:
        assert reader.query("SELECT group_name FROM benchmark").rows == (("newest",),)


def test_open_history_folds_more_sessions_than_one_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_benchdb.store.history.absorb.BATCH", 3)
    made = [session(tmp_path, number=number) for number in range(8)]
    seen: list[tuple[int, int]] = []

    with open_history([tmp_path], progress=lambda done, total: seen.append((done, total))) as reader:
        assert [one.session_id for one in reader.sessions()] == [id_of(path) for path in made]

    assert seen == [(3, 8), (6, 8), (8, 8)]


def test_open_history_by_threads_at_once_folds_once(tmp_path: Path) -> None:
    made = [session(tmp_path, number=number) for number in range(3)]
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(ids(tmp_path))) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [[id_of(path) for path in made]] * 4


def test_reader_run_detail_has_everything(tmp_path: Path) -> None:
    run_id = uuid7()
    session(tmp_path, j.run_lines("test_a", [10, 20], run_id=run_id, extra_info={"a": 1}, labels=j.labels("bert")))

    with open_history([tmp_path]) as reader:
        detail = reader.run_detail(run_id)
        assert list(reader.find_runs(run_id[:-3])) == [run_id]

    assert detail.run["fullname"] == "tests/test_a.py::test_a"
    assert detail.run["extra_info"] == {"a": 1}
    assert (detail.run["model"], detail.run["backend"]) == ("bert", "cpu")
    assert detail.environment["packages"] == {"numpy": "2.0"}
    assert detail.environment["details"] == {"governor": "performance"}
    (wall,) = (row for row in detail.measurements if row["metric"] == "wall_time")
    assert detail.samples == {wall["measurement_id"]: [1e-8, 2e-8]}
    assert {row["metric"] for row in detail.measurements} >= {"wall_time", "peak_rss"}
    assert detail.session.runs == 1


def test_reader_run_detail_of_unknown_run_says_so(tmp_path: Path) -> None:
    session(tmp_path)

    with open_history([tmp_path]) as reader, pytest.raises(StoreMissingError, match="there is no run"):
        reader.run_detail(uuid7())


def test_reader_sessions_have_their_place_and_counts(tmp_path: Path) -> None:
    failed = j.run_lines("test_b", outcome="failed", valid=False)
    session(tmp_path, j.run_lines("test_a", [1]), failed, label="it's", tags={"k": "v"})

    with open_history([tmp_path]) as reader:
        (one,) = reader.sessions()

    assert (one.label, one.tags, one.runs, one.not_passed) == ("it's", {"k": "v"}, 2, 1)
    assert (one.started_at, one.cpu_model, one.python) == (
        "2026-09-21T14:13:20.000000",
        "Test CPU",
        "CPython 3.11.7",
    )


def test_reader_long_form_of_sessions(tmp_path: Path) -> None:
    made = [session(tmp_path, number=number) for number in range(2)]

    with open_history([tmp_path]) as reader:
        rows = reader.measurements([id_of(made[1])])
        samples = reader.samples(metric="wall_time")
        runs = reader.runs([id_of(made[0])])

    assert {row["session_id"] for row in rows} == {id_of(made[1])}
    assert [row["samples"] for row in samples] == [[1e-8, 2e-8]] * 2
    assert [run["benchmark_id"] for run in runs] == [content_id("demo", "tests/test_a.py::test_a")]


def test_open_history_file_folds_its_inbox_first(tmp_path: Path) -> None:
    from pytest_benchdb.store.history.single_file import fold_inbox

    path = tmp_path / "all.duckdb"
    first = session(tmp_path / "all.duckdb.inbox")
    fold_inbox(str(path), wait_s=1)
    second = session(tmp_path / "all.duckdb.inbox", number=1)

    assert ids(path) == [id_of(first), id_of(second)]
    assert not (tmp_path / "all.duckdb.inbox").exists()


@pytest.mark.long
def test_open_history_file_in_use_is_read_without_its_inbox(tmp_path: Path) -> None:
    from pytest_benchdb.store.history.single_file import fold_inbox

    path = tmp_path / "all.duckdb"
    first = session(tmp_path / "all.duckdb.inbox")
    fold_inbox(str(path), wait_s=1)
    second = session(tmp_path / "all.duckdb.inbox", number=1)

    with running(LOCK, f"{path}.lock", "sh"), open_history([path]) as reader:
        assert [one.session_id for one in reader.sessions()] == [id_of(first)]
        assert "1 session(s) wait in" in reader.warnings[0]

    assert ids(path) == [id_of(first), id_of(second)]
