"""Scripts for the older database run with one changed import."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pytest_benchdb
from pytest_benchdb.compat import TestResultsDBHandler
from pytest_benchdb.compat.result import run_of
from pytest_benchdb.errors import ConfigError, StoreMissingError
from pytest_benchdb.model.run import Summary

RESULT: dict[str, Any] = {
    "model_name": "bert-base-uncased",
    "hardware_type": "cuda",
    "test_type": "inference",
    "status": "Success",
    "success": True,
    "execution_time": 1.25,
    "memory_usage": 2048.5,
    "details": {"batch_size": 16, "sequence_length": 128},
}
PERFORMANCE = {"average_latency_ms": 5.0, "throughput_items_per_second": 305.5, "memory_peak_mb": 3175.0}
POWER = {"power_watts_avg": 3.2, "temperature_celsius_avg": 42.0, "battery_impact_mah": 125.3}


@pytest.fixture
def handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestResultsDBHandler]:
    for name in ("BENCHMARK_DB_PATH", "DISABLE_DB_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with TestResultsDBHandler(db_path="./benchmark_db.duckdb") as opened:
        yield opened


def test_documented_snippet_stores_and_reports(handler: TestResultsDBHandler) -> None:
    stored = handler.store_test_result(RESULT)
    report = handler.generate_report(format="markdown", output_file="report.md")

    (row,) = handler.get_test_results()
    assert stored is True
    assert report == Path("report.md").read_text()
    assert "bert-base-uncased" in report
    assert (row["model_name"], row["hardware_type"], row["test_type"]) == ("bert-base-uncased", "cuda", "inference")
    assert (row["success"], row["execution_time_seconds"], row["memory_usage_mb"]) == (True, 1.25, 2048.5)
    assert json.loads(row["details"])["details"] == {"batch_size": 16, "sequence_length": 128}


def test_figures_come_back_in_the_older_units(handler: TestResultsDBHandler) -> None:
    handler.store_test_result({**RESULT, "performance": PERFORMANCE, "power_metrics": POWER})

    (row,) = handler.get_performance_results()
    measured = handler.query("SELECT metric, value FROM measurement ORDER BY metric")
    (answer,) = handler.query("SELECT model, hardware, avg(throughput) AS t FROM benchmark_performance GROUP BY ALL")
    assert (row["average_latency_ms"], row["throughput_items_per_second"], row["batch_size"]) == (5.0, 305.5, 16)
    assert {entry["metric"]: entry["value"] for entry in measured} == {
        "device_peak": 3175e6,
        "peak_rss": 2048.5e6,
        "power": 3.2,
        "temperature": 315.15,
        "throughput": 305.5,
        "wall_time": 5e-3,
    }
    assert answer == {"model": "bert-base-uncased", "hardware": "cuda", "t": 305.5}


def test_sessions_are_ordinary_ones(handler: TestResultsDBHandler, tmp_path: Path) -> None:
    handler.store_test_result(RESULT)
    handler.store_test_result({**RESULT, "hardware_type": "cpu", "success": False, "status": "Failed", "error": "boom"})
    handler.close()
    handler.close()

    with pytest_benchdb.open(tmp_path / "benchmark_db.duckdb") as history:
        (session,) = history.sessions()
        outcomes = {row["backend"]: (row["outcome"], row["reason"]) for row in history.runs()}
    assert (session["kind"], session["outcome"], session["runs"]) == ("api", "failed", 2)
    assert outcomes == {"cuda": ("passed", None), "cpu": ("failed", "boom")}


def test_simulated_results_are_in_no_ranking(handler: TestResultsDBHandler) -> None:
    handler.store_test_result({**RESULT, "performance": PERFORMANCE, "is_simulated": True})

    assert handler.get_test_results()[0]["is_simulated"] is True
    assert handler.get_performance_results() == []
    assert "simulated" in handler.generate_report(format="json")


def test_parts_of_a_result_have_methods_of_their_own(handler: TestResultsDBHandler) -> None:
    who: dict[str, Any] = {"model_name": "vit", "hardware_type": "rocm"}

    assert handler.store_performance_result({**who, **PERFORMANCE, "batch_size": 4})
    assert handler.store_performance_result(model_name="t5", hardware_type="cpu", average_latency_ms=1.0)
    assert handler.store_compatibility_result(**who, is_compatible=False, error_message="no kernel")
    assert handler.store_power_metrics({**who, **POWER})

    matrix = {row["backend"]: row for row in handler.get_compatibility_matrix() if row["model"] == "vit"}
    assert sorted(row["model_name"] for row in handler.get_models()) == ["t5", "vit"]
    assert [row["hardware_type"] for row in handler.get_hardware_platforms()] == ["cpu", "rocm"]
    assert (matrix["rocm"]["unsupported"], matrix["rocm"]["passed"]) == (1, 2)
    assert len(handler.get_performance_results(limit=1)) == 1


@pytest.mark.parametrize("name", ["markdown", "html", "json"])
def test_reports_carry_the_same_figure(handler: TestResultsDBHandler, name: str) -> None:
    pytest.importorskip("jinja2")
    handler.store_test_result({**RESULT, "performance": {"average_latency_ms": 7.25}})

    report = handler.generate_report(format=name)

    assert ("7.25" in report) or ("0.00725" in report)


def test_report_without_results_or_of_an_unknown_format_is_one_error(handler: TestResultsDBHandler) -> None:
    with pytest.raises(StoreMissingError):
        handler.generate_report()
    handler.store_test_result(RESULT)
    with pytest.raises(ConfigError, match="format 'xlsx' is unknown"):
        handler.generate_report(format="xlsx")


def test_connection_reads_the_results(handler: TestResultsDBHandler) -> None:
    handler.store_test_result(RESULT)

    connection = handler.con
    rows = connection.execute("SELECT count(*) FROM test_results").fetchall()
    connection.close()

    assert rows == [(1,)]


def test_variables_choose_the_file_and_switch_storing_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHMARK_DB_PATH", str(tmp_path / "other.duckdb"))
    with TestResultsDBHandler() as one:
        assert one.store_test_result(RESULT)
    assert (tmp_path / "other.duckdb").is_file()

    monkeypatch.setenv("DISABLE_DB_STORAGE", "1")
    off = TestResultsDBHandler(str(tmp_path / "off.duckdb"))
    assert (off.is_available(), off.store_test_result(RESULT)) == (False, False)
    assert not (tmp_path / "off.duckdb").exists()
    with pytest.raises(ConfigError, match="DISABLE_DB_STORAGE is 1"):
        off.get_test_results()


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({}, "neither model_name nor test_type"),
        ("text", "is a str; give a dictionary"),
        ({"model_name": "x"}, "status is '' and success is not there"),
        ({"model_name": "x", "status": "who knows"}, "status is 'who knows' and success is not there"),
    ],
)
def test_result_that_cannot_be_stored_is_warned_of(handler: TestResultsDBHandler, result: Any, message: str) -> None:
    with pytest.warns(UserWarning, match=message):
        assert handler.store_test_result(result) is False


def test_place_that_cannot_be_written_is_warned_of(tmp_path: Path) -> None:
    handler = TestResultsDBHandler(tmp_path / "tests.py")

    with pytest.warns(UserWarning, match="is a test, not a database"):
        assert handler.store_test_result(RESULT) is False


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({}, "passed", None),
        ({"error": "CUDA out of memory"}, "failed", "CUDA out of memory"),
        ({"success": False, "status": ""}, "failed", "success is False"),
        ({"success": False, "status": "Timeout"}, "timeout", "status timeout"),
        ({"success": None, "status": "skipped"}, "skipped", "status skipped"),
        ({"success": True, "status": "not supported"}, "unsupported", "status not supported"),
    ],
)
def test_outcomes_are_judged_case_by_case(changes: dict[str, Any], outcome: str, reason: str | None) -> None:
    run = run_of({**RESULT, **changes}, "p").run

    assert (run.outcome, run.reason) == (outcome, reason)


def test_what_is_no_figure_is_kept_and_remarked() -> None:
    performance = {"average_latency_ms": "fast", "throughput": float("nan"), "p90_latency_ms": 2.0}

    made = run_of({**RESULT, "memory_usage": None, "performance": performance, "timestamp": "soon"}, "p")

    assert made.run.timing.measurements == ()
    assert [remark.split(" is ")[0] for remark in made.remarks] == ["average_latency_ms", "throughput", "timestamp"]
    assert made.run.extra_info is not None


def test_median_and_mean_are_both_kept() -> None:
    latency = {"average_latency_ms": 2.0, "p50_latency_ms": 1.5, "p99_latency_ms": 9.0}

    (row, *_rest) = run_of({**RESULT, "performance": latency}, "p").run.timing.measurements

    assert row.summary == Summary(mean=2e-3, median=1.5e-3)
    assert row.details == {"p99_latency_ms": 9.0}


def test_runs_that_differ_in_batch_and_length_are_benchmarks_of_their_own() -> None:
    names = {run_of({**RESULT, "batch_size": size}, "p").run.benchmark.fullname for size in (1, 2)}

    assert names == {
        "inference[bert-base-uncased-batch_size=1-sequence_length=128]",
        "inference[bert-base-uncased-batch_size=2-sequence_length=128]",
    }


def test_stated_time_is_that_of_the_run() -> None:
    run = run_of({**RESULT, "timestamp": "2025-03-06T12:00:00+00:00"}, "p").run

    assert run.started_unix_us == 1_741_262_400_000_000
