"""Asks git for the commit of a checkout, with at most five short processes that take no lock and run no hook.

URLs are stored without user names, passwords and tokens.
"""

import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pytest_benchdb.model.environment import MAX_SUBJECT, Commit

TIMEOUT_S = 2.0
DEFAULT_BRANCHES = ("main", "master", "trunk", "develop")
# git sets these while it runs a hook; they would name the hook's repository instead of the suite's.
HOOK_VARIABLES = frozenset({
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
})  # fmt: skip
_SETTINGS = {
    "GIT_OPTIONAL_LOCKS": "0",  # `status` would write the index
    "GIT_NO_LAZY_FETCH": "1",  # a partial clone would use the network
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_PORT = re.compile(r"^[^:]*(?::\d*)?$")
_REF_FORMAT = "%(objectname) %(authordate:unix) %(refname) %(contents:subject)"


def without_credentials(url: str) -> str | None:
    """Return a URL without user name, password, query and fragment; None if it is in an unknown form.

    >>> without_credentials("https://oauth2:glpat-x@gitlab.com/a/b.git?private_token=y")
    'https://gitlab.com/a/b.git'
    >>> without_credentials("git@github.com:a/b.git")
    'github.com:a/b.git'
    """
    url = url.strip()
    if match := _SCHEME.match(url):
        rest = re.split(r"[?#]", url[match.end() :], maxsplit=1)[0]
        return match.group() + _without_user(rest)
    if "::" in url:  # `ext::command`, `codecommit::region://profile@repository`: arguments of a program
        return None
    host, separator, path = url.partition(":")
    if separator and "/" not in host and "\\" not in host:
        return f"{host.rpartition('@')[2]}:{path}"
    return url or None


def _without_user(rest: str) -> str:
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        return authority.rpartition("@")[2] + slash + path
    if "@" in path and not _PORT.match(authority):
        # `user:pass/word@host`: an unescaped slash in the password
        return path.rpartition("@")[2]
    return rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The output of ``git status --porcelain=v2 --branch``."""

    sha: str | None = None
    branch: str | None = None
    upstream: str | None = None
    dirty: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """One line of ``git for-each-ref``: a branch's commit, its author date and the first line of its message."""

    sha: str
    author_unix_s: int | None
    subject: str | None


class Git:
    """Runs git in one folder; all calls share one time limit."""

    def __init__(self, root: Path, environ: Mapping[str, str], timeout_s: float) -> None:
        self._root = root
        self._environ = {name: value for name, value in environ.items() if name not in HOOK_VARIABLES} | _SETTINGS
        self.timed_out = False
        self._deadline = time.monotonic() + timeout_s

    def output(self, *arguments: str, share: float = 1.0) -> str | None:
        """Return git's output; None if git is missing, fails or takes more than `share` of the remaining time."""
        try:
            done = subprocess.run(
                # The repository's configuration must start neither a file-system monitor nor gpg.
                ["git", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false", *arguments],
                cwd=self._root,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=max(0.0, self._deadline - time.monotonic()) * share,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                check=False,
            )
        except subprocess.TimeoutExpired:
            self.timed_out = True
            return None
        except (OSError, ValueError, subprocess.SubprocessError):
            return None
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def read_commit(root: Path, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> Commit:
    """Return the commit checked out in `root`; all None without git or outside a repository.

    Args:
        root: a folder of the checkout.
        environ: environment variables of the git processes.
        timeout_s: limit for all git processes together; values not read by then are None.
    """
    git = Git(root, environ, timeout_s)
    # Listing changed files reads the whole checkout; leave time to read at least the commit.
    text = git.output("status", "--porcelain=v2", "--branch", "-uno", "--no-renames", share=0.7)
    if text is None and not git.timed_out:
        return Commit()
    status = parse_status(text) if text is not None else _without_status(git)
    remotes = parse_remotes(git.output("config", "-z", "--get-regexp", r"^remote\..*\.url$") or "")
    remote = choose_remote(remotes, status.upstream)
    head, merge_base = _history(git, status, remote) if status.sha else (None, None)
    return Commit(
        sha=status.sha,
        branch=status.branch,
        dirty=status.dirty,
        committed_at=utc_text(head.author_unix_s) if head else None,
        subject=head.subject if head else None,
        merge_base=merge_base,
        remote_url=without_credentials(remotes[remote]) if remote else None,
    )


def parse_status(text: str) -> Status:
    """Parse the output of ``git status --porcelain=v2 --branch``."""
    headers = {}
    dirty = False
    for line in text.splitlines():
        if line.startswith("# "):
            name, _, value = line[2:].partition(" ")
            headers[name] = value
        elif line:
            dirty = True
    sha, branch = headers.get("branch.oid"), headers.get("branch.head")
    if sha == "(initial)":
        return Status(branch=branch)
    return Status(
        sha=sha,
        branch=None if branch == "(detached)" else branch,
        upstream=headers.get("branch.upstream"),
        dirty=dirty,
    )


def parse_remotes(text: str) -> dict[str, str]:
    """Return the URL of each remote from the output of ``git config -z --get-regexp``."""
    remotes: dict[str, str] = {}
    for entry in text.split("\0"):
        key, separator, url = entry.partition("\n")
        if separator:
            remotes.setdefault(key.removeprefix("remote.").removesuffix(".url"), url)
    return remotes


def choose_remote(remotes: Mapping[str, str], upstream: str | None) -> str | None:
    """Return the name of the remote that the branch tracks, else ``origin``, else the first."""
    tracked = [name for name in remotes if upstream and upstream.startswith(f"{name}/")]
    if tracked:
        return max(tracked, key=len)
    return "origin" if "origin" in remotes else next(iter(remotes), None)


def utc_text(unix_s: int | None) -> str | None:
    """Return a time as ISO 8601 in UTC without an offset; None if it is outside the calendar."""
    if unix_s is None:
        return None
    try:
        return (_EPOCH + timedelta(seconds=unix_s)).replace(tzinfo=None).isoformat()
    except OverflowError:
        return None


def _without_status(git: Git) -> Status:
    sha, _, name = (git.output("rev-parse", "HEAD", "--symbolic-full-name", "HEAD") or "").strip().partition("\n")
    return Status(sha=sha or None, branch=name.removeprefix("refs/heads/") if name.startswith("refs/heads/") else None)


def _history(git: Git, status: Status, remote: str | None) -> tuple[Ref | None, str | None]:
    """Return HEAD, and the commit where it left the default branch."""
    names = [f"refs/remotes/{remote}/{name}" for name in ("HEAD", *DEFAULT_BRANCHES) if remote]
    names += [f"refs/heads/{name}" for name in DEFAULT_BRANCHES]
    own = f"refs/heads/{status.branch}"
    listed = git.output("for-each-ref", f"--format={_REF_FORMAT}", own, *names)
    refs = parse_refs(listed or "")
    head = refs.get(own)
    if head is None or head.sha != status.sha:
        head = parse_refs(git.output("log", "-1", "--format=%H %at HEAD %s") or "").get("HEAD")
    default = next((name for name in names if name in refs), None)
    base = None
    if default is not None:
        base = status.sha if refs[default].sha == status.sha else git.output("merge-base", "HEAD", default)
    return head, (base or "").strip() or None


def parse_refs(text: str) -> dict[str, Ref]:
    """Return the references in the output of `_history`'s ``for-each-ref``, by full name."""
    refs = {}
    for line in text.split("\n"):  # a subject may have any other line break
        sha, authored, name, subject = (line.split(" ", 3) + [""] * 3)[:4]
        if name:
            refs[name] = Ref(sha=sha, author_unix_s=_number(authored), subject=_bounded(subject.strip()) or None)
    return refs


def _bounded(subject: str) -> str:
    return subject if len(subject) <= MAX_SUBJECT else subject[: MAX_SUBJECT - 1] + "…"


def _number(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None
