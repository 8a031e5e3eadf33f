"""The gate at the end of a run, and the markers that speak to it: real pytest runs over values that no clock made."""

import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.plugin.conftest import UNUSED
from tests.plugin.recorded import Record, Recorded

from pytest_benchdb.model import exit_status
from pytest_benchdb.model.run import GATE_RULE_KEY
from pytest_benchdb.plugin.ending.gate import judge_run
from pytest_benchdb.store.fold_process import FoldResult
from pytest_benchdb.store.target import Target

SUITE = """
    from pathlib import Path

    import pytest

    FOLDER = Path(__file__).parent

    @pytest.mark.parametrize("name", ["a", "b c::d[1]"])
    def test_loss(bench_cpu, name):
        loss = float((FOLDER / f"{name[0]}.txt").read_text())
        bench_cpu.record("loss", loss, unit="1", better="lower")

    def test_plain():
        pass
"""
LIMIT = "--benchdb-fail-on=loss:5%"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHDB_CONFIRM_PAUSE", "0")


@pytest.fixture
def losses(pytester: pytest.Pytester) -> Callable[..., None]:
    """Return a function that says what the tests will record."""

    def write(a: float = 1.0, b: float = 1.0) -> None:
        (pytester.path / "a.txt").write_text(str(a))
        (pytester.path / "b.txt").write_text(str(b))

    return write


@pytest.fixture
def history(record: Record, losses: Callable[..., None]) -> Recorded:
    """Return the last of five runs."""
    losses()
    for _ in range(5):
        recorded = record(SUITE)
        recorded.result.assert_outcomes(passed=3)
    return recorded


def test_marker_is_recorded_with_the_run(record: Record) -> None:
    recorded = record(
        """
        import pytest

        @pytest.mark.benchdb(max_regression=0.10, gate=False)
        def test_marked(benchmark):
            benchmark.extra_info["mine"] = 1
            benchmark(sum, [1])

        @pytest.mark.benchdb(model="bert")
        def test_labelled(benchmark):
            benchmark(sum, [1])
        """
    )

    recorded.result.assert_outcomes(passed=2)
    rows = recorded.sql(
        f"SELECT name, extra_info->>'$.mine', extra_info->'$.{GATE_RULE_KEY}'->>'max_regression',"
        f" extra_info->'$.{GATE_RULE_KEY}'->>'gate' FROM run JOIN benchmark USING (benchmark_id) ORDER BY name"
    )
    assert rows == [("test_labelled", None, None, None), ("test_marked", "1", "0.1", "false")]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ("gate=1", "(gate=1) is neither True nor False"),
        ("max_regression='10%'", "(max_regression='10%') is not a share"),
    ],
)
def test_marker_that_cannot_be_read_is_reported(record: Record, arguments: str, what: str) -> None:
    recorded = record(
        f"""
        import pytest

        @pytest.mark.benchdb({arguments})
        def test_marked(benchmark):
            benchmark(sum, [1])
        """
    )

    assert what in recorded.text


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ("--benchdb-fail-on=time:five", "--benchdb-fail-on: threshold 'time:five'"),
        ("--benchdb-baseline=window:many", "--benchdb-baseline: "),
        ("--benchdb-confirm=99", "--benchdb-confirm is '99'"),
    ],
)
def test_option_that_cannot_be_read_ends_the_run_before_its_first_test(
    record: Record, losses: Callable[..., None], option: str, what: str
) -> None:
    losses()

    recorded = record(SUITE, LIMIT, option)

    assert what in recorded.text
    assert recorded.result.ret == 4
    assert "Traceback" not in recorded.text


def test_budget_is_judged_in_the_first_run(record: Record, losses: Callable[..., None]) -> None:
    losses(a=9.0)

    recorded = record(SUITE, "--benchdb-fail-on=loss<2")

    assert recorded.result.ret == 1
    recorded.result.stdout.fnmatch_lines(
        [
            "*benchdb gate*",
            "FAILED test_suite.py::test_loss[[]a] - loss: exceeded; baseline -, candidate 9; limit <2",
            "failed: 1 of 2 gated results: test_suite.py::test_loss[[]a] loss 9 (budget <2)",
        ]
    )


