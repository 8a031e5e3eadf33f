"""A file that has our schema and hostile content costs itself only: it is named, and its neighbours are read."""

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.store import journals as j

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.history import absorb
from pytest_benchdb.store.history.merge import merge
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.target import resolve

LONG_LIST = "UPDATE round_chunk SET round_ns = (SELECT list(CAST(1 AS BIGINT)) FROM range(10_000_000))"
HOSTILE = {
    "no-session": "DELETE FROM session",
    "no-run": "DELETE FROM run",
    "no-benchmark": "DELETE FROM benchmark",
    "no-device": "DELETE FROM device",
    "duplicates": "INSERT INTO run FROM run; INSERT INTO measurement FROM measurement",
    "two-sessions": "INSERT INTO session FROM session",
    "infinite": "UPDATE session SET started_at = CAST('infinity' AS TIMESTAMP)",
    "year-290000": "UPDATE session SET started_at = CAST('290000-01-01' AS TIMESTAMP)",
    "before-christ": "UPDATE run SET started_at = CAST('0044-03-15 (BC)' AS TIMESTAMP)",
    "counts": "UPDATE run SET iterations = -9223372036854775808, rounds = -1, attempt = -1",
    "numbers": "UPDATE measurement SET value = 'nan', median = 'inf', n = -1",
    "rounds": "UPDATE round_chunk SET round_ns = [], chunk = -1",
    "text": "UPDATE benchmark SET fullname = repeat('x', 5_000_000), params = '[[]]', file = NULL",
    "json": "UPDATE run SET extra_info = '[1]'; UPDATE measurement SET details = '7'",
    "words": "UPDATE run SET outcome = chr(27) || '[31m', provenance = ''; UPDATE session SET outcome = 'x'",
}


def session_file(folder: Path, sql: str = "") -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    journal = j.write_journal(folder, j.run_lines("test_a", [10, 20, 400]))
    path = fold(str(journal), cache=os.environ["XDG_CACHE_HOME"]).path
    assert path is not None
    if sql:
        with duckdb.connect(path) as connection:
            connection.execute(sql)
    return Path(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a sound session, for a neighbour."""
    session_file(tmp_path / "results")
    return tmp_path / "results"


def read(path: Path) -> int:
    """Ask everything that reports and gates ask; return the number of sessions."""
    with open_history([path]) as reader:
        sessions = reader.sessions()
        ids = [session.session_id for session in sessions]
        reader.report(ids)
        reader.session_values(ids)
        reader.samples()
        for run in reader.runs():
            reader.run_detail(run["run_id"])
        return len(sessions)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_is_read_or_refused_and_the_neighbour_is_read(name: str, folder: Path, tmp_path: Path) -> None:
    hostile = session_file(tmp_path / "from-elsewhere", HOSTILE[name])
    shutil.copy(hostile, folder)

    assert read(folder) >= 1
    with contextlib.suppress(StoreError):
        read(hostile)


def test_a_list_longer_than_the_memory_costs_its_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = session_file(tmp_path / "from-elsewhere", LONG_LIST)
    shutil.copy(hostile, folder)
    monkeypatch.setattr(db, "MEMORY_BYTES", 60_000_000)

    with open_history([folder]) as reader:
        assert len(reader.sessions()) == 1
        (warning,) = reader.warnings
    assert warning.startswith(f"{folder / hostile.name} is left out: ")
    with open_history([hostile]) as reader, pytest.raises(StoreError):
        reader.samples()


def test_a_file_that_takes_too_long_costs_itself(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = session_file(tmp_path / "from-elsewhere")
    shutil.copy(hostile, folder)
    real = absorb._mark

    def slow(job: Any, sources: Sequence[Any]) -> None:
        if any(Path(source.path).name == hostile.name for source in sources):
            job.connection.execute("SELECT count(*) FROM range(1_000_000_000_000)")
        real(job, sources)

    monkeypatch.setattr(absorb, "_LONGEST_S", 0.3)
    monkeypatch.setattr(absorb, "_mark", slow)

    with open_history([folder]) as reader:
        (warning,) = reader.warnings
        assert len(reader.sessions()) == 1
    assert warning.startswith(f"{folder / hostile.name} is left out: ")
    assert "which no file of its size takes" in warning


def test_a_connection_that_reads_other_files_has_no_other_access(tmp_path: Path, folder: Path) -> None:
    connection = db.connect()
    db.close_to_outside(connection, [folder])

    for path in folder.glob("*.duckdb"):
        db.attach(connection, path, "allowed", read_only=True)
    for statement in ("SELECT * FROM read_text('/etc/hostname')", "SET threads = 4", "SET memory_limit = '99GB'"):
        with pytest.raises(duckdb.Error):
            connection.execute(statement)
    with pytest.raises(StoreError):
        db.attach(connection, session_file(tmp_path / "elsewhere"), "other", read_only=True)


@pytest.mark.parametrize("target", ["all.duckdb", "all"])
def test_merge_by_relative_paths_is_allowed_its_sources(
    target: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session_file(tmp_path / "b")

    result = merge([Path("results"), Path("b")], resolve(target, tmp_path))

    assert (result.added, result.refused) == (2, ())
