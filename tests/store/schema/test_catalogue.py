"""A file is read only if everything that it defines is ours: nothing in a file from elsewhere runs."""

import os
import shutil
from pathlib import Path

import duckdb
import pytest
from tests.store import journals

from pytest_benchdb.errors import ForeignFileError
from pytest_benchdb.store.connection import connect
from pytest_benchdb.store.history.merge import merge
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.history.single_file import open_for_writing
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.schema.migrate import attach_ours
from pytest_benchdb.store.target import Target

REPLACED = "ALTER TABLE {0} RENAME TO original; CREATE VIEW {0} AS SELECT * {1} FROM original"
# DuckDB 1 has no function that writes within a SELECT.
WRITES = (
    " WHERE (SELECT count(*) FROM enable_profiling(format := 'json', save_location := '{victim}')) >= 0"
    if duckdb.__version__ >= "2"
    else " WHERE (SELECT count(*) FROM read_text('{victim}')) >= 0"
)
HOSTILE = {
    "a view for a table": REPLACED.format("session", "REPLACE ((SELECT content FROM read_text('{victim}')) AS label)"),
    "a view that writes": REPLACED.format("meta", "") + WRITES,
    "a view that never ends": REPLACED.format("meta", "") + " WHERE (SELECT count(*) FROM range(100000000000)) > 0",
    "our view, rewritten": "CREATE OR REPLACE VIEW report AS SELECT * FROM read_text('{victim}')",
    "our view, from a file": "CREATE OR REPLACE VIEW report AS SELECT * FROM '{victim}'",
    "another view": "CREATE VIEW more AS SELECT 1",
    "a macro": "CREATE MACRO epoch_us(x) AS 1",
    "a table macro": "CREATE MACRO trick(x) AS TABLE SELECT * FROM read_text(x)",
    "another schema": "CREATE SCHEMA other",
    "a type": "CREATE TYPE mood AS ENUM ('a')",
    "a sequence": "CREATE SEQUENCE counter",
    "an index": "CREATE INDEX lookup ON session (label)",
    "another table": "CREATE TABLE extra (a INTEGER)",
    "a default": "ALTER TABLE note ALTER COLUMN text SET DEFAULT current_setting('threads')",
    "a generated column": "CREATE OR REPLACE TABLE note (note_id UUID, twice VARCHAR AS (note_id || note_id))",
    "a check": "CREATE OR REPLACE TABLE note (note_id UUID CHECK (length(CAST(note_id AS VARCHAR)) > 0))",
    "a missing table": "DROP TABLE series",
    "other columns": "ALTER TABLE run ADD COLUMN more VARCHAR",
    "another type": "ALTER TABLE session ALTER COLUMN label TYPE INTEGER USING 1",
    "too many rows": "INSERT INTO metric SELECT 'a', 'b', 'c', 'd', 'e' FROM range(2000000)",
}


def write_session(folder: Path) -> Path:
    journal = journals.write_journal(folder, journals.run_lines("test_a", [10, 20]))
    path = fold(str(journal), cache=os.environ["XDG_CACHE_HOME"]).path
    assert path is not None
    return Path(path)


@pytest.fixture
def session_file(tmp_path: Path) -> Path:
    return write_session(tmp_path / "plain")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim.json"
    path.write_text("[1]", encoding="utf-8")
    return path


def spoil(file: Path, statement: str, victim: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute(statement.replace("{victim}", str(victim)))


@pytest.mark.parametrize("statement", HOSTILE.values(), ids=HOSTILE.keys())
def test_file_that_defines_something_else_is_refused_before_it_is_read(
    session_file: Path, victim: Path, statement: str
) -> None:
    spoil(session_file, statement, victim)
    connection = connect()

    with pytest.raises(
        ForeignFileError, match=r"is not a plain pytest-benchdb database: its? .*; name|is a DuckDB database, but not"
    ):
        attach_ours(connection, session_file, "other")

    connection.close()
    assert victim.read_text(encoding="utf-8") == "[1]"


def test_plain_file_is_accepted(session_file: Path) -> None:
    connection = connect()

    assert attach_ours(connection, session_file, "other") >= 1

    connection.close()


@pytest.mark.parametrize("statement", [HOSTILE["a view for a table"], HOSTILE["a macro"]], ids=["view", "macro"])
def test_every_way_to_open_a_hostile_file_leaves_it_out(
    session_file: Path, victim: Path, tmp_path: Path, statement: str
) -> None:
    folder = tmp_path / "folder"
    good = write_session(folder)
    bad = folder / session_file.name
    shutil.move(session_file, bad)
    spoil(bad, statement, victim)

    with open_history([folder]) as reader:
        assert [session.label for session in reader.sessions()] == [None]
        assert "is not a plain pytest-benchdb database" in "".join(reader.warnings)
    with pytest.raises(ForeignFileError), open_history([bad]):
        pass
    with pytest.raises(ForeignFileError), open_history([good, bad]):
        pass
    with pytest.raises(ForeignFileError), open_for_writing(str(bad), wait_s=1):
        pass
    merged = merge([good, bad], Target(path=tmp_path / "all.duckdb", kind="file"))
    assert (merged.added, len(merged.refused)) == (1, 1)


def test_fifo_among_session_files_is_left_out_without_waiting(session_file: Path) -> None:
    os.mkfifo(session_file.parent / "20260101T000000Z-fifo.duckdb")

    with open_history([session_file.parent]) as reader:
        assert len(reader.sessions()) == 1
        assert "20260101T000000Z-fifo.duckdb is not a regular file" in "".join(reader.warnings)


def test_hostile_history_is_built_again(session_file: Path, victim: Path) -> None:
    folder = session_file.parent
    with open_history([folder]) as reader:
        assert len(reader.sessions()) == 1
    spoil(folder / "history.duckdb", HOSTILE["a view that writes"], victim)

    with open_history([folder]) as reader:
        assert len(reader.sessions()) == 1

    assert victim.read_text(encoding="utf-8") == "[1]"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFOs, and links need a right")
@pytest.mark.parametrize("name", ["history.duckdb", "history.duckdb.wal", "history.lock"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "fifo", "folder"])
def test_hostile_file_in_place_of_the_history_keeps_no_session_out(
    session_file: Path, victim: Path, name: str, kind: str
) -> None:
    path = session_file.parent / name
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "dangling link":
        path.symlink_to(victim.parent / "new")
    elif kind == "hard link":
        path.hardlink_to(victim)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        (path / "inner").mkdir(parents=True)

    for _ in range(2):
        with open_history([session_file.parent]) as reader:
            assert len(reader.sessions()) == 1

    assert victim.read_text(encoding="utf-8") == "[1]"
    assert not (victim.parent / "new").exists()
