"""Benchmarks that run alone under xdist: when each test began and ended, on a clock that all processes share."""

import json

import pytest
from tests.plugin.recorded import Record

SUITE = """
    import json
    import os
    import time
    from pathlib import Path

    import pytest

    FOLDER = Path(__file__).parent

    @pytest.fixture(autouse=True)
    def interval(request):
        began = time.monotonic()
        yield
        worker = os.environ.get("PYTEST_XDIST_WORKER")
        entry = {"name": request.node.name, "worker": worker, "began": began, "ended": time.monotonic()}
        (FOLDER / f"{request.node.name}.interval").write_text(json.dumps(entry))

    @pytest.mark.parametrize("n", range(6))
    def test_plain(n):
        time.sleep(0.05)

    @pytest.mark.parametrize("n", range(3))
    def test_bench(bench_cpu, n):
        bench_cpu.pedantic(time.sleep, (0.02,), rounds=3)

    @pytest.mark.parametrize("n", range(3))
    def test_benchmark(benchmark, n):
        benchmark.pedantic(time.sleep, (0.02,), rounds=3)

    @pytest.mark.benchdb
    def test_whole():
        time.sleep(0.05)

    @pytest.mark.parametrize("n", range(6, 12))
    def test_plain_too(n):
        time.sleep(0.8 if n == 11 else 0.05)  # the other worker has come to the benchmarks meanwhile
"""


@pytest.mark.long
@pytest.mark.parametrize("distribution", ["load", "worksteal"])
def test_benchmarks_run_alone_and_are_timed(record: Record, pytester: pytest.Pytester, distribution: str) -> None:
    recorded = record(SUITE, "-n2", f"--dist={distribution}", "--benchdb-serial")

    recorded.result.assert_outcomes(passed=19)
    assert "automatically disabled" not in recorded.text
    assert "disturb each other" not in recorded.text
    entries = [json.loads(file.read_text()) for file in pytester.path.glob("*.interval")]
    assert len(entries) == 19
    for one in entries:
        if one["name"].startswith("test_plain"):
            continue
        beside = [
            other["name"]
            for other in entries
            if other is not one and other["began"] < one["ended"] and one["began"] < other["ended"]
        ]
        assert beside == [], one["name"]
    rows = recorded.sql(
        "SELECT b.function, parallel, count(*), min(n) FROM run JOIN benchmark b USING (benchmark_id)"
        " JOIN measurement USING (run_id) WHERE metric = 'wall_time' AND valid GROUP BY ALL ORDER BY ALL"
    )
    assert rows == [("test_bench", False, 3, 3), ("test_benchmark", False, 3, 3), ("test_whole", False, 1, 1)]


def test_fixture_that_was_disabled_stays_so(record: Record) -> None:
    recorded = record(SUITE, "-n2", "--benchdb-serial", "--benchmark-disable", "-k", "test_benchmark")

    recorded.result.assert_outcomes(passed=3)
    assert recorded.one("SELECT count(*) FROM measurement WHERE metric = 'wall_time' AND n > 0") == (0,)


@pytest.mark.long
def test_worker_that_crashes_does_not_hold_up_the_others(record: Record) -> None:
    recorded = record(
        """
        import os

        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test_bench(bench_cpu, n):
            if n == 1:
                os._exit(3)
            bench_cpu.pedantic(int, rounds=3)

        @pytest.mark.parametrize("n", range(4))
        def test_plain(n):
            pass
        """,
        "-n2",
        "--benchdb-serial",
    )

    recorded.result.assert_outcomes(passed=7, failed=1)
    assert recorded.one("SELECT count(*) FROM run WHERE outcome = 'crashed'") == (1,)


def test_option_changes_nothing_without_workers(record: Record) -> None:
    recorded = record(SUITE, "--benchdb-serial", "-k", "test_bench")

    recorded.result.assert_outcomes(passed=6)
    assert recorded.sql("SELECT DISTINCT parallel FROM run") == [(False,)]
