"""Bad input: each kind has its exit status and one sentence that says what to do."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def execute(path: Path, sql: str) -> None:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


@pytest.fixture
def foreign(tmp_path: Path) -> dict[str, Path]:
    """Return files that are no databases of ours, by kind."""
    made = {kind: tmp_path / f"{kind}.duckdb" for kind in ("text", "empty", "sqlite", "duckdb")}
    made["text"].write_text("hello, this is not a database\n" * 10)
    made["empty"].touch()
    connection = sqlite3.connect(made["sqlite"])
    connection.execute("CREATE TABLE a (b)")
    connection.commit()
    connection.close()
    execute(made["duckdb"], "CREATE TABLE mine (a INTEGER)")
    made["folder"] = tmp_path / "nothing"
    made["folder"].mkdir()
    return made


@pytest.mark.parametrize("command", ["report", "sessions", "env", "query", "show"])
@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("text", "is a file of another kind, not a pytest-benchdb database"),
        ("sqlite", "is an SQLite database, not a pytest-benchdb database"),
        ("duckdb", "is a DuckDB database, but not one of pytest-benchdb"),
    ],
)
def test_command_over_a_foreign_file_is_a_database_problem(
    benchdb: Call, foreign: dict[str, Path], command: str, kind: str, what: str
) -> None:
    arguments = {"query": ["SELECT 1"], "show": ["latest"]}.get(command, [])

    ended = benchdb(command, "--db", str(foreign[kind]), *arguments)

    assert (ended.status, ended.out) == (5, "")
    assert what in one_line(ended.err)


@pytest.mark.parametrize("command", ["report", "sessions", "env", "show"])
def test_command_over_an_empty_folder_says_how_to_record(benchdb: Call, foreign: dict[str, Path], command: str) -> None:
    ended = benchdb(command, "--db", str(foreign["folder"]), *(["latest"] if command == "show" else []))

    assert (ended.status, ended.out) == (5, "")
    assert f"contains no session; record one with: pytest --benchdb={foreign['folder']}" in one_line(ended.err)


@pytest.mark.parametrize("command", [["report"], ["sessions"], ["recover"], ["merge", "-o", "x.duckdb"]])
def test_command_over_a_missing_path_says_so(benchdb: Call, command: list[str]) -> None:
    ended = benchdb(*command, "./missing")

    assert ended.status == 5
    assert "missing does not exist" in one_line(ended.err)


def test_report_of_a_newer_schema_says_what_to_upgrade(benchdb: Call, new_session: Call, tmp_path: Path) -> None:
    made = new_session(tmp_path / "newer")
    execute(made.path, "UPDATE meta SET value = '999' WHERE key = 'schema_version'")

    ended = benchdb("report", str(made.path))

    assert ended.status == 5
    assert "pip install --upgrade pytest-benchdb" in one_line(ended.err)


def test_report_of_a_truncated_file_is_a_database_problem(benchdb: Call, new_session: Call, tmp_path: Path) -> None:
    made = new_session(tmp_path / "torn")
    data = made.path.read_bytes()
    made.path.write_bytes(data[: len(data) // 3])

    ended = benchdb("report", str(made.path))

    assert ended.status == 5
    assert str(made.path) in one_line(ended.err)


def test_report_of_a_folder_with_one_bad_file_warns_and_shows_the_rest(
    benchdb: Call, new_session: Call, tmp_path: Path
) -> None:
    new_session(tmp_path / "mixed")
    bad = tmp_path / "mixed" / "20260101T000000Z-bad.duckdb"
    bad.write_text("x" * 100)

    ended = benchdb("report", str(tmp_path / "mixed"))

    assert ended.status == 0
    assert "test_dumps" in ended.out
    assert "20260101T000000Z-bad.duckdb is left out" in ended.err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (
            ["report", "results", "--columns", "speed"],
            "no column 'speed'; did you mean spread; choose from benchmark, ",
        ),
        (["report", "results", "--columns", ""], "--columns names no column"),
        (["report", "results", "--sort", "speed"], "--sort speed: no such column; choose from benchmark, "),
        (["report", "results", "-w", "speed=1"], "no field 'speed'; choose from backend, "),
        (["report", "results", "-w", "cuda"], "not of the form key=value"),
        (["report", "results", "-k", "(sort"], "a ')' is missing"),
        (["report", "results", "--unit", "time=parsec"], "choose one of ns, us, ms, s"),
        (["report", "results", "--since", "someday"], "--since 'someday': not a time"),
        (["report", "results", "--since", "2030-01-01"], "none of the 3 sessions is between --since and --until"),
        (["report", "results", "latest~7"], "latest~7: there are only 3 sessions"),
        (["report", "results", "01a0"], "matches 3 sessions: "),
        (["report", "results", "unknown-label"], "'unknown-label' is not a session"),
        (["report", "results", "-o", "report.xyz"], "no format has the suffix '.xyz'"),
        (
            ["report", "results", "-o", "missing/report.md"],
            "missing/report.md cannot be written: No such file",
        ),
        (["env", "--db", "results", "latest", "latest~1", "latest~2"], "3 sessions are named"),
        (["show", "--db", "results", "run:ffffffff"], "'run:ffffffff' is not a run"),
        (["merge", "results", "-o", "results"], "is both a source and the target"),
        (["merge", "results", "-o", "test_x.py"], "is a test, not a database"),
        (["query", "--db", "results", "DROP TABLE run"], "DROP is not allowed; give exactly one SELECT"),
        (["query", "--db", "results", "SELECT 1; SELECT 2"], "2 statements; give exactly one SELECT"),
        (["query", "--db", "results", "SELEC 1"], "the query cannot be read"),
        (["query", "--db", "results", "SELECT nothing FROM run"], "the query failed"),
        (["query", "--db", "results", "SELECT * FROM read_csv('/etc/passwd')"], "read_csv is not allowed"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_command_used_wrongly_is_a_usage_error(benchdb: Call, arguments: list[str], what: str) -> None:
    ended = benchdb(*arguments)

    assert (ended.status, ended.out) == (2, "")
    assert what in one_line(ended.err)
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "--last", "0"],
        ["report", "--format", "xml"],
        ["report", "--nonsense"],
        ["nonsense"],
        ["query", "--db", "results", "--timeout", "0", "SELECT 1"],
    ],
    ids=" ".join,
)
def test_command_line_that_click_refuses_is_a_usage_error(benchdb: Call, arguments: list[str]) -> None:
    ended = benchdb(*arguments)

    assert (ended.status, ended.out) == (2, "")
    assert "Error: " in ended.err


def test_query_that_runs_too_long_is_stopped(benchdb: Call) -> None:
    endless = "SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range * b.range = 7"

    ended = benchdb("query", "--db", "results", "--timeout", "0.2", endless)

    assert ended.status == 2
    assert "longer than 0.2 s and was stopped" in one_line(ended.err)


def test_internal_error_is_one_line_and_status_70(benchdb: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("pytest_benchdb.cli.read.sessions.list_sessions", broken)

    ended = benchdb("sessions", "results")

    assert (ended.status, ended.out) == (70, "")
    assert "internal error: KeyError: 'x'; set BENCHDB_DEBUG=1" in one_line(ended.err)


def test_internal_error_with_debug_shows_the_traceback(benchdb: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_benchdb.cli.read.sessions.list_sessions", None)
    monkeypatch.setenv("BENCHDB_DEBUG", "1")

    ended = benchdb("sessions", "results")

    assert ended.status == 70
    assert "Traceback (most recent call last)" in ended.err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("Query interrupted")], ids=["python", "duckdb"])
def test_interrupt_is_reported_and_status_130(
    benchdb: Call, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("pytest_benchdb.cli.read.sessions.list_sessions", interrupted)

    ended = benchdb("sessions", "results")

    assert (ended.status, ended.out, ended.err.strip()) == (130, "", "benchdb: interrupted")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["report", "~no-such-user"], 5),
        (["report", "--db", "~no-such-user"], 5),
        (["sessions", "x" * 260], 5),
        (["compare", "~no-such-user/a.duckdb", "latest"], 5),
        (["import", "csv", "~no-such-user/a.csv", "--db", "new"], 2),
    ],
    ids=["path", "db", "long", "side", "import"],
)
def test_command_over_a_path_that_cannot_be_says_so(benchdb: Call, command: list[str], status: int) -> None:
    ended = benchdb(*command)

    assert ended.status == status
    assert "does not exist" in one_line(ended.err)


def test_escape_sequences_in_data_do_not_reach_the_terminal(
    benchdb: Call, new_run: Call, new_session: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_session(tmp_path / "db", [new_run("t.py::test_a")], label="a\x1b[2Jb")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)

    for command in (
        ["query", "SELECT label, 'x\x1b[31m\ty' AS a FROM session", "-f", "csv"],
        ["query", "SELECT error('\x1b[2Jgone')"],
        ["report", "label:\x1b[31mnone"],
        ["sessions", "-f", "csv"],
    ):
        ended = benchdb(*command, "--db", str(tmp_path / "db"), "--color", "never")
        assert "\x1b" not in ended.out + ended.err, command
        assert "\\x1b" in ended.out + ended.err, command
