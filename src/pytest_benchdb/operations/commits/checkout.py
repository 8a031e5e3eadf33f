"""A commit checked out into a folder of its own, with its submodules and perhaps another commit's benchmark files."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.environment.git.tree import fill_submodules, list_tree, take_files
from pytest_benchdb.environment.git.worktree import find_checkout, find_commit, worktree
from pytest_benchdb.errors import ConfigError

SHORT = 7
"""Digits of a commit in messages."""
_WITH_VALUE = frozenset({
    *("-k", "-m", "-p", "-c", "-o", "-W", "-r", "-n"),
    *("--rootdir", "--confcutdir", "--ignore", "--ignore-glob", "--deselect", "--basetemp", "--override-ini"),
})  # fmt: skip
"""Options of pytest whose next word is a value; a folder of the project could have its name."""
_CONFTEST = "conftest.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where commits are checked out from.

    Attributes:
        checkout: top folder of the user's checkout.
        folder: the user's working folder in it.
        environ: environment variables of every process.
    """

    checkout: Path
    folder: Path
    environ: Mapping[str, str]

    @property
    def inner(self) -> Path:
        """The working folder, relative to the top."""
        return self.folder.resolve().relative_to(self.checkout.resolve())


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCommit:
    """A commit that is checked out.

    Attributes:
        sha: its full hash.
        root: top folder of its own checkout.
        folder: where pytest runs: the counterpart of the user's working folder in `root`.
        checkout: top folder of the user's checkout, whose code this commit must not import.
    """

    sha: str
    root: Path
    folder: Path
    checkout: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkFiles:
    """Benchmark files of one commit, to be measured with the code of others.

    Attributes:
        sha: full hash of the commit that they are from.
        paths: relative to the top of the checkout.
        content: git's hashes of them, by path; files with the same hashes are the same.
    """

    sha: str
    paths: tuple[str, ...]
    content: Mapping[str, str]


def find_origin(folder: Path, environ: Mapping[str, str]) -> Origin:
    """Return the checkout that contains a folder.

    Raises:
        ConfigError: there is none, or git is not installed.
    """
    return Origin(checkout=find_checkout(folder, environ), folder=folder, environ=environ)


@contextlib.contextmanager
def open_commit(
    origin: Origin,
    sha: str,
    temporary: Path,
    say: Callable[[str], None],
    *,
    name: str | None = None,
    files: BenchmarkFiles | None = None,
) -> Iterator[OpenCommit]:
    """Check out a commit for the length of a block; the user's checkout is not touched.

    Args:
        origin: the user's checkout.
        sha: full hash of the commit.
        temporary: an existing folder for the new one.
        say: called with one line per warning.
        name: of the commit, for messages; None for its hash.
        files: benchmark files to put in the place of its own.

    Raises:
        ConfigError: git cannot check it out, or it lacks the working folder.
    """
    name = name or sha[:SHORT]
    # Keep the folder's name: suites without an explicit project name are named after it.
    place = temporary / sha[:12] / origin.checkout.name
    with worktree(origin.checkout, sha, place, origin.environ) as root:
        for path in fill_submodules(root, sha, origin.environ):
            advice = "git submodule update --init in your checkout gets it"
            say(f"{name}: the folder of submodule {path} is empty, because your checkout lacks it; {advice}")
        if files is not None:
            take_files(root, files.sha, files.paths, origin.environ)
        folder = root / origin.inner
        if not folder.is_dir():
            raise ConfigError(f"{name} has no folder {origin.inner}; run this in a folder that it has")
        yield OpenCommit(sha=sha, root=root, folder=folder, checkout=origin.checkout)


def check_arguments(arguments: Sequence[str], folder: Path) -> None:
    """Refuse arguments of pytest that mean the user's own checkout whichever commit is checked out.

    Raises:
        ConfigError: there is one.
    """
    for argument in arguments:
        path = Path(argument.partition("::")[0])
        if path.is_absolute() and path.exists() and path.is_relative_to(folder):
            raise ConfigError(f"{argument} is in your checkout whatever runs; write {path.relative_to(folder)}")


def find_benchmark_files(origin: Origin, ref: str, arguments: Sequence[str]) -> BenchmarkFiles:
    """Return the files and folders that pytest's arguments name, as they are in a commit, with their conftest.py.

    Args:
        origin: the user's checkout.
        ref: the commit, as the user wrote it.
        arguments: of pytest.

    Raises:
        ConfigError: there is no such commit, or it has none of them, or they are the whole checkout.
    """
    checkout, environ = origin.checkout, origin.environ
    sha = find_commit(checkout, ref, environ)
    named = [_inside(origin.inner / path) for path in _paths_of(arguments)]
    wanted = [path for path in named if path is not None]
    if "." in wanted:
        what = "the arguments of pytest name the whole checkout, whose code would not be the past commit's"
        raise ConfigError(f"--benchmarks-from {ref}: {what}; name the folder of the benchmarks: -- pytest tests/bench")
    found = {entry.path: entry.id for entry in list_tree(checkout, sha, wanted, environ)} if wanted else {}
    if not found:
        raise ConfigError(
            f"--benchmarks-from {ref}: name files or folders of benchmarks that {ref} has: -- pytest tests/bench"
        )
    above = sorted({(parent / _CONFTEST).as_posix() for path in found for parent in Path(path).parents})
    found |= {entry.path: entry.id for entry in list_tree(checkout, sha, above, environ)}
    return BenchmarkFiles(sha=sha, paths=tuple(found), content=found)


def _paths_of(arguments: Sequence[str]) -> Iterator[str]:
    """Yield what may be paths among the arguments of pytest."""
    before = ""
    for argument in arguments:
        if before not in _WITH_VALUE and not argument.startswith("-"):
            yield argument.partition("::")[0]
        before = argument


def _inside(path: Path) -> str | None:
    """Return a path relative to the top of the checkout without ``..``; None if it leads out of it."""
    parts: list[str] = []
    for part in path.parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return None
    return None if path.is_absolute() else Path(*parts).as_posix()
