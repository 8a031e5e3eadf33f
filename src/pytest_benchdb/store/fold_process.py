"""Folds a session in a child process, so that pytest's process never loads DuckDB."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pytest_benchdb.errors import interruptible
from pytest_benchdb.model.report import EarlierTime, EarlierTimes, ReportRow, RunNotes
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.child_command import child_command
from pytest_benchdb.store.fold_child import FoldSettings, fold_session, main
from pytest_benchdb.store.target import JOURNAL_SUFFIX, SESSION_SUFFIX, Target

# Signals that end pytest's process group, from a terminal or a CI service, must not end the fold: it takes a moment.
_APART: Mapping[str, Any] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if os.name == "nt"
    else {"start_new_session": True}
)
_LOCK_SHARE = 0.5
"""Share of the time limit that may be spent waiting for other processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldResult:
    """The result of folding a session's journal.

    Attributes:
        status: `stored`; `waiting` in the inbox because the single file cannot take it now; or `failed`, which leaves
            the journal.
        path: the session file, the single file, or the journal.
        message: one line, what happened and what to type; None if all is well.
        rows: the first rows of the report.
        outcomes: number of runs by outcome.
        notes: what was noticed while functions were timed.
        missing_counts: number of runs that have none of the hardware counters asked for, by reason.
        recovered: session files of dead sessions that were folded too.
        earlier: earlier times of the session's benchmarks; None unless they were asked for.
    """

    status: Literal["stored", "waiting", "failed"]
    path: Path
    message: str | None = None
    rows: tuple[ReportRow, ...] = ()
    total_runs: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[RunNotes, ...] = ()
    missing_counts: Mapping[str, int] = field(default_factory=dict)
    recovered: tuple[Path, ...] = ()
    earlier: EarlierTimes | None = None


def fold_in_child(
    journal: Path, target: Target, *, timeout_s: float, row_limit: int, whole: bool = True, earlier: bool = False
) -> FoldResult:
    """Fold a journal into a session file, and into the single file if the target is one.

    Failures of files, locks, disks or processes are reported in `status`, not raised.

    Args:
        journal: the journal; its lock has been released.
        target: where the session goes.
        timeout_s: how long the child may take; then it is killed, and the journal stays.
        row_limit: most rows of the report to return.
        whole: whether the journal has every finished run.
        earlier: whether to return earlier times of the session's benchmarks too.
    """

    def failed(what: str) -> FoldResult:
        return FoldResult(status="failed", path=journal, message=f"{what}; {_hint(journal, target, whole=whole)}")

    elsewhere = journal.parent != target.spool  # the spool could not be written: the session stays with its journal
    settings = FoldSettings(
        journal=str(journal),
        path=str(journal.parent if elsewhere else target.path),
        spool=str(journal.parent),
        cache=template_folder(),
        row_limit=row_limit,
        wait_s=timeout_s * _LOCK_SHARE,
        earlier=earlier,
    )
    try:
        output = _folded(settings, timeout_s)
    except subprocess.TimeoutExpired:
        return failed(f"storing the session took longer than {timeout_s:g} s")
    except KeyboardInterrupt:  # the tests have finished: an impatient Ctrl-C must not lose their outcome
        return failed("storing the session was interrupted")
    except subprocess.CalledProcessError as error:
        return failed(f"the process that stores the session died ({_last_line(error)})")
    try:
        answer = json.loads(output)
    except ValueError:
        return failed("the process that stores the session gave no answer")
    return failed(str(answer["message"])) if answer["status"] == "failed" else _result(answer)


def _folded(settings: FoldSettings, timeout_s: float) -> str | bytes:
    """Fold in a child, or in this process if none can be started, rather than leave the journal."""
    try:
        command = child_command(main, *settings)
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=True, **_APART
        )
    except OSError:
        with interruptible():
            return fold_session(settings)
    output: bytes = done.stdout
    return output


def _result(answer: Mapping[str, Any]) -> FoldResult:
    report = answer.get("report") or {"rows": [], "outcomes": {}, "notes": [], "missing_counts": {}}
    outcomes = {str(outcome): int(runs) for outcome, runs in report["outcomes"].items()}
    return FoldResult(
        status=answer["status"],
        path=Path(answer["path"]),
        message=answer["message"],
        rows=tuple(ReportRow(**row) for row in report["rows"]),
        total_runs=sum(outcomes.values()),
        outcomes=outcomes,
        notes=tuple(RunNotes(**notes) for notes in report["notes"]),
        missing_counts=report["missing_counts"],
        recovered=tuple(map(Path, answer["recovered"])),
        earlier=_earlier(answer["earlier"]) if "earlier" in answer else None,
    )


def _earlier(found: Mapping[str, Any]) -> EarlierTimes:
    times = tuple(EarlierTime(**one) for one in found["times"])
    return EarlierTimes(times=times, left=found["left"], problem=found["problem"])


def _hint(journal: Path, target: Target, *, whole: bool) -> str:
    """Return where the session is that was not stored, and what to type."""
    place = target.path if journal.parent == target.spool else journal.parent
    kept = journal
    if not journal.exists():
        folded = sorted(journal.parent.glob(f"*-{journal.name.removesuffix(JOURNAL_SUFFIX)}{SESSION_SUFFIX}"))
        if not folded and target.kind == "folder":
            return f"{journal} is not there any more, and the session is lost"
        kept = folded[0] if folded else target.path
    if whole:
        return f"nothing is lost: {kept} holds the session; type: benchdb recover {place}"
    return f"{kept} holds the others; type: benchdb recover {place}, and run the tests again"


def _last_line(error: subprocess.CalledProcessError) -> str:
    lines = error.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {error.returncode}"
