"""Tracers see no code that is timed, and all the code around it."""

import ast

import pytest
from tests.plugin.recorded import Record

from pytest_benchdb.cli.frame.failure import run
from pytest_benchdb.cli.main import cli

SUITE = """
import pytest

def work():
    return 1  # timed, and called once more for its result

def timed():
    return 1  # only timed

def test_rounds(bench_cpu):
    bench_cpu.options(max_time_s=0.01, warmup_time_s=0, max_warmup_time_s=0)
    bench_cpu(work)
    after = 1

def test_steps(bench_cpu):
    for step in bench_cpu.steps(3):
        with step.phase("a"):
            timed()
    after = 1

def test_phase(bench_cpu):
    with bench_cpu.phase("a"):
        timed()
    with pytest.raises(ZeroDivisionError), bench_cpu.phase("b"):
        1 / 0
    after = 1

def test_cut(bench_cpu):
    for step in bench_cpu.steps(3):
        break

@pytest.mark.benchdb
def test_marked():
    timed()

def test_plain():
    after = 1
"""
CONFTEST = """
import coverage

cov = coverage.Coverage(data_file=None, include="*/test_suite.py", config_file=False)
cov.start()

def pytest_terminal_summary():
    cov.stop()
    print("missed", cov.analysis2("test_suite.py")[3])
"""


@pytest.mark.parametrize("core", ["ctrace", "pytrace"])
def test_coverage_sees_all_but_what_is_timed(
    record: Record, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, core: str
) -> None:
    pytest.importorskip("coverage", reason="coverage is not installed")
    monkeypatch.setenv("COVERAGE_CORE", core)
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    pytester.makeconftest(CONFTEST)

    recorded = record(SUITE, "--benchdb-all")

    assert set(recorded.outcomes().values()) == {"passed"}
    (line,) = [line for line in recorded.result.outlines if line.startswith("missed")]
    lines = ("", *(pytester.path / "test_suite.py").read_text().splitlines())
    missed = {lines[number].strip() for number in ast.literal_eval(line.removeprefix("missed"))}
    body_of_steps, body_of_phases = 'with step.phase("a"):', "1 / 0"
    assert missed == {"return 1  # only timed", body_of_steps, body_of_phases, "timed()", "break"}

    invalid = dict(
        recorded.sql(
            "SELECT name, m.reason FROM measurement m JOIN run USING (run_id)"
            " JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id WHERE metric = 'wall_time' AND NOT m.valid"
        )
    )
    assert invalid["test_plain"] == (
        "coverage traced the test meanwhile; a test with @pytest.mark.benchdb is timed without"
    )
    assert "test_marked" not in invalid


def test_tool_of_sys_monitoring_is_named(record: Record, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        from pytest_benchdb.measure.timing import tracers

        class Monitoring:
            get_tool = staticmethod({2: "coverage.py"}.get)
            get_events = staticmethod(lambda tool: 1)
            set_events = staticmethod(lambda tool, events: None)

        tracers._monitoring = Monitoring
        """
    )
    recorded = record("def test_a(benchmark):\n    benchmark(len, 'abc')")

    assert recorded.one("SELECT details ->> 'traced_by' FROM measurement WHERE metric = 'wall_time'") == (
        "coverage.py",
    )
    recorded.result.stdout.fnmatch_lines(
        ["benchdb: coverage.py observed this session and is in its times, at least in those of phases, *"]
    )


@pytest.mark.long
def test_tracer_is_kept_with_the_session_and_named_as_off(record: Record, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import sys\n\ndef trace(*_): ...\n\nsys.settrace(trace)")

    recorded = record("def test_a(bench_cpu):\n    bench_cpu(len, 'abc')")

    assert recorded.one("SELECT details ->> '$.suite.traced_by' FROM environment") == ("conftest",)
    recorded.result.stdout.fnmatch_lines(["conftest was off while code was timed"])
    recorded.result.stdout.no_fnmatch_line("benchdb: * observed this session*")


@pytest.mark.long
def test_comparison_with_an_observed_session_says_so(
    record: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = "def test_a(benchmark):\n    benchmark(len, 'abc')"
    plain = record(suite)
    monkeypatch.setenv("PYTHONTRACEMALLOC", "1")

    observed = record(suite)

    assert "observed this session" not in plain.text
    observed.result.stdout.fnmatch_lines(["benchdb: tracemalloc observed this session and is in its times, *"])
    with pytest.raises(SystemExit):
        run(cli, "benchdb", ["compare", "latest~1", "latest", "--db", str(plain.folder)])
    assert "nothing observed the baseline, and tracemalloc the candidate" in " ".join(capsys.readouterr().out.split())
