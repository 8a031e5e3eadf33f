"""Asks git how commits descend from each other; every question is one short process with a limit of time."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.environment.git.checkout import DEFAULT_BRANCHES, Git

TIMEOUT_S = 5.0
MOST_COMMITS = 2000
"""How far back ancestors are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    """The commits of a checkout; use `open_ancestry`.

    Attributes:
        root: a folder of the checkout.
        environ: environment variables of the git processes.
        is_shallow: whether older commits are cut off: then what is not found may be there all the same.
        default_branch: name of the branch that others leave from; None if it is not known.
    """

    root: Path
    environ: Mapping[str, str]
    is_shallow: bool
    default_branch: str | None
    timeout_s: float = TIMEOUT_S

    def commit_of(self, name: str) -> str | None:
        """Return the full hash that a branch, a tag or the beginning of a hash stands for; None if nothing does.

        A branch that is only known from a remote counts too.
        """
        if name.startswith("-"):
            return None
        for ref in (name, f"refs/remotes/origin/{name}"):
            found = self._ask("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
            if found:
                return found
        return None

    def merge_base(self, commit: str, other: str) -> str | None:
        """Return the newest commit that both descend from; None if there is none or it is cut off.

        Args:
            commit: a full hash.
            other: likewise.
        """
        found = self._ask("merge-base", commit, other)
        return found.splitlines()[0] if found else None

    def ancestors(self, commit: str, *, first_parent: bool = False, limit: int = MOST_COMMITS) -> list[str]:
        """Return a commit and what it descends from, newest first; empty if the checkout does not know it.

        Args:
            commit: a full hash.
            first_parent: only the branch itself, without what was merged into it.
            limit: how many at most.
        """
        options = ["--first-parent"] if first_parent else ["--topo-order"]
        return (self._ask("rev-list", *options, f"--max-count={limit}", commit) or "").split()

    def tags(self, pattern: str) -> dict[str, str]:
        """Return the commits of the tags that match a glob, by name of the tag."""
        listed = self._ask("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", "refs/tags") or ""
        found = {}
        for line in listed.splitlines():
            ref, _, hashes = line.partition(" ")
            name = ref.removeprefix("refs/tags/")
            if fnmatch.fnmatchcase(name, pattern):
                found[name] = hashes.split()[-1]  # an annotated tag has two: its own and its commit's
        return found

    def _ask(self, *arguments: str) -> str | None:
        text = Git(self.root, self.environ, self.timeout_s).output(*arguments)
        return text.strip() if text is not None else None


def open_ancestry(root: Path, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> Ancestry | None:
    """Return the commits of the checkout that `root` belongs to; None without git or outside of a checkout.

    Args:
        root: a folder.
        environ: environment variables of the git processes.
        timeout_s: limit of each git process.
    """
    git = Git(root, environ, timeout_s)
    told = git.output("rev-parse", "--is-inside-work-tree", "--is-shallow-repository")
    if told is None:
        return None
    return Ancestry(
        root=root,
        environ=environ,
        is_shallow=told.split()[-1:] == ["true"],
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
    found = [name for name in DEFAULT_BRANCHES if {f"refs/heads/{name}", f"{prefix}{name}"} & set(present)]
    return found[0] if found else None
