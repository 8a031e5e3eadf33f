import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.environment.git.checkout import (
    Status,
    choose_remote,
    parse_refs,
    parse_remotes,
    parse_status,
    read_commit,
    utc_text,
)
from pytest_benchdb.model.environment import Commit

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

AUTHORED_AT = "2024-02-29T23:30:00-05:00"
AUTHORED_UTC = "2024-03-01T04:30:00"
Git = Callable[..., str]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Variables under which git reads no configuration of this machine."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(tmp_path / "home"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "C",
        "GIT_COMMITTER_EMAIL": "c@example.org",
        "GIT_AUTHOR_DATE": AUTHORED_AT,
        "GIT_COMMITTER_DATE": "2025-01-01T00:00:00Z",
    }


@pytest.fixture
def git(tmp_path: Path, environ: dict[str, str]) -> Git:
    def run(*arguments: str, folder: str = "suite") -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, cwd=tmp_path / folder, env=environ, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def suite(tmp_path: Path, git: Git) -> Path:
    """A repository with two commits on `main`."""
    git("init", "-q", "-b", "main")
    (tmp_path / "suite" / "tracked.txt").write_text("1")
    git("add", "tracked.txt")
    git("commit", "-qm", "first")
    git("commit", "-qm", "second", "--allow-empty")
    return tmp_path / "suite"


def test_clean_main_is_its_own_merge_base(suite: Path, git: Git, environ: dict[str, str]) -> None:
    head = git("rev-parse", "HEAD")

    assert read_commit(suite, environ) == Commit(
        sha=head, branch="main", dirty=False, committed_at=AUTHORED_UTC, subject="second", merge_base=head
    )


def test_branch_is_read_with_the_commit_where_it_left_main(suite: Path, git: Git, environ: dict[str, str]) -> None:
    base = git("rev-parse", "HEAD")
    git("checkout", "-qb", "feature/ünïcode")
    git("commit", "-qm", "third", "--allow-empty")

    commit = read_commit(suite, environ)

    assert (commit.branch, commit.merge_base) == ("feature/ünïcode", base)
    assert commit.sha == git("rev-parse", "HEAD") != base


def test_subfolder_has_the_same_commit(suite: Path, environ: dict[str, str]) -> None:
    (suite / "tests").mkdir()

    assert read_commit(suite / "tests", environ) == read_commit(suite, environ)


@pytest.mark.parametrize("change", ["edit", "stage", "delete"])
def test_changed_tracked_file_is_dirty(suite: Path, git: Git, environ: dict[str, str], change: str) -> None:
    if change == "delete":
        (suite / "tracked.txt").unlink()
    else:
        (suite / "tracked.txt").write_text("2 characters more")
    if change == "stage":
        git("add", "tracked.txt")

    assert read_commit(suite, environ).dirty is True


def test_untracked_file_is_not_dirty(suite: Path, environ: dict[str, str]) -> None:
    (suite / "new.txt").write_text("")

    assert read_commit(suite, environ).dirty is False


def test_detached_head_has_no_branch(suite: Path, git: Git, environ: dict[str, str]) -> None:
    git("checkout", "-q", "--detach", "HEAD~1")

    commit = read_commit(suite, environ)

    assert commit.branch is None
    assert commit.sha == commit.merge_base == git("rev-parse", "HEAD")
    assert commit.committed_at == AUTHORED_UTC
    assert commit.subject == "first"


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        ("x" * 300 + "\n\nbody", "x" * 199 + "…"),
        ("two\nlines\n\nbody", "two lines"),
        ("an escape \x1b[31m and a line\x85break\u2028more", "an escape \x1b[31m and a line\x85break\u2028more"),
        ("", None),
    ],
    ids=["long", "two lines", "control characters", "empty"],
)
def test_subject_is_the_first_line_of_the_message(
    suite: Path, git: Git, environ: dict[str, str], message: str, subject: str | None
) -> None:
    git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", message)

    on_branch = read_commit(suite, environ)
    git("checkout", "-q", "--detach")
    detached = read_commit(suite, environ)

    assert on_branch.subject == detached.subject == subject


def test_repository_without_a_commit_has_a_branch_only(git: Git, tmp_path: Path, environ: dict[str, str]) -> None:
    git("init", "-q", "-b", "main")

    assert read_commit(tmp_path / "suite", environ) == Commit(branch="main")


