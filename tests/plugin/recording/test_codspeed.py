"""What is recorded of suites that use pytest-codspeed's fixture and markers."""

import pytest
from tests.plugin.recorded import Record

pytest.importorskip("pytest_codspeed")

SUITE = """
    import pytest

    def test_fixture(benchmark):
        assert benchmark(sum, [1, 2]) == 3

    def test_own_name(codspeed_benchmark):
        codspeed_benchmark(sum, [1, 2])

    def test_pedantic(benchmark):
        benchmark.pedantic(sum, args=([1, 2],), rounds=5, iterations=2)

    @pytest.mark.benchmark
    def test_marker():
        sum(range(1000))

    @pytest.mark.codspeed_benchmark
    def test_own_marker():
        sum(range(1000))

    def test_plain():
        pass
"""
QUICK = ("--codspeed", "--codspeed-warmup-time=0.01", "--codspeed-max-time=0.05")


def test_codspeed_on_stores_its_summary(record: Record) -> None:
    recorded = record(SUITE, *QUICK, fast=False)

    recorded.result.assert_outcomes(passed=5, deselected=1)
    rows = recorded.sql(
        "SELECT function, n, min <= median AND median <= max AND min > 0, valid, method FROM measurement"
        " JOIN benchmark USING (benchmark_id) WHERE metric = 'wall_time' ORDER BY 1"
    )
    assert rows == [
        (name, None, True, True, "pytest-codspeed walltime")
        for name in ("test_fixture", "test_marker", "test_own_marker", "test_own_name", "test_pedantic")
    ]
    assert recorded.sql("SELECT DISTINCT rounds FROM run") == [(None,)]


def test_codspeed_off_without_pytest_benchmark_times_the_one_call(record: Record) -> None:
    recorded = record(SUITE, "-p", "no:benchmark", fast=False)

    # With pytest-benchmark installed, pytest-codspeed leaves the name `benchmark` to it, switched off or not.
    outcomes = recorded.outcomes()
    assert outcomes["test_own_name"] == "passed"
    assert outcomes["test_fixture"] == "error"
    assert (
        "fixture 'benchmark' not found"
        in recorded.one("SELECT reason FROM run JOIN benchmark USING (benchmark_id) WHERE function = 'test_fixture'")[0]
    )
    assert recorded.sql(
        "SELECT function, n FROM measurement JOIN benchmark USING (benchmark_id)"
        " WHERE metric = 'wall_time' AND valid ORDER BY 1"
    ) == [("test_marker", 1), ("test_own_marker", 1), ("test_own_name", 1)]


def test_codspeed_marker_without_codspeed_times_the_whole_test(record: Record) -> None:
    recorded = record(SUITE)

    assert recorded.sql(
        "SELECT function, rounds, iterations FROM run JOIN benchmark USING (benchmark_id)"
        " WHERE function LIKE '%marker' ORDER BY 1"
    ) == [("test_marker", 1, 1), ("test_own_marker", 1, 1)]
