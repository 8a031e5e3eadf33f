"""`benchdb regress --confirm-by`: both commits of a real repository run in turn, and what keeps them from it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.cli.frame.failure import run
from pytest_benchdb.cli.main import cli
from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.model.environment import Commit
from pytest_benchdb.operations.gate import side_by_side, ways

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

TEST = """
from shop import total

def test_total(bench_cpu):
    bench_cpu.pedantic(total, args=(2000,), rounds=5)

def test_sorted(bench_cpu):
    bench_cpu.pedantic(sorted, args=([3, 1, 2],), rounds=5, iterations=50)
"""
TOTAL, SORTED = (f"tests/test_shop.py::test_{name}" for name in ("total", "sorted"))
LATER = "\ndef test_later(bench_cpu):\n    bench_cpu.pedantic(sorted, args=([3, 1, 2],), rounds=5)\n"
JITTER = (1.0, 1.004, 0.997, 1.002, 0.999, 1.003)


@dataclass
class Ended:
    status: int
    out: str
    err: str

    @property
    def rows(self) -> dict[str, Any]:
        return {row["benchmark"]: row for row in json.loads(self.out)["rows"]}


@dataclass
class Shop:
    """A repository whose second commit made `total` slower, and a history in which both benchmarks look slower."""

    root: Path
    call: Callable[..., Ended]
    commits: list[str]

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, file: str, text: str) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self, name: str) -> None:
        self.git("add", ".")
        self.git("commit", "-q", "--allow-empty", "-m", name)
        self.commits.append(self.git("rev-parse", "HEAD"))

    def worktrees(self) -> int:
        return len(self.git("worktree", "list").splitlines())


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    for name in [name for name in os.environ if name.startswith(("BENCHDB_", "PYTEST_", "COV_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p pytest_benchdb.plugin -p no:cacheprovider")
    monkeypatch.setenv("BENCHDB_CONFIRM_PAUSE", "0")
    for name, text in {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }.items():
        monkeypatch.setenv(name, text)
    # Fewer pairs: what is measured here differs by orders of magnitude.
    monkeypatch.setattr(side_by_side, "LOOKS", (3,))
    monkeypatch.setattr(side_by_side, "SHARES", (1.0,))
    monkeypatch.setattr(side_by_side, "MOST", 3)

    def call(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            run(cli, "benchdb", list(arguments))
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(status=ended.value.code, out=captured.out, err=captured.err)

    made = Shop(tmp_path / "repository", call, [])
    made.write("pytest.ini", "[pytest]\n")
    made.write(".gitignore", "__pycache__/\nresults/\n")
    made.write("tests/test_shop.py", TEST)
    made.write("src/shop/__init__.py", "def total(n):\n    return n\n")
    made.git("init", "-q", "-b", "main")
    made.commit("one")
    made.write("src/shop/__init__.py", "def total(n):\n    return sum(range(n))\n")
    made.commit("two")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def record(shop: Shop, new_run: Callable[..., Any], new_session: Callable[..., Any]) -> Callable[..., None]:
    """Return a function that records a history of one commit, and a candidate of another that looks worse."""

    def sessions(before: str, after: str, names: tuple[str, ...] = (TOTAL, SORTED), *, dirty: bool = False) -> None:
        for at, jitter in enumerate(JITTER):
            runs = [new_run(name, [1e-3 * jitter * one for one in (1.0, 1.01, 1.02)]) for name in names]
            commit = Commit(sha=before, branch="main", dirty=False)
            new_session(shop.root / "results", runs, at=at, commit=commit)
        slow = [new_run(name, [9e-3 * one for one in (1.0, 1.01, 1.02)]) for name in names]
        new_session(shop.root / "results", slow, at=50, commit=Commit(sha=after, branch="main", dirty=dirty))

    return sessions


@pytest.fixture
def no_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let neither valgrind nor hardware counters be there."""

    def choose() -> None:
        raise BackendUnavailableError("valgrind counts the instructions and is not there: install it")

    monkeypatch.setattr(ways, "choose_method", choose)


def regress(shop: Shop, *options: str) -> Ended:
    return shop.call("regress", "--db", "results", "--format", "json", *options, "--", "pytest", "tests")


@pytest.mark.long
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
@pytest.mark.parametrize("by", ["instructions", "auto"])
def test_counts_of_both_commits_confirm_the_code_and_clear_the_machine(
    shop: Shop, record: Callable[..., None], by: str
) -> None:
    record(*shop.commits)

    ended = regress(shop, "--confirm-by", by)

    assert ended.status == 1, ended.err
    total, unchanged = ended.rows[TOTAL], ended.rows[SORTED]
    assert (total["verdict"], total["state"], total["confirmed_by"]) == ("regressed", None, "instructions")
    assert (unchanged["verdict"], unchanged["confirmed_by"]) == ("inconclusive", "instructions")
    assert "it does not execute more" in unchanged["reason"]
    assert shop.worktrees() == 1


