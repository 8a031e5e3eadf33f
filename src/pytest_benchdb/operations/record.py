"""Record one session: its start, its journal, and the fold at its end."""

import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb import __version__
from pytest_benchdb.environment.ci import PAST_BRANCH
from pytest_benchdb.environment.collect import collect, environment_id
from pytest_benchdb.environment.command import sanitized_command
from pytest_benchdb.environment.machine.host import read_load
from pytest_benchdb.model.environment import (
    CiJob,
    Commit,
    CountingMethod,
    Environment,
    Load,
    SessionEnd,
    SessionKind,
    SessionOutcome,
    SessionStart,
)
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.store.cache import spool_folders
from pytest_benchdb.store.fold_process import FoldResult, fold_in_child
from pytest_benchdb.store.journal.journal import Journal
from pytest_benchdb.store.journal.lines import end_line, session_line
from pytest_benchdb.store.own_commands import OwnCommand, remember
from pytest_benchdb.store.target import Target

STEAL_SHARE = 0.02
"""A session is `contended` if the hypervisor stole more than this share of the machine's time."""

FOLD_TIMEOUT_S = 60.0
FOLD_BYTES_PER_S = 1_000_000
"""A fifth of the speed of one slow core: the timeout is for a process that hangs, not for a slow one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the caller contributes to a session.

    Attributes:
        root: the project's root.
        environ: environment variables; only a fixed list of them is read.
        argv: the command line.
        project: name of the project; None derives it from the git remote or the root.
        suite: facts from the suite's own hooks.
        unmeasured: why a metric cannot be measured here, by metric.
        kind: who records: pytest, or a script through the Python API.
        runs_again: whether `argv` alone records the same again: a script may be a notebook.
        counting: how the session counts instructions; None if it times.
    """

    root: Path
    environ: Mapping[str, str]
    argv: Sequence[str]
    project: str | None
    label: str | None
    tags: Mapping[str, str]
    note: str | None
    suite: Mapping[str, object]
    unmeasured: Mapping[str, str]
    kind: SessionKind = "pytest"
    runs_again: bool = False
    counting: CountingMethod | None = None


