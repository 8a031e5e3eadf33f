"""What dead sessions leave behind: journals to fold, and parts of session files to remove."""

import contextlib
import os
from collections.abc import Sequence

from pytest_benchdb.store.fold import JOURNAL_SUFFIX
from pytest_benchdb.store.lock import lock_now

_PART_ENDINGS = (".part", ".part.wal", ".clean")


def remove_stale_parts(folder: str, names: Sequence[str]) -> None:
    """Remove parts of session files that no process writes any more.

    Args:
        folder: the spool.
        names: what it holds.
    """
    for name in names:
        if not name.startswith(".") or not name.endswith(_PART_ENDINGS):
            continue
        session_id = name[1:].split(".", 1)[0]
        if not _is_live(os.path.join(folder, session_id + JOURNAL_SUFFIX)):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))


def _is_live(journal: str) -> bool:
    """Tell whether somebody holds the journal: its session, or whoever folds it."""
    try:
        descriptor = os.open(journal, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False
    try:
        return not lock_now(descriptor)
    finally:
        os.close(descriptor)