@pytest.mark.usefixtures("no_counter")
def test_without_a_counter_the_gate_says_what_to_install(shop: Shop, record: Callable[..., None]) -> None:
    record(*shop.commits)

    ended = regress(shop, "--confirm-by", "instructions")

    assert ended.status == 4
    assert "counting both commits is not possible: valgrind counts the instructions" in ended.err


@pytest.mark.long
@pytest.mark.usefixtures("no_counter")
@pytest.mark.parametrize("by", ["duet", "auto"])
def test_sides_in_turn_confirm_the_code_and_clear_the_machine(shop: Shop, record: Callable[..., None], by: str) -> None:
    record(*shop.commits)

    ended = regress(shop, "--confirm-by", by)

    assert ended.status == 1, ended.err
    total, unchanged = ended.rows[TOTAL], ended.rows[SORTED]
    assert (total["verdict"], total["state"], total["confirmed_by"]) == ("regressed", None, "duet")
    assert total["confirmations"][0]["change"] > 1
    assert (unchanged["verdict"], unchanged["confirmed_by"]) == ("inconclusive", "duet")
    assert "does not repeat what the session showed (+799 %)" in unchanged["reason"]
    assert shop.worktrees() == 1


@pytest.mark.long
def test_candidate_with_changes_is_measured_as_it_is(shop: Shop, record: Callable[..., None]) -> None:
    record(shop.commits[1], shop.commits[1], (TOTAL,), dirty=True)
    shop.write("src/shop/__init__.py", "def total(n):\n    return sum(range(40 * n))\n")

    ended = regress(shop, "--confirm-by", "duet")

    assert ended.status == 1, ended.err
    assert ended.rows[TOTAL]["confirmed_by"] == "duet"
    assert "has changes that are not committed; they are measured as they are" in ended.err


@pytest.mark.long
def test_commit_without_the_benchmark_is_undecided_by_duet(shop: Shop, record: Callable[..., None]) -> None:
    shop.write("tests/test_shop.py", TEST + LATER)
    shop.commit("three")
    record(shop.commits[0], shop.commits[2], ("tests/test_shop.py::test_later",))

    ended = regress(shop, "--confirm-by", "duet")

    assert ended.status == 4
    assert "no benchmark was recorded" in ended.err
    assert ended.rows["tests/test_shop.py::test_later"]["verdict"] == "inconclusive"


@pytest.mark.long
@pytest.mark.usefixtures("no_counter")
def test_side_that_cannot_be_built_is_run_again_alone(shop: Shop, record: Callable[..., None]) -> None:
    shop.git("checkout", "-q", "-b", "broken", shop.commits[0])
    shop.write("src/shop/__init__.py", "import shop_native_part\n")
    shop.commit("broken")
    shop.git("checkout", "-q", "main")
    record(shop.commits[2], shop.commits[1])

    ended = regress(shop, "--confirm-by", "auto")

    assert "running both commits in turn is not possible" in ended.err
    assert "pytest ended with exit status 2" in ended.err
    assert {row["confirmed_by"] for row in ended.rows.values()} <= {"rerun", None}
    assert "re-run 1 of 2" in ended.err


@pytest.mark.long
def test_installed_package_is_not_taken_for_the_side(
    shop: Shop, record: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = tmp_path / "lib" / "site-packages" / "shop"
    shutil.copytree(shop.root / "src" / "shop", installed)
    monkeypatch.setenv("PYTHONPATH", str(installed.parent))
    record(*shop.commits)

    ended = regress(shop, "--confirm-by", "duet", "--pythonpath", "none")

    assert ended.status == 4
    assert "not its own; put its folder first with --pythonpath" in ended.err
    assert shop.worktrees() == 1


def test_folder_outside_of_a_checkout_is_undecided_by_duet_and_says_why(
    shop: Shop, record: Callable[..., None]
) -> None:
    record(*shop.commits)
    shutil.rmtree(shop.root / ".git")

    ended = regress(shop, "--confirm-by", "duet")

    assert ended.status == 4
    assert "running both commits in turn is not possible" in ended.err
    assert "is not in a git checkout" in ended.rows[TOTAL]["reason"]


def test_confirm_zero_checks_nothing_whatever_the_way(shop: Shop, record: Callable[..., None]) -> None:
    record(*shop.commits)

    ended = regress(shop, "--confirm-by", "duet", "--confirm", "0")

    assert ended.status == 1
    assert all(row["confirmed_by"] is None for row in ended.rows.values())
