"""Parse what a user selects, and pick those sessions from a history."""

import contextlib
import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pytest_benchdb.environment.git.ancestry import open_ancestry
from pytest_benchdb.errors import ConfigError, StoreMissingError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.select.filters.instant import parse_instant
from pytest_benchdb.operations.select.spec.context import SpecContext, spec_context
from pytest_benchdb.operations.select.spec.resolve import kept_sessions, resolve_spec
from pytest_benchdb.operations.select.spec.syntax import home_path, parse_spec
from pytest_benchdb.store.read.reader import Reader
from pytest_benchdb.store.target import missing_text, no_session_text

NEWEST = 400
"""Sessions that are read without `--last`: the time that change points take grows with their square."""


def stored_sessions(reader: Reader, paths: Sequence[Path]) -> list[SessionRow]:
    """Return every session of a history, oldest first.

    Raises:
        StoreMissingError: there is none.
    """
    sessions = [session for session in reader.sessions() if session.kind != "peaks"]  # those have no benchmarks
    if not sessions:
        raise StoreMissingError(no_session_text(paths))
    return sessions


def find_sessions(
    specs: Sequence[str], sessions: Sequence[SessionRow], context: SpecContext | None = None
) -> list[SessionRow]:
    """Return the sessions that SPECs name, each once, in the order of the SPECs.

    Args:
        specs: if one matches several sessions (a label, a commit, a branch), the newest is taken, except for
            ``window:N`` and ranges.
        sessions: oldest first.
        context: pinned baselines, runs and git; None for no baselines and no runs.

    Raises:
        NoBaselineError: a SPEC matches no session.
        ConfigError: a SPEC is ambiguous or not valid.
    """
    context = context or SpecContext(git=cache(lambda: open_ancestry(Path.cwd(), os.environ)))
    named: dict[str, SessionRow] = {}
    for text in specs:
        spec = parse_spec(text)
        matching = resolve_spec(spec, sessions, context)
        all_of_them = spec.kind in {"window", "range"}
        named |= {session.session_id: session for session in (matching if all_of_them else matching[-1:])}
    return list(named.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to read, with filters as users write them; None does not filter.

    Attributes:
        paths: files and folders.
        specs: sessions in them: ``latest~1``, ids, labels; empty for all.
        keyword: `-k` expression over full names.
        names: full names of benchmarks; None for all.
        where: `-w` filter over runs.
        metrics: names of metrics and words of `METRIC_WORDS`; empty for the time of each benchmark.
        since: earliest start of a session.
        until: latest start of a session.
        last: how many of the newest sessions; None for the command's default.
        now: the current time, timezone-aware, for spans such as ``7d``; None reads the clock.
    """

    paths: tuple[Path, ...]
    specs: tuple[str, ...] = ()
    keyword: str | None = None
    names: tuple[str, ...] | None = None
    where: str | None = None
    metrics: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    last: int | None = None
    now: dt.datetime | None = None

    def text(self) -> str | None:
        """Return the filters over runs as the user wrote them; None if there are none."""
        parts = [f"-k {self.keyword}" if self.keyword else "", f"-w {self.where}" if self.where else ""]
        parts.append(f"--metric {','.join(self.metrics)}" if self.metrics else "")
        return " ".join(part for part in parts if part) or None


def make_selection(specs: Sequence[str], db: Path, *, sessions: Sequence[str] = (), **filters: Any) -> Selection:
    """Return the selection of a command line.

    A SPEC that exists as a path or looks like one is a path; any other names a session in the paths.

    Args:
        specs: as the user wrote them.
        db: the database to use if no path is given.
        sessions: further session names, never taken for paths.
        filters: further fields of the selection.

    Raises:
        ConfigError: a SPEC is empty or malformed.
        StoreMissingError: a path does not exist.
    """
    paths: list[Path] = []
    names = list(sessions)
    for spec in specs:
        kind, _, rest = spec.partition(":")
        parsed = parse_spec(spec) if spec.strip() else None
        path = home_path(rest if kind == "file" and rest else spec)
        if parsed is not None and parsed.kind not in {"word", "file", "range"}:
            names.append(spec)
        elif path_exists(path):
            paths.append(path)
        elif parsed is not None and parsed.kind == "range":
            names.append(spec)
        elif kind == "file" or _looks_like_path(spec):
            raise StoreMissingError(missing_text(path))
        else:
            names.append(spec)
    if not paths:
        if not path_exists(db):
            prefix = f"there is no file, folder or session {names[0]!r}, and " if names else ""
            raise StoreMissingError(f"{prefix}{missing_text(db)}")
        paths.append(db)
    return Selection(paths=tuple(dict.fromkeys(paths)), specs=tuple(dict.fromkeys(names)), **filters)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedSessions:
    """An open history and the sessions selected from it.

    Attributes:
        everything: all sessions, oldest first.
        sessions: the selected ones, oldest first; at least one.
        context: for resolving further SPECs.
    """

    reader: Reader
    everything: list[SessionRow]
    sessions: list[SessionRow]
    context: SpecContext

    def on_newest_machine(self) -> list[SessionRow]:
        """Return the selected sessions that ran on the newest one's machine."""
        return [session for session in self.sessions if session.fingerprint == self.sessions[-1].fingerprint]


@contextlib.contextmanager
def open_selection(
    selection: Selection,
    feedback: Feedback = SILENT,
    *,
    newest: int | None = NEWEST,
    branch: str | None = None,
    root: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[SelectedSessions]:
    """Open a history and find the selected sessions; the history closes with the block.

    Args:
        selection: paths, names, times and number.
        feedback: receives progress, and warnings about unreadable sessions.
        newest: see `pick_sessions`.
        branch: see `pick_sessions`.
        root: a folder in the git checkout; None for the working folder.
        environ: environment variables for git; None for the process's own.

    Raises:
        ConfigError: a name, a time or the branch is not valid, or selects nothing.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    with open_source(selection.paths, feedback) as reader:
        everything = stored_sessions(reader, selection.paths)
        context = spec_context(reader, root=root, environ=environ, warn=feedback.warn)
        sessions = pick_sessions(everything, selection, context, newest=newest, branch=branch)
        yield SelectedSessions(reader=reader, everything=everything, sessions=sessions, context=context)


def pick_sessions(
    sessions: Sequence[SessionRow],
    selection: Selection,
    context: SpecContext | None = None,
    *,
    newest: int | None = NEWEST,
    branch: str | None = None,
) -> list[SessionRow]:
    """Return the selected sessions, oldest first; at least one.

    Args:
        sessions: all there are, oldest first.
        selection: names, times and number.
        context: for resolving names; None for no baselines.
        newest: how many sessions to keep without `--last`. None keeps all that names or times select; if neither is
            given, as many as files were named, but at least one.
        branch: keep only this branch; None keeps all.

    Raises:
        ConfigError: a name or a time is not valid, or nothing is left.
        NoBaselineError: every session is excluded.
    """
    if selection.specs:
        named = {session.session_id for session in find_sessions(selection.specs, sessions, context)}
        picked = [session for session in sessions if session.session_id in named]
    else:
        picked = kept_sessions(sessions)
    if branch is not None:
        picked = [session for session in picked if session.branch == branch]
        if not picked:
            branches = sorted({session.branch for session in sessions if session.branch})
            choice = f"choose from {', '.join(branches)}" if branches else "no session has a branch"
            raise ConfigError(f"--branch {branch}: no session of this branch; {choice}")
    picked = filter_by_time(picked, selection)
    if not picked:
        raise ConfigError(
            f"none of the {len(sessions)} sessions is between --since and --until; see them with: benchdb sessions"
        )
    last = selection.last or newest
    if last is None and not (selection.specs or selection.since or selection.until):
        last = max(1, sum(path.is_file() for path in selection.paths))
    return picked if last is None else picked[-last:]


def filter_by_time(sessions: Iterable[SessionRow], selection: Selection) -> list[SessionRow]:
    """Return the sessions that started between `--since` and `--until`.

    Raises:
        ConfigError: a time is not valid.
    """
    now = selection.now or dt.datetime.now(dt.timezone.utc)
    since = parse_instant("--since", selection.since, now) if selection.since else ""
    until = parse_instant("--until", selection.until, now) if selection.until else "9999"
    return [session for session in sessions if since <= session.started_at <= until]


def path_exists(path: Path) -> bool:
    """Return whether a path exists; False if it is not a valid path."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _looks_like_path(spec: str) -> bool:
    return "/" in spec or "\\" in spec or spec.endswith((".duckdb", ".db")) or spec.startswith((".", "~"))
