"""Asks git in which order commits follow each other, and how many lie between two."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_benchdb.environment.git.checkout import Git

TIMEOUT_S = 20.0
"""Listing a million commits takes about ten seconds."""

# Imported results hold whatever their files called a commit; git would read some of it as options.
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def commit_positions(
    root: Path, commits: Iterable[str], environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S
) -> dict[str, int]:
    """Return the place of each commit in an order that puts no commit before its parents.

    Commits of branches that go on side by side are ordered by their dates.

    Args:
        root: a folder of the working copy.
        commits: whole ids.
        environ: environment variables of the git process.
        timeout_s: limit for the git process.

    Returns:
        No entry for a commit that the repository does not have; empty without git or outside a repository.
    """
    wanted = {commit for commit in commits if _COMMIT.fullmatch(commit)}
    options = ("--date-order", "--reverse", "--ignore-missing")
    text = Git(root, environ, timeout_s).output("rev-list", *options, *sorted(wanted)) if wanted else None
    return {commit: place for place, commit in enumerate((text or "").split()) if commit in wanted}


def commits_between(
    root: Path, before: str, after: str, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S
) -> int | None:
    """Return how many commits `after` has that `before` has not; None if git cannot tell."""
    if not _COMMIT.fullmatch(before) or not _COMMIT.fullmatch(after):
        return None
    text = Git(root, environ, timeout_s).output("rev-list", "--count", f"{before}..{after}", "--")
    return int(text) if text else None
