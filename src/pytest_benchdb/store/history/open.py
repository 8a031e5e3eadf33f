"""Opens what a user names, files or folders, as one history to read."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.history.absorb import absorb
from pytest_benchdb.store.history.folder_history import folder_history
from pytest_benchdb.store.history.session_folder import journals, recover, writable
from pytest_benchdb.store.history.single_file import LOCK_SUFFIX, fold_inbox, waiting
from pytest_benchdb.store.lock import file_lock
from pytest_benchdb.store.migrate import migrate, read_meta, version_of
from pytest_benchdb.store.read.reader import Reader
from pytest_benchdb.store.target import INBOX_SUFFIX
from pytest_benchdb.store.template import SCHEMA_VERSION, attach_new

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


Progress = Callable[[int, int], None]
"""Told how many session files of how many have been read."""

_ALIAS = "history"
_RECOVER_S = 10.0
_INBOX_WAIT_S = 1.0


@contextlib.contextmanager
def open_history(
    paths: Sequence[Path], *, timeout_s: float = 60.0, progress: Progress | None = None
) -> Iterator[Reader]:
    """Open files and folders for reading, as one history, for the length of a block.

    What dead sessions left is folded first, where the place can be written.

    Args:
        paths: folders of sessions, session files, or single files that hold many.
        timeout_s: how long to wait for another process that folds.
        progress: told how far the reading of new session files is.

    Raises:
        StoreMissingError: a path does not exist.
        StoreLockedError: another process holds a file for longer than `timeout_s`.
        StoreError: a path is foreign, newer, damaged or cannot be read.
    """
    tell = progress or (lambda _done, _total: None)
    unique = list(dict.fromkeys(path.resolve() for path in paths))
    with contextlib.ExitStack() as stack:
        connection = db.connect(threads=None)
        stack.callback(connection.close)
        if len(unique) == 1:
            warnings = _open_one(stack, connection, unique[0], _ALIAS, timeout_s, tell)
        else:
            warnings = _open_several(stack, connection, unique, timeout_s, tell)
        connection.execute(f"USE {_ALIAS}")
        yield Reader(connection, [str(path) for path in paths], warnings)


def _open_one(
    stack: contextlib.ExitStack,
    connection: "DuckDBPyConnection",
    path: Path,
    alias: str,
    timeout_s: float,
    progress: Progress,
) -> list[str]:
    if path.is_dir():
        warnings = _recover(path)
        _, refused = stack.enter_context(
            folder_history(connection, path, alias, timeout_s=timeout_s, progress=progress)
        )
        return warnings + [f"{path / name} is left out: {reason}" for name, reason in sorted(refused.items())]
    warnings = _take_inbox(path)
    _open_file(stack, connection, path, alias, timeout_s)
    return warnings


def _open_several(
    stack: contextlib.ExitStack,
    connection: "DuckDBPyConnection",
    paths: Sequence[Path],
    timeout_s: float,
    progress: Progress,
) -> list[str]:
    """Put several places into one temporary history.

    Raises:
        StoreError: one of them cannot be read.
    """
    scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchdb-"))
    stack.callback(connection.close)  # before its file is removed
    attach_new(
        connection,
        os.path.join(scratch, "all.duckdb"),
        _ALIAS,
        file_kind="history",
        block_bytes=db.HISTORY_BLOCK_BYTES,
    )
    warnings: list[str] = []
    for path in paths:
        with contextlib.ExitStack() as inner:
            source = db.connect()
            inner.callback(source.close)
            if path.is_dir():
                warnings += _recover(path)
                opened = folder_history(source, path, "source", timeout_s=timeout_s, progress=progress)
                file, refused = inner.enter_context(opened)
                warnings += [f"{path / name} is left out: {reason}" for name, reason in sorted(refused.items())]
            else:
                warnings += _take_inbox(path)
                file = _open_file(inner, source, path, "source", timeout_s)
            for one in absorb(connection, _ALIAS, [os.fspath(file)], named=str):
                raise StoreError(one.reason)
    return warnings


def _recover(folder: Path) -> list[str]:
    if not writable(folder) or not journals(folder):
        return []
    _, problems = recover(folder, limit_s=_RECOVER_S)
    return problems


def _take_inbox(path: Path) -> list[str]:
    """Fold what waits for a single file; return why it could not be."""
    text = os.fspath(path)
    inbox = Path(text + INBOX_SUFFIX)
    if not inbox.is_dir():
        return []
    warnings = _recover(inbox)
    files = waiting(text)
    if not files:
        return warnings
    try:
        refused = fold_inbox(text, wait_s=_INBOX_WAIT_S)
    except StoreError as error:
        return [*warnings, f"{len(files)} session(s) wait in {inbox} and are left out: {error}"]
    return warnings + [f"{one.path} is left out: {one.reason}" for one in refused]


def _open_file(
    stack: contextlib.ExitStack, connection: "DuckDBPyConnection", path: Path, alias: str, timeout_s: float
) -> Path:
    """Attach a file read-only; one of an older schema by a migrated copy. Return what was attached."""
    lock = Path(os.fspath(path) + LOCK_SUFFIX)
    if lock.exists():
        with contextlib.suppress(OSError):
            stack.enter_context(file_lock(lock, timeout_s=timeout_s, shared=True))
    db.attach(connection, path, alias, read_only=True)
    stack.callback(_detach, connection, alias)
    if version_of(read_meta(connection, alias, path), path) == SCHEMA_VERSION:
        return path
    _detach(connection, alias)
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchdb-"))) / path.name
    shutil.copyfile(path, copy)
    db.attach(connection, copy, alias)
    stack.callback(_detach, connection, alias)
    migrate(connection, alias, copy)
    return copy


def _detach(connection: "DuckDBPyConnection", alias: str) -> None:
    with contextlib.suppress(Exception):
        connection.execute("USE memory")
    with contextlib.suppress(Exception):
        connection.execute(f"DETACH {alias}")
