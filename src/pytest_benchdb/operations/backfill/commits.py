"""Read a RANGE of commits as users write it: ``v1.0..main``, ``HEAD~20..``, a glob of tags, or one commit."""

from collections.abc import Collection
from dataclasses import dataclass

from pytest_benchdb.environment.git.ancestry import Ancestry, commit_positions, open_ancestry
from pytest_benchdb.environment.git.log import LoggedCommit, branch_of, list_commits
from pytest_benchdb.environment.git.worktree import find_commit
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.commits.checkout import Origin

_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRange:
    """The commits of a range.

    Attributes:
        commits: parents before their children.
        branch: that they are on; None if unknown.
    """

    commits: tuple[LoggedCommit, ...]
    branch: str | None


def read_range(origin: Origin, text: str, *, all_parents: bool = False) -> CommitRange:
    """Return the commits of a range.

    Args:
        origin: the user's checkout.
        text: ``A..B`` for the commits of B that A lacks, where A or B left out is HEAD; a glob of tags; or one commit.
        all_parents: whether commits that came in by a merge count too, not only those of the branch itself.

    Raises:
        ConfigError: it names something that is not there, or no commit.
    """
    git = _ancestry(origin)
    if "..." in text:
        raise ConfigError(f"RANGE {text}: write two dots, as in {text.replace('...', '..')}")
    first, dots, last = text.partition("..")
    if dots:
        ends = [find_commit(origin.checkout, name or "HEAD", origin.environ) for name in (first, last)]
        commits = list_commits(
            origin.checkout, (f"{ends[0]}..{ends[1]}",), origin.environ, first_parent=not all_parents
        )
        if not commits:
            raise ConfigError(_empty(text, first or "HEAD", last or "HEAD"))
        branch = branch_of(origin.checkout, last or "HEAD", git.default_branch, origin.environ)
    elif _GLOB.isdisjoint(text):
        sha = find_commit(origin.checkout, text, origin.environ)
        commits = list_commits(origin.checkout, ("--no-walk", sha), origin.environ)
        branch = branch_of(origin.checkout, text, git.default_branch, origin.environ)
    else:
        commits = read_commits(origin, tagged(origin, text))
        branch = branch_of(origin.checkout, commits[-1].sha, git.default_branch, origin.environ)
    return CommitRange(commits=tuple(commits), branch=branch)


def tagged(origin: Origin, pattern: str) -> set[str]:
    """Return the commits of the tags that match a glob; at least one.

    Raises:
        ConfigError: no tag matches.
    """
    tags = _ancestry(origin).tags(pattern)
    if not tags:
        raise ConfigError(f"no tag matches {pattern}; git tag lists those of {origin.checkout}")
    return set(tags.values())


def between(origin: Origin, before: str, after: str) -> set[str]:
    """Return the commits after one and before another, both full hashes; neither of the two."""
    listed = list_commits(origin.checkout, (f"{before}..{after}",), origin.environ, first_parent=False)
    return {commit.sha for commit in listed} - {after}


def read_commits(origin: Origin, shas: Collection[str]) -> list[LoggedCommit]:
    """Return commits by their full hashes, parents before their children."""
    places = commit_positions(origin.checkout, shas, origin.environ)
    commits = list_commits(origin.checkout, ("--no-walk", *sorted(shas)), origin.environ)
    return sorted(commits, key=lambda commit: places.get(commit.sha, -1))


def _ancestry(origin: Origin) -> Ancestry:
    git = open_ancestry(origin.checkout, origin.environ)
    if git is None:
        raise ConfigError(f"{origin.checkout} is not a git checkout, or git does not answer; run git status there")
    return git


def _empty(text: str, first: str, last: str) -> str:
    return f"RANGE {text} has no commit: {first} has every commit of {last}; perhaps you mean {last}..{first}"
