"""Files of commits: listed, copied into a worktree, and those of submodules, which a worktree lacks."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.environment.git.worktree import message_of, run_git
from pytest_benchdb.errors import ConfigError

_MODULES = ".gitmodules"
_SUBMODULE_TYPE = "commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """A file, folder or submodule of a commit.

    Attributes:
        type: ``blob``, ``tree`` or ``commit``.
        id: git's hash of its content; that of a submodule is a commit.
        path: relative to the top of the checkout.
    """

    type: str
    id: str
    path: str


def list_tree(
    checkout: Path, commit: str, paths: Sequence[str], environ: Mapping[str, str], *, recursive: bool = False
) -> list[TreeEntry]:
    """Return the entries of a commit at some paths, in the order of their names; those that it lacks are left out.

    Args:
        checkout: the top folder of a checkout.
        commit: full hash.
        paths: relative to `checkout`; with a ``/`` at the end, what is in a folder. Empty for the top folder.
        environ: environment variables for git.
        recursive: whether folders are replaced by what is in them.
    """
    options = ("-z", "-r") if recursive else ("-z",)
    done = run_git(checkout, environ, "--literal-pathspecs", "ls-tree", *options, commit, "--", *paths)
    entries = []
    for line in filter(None, done.stdout.split("\0")):
        facts, _, path = line.partition("\t")
        _mode, kind, content = facts.split()
        entries.append(TreeEntry(type=kind, id=content, path=path))
    return entries


def take_files(worktree: Path, source: str, paths: Sequence[str], environ: Mapping[str, str]) -> None:
    """Replace files and folders of a worktree by those of another commit, which git then counts as unchanged.

    Files that only the worktree's own commit has in such a folder go. What is measured is the worktree's commit: its
    benchmark files are a tool, like the version of pytest.

    Args:
        worktree: top folder of a worktree of ours.
        source: full hash of the commit to take them from.
        paths: relative to `worktree`; the source has all of them.
        environ: environment variables for git.

    Raises:
        ConfigError: git cannot write them.
    """
    restore = ("restore", f"--source={source}", "--worktree", "--", *paths)
    done = run_git(worktree, environ, "--literal-pathspecs", *restore)
    if done.returncode != 0:
        raise ConfigError(f"the benchmark files of {source[:12]} cannot be written: {message_of(done)}")
    changed = run_git(worktree, environ, "diff", "--name-only", "-z").stdout.split("\0")
    names = [name for name in changed if name]
    if names:
        run_git(worktree, environ, "update-index", "--skip-worktree", "--", *names)


def fill_submodules(worktree: Path, commit: str, environ: Mapping[str, str]) -> list[str]:
    """Write the files of a worktree's submodules as far as the user's checkout has them; nothing is downloaded.

    Neither the configuration nor the index of any repository changes.

    Returns:
        the paths of submodules that stay empty.
    """
    if not (worktree / _MODULES).is_file():
        return []
    common = run_git(worktree, environ, "rev-parse", "--path-format=absolute", "--git-common-dir").stdout.strip()
    return list(_fill(worktree, Path(common), commit, environ))


def _fill(folder: Path, repository: Path, commit: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Fill the submodules of one repository's files; yield the paths of those that stay empty."""
    listed = run_git(
        folder, environ, "config", "--file", _MODULES, "-z", "--get-regexp", r"^submodule\..*\.path$"
    ).stdout
    for key, path in _pairs(listed.split("\0")):
        name = key.removeprefix("submodule.").removesuffix(".path")
        place = folder / path
        if ".." in Path(name).parts or not place.resolve().is_relative_to(folder.resolve()):
            continue  # not a name or a path that git itself accepts
        tree = f"--git-dir={repository}", "ls-tree", commit, "--", path
        facts = run_git(folder, environ, *tree).stdout.split()
        if facts[1:2] != [_SUBMODULE_TYPE]:
            continue  # another commit had it
        own = repository / "modules" / name
        if not own.is_dir() or not _write_files(own, facts[2], place, environ):
            yield path
        elif (place / _MODULES).is_file():
            yield from (f"{path}/{inner}" for inner in _fill(place, own, facts[2], environ))


def _write_files(repository: Path, commit: str, folder: Path, environ: Mapping[str, str]) -> bool:
    """Write all files of a commit into a folder; return whether the repository has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchdb-index-") as scratch:
        arguments = (f"--git-dir={repository}", f"--work-tree={folder}", "-c", f"core.hooksPath={os.devnull}")
        done = run_git(folder, environ, *arguments, "checkout", commit, "--", ".", index=f"{scratch}/index")
    return done.returncode == 0


def _pairs(entries: Iterable[str]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        key, separator, value = entry.partition("\n")
        if separator:
            yield key, value
