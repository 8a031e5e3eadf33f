"""The history of a folder: a database into which its session files are folded, kept as a disposable cache.

It is ``history.duckdb`` in the folder, or in the user's cache folder if the folder belongs to another user or cannot be
written. Readers share the lock on ``history.lock``; a process that folds holds it exclusively. A reader that finds new
sessions while others read, or while the disk is full, folds them into a private copy. The cache is rebuilt when it is
damaged or of another version.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_benchdb.errors import StoreError, StoreLockedError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.cache import cache_folder, scratch_places, template_folder
from pytest_benchdb.store.file_errors import is_database_error, translated
from pytest_benchdb.store.history.absorb import IMPORTER, Progress, absorb, file_stamp, forget
from pytest_benchdb.store.history.session_folder import session_files
from pytest_benchdb.store.lock import file_lock
from pytest_benchdb.store.regular_file import open_regular
from pytest_benchdb.store.schema.migrate import attach_ours
from pytest_benchdb.store.schema.template import SCHEMA_VERSION, attach_new
from pytest_benchdb.store.statement import literal
from pytest_benchdb.store.target import HISTORY_NAME

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


LOCK_NAME = "history.lock"
_READERS_WAIT_S = 0.2
"""How long to wait for other readers before folding into a copy."""
_ATTEMPTS = 4


class _Difference(NamedTuple):
    """How a history differs from its folder; all files by name.

    Attributes:
        missing: session files that the history lacks, oldest first.
        gone: files in the history that the folder no longer has.
        refused: unreadable files of the folder, with the reason.
    """

    missing: list[str]
    gone: list[str]
    refused: dict[str, str]


@contextlib.contextmanager
def folder_history(
    connection: "DuckDBPyConnection",
    folder: Path,
    alias: str,
    *,
    timeout_s: float,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[tuple[Path, dict[str, str]]]:
    """Attach the up-to-date history of a folder as `alias`, read-only, for the length of a block.

    Yields:
        The history's file, and the names of unreadable session files with the reason.

    Raises:
        StoreLockedError: another process folds for longer than `timeout_s`.
        StoreError: there is nowhere to write the cache.
    """
    home = _home(folder)
    lock = home / LOCK_NAME
    for _attempt in range(_ATTEMPTS):
        with file_lock(lock, timeout_s=timeout_s, shared=True):
            difference = _open(connection, home / HISTORY_NAME, folder, alias)
            if difference is not None and not difference.missing and not difference.gone:
                try:
                    yield home / HISTORY_NAME, difference.refused
                finally:
                    db.detach(connection, alias)
                return
            db.detach(connection, alias)
        try:
            with file_lock(lock, timeout_s=_READERS_WAIT_S):
                _refresh(home / HISTORY_NAME, folder, progress)
        except StoreLockedError:
            if _only_readers(lock):
                break
        except StoreError:  # a full disk: the cache can be anywhere
            break
    with _private_copy(home, folder, lock, timeout_s, progress) as copy:
        difference = _open(connection, copy, folder, alias)
        try:
            yield copy, difference.refused if difference is not None else {}
        finally:
            db.detach(connection, alias)


def _home(folder: Path) -> Path:
    """Return the folder for the cache: the session folder, if it is this user's; else one in their cache, by its path.

    Raises:
        StoreError: neither can be written.
    """
    if _is_own(folder) and os.access(folder, os.W_OK) and _can_keep_history(folder):
        return folder
    try:
        home = _cache_home(folder)
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be written, and there is no cache folder either ({error}); set XDG_CACHE_HOME"
        raise StoreError(message) from error
    return home


def _cache_home(folder: Path) -> Path:
    key = hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=10).hexdigest()
    return cache_folder() / "history" / key


@contextlib.contextmanager
def closed_to_readers(folder: Path, *, timeout_s: float) -> Iterator[Callable[[], None]]:
    """Keep readers away from the files of a folder, which may then be removed and replaced.

    Yields:
        A function that removes the history, which does not notice that a file has changed.

    Raises:
        StoreLockedError: other processes read or fold for longer than `timeout_s`.
        StoreError: there is nowhere to write the lock.
    """
    home = _home(folder)

    def forget_all() -> None:
        for place in {home, folder}:
            for name in (HISTORY_NAME, f"{HISTORY_NAME}.wal"):
                with contextlib.suppress(OSError):
                    os.unlink(place / name)

    with file_lock(home / LOCK_NAME, timeout_s=timeout_s):
        yield forget_all


def existing_history(folder: Path) -> Path | None:
    """Return the history of a folder as it is, which may lack new sessions; None if the folder was never read.

    Raises:
        OSError: there is no cache folder.
    """
    places = (folder / HISTORY_NAME, _cache_home(folder) / HISTORY_NAME)
    return next((place for place in places if place.is_file()), None)


def _is_own(folder: Path) -> bool:
    """Return whether a folder belongs to this user; True where the system does not say."""
    return not hasattr(os, "geteuid") or folder.stat().st_uid == os.geteuid()


def _can_keep_history(folder: Path) -> bool:
    """Return whether the lock and the history can be files of this folder.

    Modes do not stop root, but a read-only mount does. A link, a FIFO or a folder of one of their names must not keep
    the session files from being read.
    """
    if any(path.is_dir() and not path.is_symlink() for path in (folder / HISTORY_NAME, folder / f"{HISTORY_NAME}.wal")):
        return False
    try:
        os.close(open_regular(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666))
    except (OSError, StoreError):
        return False
    return True


def _open(
    connection: "DuckDBPyConnection", path: Path, folder: Path, alias: str, *, read_only: bool = True
) -> _Difference | None:
    """Attach a history and compare it with its folder; None if it is missing or cannot be used."""
    if not path.exists():
        return None
    try:
        if attach_ours(connection, path, alias, read_only=read_only) != SCHEMA_VERSION:
            return None
        return _compare(connection, folder, alias)
    except StoreError:
        return None
    except Exception as error:
        if is_database_error(error):
            return None
        raise


def _compare(connection: "DuckDBPyConnection", folder: Path, alias: str) -> _Difference:
    rows = connection.execute(
        f"SELECT path, reason, checksum FROM {alias}.source_file WHERE importer = {literal(IMPORTER)}"
    ).fetchall()
    present = session_files(folder)
    listed = {name: (reason, checksum) for name, reason, checksum in rows}
    # Only unreadable files are checked for changes: they may have been replaced.
    refused = {
        name: reason
        for name, (reason, checksum) in listed.items()
        if reason is not None and name in present and file_stamp(os.fspath(folder / name)) == checksum
    }
    replaced = [name for name, (reason, _) in listed.items() if reason is not None and name not in refused]
    return _Difference(
        missing=sorted(name for name in present if name not in listed or name in replaced),
        gone=sorted({*listed.keys() - present, *replaced}),
        refused=refused,
    )


def _refresh(path: Path, folder: Path, progress: Progress) -> None:
    """Fold missing files and forget those that are gone; the caller holds the lock exclusively."""
    # One thread: two take 40 % longer, because most of the time goes into opening small files.
    with contextlib.closing(db.connect()) as connection, translated(os.fspath(path)):
        connection.execute("SET checkpoint_threshold = '1B'")  # no write-ahead log, which would be read again
        difference = _open(connection, path, folder, "history", read_only=False)
        if difference is None:
            db.detach(connection, "history")
            for name in (path, path.with_name(path.name + ".wal")):
                name.unlink(missing_ok=True)
            attach_new(
                connection,
                os.fspath(path),
                "history",
                file_kind="history",
                block_bytes=db.HISTORY_BLOCK_BYTES,
                cache=template_folder(),
            )
            difference = _compare(connection, folder, "history")
        db.close_to_outside(connection, (folder, path.parent, tempfile.gettempdir()))
        forget(connection, "history", difference.gone)
        files = [os.fspath(folder / name) for name in difference.missing]
        absorb(connection, "history", files, progress=lambda done: progress(done, len(files)))
        connection.execute("USE memory; DETACH history")


def _only_readers(lock: Path) -> bool:
    """Return whether only readers hold the lock: waiting for them could take forever."""
    try:
        with file_lock(lock, timeout_s=0, shared=True):
            return True
    except StoreLockedError:
        return False


@contextlib.contextmanager
def _private_copy(home: Path, folder: Path, lock: Path, timeout_s: float, progress: Progress) -> Iterator[Path]:
    """Fold into a private copy, because other processes keep reading the history, or its disk is full."""
    problems: list[StoreError] = []
    with contextlib.ExitStack() as stack:
        for place in scratch_places():
            with _kept_in(problems), translated(os.fspath(folder)):
                scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchdb-", dir=place))
                copy = Path(scratch) / HISTORY_NAME
                with file_lock(lock, timeout_s=timeout_s, shared=True), contextlib.suppress(OSError):
                    shutil.copyfile(home / HISTORY_NAME, copy)
                _refresh(copy, folder, progress)
                break
        else:
            raise problems[0]
        yield copy


@contextlib.contextmanager
def _kept_in(problems: list[StoreError]) -> Iterator[None]:
    """Add an error of a block to `problems`; only a lock that others hold is not of this one place."""
    try:
        yield
    except StoreLockedError:
        raise
    except StoreError as error:
        problems.append(error)
