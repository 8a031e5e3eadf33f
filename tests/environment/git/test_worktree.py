import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.environment.git.worktree import find_checkout, find_commit, has_changes, worktree
from pytest_benchdb.errors import ConfigError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

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
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


@pytest.fixture
def git(tmp_path: Path, environ: dict[str, str]) -> Git:
    def run(*arguments: str, folder: str = "shop") -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=tmp_path / folder, env=environ, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    return run


@pytest.fixture
def shop(tmp_path: Path, git: Git) -> Path:
    """A repository with two commits on `main`, the first one tagged `v1`."""
    folder = tmp_path / "shop"
    folder.mkdir()
    git("init", "-q", "-b", "main")
    for text in ("one", "two"):
        (folder / "shop.py").write_text(text, encoding="utf-8")
        git("add", ".")
        git("commit", "-q", "-m", text)
    git("tag", "v1", "HEAD~1")
    return folder


def test_find_checkout_from_a_folder_within_returns_its_top(shop: Path, environ: dict[str, str]) -> None:
    (shop / "inner").mkdir()

    assert find_checkout(shop / "inner", environ) == shop


def test_find_checkout_outside_of_one_is_refused(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="is not in a git checkout"):
        find_checkout(tmp_path, environ)


def test_find_checkout_without_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="install git"):
        find_checkout(tmp_path, {"PATH": str(tmp_path)})


def test_find_commit_of_a_tag_returns_its_hash(shop: Path, git: Git, environ: dict[str, str]) -> None:
    assert find_commit(shop, "v1", environ) == git("rev-parse", "HEAD~1")


@pytest.mark.parametrize("name", ["v9", "--help", "", "HEAD~7", "main:shop.py"])
def test_find_commit_that_is_none_is_refused(name: str, shop: Path, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"is not a commit of .* name a branch"):
        find_commit(shop, name, environ)


def test_find_commit_in_a_shallow_clone_says_how_to_fetch_it(
    shop: Path, tmp_path: Path, git: Git, environ: dict[str, str]
) -> None:
    git("-c", "protocol.file.allow=always", "clone", "-q", "--depth=1", f"file://{shop}", "clone", folder=".")

    with pytest.raises(ConfigError, match="git fetch --unshallow"):
        find_commit(tmp_path / "clone", "HEAD~1", environ)


def test_has_changes_follows_files_under_version_control(shop: Path, environ: dict[str, str]) -> None:
    (shop / "left.txt").touch()
    before = has_changes(shop, environ)
    (shop / "shop.py").write_text("three", encoding="utf-8")

    assert (before, has_changes(shop, environ)) == (False, True)


def test_worktree_holds_the_commit_and_leaves_the_checkout_alone(
    shop: Path, tmp_path: Path, git: Git, environ: dict[str, str]
) -> None:
    (shop / "shop.py").write_text("three", encoding="utf-8")

    with worktree(shop, git("rev-parse", "v1"), tmp_path / "there", environ) as folder:
        found = (folder / "shop.py").read_text(encoding="utf-8")

    assert found == "one"
    assert (shop / "shop.py").read_text(encoding="utf-8") == "three"
    assert git("branch", "--show-current") == "main"


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ConfigError])
def test_worktree_is_gone_however_the_block_ends(
    error: type[BaseException] | None, shop: Path, tmp_path: Path, git: Git, environ: dict[str, str]
) -> None:
    def block() -> None:
        with worktree(shop, git("rev-parse", "v1"), tmp_path / "there", environ) as folder:
            (folder / "left.txt").touch()
            (folder / "shop.py").write_text("changed", encoding="utf-8")
            if error is not None:
                raise error

    if error is None:
        block()
    else:
        with pytest.raises(error):
            block()

    assert not (tmp_path / "there").exists()
    assert len(git("worktree", "list").splitlines()) == 1


def test_worktree_does_not_run_the_hooks_of_the_checkout(
    shop: Path, tmp_path: Path, git: Git, environ: dict[str, str]
) -> None:
    hook = shop / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    hook.chmod(0o755)

    with worktree(shop, git("rev-parse", "v1"), tmp_path / "there", environ):
        pass

    assert not (tmp_path / "ran").exists()


def test_worktree_that_git_refuses_says_why(shop: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    with (
        pytest.raises(ConfigError, match=r"cannot check 000000000000 out into .* invalid reference|not a valid"),
        worktree(shop, "0" * 40, tmp_path / "there", environ),
    ):
        pass


def test_worktree_into_a_folder_that_exists_is_refused_and_leaves_it(
    shop: Path, tmp_path: Path, git: Git, environ: dict[str, str]
) -> None:
    (tmp_path / "there").mkdir()

    with (
        pytest.raises(ConfigError, match="new folder only"),
        worktree(shop, git("rev-parse", "v1"), tmp_path / "there", environ),
    ):
        pass

    assert (tmp_path / "there").exists()
