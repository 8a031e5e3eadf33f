"""What a history has of past commits already, and the sessions that say why a commit could not be measured."""

import hashlib
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.environment.git.log import LoggedCommit
from pytest_benchdb.environment.toml_files import project_name
from pytest_benchdb.errors import StoreError
from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.report import BACKFILL_TAG, SessionRow
from pytest_benchdb.operations.commits.checkout import Origin
from pytest_benchdb.operations.commits.record import CommitSuite, Failure
from pytest_benchdb.operations.duet.recorded import without_recording
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.pytest_run import parse_suite
from pytest_benchdb.operations.record import Context, SessionRecorder, start_session
from pytest_benchdb.operations.upkeep.annotate import exclude_sessions
from pytest_benchdb.store.target import resolve

FAILED_TAG = "backfill-failed"
"""Tag of a session without runs, whose note says why a commit could not be measured; its value is the kind."""

_KEY_BYTES = 5
_DISPLAY = frozenset({"-q", "-qq", "-v", "-vv", "-s", "-ra", "--no-header", "--no-summary"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What there is of one commit.

    Attributes:
        recorded: number of sessions with the benchmarks.
        failure: why an earlier attempt gave no figures; None without one.
    """

    recorded: int = 0
    failure: str | None = None


def backfill_key(suite: CommitSuite, fingerprint: str) -> str:
    """Return the value of the tag of sessions that belong together: one machine ran one command on one suite.

    Sessions with the same tag are what an interrupted backfill left, so that the next one goes on from there.
    """
    files = [] if suite.files is None else [f"{path} {content}" for path, content in suite.files.content.items()]
    command = [shlex.join(words) for words in (suite.program, suite.arguments, suite.pythonpath)]
    parts = (*command, suite.setup or "", suite.build or "", fingerprint, *files)
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=_KEY_BYTES).hexdigest()


def read_past(suite: CommitSuite, key: str, fingerprint: str) -> dict[str, Past]:
    """Return what a history has of each commit, by full hash.

    Sessions of this backfill count, and others of the same commit, machine and Python with the same benchmarks. Which
    benchmarks the command selects is known from sessions of this backfill, else from any recorded by the same command.

    Args:
        suite: what is to be recorded.
        key: from `backfill_key`.
        fingerprint: of this machine and Python.

    Raises:
        StoreError: the history cannot be read.
    """
    if not suite.database.exists():
        return {}
    with open_source([suite.database]) as reader:
        sessions = [session for session in reader.sessions() if session.commit_sha is not None]
        names = {key: set(found) for key, found in reader.benchmarks_of([row.session_id for row in sessions]).items()}
        commands = reader.commands([row.session_id for row in sessions])
    own = [row for row in sessions if row.tags.get(BACKFILL_TAG) == key]
    usable = [row for row in sessions if row.excluded is None and row.complete and not row.dirty]
    same_command = [row for row in usable if _has_command(commands.get(row.session_id), suite)]
    wanted = set[str]().union(*(names.get(row.session_id, set()) for row in own or same_command))
    past: defaultdict[str, Past] = defaultdict(Past)
    for row in sessions:
        sha, is_own = str(row.commit_sha), row.tags.get(BACKFILL_TAG) == key
        reason = _failure_of(row) if is_own else None
        is_covering = row.fingerprint == fingerprint and bool(wanted) and wanted <= names.get(row.session_id, set())
        if reason is not None:
            past[sha] = replace(past[sha], failure=reason)
        elif row in usable and (is_own or (BACKFILL_TAG not in row.tags and is_covering)):
            past[sha] = Past(recorded=past[sha].recorded + 1)
    return dict(past)


def _failure_of(row: SessionRow) -> str | None:
    """Return why a session of a backfill has no figures; None if it has, or was interrupted."""
    if FAILED_TAG in row.tags:
        return row.note or row.tags[FAILED_TAG]
    if row.excluded is not None:
        return row.excluded
    if row.complete and row.runs == row.not_passed:
        return f"none of {row.runs} benchmarks passed"
    return None


def _has_command(command: str | None, suite: CommitSuite) -> bool:
    try:
        words = shlex.split(command or "")
    except ValueError:
        return False
    recorded = without_recording(parse_suite(words, suite.database).arguments)
    return bool(words) and _selecting(recorded) == _selecting(suite.arguments)


def _selecting(arguments: Sequence[str]) -> list[str]:
    """Return arguments without those that only change what pytest prints."""
    return [word for word in arguments if word not in _DISPLAY]


def record_failure(
    origin: Origin, suite: CommitSuite, commit: LoggedCommit, failure: Failure, tags: Mapping[str, str]
) -> None:
    """Record that a commit could not be measured: a session without runs, excluded from the history with the reason.

    Raises:
        StoreError: it cannot be written.
    """
    target = resolve(str(suite.database), origin.folder)
    context = Context(
        root=origin.checkout,
        environ=origin.environ,
        argv=["benchdb", "backfill"],
        project=project_name(origin.checkout),
        label=None,
        tags={**tags, FAILED_TAG: failure.kind},
        note=failure.text,
        suite={},
        unmeasured={},
        kind="api",
    )
    start = start_session(context)
    facts = Commit(
        sha=commit.sha,
        branch=suite.branch,
        dirty=False,
        committed_at=commit.authored_at,
        subject=commit.subject,
        remote_url=start.commit.remote_url,
    )
    recorder = SessionRecorder(replace(start, commit=facts), target)
    recorder.append(b"")
    result = recorder.finish(outcome="error", exit_status=None, complete=False, row_limit=0)
    problem = recorder.problem or (result.message if result is not None else None)
    if problem is not None:
        raise StoreError(f"the failure of {commit.sha[:12]} cannot be recorded: {problem}")
    exclude_sessions(
        suite.database, [f"session:{start.session_id}"], f"not measured: {failure.text}", environ=origin.environ
    )
