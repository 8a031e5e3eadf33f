"""baseline, accept and note: what people add to results."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.store.history.merge import merge
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.target import Target

Call = Callable[..., Any]


@pytest.fixture
def results(results: Path, tmp_path: Path) -> Path:
    """Copy the folder that all tests share: these write into it."""
    return Path(shutil.copytree(results, tmp_path / "results"))


@pytest.fixture(params=["folder", "file"])
def db(request: pytest.FixtureRequest, results: Path) -> str:
    if request.param == "folder":
        return "results"
    merge([results], Target(path=results.parent / "one.duckdb", kind="file"))
    return "one.duckdb"


def test_baseline_is_set_listed_used_and_removed(benchdb: Call, db: str) -> None:
    newest = json.loads(benchdb("sessions", "--db", db, "-f", "json").out)["rows"][0]["session_id"]

    done = benchdb("baseline", "set", "release-1", "--db", db)
    assert (done.status, done.out) == (0, "")
    assert done.err.startswith(f"baseline release-1 is session {newest[:13]} (2026-09-21 16:13, main 01234567)")
    benchdb("baseline", "set", "first", "nightly", "--db", db)

    rows = json.loads(benchdb("baseline", "list", "--db", db, "-f", "json").out)["rows"]
    assert [(row["name"], row["spec"]) for row in rows] == [("first", "nightly"), ("release-1", "latest")]
    assert rows[1]["session"] == newest
    assert benchdb("baseline", "list", "--db", db).out.splitlines()[2].split()[:3] == [
        "first",
        "nightly",
        rows[0]["session"][:13],
    ]
    assert f"session   {rows[0]['session'][:13]}" in benchdb("report", "first", "--db", db).out

    assert benchdb("baseline", "rm", "first", "--db", db).status == 0
    rows = json.loads(benchdb("baseline", "list", "--db", db, "-f", "json").out)["rows"]
    assert [row["name"] for row in rows] == ["release-1"]
    missing = benchdb("baseline", "rm", "first", "--db", db)
    assert (missing.status, missing.err) == (2, "benchdb: there is no baseline 'first'; there are release-1\n")


def test_baseline_list_of_none_says_how_to_set_one(benchdb: Call) -> None:
    done = benchdb("baseline", "list", "--db", "results")

    assert (done.status, done.out) == (0, "")
    assert "benchdb baseline set NAME" in done.err


@pytest.mark.parametrize("name", ["latest", "auto", "window:3", "a b", "label:x", "main~1", "v1.*", "latest~2"])
def test_baseline_name_that_reads_as_a_spec_is_refused(benchdb: Call, name: str) -> None:
    done = benchdb("baseline", "set", name, "--db", "results")

    assert done.status == 2
    assert "cannot name a baseline" in done.err


def test_baseline_of_nothing_is_refused_and_writes_nothing(benchdb: Call, results: Path) -> None:
    before = sorted(path.name for path in results.glob("*Z-*"))

    assert benchdb("baseline", "set", "x", "label:never", "--db", "results").status == 2
    assert benchdb("baseline", "set", "x", "--db", "missing").status == 5
    assert sorted(path.name for path in results.glob("*Z-*")) == before


def test_accept_is_written_and_listed(benchdb: Call, db: str) -> None:
    done = benchdb(
        "accept",
        "*::test_sort[*]",
        "--reason",
        "checks\n its input",
        "--metric",
        "time",
        "--expires",
        "30d",
        "--db",
        db,
    )
    assert (done.status, done.out) == (0, "")
    assert done.err.startswith("accepted *::test_sort[*] from session")

    (row,) = json.loads(benchdb("accept", "--list", "--db", db, "-f", "json").out)["rows"]
    assert (row["pattern"], row["metric"], row["reason"]) == ("*::test_sort[*]", "time", "checks its input")
    assert row["expired"] is False
    newest = json.loads(benchdb("sessions", "--db", db, "-f", "json").out)["rows"][0]["session_id"]
    assert row["since"] == newest
    assert "checks its input" in benchdb("accept", "--list", "--db", db).out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["*"], "needs a PATTERN and --reason TEXT"),
        (["--reason", "x"], "needs a PATTERN and --reason TEXT"),
        (["*", "--reason", " "], "--reason is empty"),
        (["test_sort", "--reason", "x"], "matches no benchmark of session"),
        (["*", "--reason", "x", "--expires", "soon"], "not a day"),
        (["*", "--reason", "x", "--since", "label:never"], "no session has the label 'never'"),
    ],
    ids=["reason", "pattern", "empty", "nothing", "expires", "since"],
)
def test_accept_that_cannot_be_meant_is_refused(benchdb: Call, arguments: list[str], what: str) -> None:
    done = benchdb("accept", *arguments, "--db", "results")

    assert done.status == 2
    assert what in done.err
    assert benchdb("accept", "--list", "--db", "results").out == ""


def test_note_of_a_session_and_of_a_run_are_shown(benchdb: Call, db: str) -> None:
    runs = json.loads(benchdb("report", "latest", "--db", db, "-f", "json").out)["sessions"][0]["rows"]
    run_id, session_id = runs[0]["run_id"], runs[0]["session_id"]

    assert benchdb("note", "latest", " about the session ", "--db", db).status == 0
    written = benchdb("note", f"run:{run_id[:20]}", "about the run", "--db", db)
    assert written.err.startswith(f"wrote a note about run {run_id[:13]} of session {session_id[:13]}")
    assert benchdb("note", runs[1]["run_id"], "about another", "--db", db).status == 0

    notes = json.loads(benchdb("show", f"run:{run_id}", "--db", db, "-f", "json").out)["notes"]
    assert [(one["run_id"], one["text"]) for one in notes] == [(None, "about the session"), (run_id, "about the run")]


@pytest.mark.parametrize("name", ["nothing", "run:ffff", "label:never", "run:"])
def test_note_about_nothing_is_refused(benchdb: Call, name: str) -> None:
    assert benchdb("note", name, "text", "--db", "results").status == 2


def test_note_as_json_tells_where_it_is(benchdb: Call, results: Path) -> None:
    document = json.loads(benchdb("note", "latest", "text", "--db", "results", "-f", "json").out)

    assert document["schema"] == "benchdb.note/1"
    assert Path(document["path"]).parent == results
    with open_history([results]) as reader:
        assert [one["text"] for one in reader.notes()] == ["text"]


def test_annotations_leave_reports_and_doctor_as_they_were(benchdb: Call) -> None:
    def shown() -> list[str]:
        text = benchdb("report", "--db", "results").out + benchdb("sessions", "--db", "results").out
        return [line for line in text.splitlines() if not line.startswith("note ")]

    before = shown()
    benchdb("baseline", "set", "x", "--db", "results")
    benchdb("note", "latest", "text", "--db", "results")
    benchdb("accept", "*", "--reason", "text", "--db", "results")

    assert shown() == before
    assert benchdb("doctor", "--db", "results", "--full").status == 0
