"""``--benchdb-report`` and ``--benchdb-json``: the files that a run leaves beside its database."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.plugin.recorded import BenchmarkJson, Record

pytest.importorskip("pytest_benchmark")

SUITE = """
    import pytest

    @pytest.mark.parametrize("n", [1, 100])
    def test_sort(benchmark, n):
        benchmark.extra_info["n"] = n
        benchmark(sorted, range(n))

    @pytest.mark.benchmark(group="slow")
    def test_group(benchmark):
        benchmark(lambda: None)

    def test_pedantic(benchmark):
        benchmark.pedantic(sum, args=([1, 2],), rounds=7, warmup_rounds=2, iterations=3)

    def test_once(benchmark):
        benchmark.pedantic(sum, args=([1, 2],), rounds=1)
"""
MIXED = """
    import pytest

    def test_passes(benchmark):
        benchmark(len, "abc")

    def test_fails(benchmark):
        benchmark(len, "abc")
        assert not "a reason"

    def test_skips(benchmark):
        pytest.skip("no device")
"""

ON_THE_EDGE = {"outliers", "stddev_outliers", "iqr_outliers", "ld15iqr", "hd15iqr"}
"""They tell which rounds lie beyond a fence, and one may lie on it to the last bit; the formulas have unit tests."""


def json_of(path: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=pytest.fail)
    return content


def benchdb(*arguments: str) -> str:
    command = [sys.executable, "-m", "pytest_benchdb", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout


def rounded(value: object, iterations: int) -> object:
    """Return whole clock ticks of a round instead of its seconds per iteration."""
    if isinstance(value, list):
        return [rounded(item, iterations) for item in value]
    return round(value * iterations * 1e9) if isinstance(value, float) else value


@pytest.mark.long
def test_reports_are_those_of_the_report_command(record_here: Record) -> None:
    recorded = record_here(MIXED, "--benchdb-report=r.md", "--benchdb-report=r.json", "--benchdb-report=r.csv")

    assert recorded.result.ret == 1
    (file,) = recorded.files
    source = str(file.relative_to(Path.cwd()))
    for ending in ("md", "json", "csv"):
        written = Path(f"r.{ending}").read_bytes().decode()
        assert written.splitlines() == benchdb("report", source, "-f", ending).splitlines()
        recorded.result.stdout.fnmatch_lines([f"report written to r.{ending}"])


def test_html_report_is_that_of_the_report_command(record_here: Record) -> None:
    pytest.importorskip("jinja2")

    recorded = record_here(MIXED, "--benchdb-report=r.html")

    (file,) = recorded.files
    written = Path("r.html").read_text(encoding="utf-8")
    assert written.splitlines() == benchdb("report", str(file.relative_to(Path.cwd())), "-f", "html").splitlines()
    assert "failed: AssertionError" in written
    assert "skipped: no device" in written


def test_html_report_without_jinja_is_a_usage_error_that_says_what_to_install(
    record: Record, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(jinja_less="import sys\nsys.modules['jinja2'] = None\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(pytester.path), os.environ.get("PYTHONPATH", "")]))

    recorded = record(MIXED, "-p", "jinja_less", "--benchdb-report=r.html")

    assert recorded.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "pip install 'pytest-benchdb[html]'" in recorded.text
    assert not recorded.folder.exists()


def test_report_is_of_this_session_only(record_here: Record) -> None:
    for _ in range(2):
        record_here(MIXED, "--benchdb-report=r.json", path="all.duckdb")

    (session,) = json_of("r.json")["sessions"]
    listed = json.loads(benchdb("sessions", "--db", "all.duckdb", "-f", "json"))["rows"]
    assert len(listed) == 2
    assert session["session_id"] == max(row["session_id"] for row in listed)
    assert [row["outcome"] for row in session["rows"]] == ["passed", "failed", "skipped"]


def test_report_of_a_session_that_waits_for_its_file_is_written(record_here: Record) -> None:
    Path("other.db").write_bytes(b"not a database at all" * 100)

    recorded = record_here(SUITE, "--benchdb-report=r.json", path="other.db")

    assert recorded.result.ret == 0
    (session,) = json_of("r.json")["sessions"]
    assert len(session["rows"]) == 5


def test_reports_are_relative_to_the_folder_where_pytest_was_started(
    record_here: Record, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\n")
    below = pytester.mkdir("below")
    elsewhere = pytester.mkdir("elsewhere")
    (below / "test_a.py").write_text(
        f"import os\n\ndef test_a(benchmark):\n    benchmark(len, 'abc')\n    os.chdir({str(elsewhere)!r})\n"
    )
    monkeypatch.chdir(below)

    record_here(None, "test_a.py", "--benchdb-report=r.csv", "--benchdb-json=b.json")

    with (below / "r.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 2
    assert len(json_of(str(below / "b.json"))["benchmarks"]) == 1


def test_json_equals_what_pytest_benchmark_wrote_in_the_same_run(
    record_here: Record, benchmark_json: BenchmarkJson
) -> None:
    recorded = record_here(SUITE, "--benchmark-json=own.json", "--benchdb-json=ours.json")

    recorded.result.assert_outcomes(passed=5)
    recorded.result.stdout.fnmatch_lines(["pytest-benchmark's JSON written to ours.json: 5 runs"])
    ours, own = benchmark_json("ours.json"), benchmark_json("own.json")
    assert list(ours) == list(own)
    for fullname, theirs in own.items():
        mine = ours[fullname]
        iterations = theirs["stats"]["iterations"]
        assert {**mine, "stats": None, "options": None} == {**theirs, "stats": None, "options": None}
        known = {name: value for name, value in mine["options"].items() if value is not None}
        assert known.items() <= theirs["options"].items()
        assert {"timer", "disable_gc", "min_rounds", "max_time", "warmup"} <= known.keys()
        assert mine["options"].keys() >= theirs["options"].keys()  # version 4 has fewer
        assert mine["stats"].keys() == theirs["stats"].keys()
        assert rounded(mine["stats"]["data"], iterations) == rounded(theirs["stats"]["data"], iterations)
        for name, value in theirs["stats"].items():
            if name not in {"data", "ops", *ON_THE_EDGE}:
                assert mine["stats"][name] == pytest.approx(value, abs=1e-9 / iterations, rel=1e-9), name
        assert mine["stats"]["ops"] == pytest.approx(theirs["stats"]["ops"], rel=1e-5)


def test_json_has_the_keys_of_pytest_benchmark(record_here: Record) -> None:
    record_here(SUITE, "--benchmark-json=own.json", "--benchdb-json=ours.json")

    ours, own = json_of("ours.json"), json_of("own.json")
    assert list(ours) == list(own)
    assert ours["machine_info"].keys() == own["machine_info"].keys()
    assert ours["commit_info"].keys() == own["commit_info"].keys()
    for name in ("machine", "python_compiler", "python_implementation", "python_version", "release"):
        assert ours["machine_info"][name] == own["machine_info"][name], name
    assert ours["commit_info"]["id"] == own["commit_info"]["id"] == "unversioned"
    assert ours["datetime"][:13] <= own["datetime"][:13]


@pytest.mark.long
@pytest.mark.parametrize("raw", [(), ("--no-benchdb-raw",)], ids=["rounds", "statistics"])
def test_json_loads_with_pytest_benchmarks_compare(record_here: Record, raw: tuple[str, ...]) -> None:
    record_here(SUITE, "--benchmark-json=own.json", "--benchdb-json=ours.json", "-k", "test_sort", *raw)

    command = [sys.executable, "-m", "pytest_benchmark", "compare", "ours.json", "own.json", "--csv=table.csv"]
    compared = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)

    assert compared.returncode == 0, compared.stderr
    assert "Traceback" not in compared.stderr
    with Path("table.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    by_name: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_name.setdefault(row["name"].partition(" (")[0], []).append(row)
    for first, second in by_name.values():
        for name in ("min", "max", "mean", "median"):
            assert float(first[name]) == pytest.approx(float(second[name]), abs=1e-9), name


def test_json_without_rounds_has_statistics_and_no_data(record_here: Record) -> None:
    record_here(SUITE, "--benchdb-json=ours.json", "--no-benchdb-raw")

    for benchmark in json_of("ours.json")["benchmarks"]:
        stats = benchmark["stats"]
        assert "data" not in stats
        assert stats["min"] <= stats["median"] <= stats["max"]
        assert (stats["ld15iqr"], stats["hd15iqr"], stats["stddev_outliers"]) == (None, None, None)
        assert stats["outliers"] == f"?;{stats['iqr_outliers']}"


def test_json_leaves_out_what_did_not_pass_and_says_so(record_here: Record) -> None:
    recorded = record_here(MIXED, "--benchdb-json=ours.json")

    assert [benchmark["name"] for benchmark in json_of("ours.json")["benchmarks"]] == ["test_passes"]
    recorded.result.stdout.fnmatch_lines(
        ["pytest-benchmark's JSON written to ours.json: 1 run, without 2 that did not pass or have no valid rounds"]
    )


@pytest.mark.parametrize("strict", [False, True])
def test_file_that_cannot_be_written_is_a_warning_and_fails_only_a_strict_run(
    record_here: Record, *, strict: bool
) -> None:
    options = ["--benchdb-strict"] if strict else []

    recorded = record_here(
        SUITE, "--benchdb-report=missing/r.md", "--benchdb-report=r.csv", "--benchdb-json=.", *options
    )

    assert recorded.result.ret == (1 if strict else 0)
    recorded.result.assert_outcomes(passed=5)
    warnings = [line for line in recorded.text.splitlines() if line.startswith("benchdb: ")]
    assert len([line for line in warnings if "missing/r.md cannot be written: No such file" in line]) == 1
    assert len([line for line in warnings if "Is a directory" in line]) == 1
    assert "Traceback" not in recorded.text
    assert Path("r.csv").exists()
    assert list(Path.cwd().glob(".*.part")) == []


def test_file_of_a_session_that_could_not_be_stored_is_not_written(
    record: Record, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The child that stores the session cannot load DuckDB; the journal is the result.
    broken = pytester.mkdir("broken")
    for module in ("duckdb", "_duckdb"):
        (broken / f"{module}.py").write_text("raise ImportError('broken')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(broken), os.environ.get("PYTHONPATH", "")]))
    Path("r.md").write_text("of an earlier run")

    recorded = record(SUITE, "--benchdb-report=r.md")

    assert recorded.result.ret == 0
    assert "benchdb recover" in recorded.text
    assert "not written, because the session is not in the database yet: r.md" in recorded.text
    assert Path("r.md").read_text() == "of an earlier run"


def test_file_of_a_run_without_benchmarks_is_not_written(record_here: Record) -> None:
    recorded = record_here("def test_plain(): pass", "--benchdb-report=r.md", "--benchdb-strict")

    assert recorded.result.ret == 0
    assert "not written, because there are no results: r.md" in recorded.text
    assert not Path("r.md").exists()


def test_files_are_written_of_an_interrupted_run(record: Record) -> None:
    suite = SUITE + "\n    def test_stop():\n        raise KeyboardInterrupt\n"

    recorded = record(suite, "--benchdb-report=r.json", "--benchdb-json=b.json")

    assert recorded.result.ret == pytest.ExitCode.INTERRUPTED
    assert len(json_of("r.json")["sessions"][0]["rows"]) == 5
    assert len(json_of("b.json")["benchmarks"]) == 5


def test_files_are_written_with_warnings_as_errors_and_in_the_quiet(record_here: Record) -> None:
    recorded = record_here(SUITE, "-W", "error", "-qq", "--benchdb-report=r.md", "--benchdb-json=b.json")

    assert recorded.result.ret == 0
    assert "r.md" not in recorded.text
    assert Path("r.md").exists()
    assert Path("b.json").exists()


@pytest.mark.long
def test_files_are_written_by_the_controller_of_xdist(record_here: Record) -> None:
    pytest.importorskip("xdist")

    recorded = record_here(SUITE, "-n2", "--benchdb-report=r.json", "--benchdb-json=b.json")

    assert len(json_of("r.json")["sessions"][0]["rows"]) == 5
    # pytest-benchmark 5 measures nothing under xdist, 4 does.
    assert len(json_of("b.json")["benchmarks"]) in {0, 5}
    recorded.result.stdout.fnmatch_lines(["pytest-benchmark's JSON written to b.json: *"])
