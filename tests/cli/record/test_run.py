"""`benchdb run`, as users type it: with real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.fixture
def run(benchdb: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that runs `benchdb` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return benchdb


def runs_of(benchdb: Call, *arguments: str) -> list[dict[str, Any]]:
    report = json.loads(benchdb("report", *arguments, "-f", "json").out)
    return [row for session in report["sessions"] for row in session["rows"]]


def test_run_records_a_session_that_report_shows(run: Call) -> None:
    done = run("run", "-N", "nap", "-r", "3", "--label", "first", "--tag", "k=v", "--", "sleep", "0.01")
    (row,) = runs_of(run)

    assert done.status == 0
    assert done.out.splitlines()[0].split() == [
        "command",
        "mean",
        "±",
        "95",
        "%",
        "min",
        "max",
        "user",
        "system",
        "rounds",
    ]
    assert done.out.splitlines()[3].split()[0] == "nap"
    assert done.err.startswith("-> .benchdb/")
    assert (row["fullname"], row["outcome"], row["rounds"], row["main_metric"]) == (
        "command::nap",
        "passed",
        3,
        "wall_time",
    )
    assert row["min_s"] >= 0.01
    assert row["cpu_s"] < row["min_s"]
    assert "api by pytest-benchdb" in run("report", "label:first").out


def test_run_stores_each_metric_with_its_method(run: Call) -> None:
    run("run", "-r", "2", "--", sys.executable, "-I", "-S", "-c", "bytearray(100 << 20)")

    rows = json.loads(
        run("query", "SELECT metric, n, value, method FROM measurement ORDER BY metric", "-f", "json").out
    )
    values = {row["metric"]: row for row in rows["rows"]}

    assert set(values) >= {"wall_time", "cpu_time", "user_time", "system_time", "command_peak"}
    assert values["command_peak"]["n"] == 2
    assert values["command_peak"]["value"] > 100 << 20
    assert "ru_maxrss" in values["command_peak"]["method"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the starter's memory")
def test_run_stores_memory_that_is_not_known_as_null_with_the_reason(run: Call) -> None:
    run("run", "-r", "2", "--", "true")

    sql = "SELECT value, valid, reason FROM measurement WHERE metric = 'command_peak'"
    (row,) = json.loads(run("query", sql, "-f", "json").out)["rows"]

    assert (row["value"], row["valid"]) == (None, False)
    assert row["reason"].startswith("no more than the ")


def test_run_compares_commands(run: Call) -> None:
    done = run("run", "-r", "4", "sleep 0.1", "sleep 0.01")

    assert done.status == 0
    assert "sleep 0.01 was the fastest:" in done.out
    assert " times as fast as sleep 0.1" in done.out


def test_run_of_a_failing_command_fails_and_stores_no_time(run: Call) -> None:
    done = run("run", "-r", "3", "--", "sh", "-c", "exit 3")
    (row,) = runs_of(run)

    assert done.status == 1
    assert "failed: exit code 3 in round 1" in done.out
    assert (row["outcome"], row["reason"], row["min_s"]) == ("failed", "exit code 3 in round 1", None)


def test_run_that_ignores_failures_records_the_exit_codes(run: Call) -> None:
    done = run("run", "-i", "-r", "3", "--", "sh", "-c", "exit 3")

    (row,) = json.loads(run("query", "SELECT extra_info FROM run", "-f", "json").out)["rows"]

    assert done.status == 0
    assert "note: it exited with 3 in 3 of 3 rounds, which --ignore-failure accepts" in done.out
    assert json.loads(row["extra_info"])["exit_codes"] == {"3": 3}


def test_run_with_a_timeout_says_so(run: Call) -> None:
    done = run("run", "--timeout", "0.05", "-r", "2", "--", "sleep", "30")

    assert done.status == 1
    assert "timeout: took longer than --timeout 0.05 s" in done.out


def test_run_with_a_shell_shows_its_start_and_subtracts_nothing(run: Call) -> None:
    done = run("run", "-r", "2", "sleep 0.01 | cat", "sleep 0.01")

    assert "note: sleep 0.01 | cat includes the start of sh, about " in done.out


def test_run_with_parameters_stores_them(run: Call) -> None:
    run("run", "-r", "2", "-L", "time", "0.01,0.02", "sleep {time}")

    rows = runs_of(run)

    assert [row["params"] for row in rows] == [{"time": 0.01}, {"time": 0.02}]
    assert [row["name"] for row in rows] == ["sleep {time}[0.01]", "sleep {time}[0.02]"]


@pytest.mark.parametrize("suffix", ["json", "csv", "md", "html"])
def test_run_writes_what_report_would(suffix: str, run: Call, tmp_path: Path) -> None:
    done = run("run", "-r", "2", "-o", f"results.{suffix}", "--", "true")

    report = run("report", "-f", suffix)

    assert done.out == ""
    assert (tmp_path / f"results.{suffix}").read_text() == report.out or suffix in {"html", "json", "md"}
    assert "command::true" in report.out or suffix in {"html", "md"}


def test_run_reads_input_and_writes_output(run: Call, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("hello\n")

    run("run", "-r", "2", "--input", "in", "--stdout", "out", "--", "cat")

    assert (tmp_path / "out").read_text() == "hello\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say what to run: benchdb run -- make all"),
        (("no-such-program-x",), "no-such-program-x: no such program"),
        (("--", "no such"), "no such: no such program; after -- each word is one argument"),
        (("--input", "nowhere", "--", "cat"), "--input nowhere"),
        (("--stdout", "nowhere/file", "--", "cat"), "--stdout nowhere/file: there is no folder"),
        (("-o", "null", "--", "true"), "-o null: -o is the file for the results; --stdout is for what"),
        (("-r", "3", "-m", "2", "--", "true"), "--runs is the exact number of rounds"),
        (("-m", "5", "-M", "2", "--", "true"), "--max-runs 2 is less than --min-runs 5"),
        (("--db", "tests.py", "--", "true"), "--db tests.py: tests.py is a test, not a database"),
        (("--timeout", "inf", "--", "true"), "--timeout inf: give fewer than 10,000,000 seconds"),
        (("--timeout", "nan", "--", "true"), "--timeout nan: give fewer than"),
        (("--tag", "x", "--", "true"), "--tag 'x': write K=V"),
        (("-P", "n", "1", "x", "echo {n}"), "-P n 1 x: give numbers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_run_refuses_what_it_cannot_use_in_one_line(
    arguments: tuple[str, ...], message: str, run: Call, tmp_path: Path
) -> None:
    done = run("run", *arguments)

    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / ".benchdb").exists()


def test_run_leaves_the_results_of_a_suite_alone(run: Call) -> None:
    """A session of command lines is no run of a suite that lost its tests, nor the other way round."""
    run("run", "-N", "one", "-r", "2", "--", "true")
    run("run", "-N", "two", "-r", "2", "--", "true")

    names = {row["name"] for row in runs_of(run)}
    gate = run("regress", "--missing", "fail")

    assert names == {"one", "two"}
    assert "missing" not in gate.out
    assert gate.status != 3


def test_gate_runs_a_command_again_to_confirm(run: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHDB_CONFIRM_PAUSE", "0")
    (tmp_path / "time").write_text("0.02")
    nap = ("run", "-N", "nap", "-r", "3", "-o", "last.json", "-S", "sh", "sleep $(cat time)")
    for _ in range(6):
        run(*nap)
    (tmp_path / "time").write_text("0.2")
    run(*nap)
    (tmp_path / "last.json").unlink()

    gate = run("regress", "--width", "200")

    assert "re-run 1 of 2: 1 suspect, with: benchdb run -N nap" in gate.err
    assert "nap" in gate.out
    assert not (tmp_path / "last.json").exists()
    assert len(json.loads(run("sessions", "-f", "json").out)["rows"]) == 7  # the re-runs are not part of the history


def test_gate_does_not_compare_another_command_under_the_same_name(run: Call) -> None:
    for _ in range(6):
        run("run", "-N", "nap", "-r", "2", "--", "sleep", "0.01")
    run("run", "-N", "nap", "-r", "2", "--", "sleep", "0.05")

    gate = run("regress", "--confirm", "0")

    assert gate.status == 0
    assert "incomparable" in gate.out


def test_show_says_how_to_run_it_again(run: Call) -> None:
    run("run", "-N", "nap", "-r", "2", "--", "sleep", "0.01")

    assert "benchdb run -N nap -- sleep 0.01" in run("show", "command::nap").out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_interrupt_keeps_what_was_measured(number: int, run: Call, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest_benchdb",
        "run",
        "-r",
        "100000",
        "--",
        "sh",
        "-c",
        "echo >>rounds; sleep 0.01",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    while not (tmp_path / "rounds").exists() or (tmp_path / "rounds").stat().st_size < 4:
        time.sleep(0.01)
    os.kill(process.pid, number)
    out, err = process.communicate()

    (row,) = runs_of(run)

    assert process.returncode == 130
    assert "interrupted after " in out
    assert "interrupted; what was measured is kept" in err
    assert (row["outcome"], row["rounds"] >= 2) == ("passed", True)
    assert "interrupted" in run("sessions").out
