"""The other commands: sessions, show, query, env, schema, merge, recover, doctor."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.operations.read.query import schema_text

Call = Callable[..., Any]


def test_sessions_are_listed_newest_first(benchdb: Call) -> None:
    ended = benchdb("sessions", "results", "--width", "200")

    lines = ended.out.splitlines()
    assert "recorded (UTC)" in lines[0]
    assert [re.search(r"2026-09-21 (\d\d:\d\d)", line)[1] for line in lines[2:]] == ["16:13", "15:13", "14:13"]  # type: ignore[index]
    assert all(line.split()[2:4] in (["months", "ago"], ["years", "ago"]) for line in lines[2:])
    assert "passed, incomplete" in lines[2]
    assert "nightly" in lines[4]
    assert "hidden" not in ended.err


@pytest.mark.parametrize("columns", [40, 60, 80, 100])
def test_sessions_of_any_width_keep_the_commit_and_say_what_is_hidden(benchdb: Call, columns: int) -> None:
    ended = benchdb("sessions", "results", "--width", str(columns))

    assert all("01234567" in line for line in ended.out.splitlines()[2:])
    assert ended.err.startswith("hidden (too narrow): ")
    assert "-f csv" in ended.err


def test_sessions_as_json_count_their_runs(benchdb: Call) -> None:
    document = json.loads(benchdb("sessions", "--db", "results", "--last", "1", "-f", "json").out)

    assert document["schema"] == "benchdb.sessions/1"
    assert [(row["runs"], row["not_passed"]) for row in document["rows"]] == [(5, 1)]


@pytest.mark.parametrize("name", ["nightly", "latest~2"])
def test_show_of_a_session_is_its_report(benchdb: Call, name: str) -> None:
    out = benchdb("show", name, "--db", "results").out

    assert "label nightly" in out
    assert "test_sort[1000]" in out


def test_show_of_a_run_tells_everything(benchdb: Call) -> None:
    rows = json.loads(benchdb("report", "results", "-f", "json", "-k", "100]").out)["sessions"][0]["rows"]

    out = benchdb("show", f"run:{rows[0]['run_id']}", "--db", "results", "--width", "100").out

    lines = out.splitlines()
    assert lines[0] == "tests/test_sort.py::test_sort[100]"
    assert "run again   pytest 'tests/test_sort.py::test_sort[100]' --benchdb" in lines
    (wall,) = [line for line in lines if line.startswith("wall_time")]
    assert wall.split()[1:8] == [
        "2.150",
        "\N{MICRO SIGN}s",
        "2.000",
        "\N{MICRO SIGN}s",
        "2.300",
        "\N{MICRO SIGN}s",
        "4",
    ]
    assert lines[-1].startswith("rounds  2.000 \N{MICRO SIGN}s █")


def test_show_of_a_run_as_json_has_the_rounds(benchdb: Call) -> None:
    rows = json.loads(benchdb("report", "results", "-f", "json", "-k", "100]").out)["sessions"][0]["rows"]

    document = json.loads(benchdb("show", rows[0]["run_id"], "--db", "results", "-f", "json").out)

    assert document["schema"] == "benchdb.run/1"
    (samples,) = [one["samples"] for one in document["samples"] if one["metric"] == "wall_time"]
    assert samples == pytest.approx([2e-6, 2.1e-6, 2.2e-6, 2.3e-6])


def test_query_answers_in_every_format(benchdb: Call) -> None:
    sql = "SELECT name, rounds FROM report WHERE outcome = 'passed' AND name LIKE 'test_s%' ORDER BY ALL LIMIT 2"
    call = ["query", "--db", "results", sql, "-f"]

    assert benchdb(*call, "csv").out == '"name","rounds"\n"test_sort[1000]",3\n"test_sort[1000]",3\n'
    assert json.loads(benchdb(*call, "json").out)["rows"][0] == {"name": "test_sort[1000]", "rounds": 3}
    assert "| test_sort\\[1000\\] | 3 |" in benchdb(*call, "md").out
    assert [line.split() for line in benchdb(*call, "table").out.splitlines()[2:]] == [["test_sort[1000]", "3"]] * 2


def test_query_with_a_limit_says_that_there_is_more(benchdb: Call) -> None:
    ended = benchdb("query", "--db", "results", "--limit", "2", "SELECT name FROM report", "-f", "csv")

    assert len(ended.out.splitlines()) == 3
    assert "only the first 2 rows are shown" in ended.err


def test_query_reads_the_statement_from_standard_input(benchdb_process: Call, results: Path) -> None:
    ended = benchdb_process("query", "--db", "results", "-f", "csv", "-", cwd=results.parent, stdin="SELECT 42 AS n")

    assert (ended.status, ended.out) == (0, '"n"\n42\n')


def test_env_shows_the_newest_place(benchdb: Call) -> None:
    document = json.loads(benchdb("env", "--db", "results", "-f", "json").out)

    facts = {row["name"]: row["value"] for row in document["rows"]}
    assert facts["cpu_model"] == "Test CPU"
    assert facts["ram_bytes"] == 32 * 2**30
    assert facts["packages.numpy"] == "2.0.0"
    assert facts["details.cpu.governor"] == "performance"


def test_env_of_two_sessions_shows_what_differs(benchdb: Call) -> None:
    document = json.loads(benchdb("env", "--db", "results", "latest~2", "latest~1", "-f", "json").out)

    assert document["rows"] == [
        {"name": "packages.numpy", "first": "2.0.0", "second": "2.1.0"},
        {"name": "packages.scipy", "first": None, "second": "1.0"},
    ]


def test_env_of_two_equal_places_says_so(benchdb: Call) -> None:
    assert benchdb("env", "--db", "results", "latest~2", "latest").out == "no difference\n"


@pytest.mark.parametrize("kind", ["sql", "markdown", "mermaid"])
def test_schema_is_printed(benchdb: Call, kind: str) -> None:
    assert benchdb("schema", "--format", kind).out == schema_text(kind)


def test_merge_of_two_folders_holds_both_and_twice_changes_nothing(
    benchdb: Call, tmp_path: Path, new_session: Call
) -> None:
    for at, name in enumerate(("a", "b")):
        new_session(tmp_path / name, at=at)
    call = ["merge", str(tmp_path / "a"), str(tmp_path / "b"), "-o", str(tmp_path / "all.duckdb")]

    first, second = benchdb(*call), benchdb(*call)

    assert (first.status, first.err) == (0, f"merged 2 sessions into {tmp_path / 'all.duckdb'}\n")
    assert second.err == f"merged 0 sessions into {tmp_path / 'all.duckdb'}; 2 sessions left out, there already\n"
    assert len(benchdb("sessions", str(tmp_path / "all.duckdb"), "-f", "csv").out.splitlines()) == 3


def test_recover_folds_the_journal_of_a_dead_session(benchdb: Call, tmp_path: Path, new_session: Call) -> None:
    made = new_session(tmp_path / "dead", finished=False)

    ended = benchdb("recover", str(tmp_path / "dead"))

    assert ended.status == 0
    assert made.session_id in ended.out
    assert ended.err == "recovered 1 session\n"
    assert not made.path.exists()
    assert "incomplete" in benchdb("report", str(tmp_path / "dead")).out
    assert benchdb("recover", str(tmp_path / "dead")).err == "nothing to recover\n"


def test_doctor_of_a_good_database_is_fine(benchdb: Call) -> None:
    ended = benchdb("doctor", "results", "-f", "json", "--full")

    findings = json.loads(ended.out)["findings"]
    about = {finding["subject"]: finding["message"] for finding in findings if finding["severity"] == "ok"}
    assert ended.status == 0
    assert about["results"] == "3 sessions, 1 of them incomplete"
    assert about["content"] == "every value of 3 files is in order"


def test_doctor_of_a_bad_database_says_what_to_do(benchdb: Call, tmp_path: Path) -> None:
    bad = tmp_path / "bad.duckdb"
    bad.write_text("not a database at all, just text")

    ended = benchdb("doctor", str(bad))

    assert ended.status == 5
    assert "error" in ended.out
    assert "not a pytest-benchdb database" in " ".join(ended.out.split())


def test_data_of_hostile_names_survives_csv(benchdb: Call, tmp_path: Path, new_session: Call, new_run: Call) -> None:
    name = 'a.py::test["=cmd()",\n@x]'
    new_session(tmp_path / "odd", [new_run(name)])

    rows = list(csv.DictReader(io.StringIO(benchdb("report", str(tmp_path / "odd"), "-f", "csv").out, newline="")))

    assert rows[0]["fullname"] == name
