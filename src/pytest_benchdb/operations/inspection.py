"""What `benchdb doctor` says about a database."""

import os
from collections.abc import Iterator
from pathlib import Path

from pytest_benchdb.errors import StoreError
from pytest_benchdb.operations.finding import Finding
from pytest_benchdb.operations.opening import SILENT, Feedback, open_source
from pytest_benchdb.present.text import counted
from pytest_benchdb.present.units import choose_unit, write_figure
from pytest_benchdb.store.check import validate
from pytest_benchdb.store.folder import journals
from pytest_benchdb.store.inbox import waiting
from pytest_benchdb.store.target import HISTORY_NAME, INBOX_SUFFIX


def check_database(path: Path, *, full: bool = False, feedback: Feedback = SILENT) -> Iterator[Finding]:
    """Yield what there is to say about a database that exists; journals of dead sessions are folded on the way.

    Args:
        path: folder or file.
        full: read and check every value, which takes about as long as copying the files.
        feedback: told about progress.
    """
    warnings: list[str] = []
    try:
        with open_source([path], Feedback(progress=feedback.progress, warn=warnings.append)) as reader:
            sessions = reader.sessions()
    except StoreError as error:
        yield Finding(severity="error", subject=str(path), message=str(error))
        return
    incomplete = sum(not session.complete for session in sessions)
    told = f", {incomplete} of them incomplete" if incomplete else ""
    yield Finding(severity="ok", subject=str(path), message=f"{counted(len(sessions), 'session')}{told}")
    for warning in warnings:
        yield Finding(
            severity="warning",
            subject=str(path),
            message=warning,
            advice="move the file away, or bring back a good copy of it",
        )
    yield from _check_spool(path)
    if path.is_dir():
        yield _check_cache(path / HISTORY_NAME)
    if full:
        yield from _check_content(path, feedback)


def _check_spool(path: Path) -> Iterator[Finding]:
    spool = path if path.is_dir() else Path(os.fspath(path) + INBOX_SUFFIX)
    for journal in journals(spool):
        yield Finding(
            severity="note",
            subject=str(journal),
            message="a journal: its session still runs, or could not be folded",
            advice=f"once no pytest runs there: benchdb recover {path}",
        )
    left = [] if path.is_dir() else waiting(os.fspath(path))
    if left:
        yield Finding(
            severity="warning",
            subject=str(spool),
            message=f"{counted(len(left), 'session')} to go into {path.name}",
            advice=f"benchdb recover {path}",
        )


def _check_cache(cache: Path) -> Finding:
    if not cache.exists():
        message = "kept in the user's cache folder, because this folder cannot be written"
    else:
        size = float(cache.stat().st_size)
        unit = choose_unit("memory", [size])
        message = f"up to date, {write_figure(size, unit)} {unit.symbol}; it can be deleted and is made again"
    return Finding(severity="ok", subject=f"cache {HISTORY_NAME}", message=message)


def _check_content(path: Path, feedback: Feedback) -> Iterator[Finding]:
    checked = validate(path, progress=feedback.progress)
    for problem in checked.problems:
        yield Finding(
            severity="error",
            subject=str(problem.path),
            message=f"{problem.check}: {problem.message}",
            advice="bring back a good copy, or move the file away",
        )
    if not checked.problems:
        yield Finding(
            severity="ok", subject="content", message=f"every value of {counted(checked.files, 'file')} is in order"
        )
