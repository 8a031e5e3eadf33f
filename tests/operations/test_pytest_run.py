"""How the suite is called again, and where its names begin; real processes are run by tests/plugin/test_gate.py."""

import re
import sys
from pathlib import Path

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations import pytest_run as rerun
from pytest_benchdb.operations.pytest_run import ProcessRunner, Suite, find_root, own_suite, parse_suite
from pytest_benchdb.plugin.options import RERUN_VARIABLE
from pytest_benchdb.store.own_commands import OwnCommand


@pytest.mark.parametrize(
    ("words", "arguments", "own"),
    [
        (["pytest", "-q", "tests"], ("-q", "tests"), True),
        (["-q"], ("-q",), True),
        ([], (), True),
        (["python3", "-m", "pytest", "-x"], ("-x",), False),
        ([".venv/bin/pytest", "-x"], ("-x",), False),
        (["tests/test_a.py"], ("tests/test_a.py",), True),
    ],
    ids=["pytest", "options", "nothing", "module", "path", "file"],
)
def test_parse_suite_has_a_program_and_arguments(words: list[str], arguments: tuple[str, ...], own: bool) -> None:
    suite = parse_suite(words, Path())

    assert suite.arguments == arguments
    assert (suite.program[0] == sys.executable) is own


def own(command: str, folder: Path) -> OwnCommand:
    return OwnCommand(session_id="1", command=command, folder=str(folder.resolve()))


def test_own_suite_is_split_as_a_shell_does(tmp_path: Path) -> None:
    suite = own_suite(own("pytest -k 'sort and not slow' --benchdb=results", tmp_path), tmp_path)

    assert suite.arguments == ("-k", "sort and not slow", "--benchdb=results")
    assert suite.folder == tmp_path


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (None, "you did not record the session on this machine"),
        ("pytest --token '***'", "secrets were masked"),
        ("python -c x", "does not call pytest"),
    ],
)
def test_own_suite_that_cannot_be_run_again_gives_advice(tmp_path: Path, command: str | None, what: str) -> None:
    with pytest.raises(ConfigError, match=what) as refused:
        own_suite(None if command is None else own(command, tmp_path), tmp_path)

    assert "-- pytest ARGS" in str(refused.value)


def test_own_suite_of_another_folder_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"recorded in {re.escape(str(tmp_path))}; run it there"):
        own_suite(own("pytest", tmp_path), tmp_path / "elsewhere")


def test_root_is_the_working_copy_where_it_has_the_files(tmp_path: Path) -> None:
    inner = tmp_path / "package"
    (inner / "tests").mkdir(parents=True)
    (inner / "tests" / "test_a.py").touch()
    (tmp_path / ".git").mkdir()

    assert find_root(inner, ["package/tests/test_a.py::test_x[a/b::c]"]) == tmp_path
    assert find_root(inner, ["tests/test_a.py::test_x"]) == inner
    assert find_root(inner / "tests", ["tests/test_a.py::test_x"]) == inner
    assert find_root(inner, ["tests/test_b.py::test_x"]) is None


def test_runner_names_the_missing_file(tmp_path: Path) -> None:
    runner = ProcessRunner(parse_suite([], tmp_path), {})

    assert runner(["tests/test_b.py::test_x"]).problem == f"there is no tests/test_b.py in or above {tmp_path}"


def test_runner_reports_a_program_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").touch()
    suite = Suite(program=(str(tmp_path / "no-pytest"),), arguments=(), folder=tmp_path)

    problem = ProcessRunner(suite, {})(["test_a.py::test_x"]).problem

    assert problem is not None
    assert problem.startswith(f"cannot start {tmp_path / 'no-pytest'}")


@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("print('ERROR: no such option'); raise SystemExit(4)", "exit status 4: ERROR: no such option"),
        ("print('collected'); raise SystemExit(0)", "it recorded nothing: collected"),
        ("raise SystemExit(1)", "it recorded nothing"),
    ],
    ids=["usage", "silent", "failed"],
)
def test_runner_of_a_process_that_records_nothing_reports_its_last_line(
    tmp_path: Path, program: str, what: str
) -> None:
    (tmp_path / "test_a.py").touch()
    suite = Suite(program=(sys.executable, "-c", program), arguments=(), folder=tmp_path)

    problem = ProcessRunner(suite, {})(["test_a.py::test_x"]).problem

    assert problem is not None
    assert problem.endswith(what)


@pytest.mark.parametrize(("environ", "pause_s"), [({}, 60.0), ({"BENCHDB_CONFIRM_PAUSE": "2.5"}, 2.5)])
def test_runner_pauses_between_its_runs_and_not_before_the_first(
    tmp_path: Path, environ: dict[str, str], pause_s: float
) -> None:
    slept: list[float] = []
    runner = ProcessRunner(parse_suite([], tmp_path), environ, sleep=slept.append)

    pauses = []
    for _ in range(3):
        runner(["test_a.py::test_x"])
        pauses.append(list(slept))

    assert pauses == [[], [pause_s], [pause_s] * 2]


@pytest.mark.parametrize("text", ["soon", "-1", "inf", "nan"])
def test_runner_refuses_an_invalid_pause(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=f"BENCHDB_CONFIRM_PAUSE='{text}'"):
        ProcessRunner(parse_suite([], tmp_path), {"BENCHDB_CONFIRM_PAUSE": text})


def test_both_sides_of_a_rerun_mean_the_same_variable() -> None:
    assert rerun.VARIABLE == RERUN_VARIABLE
