"""A folder of session files, and what dead sessions left in it: journals to fold, parts to remove."""

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from pytest_benchdb.errors import StoreError, StoreLockedError, StoreMissingError
from pytest_benchdb.store.attachments import attachments_of_spool, remove_stale_copies
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.journal.fold import DAMAGED_SUFFIX, damage_text, fold
from pytest_benchdb.store.lock import lock_now
from pytest_benchdb.store.regular_file import open_regular
from pytest_benchdb.store.target import HISTORY_NAME, JOURNAL_SUFFIX, SESSION_SUFFIX, how_to_record

_PART_ENDINGS = (".part", ".part.wal", ".clean")


def remove_stale_parts(folder: str, names: Sequence[str]) -> None:
    """Remove, from a spool with the files `names`, parts of session files that no process writes any more."""
    for name in names:
        if not name.startswith(".") or not name.endswith(_PART_ENDINGS):
            continue
        session_id = name[1:].split(".", 1)[0]
        if not _is_live(os.path.join(folder, session_id + JOURNAL_SUFFIX)):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))


def _is_live(journal: str) -> bool:
    """Return whether a process holds the journal, to record or to fold."""
    try:
        descriptor = open_regular(journal, os.O_RDWR)
    except (OSError, StoreError):
        return False
    try:
        return not lock_now(descriptor)
    finally:
        os.close(descriptor)


def session_files(folder: Path) -> set[str]:
    """Return the names of the session files in a folder, without opening any.

    Raises:
        StoreMissingError: the folder does not exist.
    """
    try:
        names = os.listdir(folder)
    except OSError as error:
        message = f"{folder} cannot be listed ({error.strerror}); record into it with: {how_to_record(folder)}"
        raise StoreMissingError(message) from error
    return {name for name in names if name.endswith(SESSION_SUFFIX) and name[0] != "." and name != HISTORY_NAME}


def journals(folder: Path) -> list[Path]:
    """Return the journals in a folder, of running and of dead sessions, oldest first."""
    with contextlib.suppress(OSError):
        return sorted(folder / name for name in os.listdir(folder) if name.endswith(JOURNAL_SUFFIX))
    return []


def recover(folder: Path, *, limit_s: float | None = None) -> tuple[list[Path], list[str]]:
    """Fold the journals of dead sessions in a spool; stop after `limit_s`, unless it is None.

    Returns:
        The session files, and one line for each journal that was damaged or could not be folded.
    """
    started = time.monotonic()
    unfolded = journals(folder)
    with contextlib.suppress(OSError):
        remove_stale_parts(os.fspath(folder), os.listdir(folder))
    remove_stale_copies(attachments_of_spool(folder))
    stored: list[Path] = []
    problems: list[str] = []
    for journal in unfolded:
        if limit_s is not None and time.monotonic() - started > limit_s:
            break
        try:
            folded = fold(os.fspath(journal), cache=template_folder())
        except StoreLockedError:
            continue  # its session still runs
        except StoreError as error:
            problems.append(f"{journal} stays: {error}")
            continue
        if folded.path is not None:
            stored.append(Path(folded.path))
        if folded.damaged_lines:
            problems.append(f"{damage_text(folded.damaged_lines)}; see {journal}{DAMAGED_SUFFIX}")
    return stored, problems


def is_writable(folder: Path) -> bool:
    """Return whether a folder's modes let this user create files in it."""
    return os.access(folder, os.W_OK | os.X_OK)
