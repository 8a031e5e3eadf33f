import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.comparison_rows import make_row

from pytest_benchdb.cli.decide import duet as command
from pytest_benchdb.cli.decide.duet_run import read_duet
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison, Side

HERE = (sys.executable, "-m", "pytest")


def params(**options: Any) -> dict[str, Any]:
    return {"base": None, "head": None, "pairs": 5, **options}


def test_one_commit_is_compared_with_the_working_tree() -> None:
    duet = read_duet(params(base="main"), ["pytest", "tests", "-k", "x"])

    assert (duet.base.commit, duet.head.commit) == ("main", None)
    assert duet.base.program == duet.head.program == HERE
    assert duet.arguments == ("tests", "-k", "x")


@pytest.mark.parametrize(
    ("words", "program"),
    [
        (["python", "-m", "pytest", "tests"], ("python", "-m", "pytest")),
        (["uv", "run", "pytest", "tests"], ("uv", "run", "pytest")),
        (["/env/bin/pytest", "tests"], ("/env/bin/pytest",)),
    ],
    ids=["python", "uv", "path"],
)
def test_a_given_program_runs_pytest(words: list[str], program: tuple[str, ...]) -> None:
    duet = read_duet(params(base="main"), words)

    assert duet.head.program == program
    assert duet.arguments == ("tests",)


def test_two_pythons_run_and_name_their_sides() -> None:
    duet = read_duet(params(base_python="/a/python", head_python="/b/python"), ["pytest"])

    assert (duet.base.commit, duet.head.commit) == (None, None)
    assert (duet.base.program, duet.head.program) == (("/a/python", "-m", "pytest"), ("/b/python", "-m", "pytest"))
    assert (duet.base.name, duet.head.name) == ("/a/python", "/b/python")


def test_a_python_with_a_relative_path_is_made_absolute() -> None:
    duet = read_duet(params(base_python="elsewhere/bin/python"), ["pytest"])

    assert duet.base.program[0] == str(Path.cwd() / "elsewhere" / "bin" / "python")


def test_a_python_without_a_folder_is_looked_up_on_the_path() -> None:
    assert read_duet(params(base_python="python3.12"), ["pytest"]).base.program[0] == "python3.12"


def test_two_commands_replace_pytest() -> None:
    duet = read_duet(
        params(base_command="uv run -p 3.12 pytest", head_command="tox exec -- pytest"), ["pytest", "tests"]
    )

    assert duet.base.program == ("uv", "run", "-p", "3.12", "pytest")
    assert duet.head.program == ("tox", "exec", "--", "pytest")


@pytest.mark.parametrize(
    ("options", "words", "message"),
    [
        ({"base": "main"}, None, "say what to run after --"),
        ({"base": "main"}, [], "say what to run after --"),
        ({"base": "main"}, ["tests/bench"], "does not run pytest; write: -- pytest tests/bench"),
        ({}, ["pytest"], "both sides are the same"),
        ({"base_python": "a", "base_command": "b"}, ["pytest"], "give one of them"),
        ({"base_python": "a"}, ["python", "-m", "pytest"], "write pytest here"),
        ({"base_command": "it's"}, ["pytest"], "No closing quotation"),
        ({"base_command": " "}, ["pytest"], "is empty"),
    ],
    ids=["no-words", "empty-words", "no-pytest", "same-sides", "twice", "replaced-twice", "quotation", "blank"],
)
def test_what_cannot_be_run_is_refused(options: dict[str, Any], words: list[str] | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_duet(params(**options), words)


@pytest.mark.parametrize(
    ("verdict", "options", "status"),
    [
        ("regressed", ["--gate"], 1),
        ("error", ["--gate"], 1),
        ("regressed", [], 0),
        ("unchanged", ["--gate"], 0),
        ("improved", ["--gate"], 0),
        ("inconclusive", ["--gate"], 0),
    ],
)
def test_duet_ends_with_one_only_if_it_is_a_gate_that_failed(
    verdict: str, options: list[str], status: int, benchdb: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    side = Side(name="main", sessions=())
    comparison = Comparison(baseline=side, candidate=side, rows=(make_row(verdict=verdict),))
    monkeypatch.setattr(command, "run_and_compare", lambda *_, **__: comparison)

    assert benchdb("duet", "main", *options, "--", "pytest").status == status
