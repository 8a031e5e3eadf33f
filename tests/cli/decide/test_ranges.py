"""Git refs and ranges on the command line, in a real checkout."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import Checkout, new_checkout

from pytest_benchdb.model.environment import Commit

Call = Callable[..., Any]
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def checkout(tmp_path: Path, new_session: Call, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """Make a checkout of main, a b, with a session of each in its .benchdb."""
    made = new_checkout(tmp_path)
    made.commit("a", "b")
    for number, letter in enumerate("ab"):
        commit = Commit(sha=made.commits[letter], branch="main", dirty=False)
        new_session(made.root / ".benchdb", at=number, commit=commit, label=letter)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def benchdb_here(benchdb: Call, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(checkout.root)
    return benchdb


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "HEAD~1", "HEAD"],
        ["compare", "HEAD~1..HEAD"],
        ["compare", "HEAD~1.."],
        ["compare", "a..b"],
        ["regress", "HEAD", "--baseline", "HEAD~1", "--confirm", "0"],
        ["regress", "HEAD~1..HEAD", "--confirm", "0"],
    ],
    ids=" ".join,
)
def test_refs_name_the_sides(benchdb_here: Call, checkout: Checkout, arguments: list[str]) -> None:
    ended = benchdb_here(*arguments)

    assert ended.status == 0, ended.err
    baseline, candidate = (line for line in ended.out.splitlines() if line.startswith(("baseline", "candidate")))
    assert checkout.commits["a"][:7] in baseline
    assert checkout.commits["b"][:7] in candidate


@pytest.mark.parametrize("command", ["report", "trend", "noise", "show"])
def test_ref_names_a_session_of_every_reading_command(benchdb_here: Call, command: str) -> None:
    assert benchdb_here(command, "HEAD~1").status == 0
    assert benchdb_here(command, "HEAD~1..HEAD").status == 0
    assert "has no session" not in benchdb_here(command, "HEAD~9").err
    assert benchdb_here(command, "HEAD~9").status == 2


def test_range_beside_a_baseline_is_refused(benchdb_here: Call) -> None:
    ended = benchdb_here("regress", "a..b", "--baseline", "a")

    assert ended.status == 2
    assert "a..b names a baseline, and so does --baseline a" in ended.err


def test_ref_names_a_session_of_every_writing_command(benchdb_here: Call) -> None:
    assert "session" in benchdb_here("note", "HEAD~1", "slow disk").err
    assert "baseline old is" in benchdb_here("baseline", "set", "old", "HEAD~1").err
    assert benchdb_here("accept", "*", "--reason", "known", "--since", "HEAD").status == 0
