"""What is recorded of suites that use pytest-benchmark's fixture, against what that plugin saves itself."""

import pytest
from tests.plugin.recorded import BenchmarkJson, Record

pytest.importorskip("pytest_benchmark")

ALL_WAYS = """
    import time
    import pytest

    def test_call(benchmark):
        assert benchmark(sum, [1, 2, 3]) == 6

    @pytest.mark.parametrize("n", [1, 100])
    def test_params(benchmark, n):
        benchmark.extra_info["n"] = n
        benchmark(sorted, range(n))
        benchmark.extra_info["late"] = float("nan")

    @pytest.mark.benchmark(group="slow", min_rounds=4)
    def test_group(benchmark):
        benchmark(lambda: None)

    def test_pedantic(benchmark):
        result = benchmark.pedantic(sum, args=([1, 2],), rounds=7, warmup_rounds=2, iterations=3)
        assert result == 3

    def test_setup(benchmark):
        benchmark.pedantic(sum, setup=lambda: (([1],), {}), rounds=5)

    @pytest.fixture
    def wrapped(benchmark):
        return benchmark

    def test_wrapped(wrapped):
        wrapped(len, "abc")

    def test_dynamic(request):
        request.getfixturevalue("benchmark")(len, "abc")

    def test_reads_stats(benchmark):
        benchmark(len, "abc")
        assert benchmark.stats["mean"] > 0
        assert benchmark.stats.stats.min > 0

    class TestClass:
        def test_method(self, benchmark):
            benchmark(len, "abc")

    def test_plain():
        pass
"""


def test_benchmark_every_way_of_calling_stores_the_rounds_pytest_benchmark_saves(
    record: Record, benchmark_json: BenchmarkJson
) -> None:
    recorded = record(ALL_WAYS, "--benchmark-json=own.json")

    recorded.result.assert_outcomes(passed=11)
    own = benchmark_json()
    samples = recorded.samples()
    assert samples.keys() == own.keys()
    for fullname, entry in own.items():
        iterations = entry["stats"]["iterations"]
        assert len(samples[fullname]) == entry["stats"]["rounds"]
        for stored, theirs in zip(samples[fullname], entry["stats"]["data"], strict=True):
            assert abs(stored - theirs) * iterations <= 1e-9


def test_benchmark_stored_statistics_equal_those_of_pytest_benchmark(
    record: Record, benchmark_json: BenchmarkJson
) -> None:
    recorded = record(ALL_WAYS, "--benchmark-json=own.json")

    own = benchmark_json()
    rows = recorded.sql(
        "SELECT fullname, n, min, max, mean, median, stddev, iterations FROM measurement JOIN run USING (run_id)"
        " JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id WHERE metric = 'wall_time' AND n > 1"
    )
    assert len(rows) == len(own)
    for fullname, n, *figures, iterations in rows:
        stats = own[fullname]["stats"]
        theirs = [stats[name] for name in ("min", "max", "mean", "median", "stddev")]
        assert n == stats["rounds"]
        assert figures == pytest.approx(theirs, abs=1e-9 / iterations)


def test_benchmark_groups_params_and_extra_info_are_stored(record: Record) -> None:
    recorded = record(ALL_WAYS)

    assert recorded.one("SELECT group_name FROM benchmark WHERE function = 'test_group'") == ("slow",)
    assert recorded.sql("SELECT params->>'n', param_id FROM benchmark WHERE function = 'test_params' ORDER BY 1") == [
        ("1", "1"),
        ("100", "100"),
    ]
    assert recorded.sql(
        "SELECT extra_info->>'n', extra_info->>'late' FROM run JOIN benchmark USING (benchmark_id)"
        " WHERE function = 'test_params' ORDER BY 1"
    ) == [("1", "NaN"), ("100", "NaN")]
    assert recorded.one("SELECT class, function, name FROM benchmark WHERE class IS NOT NULL") == (
        "TestClass",
        "test_method",
        "test_method",
    )


def test_benchmark_pedantic_counts_warm_up_and_calls(record: Record) -> None:
    recorded = record(ALL_WAYS)

    assert recorded.one(
        "SELECT iterations, rounds, warmup_rounds, calls FROM run JOIN benchmark USING (benchmark_id)"
        " WHERE function = 'test_pedantic'"
    ) == (3, 7, 2, 28)


