"""Memory, energy and series of every kind of work, in real pytest runs."""

import duckdb  # noqa: F401 - DuckDB cannot be loaded twice in one process, and pytester unloads what a test loads
import pytest
from tests.plugin.recorded import Record, Recorded

Key = tuple[str, str | None, str]


def rows(recorded: Recorded) -> dict[Key, tuple[float | None, str | None]]:
    found = recorded.sql(
        "SELECT name, phase, metric, m.value, m.reason FROM measurement m JOIN benchmark USING (benchmark_id)"
        " WHERE domain IS NULL AND rank IS NULL AND pass <> 'series'"
    )
    return {(name, phase, metric): (value, reason) for name, phase, metric, value, reason in found}


def test_energy_of_every_kind_of_work_is_right_on_the_simulated_machine(record: Record) -> None:
    recorded = record(
        """
        def test_call(bench_sim):
            bench_sim(lambda: bench_sim.device.work(2.0, watts=500), items=4)

        def test_steps(bench_sim):
            for step in bench_sim.steps(5, warmup=1, samples_per_step=8):
                bench_sim.device.allocate(1000)
                bench_sim.device.work(1.0, watts=300)
                bench_sim.device.free(1000)

        def test_phases(bench_sim):
            for name, seconds, watts in (("prefill", 3.0, 500), ("decode", 4.0, 200)):
                with bench_sim.phase(name):
                    bench_sim.device.work(seconds, watts=watts)

        def test_stream(bench_sim):
            def answer():
                for text in "ab":
                    bench_sim.device.work(1.0, watts=400)
                    yield text

            bench_sim.stream(answer, requests=3, tokens="chunks")
        """,
        "--benchdb-passes=memory,energy,series",
    )

    assert set(recorded.outcomes().values()) == {"passed"}
    joules = {key: value for key, (value, _) in rows(recorded).items() if key[2].startswith("energy")}
    within = {key: pytest.approx(value, rel=0.03) for key, value in {
        ("test_call", None, "energy"): 1000.0,
        ("test_call", None, "energy_per_sample"): 250.0,
        ("test_steps", None, "energy"): 300.0,
        ("test_steps", None, "energy_per_step"): 300.0,
        ("test_steps", None, "energy_per_sample"): 37.5,
        ("test_phases", "prefill", "energy"): 1500.0,
        ("test_phases", "decode", "energy"): 800.0,
        ("test_stream", None, "energy"): 800.0,
        ("test_stream", None, "energy_per_request"): 800.0,
        ("test_stream", None, "energy_per_token"): 400.0,
    }.items()}  # fmt: skip
    assert joules == within
    assert rows(recorded)["test_steps", None, "device_peak"] == (1000.0, None)
    assert recorded.one("SELECT min(value), max(value) FROM measurement WHERE metric = 'idle_power'") == (
        pytest.approx(100.0, rel=0.01),
        pytest.approx(100.0, rel=0.01),
    )


def test_everything_asked_for_has_a_value_or_a_reason(record: Record) -> None:
    recorded = record(
        """
        import pytest

        def test_steps(bench_cpu):
            for step in bench_cpu.steps(3):
                with step.forward():
                    held = b"1" * 30_000_000

        def test_left(bench_cpu):
            for step in bench_cpu.steps(9):
                if step.index == 3:
                    break

        def test_phases(bench_cpu):
            with bench_cpu.phase("load"):
                held = b"1" * 80_000_000
                del held
            with bench_cpu.phase("call"):
                bench_cpu.options(max_time_s=0.02, warmup_time_s=0, min_rounds=3)
                bench_cpu(lambda: b"1" * 40_000_000)

        @pytest.mark.benchdb
        def test_whole():
            sum(range(1000))

        def test_of_others(benchmark):
            benchmark(sum, [1, 2])
        """,
        "--benchdb-passes=memory,energy,series",
    )

    assert set(recorded.outcomes().values()) == {"passed"}
    found = rows(recorded)
    assert {key for key, told in found.items() if told == (None, None)} == set()
    asked = recorded.sql(
        "SELECT name, phase, list_sort(list(DISTINCT pass)) FROM measurement JOIN benchmark USING (benchmark_id)"
        " WHERE pass <> 'time' GROUP BY name, phase"
    )
    assert {(name, phase) for name, phase, passes in asked if passes == ["energy", "memory", "series"]} == {
        ("test_steps", None), ("test_steps", "forward"), ("test_left", None), ("test_phases", "load"),
        ("test_phases", "call"), ("test_whole", None), ("test_of_others", None),
    }  # fmt: skip
    for name, phase, grown in (("test_phases", "load", 80e6), ("test_phases", "call", 40e6)):
        peak, start = (found[name, phase, metric][0] for metric in ("peak_rss", "rss_start"))
        if peak is not None and start is not None:
            assert peak - start == pytest.approx(grown, abs=8e6)
    timed = recorded.one(
        "SELECT count(*) FROM measurement WHERE metric = 'peak_rss' AND pass = 'time' AND phase = 'call'"
    )
    assert timed == (1,)
    assert found["test_left", None, "energy"][1] == "the loop was left before its last step"
    flagged = recorded.sql(
        "SELECT DISTINCT name, phase FROM measurement JOIN benchmark USING (benchmark_id)"
        " WHERE json_extract_string(details, 'sampler_active') = 'true' AND pass = 'time' ORDER BY ALL"
    )
    assert flagged == [("test_left", None), ("test_phases", "load"), ("test_steps", None), ("test_whole", None)]
    assert "no energy of" in recorded.text


def test_memory_pass_holds_its_own_result_only(record: Record) -> None:
    recorded = record(
        """
        def test_held(bench_cpu):
            bench_cpu.pedantic(lambda: b"1" * (64 << 20), rounds=2)
        """,
        "--benchdb-passes=memory",
    )

    mib = {
        (name, metric): value / (1 << 20)
        for name, metric, value in recorded.sql(
            "SELECT pass, metric, value FROM measurement WHERE unit = 'B' AND value IS NOT NULL"
        )
    }
    if ("memory", "peak_rss") in mib:
        assert mib["memory", "rss_start"] == pytest.approx(mib["time", "rss_start"], abs=16)
        assert mib["memory", "peak_rss"] == pytest.approx(mib["time", "peak_rss"], abs=16)
    assert mib["memory", "uss"] > 64


def test_memray_gives_the_native_peak(record: Record) -> None:
    pytest.importorskip("memray")
    recorded = record(
        """
        def test_native(bench_cpu):
            bench_cpu.pedantic(lambda: bytes(64 << 20), rounds=2)
        """,
        "--benchdb-passes=memray",
    )

    value, method, name = recorded.one("SELECT value, method, pass FROM measurement WHERE metric = 'native_peak'")
    assert value == pytest.approx(64 << 20, rel=0.01)
    assert method.startswith("memray")
    assert name == "memory"
