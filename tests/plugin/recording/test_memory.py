"""The memory that a benchmark itself needed: not what the process held before it."""

import sys

import pytest
from tests.plugin.recorded import Record

from pytest_benchdb.measure.process.growth import give_back


@pytest.mark.skipif(sys.platform != "linux" or not give_back(), reason="the growth is measured with glibc on Linux")
def test_copies_of_a_benchmark_have_the_same_memory_wherever_they_run(
    record: Record, pytester: pytest.Pytester
) -> None:
    suite = """
        def allocate():
            return bytearray(40 * 2**20)

        def test_theirs(benchmark):
            benchmark.pedantic(allocate, rounds=3)

        def test_ours(bench_cpu):
            bench_cpu.pedantic(allocate, rounds=3)

        def test_small(benchmark):
            benchmark(len, "abc")
    """
    pytester.makepyfile(test_b=suite, test_c=suite)

    recorded = record(suite)

    rows = recorded.sql(
        "SELECT function, value / 1048576, m.reason FROM measurement m"
        " JOIN benchmark ON benchmark.benchmark_id = m.benchmark_id WHERE metric = 'rss_growth'"
    )
    assert len(rows) == 9
    # pytest-benchmark holds a result until the next one is there.
    needed = {"test_theirs": 80, "test_ours": 40}
    for function, mib, reason in rows:
        if function == "test_small":
            assert mib is None
            assert "less than" in reason
        elif reason is None:  # else the counter's error is larger on this machine
            assert mib == pytest.approx(needed[function], abs=2)
    header = next(line for line in recorded.result.outlines if line.startswith("benchmark  "))
    assert "memory" in header.split()
