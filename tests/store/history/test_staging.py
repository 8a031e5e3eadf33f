"""Sessions that go in whole: folded aside, moved in, and remembered with the file that they came from."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.store.journals import line

from pytest_benchdb.errors import StoreError
from pytest_benchdb.model.environment import CiJob, Commit, Load, SessionEnd, SessionStart
from pytest_benchdb.model.identity import timed_id
from pytest_benchdb.model.imported import SourceFile
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.history.staging import staging
from pytest_benchdb.store.journal.lines import end_line, session_line
from pytest_benchdb.store.target import Target, resolve

Ask = Callable[[Path, str], list[tuple[Any, ...]]]
IDS = [timed_id(1_790_000_000_000 + number, f"{number:018x}") for number in range(6)]


def lines_of(session_id: str) -> list[bytes]:
    start = SessionStart(
        session_id=session_id,
        project="demo",
        kind="import",
        started_unix_us=1_790_000_000_000_000,
        label=None,
        tags={},
        note=None,
        command=None,
        tool="toy",
        tool_version=None,
        environment=None,
        devices=(),
        commit=Commit(),
        ci=CiJob(),
        load=Load(),
        unmeasured={},
    )
    end = SessionEnd(
        finished_unix_us=1_790_000_000_000_000,
        outcome="passed",
        exit_status=None,
        complete=True,
        load1=None,
        steal_s=None,
        contended=None,
    )
    source = SourceFile(path="a.toy", checksum="c0de", importer="toy", rows=3, reason="1 left out")
    return [session_line(start, source), end_line(end, session_id)]


@pytest.fixture(params=["folder", "one.duckdb"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    return resolve(request.param, tmp_path)


def put(target: Target, *ids: str) -> None:
    with staging(target) as stage:
        for session_id in ids:
            stage.add(session_id, lines_of(session_id))
            stage.publish()
        stage.finish()


def session_ids(target: Target) -> list[str]:
    with open_history([target.path]) as reader:
        return [session.session_id for session in reader.sessions()]


def test_staging_puts_sessions_into_the_store_and_leaves_nothing_else(target: Target, tmp_path: Path) -> None:
    put(target, *IDS)

    assert sorted(session_ids(target)) == IDS
    assert not target.path.with_name(target.path.name + ".inbox").exists()
    assert list(tmp_path.rglob(".import-*")) == []


def test_staging_remembers_the_file_of_each_session(target: Target) -> None:
    put(target, *IDS[:2])

    with open_history([target.path]) as reader:
        sql = "SELECT path, checksum, row_count, reason, CAST(session_id AS VARCHAR) FROM source_file "
        rows = reader.query(f"{sql} WHERE importer = 'toy' ORDER BY session_id").rows

    assert [tuple(row) for row in rows] == [("a.toy", "c0de", 3, "1 left out", session_id) for session_id in IDS[:2]]


def test_staging_knows_a_session_without_a_machine(target: Target) -> None:
    put(target, IDS[0])

    with open_history([target.path]) as reader:
        (session,) = reader.sessions()
        environment = reader.environment_of(session.session_id)

    assert (session.fingerprint, environment) == (None, {})


def test_staging_that_is_left_by_an_error_publishes_nothing_more(target: Target, tmp_path: Path) -> None:
    def fail() -> None:
        with staging(target) as stage:
            stage.add(IDS[0], lines_of(IDS[0]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    assert [entry.name for entry in tmp_path.rglob("*.duckdb")] == []
    assert [entry.name for entry in tmp_path.rglob("*.jsonl")] == []


def test_staging_refuses_lines_that_are_damaged(target: Target) -> None:
    with staging(target) as stage:
        stage.add(IDS[0], [*lines_of(IDS[0]), line({"k": "run"})])
        stage.publish()
        with pytest.raises(StoreError, match="1 damaged line"):
            stage.finish()


def test_staging_into_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="file"):
        put(Target(path=tmp_path / "file" / "db", kind="folder"), IDS[0])


def test_staging_removes_what_a_killed_import_left_a_day_ago(tmp_path: Path) -> None:
    stale, fresh = tmp_path / "db" / ".import-a", tmp_path / "db" / ".import-b"
    stale.mkdir(parents=True)
    fresh.mkdir()
    os.utime(stale, (time.time() - 90_000,) * 2)

    put(resolve("db", tmp_path), IDS[0])

    assert (stale.exists(), fresh.exists()) == (False, True)


def test_history_forgets_the_file_of_a_session_that_is_gone(tmp_path: Path) -> None:
    target = resolve("db", tmp_path)
    put(target, IDS[0])
    put(target, IDS[1])
    assert len(session_ids(target)) == 2

    next(path for path in target.path.glob("*.duckdb") if IDS[0] in path.name).unlink()

    with open_history([target.path]) as reader:
        rows = reader.query("SELECT CAST(session_id AS VARCHAR) FROM source_file WHERE importer = 'toy'").rows
    assert [row[0] for row in rows] == [IDS[1]]


def test_sessions_of_one_import_are_one_file(tmp_path: Path, ask: Ask) -> None:
    target = resolve("db", tmp_path)

    put(target, *IDS)

    (file,) = target.path.glob("*.duckdb")
    assert "-import-" in file.name
    assert [row[0] for row in ask(file, "SELECT CAST(session_id AS VARCHAR) FROM session ORDER BY ALL")] == IDS
    assert ask(file, "SELECT count(*), count(DISTINCT session_id) FROM source_file") == [(6, 6)]