@pytest.mark.long
def test_improvement_fails_where_it_is_asked_for(
    history: Recorded, record: Record, losses: Callable[..., None]
) -> None:
    losses(a=0.5)

    assert record(SUITE, LIMIT).result.ret == 0
    recorded = record(SUITE, LIMIT, "--benchdb-alert-improvement")

    assert recorded.result.ret == 1
    recorded.result.stdout.fnmatch_lines(["failed: *accept it with: benchdb accept *"])


def test_first_run_is_not_judged_and_passes(record: Record, losses: Callable[..., None]) -> None:
    losses(a=9.0)

    recorded = record(SUITE, LIMIT)

    assert recorded.result.ret == 0
    recorded.result.stdout.fnmatch_lines(
        ["*benchdb gate*", "nothing was judged: there is no earlier session yet", "*3 passed*"]
    )


def test_run_without_a_gate_has_no_section(record: Record, losses: Callable[..., None]) -> None:
    losses()

    assert "benchdb gate" not in record(SUITE, "--benchdb-confirm=2").text


@pytest.mark.long
def test_regression_that_reruns_repeat_fails_the_run(
    history: Recorded,
    record: Record,
    losses: Callable[..., None],
    pytester: pytest.Pytester,
) -> None:
    losses(b=1.2)

    recorded = record(
        None,
        LIMIT,
        "--junitxml=junit.xml",
        "--benchdb-report=report.json",
        "--benchdb-label=candidate",
    )

    assert recorded.result.ret == 1
    recorded.result.assert_outcomes(passed=3)
    recorded.result.stdout.fnmatch_lines(
        [
            "*benchdb gate*",
            "FAILED test_suite.py::test_loss[[]b c::d[[]1[]][]] - loss: regressed, +20.0 %; *repeated in 2 of 2 re*",
            "failed: 1 of 2 gated results: test_suite.py::test_loss[[]b c::d[[]1[]][]] loss +20.0 % (limit 5 %)",
            "next: benchdb regress --db results --threshold *loss:5%* -v",
            "*3 passed*",
        ]
    )
    assert "Traceback" not in recorded.text
    assert len(recorded.files) == 6
    # The re-runs left the files of this run alone.
    assert len(list(ET.parse(pytester.path / "junit.xml").iter("testcase"))) == 3  # noqa: S314 - written by this test
    assert (pytester.path / "report.json").read_text().count('"run_id"') == 2


@pytest.mark.long
def test_suspect_that_reruns_do_not_repeat_passes(
    history: Recorded, record: Record, losses: Callable[..., None], pytester: pytest.Pytester
) -> None:
    losses()
    # Worse in this run only: whoever reads the value mends it.
    suite = SUITE.replace(
        "def test_plain():\n        pass", "def test_plain():\n        (FOLDER / 'b.txt').write_text('1.0')"
    )
    losses(b=1.2)

    recorded = record(suite, LIMIT, "-p", "no:randomly")

    assert recorded.result.ret == 0
    assert "passed: 1 inconclusive, 1 unchanged" in recorded.text


def test_undecided_suite_fails_the_run_with_the_outcome(
    pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = {"failures": [], "notes": ["warning: a busy machine", "undecided: 90 % of the suite moved alike"]}
    answer = json.dumps({"text": text}).encode()
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], exit_status.UNDECIDED, answer, b"")
    )
    settings: Any = SimpleNamespace(
        fail_on=("time:5%",), baseline="auto", confirm=None, strict=False, alert_improvement=False
    )
    stored = FoldResult(status="stored", path=tmp_path / "a.duckdb")

    report = judge_run(pytestconfig, settings, Target(path=tmp_path, kind="folder"), "id", stored)

    assert report is not None
    assert report.failed
    assert report.failures == ("undecided: 90 % of the suite moved alike",)
    assert report.notes == ("warning: a busy machine",)


@pytest.mark.long
def test_controller_gates_a_run_on_workers(history: Recorded, record: Record, losses: Callable[..., None]) -> None:
    losses(a=1.2)

    recorded = record(None, LIMIT, "-n1", "--benchdb-confirm=1")

    assert recorded.result.ret == 1
    assert recorded.text.count("FAILED test_suite.py::test_loss[[]a[]]".replace("[[]", "[").replace("[]]", "]")) == 1


