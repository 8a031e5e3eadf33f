"""The files of a store, and which sessions and annotations each of them holds."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import StoreError, StoreMissingError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.absorb import ANNOTATIONS
from pytest_benchdb.store.history.folder_history import closed_to_readers
from pytest_benchdb.store.history.session_folder import recover, session_files
from pytest_benchdb.store.history.single_file import LOCK_SUFFIX, fold_inbox
from pytest_benchdb.store.lock import file_lock
from pytest_benchdb.store.schema.migrate import attach_ours
from pytest_benchdb.store.target import Target, missing_text

WAIT_S = 60.0
"""How long to wait for other processes that read or write the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a file holds.

    Attributes:
        sessions: ids, oldest first.
        started_us: start of the oldest session, microseconds since the epoch; None without one.
        annotations: number of baselines, acceptances, exclusions and notes.
        attachments: checksums of the attachments that its sessions refer to.
        version: of its schema.
    """

    path: Path
    sessions: tuple[str, ...]
    started_us: int | None
    annotations: int
    attachments: frozenset[str]
    version: int


def content_of(path: Path) -> Content:
    """Return what a file holds.

    Raises:
        StoreError: it is missing, foreign, newer or damaged.
    """
    with contextlib.closing(db.connect()) as connection, translated(os.fspath(path)):
        version = attach_ours(connection, path, "file")
        sessions = connection.execute(
            "SELECT CAST(session_id AS VARCHAR), epoch_us(started_at) FROM file.session ORDER BY started_at, session_id"
        ).fetchall()
        present = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        annotations = sum(
            row[0]
            for table in ANNOTATIONS
            if table in present
            for row in connection.execute(f"SELECT count(*) FROM file.{table}").fetchall()
        )
        attachments = connection.execute("SELECT DISTINCT checksum FROM file.attachment").fetchall()
    return Content(
        path=path,
        sessions=tuple(session_id for session_id, _ in sessions),
        started_us=sessions[0][1] if sessions else None,
        annotations=annotations,
        attachments=frozenset(checksum for (checksum,) in attachments),
        version=version,
    )


def existing_target(path: Path) -> Target:
    """Return the store at a path.

    Raises:
        StoreMissingError: there is nothing.
    """
    if not path.exists():
        raise StoreMissingError(missing_text(path))
    return Target(path=path.absolute(), kind="folder" if path.is_dir() else "file")


def files_of(target: Target) -> list[Path]:
    """Return the session files of a folder, oldest first, or the single file."""
    if target.kind == "file":
        return [target.path]
    return [target.path / name for name in sorted(session_files(target.path))]


@contextlib.contextmanager
def held(target: Target, *, wait_s: float = WAIT_S) -> Iterator[list[str]]:
    """Take in what waits, then keep readers and other writers of the existing files away for the length of a block.

    Sessions can be recorded meanwhile: they add files.

    Yields:
        One line for each session that waits on.

    Raises:
        StoreLockedError: other processes use the store for longer than `wait_s`.
        StoreError: it cannot be written.
    """
    problems = recover(target.spool)[1] if target.spool.is_dir() else []
    if target.kind == "folder":
        with translated(os.fspath(target.path)), closed_to_readers(target.path, timeout_s=wait_s) as forget_all:
            try:
                yield problems
            finally:
                forget_all()
        return
    path = os.fspath(target.path)
    problems += [f"{file} stays: {reason}" for file, reason in fold_inbox(path, wait_s=wait_s)]
    if not os.access(path, os.W_OK):
        raise StoreError(f"{path} is read-only; make it writable")
    with translated(path), file_lock(Path(path + LOCK_SUFFIX), timeout_s=wait_s):
        yield problems
