"""Makes a store small and quick to read: many session files become one, and a file is sorted and freed of gaps."""

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.errors import StoreError
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.absorb import ANNOTATIONS, FACTS, IMPORTER, absorb
from pytest_benchdb.store.journal.fold import SEVERAL, session_file_name
from pytest_benchdb.store.schema.migrate import attach_migrated
from pytest_benchdb.store.schema.template import attach_new
from pytest_benchdb.store.statement import literal
from pytest_benchdb.store.target import Target
from pytest_benchdb.store.upkeep.files import Content, content_of, files_of, held
from pytest_benchdb.store.upkeep.removal import stored_bytes
from pytest_benchdb.store.upkeep.rewrite import rewrite, scratch_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PACKED_BYTES = 256_000_000
"""Files of several sessions above this size are not packed again: it would take longer each time."""

_BLOCKS = 500
"""Least number of blocks that make larger ones worth while."""

_Sums = Mapping[tuple[str, str], tuple[int, int]]
"""Number of rows and sum of their hashes, by table and session or annotation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """The outcome of packing.

    Attributes:
        bytes_before: size of the store's files and attachments before it.
        problems: one line for each file that stayed as it was.
    """

    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    problems: tuple[str, ...]


def pack(target: Target, *, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Packed:
    """Pack an existing folder or file; every session of a file is verified to be in the new one before the file goes.

    Raises:
        StoreLockedError: other processes use the store.
        StoreError: it cannot be written.
    """
    with held(target) as problems:
        files, before = files_of(target), stored_bytes(target)
        if target.kind == "file":
            rewrite(target.path, target.path, block_bytes=_block_bytes(target.path.stat().st_size))
        else:
            problems.extend(_pack_folder(target.path, files, progress))
        return Packed(
            files_before=len(files),
            files_after=len(files_of(target)),
            bytes_before=before,
            bytes_after=stored_bytes(target),
            problems=tuple(dict.fromkeys(problems)),
        )


def _pack_folder(folder: Path, files: list[Path], progress: Callable[[int, int], None]) -> list[str]:
    problems: list[str] = []
    contents: list[Content] = []
    for file in files:
        if SEVERAL in file.name and file.stat().st_size > _PACKED_BYTES:
            continue
        try:
            contents.append(content_of(file))
        except StoreError as error:
            problems.append(str(error))
    if not contents or (len(contents) == 1 and len(contents[0].sessions) > 1):
        return problems
    started_us = min((content.started_us for content in contents if content.started_us is not None), default=0)
    final = folder / session_file_name(f"{SEVERAL}{uuid7()}", started_us)
    with scratch_folder(folder) as scratch:
        raw = Path(scratch) / "raw.duckdb"
        problems += _gather(raw, [content.path for content in contents], progress)
        rewrite(raw, final, block_bytes=_block_bytes(sum(content.path.stat().st_size for content in contents)))
        written = _sums_of(final, scratch)
        for content in contents:
            missing = _missing(content.path, written, scratch)
            if missing is None:
                with translated(os.fspath(content.path)):
                    content.path.unlink()
            else:
                problems.append(f"{content.path} stays: {missing}")
    return problems


def _block_bytes(packed_bytes: int) -> int:
    """Return the block size for files of that size: every column takes blocks of its own, which small ones waste."""
    for block_bytes in (db.SESSION_BLOCK_BYTES, db.LARGE_SESSION_BLOCK_BYTES):
        if packed_bytes < block_bytes * _BLOCKS:
            return block_bytes
    return db.HISTORY_BLOCK_BYTES


def _gather(raw: Path, files: list[Path], progress: Callable[[int, int], None]) -> list[str]:
    """Copy files into a new one; return one line for each that could not be read."""
    with contextlib.closing(db.connect()) as connection, translated(os.fspath(raw)):
        attach_new(
            connection,
            os.fspath(raw),
            "part",
            file_kind="history",
            block_bytes=db.HISTORY_BLOCK_BYTES,
            cache=template_folder(),
        )
        connection.execute("SET checkpoint_threshold = '1B'")
        names = [os.fspath(file) for file in files]
        refused = absorb(connection, "part", names, progress=lambda done: progress(done, len(names)))
        connection.execute(f"DELETE FROM part.source_file WHERE importer = {literal(IMPORTER)}")
        connection.execute("USE memory; DETACH part")
    return [reason if path in reason else f"{path}: {reason}" for path, reason in refused]


def _missing(file: Path, written: _Sums, scratch: str) -> str | None:
    """Return what of a file the packed one lacks; None if it has everything."""
    try:
        for key, sums in _sums_of(file, scratch).items():
            if written.get(key) != sums:
                return f"its rows of {key[0]} are not all in the packed file"
    except StoreError as error:
        return str(error)
    return None


def _sums_of(file: Path, scratch: str) -> _Sums:
    with contextlib.closing(db.connect(threads=None)) as connection, translated(os.fspath(file)):
        attach_migrated(connection, os.fspath(file), "file", scratch)
        keys = {**dict.fromkeys(FACTS, "session_id"), **ANNOTATIONS}
        return {(table, key): sums for table, column in keys.items() for key, sums in _sums(connection, table, column)}


def _sums(connection: "DuckDBPyConnection", table: str, key: str) -> list[tuple[str, tuple[int, int]]]:
    # What cannot have been measured became not valid on the way.
    rows = "(SELECT * EXCLUDE (valid, reason) FROM file.measurement)" if table == "measurement" else f"file.{table}"
    found = connection.execute(
        f"SELECT CAST(entry.{key} AS VARCHAR), count(*), sum(hash(entry)) FROM {rows} AS entry GROUP BY entry.{key}"
    )
    return [(name, (count, total)) for name, count, total in found.fetchall()]
