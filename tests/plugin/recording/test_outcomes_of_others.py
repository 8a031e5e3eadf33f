"""What is recorded beside pytest-xdist, pytest-rerunfailures, pytest-timeout, `-x`, Ctrl-C and crashes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
import pytest_benchmark
from packaging import version
from tests.plugin.recorded import Record

BENCHMARKS = """
    import pytest

    @pytest.mark.parametrize("n", range(6))
    def test_many(benchmark, n):
        benchmark(sorted, range(n))

    @pytest.mark.xdist_group("gpu")
    def test_grouped(benchmark):
        benchmark(len, "abc")

    def test_fails(benchmark):
        benchmark(len, "abc")
        assert False, "on purpose"

    @pytest.mark.benchdb
    def test_marked():
        sum(range(1000))

    def test_plain():
        pass
"""


@pytest.mark.parametrize("arguments", [("-n2",), ("-n2", "--dist=loadgroup")], ids=["load", "loadgroup"])
def test_xdist_records_outcomes_once_in_one_session(record: Record, arguments: tuple[str, ...]) -> None:
    pytest.importorskip("xdist")
    recorded = record(BENCHMARKS, *arguments)

    outcomes = recorded.outcomes()
    assert outcomes.pop("test_fails") == "failed"
    assert set(outcomes) == {*(f"test_many[{n}]" for n in range(6)), "test_grouped", "test_marked"}
    assert set(outcomes.values()) == {"passed"}
    assert recorded.one("SELECT count(*), count(DISTINCT worker), bool_and(parallel) FROM run") == (9, 2, True)
    timed = recorded.sql(
        "SELECT name FROM measurement JOIN benchmark USING (benchmark_id) WHERE valid AND metric = 'wall_time'"
    )
    # Before 5.2.3, pytest-benchmark says that it switches itself off, and times within the workers all the same.
    switched_off = version.parse(pytest_benchmark.__version__) >= version.parse("5.2.3")
    assert recorded.text.count("pytest-benchmark switches itself off under xdist") == switched_off
    assert recorded.text.count("timed in xdist's workers") == 1
    assert timed == [("test_marked",)] if switched_off else len(timed) == 8


@pytest.mark.long
def test_xdist_benchmark_has_the_same_identity_as_without(record: Record) -> None:
    pytest.importorskip("xdist")
    apart = record(BENCHMARKS, path="apart").sql("SELECT benchmark_id, fullname, code_hash FROM benchmark ORDER BY 2")
    workers = record(BENCHMARKS, "-n2", "--dist=loadgroup", path="workers").sql(
        "SELECT benchmark_id, fullname, code_hash FROM benchmark ORDER BY 2"
    )

    assert workers == apart


@pytest.mark.long
def test_xdist_killed_worker_is_recorded_as_crashed(record: Record) -> None:
    pytest.importorskip("xdist")
    recorded = record(
        """
        import os, signal
        import pytest

        @pytest.mark.parametrize("n", range(5))
        def test_fine(benchmark, n):
            benchmark(len, "abc")

        def test_killed(benchmark):
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        "-n2",
    )

    outcomes = recorded.outcomes()
    assert outcomes.pop("test_killed") == "crashed"
    assert set(outcomes.values()) == {"passed"}
    assert len(outcomes) == 5
    (reason,) = recorded.one("SELECT reason FROM run WHERE outcome = 'crashed'")
    assert "crashed while running" in reason


def test_xdist_switched_off_measures(record: Record) -> None:
    recorded = record(BENCHMARKS, "-p", "no:xdist")

    assert recorded.one("SELECT count(*) FROM measurement WHERE valid AND metric = 'wall_time'") == (8,)


def test_reruns_are_attempts_and_only_the_last_counts(record: Record) -> None:
    pytest.importorskip("pytest_rerunfailures")
    recorded = record(
        """
        calls = []

        def test_flaky(benchmark):
            calls.append(1)
            benchmark(len, "abc")
            assert len(calls) == 3
        """,
        "--reruns=3",
    )

    assert recorded.sql("SELECT attempt, outcome FROM run ORDER BY attempt") == [
        (1, "failed"),
        (2, "failed"),
        (3, "passed"),
    ]
    assert recorded.sql(
        "SELECT attempt FROM measurement JOIN run USING (run_id) WHERE valid AND metric = 'wall_time'"
    ) == [(3,)]
    assert recorded.one("SELECT count(DISTINCT benchmark_id) FROM run") == (1,)


@pytest.mark.long
def test_timeout_is_an_outcome_of_its_own(record: Record) -> None:
    pytest.importorskip("pytest_timeout")
    recorded = record(
        "import time\n\ndef test_hangs(benchmark):\n    benchmark(time.sleep, 60)",
        "--timeout=0.5",
        "--timeout-method=signal",
    )

    assert recorded.outcomes() == {"test_hangs": "timeout"}
    assert recorded.one("SELECT reason FROM measurement WHERE metric = 'wall_time'") == (
        "the benchmark was cut short before it was timed",
    )


