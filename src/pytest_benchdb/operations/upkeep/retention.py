"""Decide what is no longer needed, and remove it: sessions by name, age or count, and the raw rounds of old ones."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.select.filters.instant import parse_instant
from pytest_benchdb.operations.select.filters.keyword import matches_glob
from pytest_benchdb.operations.upkeep.annotate import sessions_named
from pytest_benchdb.store.upkeep.files import existing_target
from pytest_benchdb.store.upkeep.removal import Removed, remove
from pytest_benchdb.store.upkeep.rewrite import Removal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which sessions are old enough to go; a session goes if every part that is not None applies to it.

    Attributes:
        older_than: a date, a time or a span such as ``90d``; the session started before.
        keep_last: the newest sessions of each branch that stay, whatever else applies.
        branch: glob of branches.
        label: glob of labels.
    """

    older_than: str | None = None
    keep_last: int | None = None
    branch: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """What a rule selects.

    Attributes:
        sessions: those that go, or whose rounds go; oldest first.
        pinned: those that stay only because a baseline names them.
    """

    sessions: tuple[SessionRow, ...]
    pinned: tuple[SessionRow, ...]


def plan_pruning(db: Path, rule: Rule, *, now: dt.datetime | None = None, feedback: Feedback = SILENT) -> Pruning:
    """Return which sessions a rule selects; nothing is changed.

    Raises:
        ConfigError: the rule is empty, or its time is not valid.
        StoreError: the place cannot be read.
    """
    if rule == Rule():
        raise ConfigError("say what may go: --older-than 90d, --keep-last 100, --branch GLOB or --label GLOB")
    now = now or dt.datetime.now(dt.timezone.utc)
    before = None if rule.older_than is None else parse_instant("--older-than", rule.older_than, now)
    with open_source([existing_target(db).path], feedback) as reader:
        sessions = reader.sessions()
        pinned = {baseline.session_id for baseline in reader.baselines()}
    chosen = select_old(sessions, rule, before)
    return Pruning(
        sessions=tuple(session for session in chosen if session.session_id not in pinned),
        pinned=tuple(session for session in chosen if session.session_id in pinned),
    )


def select_old(sessions: Sequence[SessionRow], rule: Rule, before: str | None) -> list[SessionRow]:
    """Return the sessions that a rule selects.

    Args:
        sessions: oldest first.
        rule: its `older_than` is not read.
        before: start before which a session is old, ISO 8601 in UTC; None for no limit.
    """
    newest: dict[tuple[str, str | None], int] = {}
    chosen: list[SessionRow] = []
    for session in reversed(sessions):
        rank = newest[session.project, session.branch] = newest.get((session.project, session.branch), 0) + 1
        if (
            (rule.keep_last is None or rank > rule.keep_last)
            and (before is None or session.started_at < before)
            and (rule.branch is None or matches_glob(session.branch or "", rule.branch))
            and (rule.label is None or matches_glob(session.label or "", rule.label))
        ):
            chosen.append(session)
    return chosen[::-1]


def prune(db: Path, pruning: Pruning, *, whole: bool, feedback: Feedback = SILENT) -> Removed:
    """Remove the raw rounds of the sessions of a plan, or the sessions themselves if `whole`.

    Raises:
        StoreError: the place cannot be written, or is in use.
    """
    ids = [session.session_id for session in pruning.sessions]
    return _remove(db, ids if whole else (), () if whole else ids, feedback)


def find_to_remove(db: Path, specs: Sequence[str], *, feedback: Feedback = SILENT) -> list[SessionRow]:
    """Return every session that SPECs name, for `remove_sessions`.

    Raises:
        ConfigError: a SPEC is ambiguous or not valid, or a baseline names one of the sessions.
        NoBaselineError: a SPEC matches no session.
        StoreError: the place cannot be read.
    """
    path = existing_target(db).path
    with open_source([path], feedback) as reader:
        sessions = sessions_named(specs, reader, reader.sessions(), feedback)
        ids = {session.session_id for session in sessions}
        pinned = sorted({baseline.name for baseline in reader.baselines() if baseline.session_id in ids})
    if pinned:
        raise ConfigError(f"baseline {pinned[0]} names one of them; remove it first: benchdb baseline rm {pinned[0]}")
    return sessions


def remove_sessions(db: Path, sessions: Sequence[SessionRow], *, feedback: Feedback = SILENT) -> Removed:
    """Remove sessions, with everything of theirs.

    Raises:
        StoreError: the place cannot be written, or is in use.
    """
    return _remove(db, [session.session_id for session in sessions], (), feedback)


def _remove(db: Path, sessions: Collection[str], rounds: Collection[str], feedback: Feedback) -> Removed:
    return remove(existing_target(db), Removal(sessions=sessions, rounds=rounds), progress=feedback.progress)
