"""`benchdb import`, as users type it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.importers.source_files import SHA, document, entry, write_csv, write_json, write_rows

Call = Callable[..., Any]


@pytest.fixture
def bring(benchdb: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that runs `benchdb import` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: benchdb("import", *map(str, arguments))


def test_import_tells_what_came_in_and_reports_show_it(bring: Call, benchdb: Call, tmp_path: Path) -> None:
    write_json(tmp_path / ".benchmarks" / "Linux-CPython-3.11-64bit" / "0001_before.json", document())

    done = bring("pytest-benchmark", ".benchmarks", "--db", "db")
    report = benchdb("report", "db", "label:before")

    assert (done.status, done.out) == (0, "")
    assert done.err == "imported 1 session with 1 run into db\n"
    assert "test_sum[10]" in report.out
    assert "import by pytest-benchmark 5.3.1" in report.out
    assert "1.500" in report.out


def test_import_twice_says_that_it_is_there_already(bring: Call, tmp_path: Path) -> None:
    write_rows(tmp_path / "t.csv")
    bring("csv", "t.csv")

    done = bring("csv", "t.csv")

    assert done.status == 0
    assert done.err == "imported 0 sessions with 0 runs into .benchdb; 2 sessions left out, there already\n"


def test_import_of_bad_rows_names_them_and_takes_the_rest(bring: Call, tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", "a,2026-01-01,sort,1", "a,2026-01-01,sort,x", "a,2026-01-01,,1")

    done = bring("auto", "t.csv", "--db", "db")

    assert done.status == 0
    assert done.err.splitlines() == [
        "t.csv: line 3: value is 'x'; expected a finite number, with a point for decimals",
        "t.csv: line 4: benchmark is empty",
        "imported 1 session with 1 run into db; 2 items refused",
    ]


@pytest.mark.parametrize("strict", [[], ["--strict"]], ids=["plain", "strict"])
def test_import_of_nothing_that_can_be_taken_is_a_usage_error(strict: list[str], bring: Call, tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", "a,2026-01-01,sort,x")

    done = bring("auto", "t.csv", "--db", "db", *strict)

    assert done.status == 2
    assert "t.csv: nothing was imported from it: none of its 1 items can be read" in done.err
    assert not (tmp_path / "db").exists()


def test_import_strict_fails_and_keeps_the_files_without_problems(bring: Call, tmp_path: Path) -> None:
    write_csv(tmp_path / "bad.csv", "a,2026-01-01,sort,1", "a,2026-01-01,sort,x")
    write_csv(tmp_path / "good.csv", "b,2026-01-01,sort,1")

    done = bring("csv", "bad.csv", "good.csv", "--db", "db", "--strict")

    assert done.status == 2
    assert "imported 1 session with 1 run into db; nothing imported from 1 file" in done.err


def test_import_dry_run_writes_nothing(bring: Call, tmp_path: Path) -> None:
    write_rows(tmp_path / "t.csv")

    done = bring("auto", "t.csv", "--dry-run", "--db", "db")

    assert (done.status, done.err) == (0, "would import 2 sessions with 2 runs into db\n")
    assert not (tmp_path / "db").exists()


def test_import_json_has_a_row_for_each_file(bring: Call, tmp_path: Path) -> None:
    write_rows(tmp_path / "t.csv")
    (tmp_path / "empty.json").touch()

    done = bring("auto", "t.csv", "empty.json", "--db", "db", "-f", "json")

    content = json.loads(done.out)
    assert content["schema"] == "benchdb.import/1"
    assert content["rows"][0] == {
        "file": "t.csv",
        "format": "csv",
        "imported": 2,
        "known": 0,
        "runs": 2,
        "refused": 0,
        "reason": None,
    }
    assert content["rows"][1]["reason"] == "it is empty: its writer died, or has not finished"


def test_import_of_many_problems_names_the_first_unless_asked_for_all(bring: Call, tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", "a,2026-01-01,sort,1", *["a,2026-01-01,sort,x"] * 30)

    few, every = bring("auto", "t.csv"), bring("auto", "t.csv", "-v")

    assert "and 10 problems more; -v names them all" in few.err
    assert few.err.count("line ") == 20
    assert every.err.count("line ") == 30


def test_import_shows_no_escapes_of_hostile_names(bring: Call, tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", document(entry(), entry("\x1b[31mred\x07", stats={"iterations": 0})))

    done = bring("auto", "a.json")

    assert done.status == 0
    assert "\x1b" not in done.err
    assert "benchmarks[1] (" in done.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nothing", "t.csv"), "FORMAT 'nothing' is unknown; write one of auto, "),
        (("csv", "gone.csv"), "gone.csv does not exist; name a file or a folder to import"),
        (("csv", "t.csv", "--tag", "x"), "--tag 'x': write K=V"),
        (("csv", "t.csv", "--db", "tests.py"), "is a test, not a database"),
        (("csv",), "PATH is missing; write: benchdb import auto PATH, or benchdb import --watch DIR"),
        (("csv", "t.csv", "--watch", "."), "--watch . and PATH t.csv exclude each other"),
        (("--watch", "gone"), "--watch gone is not a folder; name one that exists"),
        (("csv", "t.csv", "--at", "noon"), "--at 'noon' is not a time"),
    ],
    ids=["format", "path", "tag", "target", "no-path", "watch-path", "watch-gone", "at"],
)
def test_import_that_cannot_be_meant_is_a_usage_error(
    arguments: tuple[str, ...], text: str, bring: Call, tmp_path: Path
) -> None:
    write_rows(tmp_path / "t.csv")

    done = bring(*arguments)

    assert done.status == 2
    assert text in done.err


def test_import_of_an_empty_folder_is_a_usage_error(bring: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    done = bring("auto", "empty")

    assert (done.status, done.err) == (2, "nothing to import: no file of a known format in empty\n")


def test_import_into_a_damaged_database_is_a_database_error(bring: Call, tmp_path: Path) -> None:
    write_rows(tmp_path / "t.csv")
    (tmp_path / "one.duckdb").write_bytes(b"no database")

    done = bring("csv", "t.csv", "--db", "one.duckdb")

    assert done.status == 5
    assert "one.duckdb" in done.err


def test_import_gives_label_tags_and_project(bring: Call, benchdb: Call, tmp_path: Path) -> None:
    write_rows(tmp_path / "t.csv")
    bring("csv", "t.csv", "--db", "db", "--label", "old", "--tag", "from=ci", "--tag", "os=linux", "--project", "p")

    answer = benchdb("query", "--db", "db", "-f", "json", "SELECT project, label, tags, commit_sha FROM session")

    row = json.loads(answer.out)["rows"][0]
    assert (row["project"], row["label"], row["commit_sha"]) == ("p", "old", SHA)
    assert row["tags"] == {"from": "ci", "os": "linux"}


def test_import_reports_every_file_and_fails_if_one_is_lost(bring: Call, tmp_path: Path) -> None:
    write_json(tmp_path / "in" / "a.json", document())
    (tmp_path / "in" / "b.json").write_text('{"machine_info": {}, "benchmarks": [', encoding="utf-8")
    (tmp_path / "in" / "c.txt").write_text("hello", encoding="utf-8")

    done = bring("auto", "in", "--db", "db", "--report", "report.json")

    assert done.status == 2
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [(row["path"], row["outcome"], row.get("runs")) for row in report["files"]] == [
        ("in/a.json", "imported", 1),
        ("in/b.json", "not imported", 0),
        ("in/c.txt", "passed over", None),
    ]
    assert report["files"][1]["reason"] == "it is not JSON: Expecting value in line 1, column 37; it looks cut off"


@pytest.mark.long
def test_import_watches_until_it_is_terminated(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    command = [sys.executable, "-m", "pytest_benchdb", "import", "--watch", "in", "--db", "db", "--report", "r.json"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "watching in; Ctrl-C ends it\n"
        write_json(tmp_path / "in" / "a.json", document())
        assert process.stderr.readline() == "imported 1 session with 1 run into db\n"
        process.terminate()
        assert process.stderr.read() == "stopped watching; 1 file read\n"
        assert process.wait(60) == 0
