"""Tests without times: those of a timer of their own, and those that only record values."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.model.run import Measurement, Run
from pytest_benchdb.operations.export.results import export_pytest_benchmark

Call = Callable[..., Any]


def runs(new_run: Call) -> list[Run]:
    def run(name: str, *rows: Measurement, **timing: Any) -> Run:
        about = {"usage": None, "rounds": None, "iterations": None, **timing}
        made: Run = new_run(f"t.py::{name}", measurements=rows, **about)
        return made

    ticks: dict[str, Any] = {
        "unit": "?",
        "better": "none",
        "method": "t.ticks",
        "details": {"min_rounds": 3, "disable_gc": True},
    }
    recorded: dict[str, Any] = {"method": "recorded by the test"}
    return [
        run("test_ticks", Measurement(metric="timer_value", samples=[3.0, 5.0, 4.0], **ticks), iterations=1, rounds=3),
        run("test_broken", Measurement(metric="timer_value", valid=False, reason="t.ticks gave nan", **ticks)),
        run(
            "test_accuracy",
            Measurement(metric="accuracy", unit="1", better="higher", value=0.9125, **recorded),
            Measurement(metric="loss", unit="1", better="lower", value=0.5, **recorded),
        ),
        run("test_distance", Measurement(metric="distance", unit="m", better="none", samples=[1.0, 2.5], **recorded)),
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, new_run: Call, new_session: Call) -> Path:
    folder = tmp_path_factory.mktemp("own") / "own"
    for at in (0, 1):
        new_session(folder, runs(new_run), at=at)
    return folder


def test_report_shows_what_they_measured_in_its_own_unit(benchdb: Call, place: Path) -> None:
    out = benchdb("report", str(place), "latest").out

    lines = {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in out.splitlines() if line[:5] == "test_"}
    assert lines == {
        "test_ticks": "timer_value 4 (3 to 5, 3 values)",
        "test_broken": "passed, no figures: t.ticks gave nan",
        "test_accuracy": "accuracy 0.9125",
        "test_distance": "distance 1.75 m (1 to 2.5, 2 values)",
    }


def test_report_data_has_their_values_apart_from_times(benchdb: Call, place: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(benchdb("report", str(place), "latest", "-f", "csv").out)))

    found = {row["name"]: (row["median_s"], row["own_metric"], row["own_unit"], row["own_value"]) for row in rows}
    assert found == {
        "test_ticks": ("", "timer_value", "?", "4.0"),
        "test_broken": ("", "timer_value", "?", ""),
        "test_accuracy": ("", "accuracy", "1", "0.9125"),
        "test_distance": ("", "distance", "m", "1.75"),
    }
    assert (
        "| test_ticks | timer_value 4 (3 to 5, 3 values) |" in benchdb("report", str(place), "latest", "-f", "md").out
    )


def test_comparison_without_times_names_the_metrics_that_there_are(benchdb: Call, place: Path) -> None:
    ended = benchdb("compare", "latest~1", "latest", "--db", str(place))

    assert ended.status == 2
    assert "nothing here measured it; there are accuracy, distance, loss, timer_value" in " ".join(ended.err.split())
    out = benchdb("compare", "latest~1", "latest", "--db", str(place), "--metric", "timer_value").out
    assert "2 inconclusive" in out


def test_trend_without_times_names_the_metrics_that_there_are(benchdb: Call, place: Path) -> None:
    ended = benchdb("trend", "--db", str(place))

    assert "with --metric there are accuracy, distance, loss, timer_value" in " ".join(ended.err.split())
    assert "test_ticks" in benchdb("trend", "--db", str(place), "--metric", "timer_value").out


def test_json_of_pytest_benchmark_has_readings_of_a_timer_and_its_options(place: Path, tmp_path: Path) -> None:
    file = min(place.glob("2*.duckdb"))
    done = export_pytest_benchmark(file, file.stem.partition("-")[2], tmp_path / "out.json")

    (entry,) = json.loads((tmp_path / "out.json").read_text())["benchmarks"]
    assert (done.runs, sum(done.left_out.values())) == (1, 3)
    assert (entry["name"], entry["stats"]["data"], entry["stats"]["median"]) == ("test_ticks", [3.0, 5.0, 4.0], 4.0)
    assert (entry["options"]["min_rounds"], entry["options"]["disable_gc"]) == (3, True)
