"""The commands that look after a store, as a user types them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

Call = Callable[..., Any]

LABELS = ("day0", "day1", "day2")


@pytest.fixture
def db(tmp_path: Path, new_session: Call, new_run: Call) -> Path:
    """Return a folder of three sessions, a day apart; two of them on main."""
    from pytest_benchdb.model.environment import Commit

    for number, label in enumerate(LABELS):
        branch = "feature/x" if number == 1 else "main"
        commit = Commit(sha=f"{number}" * 40, branch=branch, dirty=False)
        new_session(tmp_path / "history", [new_run("a.py::test_work")], at=24 * number, label=label, commit=commit)
    return tmp_path / "history"


def stored(benchdb: Call, db: Path) -> list[str]:
    answer = benchdb("sessions", "--db", str(db), "-f", "json")
    return sorted(row["label"] for row in json.loads(answer.out)["rows"]) if answer.status == 0 else []


def answer(benchdb: Call, *arguments: str, status: int = 0) -> dict[str, Any]:
    ended = benchdb(*arguments, "-f", "json")
    assert ended.status == status, ended.err
    parsed: dict[str, Any] = json.loads(ended.out)
    return parsed


@pytest.mark.parametrize(
    ("rule", "gone"),
    [
        (["--branch", "feature/*"], ["day1"]),
        (["--keep-last", "1"], ["day0"]),
        (["--label", "day[0]"], []),
        (["--label", "day*", "--keep-last", "2"], []),
        (["--older-than", "2100-01-01", "--branch", "main"], ["day0", "day2"]),
        (["--older-than", "2001-01-01"], []),
    ],
)
def test_prune_selects_by_every_rule_given(benchdb: Call, db: Path, rule: list[str], gone: list[str]) -> None:
    planned = answer(benchdb, "prune", "--db", str(db), *rule, "--sessions", "--dry-run")
    assert stored(benchdb, db) == list(LABELS)

    done = answer(benchdb, "prune", "--db", str(db), *rule, "--sessions")

    assert done["sessions"] == planned["sessions"]
    assert stored(benchdb, db) == sorted(set(LABELS) - set(gone))


def test_pruned_rounds_leave_the_report_as_it_was(benchdb: Call, db: Path) -> None:
    before = benchdb("report", "--db", str(db), "label:day0").out

    done = benchdb("prune", "--db", str(db), "--keep-last", "1")

    assert done.status == 0
    assert "removed rounds of 1 session: " in done.err
    assert len(done.out.splitlines()) == 1
    assert benchdb("report", "--db", str(db), "label:day0").out == before
    counts = json.loads(benchdb("query", "SELECT count(*) AS n FROM round_chunk", "--db", str(db), "-f", "json").out)
    assert counts["rows"] == [{"n": 2}]


def test_prune_keeps_baselines_and_needs_a_rule(benchdb: Call, db: Path) -> None:
    assert benchdb("baseline", "set", "release", "label:day0", "--db", str(db)).status == 0

    done = benchdb("prune", "--db", str(db), "--older-than", "2100-01-01", "--sessions")
    refused = benchdb("prune", "--db", str(db))

    assert "1 session stayed because a baseline names them" in done.err
    assert stored(benchdb, db) == ["day0"]
    assert (refused.status, refused.out) == (2, "")
    assert "say what may go" in refused.err


def test_rm_removes_what_is_named_and_nothing_a_baseline_names(benchdb: Call, db: Path) -> None:
    benchdb("baseline", "set", "release", "label:day0", "--db", str(db))

    refused = benchdb("rm", "label:day0", "--db", str(db))
    missing = benchdb("rm", "label:day7", "--db", str(db))
    planned = answer(benchdb, "rm", "label:day1", "--db", str(db), "--dry-run")
    done = answer(benchdb, "rm", "label:day1", "--db", str(db))

    assert (refused.status, missing.status) == (2, 2)
    assert "benchdb baseline rm release" in refused.err
    assert (done["sessions"], done["dry_run"], planned["dry_run"]) == (planned["sessions"], False, True)
    assert stored(benchdb, db) == ["day0", "day2"]


def test_optimize_says_what_it_saved(benchdb: Call, db: Path) -> None:
    done = benchdb("optimize", str(db))

    assert done.status == 0
    assert "3 files became 1: " in done.err
    assert stored(benchdb, db) == list(LABELS)
    assert (db / "history.duckdb").exists()


def test_backup_and_restore(benchdb: Call, db: Path, tmp_path: Path) -> None:
    first = answer(benchdb, "backup", str(tmp_path / "copies"), "--db", str(db))
    again = answer(benchdb, "backup", str(tmp_path / "copies"), "--db", str(db), "--retain", "30d")
    assert (first["copied"], again["copied"], again["files"]) == (3, 0, 3)

    over = benchdb("restore", str(tmp_path / "copies"), "--db", str(db))
    early = benchdb("restore", str(tmp_path / "copies"), "--db", "back", "--at", "2001-01-01")
    done = benchdb("restore", str(tmp_path / "copies"), "--db", str(tmp_path / "back"))

    assert (over.status, early.status, done.status) == (2, 5, 0)
    assert "a backup never replaces what is there" in over.err
    assert "has no backup of 2001-01-01; the oldest is of " in early.err
    assert stored(benchdb, tmp_path / "back") == list(LABELS)


@pytest.mark.parametrize("span", ["30", "a month", "-1d"])
def test_retain_is_a_span(benchdb: Call, db: Path, tmp_path: Path, span: str) -> None:
    refused = benchdb("backup", str(tmp_path / "copies"), "--db", str(db), "--retain", span)

    assert refused.status == 2
    assert f"--retain {span!r}: not a span; write 30d or 8w" in refused.err
    assert not (tmp_path / "copies").exists()


def test_validate_repairs_what_loses_nothing(benchdb: Call, db: Path, new_session: Call) -> None:
    assert answer(benchdb, "validate", str(db))["problems"] == []
    first, second, _ = sorted(path for path in db.glob("*.duckdb") if path.name != "history.duckdb")
    with duckdb.connect(str(first)) as connection:
        connection.execute("INSERT INTO run SELECT * FROM run LIMIT 1")
    with duckdb.connect(str(second)) as connection:
        connection.execute("UPDATE measurement SET stddev = -1")
    new_session(db, at=99, label="died", finished=False)

    found = answer(benchdb, "validate", str(db), status=5)
    fixed = answer(benchdb, "validate", str(db), "--fix")

    assert {problem.split(": ")[1] for problem in found["problems"]} >= {"duplicate_keys", "impossible"}
    assert len(found["waiting"]) == 1
    assert fixed["problems"] == []
    assert fixed["repaired"] == [str(first), str(second)]
    assert stored(benchdb, db) == [*LABELS, "died"]


def test_migrate_of_new_files_changes_nothing(benchdb: Call, db: Path) -> None:
    assert answer(benchdb, "migrate", str(db)) == {
        "schema": "benchdb.migrate/1",
        "upgraded": [],
        "current": 3,
        "problems": [],
    }


def benchmark_json(path: Path, median_s: float) -> None:
    statistics = dict.fromkeys(("min", "max", "mean", "median", "q1", "q3"), median_s) | {"stddev": 0.0, "rounds": 1}
    test = {"fullname": "t.py::test_a", "name": "test_a", "params": None, "group": None, "stats": statistics}
    content = {"machine_info": {}, "commit_info": {}, "benchmarks": [test], "datetime": "2026-01-02T03:04:05"}
    path.write_text(json.dumps({**content, "version": "5.1.0"}))
    os.utime(path, (1e9, 1e9))


def test_only_proven_sources_are_removed(benchdb: Call, tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    benchmark_json(sources / "a.json", 0.1)
    benchmark_json(sources / "changed.json", 0.2)
    assert benchdb("import", "pytest-benchmark", str(sources), "--db", str(tmp_path / "history")).status == 0
    benchmark_json(sources / "changed.json", 0.3)
    benchmark_json(sources / "never.json", 0.4)
    benchmark_json(sources / "young.json", 0.1)
    os.utime(sources / "young.json")
    clean = ("clean-sources", str(sources), "--db", str(tmp_path / "history"))

    listed = json.loads(benchdb(*clean, "-f", "json").out)["rows"]
    assert {Path(row["file"]).name: row["state"] for row in listed} == {
        "a.json": "imported",
        "changed.json": "not imported",
        "never.json": "not imported",
        "young.json": "too young",
    }
    assert len(list(sources.iterdir())) == 4

    done = benchdb(*clean, "--delete")

    assert "1 of 4 files removed" in done.err
    assert sorted(path.name for path in sources.iterdir()) == ["changed.json", "never.json", "young.json"]
