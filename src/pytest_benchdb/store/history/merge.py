"""Copies the sessions of several files and folders into one; sessions already there are skipped."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_benchdb.errors import ConfigError, StoreError, StoreMissingError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.attachments import copy_attachments
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.absorb import ANNOTATIONS, IMPORTER, Progress, Refused, absorb
from pytest_benchdb.store.history.annotate import new_file
from pytest_benchdb.store.history.session_folder import is_writable, recover, session_files
from pytest_benchdb.store.history.single_file import inbox_files, open_for_writing
from pytest_benchdb.store.journal.fold import SEVERAL, session_file_name
from pytest_benchdb.store.schema.migrate import attach_ours, read_meta
from pytest_benchdb.store.schema.template import attach_new
from pytest_benchdb.store.statement import literal
from pytest_benchdb.store.target import INBOX_SUFFIX, SESSION_SUFFIX, Target, make_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


_REFERENCED = {
    "environment": ("environment_id", "SELECT environment_id FROM session"),
    "device": ("device_id", "SELECT device_id FROM run"),
    "benchmark": ("benchmark_id", "SELECT benchmark_id FROM run"),
    "model_version": ("model_version_id", "SELECT model_version_id FROM run"),
    "model": ("model_id", "SELECT model_id FROM model_version"),
    "framework": ("framework_id", "SELECT framework_id FROM run"),
}
"""Tables whose rows several files may share: their key, and a query for the keys that a session file needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """The result of a merge.

    Attributes:
        added: number of sessions copied.
        present: number of sessions that were there already.
        refused: one line for each source that could not be read.
        missing: one line for each attachment that could not be copied.
    """

    added: int
    present: int
    refused: tuple[str, ...]
    missing: tuple[str, ...] = ()


def merge(
    sources: Sequence[Path],
    target: Target,
    *,
    timeout_s: float = 60.0,
    progress: Progress = lambda _done, _total: None,
) -> MergeResult:
    """Copy the sessions of files and folders, with their attachments, into a file or a folder; keep the sources.

    Raises:
        ConfigError: a source is the target.
        StoreMissingError: a source does not exist.
        StoreError: the target cannot be written.
    """
    if any(source.resolve() == target.path.resolve() for source in sources):
        message = f"{target.path} is both a source and the target; name it once"
        raise ConfigError(message)
    files = [file for source in sources for file in _files(source)]
    if target.kind == "file":
        return _into_file(files, target, timeout_s, progress)
    return _into_folder(files, target, progress)


def _files(source: Path) -> list[Path]:
    """Return the databases of a source; first fold its dead sessions, if it can be written."""
    if source.is_dir():
        if is_writable(source):
            recover(source)
        return [source / name for name in sorted(session_files(source))]
    if not source.exists():
        message = f"{source} does not exist; name files and folders that hold sessions"
        raise StoreMissingError(message)
    inbox = Path(os.fspath(source) + INBOX_SUFFIX)
    if inbox.is_dir() and is_writable(inbox):
        recover(inbox)
    return [source, *map(Path, inbox_files(os.fspath(source)))]


def _into_file(files: Sequence[Path], target: Target, timeout_s: float, progress: Progress) -> MergeResult:
    path = os.fspath(target.path)
    target.path.parent.mkdir(parents=True, exist_ok=True)
    folders = sorted({file.parent for file in files})
    with open_for_writing(path, wait_s=timeout_s, threads=None, sources=folders) as connection:
        before = _sessions(connection, "main_file")
        refused = absorb(
            connection,
            "main_file",
            [os.fspath(file) for file in files],
            source_name=os.path.abspath,
            progress=lambda done: progress(done, len(files)),
        )
        after = _sessions(connection, "main_file")
    unreadable = {source for source, _ in refused}
    offered: set[str] = set()
    missing: list[str] = []
    for file in files:
        if os.fspath(file) not in unreadable:
            content = _content(file)
            offered.update(session_id for session_id, _ in content.sessions)
            missing += copy_attachments(content.attachments, file, target.attachments)
    return MergeResult(
        added=len(after - before), present=len(offered & before), refused=_lines(refused), missing=tuple(missing)
    )


