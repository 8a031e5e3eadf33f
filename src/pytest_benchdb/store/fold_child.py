"""The main function of the process that stores a session; `fold_process` starts it.

It prints one JSON object and imports as little as it can, because every recorded session pays for its CPU time.
pytest's own process also loads this module, for `FoldSettings`, so the store is imported only within functions.
"""

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_benchdb.errors import StoreError, interruptible

if TYPE_CHECKING:
    from pytest_benchdb.store.journal.fold import Folded

RECOVER_LIMIT = 20
RECOVER_S = 5.0
"""Most journals of dead sessions that one session folds along with its own, and the time limit for them."""


class FoldSettings(NamedTuple):
    """The arguments of the process.

    Attributes:
        journal: journal of the session that ended.
        path: PATH of `--benchdb`.
        spool: folder of journals and new session files; not `path` for a single file.
        cache: folder of templates; None if there is none.
        row_limit: most rows of the report to print.
        wait_s: how long to wait for locks.
        earlier: whether to look for earlier times of the session's benchmarks.
    """

    journal: str
    path: str
    spool: str
    cache: str | None
    row_limit: int
    wait_s: float
    earlier: bool = False


def main(*settings: Any) -> None:
    """Fold one session and print the result as JSON; the arguments are the fields of `FoldSettings`."""
    answer = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not be taken for the answer
    with open(answer, "wb") as file:
        file.write(fold_session(FoldSettings(*settings)).encode())
    os._exit(0)  # everything is on disk: an orderly end of the interpreter would only cost time


def fold_session(settings: FoldSettings) -> str:
    """Fold one session; return the JSON text of `fold_process.FoldResult`."""
    from pytest_benchdb.store.journal.fold import fold

    try:
        folded = fold(settings.journal, cache=settings.cache, row_limit=settings.row_limit, wait_s=settings.wait_s)
    except StoreError as error:
        return json.dumps({"status": "failed", "path": settings.journal, "message": str(error)})
    if folded.path is None and not _is_stored(settings):
        return json.dumps({"status": "failed", "path": settings.journal, "message": "its journal was removed"})
    answer: dict[str, Any] = {
        "status": "stored",
        "path": folded.path or settings.path,
        "message": _damage(settings.journal, folded),
        "recovered": _recover(settings.spool, settings.cache),
    }
    if folded.path is not None and os.path.abspath(settings.spool) != os.path.abspath(settings.path):
        answer.update(_into_file(folded.path, settings.path, settings.wait_s))
    if folded.report is not None:
        answer["report"] = folded.report._asdict()
        if settings.earlier:
            answer["earlier"] = _find_earlier(settings, answer)
    return json.dumps(answer)


def _is_stored(settings: FoldSettings) -> bool:
    """Return whether another process has folded the journal; from a single file it may have been taken in as well."""
    if os.path.abspath(settings.spool) != os.path.abspath(settings.path):
        return True
    from pytest_benchdb.store.journal.fold import session_id_of

    ending = f"-{session_id_of(settings.journal)}.duckdb"
    with contextlib.suppress(OSError):
        return any(name.endswith(ending) for name in os.listdir(settings.spool))
    return False


def _find_earlier(settings: FoldSettings, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of `history.earlier.Earlier`; the session is stored, so that no error matters any more."""
    from pytest_benchdb.store.history.earlier import Earlier, find_earlier
    from pytest_benchdb.store.journal.fold import session_id_of

    if answer["status"] != "stored":
        return Earlier([], problem=f"{settings.path} is in use")._asdict()
    try:
        with interruptible():
            return find_earlier(settings.path, answer["path"], session_id_of(settings.journal))._asdict()
    except Exception as error:  # noqa: BLE001 - see above
        return Earlier([], problem=str(error))._asdict()


def _damage(journal: str, folded: "Folded") -> str | None:
    from pytest_benchdb.store.journal.fold import DAMAGED_SUFFIX, damage_text

    if not folded.damaged_lines:
        return None
    return f"{damage_text(folded.damaged_lines)}; the journal is kept as {journal}{DAMAGED_SUFFIX}"


def _recover(spool: str, cache: str | None) -> list[str]:
    """Fold the journals that dead sessions left in the spool, within limits; return their session files."""
    from pytest_benchdb.store.journal.fold import JOURNAL_SUFFIX, fold

    recovered = []
    deadline = time.monotonic() + RECOVER_S
    with contextlib.suppress(OSError):
        names = os.listdir(spool)
        journals = sorted(name for name in names if name.endswith(JOURNAL_SUFFIX))
        if journals or any(name.endswith(".part") for name in names):
            from pytest_benchdb.store.history.session_folder import remove_stale_parts

            remove_stale_parts(spool, names)
        for name in journals[:RECOVER_LIMIT]:
            if time.monotonic() > deadline:
                break
            with contextlib.suppress(StoreError):
                folded = fold(os.path.join(spool, name), cache=cache)
                if folded.path is not None:
                    recovered.append(folded.path)
    return recovered


def _into_file(session_file: str, path: str, wait_s: float) -> dict[str, str]:
    from pytest_benchdb.store.history.single_file import fold_inbox

    try:
        fold_inbox(path, wait_s=wait_s)
    except StoreError as error:
        how = f"goes in with the next session, or with: benchdb recover {path}"
        waits = f"{error}; the session waits in {session_file} and {how}"
        return {"status": "waiting", "path": session_file, "message": waits}
    return {"path": path}
