import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.store import journals as j

from pytest_benchdb.model.identity import content_id
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold

Rows = list[tuple[Any, ...]]
View = Callable[..., Rows]

CUDA = {
    "device_id": content_id("cuda", "Test GPU", "GPU-1"),
    "backend": "cuda",
    "name": "Test GPU",
    "uuid": "GPU-1",
    "memory_bytes": 24_000_000_000,
    "driver": "550",
    "details": {},
}


@pytest.fixture
def view(tmp_path: Path) -> View:
    """Return a function that folds sessions, one list of run lines each, and asks for columns of a view."""

    def ask(sql: str, *sessions: list[bytes]) -> Rows:
        for number, runs in enumerate(sessions):
            journal = j.write_journal(tmp_path, *runs, started_us=j.STARTED_US + number * 1_000_000)
            first, rest = journal.read_bytes().split(b"\n", 1)
            device = j.line(CUDA).decode().strip()
            journal.write_bytes(first.replace(b'"devices":[', f'"devices":[{device},'.encode()) + b"\n" + rest)
            fold(str(journal), cache=os.environ["XDG_CACHE_HOME"])
        with open_history([tmp_path]) as reader:
            return list(reader.query(sql).rows)

    return ask


def run(name: str, *, model: str | None = None, gpu: bool = False, at: int = 0, **changes: Any) -> bytes:
    if gpu:
        changes["device_id"] = CUDA["device_id"]
    labels = None if model is None else j.labels(model)
    return j.run_lines(name, changes.pop("ns", [1000]), labels=labels, started_us=j.STARTED_US + at, **changes)


def single(metric: str, value: float, unit: str = "1", better: str = "higher") -> dict[str, Any]:
    return j.measurement(metric, unit=unit, better=better, value=value)


def test_benchmark_performance_answers_the_question_that_people_type(view: View) -> None:
    rows = view(
        "SELECT model, hardware, AVG(throughput) FROM benchmark_performance GROUP BY model, hardware ORDER BY ALL",
        [run("a", model="bert", ns=[1000]), run("b", model="bert", gpu=True, ns=[500]), run("c", ns=[2000])],
    )

    assert rows == [("bert", "Test CPU", 1e6), ("bert", "Test GPU", 2e6), (None, "Test CPU", 5e5)]


def test_benchmark_performance_measured_throughput_goes_before_calls(view: View) -> None:
    rows = view(
        "SELECT name, throughput, throughput_unit FROM benchmark_performance ORDER BY name",
        [run("a", others=[single("throughput", 77.0, "1/s")]), run("b"), run("c", ns=[0])],
    )

    assert rows == [("a", 77.0, "items/s"), ("b", 1e6, "calls/s")]  # a call that takes no time is not valid


@pytest.mark.parametrize(
    "outcome", ["failed", "error", "skipped", "xfailed", "timeout", "oom", "crashed", "unsupported"]
)
def test_benchmark_performance_shows_passed_runs_only(view: View, outcome: str) -> None:
    runs = [run("a", outcome=outcome, valid=False), run("b", outcome="passed", valid=False)]

    assert view("SELECT name FROM benchmark_performance", runs) == []


def test_performance_results_has_units_in_its_names(view: View) -> None:
    rows = view(
        "SELECT model_name, hardware_type, batch_size, average_latency_ms, throughput_items_per_second, "
        "memory_peak_mb, total_time_seconds FROM performance_results ORDER BY test_case",
        [run("a", model="bert", ns=[1_000_000, 3_000_000]), run("b", boundary=None)],
    )

    assert rows == [
        ("bert", "cpu", 8, 2.0, None, 50.0, 0.5),
        (None, "cpu", None, 0.001, None, None, None),
    ]


def test_test_results_separates_what_did_not_run_from_what_failed(view: View) -> None:
    outcomes = ["passed", "failed", "skipped", "unsupported", "xfailed", "xpassed", "crashed"]
    rows = view(
        "SELECT status, success, error_message FROM test_results",
        [run(f"t_{outcome}", outcome=outcome, valid=outcome == "passed") for outcome in outcomes],
    )

    success = {status: success for status, success, _ in rows}
    assert success == {
        "passed": True,
        "failed": False,
        "skipped": None,
        "unsupported": None,
        "xfailed": False,
        "xpassed": True,
        "crashed": False,
    }
    assert ("failed", False, "it failed") in rows


