"""The process that folds a session: started by `fold_process`, loaded by nothing else.

It prints one JSON object and imports as little as it can: its CPU time is part of every recorded session.
"""

import contextlib
import json
import os
import sys
import time

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store.fold import DAMAGED_SUFFIX, JOURNAL_SUFFIX, Folded, fold

RECOVER_LIMIT = 20
RECOVER_S = 5.0
"""Journals of dead sessions that one session folds on its way, and the time it takes for them."""


def main(  # noqa: PLR0913 - the settings of one process
    journal: str, path: str, spool: str, cache: str | None, row_limit: int, wait_s: float, *, light: bool = True
) -> None:
    """Fold one session and print what came of it.

    Args:
        journal: the journal of the session that ended.
        path: what `--benchdb` named.
        spool: where journals and fresh session files are; another folder than `path` for a single file.
        cache: folder of templates.
        row_limit: how many rows of the report to print.
        wait_s: how long to wait for locks.
        light: see `connection.engine`.
    """
    sys.stdout.buffer.write(work(journal, path, spool, cache, row_limit, wait_s, light=light).encode())


def work(  # noqa: PLR0913 - as above
    journal: str, path: str, spool: str, cache: str | None, row_limit: int, wait_s: float, *, light: bool
) -> str:
    """Fold one session; return the JSON text of `fold_process.FoldResult`."""
    try:
        folded = fold(journal, cache=cache, row_limit=row_limit, wait_s=wait_s, light=light)
    except StoreError as error:
        return json.dumps({"status": "failed", "path": journal, "message": str(error)})
    answer = {
        "status": "stored",
        "path": folded.path or path,
        "message": _damage(journal, folded),
        "recovered": _recover(spool, cache, light=light),
    }
    if folded.path is not None and os.path.abspath(spool) != os.path.abspath(path):
        answer.update(_into_file(folded.path, path, wait_s, light=light))
    if folded.report is not None:
        answer["report"] = folded.report._asdict()
    return json.dumps(answer)


def _damage(journal: str, folded: Folded) -> str | None:
    if not folded.damaged_lines:
        return None
    kept = journal + DAMAGED_SUFFIX
    return f"{folded.damaged_lines} line(s) of the journal were damaged and are not stored; the journal is kept as {kept}"


def _recover(spool: str, cache: str | None, *, light: bool) -> list[str]:
    """Fold what dead sessions left in the spool, within limits; return their session files."""
    recovered = []
    deadline = time.monotonic() + RECOVER_S
    with contextlib.suppress(OSError):
        names = os.listdir(spool)
        journals = sorted(name for name in names if name.endswith(JOURNAL_SUFFIX))
        if journals or any(name.endswith(".part") for name in names):
            from pytest_benchdb.store.recover import remove_stale_parts  # noqa: PLC0415 - seldom needed

            remove_stale_parts(spool, names)
        for name in journals[:RECOVER_LIMIT]:
            if time.monotonic() > deadline:
                break
            with contextlib.suppress(StoreError):
                folded = fold(os.path.join(spool, name), cache=cache, light=light)
                if folded.path is not None:
                    recovered.append(folded.path)
    return recovered


def _into_file(session_file: str, path: str, wait_s: float, *, light: bool) -> dict[str, str]:
    from pytest_benchdb.store.inbox import fold_inbox  # noqa: PLC0415 - for a single file only

    try:
        fold_inbox(path, wait_s=wait_s, light=light)
    except StoreError as error:
        waits = f"{error}; the session waits in {session_file} and goes in with the next session, or with: benchdb recover {path}"
        return {"status": "waiting", "path": session_file, "message": waits}
    return {"path": path}
