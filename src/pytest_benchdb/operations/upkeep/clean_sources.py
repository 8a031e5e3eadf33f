"""Remove source files that were imported: only those whose every item is proven to be stored."""

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pytest_benchdb.errors import ConfigError, StoreError
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.exchange.parsing import checksum_of
from pytest_benchdb.operations.exchange.sources import AUTO, Source, find_sources
from pytest_benchdb.registry import find_importers
from pytest_benchdb.store.regular_file import open_regular
from pytest_benchdb.store.upkeep.files import existing_target

State = Literal["imported", "removed", "not imported", "imported in part", "too young", "not readable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What is known of a source, which is a file, or a folder that a tool wrote as a whole.

    Attributes:
        state: only ``imported`` ones may go.
        sessions: number of stored sessions that came from its bytes.
    """

    path: Path
    state: State
    size_bytes: int
    sessions: int = 0


def clean_sources(
    db: Path,
    paths: Sequence[Path],
    *,
    older_than_days: int,
    delete: bool = False,
    now: dt.datetime | None = None,
    feedback: Feedback = SILENT,
) -> list[SourceState]:
    """Return the state of each source, after removing the files of the imported ones if `delete`.

    A source is imported if the checksum of its bytes is that of an import without refused items, and each session that
    the import made is still stored.

    Args:
        db: the store that they were imported into.
        paths: files and folders.
        older_than_days: sources that changed within this many days are left alone.
        delete: remove them, not only say so.
        now: the current time, timezone-aware; None reads the clock.
        feedback: receives progress.

    Raises:
        ConfigError: a path does not exist, or an imported file cannot be removed.
        StoreError: the store cannot be read; nothing is removed then.
    """
    path = existing_target(db).path.resolve()
    with open_source([path], Feedback(warn=feedback.warn)) as reader:
        imports = {row["checksum"]: row for row in reader.imports()}
    oldest = (now or dt.datetime.now(dt.timezone.utc)).timestamp() - older_than_days * 86_400
    importers, _ = find_importers()
    sources = list(find_sources(paths, AUTO, importers))
    states = []
    for done, source in enumerate(sources):
        feedback.progress(done, len(sources))
        states.append(_state_of(source, path, imports, oldest, delete=delete))
    return states


def _state_of(
    source: Source, db: Path, imports: Mapping[str, Mapping[str, Any]], oldest: float, *, delete: bool
) -> SourceState:
    size_bytes = sessions = 0
    try:
        before = [_stat_of(file) for file in source.files]
        size_bytes = sum(status.st_size for status in before)
        is_own = any(db in (file.resolve(), *file.resolve().parents) for file in source.files)
        state: State = "too young" if any(status.st_mtime > oldest for status in before) else "not imported"
        row = None if is_own or state == "too young" else imports.get(checksum_of(source.files))
        if row is not None:
            sessions, state = row["sessions"], "imported" if row["whole"] else "imported in part"
    except (OSError, StoreError):
        state, before = "not readable", []
    if state == "imported" and delete:
        state = _removed(source, before)
    return SourceState(path=source.path, state=state, size_bytes=size_bytes, sessions=sessions)


def _stat_of(file: Path) -> os.stat_result:
    """Return the status of a regular file.

    Raises:
        StoreError: it is a link, whose file may be anywhere.
        OSError: it cannot be read.
    """
    descriptor = open_regular(file, os.O_RDONLY)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _removed(source: Source, compared: Sequence[os.stat_result]) -> State:
    """Remove the files of a source, unless one has changed since it was compared; return the source's state."""
    for file, before in zip(source.files, compared, strict=True):
        after = file.stat()
        if (after.st_mtime_ns, after.st_size) != (before.st_mtime_ns, before.st_size):
            return "too young"
    try:
        for file in source.files:
            file.unlink()
    except OSError as error:
        raise ConfigError(f"{source.path} cannot be removed: {error.strerror or error}; it stays") from error
    return "removed"
