"""Asks git about the ancestry and order of commits; each question is one short process with a time limit."""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.environment.git.checkout import DEFAULT_BRANCHES, Git

TIMEOUT_S = 5.0
MOST_COMMITS = 2000
"""How far back ancestors are searched."""
MOST_CHARACTERS = 256
"""Names that are longer are not looked up."""
ORDER_TIMEOUT_S = 20.0
"""Listing a million commits takes about ten seconds."""

# In imported results a commit can be any text; git would read some of it as options.
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    """The commits of a checkout; use `open_ancestry`.

    Attributes:
        root: a folder of the checkout.
        environ: environment variables of the git processes.
        is_shallow: whether older commits are cut off, so that a commit that is not found may still exist.
        default_branch: name of the branch that others start from; None if unknown.
    """

    root: Path
    environ: Mapping[str, str]
    is_shallow: bool
    default_branch: str | None
    timeout_s: float = TIMEOUT_S

    def commit_of(self, name: str) -> str | None:
        """Return the full hash of whatever git takes for one commit: ``HEAD~3``, a branch, a tag, a short hash.

        A branch that exists only on the remote counts too. None if there is no such commit.
        """
        return self._first_commit(name, f"refs/remotes/origin/{name}")

    def tip_of(self, branch: str) -> str | None:
        """Return the full hash of the newest commit of a branch, here or on the remote; None without one."""
        return self._first_commit(f"refs/heads/{branch}", f"refs/remotes/origin/{branch}")

    def _first_commit(self, *names: str) -> str | None:
        if len(names[0]) > MOST_CHARACTERS:
            return None
        asked = (
            self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            for name in names
            if not name.startswith("-")  # for old versions of git
        )
        return next((commit for commit in asked if commit and _COMMIT.fullmatch(commit)), None)

    def merge_base(self, commit: str, other: str) -> str | None:
        """Return the newest common ancestor of two full hashes; None if there is none or it is cut off."""
        if not _COMMIT.fullmatch(commit) or not _COMMIT.fullmatch(other):
            return None
        bases = self._ask("merge-base", commit, other)
        return bases.splitlines()[0] if bases else None

    def ancestors(self, commit: str, *, first_parent: bool = False, limit: int = MOST_COMMITS) -> list[str]:
        """Return a commit and its ancestors, newest first, at most `limit`; empty if the checkout lacks the commit.

        With `first_parent`, only the commits of the branch itself, without those merged into it.
        """
        if not _COMMIT.fullmatch(commit):
            return []
        options = ["--first-parent"] if first_parent else ["--topo-order"]
        return (self._ask("rev-list", *options, f"--max-count={limit}", commit) or "").split()

    def between(self, base: str, head: str) -> list[str] | None:
        """Return the commits of ``base..head``, newest first, at most `MOST_COMMITS`; None if git lacks an end."""
        ends = self.commit_of(base), self.commit_of(head)
        if None in ends:
            return None
        listed = self._ask("rev-list", f"--max-count={MOST_COMMITS}", f"{ends[0]}..{ends[1]}", "--")
        return None if listed is None else listed.split()

    def tags(self, pattern: str) -> dict[str, str]:
        """Return the commits of the tags that match a glob, by tag name."""
        listed = self._ask("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", "refs/tags") or ""
        commits = {}
        for line in listed.splitlines():
            ref, _, hashes = line.partition(" ")
            name = ref.removeprefix("refs/tags/")
            if fnmatch.fnmatchcase(name, pattern):
                commits[name] = hashes.split()[-1]  # an annotated tag has two, its own and its commit's
        return commits

    def _ask(self, *arguments: str) -> str | None:
        text = Git(self.root, self.environ, self.timeout_s).output(*arguments)
        return text.strip() if text is not None else None


def open_ancestry(root: Path, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> Ancestry | None:
    """Return the commits of the checkout that contains `root`; None without git or outside a checkout.

    `timeout_s` limits each git process; `environ` has the environment variables of all.
    """
    git = Git(root, environ, timeout_s)
    answers = git.output("rev-parse", "--is-inside-work-tree", "--is-shallow-repository")
    if answers is None:
        return None
    return Ancestry(
        root=root,
        environ=environ,
        is_shallow=answers.split()[-1:] == ["true"],
        default_branch=_default_branch(git),
        timeout_s=timeout_s,
    )


def _default_branch(git: Git) -> str | None:
    prefix = "refs/remotes/origin/"
    head = (git.output("symbolic-ref", "--quiet", f"{prefix}HEAD") or "").strip()
    if head.startswith(prefix):
        return head.removeprefix(prefix)
    places = [f"{place}{name}" for name in DEFAULT_BRANCHES for place in ("refs/heads/", prefix)]
    present = (git.output("for-each-ref", "--format=%(refname)", *places) or "").split()
    return next((name for name in DEFAULT_BRANCHES if {f"refs/heads/{name}", f"{prefix}{name}"} & set(present)), None)


def commit_positions(
    root: Path, commits: Iterable[str], environ: Mapping[str, str], *, timeout_s: float = ORDER_TIMEOUT_S
) -> dict[str, int]:
    """Return the position of each commit, by full hash, in an order that puts parents before their children.

    Commits of parallel branches are ordered by date. Commits that the repository lacks are left out; without git or
    outside a repository the result is empty.
    """
    wanted = {commit for commit in commits if _COMMIT.fullmatch(commit)}
    options = ("--date-order", "--reverse", "--ignore-missing")
    text = Git(root, environ, timeout_s).output("rev-list", *options, *sorted(wanted)) if wanted else None
    return {commit: position for position, commit in enumerate((text or "").split()) if commit in wanted}


def commits_between(
    root: Path, before: str, after: str, environ: Mapping[str, str], *, timeout_s: float = ORDER_TIMEOUT_S
) -> int | None:
    """Count the ancestors of `after` that are not ancestors of `before`; None if git cannot answer."""
    if not _COMMIT.fullmatch(before) or not _COMMIT.fullmatch(after):
        return None
    text = Git(root, environ, timeout_s).output("rev-list", "--count", f"{before}..{after}", "--")
    return int(text) if text else None
