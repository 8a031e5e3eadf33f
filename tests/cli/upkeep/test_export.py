"""`benchdb export`: what is selected, where it goes, and what is said."""

import csv
import io
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pytest_benchdb.model.run import Measurement, Timing

Call = Callable[..., Any]


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_table_has_every_session_without_a_choice_and_its_failures(benchdb: Call) -> None:
    ended = benchdb("export", "jsonl", "-d", "results")

    rows = rows_of(ended.out)
    assert (ended.status, ended.err) == (0, "")
    assert len({row["session_id"] for row in rows}) == 3
    assert {row["outcome"] for row in rows} == {"passed", "failed", "skipped"}
    assert [row["value"] for row in rows if row["outcome"] != "passed" and row["value"] is not None] == []


def test_figures_equal_those_of_the_report(benchdb: Call) -> None:
    report = json.loads(benchdb("report", "-d", "results", "-f", "json").out)
    rows = rows_of(benchdb("export", "jsonl", "latest", "-d", "results").out)

    medians = {row["benchmark"]: row["median"] for row in rows if row["metric"] == "wall_time" and row["median"]}
    shown = {row["fullname"]: row["median_s"] for row in report["sessions"][0]["rows"] if row["median_s"]}
    assert medians == shown != {}


@pytest.mark.parametrize(
    ("options", "sessions", "benchmarks"),
    [
        (["latest"], 1, 5),
        (["nightly"], 1, 5),
        (["--last", "2"], 2, 5),
        (["-k", "sort"], 3, 2),
        (["-w", "outcome=failed"], 3, 1),
        (["--since", "2099-01-01"], None, None),
    ],
)
def test_selection_is_that_of_other_commands(
    benchdb: Call, options: list[str], sessions: int | None, benchmarks: int | None
) -> None:
    ended = benchdb("export", "jsonl", "-d", "results", *options)

    if sessions is None:
        assert ended.status == 2
        return
    rows = rows_of(ended.out)
    assert len({row["session_id"] for row in rows}) == sessions
    assert len({row["benchmark"] for row in rows}) == benchmarks


def test_metric_of_a_filter_is_the_only_one_that_is_exported(benchdb: Call) -> None:
    rows = rows_of(benchdb("export", "jsonl", "-d", "results", "-w", "metric=peak_rss outcome=passed").out)

    assert {row["metric"] for row in rows} == {"peak_rss"}


def test_parquet_has_typed_columns_and_rounds_as_lists(benchdb: Call, tmp_path: Path) -> None:
    path = tmp_path / "results.parquet"

    ended = benchdb("export", "parquet", "-d", "results", "-o", str(path))

    assert (ended.status, ended.err) == (0, f"wrote {path}: 15 runs of 3 sessions\n")
    with duckdb.connect() as connection:
        types = dict(connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM '{path}')").fetchall())
        found = connection.execute(
            f"SELECT samples, n FROM '{path}' WHERE metric = 'wall_time' AND benchmark LIKE '%dumps' LIMIT 1"
        ).fetchone()
    assert (types["started_at"], types["samples"], types["n"]) == ("TIMESTAMP", "DOUBLE[]", "BIGINT")
    assert found == ([5e-4, 5.1e-4, 5.2e-4], 3)


def test_parquet_is_partitioned_by_date(benchdb: Call, tmp_path: Path) -> None:
    folder = tmp_path / "parquet"

    first = benchdb("export", "parquet", "--partition-by", "date", "-d", "results", "-o", str(folder))
    again = benchdb("export", "parquet", "--partition-by", "date", "-d", "results", "-o", str(folder))

    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert (first.status, again.status) == (0, 0)
    assert files == ["date=2026-09-21/data_0.parquet"]
    with duckdb.connect() as connection:
        query = f"SELECT count(DISTINCT session_id), min(date) FROM read_parquet('{folder}/**/*.parquet')"
        assert [str(value) for value in connection.execute(query).fetchone() or ()] == ["3", "2026-09-21"]


