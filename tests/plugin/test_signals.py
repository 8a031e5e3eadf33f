"""Ctrl-C once and twice, SIGTERM, SIGHUP and the way CI services cancel a job: real signals to real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import pytest
from tests.plugin.conftest import UNUSED
from tests.plugin.recorded import FAST

from pytest_benchdb.store.history.session_folder import recover
from pytest_benchdb.store.lock import file_lock

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

PATIENCE_S = 20

WAITS = """
    import signal, time
    from pathlib import Path
    import pytest

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

    @pytest.mark.parametrize("n", range(3))
    def test_fine(benchmark, n):
        benchmark(len, "abc")

    def test_waits(benchmark):
        Path("waiting").touch()
        time.sleep(60)

    def test_never(benchmark):
        benchmark(len, "abc")
"""
FINE = {f"test_fine[{n}]": "passed" for n in range(3)}


@pytest.fixture(autouse=True)
def _folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


@contextmanager
def started(*args: str) -> "Iterator[subprocess.Popen[bytes]]":
    """Start pytest in a process group of its own, and leave none of it behind."""
    command = [sys.executable, "-m", "pytest", *UNUSED, *FAST, "-p", "no:randomly", *(args or ["--benchdb=results"])]
    with Path("output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(path: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not list(Path().glob(path)):
        assert process.poll() is None, Path("output").read_text()
        assert time.monotonic() < deadline, Path("output").read_text()
        time.sleep(0.01)


def signalled(*signals: int, args: Sequence[str] = (), gap_s: float = 0.0) -> int:
    """Send signals to pytest's process group while a test waits; return its exit status."""
    with started(*args) as process:
        wait_for("waiting", process)
        for number in signals:
            if process.poll() is None:
                os.killpg(process.pid, number)
                time.sleep(gap_s)
        return process.wait(PATIENCE_S)


def stored() -> tuple[tuple[object, ...], dict[str, str]]:
    """Return outcome, status and completeness of the only session, and the outcomes of its runs."""
    (file,) = (path for path in Path("results").glob("*.duckdb") if path.name != "history.duckdb")
    with duckdb.connect(str(file), read_only=True) as connection:
        (session,) = connection.execute("SELECT outcome, exit_status, complete FROM session").fetchall()
        runs = connection.execute("SELECT name, outcome FROM run JOIN benchmark USING (benchmark_id)").fetchall()
    outcomes = dict(runs)
    assert len(outcomes) == len(runs)
    return session, outcomes


def recover_soon() -> None:
    """Recover as the next command does, once a process that outlives pytest and stores the session has ended too."""
    deadline = time.monotonic() + PATIENCE_S
    while list(Path("results").glob("*.journal.jsonl")):
        assert time.monotonic() < deadline, Path("output").read_text()
        _, problems = recover(Path("results"))
        assert not problems
        time.sleep(0.01)


def reason_of(name: str) -> str:
    (file,) = Path("results").glob("*.duckdb")
    with duckdb.connect(str(file), read_only=True) as connection:
        query = "SELECT reason FROM run JOIN benchmark USING (benchmark_id) WHERE name = $name"
        ((reason,),) = connection.execute(query, {"name": name}).fetchall()
    return str(reason)


def test_ctrl_c_stores_an_interrupted_session(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=WAITS)

    status = signalled(signal.SIGINT)

    assert status == pytest.ExitCode.INTERRUPTED
    assert stored() == (("interrupted", 2, False), FINE | {"test_waits": "error"})
    assert reason_of("test_waits") == "interrupted"


@pytest.mark.parametrize("gap_s", [0.0, 0.001, 0.01, 0.03, 0.1])
def test_ctrl_c_twice_is_never_a_session_that_passed(pytester: pytest.Pytester, gap_s: float) -> None:
    pytester.makepyfile(test_suite=WAITS)

    signalled(signal.SIGINT, signal.SIGINT, gap_s=gap_s)
    recover_soon()

    (outcome, status, complete), runs = stored()
    assert (outcome, complete) in {("interrupted", False), ("crashed", False)}
    assert status in {2, None}
    assert {name: runs.pop(name) for name in FINE} == FINE
    assert runs in ({"test_waits": "error"}, {"test_waits": "crashed"})


