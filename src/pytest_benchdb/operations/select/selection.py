"""Which sessions and runs a command works on, as users ask for them."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.filters.instant import parse_instant
from pytest_benchdb.operations.select.sessions import Source, find_sessions
from pytest_benchdb.operations.select.spec.resolve import SpecContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which sessions and runs; texts are as users write them, None selects nothing away.

    Attributes:
        keyword: `-k` expression over full names.
        where: `-w` filter over runs.
        since: earliest start of a session.
        until: latest start of a session.
        last: how many of the newest sessions; None decides by what was named.
        sort: key of a column, with ``-`` before it for the largest first.
    """

    keyword: str | None = None
    where: str | None = None
    since: str | None = None
    until: str | None = None
    last: int | None = None
    sort: str | None = None

    def text(self) -> str | None:
        """Return the filters over runs as the user wrote them; None without."""
        parts = [f"-k {self.keyword}" if self.keyword else "", f"-w {self.where}" if self.where else ""]
        return " ".join(part for part in parts if part) or None


def named_sessions(
    sessions: Sequence[SessionRow], source: Source, context: SpecContext | None = None
) -> list[SessionRow]:
    """Return the sessions that were named, oldest first; without names all of them.

    Raises:
        ConfigError: a name cannot be used.
    """
    if not source.sessions:
        return list(sessions)
    named = {session.session_id for session in find_sessions(source.sessions, sessions, context)}
    return [session for session in sessions if session.session_id in named]


def some_in_time(
    sessions: Iterable[SessionRow], selection: Selection, now: dt.datetime, *, of: int
) -> list[SessionRow]:
    """Return the sessions that started within `--since` and `--until`, at least one; there are `of` in all.

    Raises:
        ConfigError: a time cannot be read, or nothing is left.
    """
    chosen = in_time(sessions, selection, now)
    if not chosen:
        raise ConfigError(
            f"none of the {of} sessions lies between --since and --until; see them with: benchdb sessions"
        )
    return chosen


def in_time(sessions: Iterable[SessionRow], selection: Selection, now: dt.datetime) -> list[SessionRow]:
    """Return the sessions that started within `--since` and `--until`.

    Raises:
        ConfigError: a time cannot be read.
    """
    since = parse_instant("--since", selection.since, now) if selection.since else ""
    until = parse_instant("--until", selection.until, now) if selection.until else "9999"
    return [session for session in sessions if since <= session.started_at <= until]
