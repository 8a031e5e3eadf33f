"""Sessions outside pytest: what a script records, and what it is refused."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import pytest_benchdb
from pytest_benchdb.errors import BackendUnavailableError, ConfigError, MeasurementError
from pytest_benchdb.scripts.bench import ScriptBench
from pytest_benchdb.scripts.session import ScriptSession

UNCLOSED = "phase 'never' was never closed; write `with bench.phase(...):` around its code"
QUICK: dict[str, Any] = {"max_time_s": 0.005, "warmup_time_s": 0, "min_rounds": 3}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def empty(folder: Path) -> Iterator[ScriptSession]:
    """Yield a session that records nothing."""
    with pytest_benchdb.session("results", summary=False) as opened:
        yield opened
    assert list(folder.iterdir()) == []


def ask(session: ScriptSession, query: str) -> list[tuple[Any, ...]]:
    assert session.path is not None
    with duckdb.connect(str(session.path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def fail_after(result: int) -> None:
    raise OSError(f"in the block, after {result}")


def measure_everything(session: ScriptSession) -> None:
    def raising() -> None:
        raise ValueError("broken")

    assert session.bench("sum").options(**QUICK)(sum, [1, 2]) == 3
    with session.bench("sort", params={"size": 3, "precision": "fp32"}, model="m", batch_size=2, group="g") as bench:
        bench.options(**QUICK)(sorted, [3, 1, 2], items=3)
        bench.record("loss", 0.5, unit="1")
        bench.extra_info["why"] = "because"
    sweep = session.bench("sweep").options(**QUICK)
    for point in sweep.sweep(n=[1, 2]):
        with point:
            sweep(sum, range(point.n))
    with pytest.raises(ValueError, match="broken"):
        session.bench("raises")(raising)
    with pytest.raises(OSError, match="in the block"), session.bench("block") as bench:
        fail_after(bench.options(**QUICK)(sum, [1]))
    with pytest.raises(BackendUnavailableError):
        session.bench("missing", backend="sim:77")
    session.bench("unclosed").phase("never").__enter__()
    session.bench("sum").options(**QUICK)(sum, [1, 2])


def test_script_session_records_as_pytest_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tags = {"machine": "lab", "run": 3}
    with pytest_benchdb.session("results", label="first", tags=tags, note="n", project="p", file="bench.py") as session:
        measure_everything(session)

    assert [path.name for path in (folder / "results").glob("*.duckdb")] == [session.path and session.path.name]
    assert ask(session, "SELECT kind, label, tags, note, project, outcome, exit_status, complete FROM session") == [
        ("api", "first", {"machine": "lab", "run": "3"}, "n", "p", "failed", None, True)
    ]
    runs = ask(
        session,
        "SELECT fullname, attempt, outcome, reason FROM run JOIN benchmark USING (benchmark_id)",
    )
    assert sorted(runs) == [
        ("bench.py::block", 1, "failed", "OSError: in the block, after 1"),
        ("bench.py::missing", 1, "unsupported", "sim:77: sim has 1 device here"),
        ("bench.py::raises", 1, "failed", "ValueError: broken"),
        ("bench.py::sort[3-fp32]", 1, "passed", None),
        ("bench.py::sum", 1, "passed", None),
        ("bench.py::sum", 2, "passed", None),
        ("bench.py::sweep[1]", 1, "passed", None),
        ("bench.py::sweep[2]", 1, "passed", None),
        ("bench.py::unclosed", 1, "failed", f"MeasurementError: unclosed: {UNCLOSED}"),
    ]
    assert ask(
        session,
        "SELECT model, batch_size, precision, group_name, median_s > 0, throughput IS NOT NULL, backend FROM report"
        " WHERE name LIKE 'sort%'",
    ) == [("m", 2, "fp32", "g", True, True, "cpu")]
    assert ask(
        session, "SELECT value, extra_info ->> 'why' FROM measurement JOIN run USING (run_id) WHERE metric = 'loss'"
    ) == [(0.5, "because")]
    printed = capsys.readouterr().out
    assert "sum (attempt 2)" in printed
    assert "sum was measured 2 times, and the last counts" in printed
    assert "next: benchdb-report results" in printed


def test_script_session_that_raises_is_stored_with_its_outcome(folder: Path) -> None:
    session = pytest_benchdb.session("one.duckdb", summary=False)

    def run() -> None:
        with session:
            for step in session.bench("loop").steps(5):
                if step.index == 3:
                    raise RuntimeError("in step 3")

    with pytest.raises(RuntimeError, match="in step 3"):
        run()

    assert session.path == folder / "one.duckdb"
    assert ask(
        session, "SELECT s.outcome, complete, r.outcome, r.reason FROM session s JOIN run r USING (session_id)"
    ) == [("error", False, "failed", "RuntimeError: in step 3")]


def test_script_session_without_a_with_block_is_closed_by_hand(folder: Path) -> None:
    session = pytest_benchdb.session("results", summary=False, keep_rounds=False)

    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    async def cell() -> int:  # a notebook's own event loop runs while its cells do
        result: int = session.bench("awaited").options(**QUICK)(answer)
        return result

    assert asyncio.run(cell()) == 42
    session.close()
    session.close()

    assert ask(session, "SELECT name, outcome FROM run JOIN benchmark USING (benchmark_id)") == [("awaited", "passed")]
    with pytest.raises(ConfigError, match="this session is closed"):
        session.bench("more")


def test_script_session_that_records_nothing_leaves_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest_benchdb.session("results") as session:
        pass

    assert session.path is None
    assert list(folder.iterdir()) == []
    assert capsys.readouterr().out == "benchdb: no benchmark ran, so nothing was recorded\n"


def test_value_that_cannot_be_stored_costs_itself_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest_benchdb.session("results", summary=False) as session:
        bench = session.bench("sum")
        bench.pedantic(sum, ([1],), rounds=2)
        bench.result_count = "many"  # type: ignore[assignment]
        bench.extra_info = [float("nan")]  # type: ignore[assignment]

    assert ask(session, "SELECT outcome, result_count, extra_info::VARCHAR FROM run") == [
        ("passed", None, '{"extra_info":["NaN"]}')
    ]
    assert capsys.readouterr().err == "benchdb: sum: result_count is not stored: 'many' is not a whole number\n"


def test_second_session_is_refused(empty: ScriptSession) -> None:
    with pytest.raises(ConfigError, match=r"results is open already, and sessions do not nest"):
        pytest_benchdb.session("other").bench("sum")

    assert empty.session_id is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": " "}, "give the name of the benchmark"),
        ({"name": "a", "backend": "abacus"}, "backend 'abacus' is unknown"),
        ({"name": "a", "size": 3}, r"bench has no argument 'size'.*goes into params"),
        ({"name": "a", "batch_size": "3"}, "not a whole number"),
        ({"name": "a", "isolate": True}, "'isolate', which is for tests"),
    ],
)
def test_benchmark_that_makes_no_sense_is_refused(folder: Path, arguments: dict[str, Any], message: str) -> None:
    with (
        pytest_benchdb.session("results", summary=False) as session,
        pytest.raises(ConfigError, match=message),
    ):
        session.bench(**arguments)


def test_value_that_cannot_be_stored_costs_only_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest_benchdb.session("results", summary=False, passes="energy", grid_gco2_per_kwh=360) as session:
        bench = session.bench("power", backend="sim")
        bench.options(rounds=3, warmup_rounds=0)(lambda: bench.device.work(2.0, watts=500))  # type: ignore[attr-defined]
        bench.result_count = "many"  # type: ignore[assignment]

    assert ask(session, "SELECT outcome, result_count FROM run") == [("passed", None)]
    assert ask(session, "SELECT value, provenance FROM measurement WHERE metric = 'co2'") == [
        (pytest.approx(1e-4, rel=0.05), "simulated")
    ]
    assert "power: result_count is not stored" in capsys.readouterr().err


def test_labels_do_not_tell_benchmarks_apart(folder: Path) -> None:
    with pytest_benchdb.session("results", summary=False) as session:
        session.bench("infer", batch_size=1)
        with pytest.raises(ConfigError, match="measured with other labels"):
            session.bench("infer", batch_size=8)


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("results", {"passes": ["speed"]}, r"passes=...\): 'speed' is unknown"),
        ("results", {"grid_gco2_per_kwh": -1}, r"grid_gco2_per_kwh=...\) is -1; give the grams"),
        ("bench.py", {}, r"session\('bench.py'\): bench.py is a test"),
    ],
)
def test_session_that_makes_no_sense_is_refused(folder: Path, path: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        pytest_benchdb.session(path, **options)


def test_bench_of_a_script_measures_one_thing(folder: Path) -> None:
    with pytest_benchdb.session("results", summary=False) as session:
        bench = session.bench("sum").options(**QUICK)
        bench(sum, [1])
        with pytest.raises(MeasurementError, match="timed a function before"):
            bench(sum, [1])

    assert isinstance(bench, ScriptBench)
    assert ask(session, "SELECT outcome FROM run") == [("failed",)]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_script_that_is_killed_leaves_its_journal(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, pytest_benchdb\n"
        "assert 'pytest' not in sys.modules\n"
        "s = pytest_benchdb.session('results')\n"
        f"s.bench('sum').options(**{QUICK!r})(sum, [1])\n"
        "s.bench('dies')\n"
        "assert not {'duckdb', 'numpy', 'torch'} & set(sys.modules)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "bench.py").write_text(program)

    done = subprocess.run([sys.executable, "bench.py"], cwd=tmp_path, env=dict(os.environ), check=False)

    assert done.returncode == -signal.SIGKILL
    (journal,) = (tmp_path / "results").glob("*.journal.jsonl")
    begun = [line for line in journal.read_text().splitlines() if '"k":"begin"' in line]
    assert [json.loads(line)["fullname"] for line in begun] == ["bench.py::sum", "bench.py::dies"]


def test_device_is_current_from_its_bench_to_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    @contextlib.contextmanager
    def current_device(opened: Any) -> Iterator[None]:
        events.append(f"{opened.device.backend} is current")
        yield
        events.append(f"{opened.device.backend} was current")

    monkeypatch.setattr("pytest_benchdb.scripts.session.current_device", current_device)
    with pytest_benchdb.session(folder / "results", summary=False) as session:
        session.bench("first").options(**QUICK)(sum, [1])
        session.bench("second", backend="sim")
        events.append("end")

    assert events == ["cpu is current", "cpu was current", "sim is current", "end", "sim was current"]
