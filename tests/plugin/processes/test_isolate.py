"""``@pytest.mark.benchdb(isolate=True)``: a fresh process for a test, as a suite sees it."""

import enum
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.plugin.recorded import Record

from pytest_benchdb.plugin.processes import isolate
from pytest_benchdb.plugin.processes.child import read_messages, write_message
from pytest_benchdb.plugin.processes.isolate import run_limited

OUTER = """
    import os, pathlib, pytest

    OUTER = pathlib.Path("outer.pid")

    def outer():
        return int(OUTER.read_text())

    def isolated():
        return os.getpid() != outer()

    isolate = pytest.mark.benchdb(isolate=True)

    if not OUTER.exists():
        OUTER.write_text(str(os.getpid()))
"""
"""What suites here begin with: the process that collects first is the one of the run."""


def suite(body: str) -> str:
    return OUTER + body


@pytest.mark.long
def test_isolated_marked_test_alone_runs_in_a_process_of_its_own_and_is_recorded_beside_the_others(
    record: Record,
) -> None:
    recorded = record(
        suite("""
    @pytest.fixture(scope="module")
    def shared():
        return os.getpid()

    def test_before(benchmark, shared):
        assert not isolated()
        benchmark(sum, range(10))

    @isolate
    @pytest.mark.parametrize("n", [1, 2], ids=["a b[c]", "ü::x"])
    def test_alone(benchmark, shared, n, tmp_path):
        assert isolated()
        assert shared == os.getpid()
        assert "BENCHDB_ISOLATED" not in os.environ
        benchmark(sum, range(n))

    class TestGroup:
        pytestmark = isolate

        def test_in_class(self, benchmark):
            assert isolated()
            benchmark(sum, [])

        @pytest.mark.benchdb(isolate=False)
        def test_with_its_own_word(self, benchmark):
            assert not isolated()
            benchmark(sum, [])

    def test_after(shared):
        assert shared == outer()
    """),
        "--junitxml=junit.xml",
    )

    recorded.result.assert_outcomes(passed=6)
    assert len(recorded.files) == 1
    rows = recorded.sql(
        "SELECT function, extra_info->>'isolated', outcome, parallel, rounds >= 3 FROM run JOIN benchmark"
        " USING (benchmark_id) ORDER BY run_id"
    )
    assert rows == [
        ("test_before", None, "passed", False, True),
        ("test_alone", "true", "passed", False, True),
        ("test_alone", "true", "passed", False, True),
        ("test_in_class", "true", "passed", False, True),
        ("test_with_its_own_word", None, "passed", False, True),
    ]
    junit = (recorded.folder.parent / "junit.xml").read_text(encoding="utf-8")
    assert junit.count("<testcase ") == 6


@pytest.mark.long
def test_isolated_outcomes_reasons_and_output_come_back(record: Record) -> None:
    recorded = record(
        suite("""
    @pytest.fixture
    def broken():
        raise LookupError("no such thing")

    @isolate
    def test_fails():
        print("said in the child")
        assert 1 == 2, "numbers"

    @isolate
    def test_skips():
        pytest.skip("not today")

    @isolate
    @pytest.mark.xfail(reason="known")
    def test_expected():
        assert False

    @isolate
    def test_error(broken):
        pass
    """)
    )

    recorded.result.assert_outcomes(failed=1, skipped=1, xfailed=1, errors=1)
    recorded.result.stdout.fnmatch_lines(["*assert 1 == 2*", "*said in the child*", "*no such thing*"])
    assert recorded.outcomes() == {
        "test_fails": "failed",
        "test_skips": "skipped",
        "test_expected": "xfailed",
        "test_error": "error",
    }
    assert recorded.one("SELECT reason FROM run WHERE outcome = 'skipped'") == ("not today",)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_isolated_process_that_dies_costs_its_test_only(record: Record) -> None:
    recorded = record(
        suite("""
    import signal, sys

    @isolate
    def test_killed():
        os.kill(os.getpid(), signal.SIGKILL)

    @isolate
    def test_exits():
        print("last words", file=sys.__stderr__, flush=True)
        os._exit(3)

    @isolate
    def test_after_call(request):
        request.addfinalizer(lambda: os.kill(os.getpid(), signal.SIGABRT))

    def test_next(benchmark):
        benchmark(sum, [])
    """)
    )

    assert recorded.outcomes() == {
        "test_killed": "crashed",
        "test_exits": "crashed",
        "test_after_call": "crashed",
        "test_next": "passed",
    }
    reasons = dict(recorded.sql("SELECT function, reason FROM run JOIN benchmark USING (benchmark_id)"))
    assert reasons["test_killed"] == "the test's own process was killed by SIGKILL"
    assert reasons["test_exits"].startswith("the test's own process ended with exit status 3 before the test did")
    assert "SIGABRT" in reasons["test_after_call"]
    assert recorded.one(
        "SELECT count(*) FROM measurement WHERE pass = 'time' AND metric = 'wall_time' AND value = 0"
    ) == (0,)
    recorded.result.assert_outcomes(failed=2, errors=1, passed=2)


