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

from pytest_benchdb.operations.exchange.open import open_source

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

TEST = """
from shop import total

def test_total(bench_cpu):
    bench_cpu.pedantic(total, args=(10,), rounds=5)

def test_sorted(bench_cpu):
    bench_cpu.pedantic(sorted, args=([3, 1, 2],), rounds=5)
"""
QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p pytest_benchdb.plugin -p no:cacheprovider"}
DUET = ("duet", "v1", "--pairs", "2", "--pythonpath", "src", "--db", "results", "--", "pytest", "tests")

Benchdb = Callable[..., Any]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Variables under which git reads no configuration of this machine."""
    return {
        "HOME": str(tmp_path / "home"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


@pytest.fixture
def git(tmp_path: Path, environ: dict[str, str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=tmp_path / "repository",
            env={**os.environ, **environ},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    return run


@pytest.fixture
def repository(tmp_path: Path, git: Callable[..., str]) -> Path:
    """A repository with a package under src; its working tree is not what is committed and tagged `v1`."""
    folder = tmp_path / "repository"
    for inner in ("src/shop", "tests"):
        (folder / inner).mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    (folder / "tests" / "test_shop.py").write_text(TEST, encoding="utf-8")
    (folder / "src" / "shop" / "__init__.py").write_text("def total(n):\n    return n\n", encoding="utf-8")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    git("tag", "v1")
    (folder / "src" / "shop" / "__init__.py").write_text("def total(n):\n    return sum(range(n))\n", encoding="utf-8")
    return folder


def worktrees(git: Callable[..., str]) -> int:
    return len(git("worktree", "list").splitlines())


@pytest.mark.long
def test_duet_runs_both_sides_in_turn_and_leaves_the_checkout_alone(
    repository: Path, git: Callable[..., str], environ: dict[str, str], benchdb_process: Benchdb
) -> None:
    before = git("status", "--porcelain")

    ended = benchdb_process(*DUET, cwd=repository, **environ, **QUICK)

    with open_source([repository / "results"]) as reader:
        sessions = reader.sessions()
    commit = git("rev-parse", "v1").strip()
    assert ended.status == 0, ended.err
    assert [session.tags["side"] for session in sessions] == ["base", "head", "head", "base"]
    assert [(session.commit_sha, session.dirty) for session in sessions[:2]] == [(commit, False), (commit, True)]
    assert "test_total" in ended.out
    assert "2 + 2" in ended.out
    assert "has changes that are not committed" in ended.err
    assert ended.err.count("imported shop from its own folder") == 2
    assert git("status", "--porcelain").splitlines() == [*before.splitlines(), "?? results/"]
    assert worktrees(git) == 1


@pytest.mark.long
def test_duet_that_imports_the_checkout_on_both_sides_is_refused(
    repository: Path, git: Callable[..., str], environ: dict[str, str], benchdb_process: Benchdb
) -> None:
    # As a package that is installed in editable mode.
    installed = {**environ, "PYTHONPATH": str(repository / "src")}

    ended = benchdb_process("duet", "v1", "--", "pytest", "tests", cwd=repository, **installed, **QUICK)

    assert ended.status == 2
    assert "imported shop (" in ended.err
    assert "--pythonpath" in ended.err
    assert worktrees(git) == 1


@pytest.mark.long
def test_compare_interleaved_does_the_same_as_duet(
    repository: Path, git: Callable[..., str], environ: dict[str, str], benchdb_process: Benchdb
) -> None:
    words = ("compare", "v1", "--interleave", "2", "--pythonpath", "src", "-f", "json", "--", "pytest", "tests")

    ended = benchdb_process(*words, cwd=repository, **environ, **QUICK)

    with open_source([repository / ".benchdb-duet"]) as reader:
        sides = [session.tags["side"] for session in reader.sessions()]
    assert ended.status == 0, ended.err
    assert sides == ["base", "head", "head", "base"]
    assert json.loads(ended.out)["schema"].startswith("benchdb.comparison")
    assert worktrees(git) == 1


@pytest.mark.long
def test_duet_with_a_module_that_nobody_imports_is_refused(
    repository: Path, environ: dict[str, str], benchdb_process: Benchdb
) -> None:
    words = ("duet", "v1", "--pythonpath", "src", "--module", "stall", "--", "pytest", "tests")

    ended = benchdb_process(*words, cwd=repository, **environ, **QUICK)

    assert ended.status == 2
    assert "--module stall: no test imported it" in ended.err


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("pytest", "tests", "-k", "nothing"), "no benchmark was recorded"),
        (("pytest", "nowhere"), "pytest ended with exit status 4"),
        (("pytest", "tests", "--strange-option"), "pytest ended with exit status 4"),
    ],
    ids=["none-chosen", "no-such-path", "no-such-option"],
)
def test_a_side_that_records_nothing_is_refused(
    words: tuple[str, ...], message: str, repository: Path, environ: dict[str, str], benchdb_process: Benchdb
) -> None:
    ended = benchdb_process("duet", "v1", "--pythonpath", "src", "--", *words, cwd=repository, **environ, **QUICK)

    assert ended.status == 2
    assert message in ended.err
    assert ended.out == ""


@pytest.mark.long
def test_a_side_whose_tests_all_fail_shows_their_output(
    repository: Path, environ: dict[str, str], benchdb_process: Benchdb
) -> None:
    (repository / "src" / "shop" / "__init__.py").write_text("total = None\n", encoding="utf-8")
    words = ("duet", "v1", "--pythonpath", "src", "--", "pytest", "tests", "-k", "total")

    ended = benchdb_process(*words, cwd=repository, **environ, **QUICK)

    assert ended.status == 2
    assert "working tree: none of 1 benchmarks passed" in ended.err
    assert "'NoneType' object is not callable" in ended.err


@pytest.mark.long
def test_duet_with_a_python_without_pytest_says_so(
    repository: Path, tmp_path: Path, environ: dict[str, str], benchdb_process: Benchdb
) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    words = ("duet", "--base-python", str(bare / "bin" / "python"), "--", "pytest", "tests")

    ended = benchdb_process(*words, cwd=repository, **environ)

    assert ended.status == 2
    assert "install pytest and pytest-benchdb in that environment" in ended.err


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_duet_that_is_ended_removes_what_it_checked_out(
    number: signal.Signals, repository: Path, git: Callable[..., str], environ: dict[str, str]
) -> None:
    started = repository / "started"
    # A benchmark that does not end by itself within the time that the test allows.
    slow = f"import pathlib, threading\n\ndef test_slow(bench_cpu):\n    pathlib.Path({str(started)!r}).touch()\n"
    (repository / "tests" / "test_shop.py").write_text(slow + "    threading.Event().wait(60)\n", encoding="utf-8")
    git("commit", "-q", "-a", "-m", "slow")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_benchdb", "duet", "main", "--pythonpath", "src", "--", "pytest", "tests"],
        cwd=repository,
        env={**os.environ, **environ, **QUICK},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # the signal goes to all processes of a terminal, and to none of ours
    )

    deadline = time.monotonic() + 60
    while not started.exists() and time.monotonic() < deadline and process.poll() is None:
        os.sched_yield()
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130, err.decode()
    assert b"interrupted" in err
    assert worktrees(git) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("v9", "--", "pytest"), "'v9' is not a commit of"),
        (("v1", "v9", "--", "pytest"), "'v9' is not a commit of"),
        (("v1",), "say what to run after --"),
        (("--", "pytest"), "both sides are the same"),
        (("v1", "--pairs", "0", "--", "pytest"), "--pairs"),
    ],
    ids=["base", "head", "no-words", "no-sides", "no-pairs"],
)
def test_duet_that_cannot_begin_is_wrong_usage(
    words: tuple[str, ...],
    message: str,
    repository: Path,
    benchdb: Benchdb,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(repository)

    ended = benchdb("duet", *words)

    assert ended.status == 2
    assert message in ended.err
    assert ended.out == ""


def test_duet_outside_of_a_checkout_is_wrong_usage(
    tmp_path: Path, benchdb: Benchdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)

    ended = benchdb("duet", "main", "--", "pytest")

    assert ended.status == 2
    assert "is not in a git checkout" in ended.err
