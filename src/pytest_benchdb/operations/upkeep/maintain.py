"""Merge sources, and recover the results of sessions that died."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import StoreError, StoreMissingError
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.store.history.merge import MergeResult, merge
from pytest_benchdb.store.history.session_folder import recover
from pytest_benchdb.store.history.single_file import fold_inbox, inbox_files
from pytest_benchdb.store.target import INBOX_SUFFIX, JOURNAL_SUFFIX, missing_text, resolve

_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The outcome of a recovery.

    Attributes:
        stored: the new session files, or the single file that the sessions were added to.
        sessions: number of recovered sessions.
        problems: one line for each journal or session that was not recovered.
    """

    stored: tuple[Path, ...]
    sessions: int
    problems: tuple[str, ...]


def merge_sources(sources: Sequence[Path], target: str, feedback: Feedback = SILENT) -> MergeResult:
    """Copy the sessions of files and folders into one file or folder.

    Args:
        sources: files and folders; they are not changed.
        target: file (``.duckdb`` or ``.db``) or folder, as for `--benchdb=PATH`.
        feedback: receives progress.

    Raises:
        ConfigError: the target cannot hold sessions, or is one of the sources.
        StoreError: a source does not exist, or the target cannot be written.
    """
    return merge(sources, resolve(target, Path.cwd()), progress=feedback.progress)


def recover_sessions(paths: Sequence[Path], feedback: Feedback = SILENT) -> Recovered:
    """Fold the journals of dead sessions, and move sessions waiting for a single file into it.

    Sessions that still run are left alone.

    Args:
        paths: folders, single files, or journals, which mean their folder.
        feedback: receives progress.

    Raises:
        StoreMissingError: a path does not exist.
    """
    stored: list[Path] = []
    problems: list[str] = []
    sessions = 0
    for done, path in enumerate(paths):
        feedback.progress(done, len(paths))
        if not path.exists() and not _inbox(path).is_dir():
            raise StoreMissingError(missing_text(path))
        folder = path.parent if path.name.endswith(JOURNAL_SUFFIX) else path
        if folder.is_dir():
            files, failed = recover(folder)
            stored += files
            sessions += len(files)
        else:
            count, failed = _recover_file(path)
            stored += [path] if count else []
            sessions += count
        problems += failed
    return Recovered(stored=tuple(stored), sessions=sessions, problems=tuple(problems))


def _inbox(path: Path) -> Path:
    return Path(os.fspath(path) + INBOX_SUFFIX)


def _recover_file(path: Path) -> tuple[int, list[str]]:
    """Fold the journals in the inbox of a single file, then the inbox into the file."""
    inbox = _inbox(path)
    problems = recover(inbox)[1] if inbox.is_dir() else []
    count = len(inbox_files(os.fspath(path)))
    if not count:
        return 0, problems
    try:
        refused = fold_inbox(os.fspath(path), wait_s=_WAIT_S)
    except StoreError as error:
        return 0, [*problems, f"{count} sessions wait in {inbox}: {error}"]
    return count - len(refused), [*problems, *(f"{file.path} stays: {file.reason}" for file in refused)]
