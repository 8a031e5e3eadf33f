"""`bench.stream` in a real pytest run: what it stores, and when it fails its test."""

import duckdb  # noqa: F401 - DuckDB cannot be loaded twice in one process, and pytester unloads what a test loads
from tests.plugin.recorded import Record

SUITE = """
import pytest
from pytest_benchdb.measure import stream
from pytest_benchdb.measure.stream.load import ClientLoad

def refused():
    raise ConnectionError("refused")
    yield

def test_none_answered(bench):
    bench.stream(refused, requests=5)

def test_none_sent(bench):
    bench.stream(refused, rate=1.0, duration_s=1e-9)

def test_not_ready(bench):
    bench.stream(refused, ready_timeout_s=1e-9)

def test_some_answered(bench):
    result = bench.stream([refused, lambda: iter("abc")], tokens="chunks")
    assert len(result.failed) == 1

def test_saturated(bench, monkeypatch):
    monkeypatch.setattr(stream, "is_endpoint", lambda source: True)
    monkeypatch.setattr(ClientLoad, "saturation", lambda self, ttft_s: f"{len(ttft_s)} too many")
    bench.stream(lambda: iter("abc"), requests=2, tokens="chunks")
"""

NOT_READY = "MeasurementError: no request was answered whole within 1e-09 s (ready_timeout_s)"


def test_stream_is_passed_only_if_it_measured_something(record: Record) -> None:
    recorded = record(SUITE)

    assert recorded.sql(
        "SELECT name, outcome, reason FROM run JOIN benchmark USING (benchmark_id) ORDER BY run_id"
    ) == [
        (
            "test_none_answered",
            "failed",
            "MeasurementError: none of 5 requests was answered whole; the first one: ConnectionError: refused",
        ),
        ("test_none_sent", "failed", "MeasurementError: no request was sent"),
        (
            "test_not_ready",
            "failed",
            f"{NOT_READY}; the last one: ConnectionError: refused",
        ),
        ("test_some_answered", "passed", None),
        ("test_saturated", "passed", None),
    ]
    # The failed requests are kept, and are in no metric.
    assert recorded.one("SELECT count(*), count(error) FROM request WHERE NOT ok") == (6, 6)
    rates = "metric IN ('requests_per_second', 'failed_requests') AND valid AND value IS NOT NULL"
    valid = f"SELECT DISTINCT name FROM measurement JOIN benchmark USING (benchmark_id) WHERE {rates}"
    assert recorded.sql(valid) == [("test_some_answered",)]

    reason = "SELECT DISTINCT m.reason FROM measurement m JOIN benchmark USING (benchmark_id)"
    assert recorded.sql(f"{reason} WHERE name = 'test_saturated' AND metric = 'ttft'") == [("2 too many",)]
    recorded.result.stdout.fnmatch_lines(["*PytestWarning: *::test_saturated: 2 too many"])


SWEEP = """
import pytest
from pytest_benchdb.measure.stream import sweep

@pytest.fixture(autouse=True)
def third_is_too_much(monkeypatch):
    monkeypatch.setattr(sweep, "_is_saturated", lambda axis, levels: len(levels) == 3)

def test_sweep(bench):
    found = bench.stream_sweep(lambda: iter("abc"), concurrency=[1, 2, 3, 4], requests=5, tokens="chunks")
    assert found.saturated_at == 3
    assert [len(level.result.requests) for level in found.levels] == [5, 5, 5]

def test_misused(bench):
    bench.stream_sweep(lambda: iter("abc"), concurrency=3)
"""


def test_sweep_stores_a_run_for_each_level_and_the_most_for_the_test(record: Record) -> None:
    recorded = record(SWEEP)

    assert recorded.outcomes() == {
        "test_sweep[1]": "passed",
        "test_sweep[2]": "passed",
        "test_sweep[3]": "passed",
        "test_sweep": "passed",
        "test_misused": "failed",
    }
    most = dict(
        recorded.sql(
            "SELECT metric, value FROM measurement JOIN benchmark USING (benchmark_id)"
            " WHERE name = 'test_sweep' AND metric LIKE 'max%'"
        )
    )
    (best,) = recorded.one("SELECT max(value) FROM measurement WHERE metric = 'requests_per_second'")
    assert most["max_requests_per_second"] == best
    assert most["max_tokens_per_second"] > best