def test_second_ctrl_c_while_pytest_handles_the_first_is_interrupted(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=WAITS)
    pytester.makeconftest(
        """
        import os, signal, time

        def pytest_keyboard_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(30)
        """
    )

    status = signalled(signal.SIGINT)

    assert status in {1, -signal.SIGINT, 130}  # as without recording
    assert stored() == (("interrupted", 2, False), FINE | {"test_waits": "error"})


def test_ctrl_c_between_tests_is_interrupted(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=WAITS)
    pytester.makeconftest(
        """
        def pytest_runtest_logfinish(nodeid):
            if nodeid.endswith("[1]"):
                raise KeyboardInterrupt
        """
    )

    with started() as process:
        status = process.wait(PATIENCE_S)

    assert status == pytest.ExitCode.INTERRUPTED
    assert stored() == (("interrupted", 2, False), {"test_fine[0]": "passed", "test_fine[1]": "passed"})


@pytest.mark.long
@pytest.mark.parametrize("in_teardown", [False, True])
def test_ctrl_c_in_an_isolated_test_is_interrupted(pytester: pytest.Pytester, *, in_teardown: bool) -> None:
    fixture = """
    @pytest.fixture
    def slow():
        yield
        Path("waiting").touch()
        time.sleep(60)

    @pytest.mark.benchdb(isolate=True)
    def test_waits(slow):
        pass
    """
    isolated = WAITS.replace("def test_waits(", "@pytest.mark.benchdb(isolate=True)\n    def test_waits(")
    pytester.makepyfile(test_suite=WAITS.partition("    def test_waits")[0] + fixture if in_teardown else isolated)

    status = signalled(signal.SIGINT)

    assert status == pytest.ExitCode.INTERRUPTED
    assert stored() == (("interrupted", 2, False), FINE | {"test_waits": "error"})
    assert reason_of("test_waits") == "interrupted"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_that_kills_leaves_what_finished_to_recovery(pytester: pytest.Pytester, number: int) -> None:
    pytester.makepyfile(test_suite=WAITS)

    status = signalled(number)
    assert len(list(Path("results").glob("*.journal.jsonl"))) == 1
    recover_soon()

    assert status == -number
    assert stored() == (("crashed", None, False), FINE | {"test_waits": "crashed"})


@pytest.mark.parametrize(
    ("raised", "session", "waits"),
    [
        ("KeyboardInterrupt", ("interrupted", 2, False), {"test_waits": "error"}),
        ("SystemExit(143)", ("failed", 1, True), {"test_waits": "failed", "test_never": "passed"}),
        ("pytest.exit.Exception('stop', 143)", ("interrupted", 143, False), {"test_waits": "error"}),
    ],
)
def test_handler_of_the_suite_for_sigterm_decides_how_the_session_ends(
    pytester: pytest.Pytester, raised: str, session: tuple[object, ...], waits: dict[str, str]
) -> None:
    pytester.makepyfile(test_suite=WAITS)
    pytester.makeconftest(
        f"""
        import signal
        import pytest

        def terminated(number, frame):
            raise {raised}

        signal.signal(signal.SIGTERM, terminated)
        """
    )

    status = signalled(signal.SIGTERM)

    assert status == session[1]
    assert stored() == (session, FINE | waits)


@pytest.mark.parametrize("gap_s", [0.0, 0.05, 0.3])
def test_cancelled_job_keeps_what_finished_once(pytester: pytest.Pytester, gap_s: float) -> None:
    pytester.makepyfile(test_suite=WAITS)

    signalled(signal.SIGINT, signal.SIGTERM, signal.SIGKILL, gap_s=gap_s)
    recover_soon()
    (outcome, _, complete), runs = stored()

    assert (outcome, complete) in {("interrupted", False), ("crashed", False)}
    assert {name: runs.pop(name) for name in FINE} == FINE
    assert runs in ({"test_waits": "error"}, {"test_waits": "crashed"})


