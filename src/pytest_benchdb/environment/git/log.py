"""Lists commits of a range with their dates and subjects, oldest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.environment.git.checkout import parse_refs, utc_text
from pytest_benchdb.environment.git.worktree import message_of, run_git
from pytest_benchdb.errors import ConfigError

_FORMAT = "%H %at HEAD %s"
_BRANCH = "refs/heads/"
_REMOTE = "refs/remotes/"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCommit:
    """A commit as ``git log`` shows it.

    Attributes:
        authored_unix_s: the author's time; None if it is outside the calendar.
        subject: the first line of its message; None without one.
    """

    sha: str
    authored_unix_s: int | None
    subject: str | None

    @property
    def authored_at(self) -> str | None:
        """The author's time, ISO 8601 in UTC without an offset."""
        return utc_text(self.authored_unix_s)


def list_commits(
    checkout: Path, arguments: Sequence[str], environ: Mapping[str, str], *, first_parent: bool = True
) -> list[LoggedCommit]:
    """Return commits, parents before their children.

    Args:
        checkout: a folder of the checkout.
        arguments: of ``git log``: a range of full hashes, or ``--no-walk`` and hashes.
        environ: environment variables for git.
        first_parent: whether commits that a merge brought in are left out.

    Raises:
        ConfigError: git cannot list them.
    """
    order = ("--reverse", "--topo-order", *(("--first-parent",) if first_parent else ()))
    options = ("-c", "log.showSignature=false", "log", f"--format={_FORMAT}")
    done = run_git(checkout, environ, *options, *order, *arguments, "--")
    if done.returncode != 0:
        raise ConfigError(f"git cannot list {' '.join(arguments)}: {message_of(done)}")
    commits = []
    for line in done.stdout.splitlines():
        ref = parse_refs(line).get("HEAD")
        if ref is not None:
            commits.append(LoggedCommit(sha=ref.sha, authored_unix_s=ref.author_unix_s, subject=ref.subject))
    return commits


def branch_of(checkout: Path, name: str, default: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the branch that a commit is on: the one that `name` is, else the default branch if it has the commit.

    Args:
        checkout: a folder of the checkout.
        name: as a user wrote it: a branch, a tag, ``HEAD~3``.
        default: the default branch; None if unknown.
        environ: environment variables for git.
    """
    full = run_git(checkout, environ, "rev-parse", "--symbolic-full-name", name).stdout.strip()
    if full == "HEAD":
        full = run_git(checkout, environ, "symbolic-ref", "--quiet", "HEAD").stdout.strip()
    if full.startswith(_BRANCH):
        return full.removeprefix(_BRANCH)
    if full.startswith(_REMOTE):
        return full.removeprefix(_REMOTE).partition("/")[2] or None
    if default is None:
        return None
    tips = (f"{_BRANCH}{default}", f"{_REMOTE}origin/{default}")
    has = (run_git(checkout, environ, "merge-base", "--is-ancestor", name, tip).returncode == 0 for tip in tips)
    return default if any(has) else None
