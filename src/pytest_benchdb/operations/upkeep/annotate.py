"""Annotate recorded results: named baselines, accepted changes, excluded sessions and notes."""

import datetime as dt
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.errors import ConfigError, NoBaselineError, StoreMissingError
from pytest_benchdb.model.annotation import Acceptance, Annotation, Baseline, Exclusion, Note
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.report import Row, SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.select.filters.keyword import matches_glob
from pytest_benchdb.operations.select.selection import stored_sessions
from pytest_benchdb.operations.select.spec.context import spec_context
from pytest_benchdb.operations.select.spec.resolve import resolve_spec
from pytest_benchdb.operations.select.spec.syntax import parse_spec
from pytest_benchdb.store.history.annotate import annotate
from pytest_benchdb.store.read.reader import Reader
from pytest_benchdb.store.target import Target, missing_text

_NAME = re.compile(r"[^\s:~*?\[\]][^\s:~*?\[\]]{0,99}")
_DAYS = re.compile(r"(\d{1,5})\s*([dw])")
_AUTHORS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR", "BUILDKITE_BUILD_AUTHOR", "USER", "USERNAME")
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An annotation, and where it was written.

    Attributes:
        path: the file that contains it now.
        waits: whether it waits there because the single file is in use.
        session: the annotated session; None if there is none.
    """

    entry: Annotation
    path: Path
    waits: bool
    session: SessionRow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A baseline and its session; None if that session is missing."""

    baseline: Baseline
    session: SessionRow | None


def set_baseline(db: Path, name: str, spec: str = "latest", *, feedback: Feedback = SILENT) -> Written:
    """Give sessions a lasting name.

    Args:
        db: folder or file.
        name: one word; replaces a baseline of that name.
        spec: the sessions; resolved now, so that later sessions do not change it.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: the name could be a SPEC, or `spec` selects nothing or is ambiguous.
        StoreError: the database cannot be read or written.
    """
    if not _NAME.fullmatch(name) or parse_spec(name).kind != "word":
        raise ConfigError(
            f"{name!r} cannot name a baseline: write one word without blanks, ':', '~' and wildcards, "
            "that is not a SPEC itself; for example release-1.2"
        )
    target = _target(db)
    with open_source([db], feedback) as reader:
        newest = _sessions_of(reader, spec, db, feedback)[-1]
    if newest.kind == "sample":
        raise ConfigError(f"{spec} is sample data, which was never measured; name a session that was recorded")
    entry = Baseline(
        baseline_id=uuid7(),
        project=newest.project,
        name=name,
        spec=spec,
        session_id=newest.session_id,
        created_at=_now(),
    )
    return _write(target, entry, newest)


def list_baselines(db: Path, *, feedback: Feedback = SILENT) -> list[Pinned]:
    """Return the baselines by name, without removed ones.

    Raises:
        StoreError: the place cannot be read.
    """
    with open_source([_existing(db)], feedback) as reader:
        sessions = {session.session_id: session for session in reader.sessions()}
        return [
            Pinned(baseline=baseline, session=sessions.get(baseline.session_id or ""))
            for baseline in reader.baselines()
        ]


def remove_baseline(db: Path, name: str, *, feedback: Feedback = SILENT) -> Written:
    """Remove a baseline's name; the sessions stay.

    Raises:
        NoBaselineError: there is no baseline of that name.
        StoreError: the place cannot be read or written.
    """
    target = _target(db)
    with open_source([db], feedback) as reader:
        baselines = reader.baselines()
    named = [baseline for baseline in baselines if baseline.name == name]
    if not named:
        names = ", ".join(sorted({baseline.name for baseline in baselines})) or "none"
        raise NoBaselineError(f"there is no baseline {name!r}; there are {names}")
    now = _now()
    removals = [replace(baseline, baseline_id=uuid7(), created_at=now, removed_at=now) for baseline in named]
    return [_write(target, removal) for removal in removals][-1]


