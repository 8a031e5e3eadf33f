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


def test_codspeed_without_times_stores_none(record: Record) -> None:
    recorded = record(SUITE, "--codspeed", "--codspeed-mode=simulation", fast=False)

    if "invalid choice: 'simulation'" in recorded.text:
        pytest.skip("this pytest-codspeed has no mode `simulation`")
    assert recorded.sql("SELECT DISTINCT value, median, valid, reason FROM measurement WHERE metric = 'wall_time'") == [
        (None, None, False, "pytest-codspeed measured no time in its mode simulation")
    ]
    assert len(recorded.outcomes()) == 5


def test_codspeed_off_without_pytest_benchmark_is_not_valid(record: Record) -> None:
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
        "SELECT function, n, m.valid, m.reason FROM measurement m JOIN benchmark USING (benchmark_id)"
        " WHERE metric = 'wall_time' AND n = 1 ORDER BY 1"
    ) == [
        (name, 1, False, "pytest-codspeed was disabled") for name in ("test_marker", "test_own_marker", "test_own_name")
    ]
    recorded.result.stdout.fnmatch_lines(
        ["pytest-codspeed was disabled: outcomes are recorded, times are not valid; run with --codspeed"]
    )


def test_codspeed_marker_with_our_own_times_the_whole_test(record: Record) -> None:
    recorded = record(
        SUITE.replace("    @pytest.mark.benchmark\n", "    @pytest.mark.benchmark\n    @pytest.mark.benchdb\n")
    )

    assert recorded.sql(
        "SELECT function, n, m.valid FROM measurement m JOIN benchmark USING (benchmark_id)"
        " WHERE metric = 'wall_time' AND function LIKE '%marker' ORDER BY 1"
    ) == [("test_marker", 1, True), ("test_own_marker", 1, False)]


def test_benchmark_marker_without_pytest_codspeed_times_the_whole_test(record: Record) -> None:
    suite = "import pytest\n\n@pytest.mark.benchmark\ndef test_marker():\n    sum(range(1000))\n"
    recorded = record(suite, "-p", "no:codspeed")

    assert recorded.one("SELECT n, valid FROM measurement WHERE metric = 'wall_time'") == (1, True)
