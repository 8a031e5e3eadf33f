"""Tests of Ctrl-C within a query: DuckDB raises `RuntimeError` for it, which must not read as another error."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tests.store import journals as j

from pytest_benchdb.errors import interruptible, is_interrupt
from pytest_benchdb.store import connection as db
from pytest_benchdb.store import fold_process
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.fold_process import fold_in_child
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.read.query_process import QueryProcess
from pytest_benchdb.store.read.reader import Reader
from pytest_benchdb.store.schema.migrate import migrate, read_meta
from pytest_benchdb.store.schema.template import attach_new
from pytest_benchdb.store.target import Target

ENDLESS = "SELECT sum(range % 7) FROM range(1_000_000_000_000)"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@contextlib.contextmanager
def ctrl_c() -> Iterator[pytest.ExceptionInfo[BaseException]]:
    """Interrupt this process within a block, which must end with `KeyboardInterrupt`, or with what DuckDB raises.

    Again and again, because a query whose thread waits for others may miss the signal.
    """
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(0.3):
            os.kill(os.getpid(), signal.SIGINT)

    # What runs in the background of a shell inherits that it ignores the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        with pytest.raises((RuntimeError, KeyboardInterrupt)) as raised:
            yield raised
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        ended.set()
        sender.join()
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a connection of one thread, which an interrupt reaches at once."""
    with duckdb.connect(config={"threads": 1}) as made:
        yield made


def test_interrupt_within_a_query_is_recognised(connection: duckdb.DuckDBPyConnection) -> None:
    with ctrl_c() as raised:
        connection.execute(ENDLESS).fetchall()

    assert is_interrupt(raised.value)


def test_other_errors_are_no_interrupt() -> None:
    assert not is_interrupt(RuntimeError("Query interrupted by a colleague"))
    assert not is_interrupt(duckdb.InterruptException("Query interrupted"))


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="the loop is closed"), interruptible():
        raise RuntimeError("the loop is closed")


def test_interrupt_is_no_error_of_the_file(connection: duckdb.DuckDBPyConnection) -> None:
    with ctrl_c() as raised, translated("a.duckdb"):
        connection.execute(ENDLESS).fetchall()

    assert raised.type is KeyboardInterrupt


def test_interrupt_ends_a_migration_which_is_undone(tmp_path: Path) -> None:
    (tmp_path / "0002_slow.sql").write_text(f"CREATE TABLE pet (name VARCHAR); CREATE TABLE slow AS {ENDLESS}")
    path = tmp_path / "a.duckdb"
    connection = db.connect()
    attach_new(connection, str(path), "made", file_kind="history", block_bytes=16384)
    connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")

    with ctrl_c() as raised:
        migrate(connection, "made", path, tmp_path)

    assert raised.type is KeyboardInterrupt
    assert read_meta(connection, "made", path)["schema_version"] == "1"


def test_interrupt_ends_what_reads_a_history(tmp_path: Path) -> None:
    assert fold(str(j.write_journal(tmp_path, j.run_lines("test_0", [10]))), cache=None).path

    with pytest.raises(KeyboardInterrupt), open_history([tmp_path]):
        raise RuntimeError("Query interrupted")  # what DuckDB raises


def test_interrupt_ends_a_question_to_a_reader(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"CREATE VIEW benchmark AS SELECT CAST(range AS VARCHAR) AS fullname FROM ({ENDLESS}), range(9)")

    reader = Reader(connection, QueryProcess("a.duckdb"), ["a.duckdb"], [])

    with ctrl_c() as raised:
        reader.benchmark_names()

    assert raised.type is KeyboardInterrupt


def test_interrupt_of_a_fold_in_this_process_keeps_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_settings: object) -> str:
        raise RuntimeError("Query interrupted")

    journal = j.write_journal(tmp_path, j.run_lines("test_0", [10]))
    monkeypatch.setattr("sys.executable", "/no/such/python")
    monkeypatch.setattr(fold_process, "fold_session", interrupted)

    result = fold_in_child(journal, Target(path=tmp_path, kind="folder"), timeout_s=60.0, row_limit=1)

    assert result.status == "failed"
    assert "storing the session was interrupted; nothing is lost" in str(result.message)
    assert journal.exists()