def test_benchmark_usage_is_measured_around_the_rounds(record: Record) -> None:
    recorded = record(
        """
        import time

        def test_sleep(benchmark):
            time.sleep(0.2)
            benchmark.pedantic(time.sleep, args=(0.01,), rounds=10)
            time.sleep(0.2)
        """
    )

    ((wall,),) = recorded.sql("SELECT value FROM measurement WHERE metric = 'block_wall_time'")
    assert 0.1 <= wall < 0.3
    assert recorded.one("SELECT value > 1e6 FROM measurement WHERE metric = 'peak_rss'") == (True,)


OUTCOMES = """
    import pytest

    def test_passes(benchmark):
        benchmark(len, "abc")

    def test_fails_after_timing(benchmark):
        benchmark(len, "abc")
        assert 1 == 2

    @pytest.mark.xfail(reason="known")
    def test_xfails_after_timing(benchmark):
        benchmark(len, "abc")
        assert 1 == 2

    @pytest.mark.xfail(reason="not any more")
    def test_xpasses(benchmark):
        benchmark(len, "abc")

    @pytest.fixture
    def broken_teardown():
        yield
        raise RuntimeError("teardown broke")

    def test_teardown_error(benchmark, broken_teardown):
        benchmark(len, "abc")

    @pytest.fixture
    def broken_setup():
        raise RuntimeError("setup broke")

    def test_setup_error(broken_setup, benchmark):
        benchmark(len, "abc")

    def test_skips_half_way(benchmark):
        calls = []
        def target():
            calls.append(1)
            if len(calls) > 20:
                pytest.skip("half-way")
        benchmark.pedantic(target, rounds=30)

    def test_raises_in_rounds(benchmark):
        calls = []
        def target():
            calls.append(1)
            if len(calls) > 20:
                raise ValueError("in round 21")
        benchmark.pedantic(target, rounds=30)

    def test_target_raises(benchmark):
        with pytest.raises(ZeroDivisionError):
            benchmark(lambda: 1 / 0)

    @pytest.mark.skip(reason="not today")
    def test_skipped(benchmark):
        benchmark(len, "abc")

    def test_out_of_memory(benchmark):
        benchmark(len, "abc")
        raise MemoryError("no more")

    def test_unused(benchmark):
        pass

    def test_used_twice(benchmark):
        benchmark(len, "abc")
        benchmark(len, "abc")

    async def answer():
        return 1

    async def answers():
        yield 1

    class Later:
        def __await__(self):
            return iter(())

    def test_coroutine(benchmark):
        benchmark(answer).close()

    def test_asynchronous_generator(benchmark):
        benchmark.pedantic(answers, rounds=3)

    def test_awaitable(benchmark):
        benchmark.pedantic(Later, rounds=3)
"""


def test_outcome_only_whole_rounds_of_passed_tests_are_valid(record: Record) -> None:
    recorded = record(OUTCOMES)

    assert recorded.outcomes() == {
        "test_passes": "passed",
        "test_fails_after_timing": "failed",
        "test_xfails_after_timing": "xfailed",
        "test_xpasses": "xpassed",
        "test_teardown_error": "error",
        "test_setup_error": "error",
        "test_skips_half_way": "skipped",
        "test_raises_in_rounds": "failed",
        "test_target_raises": "passed",
        "test_skipped": "skipped",
        "test_out_of_memory": "oom",
        "test_unused": "passed",
        "test_used_twice": "failed",
        "test_coroutine": "passed",
        "test_asynchronous_generator": "passed",
        "test_awaitable": "passed",
    }
    assert recorded.sql("SELECT DISTINCT name FROM measurement JOIN benchmark USING (benchmark_id) WHERE valid") == [
        ("test_passes",)
    ]
    assert recorded.sql("SELECT name FROM benchmark_performance") == [("test_passes",)]