def test_hardware_compatibility_status_comes_from_the_latest_runs(view: View) -> None:
    def first(name: str, outcome: str, **more: Any) -> bytes:
        return run(name, outcome=outcome, valid=outcome == "passed", **more)

    rows = view(
        "SELECT subject, backend, status, benchmarks FROM hardware_compatibility ORDER BY ALL",
        [
            first("a", "failed", model="bert"),
            first("b", "passed", model="bert", gpu=True),
            first("c", "failed", model="bert", gpu=True),
            first("d", "unsupported", model="llama", gpu=True),
            first("e", "skipped", model="llama"),
        ],
        [first("a", "passed", model="bert", at=1), first("f", "oom", model="gpt", gpu=True, at=1)],
    )

    assert rows == [
        ("bert", "cpu", "pass", 1),
        ("bert", "cuda", "degraded", 2),
        ("gpt", "cpu", "untested", 0),
        ("gpt", "cuda", "oom", 1),
        ("llama", "cpu", "skipped", 1),
        ("llama", "cuda", "unsupported", 1),
    ]


def test_hardware_compatibility_names_benchmarks_without_a_model(view: View) -> None:
    rows = view("SELECT subject, model, benchmark, status FROM hardware_compatibility", [run("a")])

    assert rows == [("tests/test_a.py::a", None, "tests/test_a.py::a", "pass")]


def test_hardware_platforms_counts_what_ran(view: View) -> None:
    rows = view(
        "SELECT hardware_type, device_name, driver_version, memory_gb, runs, sessions FROM hardware_platforms "
        "ORDER BY ALL",
        [run("a"), run("b")],
        [run("a", at=1)],
    )

    assert rows == [("cpu", "Test CPU", None, 8.0, 3, 2), ("cuda", "Test GPU", "550", 24.0, 0, 0)]


def test_power_metrics_shows_runs_that_measured_power(view: View) -> None:
    power = [
        single("power", 100.0, "W", "lower"),
        single("energy", 5.0, "J", "lower"),
        single("temperature", 323.15, "K", "none"),
        single("throughput", 200.0, "1/s"),
    ]
    rows = view(
        "SELECT power_watts_avg, power_watts_peak, energy_joules, temperature_celsius_avg, "
        "energy_efficiency_items_per_joule FROM power_metrics",
        [run("a", others=power), run("b"), run("c", others=power[:2], outcome="failed", valid=False)],
    )

    assert rows == [(100.0, None, 5.0, pytest.approx(50.0), 2.0)]


def test_benchmark_results_gives_percentiles_of_the_requests(view: View) -> None:
    import statistics

    ttft = [0.1 + 0.001 * i for i in range(100)]
    measured = j.measurement("ttft", sampled=True)
    run_id = "01a1fbe3-b9c1-7ea8-a718-e81d7b7dd27e"
    chunk = j.line({"k": "chunk", "id": measured["id"], "run": run_id, "i": 0, "v": ttft})
    serving = run("a", model="llama", others=[measured, single("tokens_per_second", 50.0, "1/s")], run_id=run_id)

    rows = view(
        "SELECT model, version, ttft_p50_ms, ttft_p90_ms, tpot_p50_ms, throughput_tokens_sec, detailed_metrics FROM "
        "benchmark_results",
        [chunk, serving, run("b", model="llama")],
    )

    cuts = statistics.quantiles(ttft, n=10, method="inclusive")
    ((model, version, p50, p90, tpot, rate, details),) = rows
    assert (model, version, tpot, rate) == ("llama", "v1", None, 50.0)
    assert (p50, p90) == (pytest.approx(statistics.median(ttft) * 1e3), pytest.approx(cuts[8] * 1e3))
    assert details["tokens_per_second"] == 50.0


def test_daily_model_stats_equals_a_direct_aggregation(view: View) -> None:
    rows = view(
        "SELECT model, CAST(day AS VARCHAR), total_benchmarks, avg_throughput, p95_latency_ms FROM daily_model_stats "
        "ORDER BY ALL",
        [
            run("a", model="bert", ns=[1_000_000], others=[single("throughput", 10.0, "1/s")]),
            run("b", model="bert", ns=[3_000_000], others=[single("throughput", 20.0, "1/s")]),
            run("c", model="bert", ns=[1_000_000], at=86_400_000_000),
        ],
    )

    assert rows == [("bert", "2026-09-21", 2, 15.0, pytest.approx(2.9)), ("bert", "2026-09-22", 1, None, 1.0)]
