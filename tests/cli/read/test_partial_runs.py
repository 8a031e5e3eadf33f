"""A run of a part of the suite hides nothing of the rest."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
FULL, PART = "pytest --benchdb", "pytest --benchdb -k slow"


@pytest.fixture
def record(new_run: Call, new_session: Call, tmp_path: Path) -> Call:
    """Return a function that records benchmarks of these names, one hour after the other."""
    recorded: list[str] = []

    def call(names: Sequence[str], command: str = FULL, seconds: float = 1e-3, **changes: Any) -> str:
        runs = [new_run(f"t.py::test_{name}", [seconds] * 3) for name in names]
        new_session(tmp_path / "db", runs, at=len(recorded), command=command, **changes)
        recorded.append(command)
        return str(tmp_path / "db")

    return call


def names_of(out: str) -> list[str]:
    return sorted(line.split()[0] for line in out.splitlines() if line.startswith("test_"))


def test_report_adds_the_newest_runs_of_what_was_left_out(benchdb: Call, record: Call) -> None:
    record(["a", "slow"])
    record(["a", "b", "slow"], seconds=2e-3)
    db = record(["slow"], PART, seconds=3e-3)

    out = benchdb("report", "--db", db).out
    (session,) = json.loads(benchdb("report", "--db", db, "-f", "json").out)["sessions"]

    assert names_of(out) == ["test_a", "test_b", "test_slow"]
    assert [line for line in out.splitlines() if "(older: 01234567)" in line and " 2.000 " in line] != []
    assert "all 1 run, and 2 older runs of what this session left out" in out
    assert {row["fullname"]: (row["median_s"], row["older_at"] is not None) for row in session["rows"]} == {
        "t.py::test_slow": (3e-3, False),
        "t.py::test_a": (2e-3, True),
        "t.py::test_b": (2e-3, True),
    }


def test_report_of_a_named_session_has_nothing_else(benchdb: Call, record: Call) -> None:
    record(["a", "slow"])
    db = record(["slow"], PART)

    assert names_of(benchdb("report", "latest", "--db", db).out) == ["test_slow"]
    assert names_of(benchdb("report", "--last", "1", "--db", db).out) == ["test_slow"]


def test_report_leaves_out_what_a_later_full_run_no_longer_has(benchdb: Call, record: Call) -> None:
    record(["a", "gone", "slow"])
    record(["a", "slow"])
    db = record(["slow"], PART)

    assert names_of(benchdb("report", "--db", db).out) == ["test_a", "test_slow"]


def test_report_joins_several_partial_runs(benchdb: Call, record: Call) -> None:
    record(["a", "b", "slow"])
    record(["a"], "pytest t.py::test_a --benchdb", seconds=2e-3)
    db = record(["slow"], PART)

    rows = json.loads(benchdb("report", "--db", db, "-f", "json").out)["sessions"][0]["rows"]

    assert {row["name"]: row["median_s"] for row in rows} == {"test_slow": 1e-3, "test_a": 2e-3, "test_b": 1e-3}


def test_report_takes_no_run_of_another_machine(benchdb: Call, record: Call) -> None:
    record(["a", "slow"], cpu="Other CPU")
    db = record(["slow"], PART)

    assert names_of(benchdb("report", "--db", db).out) == ["test_slow"]


def test_compare_alone_takes_the_newest_run_of_each_and_the_one_before(benchdb: Call, record: Call) -> None:
    record(["a", "slow"], seconds=1e-3)
    record(["a", "slow"], seconds=2e-3)
    db = record(["slow"], PART, seconds=4e-3)

    ended = benchdb("compare", "--db", db)

    assert names_of(ended.out) == ["test_a", "test_slow"]
    assert "1 benchmark that the newest session left out: older runs of 2026-09-21" in ended.out
    lines = {line.split()[0]: line.split()[1:3] for line in ended.out.splitlines() if line.startswith("test_")}
    assert lines == {"test_a": ["1.000", "2.000"], "test_slow": ["2.000", "4.000"]}


def test_compare_with_a_partial_run_finds_the_rest_before_it(benchdb: Call, record: Call) -> None:
    record(["a", "slow"], seconds=1e-3)
    record(["slow"], PART, seconds=2e-3)
    db = record(["a", "slow"], seconds=4e-3)

    out = benchdb("compare", "--db", db).out

    lines = {line.split()[0]: line.split()[1:3] for line in out.splitlines() if line.startswith("test_")}
    assert lines == {"test_a": ["1.000", "4.000"], "test_slow": ["2.000", "4.000"]}


def test_compare_says_missing_only_of_what_should_have_run(benchdb: Call, record: Call) -> None:
    record(["a", "gone", "slow"])
    db = record(["a", "slow"])
    assert "test_gone" in benchdb("compare", "--db", db).out
    assert "1 missing" in benchdb("compare", "latest~1", "latest", "--db", db).out

    record(["slow"], PART)

    out = benchdb("compare", "latest~1", "latest", "--db", db).out
    assert "missing" not in out
    assert "1 benchmark left out: not selected by the command of latest" in out


def test_gate_judges_what_the_session_ran_by_the_newest_run_of_each(benchdb: Call, record: Call) -> None:
    for _ in range(6):
        record(["a", "slow"])
    for _ in range(2):
        record(["slow"], PART)
    db = record(["a", "slow"], seconds=2e-3)

    out = benchdb("regress", "--db", db, "--confirm", "0").out
    assert [line.split()[0] for line in out.splitlines() if " regressed" in line and line.startswith("test_")] != []
    assert {"test_a", "test_slow"} <= set(names_of(out))

    record(["slow"], PART)
    partial = benchdb("regress", "--db", db, "--confirm", "0").out
    assert "test_a" not in partial
    assert "missing" not in partial