def test_outcome_reasons_say_what_happened(record: Record) -> None:
    recorded = record(OUTCOMES)

    reasons = dict(recorded.sql("SELECT function, reason FROM run JOIN benchmark USING (benchmark_id)"))
    assert reasons["test_passes"] is None
    assert reasons["test_fails_after_timing"].startswith("AssertionError: assert 1 == 2")
    assert reasons["test_xfails_after_timing"] == "known"
    assert reasons["test_teardown_error"] == "in teardown: RuntimeError: teardown broke"
    assert reasons["test_setup_error"] == "in setup: RuntimeError: setup broke"
    assert reasons["test_skips_half_way"] == "half-way"
    assert reasons["test_skipped"] == "not today"
    why = dict(
        recorded.sql(
            "SELECT function, m.reason FROM measurement m JOIN benchmark USING (benchmark_id)"
            " WHERE metric = 'wall_time'"
        )
    )
    assert why["test_unused"] == "the benchmark fixture was not used"
    assert why["test_raises_in_rounds"] == "the test did not pass: failed"
    assert why["test_target_raises"] == "the benchmarked function raised before it was timed"
    assert why["test_coroutine"] == "a coroutine was made, not awaited"
    assert why["test_asynchronous_generator"] == "an asynchronous generator was made, not awaited"
    assert why["test_awaitable"] == "an awaitable was made, not awaited"


@pytest.mark.parametrize(
    ("option", "outcome"), [("--benchmark-disable", "passed"), ("--benchmark-skip", "skipped")], ids=["disable", "skip"]
)
def test_benchmark_switched_off_is_recorded_without_a_figure(record: Record, option: str, outcome: str) -> None:
    recorded = record("def test_a(benchmark):\n    benchmark(len, 'abc')", option)

    assert recorded.outcomes() == {"test_a": outcome}
    assert recorded.sql("SELECT value, valid FROM measurement WHERE metric = 'wall_time'") == [(None, False)]


def test_benchmark_only_records_the_benchmarks(record: Record) -> None:
    recorded = record(
        "def test_a(benchmark):\n    benchmark(len, 'abc')\n\ndef test_b():\n    pass", "--benchmark-only"
    )

    assert recorded.outcomes() == {"test_a": "passed"}


@pytest.mark.parametrize(
    ("timer", "metric"),
    [
        ("time.perf_counter", "wall_time"),
        ("time.process_time", "cpu_time"),
        ("time.thread_time", "cpu_time"),
        ("time.perf_counter_ns", "wall_time"),
        ("test_suite.ticks", "timer_value"),
    ],
)
def test_benchmark_timer_decides_what_the_rounds_are(record: Record, timer: str, metric: str) -> None:
    suite = f"""
        import itertools, time
        import pytest

        count = itertools.count()

        def ticks():
            return next(count)

        @pytest.mark.benchmark(timer={timer.removeprefix("test_suite.")})
        def test_a(benchmark):
            benchmark.pedantic(sum, args=(range(10_000),), rounds=5)
    """
    recorded = record(suite)

    recorded.result.assert_outcomes(passed=1)
    assert recorded.one("SELECT timer FROM run") == (timer,)
    value, unit = recorded.one(f"SELECT value, unit FROM measurement WHERE metric = '{metric}' AND n = 5")
    if metric == "timer_value":
        assert (value, unit) == (1.0, "?")
    else:
        assert unit == "s"
        assert 1e-6 < value < 1


def test_benchmark_cprofile_leaves_the_rounds_alone(record: Record, benchmark_json: BenchmarkJson) -> None:
    recorded = record(
        "def test_a(benchmark):\n    benchmark(len, 'abc')", "--benchmark-cprofile=cumtime", "--benchmark-json=own.json"
    )

    (entry,) = benchmark_json().values()
    (samples,) = recorded.samples().values()
    assert len(samples) == entry["stats"]["rounds"]
    assert recorded.one("SELECT calls FROM run") == (None,)


def test_benchmark_weave_is_recorded(record: Record) -> None:
    pytest.importorskip("aspectlib")
    recorded = record(
        """
        import textwrap

        def test_a(benchmark_weave):
            benchmark_weave(textwrap.dedent)
            textwrap.dedent("  a")
        """
    )

    assert recorded.outcomes() == {"test_a": "passed"}
    assert recorded.one("SELECT n > 1 FROM measurement WHERE metric = 'wall_time'") == (True,)
