"""Opens the files and folders that a user names as one history for reading."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.errors import StoreError, StoreMissingError, interruptible
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.history.absorb import Progress, absorb
from pytest_benchdb.store.history.folder_history import folder_history
from pytest_benchdb.store.history.session_folder import is_writable, journals, recover, session_files
from pytest_benchdb.store.history.single_file import LOCK_SUFFIX, fold_inbox, inbox_files
from pytest_benchdb.store.journal.impossible import find_impossible, mark_impossible
from pytest_benchdb.store.lock import file_lock
from pytest_benchdb.store.read.query_process import QueryProcess
from pytest_benchdb.store.read.reader import Reader
from pytest_benchdb.store.schema.migrate import attach_migrated
from pytest_benchdb.store.schema.template import attach_new
from pytest_benchdb.store.target import INBOX_SUFFIX, no_session_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ALIAS = "history"
_RECOVER_S = 10.0
_INBOX_WAIT_S = 1.0


@contextlib.contextmanager
def open_history(
    paths: Sequence[Path], *, timeout_s: float = 60.0, progress: Progress = lambda _done, _total: None
) -> Iterator[Reader]:
    """Open files and folders for reading, as one history, for the length of a block.

    Dead sessions are folded first, if their folder can be written.

    Args:
        paths: folders of sessions, session files, or single files with many sessions.
        timeout_s: how long to wait for another process that folds.
        progress: called while new session files are read.

    Raises:
        StoreMissingError: a path does not exist, or is a folder without sessions.
        StoreLockedError: another process holds a file for longer than `timeout_s`.
        StoreError: a path is foreign, newer, damaged or cannot be read.
    """
    unique = list(dict.fromkeys(path.resolve() for path in paths))
    with interruptible(), contextlib.ExitStack() as stack:
        connection = db.connect(threads=None)
        stack.callback(connection.close)
        if len(unique) == 1:
            file, warnings = _open_one(stack, connection, unique[0], _ALIAS, timeout_s, progress)
            db.close_to_outside(connection)
        else:
            file, warnings = _open_several(stack, connection, unique, timeout_s, progress)
        connection.execute(f"USE {_ALIAS}")
        queries = QueryProcess(os.fspath(file))
        stack.callback(queries.close)
        yield Reader(connection, queries, [str(path) for path in paths], warnings)


def _open_one(
    stack: contextlib.ExitStack,
    connection: "DuckDBPyConnection",
    path: Path,
    alias: str,
    timeout_s: float,
    progress: Progress,
) -> tuple[Path, list[str]]:
    """Attach a file or folder read-only; return the attached file, and one line for each session left out."""
    if path.is_dir():
        warnings = _recover(path)
        if not session_files(path):  # before anything is written into a folder that may have nothing to do with us
            raise StoreMissingError(_no_session(path))
        history = folder_history(connection, path, alias, timeout_s=timeout_s, progress=progress)
        file, refused = stack.enter_context(history)
        return file, warnings + [f"{path / name} is left out: {reason}" for name, reason in sorted(refused.items())]
    warnings = _take_inbox(path)
    lock = Path(os.fspath(path) + LOCK_SUFFIX)
    if lock.exists():
        with contextlib.suppress(OSError):
            stack.enter_context(file_lock(lock, timeout_s=timeout_s, shared=True))
    scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchdb-"))
    stack.callback(db.detach, connection, alias)
    opened = attach_migrated(connection, os.fspath(path), alias, scratch)
    found = find_impossible(connection, alias, cache=template_folder())
    if found:
        opened = _attach_marked(connection, opened, alias, os.path.join(scratch, "marked.duckdb"))
        count = f"{len(found)} impossible value(s) are not valid"
        warnings.append(f"{path}: {count}; the first: {found[0][1]}")
    return Path(opened), warnings


def _attach_marked(connection: "DuckDBPyConnection", path: str, alias: str, copy: str) -> str:
    """Replace an attached file by a copy whose impossible values are not valid; return the path of the copy."""
    db.detach(connection, alias)
    shutil.copyfile(path, copy)
    db.attach(connection, copy, alias)
    mark_impossible(connection, alias, cache=template_folder())
    db.detach(connection, alias)
    db.attach(connection, copy, alias, read_only=True)
    return copy


def _open_several(
    stack: contextlib.ExitStack,
    connection: "DuckDBPyConnection",
    paths: Sequence[Path],
    timeout_s: float,
    progress: Progress,
) -> tuple[Path, list[str]]:
    """Copy several files and folders into one temporary history; return as `_open_one` does."""
    scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchdb-"))
    stack.callback(connection.close)  # before its file is removed
    file = os.path.join(scratch, "all.duckdb")
    attach_new(
        connection, file, _ALIAS, file_kind="history", block_bytes=db.HISTORY_BLOCK_BYTES, cache=template_folder()
    )
    folders = [path if path.is_dir() else path.parent for path in paths]
    db.close_to_outside(connection, (*folders, *filter(None, [template_folder()]), tempfile.gettempdir()))
    warnings: list[str] = []
    for path in paths:
        with contextlib.closing(db.connect()) as source, contextlib.ExitStack() as inner:
            history, left_out = _open_one(inner, source, path, "source", timeout_s, progress)
            warnings += left_out
            for refused in absorb(connection, _ALIAS, [os.fspath(history)], source_name=str):
                raise StoreError(refused.reason)
    db.detach(connection, _ALIAS)
    db.attach(connection, file, _ALIAS, read_only=True)  # so that the process for queries can open it too
    return Path(file), warnings


def _recover(folder: Path) -> list[str]:
    if not is_writable(folder) or not journals(folder):
        return []
    _, problems = recover(folder, limit_s=_RECOVER_S)
    return problems


def _no_session(folder: Path) -> str:
    running = journals(folder)
    if running:
        return (
            f"{folder} contains no finished session, but {len(running)} unfinished; wait, or: benchdb recover {folder}"
        )
    return no_session_text([folder])


def _take_inbox(path: Path) -> list[str]:
    """Fold the inbox of a single file into it; return one line for each session that stays out."""
    text = os.fspath(path)
    inbox = Path(text + INBOX_SUFFIX)
    if not inbox.is_dir():
        return []
    warnings = _recover(inbox)
    files = inbox_files(text)
    if not files:
        return warnings
    try:
        refused = fold_inbox(text, wait_s=_INBOX_WAIT_S)
    except StoreError as error:
        return [*warnings, f"{len(files)} session(s) wait in {inbox} and are left out: {error}"]
    return warnings + [f"{file} is left out: {reason}" for file, reason in refused]
