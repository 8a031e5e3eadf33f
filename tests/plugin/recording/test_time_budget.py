"""`max_time` of the marker: real pytest runs in which a call lasts for a known time or for none."""

import pytest
from tests.plugin.recorded import Record

SUITE = """
    import time

    import pytest

    def wait():
        time.sleep(0.002)

    @pytest.mark.benchdb(max_time=0.001)
    class TestAbove:
        def test_bench(self, bench_cpu):
            bench_cpu.pedantic(wait, rounds=3)

        def test_benchmark(self, benchmark):
            benchmark.pedantic(wait, rounds=3)

        def test_whole(self):
            wait()

        def test_points(self, bench_cpu):
            for point in bench_cpu.sweep(n=[1, 2]):
                with point:
                    bench_cpu.pedantic(wait, rounds=2)

        @pytest.mark.benchdb(max_time=600)
        def test_own_budget(self, bench_cpu):
            bench_cpu.pedantic(wait, rounds=2)

    @pytest.mark.benchdb(max_time=600)
    class TestBelow:
        def test_bench(self, bench_cpu):
            bench_cpu.pedantic(wait, rounds=2)

        def test_points(self, bench_cpu):
            for point in bench_cpu.sweep(n=[1, 2]):
                with point:
                    bench_cpu.pedantic(wait, rounds=2)
"""


def test_test_that_takes_more_than_its_budget_fails_without_any_history(record: Record) -> None:
    recorded = record(SUITE)

    recorded.result.assert_outcomes(failed=4, passed=3)
    assert recorded.result.ret == 1
    recorded.result.stdout.re_match_lines_random(
        [
            r"took [\d.]+ ms \(the fastest of 3 rounds\), more than its max_time of 1\.000 ms",
            r"FAILED .*::TestAbove::test_benchmark - Failed: took .*",
            r"took [\d.]+ ms \(one round\), more than its max_time of 1\.000 ms",
            r"FAILED .*::TestAbove::test_points - Failed: took .*",
        ]
    )
    assert recorded.one("SELECT count(*) FROM run WHERE outcome = 'failed' AND reason LIKE '%took%'") == (4,)
    assert recorded.one("SELECT count(*) FROM measurement WHERE metric = 'wall_time' AND n > 0 AND NOT valid") == (4,)


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("def test_it(bench_cpu): pass", "bench_cpu was not used"),
        ("def test_it(benchmark): benchmark(sum, [1])", "pytest-benchmark was disabled"),
        (
            "def test_it(bench_cpu):\n    with bench_cpu.phase('load'): pass",
            "only phases were timed",
        ),
    ],
)
def test_what_was_not_measured_is_not_taken_for_within_the_budget(record: Record, test: str, why: str) -> None:
    suite = f"import pytest\n\n@pytest.mark.benchdb(max_time=0.5)\n{test}\n"

    recorded = record(suite, "--benchmark-disable")

    recorded.result.assert_outcomes(passed=1, warnings=1)
    recorded.result.stdout.fnmatch_lines([f"*PytestWarning: max_time=0.5 was not checked: {why}"])


@pytest.mark.parametrize("value", ["0", "-1", "True", "'1s'", "float('nan')"])
def test_budget_that_is_no_time_is_refused_in_one_line(record: Record, value: str) -> None:
    recorded = record(f"import pytest\n\n@pytest.mark.benchdb(max_time={value})\ndef test_it(bench_cpu): pass\n")

    recorded.result.assert_outcomes(errors=1)
    recorded.result.stdout.fnmatch_lines(["*max_time=*is not a number of seconds above 0; give for example 0.5"])