def _into_folder(files: Sequence[Path], target: Target, progress: Progress) -> MergeResult:
    """Copy session files unchanged, imports too if all is new, and write one for each session of other files."""
    make_folder(target.path)
    names = session_files(target.path)
    ids = {name[-len(SESSION_SUFFIX) - 36 : -len(SESSION_SUFFIX)] for name in names}
    for name in names:
        if SEVERAL in name:
            ids.update(session_id for session_id, _ in _content(target.path / name).sessions)
    added, present = 0, 0
    refused: list[Refused] = []
    missing: list[str] = []
    for done, file in enumerate(files, 1):
        try:
            content = _content(file)
            # Before the rows that name them: a merge that dies leaves too many files, never too few.
            missing += copy_attachments(content.attachments, file, target.attachments)
            if SEVERAL in file.name and not content.annotations and ids.isdisjoint(dict(content.sessions)):
                _write_session_file(file, file.stem, target.path / file.name, whole=True)
                ids.update(session_id for session_id, _ in content.sessions)
                added += len(content.sessions)
                content = content._replace(sessions=[])
            for session_id, started_us in content.sessions:
                if session_id in ids:
                    present += 1
                    continue
                final = target.path / session_file_name(session_id, started_us)
                _write_session_file(file, session_id, final, whole=content.kind == "session")
                ids.add(session_id)
                added += 1
            for table, key, created_us in content.annotations:
                if key not in ids:
                    with new_file(target.path / session_file_name(key, created_us)) as connection:
                        connection.execute("USE memory")
                        attach_ours(connection, file, "source")
                        connection.execute("USE part")
                        connection.execute(
                            f"INSERT INTO {table} SELECT * FROM source.{table} "
                            f"WHERE {ANNOTATIONS[table]} = {literal(key)}"
                        )
                        connection.execute("DETACH source")
                    ids.add(key)
        except StoreError as error:
            refused.append(Refused(os.fspath(file), str(error)))
        progress(done, len(files))
    return MergeResult(added=added, present=present, refused=_lines(refused), missing=tuple(missing))


class _Content(NamedTuple):
    """The content of a file.

    Attributes:
        kind: session, annotation or history.
        sessions: id and start (microseconds since the epoch) of each, oldest first.
        attachments: their names by checksum.
        annotations: table, id and time of those that get a file of their own in a folder; notes within a session file
            stay in it.
    """

    kind: str
    sessions: list[tuple[str, int]]
    attachments: dict[str, str]
    annotations: list[tuple[str, str, int]]


def _content(file: Path) -> _Content:
    with contextlib.closing(db.connect()) as connection, translated(os.fspath(file)):
        attach_ours(connection, file, "source")
        kind = read_meta(connection, "source", file).get("file_kind", "history")
        sessions = connection.execute(
            "SELECT CAST(session_id AS VARCHAR), epoch_us(started_at) FROM source.session ORDER BY started_at"
        ).fetchall()
        attachments = connection.execute("SELECT checksum, any_value(name) FROM source.attachment GROUP BY checksum")
        names = dict(attachments.fetchall())
        selects = (
            f"SELECT '{table}', CAST({key} AS VARCHAR), epoch_us(created_at) FROM source.{table}"
            for table, key in ANNOTATIONS.items()
        )
        entries = connection.execute(" UNION ALL ".join(selects)).fetchall() if kind != "session" else []
        return _Content(
            kind=kind,
            sessions=[(str(row[0]), int(row[1])) for row in sessions],
            attachments=names,
            annotations=entries,
        )


def _write_session_file(file: Path, session_id: str, final: Path, *, whole: bool) -> None:
    """Write one session of `file` to `final` by a rename; `whole` copies the file unchanged."""
    part = final.with_name(f".{session_id}.part")
    try:
        with translated(os.fspath(final)):
            if whole:
                shutil.copyfile(file, part)
            else:
                _extract(file, session_id, part)
            os.replace(part, final)
    finally:
        part.unlink(missing_ok=True)


def _extract(file: Path, session_id: str, part: Path) -> None:
    """Write one session of a history as a session file."""
    with contextlib.closing(db.connect()) as connection:
        attach_new(
            connection,
            os.fspath(part),
            "part",
            file_kind="session",
            block_bytes=db.SESSION_BLOCK_BYTES,
            cache=template_folder(),
        )
        db.close_to_outside(connection, (file.parent, part.parent, tempfile.gettempdir()))
        for refused in absorb(connection, "part", [os.fspath(file)], only=[session_id]):
            raise StoreError(refused.reason)
        connection.execute(f"DELETE FROM source_file WHERE importer = {literal(IMPORTER)}")
        for table, (key, used) in _REFERENCED.items():
            connection.execute(
                f"DELETE FROM {table} WHERE {key} IS NOT NULL AND {key} NOT IN ({used} WHERE {key} IS NOT NULL)"
            )
        connection.execute("USE memory; DETACH part")


def _sessions(connection: "DuckDBPyConnection", alias: str) -> set[str]:
    rows = connection.execute(f"SELECT CAST(session_id AS VARCHAR) FROM {alias}.session").fetchall()
    return {row[0] for row in rows}


def _lines(refused: Sequence[Refused]) -> tuple[str, ...]:
    return tuple(reason if path in reason else f"{path}: {reason}" for path, reason in refused)
