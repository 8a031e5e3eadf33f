"""`benchdb show`: what its name may mean, and what is shown of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
SORT = "tests/test_sort.py::test_sort[100]"


@pytest.fixture
def history(new_run: Call, new_session: Call, tmp_path: Path) -> str:
    """Return a folder of 12 sessions in which dumps became slower, and the last of which ran nothing else."""
    folder = tmp_path / "history"
    for at in range(11):
        slower = 2e-3 if at >= 6 else 1e-3
        runs = [
            new_run(SORT),
            new_run(SORT.replace("100", "1000")),
            new_run("tests/test_json.py::TestJ::test_dumps", [slower] * 3),
        ]
        new_session(folder, runs, at=at, label=f"night-{at}")
    new_session(folder, [new_run("tests/test_json.py::TestJ::test_dumps", [1.5e-3] * 3)], at=11)
    return str(folder)


@pytest.mark.parametrize(
    "name",
    ["tests/test_json.py::TestJ::test_dumps", "test_json.py::TestJ::test_dumps", "TestJ::test_dumps", "test_dumps"],
)
def test_benchmark_is_found_by_the_end_of_its_name(benchdb: Call, history: str, name: str) -> None:
    ended = benchdb("show", name, "--db", history)

    assert ended.status == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == "tests/test_json.py::TestJ::test_dumps"
    assert any(
        line.startswith("history  12 sessions, 1.000 ms to 2.000 ms  \u2581\u2581\u2581\u2581\u2581\u2581\u2588")
        for line in lines
    )
    rows = [line for line in lines if line.startswith("2026-")]
    assert [cell.strip() for cell in rows[0].split("  ") if cell.strip()][1:3] == ["1.500 ms", "-25.0 %"]
    assert "+100 %" in next(row for row in rows if "night-6" in row)
    assert len(rows) == 10
    assert "2 older sessions not shown: -v shows all" in lines
    assert "newest run" in lines


def test_benchmark_with_verbose_shows_every_session(benchdb: Call, history: str) -> None:
    assert "night-0" in benchdb("show", "test_dumps", "--db", history, "-v").out


def test_benchmark_that_the_newest_session_lacks_is_shown_from_its_own(benchdb: Call, history: str) -> None:
    out = benchdb("show", SORT, "--db", history).out

    assert out.startswith(f"{SORT}\n")
    assert "11 sessions" in out


def test_benchmark_as_json_has_its_whole_history(benchdb: Call, history: str) -> None:
    shown = json.loads(benchdb("show", "test_dumps", "--db", history, "-f", "json").out)

    assert (shown["schema"], shown["metric"], shown["unit"], shown["statistic"]) == (
        "benchdb.benchmark/1",
        "wall_time",
        "s",
        "min",
    )
    assert [point["figure"] for point in shown["history"]] == [1e-3] * 6 + [2e-3] * 5 + [1.5e-3]
    assert shown["newest"]["run"]["run_id"] == shown["history"][-1]["run_id"]


def test_name_of_several_benchmarks_lists_them(benchdb: Call, history: str) -> None:
    ended = benchdb("show", "test_sort", "--db", history)

    assert ended.status == 0
    assert ended.out.startswith("test_sort is the name of 2 benchmarks; benchdb show NAME shows one:\n")
    assert all(f"{SORT.replace('100', n)} " in ended.out for n in ("100", "1000"))
    listed = json.loads(benchdb("show", "test_sort", "--db", history, "-f", "json").out)
    assert sorted(row["fullname"] for row in listed["benchmarks"]) == sorted([SORT, SORT.replace("100", "1000")])


def test_session_goes_before_a_benchmark_of_its_name(
    benchdb: Call, new_run: Call, new_session: Call, tmp_path: Path
) -> None:
    new_session(tmp_path / "db", [new_run("t.py::nightly")], label="nightly")

    assert "label nightly" in benchdb("show", "nightly", "--db", str(tmp_path / "db")).out
    assert benchdb("show", "t.py::nightly", "--db", str(tmp_path / "db")).out.startswith("t.py::nightly\n")


def test_show_alone_is_the_newest_session(benchdb: Call) -> None:
    assert benchdb("show", "--db", "results").out == benchdb("show", "latest", "--db", "results").out
    assert benchdb("show", "results").out == benchdb("show", "results", "latest").out


def test_unknown_name_suggests_another(benchdb: Call, history: str) -> None:
    ended = benchdb("show", "test_dump", "--db", history)

    assert ended.status == 2
    assert "'test_dump' is not a benchmark or a session; did you mean test_dumps?" in ended.err


def test_failed_run_is_in_the_history_without_a_figure(
    benchdb: Call, new_run: Call, new_session: Call, tmp_path: Path
) -> None:
    for at, outcome in enumerate(["passed", "failed", "passed"]):
        made = (
            new_run("t.py::test_a")
            if outcome == "passed"
            else new_run("t.py::test_a", None, outcome="failed", reason="boom")
        )
        new_session(tmp_path / "db", [made], at=at)

    out = benchdb("show", "test_a", "--db", str(tmp_path / "db")).out

    row = next(line for line in out.splitlines() if "failed: boom" in line)
    assert " ms" not in row
    assert " 0.0 %" in out


def test_notes_are_shown_of_a_session_and_a_run(
    benchdb: Call, new_run: Call, new_session: Call, tmp_path: Path
) -> None:
    made = new_run("t.py::test_a")
    new_session(tmp_path / "db", [made])
    db = ("--db", str(tmp_path / "db"))
    benchdb("note", "latest", "a backup ran", *db)
    benchdb("note", f"run:{made.run_id}", "swapped", *db)

    session = benchdb("show", *db).out
    run = benchdb("show", f"run:{made.run_id}", *db).out
    written = json.loads(benchdb("show", "-f", "json", *db).out)

    assert "a backup ran (" in session
    assert "test_a: swapped (" in session
    assert "swapped (" in run
    assert "about the session" in run
    assert [note["text"] for note in written["sessions"][0]["notes"]] == ["a backup ran", "swapped"]
