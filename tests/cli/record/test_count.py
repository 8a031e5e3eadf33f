import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.measure.counting.dump import read_dump
from pytest_benchdb.operations.count import wrap
from pytest_benchdb.operations.exchange.open import open_source

Benchdb = Callable[..., Any]
under_valgrind = pytest.mark.skipif(
    wrap.callgrind_problem() is not None, reason=f"{wrap.callgrind_problem()}: nothing counts"
)

SUITE = """
import os, random, time
import pytest

def work(times):
    return sum(i * i for i in range(times))

def test_plain(benchmark):
    assert benchmark(work, 2000) == 2664667000

def test_more(benchmark):
    benchmark(work, 2040)

def test_pedantic(benchmark):
    seen = []
    benchmark.pedantic(
        lambda values: values.sort(), setup=lambda: ((list(range(500, 0, -1)),), {}), teardown=seen.append, rounds=2
    )
    assert all(values == sorted(values) for values in seen)

def test_bench(bench_cpu):
    with bench_cpu.phase("half"):
        bench_cpu(work, 1000)
    with bench_cpu.phase("waits"):
        time.sleep(0.001)
    bench_cpu.record("accuracy", 0.5, unit="1", better="higher")

@pytest.mark.benchdb
def test_marked():
    work(3000)

def test_waits(benchmark):
    benchmark(time.sleep, 0.001)

def test_random(benchmark):
    benchmark(lambda: work(random.randrange(100, 4000)))

def test_forks(benchmark):
    def fork():
        work(500)
        if (child := os.fork()) == 0:
            work(5000)
            os._exit(0)
        os.waitpid(child, 0)
    benchmark(fork)

def test_fails(benchmark):
    benchmark(work, 10)
    assert False
"""
PLUGINS = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_ADDOPTS": "-p pytest_benchdb.plugin -p pytest_benchmark.plugin -p no:cacheprovider",
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_suite.py").write_text(SUITE, encoding="utf-8")
    return folder


