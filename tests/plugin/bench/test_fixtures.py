"""The ``bench_*`` fixtures in a real pytest run, on the processor and on the simulated machine."""

import duckdb  # noqa: F401 - DuckDB cannot be loaded twice in one process, and pytester unloads what a test loads
import pytest
from tests.plugin.recorded import Record

QUICK = "options(max_time_s=0.02, warmup_time_s=0, min_rounds=3)"


def figures(recorded: object, where: str = "TRUE") -> dict[tuple[str, str | None, str], float | None]:
    rows = recorded.sql(  # type: ignore[attr-defined]
        "SELECT name, phase, metric, m.value FROM measurement m JOIN benchmark USING (benchmark_id)"
        f" WHERE rank IS NULL AND {where}"
    )
    return {(name, phase, metric): value for name, phase, metric, value in rows}


def test_bench_cpu_records_every_clock_of_its_rounds(record: Record) -> None:
    recorded = record(
        f"""
        def test_sum(bench_cpu):
            bench_cpu.{QUICK}
            assert bench_cpu(sum, range(1000), items=1000) == 499500
            bench_cpu.extra_info["why"] = "because"
            bench_cpu.result_count = 1
        """
    )

    assert recorded.outcomes() == {"test_sum": "passed"}
    measured = figures(recorded, "m.valid")
    wall_s = measured["test_sum", None, "wall_time"]
    assert wall_s is not None
    assert {metric for _, _, metric in measured} >= {
        "wall_time", "cpu_time", "thread_time", "first_call_time", "throughput", "peak_rss", "block_wall_time"
    }  # fmt: skip
    assert measured["test_sum", None, "throughput"] == pytest.approx(1000 / wall_s)
    assert recorded.one(
        "SELECT backend, d.name <> '', r.cache_mode, r.sync_mode, r.result_count, r.provenance,"
        " r.rounds >= 3 AND r.iterations > 1, extra_info ->> 'why'"
        " FROM run r JOIN device d USING (device_id)"
    ) == ("cpu", True, "hot", None, 1, "measured", True, "because")
    assert recorded.one("SELECT count(*) FROM samples WHERE metric = 'wall_time' AND len(samples) >= 3") == (1,)


def test_bench_keeps_no_result_awaits_what_must_be_awaited_and_takes_options_from_markers(record: Record) -> None:
    recorded = record(
        """
        import gc
        import weakref

        import pytest

        alive = weakref.WeakSet()
        awaited = []

        class Result:
            def __init__(self):
                alive.add(self)

        async def wait():
            awaited.append(1)
            return 5

        def test_slower(bench_sim):
            times_s = iter([0.001] * 20 + [0.002] * 10)
            work = lambda: bench_sim.device.work(next(times_s))
            bench_sim.options(warmup_rounds=9, iterations=1, rounds=20)(work)

        @pytest.fixture(autouse=True, scope="module")
        def no_collector():
            gc.disable()
            yield
            gc.enable()

        @pytest.mark.parametrize("number", range(2))
        def test_result(bench_cpu, number):
            assert not alive
            bench_cpu.pedantic(Result, rounds=2)

        def test_await(bench_cpu):
            assert not alive
            assert bench_cpu.pedantic(lambda: wait(), rounds=3) == 5
            assert len(awaited) == 3

        def test_still(bench_sim):
            bench_sim.options(max_time_s=0.01)(lambda: None)

        @pytest.mark.benchdb(options={"max_time_s": 0.5, "iterations": 2})
        class TestMarked:
            @pytest.mark.benchdb(options={"max_time_s": 0.01, "warmup_time_s": 0.0})
            def test_sort(self, bench_cpu):
                items = [3, 1, 2]
                bench_cpu.options(rounds=12)(lambda: items.append(items.pop(0)))

        @pytest.mark.benchdb(options={"max_tim_s": 1})
        def test_wrong_option(bench_cpu):
            pass
        """
    )
    assert "unknown option 'max_tim_s'; known are rounds" in recorded.text
    recorded.result.stdout.fnmatch_lines(
        [
            "unstable: test_slower (its rounds drifted by 100 %)*close other programs, or measure longer: *",
            "note: test_sort: it changes its input: variable items (list); later calls get what earlier ones left*",
        ]
    )
    assert recorded.one(
        "SELECT iterations, r.rounds FROM run r JOIN benchmark USING (benchmark_id) WHERE name = 'test_sort'"
    ) == (2, 12)

    outcomes = recorded.outcomes()
    assert outcomes.pop("test_wrong_option") == "error"
    assert set(outcomes.values()) == {"passed"}
    assert (
        recorded.sql(
            "SELECT DISTINCT metric, reason FROM measurement m JOIN benchmark USING (benchmark_id)"
            " WHERE name = 'test_still' AND m.valid AND metric IN ('wall_time', 'first_call_time')"
        )
        == []
    )


