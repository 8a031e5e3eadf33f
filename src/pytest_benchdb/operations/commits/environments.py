"""Environments of past commits: the user's command makes one for each set of dependencies, and commits share it.

Environments are kept in the user's cache folder, so that going on after an interrupt makes none again.
"""

import fnmatch
import hashlib
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.environment.git.tree import list_tree
from pytest_benchdb.operations.commits.checkout import OpenCommit, Origin
from pytest_benchdb.operations.pytest_run import last_line, run_to_end
from pytest_benchdb.store.cache import cache_folder
from pytest_benchdb.store.lock import waiting_lock

DEPENDENCY_FILES = (
    *("pyproject.toml", "setup.py", "setup.cfg", "requirements*", "constraints*"),
    *("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "environment.yml"),
)
"""Commits in which these files are equal have the same dependencies."""

_READY = "ready"
_KEY_BYTES = 10


class StepError(Exception):
    """A command of the user failed at a commit; the text says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """The environments of past commits.

    Attributes:
        origin: the user's checkout.
        setup: the command that makes one, for a shell.
        log: file for the output of commands.
    """

    origin: Origin
    setup: str
    log: Path

    def prepare(self, commit: OpenCommit) -> Path:
        """Return the environment for a commit; make it if none of the same dependencies is there.

        Raises:
            StepError: the command failed; what it left is removed.
            OSError: the cache folder cannot be written.
        """
        key = self.key(commit.sha)
        place = cache_folder(self.origin.environ) / "environments" / key
        place.mkdir(parents=True, exist_ok=True)
        with waiting_lock(place.with_suffix(".lock")):
            folder = place / "env"
            if (place / _READY).is_file() and folder.is_dir():
                return folder
            shutil.rmtree(place, ignore_errors=True)
            folder.mkdir(parents=True)
            try:
                run_step("--setup", self.setup, commit, self.origin.environ, self.log, environment=folder)
            except BaseException:  # Ctrl-C too: half an environment must not be taken for a whole one
                shutil.rmtree(place, ignore_errors=True)
                raise
            (place / _READY).write_text(f"{self.setup}\n", encoding="utf-8")
            return folder

    def key(self, sha: str) -> str:
        """Return a name for the environment of a commit: commits with equal dependencies have the same."""
        parts = (str(self.origin.checkout.resolve()), self.setup, sys.version, *dependencies(self.origin, sha))
        return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=_KEY_BYTES).hexdigest()


def dependencies(origin: Origin, sha: str) -> list[str]:
    """Return the dependency files of a commit with git's hashes, of the top folder and of the working folder."""
    folders = dict.fromkeys(("", "" if origin.inner == Path() else f"{origin.inner.as_posix()}/"))
    entries = (
        entry for name in folders for entry in list_tree(origin.checkout, sha, [name] * bool(name), origin.environ)
    )
    return [
        f"{entry.path} {entry.id}"
        for entry in entries
        if any(fnmatch.fnmatchcase(Path(entry.path).name, pattern) for pattern in DEPENDENCY_FILES)
    ]


def python_of(environment: Path) -> str | None:
    """Return the Python of an environment; None if the command made none there."""
    places = (environment / "bin" / "python", environment / "Scripts" / "python.exe", environment / "python.exe")
    return next((os.fspath(place) for place in places if place.is_file()), None)


def run_step(
    option: str,
    command: str,
    commit: OpenCommit,
    environ: Mapping[str, str],
    log: Path,
    *,
    environment: Path | None = None,
) -> None:
    """Run a command of the user's in a commit's folder.

    Args:
        option: that the command was given with, for messages.
        command: for a shell.
        commit: where it runs.
        environ: environment variables; the command gets some more.
        log: file for its output.
        environment: folder of the environment; None without one.

    Raises:
        StepError: it failed.
    """
    variables = {"BENCHDB_COMMIT": commit.sha, "BENCHDB_CHECKOUT": os.fspath(commit.root)}
    if environment is not None:
        variables["BENCHDB_ENV"] = os.fspath(environment)
    try:
        status = run_to_end(_shell(command), folder=commit.folder, environ={**environ, **variables}, log=log)
    except OSError as error:
        raise StepError(f"{option} cannot be started: {error.strerror}") from error
    if status != 0:
        raise StepError(f"{option} ended with exit status {status}{last_line(log)}")


def _shell(command: str) -> Sequence[str]:
    return ("cmd", "/c", command) if os.name == "nt" else ("/bin/sh", "-c", command)