@pytest.mark.long
def test_isolated_test_between_modules_leaves_earlier_fixtures_torn_down_once(
    record: Record, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_a="""
        import os, pathlib, pytest

        @pytest.fixture(scope="module")
        def resource():
            yield
            with open("log", "a") as log:
                log.write(f"{os.getpid()}\\n")

        def test_one(resource):
            pathlib.Path("outer").write_text(str(os.getpid()))

        @pytest.mark.benchdb(isolate=True)
        def test_two(resource):
            assert pathlib.Path("outer").read_text() in pathlib.Path("log").read_text()
        """,
        test_b="""
        import os, pathlib

        def test_three():
            log = pathlib.Path("log").read_text().split()
            assert log.count(str(os.getpid())) == 1 and len(log) == 2
        """,
    )

    record().result.assert_outcomes(passed=3)


@pytest.mark.long
def test_isolated_teardown_error_of_an_earlier_fixture_is_still_reported(record: Record) -> None:
    recorded = record("""
    import pytest

    @pytest.fixture(scope="module")
    def resource():
        yield
        raise RuntimeError("cannot be closed")

    def test_one(resource):
        pass

    @pytest.mark.benchdb(isolate=True)
    def test_two():
        pass
    """)

    recorded.result.assert_outcomes(passed=2, errors=1)
    recorded.result.stdout.fnmatch_lines(["*cannot be closed*"])


@pytest.mark.skipif(sys.platform != "linux", reason="reads VmHWM")
def test_isolated_peak_memory_has_nothing_of_the_run_around_it(record: Record) -> None:
    recorded = record(
        suite("""
    LARGE = []

    def test_large():
        LARGE.append(b"1" * (300 << 20))

    @isolate
    def test_small():
        bytearray(b"1" * (10 << 20))
    """)
    )

    (peak,) = recorded.one("SELECT value FROM measurement WHERE metric = 'peak_rss'")
    if peak is None:
        pytest.skip("this kernel cannot set the peak back")
    assert peak < 200 << 20


@pytest.mark.long
@pytest.mark.parametrize("method", ["signal", "thread"])
def test_isolated_test_that_runs_too_long_ends_by_pytest_timeout_and_the_session_goes_on(
    record: Record, method: str
) -> None:
    pytest.importorskip("pytest_timeout")
    if method == "signal" and sys.platform == "win32":
        pytest.skip("no SIGALRM")
    recorded = record(
        suite(f"""
    import time

    @isolate
    @pytest.mark.timeout(0.4, method="{method}")
    def test_long():
        time.sleep(60)

    def test_next(benchmark):
        benchmark(sum, [])
    """)
    )

    outcomes = recorded.outcomes()
    assert outcomes["test_next"] == "passed"
    # The method `thread` ends its process, and nothing is left that could tell why but what it wrote.
    assert outcomes["test_long"] == ("timeout" if method == "signal" else "crashed")
    assert "Timeout" in recorded.text


@pytest.mark.long
def test_isolated_test_under_xdist_comes_back_through_its_worker(record: Record) -> None:
    pytest.importorskip("xdist")
    recorded = record(
        suite("""
    def test_plain():
        pass

    @isolate
    def test_alone():
        assert os.environ["PYTEST_XDIST_WORKER"] == "gw0"
        assert os.getppid() != 1

    @isolate
    def test_dies():
        os._exit(7)
    """),
        "-n1",
        "--benchdb-all",
    )

    recorded.result.assert_outcomes(passed=2, failed=1)
    assert recorded.outcomes() == {"test_plain": "passed", "test_alone": "passed", "test_dies": "crashed"}
    assert recorded.sql("SELECT DISTINCT worker FROM run") == [("gw0",)]


@pytest.mark.long
def test_isolated_test_is_rerun_in_its_own_process(record: Record) -> None:
    pytest.importorskip("pytest_rerunfailures")
    recorded = record(
        suite("""
    @isolate
    def test_flaky():
        marks = pathlib.Path("marks")
        marks.write_text(marks.read_text() + "x" if marks.exists() else "x")
        assert marks.read_text() == "xx"
    """),
        "--reruns=2",
    )

    recorded.result.assert_outcomes(passed=1)
    recorded.result.stdout.fnmatch_lines(["*1 rerun*"])
    assert ("passed", 2) in recorded.sql("SELECT outcome, attempt FROM run")


