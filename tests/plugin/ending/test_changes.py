"""What the end of a run says about the run before: the column of the summary, remarks, and a comparison."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from tests.plugin.recorded import Record, Recorded

SUITE = """
    import time

    def test_one(bench):
        bench(len, "abc")

    def test_two(bench):
        bench.pedantic(time.sleep, (0.001,), rounds=3)
"""
OTHER = """
    def test_new(bench):
        bench(len, "abc")

    def test_fails(bench):
        bench(len, "abc")
        assert not "a reason"
"""


def cells(recorded: Recorded, name: str) -> list[str]:
    (line,) = [line for line in recorded.result.outlines if line.strip().startswith(name)]
    return line.split()


def change_of(recorded: Recorded, name: str) -> str:
    """Return the cell of a benchmark under the heading `change`; empty if it is blank."""
    lines = recorded.result.outlines
    (head,) = [line for line in lines if line.startswith("benchmark ") and " change" in line]
    (line,) = [line for line in lines if line.strip().startswith(name)]
    left, right = (head.index(title) + len(title) for title in ("median", "change"))
    return line[left:right].strip()


def has_column(recorded: Recorded) -> bool:
    return any(line.startswith("benchmark ") and " change" in line for line in recorded.result.outlines)


def test_first_run_has_no_column_and_says_how_to_get_it(record: Record) -> None:
    first = record(SUITE)

    assert not has_column(first)
    assert "next: change the code and run again, to see what changed" in first.text


def test_second_run_shows_the_change_that_compare_shows(record: Record) -> None:
    record(SUITE)
    second = record(SUITE)

    command = [sys.executable, "-m", "pytest_benchdb", "compare", "--db", str(second.folder), "-f", "json"]
    done = subprocess.run(command, capture_output=True, check=True)
    (comparison,) = json.loads(done.stdout)["comparisons"]
    for row in comparison["rows"]:
        shown = change_of(second, row["benchmark"].partition("::")[2])
        assert shown == "~" + (f"{row['change'] * 100:+.1f}" if abs(row["change"]) >= 0.0005 else "0.0")
    assert "next: benchdb compare --db results" in second.text
    assert "change: since the run before on this machine" in second.text


@pytest.mark.long
def test_benchmark_without_an_earlier_run_is_blank_and_never_0(record: Record) -> None:
    record(SUITE)
    second = record(SUITE + OTHER)

    assert change_of(second, "test_one").startswith("~")
    assert change_of(second, "test_new") == ""
    assert "failed: AssertionError" in " ".join(cells(second, "test_fails"))


@pytest.mark.long
def test_change_is_since_the_newest_run_of_each_benchmark(record: Record) -> None:
    record(SUITE)
    record(SUITE, "-k", "two")
    third = record(SUITE)

    assert change_of(third, "test_one").startswith("~")
    assert change_of(third, "test_two").startswith("~")
    assert "change: since each benchmark's last run on this machine" in third.text


@pytest.mark.long
def test_benchmark_whose_code_changed_is_blank(record: Record) -> None:
    record(SUITE)
    second = record(SUITE.replace('"abc"', '"abcd"'))

    assert change_of(second, "test_one") == ""
    assert change_of(second, "test_two").startswith("~")


@pytest.mark.long
@pytest.mark.parametrize("folder", ["results", "all.duckdb"])
def test_another_machine_is_not_compared_with(record: Record, folder: str) -> None:
    first = record(SUITE, path=folder)
    files = [first.folder] if first.folder.is_file() else first.files
    with duckdb.connect(str(files[0])) as connection:
        connection.execute("UPDATE session SET fingerprint = uuid()")

    assert not has_column(record(SUITE, path=folder))


@pytest.mark.long
def test_single_file_has_the_column_too(record: Record) -> None:
    record(SUITE, path="all.duckdb")

    assert change_of(record(SUITE, path="all.duckdb"), "test_one").startswith("~")


@pytest.mark.long
def test_single_file_in_use_says_why_there_is_no_column(record: Record) -> None:
    first = record(SUITE, path="all.duckdb")
    with duckdb.connect(str(first.folder)):
        second = record(SUITE, path="all.duckdb", timeout=200)

    assert not has_column(second)
    assert second.result.ret == 0
    assert "all.duckdb is in use" in second.text


@pytest.mark.long
def test_earlier_session_that_cannot_be_read_costs_only_the_column(record: Record) -> None:
    first = record(SUITE)
    first.files[0].write_bytes(b"no database")
    second = record(SUITE)

    assert second.result.ret == 0
    assert not has_column(second)
    assert "change: not shown: " in second.text


@pytest.mark.long
def test_large_history_is_not_searched_to_its_end(record: Record) -> None:
    (file,) = record(SUITE).files
    for number in range(30):
        shutil.copyfile(file, file.with_name(f"2000010{number // 10}T00000{number % 10}Z-{number}.duckdb"))

    later = record(SUITE + OTHER)

    assert change_of(later, "test_new") == ""
    assert "earlier sessions not searched" in later.text


@pytest.mark.long
@pytest.mark.parametrize("options", [("-q",), ("-qq",), ("--benchdb-columns=benchmark,median",)])
def test_column_is_not_looked_for_where_it_is_not_shown(record: Record, options: tuple[str, ...]) -> None:
    record(SUITE)
    second = record(SUITE, *options)

    assert not has_column(second)
    assert "change:" not in second.text
    assert ("next:" in second.text) == (not options[0].startswith("-q"))


@pytest.mark.long
def test_column_is_there_under_xdist(record: Record) -> None:
    record(SUITE, "-n2")

    assert change_of(record(SUITE, "-n2"), "test_two").startswith("~")


@pytest.mark.long
def test_column_stays_in_a_narrow_terminal(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    record(SUITE)
    second = record(SUITE)

    assert change_of(second, "test_one").startswith("~")
    assert all(len(line) <= 40 for line in second.result.outlines if line.startswith(("benchmark ", "test_")))


@pytest.mark.long
def test_columns_can_be_chosen(record: Record, pytester: pytest.Pytester) -> None:
    record(SUITE)
    pytester.makepyprojecttoml('[tool.benchdb]\ncolumns = "benchmark,change,relative,ops"')
    second = record(SUITE)

    head = next(line for line in second.result.outlines if line.startswith("benchmark "))
    assert head.split() == ["benchmark", "change", "relative", "OPS"]
    assert "1.00" in cells(second, "test_one")


@pytest.mark.long
def test_change_alone_is_shown_beside_the_names(record: Record) -> None:
    record(SUITE)
    second = record(SUITE, "--benchdb-columns=change")

    head = next(line for line in second.result.outlines if line.startswith("benchmark "))
    assert head.split() == ["benchmark", "change"]
    assert cells(second, "test_one")[1].startswith("~")


def test_unknown_column_ends_the_run_before_its_first_test(record: Record) -> None:
    ended = record(SUITE, "--benchdb-columns=benchmark,speed")

    assert ended.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--benchdb-columns: no column 'speed'" in ended.text
    assert "change, benchmark" in ended.text


@pytest.mark.long
def test_table_beside_that_of_pytest_benchmark_has_only_what_it_lacks(record: Record) -> None:
    pytest.importorskip("pytest_benchmark")
    suite = "def test_one(benchmark): benchmark(len, 'abc')"
    record(suite)
    second = record(suite)
    quiet = record(suite, "--benchmark-quiet")

    heads = [next(line for line in run.result.outlines if line.startswith("benchmark ")) for run in (second, quiet)]
    assert heads[0].split()[:2] == ["benchmark", "change"]
    assert "median" not in heads[0]
    assert "median" in heads[1].split()


def test_first_table_beside_that_of_pytest_benchmark_has_no_rows_that_say_nothing(record: Record) -> None:
    pytest.importorskip("pytest_benchmark")
    first = record(
        """
        def test_one(benchmark): benchmark(len, 'abc')
        def test_two(benchmark): benchmark(len, 'abc'); assert False
        """
    )

    ours = first.text[first.text.index("- benchdb -") :]
    assert "test_two" in ours
    assert "memory" not in ours.splitlines()[1]
    assert "1 failed, 1 passed -> " in ours or "1 passed, 1 failed -> " in ours


# ---- the comparison


@pytest.mark.long
def test_comparison_is_with_the_session_before(record: Record) -> None:
    record(SUITE, "--benchdb-label=first")
    second = record(SUITE, "--benchdb-compare")

    second.result.stdout.fnmatch_lines(["*- benchdb comparison -*", "baseline * latest~1 *", "*test_one*"])
    assert "next:" not in second.text


@pytest.mark.long
def test_comparison_with_a_named_session_implies_recording(record: Record, pytester: pytest.Pytester) -> None:
    record(SUITE, "--benchdb-label=first", path=".benchdb")
    record(SUITE, path=".benchdb")
    third = pytester.runpytest_subprocess("--benchdb-compare=label:first")

    third.stdout.fnmatch_lines(["*- benchdb comparison -*", "baseline * label:first *"])
    assert len(list((pytester.path / ".benchdb").glob("2*.duckdb"))) == 3


@pytest.mark.long
def test_comparison_of_the_first_session_says_that_there_is_no_other(record: Record) -> None:
    first = record(SUITE, "--benchdb-compare")

    assert first.result.ret == 0
    assert "not compared: " in first.text


@pytest.mark.parametrize("value", ["tests", "test_suite.py", "test_suite.py::test_one"])
def test_tests_after_the_option_are_not_taken_for_a_session(record: Record, value: str) -> None:
    Path("tests").mkdir()
    ended = record(SUITE, "--benchdb-compare", value)

    assert ended.result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"write --benchdb-compare=latest~1 {value}" in ended.text