def test_exitfirst_stores_what_ran_and_is_not_complete(record: Record) -> None:
    recorded = record(BENCHMARKS, "-x", "-p", "no:randomly")

    assert recorded.outcomes()["test_fails"] == "failed"
    assert "test_marked" not in recorded.outcomes()
    assert recorded.one("SELECT complete, outcome, exit_status FROM session") == (False, "failed", 1)


@pytest.mark.long
def test_last_failed_records_what_it_runs(record: Record) -> None:
    record(BENCHMARKS, path="first")
    recorded = record(BENCHMARKS, "--lf", path="second")

    assert recorded.outcomes() == {"test_fails": "failed"}


INTERRUPTED = """
    import os, signal, time

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

    def test_first(benchmark):
        benchmark(len, "abc")

    def test_interrupted(benchmark):
        benchmark(len, "abc")
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)

    def test_never(benchmark):
        benchmark(len, "abc")
"""


def test_interrupt_stores_what_ran(record: Record) -> None:
    recorded = record(INTERRUPTED)

    assert recorded.result.ret == pytest.ExitCode.INTERRUPTED
    assert recorded.outcomes() == {"test_first": "passed", "test_interrupted": "error"}
    assert recorded.one("SELECT complete, outcome FROM session") == (False, "interrupted")
    assert recorded.one("SELECT count(*) FROM benchmark_performance") == (1,)


DIES = """
    import os, sys, time

    def test_first(benchmark):
        benchmark(len, "abc")

    def test_dies(benchmark):
        benchmark(len, "abc")
        os._exit(7)
"""


def test_process_that_exits_is_recovered_by_the_next_session_exactly_once(record: Record) -> None:
    died = record(DIES)
    assert died.result.ret == 7
    assert died.files == []

    record("def test_b(benchmark):\n    benchmark(len, 'abc')", "-k", "test_b")
    after = record("def test_b(benchmark):\n    benchmark(len, 'abc')", "-k", "test_b")

    assert len(after.files) == 3
    outcomes = {path: outcomes_of(path) for path in after.files}
    assert max(outcomes.values(), key=len) == {"test_first": "passed", "test_dies": "crashed"}
    assert not list(after.folder.glob("*.jsonl"))


def outcomes_of(path: Path) -> dict[str, str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return dict(connection.execute("SELECT name, outcome FROM run JOIN benchmark USING (benchmark_id)").fetchall())


def test_killed_pytest_loses_only_the_test_it_died_in(record: Record, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_suite="""
        import time
        import pytest

        @pytest.mark.parametrize("n", range(3))
        def test_fine(benchmark, n):
            benchmark(len, "abc")

        def test_hangs(benchmark):
            open("hanging", "w").close()
            time.sleep(60)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--benchdb=results", "--benchmark-max-time=0.001", "--benchmark-min-rounds=2"],
        stdout=subprocess.DEVNULL,
    )
    while not Path("hanging").exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    after = record("def test_b(benchmark):\n    benchmark(len, 'abc')", "-k", "test_b")

    recovered = next(path for path in after.files if len(outcomes_of(path)) == 4)
    assert outcomes_of(recovered) == {f"test_fine[{n}]": "passed" for n in range(3)} | {"test_hangs": "crashed"}


def test_forking_test_is_recorded_once(record: Record) -> None:
    recorded = record(
        """
        import os

        def test_forks(benchmark):
            benchmark(len, "abc")
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)

        def test_after(benchmark):
            benchmark(len, "abc")
        """
    )

    assert recorded.outcomes() == {"test_forks": "passed", "test_after": "passed"}


@pytest.mark.long
def test_child_that_runs_on_through_pytest_writes_nothing(record: Record) -> None:
    recorded = record(
        """
        import os, sys

        def fork():
            pid = os.fork()
            if pid == 0:
                sys.exit(0)  # the child goes on as if it were pytest
            os.waitpid(pid, 0)

        def test_forks_before_anything_is_recorded():
            fork()

        def test_daemon(benchmark):
            benchmark.pedantic(fork, rounds=1)

        def test_after(benchmark):
            benchmark(len, "abc")
        """,
        "--benchdb-strict",
        "--benchdb-report=report.json",
    )

    assert recorded.result.ret == 0
    assert recorded.outcomes() == {"test_daemon": "passed", "test_after": "passed"}
    assert recorded.one("SELECT outcome, complete FROM session") == ("passed", True)
    assert recorded.text.count("2 passed -> results") == 1
    assert recorded.text.count("report written to") == 1


def test_subtests_do_not_end_the_run_they_are_part_of(record: Record) -> None:
    if not hasattr(pytest, "Subtests"):
        pytest.skip("subtests are part of pytest from 9.0 on")
    recorded = record(
        """
        def test_parts(benchmark, subtests):
            for n in range(3):
                with subtests.test(n=n):
                    assert n != 1
            benchmark(len, "abc")
        """
    )

    assert recorded.outcomes() == {"test_parts": "failed"}
    assert recorded.one("SELECT count(*), bool_or(valid) FROM measurement WHERE metric = 'wall_time'") == (1, False)
