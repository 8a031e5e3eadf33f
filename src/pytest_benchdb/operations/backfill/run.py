"""Record the past: `plan_backfill` says which commits are missing from the history, `run_backfill` records them."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import BACKFILL_TAG
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.backfill.commits import CommitRange, between, read_commits, read_range, tagged
from pytest_benchdb.operations.backfill.history import Past, backfill_key, read_past, record_failure
from pytest_benchdb.operations.backfill.plan import PlannedCommit, Turn, left_s, plan_turns, thin
from pytest_benchdb.operations.commits.checkout import Origin
from pytest_benchdb.operations.commits.record import CommitSuite, Failure, Recorded, open_recorder
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.exchange.this_machine import ThisMachine
from pytest_benchdb.operations.history.trend import TrendRequest, build_trends
from pytest_benchdb.operations.select.selection import Selection

ALIKE = 5
"""So many commits that all fail, before any is recorded, end the backfill: then it is not the commits."""
_SAME_FOR_ALL = frozenset({"setup", "build", "start"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """What to record.

    Attributes:
        range: as the user wrote it; None only with `around_changes`.
        suite: what to run at each commit; its branch is replaced by that of the range.
        every: only each N-th commit, counted from the newest.
        tags: glob of tags; only commits with such a tag. None for all.
        step_s: least seconds from one commit to the next; None for no step.
        around_changes: only commits between the two sides of a change that `benchdb trend` finds.
        all_parents: whether commits that came in by a merge count too.
        passes: how many sessions each commit gets.
        retry_failed: whether commits that failed before are tried again.
    """

    range: str | None
    suite: CommitSuite
    every: int = 1
    tags: str | None = None
    step_s: float | None = None
    around_changes: bool = False
    all_parents: bool = False
    passes: int = 1
    retry_failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPlan:
    """What is there and what is missing.

    Attributes:
        commits: the chosen ones, oldest first.
        turns: the missing runs, in the order in which to do them.
        key: value of the sessions' tag.
    """

    origin: Origin
    suite: CommitSuite
    commits: tuple[PlannedCommit, ...]
    turns: tuple[Turn, ...]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One run of a backfill, as it ended.

    Attributes:
        done: number of runs so far.
        total: number of runs of the plan; those of commits that failed are done.
        left_s: estimate of the seconds that the rest takes.
    """

    turn: Turn
    recorded: Recorded
    done: int
    total: int
    left_s: float | None


Watch = Callable[[Progress], None]


def plan_backfill(request: BackfillRequest, origin: Origin, feedback: Feedback = SILENT) -> BackfillPlan:
    """Return which commits of a range are missing from the history.

    Args:
        request: what to record.
        origin: the user's checkout.
        feedback: receives progress of reading the history.

    Raises:
        ConfigError: the range names something that is not there, or no commit is left.
        StoreError: the history cannot be read.
    """
    only = None if request.tags is None else tagged(origin, request.tags)
    if request.around_changes:
        changed = _around_changes(request.suite.database, origin, feedback)
        only = changed if only is None else only & changed
    found = _range(request, origin, only or ())
    chosen = thin(found.commits, only=only, step_s=request.step_s, every=request.every)
    if not chosen:
        raise ConfigError(f"none of the {counted(len(found.commits), 'commit')} is chosen; {_loosen(request)}")
    suite = replace(request.suite, branch=found.branch)
    fingerprint = ThisMachine.read(origin.environ).fingerprint
    key = backfill_key(suite, fingerprint)
    past = read_past(suite, key, fingerprint)
    planned = []
    for commit in chosen:
        there = past.get(commit.sha, Past())
        recorded = min(there.recorded, request.passes)
        planned.append(PlannedCommit(commit=commit, recorded=recorded, failure=there.failure))
    turns = plan_turns(planned, request.passes, retry_failed=request.retry_failed)
    return BackfillPlan(origin=origin, suite=suite, commits=tuple(planned), turns=tuple(turns), key=key)


def _range(request: BackfillRequest, origin: Origin, only: Collection[str]) -> CommitRange:
    if request.range is not None:
        # Commits around a change may have come in by a merge.
        return read_range(origin, request.range, all_parents=request.all_parents or request.around_changes)
    if not request.around_changes:
        raise ConfigError("name the commits to record, for example: benchdb backfill HEAD~20.. -- pytest tests/bench")
    return CommitRange(commits=tuple(read_commits(origin, only)), branch=read_range(origin, "HEAD").branch)


def _around_changes(database: Path, origin: Origin, feedback: Feedback) -> set[str]:
    """Return the commits between the last session before a change and the first one after it."""
    request = TrendRequest(root=origin.folder, environ=origin.environ)
    trends = build_trends(Selection(paths=(database,)), request, feedback=feedback)
    found: set[str] = set()
    for trend in trends.series:
        for change in trend.changes:
            before, after = change.before.commit, change.first.commit
            if before is not None and after is not None and before != after:
                found |= between(origin, before, after)
    if not found:
        raise ConfigError(
            "--around-changes: no change in the history has commits between its sides that were not measured; "
            "see the changes with: benchdb trend"
        )
    return found


def _loosen(request: BackfillRequest) -> str:
    if request.around_changes:
        return "the changes that benchdb trend shows are outside this RANGE"
    if request.tags is not None:
        return f"none has a tag that matches {request.tags}"
    return "name a longer RANGE"


def run_backfill(plan: BackfillPlan, watch: Watch, feedback: Feedback = SILENT) -> list[Recorded]:
    """Record what a plan lacks; each commit's sessions are kept as soon as they are there.

    Args:
        plan: from `plan_backfill`.
        watch: called after each run.
        feedback: receives notes for the user.

    Raises:
        ConfigError: pytest cannot be started, imports the user's checkout, or fails alike at all commits.
        StoreError: the database cannot be read or written.
    """
    results: list[Recorded] = []
    durations_s: list[float] = []
    left = list(plan.turns)
    done = 0
    tags = {BACKFILL_TAG: plan.key}
    with open_recorder(plan.origin, plan.suite, feedback.warn) as recorder:
        while left:
            turn = left.pop(0)
            commit = turn.planned.commit
            began_s = time.monotonic()
            recorded = recorder.record_commit(commit.sha, tags)
            durations_s.append(time.monotonic() - began_s)
            results.append(recorded)
            if recorded.failure is not None:
                _keep_failure(plan, turn, recorded, recorded.failure)
                left = [other for other in left if other.planned.commit.sha != commit.sha]
            done = len(plan.turns) - len(left)
            estimate_s = left_s(durations_s, len(left))
            watch(Progress(turn=turn, recorded=recorded, done=done, total=len(plan.turns), left_s=estimate_s))
            _check(results)
    return results


def _keep_failure(plan: BackfillPlan, turn: Turn, recorded: Recorded, failure: Failure) -> None:
    if failure.kind == "imports":
        raise ConfigError(f"{turn.planned.commit.sha[:12]}: {failure.text}; its session is excluded from the history")
    if not recorded.sessions:
        record_failure(plan.origin, plan.suite, turn.planned.commit, failure, {BACKFILL_TAG: plan.key})


def _check(results: list[Recorded]) -> None:
    """End a backfill whose commits all fail for a reason that is not theirs."""
    failures = [result.failure for result in results if result.failure is not None]
    if len(results) == len(failures) == ALIKE and all(failure.kind in _SAME_FOR_ALL for failure in failures):
        raise ConfigError(
            f"the first {ALIKE} commits all failed, the last one so: {failures[-1].text}; correct the command, or, if "
            "it was something else, add --retry-failed"
        )