def test_folder_with_other_files_is_left_alone(benchdb: Call, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    ended = benchdb("export", "asv", "-d", "results", "-o", str(tmp_path))

    assert ended.status == 2
    assert "notes.txt, which is not part of this export" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_json_of_pytest_benchmark_is_read_by_its_compare(
    benchdb: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = pytest.importorskip("pytest_benchmark.cli")
    path = tmp_path / "results.json"
    ended = benchdb("export", "pytest-benchmark", "nightly", "-d", "results", "-o", str(path))

    monkeypatch.setattr("sys.argv", ["pytest-benchmark", "compare", str(path)])
    cli.main()

    shown = capsys.readouterr()
    assert ended.err.splitlines()[0] == "left out of pytest-benchmark: 2 did not pass"
    assert "test_sort[1000]" in shown.out + shown.err
    assert "benchmark 'sort': 2 tests" in shown.out + shown.err


def test_several_sessions_in_a_format_of_one_are_a_folder(benchdb: Call, tmp_path: Path) -> None:
    folder = tmp_path / "json"

    without = benchdb("export", "pytest-benchmark", "-d", "results", "--last", "2")
    ended = benchdb("export", "pytest-benchmark", "-d", "results", "--last", "2", "-o", str(folder))

    assert (without.status, ended.status) == (2, 0)
    assert "holds one session, and 2 are selected" in without.err
    names = sorted(path.name for path in folder.iterdir())
    assert [name[:16] for name in names] == ["20260921T151320Z", "20260921T161320Z"]
    assert len(json.loads((folder / names[0]).read_text())["benchmarks"]) == 3


def test_runs_that_a_format_cannot_hold_are_counted(benchdb: Call) -> None:
    ended = benchdb("export", "bmf", "-d", "results")

    assert ended.err == "left out of bmf: 2 did not pass\n"
    assert len(json.loads(ended.out)) == 3


def test_simulated_runs_are_marked_in_tables_and_left_out_elsewhere(
    benchdb: Call, new_run: Call, new_session: Call, tmp_path: Path
) -> None:
    row = Measurement.of("wall_time", samples=[1e-3, 2e-3], provenance="simulated")
    timing = {"measurements": (row,), "provenance": "simulated", "iterations": 1, "rounds": 2}
    assert set(timing) <= set(Timing.__dataclass_fields__)
    new_session(tmp_path / "sim", [new_run("tests/test_a.py::test_sim", **timing)])

    table = rows_of(benchdb("export", "jsonl", str(tmp_path / "sim")).out)
    metrics = benchdb("export", "openmetrics", str(tmp_path / "sim"))

    assert {row["provenance"] for row in table if row["metric"] == "wall_time"} == {"simulated"}
    assert metrics.out == "# EOF\n"
    assert metrics.err.splitlines() == [
        "left out of openmetrics: 1 simulated",
        "no run was exported: these sessions have none that it can hold",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["excell"], "FORMAT 'excell' is unknown; did you mean excel?"),
        (["parquet"], "parquet is not text; name a file for it: -o results.parquet"),
        (["otava", "-o", "-"], "otava makes several files; name a folder for them: -o FOLDER"),
        (["csv", "--partition-by", "date"], "--partition-by date is for parquet; csv is not written in partitions"),
        (["csv", "-o", "missing/x.csv"], "missing/x.csv cannot be written: No such file or directory"),
        (["asv", "-o", "missing/folder/x"], "missing/folder/x cannot be written: No such file or directory"),
        (["csv", "-o", "."], ". cannot be written: Is a directory"),
        (["csv", "no-such-session"], "'no-such-session'"),
        (["csv", "-w", "what"], "-w 'what': not of the form key=value"),
    ],
)
def test_mistake_is_one_line(benchdb: Call, arguments: list[str], message: str) -> None:
    ended = benchdb("export", *arguments, "-d", "results")

    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_file_that_may_not_be_written_keeps_its_content(benchdb: Call, tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("old")
    path.chmod(stat.S_IRUSR)

    assert benchdb("export", "csv", "-d", "results", "-o", str(path)).status == 2
    assert path.read_text() == "old"


def test_export_of_a_foreign_file_needs_no_database(benchdb: Call, tmp_path: Path) -> None:
    table = tmp_path / "nights.csv"
    table.write_text("session,started_at,benchmark,value\nnight,2026-01-01,sort,0.5\n")

    ended = benchdb("export", "csv", f"file:{table}")

    (row,) = csv.DictReader(io.StringIO(ended.out))
    assert (row["benchmark"], row["value"], row["provenance"]) == ("sort", "0.5", "imported")
