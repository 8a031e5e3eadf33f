"""Sessions stand in the order of their commits where a checkout has them all, else in that of time."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.environment.git.ancestry import commit_positions, commits_between
from pytest_benchdb.operations.history.trend import order_sessions

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

Make = Callable[..., Any]
UNKNOWN = "f" * 40


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    names = {f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path.parent),
        **names,
    }


@pytest.fixture
def commits(tmp_path: Path, environ: dict[str, str]) -> list[str]:
    """Return three commits of a line of which the middle one claims to be the oldest."""
    found = []
    for day in (10, 1, 20):
        date = f"2026-01-{day:02d}T00:00:00Z"
        dated = {**environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", str(day)]):
            subprocess.run(["git", *command], cwd=tmp_path, env=dated, check=True, capture_output=True)
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=tmp_path, env=environ, check=True, capture_output=True, text=True
        )
        found.append(answer.stdout.strip())
    return found


def test_sessions_of_known_commits_are_ordered_by_ancestry(
    tmp_path: Path, environ: dict[str, str], commits: list[str], session: Make
) -> None:
    first, second, third = commits
    by_time = [
        session("a", "2026-11-01", commit_sha=third),
        session("b", "2026-11-02", commit_sha=second),
        session("c", "2026-11-03", commit_sha=first),
        session("d", "2026-11-04", commit_sha=second),
    ]

    order = order_sessions(by_time, tmp_path, environ)

    assert [one.session_id for one in order.sessions] == ["c", "b", "d", "a"]
    assert order.reason is None


@pytest.mark.parametrize(
    ("sha", "reason"),
    [
        pytest.param(None, "1 of 2 sessions have no commit", id="no commit"),
        pytest.param(UNKNOWN, "lacks 1 of 2 commits (a shallow clone?)", id="unknown commit"),
        pytest.param("--all", "lacks 1 of 2 commits", id="no commit's name"),
    ],
)
def test_sessions_are_ordered_by_time_where_a_commit_has_no_place(
    tmp_path: Path, environ: dict[str, str], commits: list[str], session: Make, sha: str | None, reason: str
) -> None:
    given = [session("a", "2026-11-01", commit_sha=commits[2]), session("b", "2026-11-02", commit_sha=sha)]

    order = order_sessions(given, tmp_path, environ)

    assert [one.session_id for one in order.sessions] == ["a", "b"]
    assert reason in (order.reason or "")


def test_sessions_outside_a_checkout_are_ordered_by_time(
    tmp_path: Path, environ: dict[str, str], session: Make
) -> None:
    order = order_sessions([session("a", commit_sha=UNKNOWN)], tmp_path, environ)

    assert "is not a git checkout" in (order.reason or "")


def test_commits_between_are_counted(tmp_path: Path, environ: dict[str, str], commits: list[str]) -> None:
    first, second, third = commits

    assert commits_between(tmp_path, first, third, environ) == 2
    assert commits_between(tmp_path, third, second, environ) == 0
    assert commits_between(tmp_path, UNKNOWN, third, environ) is None
    assert commits_between(tmp_path, "--all", third, environ) is None


def test_commit_positions_without_commits_are_none(tmp_path: Path, environ: dict[str, str]) -> None:
    assert commit_positions(tmp_path, [], environ) == {}