def test_bench_fixtures_without_recording_call_once_and_write_nothing(
    record: Record, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        calls = []

        def test_calls(bench_cpu):
            bench_cpu(calls.append, 1)
            with bench_cpu.phase("load"):
                calls.append(2)
            with bench_cpu.phase("again"):
                bench_cpu.pedantic(calls.append, (3,), rounds=50)
            with bench_cpu.phase("loop"):
                for step in bench_cpu.steps(3):
                    with step.forward():
                        pass
            bench_cpu.record("accuracy", 1, unit="1")
            assert calls == [1, 2, 3]

        def test_default_and_each(bench, bench_cpu): pass
        """
    )
    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=2)
    assert not (pytester.path / ".benchdb").exists()


def test_bench_missing_hardware_is_skipped_and_recorded_as_unsupported(record: Record) -> None:
    recorded = record(
        """
        def test_there(bench_mps): bench_mps(len, "a")
        def test_index(bench_each): bench_each(len, "a")
        """,
        "--benchdb-backends=cpu:7",
        "-rs",
    )

    assert recorded.sql(
        "SELECT b.name, r.outcome, d.backend, d.name, starts_with(r.reason, d.backend) FROM run r"
        " JOIN benchmark b USING (benchmark_id) JOIN device d USING (device_id) ORDER BY ALL"
    ) == [
        ("test_index[cpu:7]", "unsupported", "cpu", "not present", True),
        ("test_there", "unsupported", "mps", "not present", True),
    ]
    recorded.result.assert_outcomes(skipped=2)
    assert "cpu:7: cpu has 1 device here" in recorded.text
    assert recorded.one("SELECT count(*) FROM measurement WHERE value IS NOT NULL AND metric = 'wall_time'") == (0,)


def test_bench_each_runs_a_test_on_every_selected_device(record: Record) -> None:
    recorded = record(
        f"""
        def test_many(bench_each):
            bench_each.{QUICK}
            bench_each(lambda: bench_each.device.work(0.001) if bench_each.backend == "sim" else 1)

        def test_default(bench):
            assert bench.backend == "sim"
        """,
        "--benchdb-backends=sim,cpu",
    )

    assert set(recorded.outcomes().items()) == {
        ("test_many[sim]", "passed"),
        ("test_many[cpu]", "passed"),
        ("test_default", "passed"),
    }
    assert recorded.sql(
        "SELECT backend, r.provenance FROM run r JOIN device d USING (device_id)"
        " JOIN benchmark b USING (benchmark_id) WHERE b.function = 'test_many' ORDER BY 1"
    ) == [("cpu", "measured"), ("sim", "simulated")]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--benchdb-backends=gpu", "backend 'gpu' is unknown; known are cpu, cuda"),
        ("--benchdb-backends=cuda:first", "'first' is not the number of a device"),
        ("--benchdb-grid-gco2-per-kwh=green", "--benchdb-grid-gco2-per-kwh is 'green'; give the grams of CO2"),
        ("--benchdb-passes=power", "--benchdb-passes 'power' is unknown; give some of time, memory, memray"),
    ],
)
def test_bench_options_that_mean_nothing_end_the_run_with_a_sentence(record: Record, option: str, words: str) -> None:
    recorded = record("def test_a(bench_each): pass", option)

    assert words in recorded.text
    assert recorded.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in recorded.text


def test_bench_mistakes_name_the_test_and_lose_nothing_else(record: Record) -> None:
    recorded = record(
        f"""
        import pytest

        def test_twice(bench_cpu):
            bench_cpu.{QUICK}
            bench_cpu(len, "a")
            bench_cpu(len, "b")

        def test_nan(bench_cpu): bench_cpu.record("accuracy", float("nan"), unit="1")
        def test_option(bench_cpu): bench_cpu.options(speed=3)
        def test_two(bench_cpu, bench_sim): pass
        def test_unused(bench_cpu): pass
        def test_raises(bench_cpu): bench_cpu([1, 2].pop)
        def test_setup(bench_cpu): bench_cpu.pedantic(len, setup=lambda: None, iterations=3)

        def test_phase(bench_cpu):
            bench_cpu.phase("load").__enter__()

        def test_good(bench_cpu):
            bench_cpu.{QUICK}
            bench_cpu(len, "a")
        """
    )

    rows = dict(recorded.sql("SELECT b.name, [r.outcome, r.reason] FROM run r JOIN benchmark b USING (benchmark_id)"))
    assert {name: outcome for name, (outcome, _) in rows.items()} == {
        "test_twice": "failed",
        "test_nan": "failed",
        "test_option": "failed",
        "test_two": "error",
        "test_unused": "passed",
        "test_raises": "failed",
        "test_setup": "failed",
        "test_phase": "error",
        "test_good": "passed",
    }
    assert (
        "test_suite.py::test_twice: bench_cpu timed a function before and now gets a function" in rows["test_twice"][1]
    )
    assert "test_suite.py::test_nan: metric 'accuracy': nan is not measured" in rows["test_nan"][1]
    assert "unknown option 'speed'" in rows["test_option"][1]
    assert "requests two bench fixtures" in rows["test_two"][1]
    assert "iterations=3" in rows["test_setup"][1]
    assert "'load' was never closed" in rows["test_phase"][1]
    valid = recorded.sql(
        "SELECT DISTINCT name FROM measurement m JOIN benchmark USING (benchmark_id)"
        " WHERE m.valid AND metric = 'wall_time'"
    )
    assert valid == [("test_good",)]
    assert recorded.one(
        "SELECT m.reason FROM measurement m JOIN benchmark USING (benchmark_id) WHERE name = 'test_unused'"
    ) == ("bench_cpu was not used",)


def test_bench_first_operation_that_fails_is_a_failure_of_its_runs_only(
    record: Record, pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(
        """
        import pytest
        from pytest_benchdb.model.environment import Device
        from pytest_benchdb.model.reading import Probe

        class Broken:
            name = "broken"
            provenance = "measured"
            def probe(self): return Probe(available=True)
            def devices(self): return [Device(device_id="0" * 32, backend="broken", name="Broken 1")]
            def open(self, device): raise RuntimeError("CUDA error: out of patience")

        @pytest.hookimpl
        def pytest_benchdb_backends(): return [Broken()]
        """
    )
    recorded = record(
        f"""
        def test_broken(bench_broken): bench_broken(len, "a")
        def test_good(bench_cpu):
            bench_cpu.{QUICK}
            bench_cpu(len, "a")
        """
    )

    assert recorded.outcomes() == {"test_broken": "failed", "test_good": "passed"}
    assert recorded.one(
        "SELECT reason, d.name FROM run r JOIN device d USING (device_id) WHERE outcome = 'failed'"
    ) == ("in setup: RuntimeError: CUDA error: out of patience", "Broken 1")


@pytest.mark.long
def test_backend_that_hangs_while_it_opens_a_device_is_left_out_and_the_session_goes_on(
    record: Record, pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(
        """
        import time
        import pytest
        from pytest_benchdb.backends.cpu import CpuBackend
        from pytest_benchdb.plugin.bench import devices

        devices.OPEN_LIMIT_S = 0.5

        class Hanging(CpuBackend):
            name = "hanging"
            def open(self, device): time.sleep(600)

        @pytest.hookimpl
        def pytest_benchdb_backends(): return [Hanging()]
        """
    )
    recorded = record(
        f"""
        def test_first(bench_hanging): bench_hanging(len, "a")
        def test_second(bench_hanging): bench_hanging(len, "a")
        def test_good(bench_cpu):
            bench_cpu.{QUICK}
            bench_cpu(len, "a")
        """
    )

    reason = "hanging: left out, because opening hanging gave no answer within 0.5 s"
    assert recorded.outcomes() == {"test_first": "unsupported", "test_second": "unsupported", "test_good": "passed"}
    assert recorded.sql("SELECT DISTINCT reason FROM run WHERE outcome = 'unsupported'") == [(reason,)]


@pytest.mark.long
def test_summary_of_a_rank_other_than_0_is_left_to_rank_0(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        texts.append(record("@__import__('pytest').mark.benchdb\ndef test_it(): pass").text)

    assert ["- benchdb -" in text for text in texts] == [True, False]


def test_bench_sim_tells_known_answers_and_never_as_measured(record: Record) -> None:
    recorded = record(
        """
        def test_power(bench_sim):
            bench_sim(lambda: bench_sim.device.work(2.0, watts=500))

        def test_memory(bench_sim):
            bench_sim.device.allocate(10**15)
        """,
        "--benchdb-passes=energy",
        "--benchdb-grid-gco2-per-kwh=360",
    )

    assert recorded.outcomes() == {"test_power": "passed", "test_memory": "oom"}
    assert recorded.one(
        "SELECT co2.value / energy.value, co2.unit, co2.provenance, co2.details->>'gco2_per_kwh'"
        " FROM measurement co2 JOIN measurement energy USING (run_id)"
        " WHERE co2.metric = 'co2' AND energy.metric = 'energy' AND energy.domain IS NULL"
    ) == (pytest.approx(1e-7), "kg", "simulated", "360.0")
    measured = figures(recorded, "pass IN ('time', 'energy') AND m.provenance = 'simulated'")
    assert measured["test_power", None, "wall_time"] == pytest.approx(2.0)
    assert measured["test_power", None, "device_time"] == pytest.approx(2.0)
    # Within one tick of the counter over the window.
    assert measured["test_power", None, "energy"] == pytest.approx(1000, rel=0.05)
    assert recorded.one("SELECT DISTINCT provenance FROM run") == ("simulated",)


def test_bench_phases_pedantic_and_async_are_recorded(record: Record) -> None:
    recorded = record(
        f"""
        import asyncio

        def test_phases(bench_cpu):
            bench_cpu.{QUICK}
            with bench_cpu.phase("load"):
                data = list(range(1000))
            with bench_cpu.phase("decode"):
                bench_cpu(sorted, data)
            bench_cpu(sum, data)

        def test_pedantic(bench_cpu):
            seen = []
            bench_cpu.pedantic(
                lambda rows: rows.sort(), setup=lambda: (([3, 2, 1],), {{}}), teardown=seen.append, rounds=7
            )
            assert seen == [[1, 2, 3]] * 7

        async def work():
            await asyncio.sleep(0)
            return 5

        def test_async(bench_cpu):
            bench_cpu.{QUICK}
            assert bench_cpu(work) == 5
        """
    )

    assert set(recorded.outcomes().values()) == {"passed"}
    walls = {key[:2] for key in figures(recorded, "m.valid AND metric = 'wall_time'")}
    assert walls == {
        ("test_phases", None),
        ("test_phases", "load"),
        ("test_phases", "decode"),
        ("test_pedantic", None),
        ("test_async", None),
    }
    assert recorded.one(
        "SELECT rounds, iterations FROM run JOIN benchmark USING (benchmark_id) WHERE name = 'test_pedantic'"
    ) == (7, 1)


@pytest.mark.long
def test_bench_under_xdist_is_recorded_by_the_controller(record: Record) -> None:
    pytest.importorskip("xdist")
    recorded = record(
        f"""
        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test_many(bench_each, n):
            bench_each.{QUICK}
            bench_each(sorted, range(n))

        def test_absent(bench_mps): pass
        """,
        "-n2",
        "--benchdb-backends=cpu",
    )

    assert sorted(recorded.outcomes().values()) == ["passed"] * 4 + ["unsupported"]
    assert recorded.one("SELECT count(*), bool_and(parallel) FROM run") == (5, True)
    assert recorded.one("SELECT count(*) FROM device WHERE backend = 'mps'") == (1,)


@pytest.mark.long
def test_bench_under_xdist_takes_no_energy(record: Record) -> None:
    pytest.importorskip("xdist")
    recorded = record(
        """
        def test_power(bench_sim):
            bench_sim(lambda: bench_sim.device.work(2.0, watts=500))
        """,
        "-n1",
        "--benchdb-passes=energy",
    )

    assert recorded.one("SELECT value, valid, reason FROM measurement WHERE metric = 'energy'") == (
        None,
        False,
        "other xdist workers use the device meanwhile; run without -n",
    )


def test_hardware_counters_that_were_asked_for_are_counted_or_explained(record: Record) -> None:
    recorded = record(f"def test_sum(bench_cpu): bench_cpu.{QUICK}(sum, range(100))", "--benchdb-passes=counters")

    rows = recorded.sql("SELECT metric, value, reason FROM measurement WHERE pass = 'counters' ORDER BY metric")
    assert [metric for metric, _, _ in rows] == ["branch_misses", "cache_misses", "cycles", "instructions"]
    for _, value, reason in rows:
        assert (value is None) != (reason is None)
    counted, reason = rows[-1][1:]
    assert (f"no hardware counters of 1 run: {reason}" in recorded.text) == (counted is None)


def test_fixtures_have_a_docstring(pytester: pytest.Pytester) -> None:
    listed = pytester.runpytest_subprocess("--fixtures", "-q").stdout.str()

    assert "Times code on the backend 'cuda'; skips the test if that is missing." in listed
    blocks = [block for block in listed.split("\n\n") if block.lstrip().startswith(("bench_", "bench "))]
    assert len(blocks) > 10
    assert [block for block in blocks if "no docstring available" in block] == []


@pytest.mark.parametrize(
    ("option", "outcomes"),
    [
        ("--benchmark-only", {"passed": 3, "skipped": 2}),
        ("--benchmark-skip", {"passed": 1, "skipped": 4}),
    ],
)
def test_options_of_pytest_benchmark_take_our_fixtures_for_benchmarks(
    pytester: pytest.Pytester, option: str, outcomes: dict[str, int]
) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_theirs(benchmark):
            benchmark(len, "abc")

        def test_ours(bench_cpu):
            bench_cpu.pedantic(len, args=("abc",))

        def test_default(bench):
            bench.pedantic(len, args=("abc",))

        @pytest.mark.skip(reason="mine")
        def test_skipped(bench):
            pass

        def test_plain():
            pass
        """
    )

    result = pytester.runpytest_subprocess(option, "--benchmark-max-time=0.005", "--benchmark-min-rounds=1")

    result.assert_outcomes(**outcomes)
