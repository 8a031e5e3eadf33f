"""Sessions of one commit belong together: they are repetitions of one measurement."""

from collections.abc import Iterable, Sequence

from pytest_benchdb.model.report import SessionRow

Group = list[SessionRow]
"""Sessions of one clean commit, oldest first; or one session whose files belong to no commit."""


def groups_of(sessions: Iterable[SessionRow]) -> list[Group]:
    """Return sessions by commit, in the order of the commits' times, else of the sessions'.

    A session with uncommitted changes, or without a commit, is a group of its own.
    """
    groups: dict[str, Group] = {}
    for session in sorted(sessions, key=lambda one: one.started_at):
        groups.setdefault(_key(session), []).append(session)
    return sorted(groups.values(), key=_time)


def clean(sessions: Sequence[SessionRow]) -> list[SessionRow]:
    """Return the sessions without uncommitted changes; all of them if every one has some."""
    return [one for one in sessions if not one.dirty] or list(sessions)


def nearest(commits: Sequence[str], sessions: Sequence[SessionRow]) -> tuple[int, Group] | None:
    """Return the sessions of the first of `commits` that has any, and its place; dirty ones do not count."""
    by_commit: dict[str, Group] = {}
    for session in sorted(sessions, key=lambda one: one.started_at):
        if session.commit_sha and not session.dirty:
            by_commit.setdefault(session.commit_sha, []).append(session)
    return next(((place, by_commit[sha]) for place, sha in enumerate(commits) if sha in by_commit), None)


def _key(session: SessionRow) -> str:
    return session.commit_sha if session.commit_sha and not session.dirty else session.session_id


def _time(group: Group) -> tuple[str, str]:
    newest = group[-1]
    return (newest.commit_at or newest.started_at, newest.started_at)