def counted(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `benchdb count` on the suite in a folder; a loaded machine needs minutes for it."""
    return subprocess.run(
        [sys.executable, "-m", "pytest_benchdb", "count", "--db", "db", *arguments, "--", "pytest"],
        cwd=folder,
        env={**os.environ, **PLUGINS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def measured(folder: Path) -> dict[tuple[str, str | None, str], dict[str, Any]]:
    """Return the measurements of the newest session by test, phase and metric."""
    with open_source([folder / "db"]) as reader:
        session = reader.sessions()[-1].session_id
        names = {run["run_id"]: run["name"] for run in reader.runs([session])}
        return {
            (names[row["run_id"]], row["phase"], row["metric"]): {**row, "details": json.loads(row["details"] or "{}")}
            for row in reader.measurements([session])
        }


@under_valgrind
@pytest.mark.long
def test_a_suite_is_counted_and_not_timed(suite: Path) -> None:
    ended = counted(suite, "-f", "json")

    assert ended.returncode == 0, ended.stderr
    rows = {(row["benchmark"].rpartition("::")[2], row["phase"]): row for row in json.loads(ended.stdout)["rows"]}
    plain, more = rows["test_plain", None], rows["test_more", None]
    assert plain["judged"]
    assert plain["spread"] < 0.01
    assert plain["cpu_share"] > 0.9
    assert 0.015 < more["value"] / plain["value"] - 1 < 0.025  # 40 more iterations of 2,000
    assert rows["test_bench", "half"]["judged"]
    assert rows["test_marked", None]["value"] > 1.3 * plain["value"]
    assert rows["test_pedantic", None]["judged"]
    assert {name for name, _ in rows if not rows[name, _]["judged"]} == {
        "test_waits",
        "test_random",
        "test_forks",
        "test_fails",
    }
    assert "computes for" in rows["test_waits", None]["reason"]
    assert "give its random data a seed" in rows["test_random", None]["reason"]
    assert "starts other processes" in rows["test_forks", None]["reason"]
    found = measured(suite)
    assert found["test_plain", None, "instructions"]["method"].startswith("callgrind 3.")
    assert found["test_plain", None, "instructions"]["details"]["cpu_features"]
    assert found["test_bench", None, "accuracy"]["value"] == 0.5
    for (name, _phase, metric), row in found.items():
        if row["unit"] in {"s", "B"}:
            assert (row["value"], row["median"]) == (None, None), (name, metric)
            assert row["reason"], (name, metric)


@under_valgrind
@pytest.mark.long
def test_counts_and_times_are_not_compared(suite: Path, benchdb_process: Benchdb) -> None:
    chosen = ("-k", "plain")
    first = counted(suite, *chosen)
    second = counted(suite, "--cache", *chosen)
    command = [sys.executable, "-m", "pytest", "--benchdb=db", "--benchmark-max-time=0.01", *chosen]
    subprocess.run(command, cwd=suite, env={**os.environ, **PLUGINS}, check=True, capture_output=True)

    with open_source([suite / "db"]) as reader:
        prints = [session.fingerprint for session in reader.sessions()]
    alike = benchdb_process("compare", "latest~2", "latest~1", "--metric", "instructions", "--db", "db", cwd=suite)
    mixed = benchdb_process("regress", "latest", "--db", "db", cwd=suite)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert prints[0] == prints[1] != prints[2]
    assert "unchanged" in alike.out
    assert "there is no earlier session of this machine" in mixed.out + mixed.err
    assert "l1_misses" in second.stdout
    assert "ll_misses" in second.stdout


@under_valgrind
@pytest.mark.long
def test_ctrl_c_keeps_what_was_counted_and_leaves_no_valgrind(suite: Path) -> None:
    (suite / "test_suite.py").write_text(
        "import pathlib, time\n"
        "def test_counted(benchmark):\n    benchmark(sum, range(100))\n"
        "def test_endless(benchmark):\n"
        "    pathlib.Path('here').touch()\n"
        "    benchmark(lambda: [time.sleep(0.01) for _ in range(100000)])\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_benchdb", "count", "--db", "db", "--", "pytest"],
        cwd=suite,
        env={**os.environ, **PLUGINS},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    while not (suite / "here").exists() and process.poll() is None:
        time.sleep(0.05)

    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    output, _ = process.communicate(timeout=600)

    assert process.returncode == 130, output
    found = measured(suite)
    assert found["test_counted", None, "instructions"]["median"] > 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@under_valgrind
@pytest.mark.long
def test_a_wrapped_command_dumps_functions(tmp_path: Path) -> None:
    wrapped = wrap.wrap_counting([sys.executable], dict(os.environ), dumps=tmp_path, method="callgrind")
    script = (
        "from pathlib import Path; import json, sys\n"
        "from pytest_benchdb.measure.counting.callgrind import find_callgrind\n"
        "import os\n"
        "callgrind = find_callgrind(Path(sys.argv[1].replace('%p', str(os.getpid()))))\n"
        "with callgrind.instrumented():\n"
        "    json.dumps(list(range(2000)))\n"
        "    print(callgrind.dump())\n"
    )
    out = json.loads(wrapped.environ[wrap.VARIABLE])["out"]

    done = subprocess.run(
        [*wrapped.command, "-c", script, out], env=wrapped.environ, capture_output=True, text=True, check=True
    )

    dump = read_dump(Path(done.stdout.strip()))
    assert dump.totals["Ir"] == sum(function.cost["Ir"] for function in dump.functions) > 100_000
    assert any("encoder" in function.function for function in dump.functions)


def test_without_a_suite_it_says_what_to_type(benchdb_process: Benchdb, tmp_path: Path) -> None:
    ended = benchdb_process("count", cwd=tmp_path)

    assert ended.status == 2
    assert "say what to run after --, for example: benchdb count -- pytest tests/bench" in ended.err


def test_without_valgrind_it_says_what_to_install(benchdb_process: Benchdb, tmp_path: Path) -> None:
    ended = benchdb_process("count", "--method", "callgrind", "--", "pytest", cwd=tmp_path, PATH=str(tmp_path))

    assert ended.status == 2
    lines = [line for line in ended.err.splitlines() if "counting:" not in line]
    assert len(lines) == 1
    assert "install" in lines[0] or "benchdb duet" in lines[0]


@under_valgrind
@pytest.mark.long
def test_a_program_that_does_not_run_pytest_is_an_error(benchdb_process: Benchdb, tmp_path: Path) -> None:
    ended = benchdb_process("count", "--", shutil.which("true") or "true", "-m", "pytest", cwd=tmp_path)

    assert ended.status == 2
    assert "recorded nothing" in ended.err
