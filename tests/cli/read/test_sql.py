"""`benchdb sql`, and the documented queries, with DuckDB itself as the client."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pytest_benchdb.model.environment import Commit

Call = Callable[..., Any]
Rows = list[tuple[Any, ...]]
PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "query-with-sql.md"
MANY = 30
NAMES = ("tests/test_a.py::test_json[1]", "tests/test_a.py::test_json[2]")
PROGRAM = shutil.which("duckdb", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


@pytest.fixture(scope="session")
def recorded(new_session: Call, new_run: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of many sessions."""
    folder = tmp_path_factory.mktemp("recorded")
    for number in range(MANY):
        commit = Commit(sha=f"{number:040x}", branch="main", dirty=False, subject=f"change {number}")
        runs = [new_run(name, params={"n": n + 1}) for n, name in enumerate(NAMES)]
        new_session(folder, runs=runs, at=number, label=f"run {number}", commit=commit)
    return folder


@pytest.fixture
def many(recorded: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder of many sessions."""
    return Path(shutil.copytree(recorded, tmp_path / "many"))


@pytest.fixture
def path_of(benchdb: Call) -> Callable[..., Path]:
    def path_of(*paths: Path) -> Path:
        ended = benchdb("sql", "--path", *map(str, paths))
        assert (ended.status, ended.err) == (0, "")
        assert ended.out.endswith("\n")
        return Path(ended.out[:-1])

    return path_of


def ask(path: Path, sql: str, *, read_only: bool = True) -> Rows:
    with contextlib.closing(duckdb.connect(os.fspath(path), read_only=read_only)) as connection:
        return connection.execute(sql).fetchall()


def _documented() -> Iterator[str]:
    """Yield the statements of the page: those for `benchdb query` and those for `duckdb`."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith(("$ benchdb query", "duckdb ")):
            yield next(word for word in shlex.split(line) if re.match("(SELECT|FROM)", word))


DOCUMENTED = tuple(_documented())


def test_sql_path_is_one_file_with_every_session(many: Path, path_of: Call) -> None:
    before = sorted(path.name for path in many.iterdir())

    path = path_of(many)

    assert ask(path, "SELECT count(*), count(DISTINCT session_id) FROM session") == [(MANY, MANY)]
    assert many not in path.parents
    assert {path.name for path in many.iterdir()} - set(before) <= {"history.duckdb", "history.lock"}


def test_sql_path_is_the_same_until_something_changes(many: Path, path_of: Call, new_session: Call) -> None:
    path = path_of(many)
    first = path.stat()

    assert path_of(many) == path
    assert path.stat().st_ino == first.st_ino

    new_session(many, at=MANY)
    assert path_of(many) == path
    assert ask(path, "SELECT count(*) FROM session") == [(MANY + 1,)]


@pytest.mark.long
def test_sql_path_of_a_file_and_of_several_places(many: Path, path_of: Call, new_session: Call, tmp_path: Path) -> None:
    made = new_session(tmp_path / "other", at=99)

    assert ask(path_of(made.path), "SELECT count(*) FROM session") == [(1,)]
    assert ask(path_of(many, made.path), "SELECT count(*) FROM session") == [(MANY + 1,)]


@pytest.mark.long
@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be replaced: the next name is taken")
def test_client_that_keeps_it_open_breaks_nothing(
    many: Path, path_of: Call, new_session: Call, benchdb: Call, read_only: bool
) -> None:
    path = path_of(many)
    # A client is another process: in the same one, DuckDB would hand out the same database again.
    client = (
        f"import duckdb; c = duckdb.connect({os.fspath(path)!r}, read_only={read_only}); print('open', flush=True); "
        "input(); print(c.execute('SELECT count(*) FROM session').fetchone()[0])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", client], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        new_session(many, at=MANY)

        assert len(benchdb("sessions", str(many), "-f", "csv").out.splitlines()) == 1 + MANY + 1
        assert ask(path_of(many), "SELECT count(*) FROM session") == [(MANY + 1,)]
        assert process.communicate("\n")[0] == f"{MANY}\n"


def test_what_a_client_changes_changes_no_result(many: Path, path_of: Call, benchdb: Call) -> None:
    path = path_of(many)

    ask(path, "DELETE FROM session", read_only=False)

    assert len(benchdb("sessions", str(many), "-f", "csv").out.splitlines()) == 1 + MANY
    assert ask(path_of(many), "SELECT count(*) FROM session") == [(MANY,)]


def test_log_that_a_killed_client_left_does_not_spoil_the_next_copy(many: Path, path_of: Call) -> None:
    path = path_of(many)
    log = path.with_name(f"{path.name}.wal")
    log.write_bytes(b"left over")

    assert ask(path_of(many), "SELECT count(*) FROM session") == [(MANY,)]
    assert not log.exists()


def test_sql_where_nothing_can_be_written_says_so(
    many: Path, benchdb: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache" / "pytest-benchdb").mkdir(parents=True)
    (tmp_path / "cache" / "pytest-benchdb" / "copies").write_text("")

    ended = benchdb("sql", "--path", str(many))

    assert (ended.status, ended.out) == (5, "")
    assert "cannot be written" in ended.err
    assert "XDG_CACHE_HOME" in ended.err


def test_documented_statements_are_found() -> None:
    assert len(DOCUMENTED) >= 5


@pytest.mark.parametrize("sql", DOCUMENTED)
def test_documented_query_over_many_sessions_has_an_answer(many: Path, path_of: Call, benchdb: Call, sql: str) -> None:
    rows = ask(path_of(many), sql)
    csv = benchdb("query", "--db", str(many), "-f", "csv", sql).out

    assert rows != []
    assert len(csv.splitlines()) == 1 + len(rows)
    assert "\r" not in csv


@pytest.mark.skipif(PROGRAM is None, reason="there is no duckdb program: pip install duckdb-cli")
@pytest.mark.parametrize("sql", DOCUMENTED)
def test_documented_query_runs_in_the_duckdb_program(many: Path, path_of: Call, sql: str) -> None:
    path = path_of(many)

    ended = subprocess.run(
        [str(PROGRAM), "-csv", os.fspath(path), sql], capture_output=True, text=True, check=False, timeout=60
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == 1 + len(ask(path, sql))
