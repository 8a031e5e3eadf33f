"""Values that cannot be stored cost themselves, not the run, and never the session."""

from pathlib import Path

import pytest
from tests.plugin.recorded import Record, Recorded

SUITE = """
import numpy as np
import pytest

@pytest.mark.benchdb(batch_size=np.int64(8))
def test_numpy(bench_cpu):
    bench_cpu.options(max_time_s=np.float32(0.01), warmup_rounds=np.int64(1), min_rounds=np.int8(2))
    bench_cpu(len, "abc", items=np.int64(4), bytes=np.prod((2, 3)))
    bench_cpu.record("score", np.array([.1, .2, .3]), unit="1")
    bench_cpu.result_count = np.int64(5)
    bench_cpu.extra_info["shape"] = np.arange(2)

def test_steps(bench_cpu):
    for step in bench_cpu.steps(np.int64(4), warmup=np.int8(1), samples_per_step=np.int64(8)):
        step.record("loss", np.array([1.5]))

def test_pedantic(bench_cpu):
    bench_cpu.pedantic(len, ("abc",), rounds=np.int64(3), iterations=np.uint8(2))

def test_text(bench_cpu):
    bench_cpu.pedantic(len, ("abc",), rounds=3)
    bench_cpu.result_count = "many"

class Text(str):
    def __str__(self):
        raise RuntimeError("no text")

def test_extra_info(benchmark):
    benchmark.pedantic(len, ("abc",), rounds=3)
    benchmark.extra_info.update({np.int64(1): Text("a"), "b": lambda: None, (1, 2): float("nan")})

def test_replaced(bench_cpu):
    bench_cpu.pedantic(len, ("abc",), rounds=3)
    bench_cpu.extra_info = [1, 2]

def broken_clock():
    return float("nan")

@pytest.mark.benchmark(timer=broken_clock)
def test_clock(benchmark):
    benchmark.pedantic(len, ("abc",), rounds=1)

times = iter([10.0, 11.0, 13.0, 12.0])

def system_time():
    return next(times)

system_time.__module__, system_time.__qualname__ = "time", "time"

@pytest.mark.benchmark(timer=system_time)
def test_set_clock(benchmark):
    benchmark.pedantic(len, ("abc",), rounds=2)

def test_unreadable(bench_cpu):
    bench_cpu.pedantic(len, ("abc",), rounds=3)
    bench_cpu.timing = lambda: 1 / 0  # as a fault of our own

def test_last(bench_cpu):
    bench_cpu.pedantic(len, ("abc",), rounds=3)
"""


@pytest.fixture
def recorded(record: Record) -> Recorded:
    return record(SUITE, "-W", "error")


def test_one_bad_value_costs_itself_alone(recorded: Recorded) -> None:
    assert recorded.result.ret == 0
    assert set(recorded.outcomes().values()) == {"passed"}
    assert len(recorded.outcomes()) == 10
    rows = recorded.sql(
        "SELECT name, metric, m.value, n, m.valid, m.reason FROM measurement m JOIN run USING (run_id)"
        " JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id"
    )
    found = {(name, metric): (value, n, valid, reason) for name, metric, value, n, valid, reason in rows}
    assert found["test_numpy", "score"] == (pytest.approx(0.2), 3, True, None)
    assert found["test_numpy", "throughput"][0] > 0
    assert found["test_steps", "step_time"][1] == 2
    assert found["test_steps", "loss"][:2] == (1.5, 2)
    assert found["test_pedantic", "wall_time"][1] == 3
    assert found["test_clock", "timer_value"] == (
        None,
        None,
        False,
        "test_suite.broken_clock gave nan in 1 of 1 rounds",
    )
    assert found["test_set_clock", "wall_time"][2:] == (False, "time.time went back")
    assert found["test_unreadable", "wall_time"][2:] == (
        False,
        "its run cannot be stored: ZeroDivisionError: division by zero",
    )
    for name in ("test_text", "test_extra_info", "test_replaced", "test_last"):
        assert found[name, "wall_time"][1:] == (3, True, None)

    counts = dict(recorded.sql("SELECT name, result_count FROM run JOIN benchmark USING (benchmark_id)"))
    assert (counts["test_numpy"], counts["test_text"]) == (5, None)
    infos = dict(recorded.sql("SELECT name, extra_info::VARCHAR FROM run JOIN benchmark USING (benchmark_id)"))
    assert infos["test_numpy"] == '{"shape":[0,1]}'
    assert infos["test_replaced"] == '{"extra_info":[1,2]}'
    assert '"1":"a"' in infos["test_extra_info"]
    assert '"[1, 2]":"NaN"' in infos["test_extra_info"]
    assert recorded.sql("SELECT DISTINCT batch_size FROM run WHERE batch_size IS NOT NULL") == [(8,)]

    recorded.result.stdout.fnmatch_lines(
        [
            "benchdb: test_suite.py::test_text: result_count is not stored: 'many' is not a whole number",
            "benchdb: test_suite.py::test_clock: timer_value is not valid: test_suite.broken_clock gave nan in 1 *",
            "benchdb: test_suite.py::test_unreadable: its run cannot be stored: ZeroDivisionError: division by zero",
        ]
    )


@pytest.mark.long
def test_workers_and_isolated_tests_name_their_values_too(record: Record, pytester: pytest.Pytester) -> None:
    marked = SUITE.replace("def test_text", "@pytest.mark.benchdb(isolate=np.bool_(True))\ndef test_text")
    recorded = record(marked, "-n1", "-k", "text or unreadable")

    assert recorded.outcomes() == {"test_text": "passed", "test_unreadable": "passed"}
    recorded.result.stdout.fnmatch_lines_random(
        [
            "benchdb: test_suite.py::test_text: result_count is not stored: 'many' is not a whole number",
            "benchdb: test_suite.py::test_unreadable: its run cannot be stored: *",
        ]
    )
    assert not list(Path(pytester.path).glob("**/*.journal.jsonl"))
