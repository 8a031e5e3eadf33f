"""Writes annotations: baselines, accepted changes, exclusions and notes, which people add to results.

In a folder each is a small file of its own, named and folded like a session file, because no file there is ever
changed: a removal is an annotation too. In a single file it is a row; if another process holds the file now, the
annotation waits in the inbox.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.errors import ConfigError, StoreError, StoreLockedError
from pytest_benchdb.model.annotation import Annotation
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.session_folder import is_writable
from pytest_benchdb.store.history.single_file import open_for_writing
from pytest_benchdb.store.journal.fold import session_file_name, sync_file
from pytest_benchdb.store.schema.migrate import read_meta
from pytest_benchdb.store.schema.template import attach_new
from pytest_benchdb.store.statement import read, render
from pytest_benchdb.store.target import Target

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FILE_KIND = "annotation"
"""`file_kind` of a file without a session."""

_WAIT_S = 5.0
_PREFIX = ".annotate-"


def annotate(target: Target, entry: Annotation, *, wait_s: float = _WAIT_S) -> Path:
    """Write one annotation.

    Args:
        target: an existing folder of sessions, or an existing single file.
        entry: what to write; its id is a UUIDv7.
        wait_s: how long to wait for a single file that other processes hold.

    Returns:
        The file written: one in the inbox if other processes hold the single file.

    Raises:
        ConfigError: the file is a session file of a folder, which is never changed.
        StoreError: the target cannot be written.
    """
    if target.kind == "folder":
        return _write_file(target.spool, entry)
    try:
        _insert(target.path, entry, wait_s)
    except StoreLockedError:
        with translated(os.fspath(target.spool)):
            target.spool.mkdir(exist_ok=True)
        return _write_file(target.spool, entry)
    return target.path


def id_of(entry: Annotation) -> str:
    """Return the id of an annotation."""
    return str(getattr(entry, f"{_table(entry)}_id"))


@contextlib.contextmanager
def new_file(final: Path) -> Iterator["DuckDBPyConnection"]:
    """Attach an empty file as ``part`` for the length of a block; afterwards it is complete at `final`, or gone.

    Raises:
        StoreError: it cannot be written.
    """
    # In a separate folder: readers remove parts without a live session, and this one has no session.
    with translated(os.fspath(final)), tempfile.TemporaryDirectory(prefix=_PREFIX, dir=final.parent) as folder:
        part = os.path.join(folder, final.name)
        with contextlib.closing(db.connect()) as connection:
            block_bytes, cache = db.SESSION_BLOCK_BYTES, template_folder()
            attach_new(connection, part, "part", file_kind=FILE_KIND, block_bytes=block_bytes, cache=cache)
            yield connection
            connection.execute("USE memory; DETACH part")
        sync_file(part)
        os.replace(part, final)


def _write_file(folder: Path, entry: Annotation) -> Path:
    if not is_writable(folder):
        message = f"{folder} cannot be written; nothing was stored: give this user the right to write there"
        raise StoreError(message)
    created = datetime.fromisoformat(entry.created_at).replace(tzinfo=timezone.utc)
    final = folder / session_file_name(id_of(entry), round(created.timestamp() * 1e6))
    with new_file(final) as connection:
        connection.execute(_statement(entry))
    return final


def _insert(path: Path, entry: Annotation, wait_s: float) -> None:
    with open_for_writing(os.fspath(path), wait_s=wait_s) as connection:
        if read_meta(connection, "main_file", path).get("file_kind") != "history":
            message = f"{path} holds one session as it was recorded; name the folder it is in: --db {path.parent}"
            raise ConfigError(message)
        connection.execute(f"USE main_file; {_statement(entry)}")


def _statement(entry: Annotation) -> str:
    return render(read(f"annotate/{_table(entry)}"), asdict(entry))


def _table(entry: Annotation) -> str:
    return type(entry).__name__.lower()
