"""A single file with every session: session files wait in its inbox, and are folded into it under a lock."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.absorb import Refused, absorb
from pytest_benchdb.store.lock import file_lock
from pytest_benchdb.store.schema.migrate import attach_ours, migrate
from pytest_benchdb.store.schema.template import attach_new
from pytest_benchdb.store.target import INBOX_SUFFIX, SESSION_SUFFIX

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOCK_SUFFIX = ".lock"


def inbox_files(path: str) -> list[str]:
    """Return the session files in the inbox of `path`, oldest first, without unfinished ones."""
    inbox = path + INBOX_SUFFIX
    try:
        names = os.listdir(inbox)
    except OSError:
        return []
    return [os.path.join(inbox, name) for name in sorted(names) if name.endswith(SESSION_SUFFIX) and name[0] != "."]


def fold_inbox(path: str, *, wait_s: float) -> list[Refused]:
    """Move the sessions in the inbox of a single file into it; create the file if it is missing.

    Returns:
        The files that cannot be read; they stay in the inbox.

    Raises:
        StoreLockedError: other processes hold the file for longer than `wait_s`.
        StoreError: the file is foreign, newer, damaged or cannot be written; the inbox keeps everything.
    """
    if not inbox_files(path):
        return []
    with open_for_writing(path, wait_s=wait_s) as connection:
        files = inbox_files(path)  # others may have taken some while we waited
        refused = absorb(connection, "main_file", files)
    kept = {file for file, _ in refused}
    for file in files:
        if file not in kept:
            with contextlib.suppress(OSError):
                os.unlink(file)
    with contextlib.suppress(OSError):
        os.rmdir(path + INBOX_SUFFIX)
    return refused


@contextlib.contextmanager
def open_for_writing(
    path: str, *, wait_s: float, threads: int | None = 1, sources: Sequence[str | os.PathLike[str]] = ()
) -> Iterator["DuckDBPyConnection"]:
    """Lock a single file and attach it as ``main_file``, in the newest schema, for the length of a block.

    A missing file is created, completely or not at all.

    Args:
        path: the file.
        wait_s: how long to wait for the lock.
        threads: as for `connection.connect`.
        sources: folders of the files that will be attached, besides its own and its inbox.

    Raises:
        StoreLockedError: other processes hold the file for longer than `wait_s`.
        StoreError: the file is foreign, newer, damaged or cannot be written.
    """
    with (
        translated(path),
        file_lock(Path(path + LOCK_SUFFIX), timeout_s=wait_s),
        contextlib.closing(db.connect(threads=threads)) as connection,
    ):
        if not os.path.exists(path):
            final = os.path.realpath(path)  # of a link, the file that it leads to
            part = f"{final}.{os.getpid()}.part"
            try:
                attach_new(
                    connection,
                    part,
                    "main_file",
                    file_kind="history",
                    block_bytes=db.HISTORY_BLOCK_BYTES,
                    cache=template_folder(),
                )
                connection.execute("USE memory; DETACH main_file")
                os.replace(part, final)
            finally:
                with contextlib.suppress(OSError):
                    os.unlink(part)
        elif not os.access(path, os.W_OK):
            message = f"{path} is read-only; make it writable or choose another PATH"
            raise StoreError(message)
        attach_ours(connection, path, "main_file", read_only=False)
        migrate(connection, "main_file", path)
        db.close_to_outside(connection, (os.path.dirname(path), path + INBOX_SUFFIX, tempfile.gettempdir(), *sources))
        yield connection
        connection.execute("USE memory; DETACH main_file")