def accept_change(  # noqa: PLR0913 - what an acceptance can say
    db: Path,
    pattern: str,
    reason: str,
    *,
    metric: str | None = None,
    expires: str | None = None,
    since: str = "latest",
    environ: Mapping[str, str] = os.environ,
    now: dt.datetime | None = None,
    feedback: Feedback = SILENT,
) -> Written:
    """Accept a change of level: the gate lets it pass, and earlier history is no longer a baseline.

    Args:
        db: folder or file.
        pattern: glob over full names; it must match a benchmark of the session.
        reason: why the change is accepted.
        metric: name of a metric or a word such as ``time``; None for all.
        expires: last day (``2027-01-31``) or a span from now (``30d``, ``4w``); None for never.
        since: the first session of the new level.
        environ: environment variables, for the author's name.
        now: the current time, timezone-aware; None reads the clock.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: the pattern matches nothing, the reason is empty, or another value is not valid.
        StoreError: the place cannot be read or written.
    """
    if not reason.strip():
        raise ConfigError("--reason is empty; say why the change is accepted")
    expires_at = None if expires is None else parse_expiry(expires, now or dt.datetime.now(dt.timezone.utc))
    target = _target(db)
    with open_source([db], feedback) as reader:
        first = _sessions_of(reader, since, db, feedback)[0]
        names = [row.fullname for row in reader.report([first.session_id])[first.session_id]]
    if not any(matches_glob(name, pattern) for name in names):
        raise ConfigError(_no_match(pattern, names, first))
    entry = Acceptance(
        acceptance_id=uuid7(),
        pattern=pattern,
        metric=metric,
        since_session_id=first.session_id,
        reason=" ".join(reason.split()),
        author=_author(environ),
        created_at=_now(),
        expires_at=expires_at,
    )
    return _write(target, entry, first)


def list_acceptances(db: Path, *, feedback: Feedback = SILENT) -> list[Acceptance]:
    """Return the accepted changes, oldest first, including expired ones.

    Raises:
        StoreError: the place cannot be read.
    """
    with open_source([_existing(db)], feedback) as reader:
        return reader.acceptances()


def exclude_sessions(
    db: Path, specs: Sequence[str], reason: str, *, environ: Mapping[str, str] = os.environ, feedback: Feedback = SILENT
) -> Written:
    """Take sessions out of the history: they stay stored, and only SPECs that name them still mean them.

    Args:
        db: folder or file.
        specs: the sessions; resolved now, so that later sessions are not excluded.
        reason: why.
        environ: environment variables, for the author's name.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        NoBaselineError: a SPEC selects nothing.
        ConfigError: the reason is empty, or a SPEC is ambiguous.
        StoreError: the place cannot be read or written.
    """
    if not reason.strip():
        raise ConfigError("--reason is empty; say why the sessions are excluded")
    target = _target(db)
    with open_source([db], feedback) as reader:
        sessions = sessions_named(specs, reader, stored_sessions(reader, [db]), feedback)
    entry = Exclusion(
        exclusion_id=uuid7(),
        session_ids=tuple(session.session_id for session in sessions),
        spec=" ".join(specs),
        reason=" ".join(reason.split()),
        author=_author(environ),
        created_at=_now(),
    )
    return _write(target, entry, sessions[-1])


def include_sessions(
    db: Path, specs: Sequence[str], *, environ: Mapping[str, str] = os.environ, feedback: Feedback = SILENT
) -> Written:
    """Make excluded sessions part of the history again; SPECs are resolved as if nothing were excluded.

    Raises:
        NoBaselineError: a SPEC selects nothing.
        ConfigError: none of the sessions is excluded, or a SPEC is ambiguous.
        StoreError: the place cannot be read or written.
    """
    target = _target(db)
    with open_source([db], feedback) as reader:
        stored = stored_sessions(reader, [db])
        named = sessions_named(specs, reader, [replace(session, excluded=None) for session in stored], feedback)
    reasons = {session.session_id: session.excluded for session in stored if session.excluded is not None}
    back = [session for session in named if session.session_id in reasons]
    if not back:
        what = "this session is not" if len(named) == 1 else f"none of the {len(named)} sessions is"
        raise ConfigError(f"{' '.join(specs)}: {what} excluded; see which are with: benchdb exclude --list")
    now = _now()
    entry = Exclusion(
        exclusion_id=uuid7(),
        session_ids=tuple(session.session_id for session in back),
        spec=" ".join(specs),
        reason=reasons[back[-1].session_id] or "",
        author=_author(environ),
        created_at=now,
        removed_at=now,
    )
    return _write(target, entry, back[-1])


def list_excluded(db: Path, *, feedback: Feedback = SILENT) -> list[tuple[Row, SessionRow | None]]:
    """Return the excluded sessions in the order in which they were excluded; None for one that is not stored here.

    Raises:
        StoreError: the place cannot be read.
    """
    with open_source([_existing(db)], feedback) as reader:
        sessions = {session.session_id: session for session in reader.sessions()}
        return [(row, sessions.get(row["session_id"])) for row in reader.exclusions() if row["excluded"]]


