"""The commits between two commits, along the branch of the later one, with what each of them changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.environment.git.checkout import Git
from pytest_benchdb.errors import ConfigError

TIMEOUT_S = 60.0
_RECORD, _FIELD = "\x02", "\x1f"
_FORMAT = _RECORD + _FIELD.join(("%H", "%P", "%an", "%aI", "%s", ""))
_SHORT = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeCommit:
    """A commit of a range.

    Attributes:
        parents: full hashes; several for a merge, the first of them on its own branch.
        authored_at: ISO 8601 with the author's own offset.
        subject: first line of the message.
        files: paths that differ from its first parent, relative to the top of the checkout.
    """

    sha: str
    parents: tuple[str, ...]
    author: str
    authored_at: str
    subject: str
    files: tuple[str, ...]

    @property
    def is_merge(self) -> bool:
        """Whether it joins another branch."""
        return len(self.parents) > 1


def read_range(checkout: Path, good: str, bad: str, environ: Mapping[str, str]) -> list[RangeCommit]:
    """Return the commits after `good` up to `bad`, oldest first.

    Of merges only the first parent is followed, so that each commit of the list contains all before it. If `good` is
    on a branch that was merged, the list begins with the merge that brought it in.

    Args:
        checkout: a folder of the checkout.
        good: full hash.
        bad: full hash.
        environ: environment variables for git.

    Raises:
        ConfigError: `good` is not an ancestor of `bad`, or git cannot list the commits.
    """
    git = Git(checkout, environ, TIMEOUT_S)
    if git.output("merge-base", "--is-ancestor", good, bad) is None:
        raise ConfigError(_not_an_ancestor(git, good, bad))
    listed = git.output(
        *("log", "--first-parent", "--diff-merges=first-parent", "--name-only", "--no-renames", "-z"),
        *(f"--format={_FORMAT}", f"{good}..{bad}", "--"),
    )
    if listed is None:
        raise ConfigError(f"git cannot list the commits of {good[:_SHORT]}..{bad[:_SHORT]} in {checkout}; run git fsck")
    commits = [_commit(record) for record in listed.split(_RECORD)[1:]]
    if commits and good not in commits[-1].parents[:1]:
        descendants = set((git.output("rev-list", "--ancestry-path", f"{good}..{bad}", "--") or "").split())
        commits = [commit for commit in commits if commit.sha in descendants]
    return commits[::-1]


def merged_branch(checkout: Path, merge: RangeCommit, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return where the branch that a merge brought in left, and its last commit, as full hashes.

    None for a merge of more than two branches, and for branches without a common ancestor.
    """
    if len(merge.parents) != 2:  # noqa: PLR2004 - its own branch and the merged one
        return None
    own, merged = merge.parents
    base = (Git(checkout, environ, TIMEOUT_S).output("merge-base", own, merged) or "").split()
    return (base[0], merged) if base and base[0] != merged else None


def _commit(record: str) -> RangeCommit:
    sha, parents, author, authored_at, rest = record.split(_FIELD, 4)
    subject, _, files = rest.rpartition(_FIELD)
    return RangeCommit(
        sha=sha,
        parents=tuple(parents.split()),
        author=author,
        authored_at=authored_at,
        subject=subject,
        files=tuple(path.lstrip("\n") for path in files.split("\0") if path.strip("\n")),
    )


def _not_an_ancestor(git: Git, good: str, bad: str) -> str:
    text = f"{good[:_SHORT]} is not an ancestor of {bad[:_SHORT]}"
    if (git.output("rev-parse", "--is-shallow-repository") or "").strip() == "true":
        return f"{text} in this clone, which is shallow; git fetch --unshallow brings the rest"
    if git.output("merge-base", "--is-ancestor", bad, good) is not None:
        return f"{text}, but the other way round; write the older commit first: {bad[:_SHORT]} {good[:_SHORT]}"
    base = (git.output("merge-base", good, bad) or "").split()
    advice = (
        f"their common ancestor is {base[0][:_SHORT]}, which may be the good one" if base else "they share no commit"
    )
    return f"{text}; {advice}"
