"""Completion, asked for as the scripts of the shells do."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]


def offered(out: str) -> list[str]:
    return [line.partition(",")[2] for line in out.splitlines() if line.startswith("plain,")]


@pytest.fixture
def complete(benchdb_process: Call, results: Path) -> Callable[..., list[str]]:
    """Return a function that gives what bash is offered for a line whose end is the cursor."""
    benchdb_process("sessions", "results", cwd=results.parent)

    def call(line: str, **variables: str) -> list[str]:
        ended = benchdb_process(
            cwd=results.parent,
            program=("-c", "from pytest_benchdb.cli.main import main; main()"),
            _BENCHDB_COMPLETE="bash_complete",
            COMP_LINE=line,
            COMP_POINT=str(len(line)),
            BENCHDB_DB="results",
            **variables,
        )
        assert (ended.status, ended.err) == (0, "")
        return offered(ended.out)

    return call


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("benchdb re", ["report", "recover", "regress"]),
        ("benchdb report --col", ["--columns", "--color"]),
        ("benchdb report ni", ["nightly"]),
        ("benchdb report label:", ["nightly"]),
        ("benchdb report --columns median,p9", ["median,p95", "median,p99"]),
        ("benchdb trend --metric wall", ["wall_time"]),
        ("benchdb trend --metric time,wall", ["time,wall_time"]),
        ("benchdb show test_so", ["test_sort[100]", "test_sort[1000]"]),
        ("benchdb show tests/test_json.py::test_d", ["test_dumps"]),
        ("benchdb accept test_d", ["test_dumps"]),
        ("benchdb compare ma", ["main"]),
        ("benchdb -d results note la", ["latest", "latest~1"]),
        ("benchdb report --format=", ["table", "md", "html", "json", "csv"]),
    ],
)
def test_line_is_completed(complete: Callable[..., list[str]], line: str, some: Sequence[str]) -> None:
    answers = complete(line)

    assert set(some) <= set(answers)


def test_words_before_the_last_colon_are_left_to_bash(complete: Callable[..., list[str]]) -> None:
    assert complete("benchdb report label:ni") == ["nightly"]
    assert complete("benchdb show tests/test_json.py::test_dum") == ["test_dumps"]


def test_completion_of_a_database_that_was_never_read_folds_nothing(
    benchdb_process: Call, new_session: Call, tmp_path: Path
) -> None:
    new_session(tmp_path / "fresh", label="nightly")
    before = sorted(tmp_path.rglob("*"))

    ended = benchdb_process(
        cwd=tmp_path,
        program=("-c", "from pytest_benchdb.cli.main import main; main()"),
        _BENCHDB_COMPLETE="bash_complete",
        COMP_LINE="benchdb -d fresh report ni",
        COMP_POINT="26",
    )

    assert (ended.status, offered(ended.out)) == (0, [])
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_sets_up_every_program(benchdb: Call, shell: str) -> None:
    ended = benchdb("completion", shell)

    assert ended.status == 0
    for program in ("BENCHDB", "BENCHDB_REPORT", "BENCHDB_COMPARE", "BENCHDB_REGRESS"):
        assert f"_{program}_COMPLETE={shell}_complete" in ended.out


def test_script_of_an_unknown_shell_is_refused(benchdb: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/csh")

    ended = benchdb("completion")

    assert ended.status == 2
    assert "benchdb completion bash|zsh|fish" in ended.err


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_itself_completes(benchdb_process: Call, results: Path) -> None:
    benchdb_process("sessions", "results", cwd=results.parent)
    bin_folder = Path(sys.executable).parent
    script = f"""
        export PATH={bin_folder}:$PATH BENCHDB_DB=results
        eval "$(benchdb completion bash)"
        COMP_LINE="benchdb report label:ni"; COMP_POINT=${{#COMP_LINE}}
        _benchdb_completion benchdb
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """

    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=results.parent, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("nightly\n", "")