def write_note(
    db: Path, name: str, text: str, *, environ: Mapping[str, str] = os.environ, feedback: Feedback = SILENT
) -> Written:
    """Write a note about a session or a run.

    Args:
        db: folder or file.
        name: a SPEC, meaning its newest session; ``run:ID`` or the beginning of a run's id for a run.
        text: the note.
        environ: environment variables, for the author's name.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        NoBaselineError: the name matches nothing.
        ConfigError: the text is empty, or the name is ambiguous.
        StoreError: the place cannot be read or written.
    """
    if not text.strip():
        raise ConfigError("the note is empty; write its text after the session, in quotes")
    target = _target(db)
    with open_source([db], feedback) as reader:
        prefix = name.removeprefix("run:")
        runs = reader.find_runs(prefix) if prefix else {}
        try:
            session = _sessions_of(reader, name, db, feedback)[-1]
            run_id = next(iter(runs)) if name.startswith("run:") else None
        except NoBaselineError:
            if len(runs) != 1:
                raise
            run_id, session_id = runs.popitem()
            session = next(session for session in reader.sessions() if session.session_id == session_id)
    entry = Note(
        note_id=uuid7(),
        session_id=session.session_id,
        run_id=run_id,
        author=_author(environ),
        created_at=_now(),
        text=text.strip(),
    )
    return _write(target, entry, session)


def parse_expiry(text: str, now: dt.datetime) -> str:
    """Return the end of a day (``2027-01-31``) or of a span from now (``30d``, ``4w``), ISO 8601 in UTC.

    Raises:
        ConfigError: the text is neither, or the time has passed.
    """
    try:
        span = parse_days(text)
        if span is not None:
            moment = now + span
        else:
            day = dt.date.fromisoformat(text.strip())
            moment = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.timezone.utc)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"--expires {text!r}: not a day; write 2027-01-31, 30d or 4w") from error
    if moment <= now:
        raise ConfigError(f"--expires {text!r} has passed; write a day that is still to come, or 30d")
    return moment.astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds")


def parse_days(text: str) -> dt.timedelta | None:
    """Return a span of days or weeks, such as ``30d`` or ``4w``; None for any other text."""
    span = _DAYS.fullmatch(text.strip().lower())
    return None if span is None else dt.timedelta(days=int(span[1]) * (7 if span[2] == "w" else 1))


def _sessions_of(reader: Reader, spec: str, db: Path, feedback: Feedback) -> list[SessionRow]:
    return sessions_named([spec], reader, stored_sessions(reader, [db]), feedback)


def sessions_named(
    specs: Sequence[str], reader: Reader, sessions: Sequence[SessionRow], feedback: Feedback
) -> list[SessionRow]:
    """Return every session that one of the SPECs means, in the order of the SPECs.

    Raises:
        ConfigError: a SPEC is ambiguous or not valid.
        NoBaselineError: a SPEC matches no session.
    """
    context = spec_context(reader, warn=feedback.warn)
    named: dict[str, SessionRow] = {}
    for spec in specs:
        selected = resolve_spec(parse_spec(spec), sessions, context)
        if not selected:
            raise NoBaselineError(f"{spec}: there is no such session yet; see them with: benchdb sessions")
        named |= {session.session_id: session for session in selected}
    return list(named.values())


def _existing(db: Path) -> Path:
    if not db.exists():
        raise StoreMissingError(missing_text(db))
    return db


def _target(db: Path) -> Target:
    path = _existing(db).absolute()
    return Target(path=path, kind="folder" if path.is_dir() else "file")


def _write(target: Target, entry: Annotation, session: SessionRow | None = None) -> Written:
    path = annotate(target, entry)
    return Written(entry=entry, path=path, waits=target.kind == "file" and path != target.path, session=session)


def _author(environ: Mapping[str, str]) -> str | None:
    return next((environ[name] for name in _AUTHORS if environ.get(name)), None)


def _now() -> str:
    return dt.datetime.now(dt.timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds")


def _no_match(pattern: str, names: Sequence[str], session: SessionRow) -> str:
    some = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    return (
        f"{pattern!r} matches no benchmark of session {session.session_id[:13]}; a pattern covers the whole name, "
        f"as in '*::test_sort*'; names are {some or 'none'}"
    )
