"""A single file that takes every session: session files wait in its inbox and go in under a lock."""

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.absorb import Refused, absorb
from pytest_benchdb.store.lock import file_lock
from pytest_benchdb.store.migrate import migrate
from pytest_benchdb.store.target import INBOX_SUFFIX, SESSION_SUFFIX
from pytest_benchdb.store.template import attach_new

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


LOCK_SUFFIX = ".lock"


def waiting(path: str) -> list[str]:
    """Return the session files in the inbox of `path`, oldest first; hidden parts are none."""
    inbox = path + INBOX_SUFFIX
    try:
        names = os.listdir(inbox)
    except OSError:
        return []
    return [
        os.path.join(inbox, name)
        for name in sorted(names)
        if name.endswith(SESSION_SUFFIX) and not name.startswith(".")
    ]


def fold_inbox(path: str, *, wait_s: float) -> list[Refused]:
    """Take what waits in the inbox of a single file into it; the file is created if need be.

    Files that cannot be read stay in the inbox.

    Args:
        path: the single file.
        wait_s: how long to wait for other processes that write it.

    Raises:
        StoreLockedError: others hold it for longer.
        StoreError: it is foreign, newer, damaged or cannot be written; the inbox keeps everything.
    """
    with translated(path), file_lock(Path(path + LOCK_SUFFIX), timeout_s=wait_s):
        files = waiting(path)
        return _fold(path, files) if files else []


def _fold(path: str, files: list[str]) -> list[Refused]:
    with contextlib.closing(db.connect()) as connection:
        open_main_file(connection, path)
        refused = absorb(connection, "main_file", files)
        connection.execute("USE memory; DETACH main_file")
    kept = {one.path for one in refused}
    for file in files:
        if file not in kept:
            with contextlib.suppress(OSError):
                os.unlink(file)
    with contextlib.suppress(OSError):
        os.rmdir(path + INBOX_SUFFIX)
    return refused


def open_main_file(connection: "DuckDBPyConnection", path: str) -> None:
    """Attach a single file as ``main_file`` for writing, in the newest schema; create it whole or not at all.

    Raises:
        StoreError: it is foreign, newer, damaged, in use or cannot be written.
    """
    if not os.path.exists(path):
        part = f"{path}.{os.getpid()}.part"
        try:
            attach_new(connection, part, "main_file", file_kind="history", block_bytes=db.HISTORY_BLOCK_BYTES)
            connection.execute("USE memory; DETACH main_file")
            os.replace(part, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(part)
    if os.path.exists(path) and not os.access(path, os.W_OK):
        message = f"{path} is read-only; make it writable or choose another PATH"
        raise StoreError(message)
    db.attach(connection, path, "main_file")
    migrate(connection, "main_file", path)