@pytest.mark.long
@pytest.mark.parametrize(("option", "status"), [([], 0), (["--benchdb-strict"], 1)], ids=["usual", "strict"])
def test_gate_that_cannot_judge_warns_and_fails_only_when_strict(
    record: Record, losses: Callable[..., None], option: list[str], status: int
) -> None:
    losses()

    recorded = record(SUITE, LIMIT, "--benchdb-baseline=branch:none", *option)

    assert recorded.result.ret == status
    assert "benchdb gate: not judged:" in recorded.text
    assert "branch:none" in recorded.text


@pytest.mark.long
def test_project_configures_the_gate(
    history: Recorded, record: Record, losses: Callable[..., None], pytester: pytest.Pytester
) -> None:
    losses(a=1.2)
    configured = '[tool.benchdb]\nfail_on = ["loss:5%"]\nconfirm = 1\n'
    file = pytester.path / "pyproject.toml"
    file.write_text(f'{configured}\n[tool.benchdb.thresholds]\n"*test_loss?a?" = "loss:50%"\n')

    assert record(None).result.ret == 0

    losses(a=1.5)
    file.write_text(configured)

    assert record(None).result.ret == 1


@pytest.mark.long
def test_gate_loads_no_duckdb_into_pytest(
    record: Record, losses: Callable[..., None], pytester: pytest.Pytester
) -> None:
    losses()
    pytester.makeconftest(
        """
        import sys

        def pytest_unconfigure():
            print("loaded:", "duckdb" in sys.modules)
        """
    )

    recorded = record(SUITE, LIMIT)

    assert "loaded: False" in recorded.text


@pytest.mark.parametrize(
    ("limit", "answer"),
    [
        ("tmie:5%", "threshold 'tmie:5%': no metric of this name; did you mean time?"),
        ("mean:5%", "mean is a statistic, and a limit is of a metric; write time:5%"),
        ("min:0.001", "write time:0.001s"),
    ],
)
def test_limit_of_no_metric_is_refused_before_the_first_test(
    pytester: pytest.Pytester, limit: str, answer: str
) -> None:
    pytester.makepyfile(test_suite="def test_a(benchmark):\n    benchmark(len, 'abc')")

    result = pytester.runpytest_subprocess(*UNUSED, f"--benchdb-fail-on={limit}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert answer in str(result.stderr)
    assert "test_a" not in str(result.stdout)
    assert not (pytester.path / ".benchdb").exists()


@pytest.mark.long
def test_metric_of_a_test_that_looks_misspelt_is_a_limit_once_it_was_measured(
    record: Record, pytester: pytest.Pytester
) -> None:
    suite = "def test_a(bench_cpu):\n    bench_cpu.record('call_time', 1.0, unit='s', better='lower')"
    pytester.makepyfile(test_suite=suite)
    refused = pytester.runpytest_subprocess(*UNUSED, "--benchdb=results", "--benchdb-fail-on=call_time:5%")
    record(suite)

    judged = record(suite, "--benchdb-fail-on=call_time:5%")

    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    judged.result.assert_outcomes(passed=1)
    assert judged.result.ret == 0
    assert "learning" in judged.text


def test_limit_of_a_metric_that_no_test_measured_fails_the_run(record: Record) -> None:
    recorded = record("def test_a(benchmark):\n    benchmark(len, 'abc')", "--benchdb-fail-on=loss:5%")

    recorded.result.assert_outcomes(passed=1)
    assert recorded.result.ret == 1
    assert "nothing was judged: threshold 'loss:5%': no metric of this name" in recorded.text


@pytest.mark.parametrize(("option", "status"), [((), 0), (("--benchdb-strict",), 1)], ids=["", "strict"])
def test_limit_of_nothing_is_a_warning_and_fails_a_strict_run(
    record: Record, losses: Callable[..., None], option: tuple[str, ...], status: int
) -> None:
    losses()

    recorded = record(SUITE, LIMIT, "--benchdb-fail-on=energy:5%", *option)

    assert recorded.result.ret == status
    assert "threshold 'energy:5%' limits nothing that was measured in this session" in recorded.text
