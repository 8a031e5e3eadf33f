"""Checks out other commits of a repository into separate folders; the user's checkout is never touched."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_benchdb.environment.git.checkout import HOOK_VARIABLES
from pytest_benchdb.errors import ConfigError

_NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}")  # a post-checkout hook is meant for the user's own checkout
_MESSAGE_CHARACTERS = 300
"""Most characters of git's message that ours quotes."""


def find_checkout(folder: Path, environ: Mapping[str, str]) -> Path:
    """Return the top folder of the checkout that contains `folder`.

    Raises:
        ConfigError: git is not installed, or the folder is not in a checkout.
    """
    done = run_git(folder, environ, "rev-parse", "--show-toplevel")
    top = done.stdout.strip()
    if done.returncode != 0 or not top:
        raise ConfigError(f"{folder} is not in a git checkout; run this inside one: commits are checked out from it")
    return Path(top)


def find_commit(checkout: Path, name: str, environ: Mapping[str, str]) -> str:
    """Return the full hash of a branch, tag, hash, or anything else that git understands as a commit.

    Raises:
        ConfigError: there is no such commit.
    """
    done = run_git(checkout, environ, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if done.returncode == 0:
        return done.stdout.strip()
    if run_git(checkout, environ, "rev-parse", "--is-shallow-repository").stdout.strip() == "true":
        advice = "this clone is shallow; git fetch --unshallow brings the rest (actions/checkout: fetch-depth: 0)"
    else:
        advice = "name a branch, a tag or a hash that git log shows"
    raise ConfigError(f"{name!r} is not a commit of {checkout}; {advice}")


def is_on_a_branch(checkout: Path, sha: str, environ: Mapping[str, str]) -> bool:
    """Return whether the checked-out commit, a branch or a tag contains a commit.

    Commits that were fetched to be looked at, such as those of pull requests, are on none.
    """
    if run_git(checkout, environ, "merge-base", "--is-ancestor", sha, "HEAD").returncode == 0:
        return True
    names = ("refs/heads", "refs/tags", "refs/remotes")
    return bool(run_git(checkout, environ, "for-each-ref", "--count=1", f"--contains={sha}", *names).stdout.strip())


def has_changes(checkout: Path, environ: Mapping[str, str]) -> bool:
    """Return whether tracked files differ from the checked-out commit."""
    done = run_git(checkout, environ, "--no-optional-locks", "status", "--porcelain", "--untracked-files=no")
    return bool(done.stdout.strip())


@contextlib.contextmanager
def worktree(checkout: Path, sha: str, folder: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Check out a commit into a new folder for the length of a block, then remove the folder.

    Raises:
        ConfigError: git cannot check it out.
    """
    if folder.exists():
        raise ConfigError(f"{folder} exists; a commit is checked out into a new folder only")
    try:
        done = run_git(checkout, environ, *_NO_HOOKS, "worktree", "add", "--quiet", "--detach", os.fspath(folder), sha)
        if done.returncode != 0:
            raise ConfigError(f"git cannot check {sha[:12]} out into {folder}: {message_of(done)}")
        yield folder
    finally:
        # --force twice: once for files that the tests left, once for the lock of an interrupted `worktree add`.
        run_git(checkout, environ, "worktree", "remove", "--force", "--force", os.fspath(folder))
        shutil.rmtree(folder, ignore_errors=True)


def message_of(done: "subprocess.CompletedProcess[str]") -> str:
    """Return what git said on standard error, in one line."""
    return " ".join(done.stderr.split())[:_MESSAGE_CHARACTERS]


def run_git(
    folder: Path, environ: Mapping[str, str], *arguments: str, index: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run git in a folder, without the variables of a hook, and return its end, whatever that is.

    With `index`, that file is used instead of the repository's index.

    Raises:
        ConfigError: git is not installed.
    """
    kept = {name: value for name, value in environ.items() if name not in HOOK_VARIABLES}
    own = {} if index is None else {"GIT_INDEX_FILE": index}
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env={**kept, **own, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except OSError as error:
        raise ConfigError(f"git cannot be started in {folder}: {error.strerror}; install git") from error
