import contextlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.store.processes import HOLD, running

from pytest_benchdb.errors import (
    CorruptFileError,
    ForeignFileError,
    SchemaVersionError,
    StoreError,
    StoreLockedError,
    StoreMissingError,
)
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import translate, translated
from pytest_benchdb.store.schema.template import attach_new


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.duckdb"
    connection = db.connect()
    attach_new(connection, str(path), "made", file_kind="session", block_bytes=16384)
    connection.close()
    return path


def opened(path: Path, *, read_only: bool = True) -> None:
    connection = db.connect()
    with contextlib.closing(connection), translated(str(path)):
        db.attach(connection, path, "a", read_only=read_only)
        connection.execute("SELECT count(*) FROM a.meta").fetchall()


def test_connect_shows_no_progress_bar() -> None:
    with contextlib.closing(db.connect()) as connection:
        assert connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (False,)


def test_connect_works_in_a_notebook_without_widgets(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = db.engine().InvalidInputException

    class Connection:
        def execute(self, statement: str) -> None:
            raise refusal(f"{statement}: required package 'ipywidgets' is missing")

    connection: Any = Connection()
    notebook = SimpleNamespace(InvalidInputException=refusal, connect=lambda _path, config: config and connection)
    monkeypatch.setattr(db, "engine", lambda: notebook)

    assert db.connect() is connection


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", ForeignFileError, "is an empty file"),
        (b"SQLite format 3\0" + b"\0" * 4096, ForeignFileError, "is an SQLite database"),
        (b"PK\3\4 this is a zip", ForeignFileError, "is a file of another kind"),
    ],
    ids=["empty", "sqlite", "zip"],
)
def test_attach_foreign_file_says_what_it_is(
    tmp_path: Path, content: bytes, error: type[StoreError], words: str
) -> None:
    path = tmp_path / "a.duckdb"
    path.write_bytes(content)

    with pytest.raises(error, match=words):
        opened(path)


@pytest.mark.parametrize("size", [4096, 10_000, 13_000])
def test_attach_truncated_file_is_corrupt(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])

    with pytest.raises(CorruptFileError, match="is damaged"):
        opened(file)


def test_attach_flipped_header_is_corrupt(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[30] ^= 1
    file.write_bytes(content)

    with pytest.raises(CorruptFileError):
        opened(file)


def test_attach_newer_storage_says_which_program_to_upgrade(file: Path) -> None:
    import struct

    content = bytearray(file.read_bytes())
    # The version of the storage follows checksum and magic; the checksum is reported first, so it must be right.
    content[12:20] = struct.pack("<Q", 12345)
    file.write_bytes(content)

    with pytest.raises((SchemaVersionError, CorruptFileError)) as caught:
        opened(file)

    assert str(file) in str(caught.value)


def test_translate_newer_storage_is_a_version_error(tmp_path: Path) -> None:
    import duckdb

    text = (
        "IO Error: Trying to read a database file with version number 999, but we can only read versions between 64 "
        "and 68."
    )
    (tmp_path / "a.duckdb").write_bytes(b"\0" * 8 + b"DUCK" + b"\0" * 4096)

    error = translate(duckdb.IOException(text), str(tmp_path / "a.duckdb"))

    assert isinstance(error, SchemaVersionError)
    assert "pip install --upgrade duckdb" in str(error)


@pytest.mark.parametrize("mode", ["rw", "ro"])
def test_attach_file_in_use_names_the_process(file: Path, mode: str) -> None:
    with running(HOLD, file, mode) as process, pytest.raises(StoreLockedError, match=f"process {process.pid}"):
        opened(file, read_only=False)


def test_attach_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match="pytest --benchdb="):
        opened(tmp_path / "a.duckdb")


@pytest.mark.parametrize("module", ["_duckdb", "duckdb"])
def test_files_are_written_for_every_supported_version(tmp_path: Path, module: str) -> None:
    program = (
        f"import sys, {module}\n"
        "from pytest_benchdb.store import connection as db\n"
        "from pytest_benchdb.store.schema.template import attach_new\n"
        "connection = db.connect()\n"
        "attach_new(connection, sys.argv[1], 'a', file_kind='session', block_bytes=16384)\n"
        "connection.execute('USE memory; DETACH a')\n"
    )
    path = tmp_path / "a.duckdb"
    subprocess.run([sys.executable, "-c", program, path], check=True)

    # DuckDB 1.0 to 1.5 read the versions 64 to 68.
    assert 64 <= int.from_bytes(path.read_bytes()[12:20], "little") <= 68


def test_connect_never_looks_for_extensions() -> None:
    connection = db.connect()

    rows = connection.execute(
        "SELECT name, value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', "
        "'autoload_known_extensions')"
    ).fetchall()

    assert {value for _, value in rows} == {"false"}