def test_folder_outside_a_repository_is_unknown(tmp_path: Path, environ: dict[str, str]) -> None:
    assert read_commit(tmp_path, environ) == Commit()


def test_missing_folder_is_unknown(tmp_path: Path, environ: dict[str, str]) -> None:
    assert read_commit(tmp_path / "missing", environ) == Commit()


def test_missing_git_is_unknown(suite: Path, environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()

    assert read_commit(suite, {**environ, "PATH": str(tmp_path / "bin")}) == Commit()


def test_bare_repository_is_unknown(suite: Path, git: Git, tmp_path: Path, environ: dict[str, str]) -> None:
    git("clone", "-q", "--bare", str(suite), "bare.git", folder=".")

    assert read_commit(tmp_path / "bare.git", environ) == Commit()


def test_damaged_repository_is_unknown(suite: Path, environ: dict[str, str]) -> None:
    (suite / ".git" / "HEAD").write_text("nonsense")

    assert read_commit(suite, environ) == Commit()


def test_repository_of_another_user_is_unknown(suite: Path, environ: dict[str, str]) -> None:
    # git's own switch for its tests: it takes every repository for somebody else's.
    assert read_commit(suite, {**environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}) == Commit()


def test_shallow_clone_knows_its_commit_but_not_where_it_left_main(
    suite: Path, git: Git, tmp_path: Path, environ: dict[str, str]
) -> None:
    git("checkout", "-qb", "feature")
    git("commit", "-qm", "third", "--allow-empty")
    git("checkout", "-q", "main")
    git("clone", "-q", "--depth=1", "--branch=feature", suite.as_uri(), "clone", folder=".")

    commit = read_commit(tmp_path / "clone", environ)

    assert (commit.sha, commit.branch) == (git("rev-parse", "feature"), "feature")
    assert commit.committed_at == AUTHORED_UTC
    assert commit.merge_base is None


def test_clone_measures_against_the_remotes_default_branch(
    suite: Path, git: Git, tmp_path: Path, environ: dict[str, str]
) -> None:
    git("branch", "-m", "main", "stable")
    base = git("rev-parse", "HEAD")
    git("clone", "-q", suite.as_uri(), "clone", folder=".")
    git("checkout", "-qb", "main", folder="clone")  # a local name that only looks like the default
    git("commit", "-qm", "third", "--allow-empty", folder="clone")

    commit = read_commit(tmp_path / "clone", environ)

    assert commit.merge_base == base
    assert commit.remote_url == suite.as_uri()


def test_remote_url_is_stored_without_its_token(suite: Path, git: Git, environ: dict[str, str]) -> None:
    git("remote", "add", "origin", "https://me:SECRET@example.org/a/b.git?token=SECRET")

    assert read_commit(suite, environ).remote_url == "https://example.org/a/b.git"


def test_url_that_the_user_rewrites_is_stored_as_written(suite: Path, git: Git, environ: dict[str, str]) -> None:
    git("remote", "add", "origin", "https://example.org/a/b.git")
    git("config", "url.https://SECRET@example.org/.insteadOf", "https://example.org/")

    assert read_commit(suite, environ).remote_url == "https://example.org/a/b.git"


def test_worktree_has_its_own_branch(suite: Path, git: Git, tmp_path: Path, environ: dict[str, str]) -> None:
    git("worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))

    commit = read_commit(tmp_path / "tree", environ)

    assert (commit.branch, commit.sha) == ("other", git("rev-parse", "HEAD"))


def test_submodule_has_its_own_commit(suite: Path, git: Git, tmp_path: Path, environ: dict[str, str]) -> None:
    git("init", "-q", "-b", "main", folder="outer")
    git("submodule", "add", "-q", suite.as_uri(), "inner", folder="outer")
    git("commit", "-qm", "outer", folder="outer")

    assert read_commit(tmp_path / "outer" / "inner", environ).sha == git("rev-parse", "HEAD")
    assert read_commit(tmp_path / "outer", environ).sha == git("rev-parse", "HEAD", folder="outer")


def test_changed_submodule_is_dirty(suite: Path, git: Git, tmp_path: Path, environ: dict[str, str]) -> None:
    git("init", "-q", "-b", "main", folder="outer")
    git("submodule", "add", "-q", suite.as_uri(), "inner", folder="outer")
    git("commit", "-qm", "outer", folder="outer")
    (tmp_path / "outer" / "inner" / "tracked.txt").write_text("changed and longer")

    assert read_commit(tmp_path / "outer", environ).dirty is True


def test_variables_of_a_git_hook_do_not_lead_to_the_hooks_repository(
    suite: Path, git: Git, tmp_path: Path, environ: dict[str, str]
) -> None:
    git("init", "-q", "-b", "hooked", folder="other")
    hook = {"GIT_DIR": str(tmp_path / "other" / ".git"), "GIT_INDEX_FILE": "index.lock", "GIT_PREFIX": "x/"}

    assert read_commit(suite, {**environ, **hook}).branch == "main"


def test_reading_leaves_the_repository_untouched(suite: Path, environ: dict[str, str]) -> None:
    (suite / "tracked.txt").touch()  # a stale index entry, which `git status` would like to write back
    before = {path: path.stat().st_mtime_ns for path in (suite / ".git").rglob("*")}

    read_commit(suite, environ)

    assert {path: path.stat().st_mtime_ns for path in (suite / ".git").rglob("*")} == before


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_programs_that_a_repository_configures_are_not_run(
    suite: Path, git: Git, tmp_path: Path, environ: dict[str, str]
) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    git("checkout", "-q", "--detach")
    for key in ("core.fsmonitor", "gpg.program", "core.pager", "diff.external"):
        git("config", key, str(trap))
    git("config", "log.showSignature", "true")

    assert read_commit(suite, environ).dirty is False
    assert not (tmp_path / "sprung").exists()


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_slow_status_costs_only_its_own_values(suite: Path, git: Git, tmp_path: Path, environ: dict[str, str]) -> None:
    # A git that hangs in `status`, as on a huge working copy, and is the real one otherwise.
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin" / "git"
    real = shutil.which("git")
    slow.write_text(f'#!/bin/sh\ncase "$*" in *status*) exec sleep 30;; esac\nexec {real} "$@"\n')
    slow.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{environ['PATH']}"
    began = time.monotonic()

    commit = read_commit(suite, {**environ, "PATH": path}, timeout_s=1.5)

    assert time.monotonic() - began < 20
    assert (commit.branch, commit.dirty) == ("main", None)
    assert commit.sha == git("rev-parse", "HEAD")


def test_no_time_at_all_is_unknown(suite: Path, environ: dict[str, str]) -> None:
    assert read_commit(suite, environ, timeout_s=0.0) == Commit()


def test_status_with_every_header_is_read() -> None:
    text = (
        "# branch.oid 0123456789abcdef0123456789abcdef01234567\n# branch.head fix\n"
        "# branch.upstream up/stream/fix\n# branch.ab +1 -0\n# stash 2\n1 .M N... 100644 100644 100644 0 0 a b\n"
    )

    assert parse_status(text) == Status(
        sha="0123456789abcdef0123456789abcdef01234567", branch="fix", upstream="up/stream/fix", dirty=True
    )


@pytest.mark.parametrize(
    ("upstream", "remote"), [("up/stream/fix", "up/stream"), ("up/x", "up"), (None, "origin"), ("gone/x", "origin")]
)
def test_remote_is_the_one_that_the_branch_follows(upstream: str | None, remote: str) -> None:
    assert choose_remote({"origin": "a", "up": "b", "up/stream": "c"}, upstream) == remote


def test_remotes_are_read_with_dots_and_line_breaks() -> None:
    text = "remote.a.b.url\nhttps://x/y\0remote.c.url\nhttps://x/\nz\0"

    assert parse_remotes(text) == {"a.b": "https://x/y", "c": "https://x/\nz"}


def test_refs_without_a_date_keep_their_commit() -> None:
    assert parse_refs("abc  refs/heads/main\n")["refs/heads/main"].author_unix_s is None


@pytest.mark.parametrize(
    ("unix_s", "text"), [(0, "1970-01-01T00:00:00"), (-1, "1969-12-31T23:59:59"), (1 << 60, None), (None, None)]
)
def test_time_is_utc_text(unix_s: int | None, text: str | None) -> None:
    assert utc_text(unix_s) == text