QUICK = """
    import signal

    signal.signal(signal.SIGINT, signal.default_int_handler)

    def test_quick(benchmark):
        benchmark(len, "abc")
"""


@contextmanager
def storing(pytester: pytest.Pytester) -> "Iterator[tuple[subprocess.Popen[bytes], Callable[[], None]]]":
    """Start pytest with a locked single file, so that storing the session waits; yield what unlocks the file too."""
    pytester.makepyfile(test_suite=QUICK)
    with ExitStack() as lock:
        lock.enter_context(file_lock(Path("one.duckdb.lock"), timeout_s=0))
        with started("--benchdb=one.duckdb") as process:
            wait_for("one.duckdb.inbox/*.duckdb", process)
            yield process, lock.close


def wait_until_stored() -> None:
    deadline = time.monotonic() + PATIENCE_S
    while Path("one.duckdb.inbox").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with duckdb.connect("one.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT outcome, complete FROM session").fetchall() == [("passed", True)]
        assert connection.execute("SELECT count(*) FROM run").fetchall() == [(1,)]


def test_ctrl_c_while_storing_lets_it_finish(pytester: pytest.Pytester) -> None:
    with storing(pytester) as (process, unlock):
        os.killpg(process.pid, signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        unlock()
        status = process.wait(PATIENCE_S)

    assert status == 0
    assert "1 passed -> one.duckdb" in Path("output").read_text()
    wait_until_stored()


@pytest.mark.long
def test_second_ctrl_c_while_storing_says_where_the_session_is(pytester: pytest.Pytester) -> None:
    with storing(pytester) as (process, _):
        for _ in range(2):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.2)
        status = process.wait(PATIENCE_S)

    output = Path("output").read_text()
    assert status == 0
    assert "Traceback" not in output
    assert "storing the session was interrupted; nothing is lost: " in output
    assert "type: benchdb recover" in output
    subprocess.run([sys.executable, "-m", "pytest_benchdb", "recover", "one.duckdb"], check=True)
    wait_until_stored()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_process_that_stores_the_session_outlives_pytest(pytester: pytest.Pytester, number: int) -> None:
    with storing(pytester) as (process, unlock):
        os.killpg(process.pid, number)
        process.wait(PATIENCE_S)
        unlock()

    wait_until_stored()


PARALLEL = """
    import os, signal, time
    from pathlib import Path
    import pytest

    if "PYTEST_XDIST_WORKER" not in os.environ:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    @pytest.mark.benchdb
    @pytest.mark.parametrize("n", range(3))
    def test_fine(n):
        pass

    @pytest.mark.benchdb
    def test_waits():
        time.sleep(0.5)  # until the report of its setup is with the controller
        Path("pid").write_text(str(os.getpid()))
        Path("waiting").touch()
        time.sleep(60)
"""


@pytest.mark.long
def test_ctrl_c_under_xdist_tells_running_tests_as_interrupted(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    pytester.makepyfile(test_suite=PARALLEL)

    status = signalled(signal.SIGINT, args=("-n2", "--benchdb=results"))

    assert status == pytest.ExitCode.INTERRUPTED
    session, runs = stored()
    assert session == ("interrupted", 2, False)
    assert runs == FINE | {"test_waits": "error"}
    assert reason_of("test_waits") == "interrupted"


def test_killed_worker_costs_only_its_test(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    pytester.makepyfile(test_suite=PARALLEL)

    with started("-n2", "--benchdb=results") as process:
        wait_for("waiting", process)
        os.kill(int(Path("pid").read_text()), signal.SIGKILL)
        status = process.wait(PATIENCE_S)

    assert status == 1
    assert stored() == (("failed", 1, True), FINE | {"test_waits": "crashed"})