def start_session(context: Context) -> SessionStart:
    """Inspect the machine and return the session's start."""
    snapshot = collect(context.root, context.environ, counting=context.counting)
    session_id, command = uuid7(), sanitized_command(context.argv)
    is_past = PAST_BRANCH in context.environ  # then its checkout is removed, and it cannot be run again
    if (context.kind == "pytest" or context.runs_again) and not is_past:
        remember(OwnCommand(session_id=session_id, command=command, folder=str(Path.cwd())))
    return SessionStart(
        session_id=session_id,
        project=context.project or project_name(snapshot.commit, context.root),
        kind=context.kind,
        started_unix_us=max(time.time_ns() // 1000, 0),
        label=context.label,
        tags=context.tags,
        note=context.note,
        command=command,
        tool="pytest-benchdb",
        tool_version=__version__,
        environment=_with_suite(snapshot.environment, context.suite),
        devices=snapshot.devices,
        commit=_head_commit(snapshot.commit, snapshot.ci),
        ci=snapshot.ci,
        load=snapshot.load,
        unmeasured=context.unmeasured,
    )


class SessionRecorder:
    """Writes one session; without a run it leaves no file behind."""

    def __init__(
        self, start: SessionStart, target: Target, *, spools: Callable[[], Sequence[Path]] = spool_folders
    ) -> None:
        """Write nothing yet; `spools` returns folders for the journal if the target's own is not writable."""
        self.start = start
        self.target = target
        self._pid = os.getpid()
        self._began_s = _uptime_s()
        self._spools = spools
        self._journal: Journal | None = None
        self.problem: str | None = None
        """Why tests are lost or went elsewhere, once the session has ended; None if neither happened."""

    @property
    def is_copy(self) -> bool:
        """Whether this process is a forked child of the one that records: then the session is not its own."""
        return os.getpid() != self._pid

    @property
    def is_empty(self) -> bool:
        """Whether nothing was recorded."""
        return self._journal is None

    @property
    def size_bytes(self) -> int:
        """Size of the journal so far."""
        return 0 if self._journal is None else self._journal.size_bytes

    def append(self, lines: bytes) -> None:
        """Keep journal lines; those that cannot be written now are written later, or counted in `problem`."""
        if self.is_copy:
            return
        if self._journal is None:
            self._journal = Journal(
                self.start.session_id, lambda: [self.target.spool, *self._spools()], session_line(self.start)
            )
        self._journal.append(lines)

    def finish(
        self,
        *,
        outcome: SessionOutcome,
        exit_status: int | None,
        complete: bool,
        row_limit: int,
        earlier: bool = False,
    ) -> FoldResult | None:
        """Close the journal and fold it into the database.

        None if there was nothing to record, if no folder could be written, or in a forked child.

        Args:
            outcome: how the session ended.
            exit_status: pytest's exit status; None outside pytest.
            complete: whether every selected test ran.
            row_limit: the most report rows to return.
            earlier: whether to return earlier times of the benchmarks too.
        """
        if self._journal is None or self.is_copy:
            return None
        # The clock may have been set meanwhile.
        now_us = self.start.started_unix_us + round((_uptime_s() - self._began_s) * 1e6)
        end = session_end(self.start, read_load(), now_us, outcome, exit_status, complete=complete)
        self._journal.close(end_line(end))
        journal = self._journal.path
        if journal is None:
            self.problem = f"{_loss(self._journal)}; give another PATH with --benchdb=PATH"
            return None
        timeout_s = FOLD_TIMEOUT_S + self._journal.size_bytes / FOLD_BYTES_PER_S
        result = fold_in_child(
            journal,
            self.target,
            timeout_s=timeout_s,
            row_limit=row_limit,
            whole=not self._journal.missing_runs,
            earlier=earlier,
        )
        if self._journal.missing_runs:
            rest = result.message or f"the others are in {result.path}; run the tests again when there is space"
            self.problem = f"{_loss(self._journal)}; {rest}"
            return replace(result, message=None)
        if journal.parent != self.target.spool and result.status == "stored":
            move = shlex.join(["benchdb", "merge", str(result.path), "-o", str(self.target.path)])
            why = self._journal.refusals.get(self.target.spool, "the folder was renamed")
            self.problem = f"{self.target.spool} cannot be written: {why}; once it can, type: {move}"
        return result


def _loss(journal: Journal) -> str:
    """Return how many finished tests are in no file, and why."""
    reasons: dict[str, list[str]] = {}
    for folder, reason in journal.refusals.items():
        reasons.setdefault(reason, []).append(str(folder))
    why = "; ".join(f"{reason} ({', '.join(folders)})" for reason, folders in reasons.items())
    lost = journal.missing_runs
    return f"{lost} of {lost + journal.written_runs} finished tests could not be stored and are lost: {why}"


def _uptime_s() -> float:
    """Return a time that never jumps, and that goes on while the machine sleeps where the system has such a clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def session_end(
    start: SessionStart,
    load: Load,
    now_unix_us: int,
    outcome: SessionOutcome,
    exit_status: int | None,
    *,
    complete: bool,
) -> SessionEnd:
    """Return the session's end, from the load at that time."""
    steal_s = None if load.steal_s is None or start.load.steal_s is None else load.steal_s - start.load.steal_s
    duration_s = (now_unix_us - start.started_unix_us) / 1e6
    return SessionEnd(
        finished_unix_us=now_unix_us,
        outcome=outcome,
        exit_status=exit_status,
        complete=complete,
        load1=load.load1,
        steal_s=steal_s,
        contended=_contended(steal_s, duration_s, start),
    )


def _contended(steal_s: float | None, duration_s: float, start: SessionStart) -> bool | None:
    if start.environment is not None and "counting" in start.environment.details:
        return None  # other work does not change counts
    threads = (start.environment and start.environment.threads) or 1
    if start.load.load1 is not None and start.load.load1 > threads:
        return True
    if steal_s is None or duration_s <= 0:
        return None
    return steal_s > STEAL_SHARE * duration_s * threads


def project_root(folder: Path) -> Path:
    """Return the root of the checkout that has this folder, or the folder itself outside a checkout."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)


def project_name(commit: Commit, root: Path) -> str:
    """Return the project's name, from its git remote or else its folder."""
    url = commit.remote_url
    name = url.rstrip("/").removesuffix(".git").replace(":", "/").rpartition("/")[2] if url else ""
    return name or root.name or "project"


def _head_commit(commit: Commit, ci: CiJob) -> Commit:
    """Return the pull request's own commit: CI checks out a merge commit that exists nowhere else."""
    if ci.pull_request is None or ci.sha is None:
        return commit
    return replace(commit, sha=ci.sha, branch=ci.branch or commit.branch)


def _with_suite(environment: Environment, suite: Mapping[str, object]) -> Environment:
    if not suite:
        return environment
    complete = replace(environment, details={**environment.details, "suite": dict(suite)})
    return replace(complete, environment_id=environment_id(complete))