@pytest.mark.long
@pytest.mark.parametrize(
    "options",
    [
        (
            *("-k", "test_alone or test_next", "-m", "benchdb or slow", "-x", "--lf"),
            "--deselect=test_suite.py::test_other",
        ),
        ("test_suite.py::test_alone", "test_suite.py::test_next", "-p", "no:cacheprovider"),
        (
            *("-o", "log_file=run.log", "--log-file-level=INFO", "--benchmark-autosave", "--benchmark-json=own.json"),
            *("-k", "not other"),
        ),
    ],
    ids=["filters", "node-ids", "files"],
)
def test_isolated_test_is_run_under_whatever_options_selected_it(record: Record, options: tuple[str, ...]) -> None:
    recorded = record(
        suite("""
    import logging

    @isolate
    def test_alone():
        logging.getLogger().info("from the child")
        assert isolated()

    @pytest.mark.slow
    def test_next(benchmark):
        logging.getLogger().info("from the run")
        benchmark(sum, [])

    def test_other():
        pass
    """),
        "-W",
        "ignore",
        *options,
    )

    assert recorded.outcomes() == {"test_alone": "passed", "test_next": "passed"}
    log = recorded.folder.parent / "run.log"
    if log.exists():
        assert "from the run" in log.read_text()


@pytest.mark.long
def test_isolated_process_leaves_the_files_of_the_run_around_it(record: Record) -> None:
    recorded = record(
        suite("""
    @pytest.fixture(scope="session")
    def kept(tmp_path_factory):
        path = tmp_path_factory.mktemp("kept") / "file"
        path.write_text("here")
        return path

    def test_before(kept):
        assert kept.exists()

    @isolate
    def test_alone(kept):
        pass

    def test_after(kept):
        assert kept.exists()
    """),
        "--basetemp=temporary",
    )

    recorded.result.assert_outcomes(passed=3)


@pytest.mark.long
def test_isolated_output_is_shown_at_once_without_capture(record: Record) -> None:
    recorded = record(
        suite("""
    @isolate
    def test_alone():
        print("seen as it happens")
    """),
        "-s",
    )

    recorded.result.stdout.fnmatch_lines(["*seen as it happens*"])


def test_isolated_marker_has_no_effect_on_a_run_that_does_not_record(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        suite("""
    @isolate
    def test_alone():
        assert not isolated()
    """)
    )

    pytester.runpytest_subprocess().assert_outcomes(passed=1)


@pytest.mark.long
def test_isolated_test_in_a_debugger_stays_in_the_process(record: Record) -> None:
    recorded = record(
        suite("""
    @isolate
    def test_alone():
        assert not isolated()
    """),
        "--pdb",
    )

    recorded.result.assert_outcomes(passed=1)
    assert recorded.one("SELECT extra_info->>'isolated' FROM run") == (None,)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")
def test_run_limited_kills_what_hangs_and_what_that_started(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = (
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    begun_s = time.monotonic()

    status = run_limited([sys.executable, "-c", script], 2.0, cwd=str(tmp_path), env=os.environ)

    assert status is None
    assert time.monotonic() - begun_s < 30
    assert _ends(int(pid_file.read_text()))


def test_run_limited_returns_the_status_of_what_ends(tmp_path: Path) -> None:
    assert run_limited([sys.executable, "-c", "raise SystemExit(5)"], 60, cwd=str(tmp_path), env=os.environ) == 5


def test_messages_that_were_written_whole_are_read_and_a_torn_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "reports"
    write_message(path, {"a": 1})
    write_message(path, {"b": [b"\0\n", (1.5, None, True)]})
    whole = path.read_bytes()
    write_message(path, {"c": "x" * 100})
    path.write_bytes(path.read_bytes()[:-1])

    assert list(read_messages(path)) == [{"a": 1}, {"b": [b"\0\n", (1.5, None, True)]}]
    assert path.read_bytes().startswith(whole)


def test_messages_of_a_process_that_wrote_none_are_none(tmp_path: Path) -> None:
    assert list(read_messages(tmp_path / "reports")) == []


def test_message_values_that_are_no_builtin_ones_are_sent_as_what_they_are_or_say(tmp_path: Path) -> None:
    class Size(enum.IntEnum):
        LARGE = 3

    class Share(float):
        pass

    path = tmp_path / "reports"
    write_message(path, {"path": Path("a/b"), "size": Size.LARGE, "share": Share(0.5), "names": {"x"}})

    (message,) = read_messages(path)
    assert message == {"path": str(Path("a/b")), "size": 3, "share": 0.5, "names": "{'x'}"}
    assert {type(value) for value in message.values()} == {str, int, float}


def _ends(pid: int) -> bool:
    """Tell whether a process ends within ten seconds."""
    end_s = time.monotonic() + 10
    while time.monotonic() < end_s:
        stat = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
        if not stat.stdout.strip() or stat.stdout.strip().startswith("Z"):
            return True
        time.sleep(0.05)
    return False


def test_run_limited_returns_although_a_ctrl_c_left_the_lock_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    class Interrupted(subprocess.Popen[bytes]):
        def wait(self, timeout: float | None = None) -> int:
            if self not in started:
                started.append(self)
                self._waitpid_lock.acquire()  # type: ignore[attr-defined]
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    monkeypatch.setattr(isolate, "_GRACE_S", 0.2)

    with pytest.raises(KeyboardInterrupt):
        run_limited([sys.executable, "-c", "import time; time.sleep(600)"], 60, cwd=str(tmp_path), env=os.environ)

    started[0]._waitpid_lock.release()  # type: ignore[attr-defined]
    assert started[0].wait(60) != 0
