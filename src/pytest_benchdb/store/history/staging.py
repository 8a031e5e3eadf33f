"""Stores imported sessions: folds them in a hidden folder into one file, then moves that into the store.

They appear complete, by a rename. A process that dies leaves only the hidden folder; a later import removes it.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from pytest_benchdb.errors import StoreError
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.single_file import fold_inbox
from pytest_benchdb.store.journal.fold import SEVERAL, fold
from pytest_benchdb.store.target import JOURNAL_SUFFIX, Target, make_folder

_PREFIX = ".import-"
_STALE_S = 86_400.0
_LOCK_WAIT_S = 60.0
_OPEN = "open"
"""Name of the journal that sessions are added to."""
_MOST_BYTES = 256 << 20
"""Size from which a journal is folded; an import of less becomes one file."""
_WORKERS = min(4, os.cpu_count() or 1)
"""Folds at a time: DuckDB releases Python's lock; reading files, which holds it, is a fifth of the time."""


@contextlib.contextmanager
def staging(target: Target) -> Iterator["Staging"]:
    """Stage sessions for the length of a block; unpublished ones are removed at its end."""
    stage = Staging(target)
    try:
        yield stage
    finally:
        stage.discard()


class Staging:
    """A hidden folder beside the store's sessions; get one from `staging`."""

    def __init__(self, target: Target) -> None:
        """Stage for `target`; nothing is written yet."""
        self._target = target
        self._folder: Path | None = None
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="benchdb-fold")
        self._open: BinaryIO | None = None
        self._ids: list[str] = []
        self._group: list[Future[str]] = []
        self._groups: deque[list[Future[str]]] = deque()

    def add(self, session_id: str, lines: Iterable[bytes]) -> None:
        """Add the lines of a whole session; many sessions become one file, which is folded in the background.

        Raises:
            StoreError: the journal cannot be written.
        """
        journal = os.fspath(self._home() / _OPEN)
        with translated(journal):
            if self._open is None:
                self._open = open(journal, "wb")  # noqa: SIM115 - closed by `_close`
            self._open.writelines(lines)
            self._ids.append(session_id)
            if self._open.tell() > _MOST_BYTES:
                self._close()

    @property
    def home(self) -> Path:
        """The hidden folder, for files that are given to `add_file`."""
        return self._home()

    def add_file(self, path: str) -> None:
        """Add a file of sessions that is in the hidden folder."""
        folded: Future[str] = Future()
        folded.set_result(path)
        self._group.append(folded)

    def publish(self) -> None:
        """Mark the sessions added so far as complete: they appear together, in time or by `finish`.

        Raises:
            StoreError: a session added so far cannot be stored.
        """
        if self._group:  # some of them are being folded, so the rest must not wait
            self._close()
            self._groups.append(self._group)
            self._group = []
        while len(self._groups) > _WORKERS:
            self._move()

    def _close(self) -> None:
        """Close the journal, and fold it into a session's file, or into one of several sessions."""
        if self._open is None:
            return
        self._open.close()
        self._open = None
        name = self._ids[0] if len(self._ids) == 1 else f"{SEVERAL}{content_id(*self._ids)}"
        self._ids = []
        journal = os.fspath(self._home() / f"{name}{JOURNAL_SUFFIX}")
        with translated(journal):
            os.replace(self._home() / _OPEN, journal)
        self._group.append(self._workers.submit(_fold, journal))

    def _move(self) -> None:
        spool = os.fspath(self._target.spool)
        files = [folded.result() for folded in self._groups.popleft()]
        with translated(spool):
            for file in files:
                os.replace(file, os.path.join(spool, os.path.basename(file)))

    def finish(self) -> None:
        """Wait until everything published is in the store.

        Raises:
            StoreError: a session cannot be stored, or must wait because the single file cannot be written now.
        """
        self._close()
        self._groups.append(self._group)
        self._group = []
        while self._groups:
            self._move()
        if self._target.kind == "file" and self._folder is not None:
            path = os.fspath(self._target.path)
            for refused in fold_inbox(path, wait_s=_LOCK_WAIT_S):
                raise StoreError(f"{refused.path} waits beside {path}: {refused.reason}")

    def discard(self) -> None:
        """Remove the folder and all unpublished sessions."""
        self._workers.shutdown(cancel_futures=True)
        if self._open is not None:
            self._open.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            if self._target.kind == "file":
                with contextlib.suppress(OSError):
                    self._target.spool.rmdir()

    def _home(self) -> Path:
        """Return the hidden folder, created by the first call."""
        if self._folder is None:
            spool = self._target.spool
            with translated(os.fspath(spool)):
                make_folder(spool)
                _remove_stale(spool)
                self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=spool))
        return self._folder


def _fold(journal: str) -> str:
    folded = fold(journal, cache=template_folder())
    if folded.path is None or folded.damaged_lines:
        raise StoreError(f"{journal} has {len(folded.damaged_lines)} damaged line(s); nothing of it was imported")
    return folded.path


def _remove_stale(spool: Path) -> None:
    """Remove the folders of imports that were killed more than a day ago."""
    for entry in spool.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - entry.stat().st_mtime > _STALE_S:
                shutil.rmtree(entry, ignore_errors=True)
