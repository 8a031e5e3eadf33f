"""In which order sessions stand: that of their commits where a checkout knows them, else that of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.environment.commit_order import commit_positions
from pytest_benchdb.model.report import SessionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOrder:
    """Sessions in order.

    Attributes:
        sessions: the first one first.
        reason: why they are ordered by time; None if it is by ancestry.
    """

    sessions: tuple[SessionRow, ...]
    reason: str | None


def order_sessions(sessions: Sequence[SessionRow], checkout: Path, environ: Mapping[str, str]) -> SessionOrder:
    """Put sessions in the order of their commits; those of one commit in that of time.

    A trend by ancestry in which one commit has no place would put its sessions anywhere: then all go by time.

    Args:
        sessions: oldest first.
        checkout: a folder of a git checkout; it need not be one.
        environ: environment variables of the git process.
    """
    by_time = tuple(sorted(sessions, key=lambda session: (session.started_at, session.session_id)))
    without = sum(session.commit_sha is None for session in sessions)
    if without:
        return SessionOrder(sessions=by_time, reason=f"{without} of {len(sessions)} sessions name no commit")
    commits = {session.commit_sha for session in sessions if session.commit_sha is not None}
    places = commit_positions(checkout, commits, environ)
    if not places:
        return SessionOrder(sessions=by_time, reason=f"{checkout} is no git checkout that holds their commits")
    if len(places) < len(commits):
        reason = f"the git checkout lacks {len(commits) - len(places)} of {len(commits)} commits (a shallow clone?)"
        return SessionOrder(sessions=by_time, reason=reason)
    ordered = sorted(by_time, key=lambda session: places[session.commit_sha or ""])
    return SessionOrder(sessions=tuple(ordered), reason=None)
