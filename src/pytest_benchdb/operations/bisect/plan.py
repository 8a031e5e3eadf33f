"""The request of a search, the commits that it is about, and how likely each is before anything is measured."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_benchdb.environment.git.commit_range import RangeCommit, merged_branch, read_range
from pytest_benchdb.environment.git.worktree import find_commit, has_changes
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.commits.checkout import Origin
from pytest_benchdb.operations.commits.record import CommitSuite

SEARCH_TAG = "bisect"
"""Session tag with the search's id, which calls with the same commits and command share: so a search can go on."""
STEP_TAG = "bisect-step"
"""Session tag with the step's number; sessions of a step ran in turn."""

COUNTED = frozenset({"instructions", "l1_misses", "ll_misses"})
"""Metrics that are counted, in runs of their own; they repeat to a permille."""

UNLIKELY = 0.02
"""Weight of a commit that changes no file that the benchmark imports, relative to one that does.

Not 0: data that it reads and programs that it starts are not seen among its imports.
"""

_ID_BYTES = 5
_TEXTS = frozenset({".md", ".rst", ".txt", ".adoc"})
_TEXT_NAMES = frozenset({"license", "copying", "authors", "changelog", "changes", "notice", "codeowners", ".gitignore"})
_TEXT_FOLDERS = frozenset({".github", ".gitlab", "docs", "doc", "changelog.d"})
_SETTING_UP = frozenset({"setup.py", "conftest.py", "noxfile.py"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BisectRequest:
    """What to search for.

    Attributes:
        good: the earlier commit, as the user wrote it.
        bad: the later commit, as the user wrote it.
        suite: what to run at each commit.
        metric: name of a metric, or a word such as ``time``.
        keyword: `-k` expression over full names; None for all benchmarks.
        fullname: the benchmark, if it is known; None to follow the one that changed most.
        history: database whose sessions count as well; None for no other than the search's own.
        share: smallest change that counts; None for the metric's default.
        confidence: probability from which the answer is known.
        most_steps: number of steps after which the search ends.
        sessions: sessions of each commit in a step, for metrics that do not repeat exactly.
        into_merges: whether a merge that is the culprit is searched on in its branch.
    """

    good: str
    bad: str
    suite: CommitSuite
    metric: str
    keyword: str | None = None
    fullname: str | None = None
    history: Path | None = None
    share: float | None = None
    confidence: float = 0.95
    most_steps: int = 14
    sessions: int = 3
    into_merges: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The commits that a search is about.

    Attributes:
        good: full hash of the commit before the first of `commits`.
        commits: along the first parents, oldest first; the last one is the bad end.
    """

    good: str
    commits: tuple[RangeCommit, ...]

    @property
    def shas(self) -> tuple[str, ...]:
        """The full hashes by place: the good end is at 0."""
        return (self.good, *(commit.sha for commit in self.commits))


def find_span(request: BisectRequest, origin: Origin) -> Span:
    """Return the commits of a request.

    Raises:
        ConfigError: there is no such commit, both are the same, or the good one is not an ancestor of the bad one.
    """
    good, bad = (find_commit(origin.checkout, name, origin.environ) for name in (request.good, request.bad))
    if good == bad:
        raise ConfigError(f"{request.good} and {request.bad} are the same commit; name an earlier GOOD and a later BAD")
    return Span(good=good, commits=tuple(read_range(origin.checkout, good, bad, origin.environ)))


def branch_span(merge: RangeCommit, origin: Origin) -> Span | None:
    """Return the commits of the branch that a merge brought in; None for a merge of more than two branches."""
    ends = merged_branch(origin.checkout, merge, origin.environ)
    if ends is None:
        return None
    commits = read_range(origin.checkout, *ends, origin.environ)
    return Span(good=ends[0], commits=tuple(commits)) if commits else None


def search_id(span: Span, suite: CommitSuite) -> str:
    """Return the id of a search: the same for the same ends and the same command."""
    files = suite.files.sha if suite.files is not None else ""
    counting = ("counts", "cache")[: suite.counts + suite.cache]
    command = (
        *suite.program,
        "",
        *suite.arguments,
        "",
        *suite.pythonpath,
        suite.setup or "",
        suite.build or "",
        files,
        *counting,
    )
    text = "\0".join((span.good, span.commits[-1].sha, *command))
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=_ID_BYTES).hexdigest()


def weights_of(
    commits: Sequence[RangeCommit], imported: Collection[str] | None, replaced: Collection[str] = ()
) -> tuple[float, ...]:
    """Return how likely each commit is to be the culprit before anything is measured.

    Args:
        commits: oldest first.
        imported: files of the project that the benchmark imports at either end; None if that is not known.
        replaced: benchmark files that every commit is measured with, whatever it has itself.
    """
    known, fixed = None if imported is None else frozenset(imported), frozenset(replaced)
    return tuple(
        1.0 if not commit.files or any(_may_matter(path, known, fixed) for path in commit.files) else UNLIKELY
        for commit in commits
    )


def _may_matter(path: str, imported: frozenset[str] | None, replaced: frozenset[str]) -> bool:
    place = PurePosixPath(path)
    if path in replaced:
        return False
    if place.suffix == ".py":
        return imported is None or path in imported or place.name in _SETTING_UP
    if not _TEXT_FOLDERS.isdisjoint(place.parts[:-1]):
        return False
    is_requirements = place.name.startswith(("requirements", "constraints"))
    is_text = place.suffix.lower() in _TEXTS or place.stem.lower() in _TEXT_NAMES or place.name in _TEXT_NAMES
    return is_requirements or not is_text


def remarks_on(span: Span, weights: Sequence[float], origin: Origin) -> list[str]:
    """Return what a user should know of the commits before the search begins, one line each."""
    remarks = []
    merges = sum(commit.is_merge for commit in span.commits)
    if merges:
        remarks.append(
            f"{merges} of {len(span.commits)} commits are merges; only the first parents are followed, and the branch "
            "of a merge that is the culprit is searched afterwards"
        )
    unlikely = sum(weight < 1 for weight in weights)
    if unlikely:
        remarks.append(f"{unlikely} of {len(span.commits)} commits change nothing that the benchmark imports: unlikely")
    if has_changes(origin.checkout, origin.environ):
        remarks.append("the working tree has changes that are not committed; only commits are measured")
    return remarks


def passes_for(metric: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """Return pytest's arguments with the pass that measures a metric, unless they select passes themselves."""
    name = _PASSES.get(metric)
    if name is None or any(argument.startswith("--benchdb-passes") for argument in arguments):
        return tuple(arguments)
    return (*arguments, f"--benchdb-passes={name}")


_PASSES: Mapping[str, str] = {
    **dict.fromkeys(("memory", "python_peak"), "memory"),
    "native_peak": "memray",
    **dict.fromkeys(("energy", "energy_per_sample"), "energy"),
    **dict.fromkeys(("cycles", "cache_misses", "branch_misses"), "counters"),
}
