"""Baselines without a name: the merge base, the previous commit with results, the last good one.

Sessions of one commit belong together: they are repetitions of one measurement.
"""

from collections.abc import Iterable, Sequence

from pytest_benchdb.environment.git.ancestry import Ancestry
from pytest_benchdb.environment.git.checkout import DEFAULT_BRANCHES
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.spec.context import SpecContext

Group = list[SessionRow]
"""Sessions of one clean commit, oldest first; or one session whose files belong to no commit."""


def group_by_commit(sessions: Iterable[SessionRow]) -> list[Group]:
    """Return sessions by commit, in the order of the commits' times, else of the sessions'.

    A session with uncommitted changes, or without a commit, is a group of its own.
    """
    groups: dict[str, Group] = {}
    for session in sorted(sessions, key=lambda session: session.started_at):
        groups.setdefault(_key(session), []).append(session)
    return sorted(groups.values(), key=_time)


def prefer_clean(sessions: Sequence[SessionRow]) -> list[SessionRow]:
    """Return the sessions without uncommitted changes; all of them if every one has some."""
    return [session for session in sessions if not session.dirty] or list(sessions)


def find_nearest(commits: Sequence[str], sessions: Sequence[SessionRow]) -> tuple[int, Group] | None:
    """Return the sessions of the first of `commits` that has any, and its place; dirty ones do not count."""
    by_commit: dict[str, Group] = {}
    for session in sorted(sessions, key=lambda session: session.started_at):
        if session.commit_sha and not session.dirty:
            by_commit.setdefault(session.commit_sha, []).append(session)
    return next(((place, by_commit[sha]) for place, sha in enumerate(commits) if sha in by_commit), None)


def _key(session: SessionRow) -> str:
    return session.commit_sha if session.commit_sha and not session.dirty else session.session_id


def _time(group: Group) -> tuple[str, str]:
    newest = group[-1]
    return (newest.commit_at or newest.started_at, newest.started_at)


_SHORT = 12


def find_auto_baseline(sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return the baseline of a candidate without a SPEC: oldest first, empty if there is none yet.

    For a pull request it is the merge base; on the default branch the previous commit with results; else the last
    session on the same machine. Incomplete sessions are left out. Without a candidate it is the newest session.
    """
    candidate = context.candidate
    complete = [session for session in context.earlier(sessions) if session.complete]
    if candidate is None or not complete:
        return complete[-1:]
    if context.pull_request or candidate.pull_request is not None:
        baseline = find_merge_base(sessions, context)
        if baseline:
            return baseline
    elif candidate.branch is not None and candidate.branch in default_branches(context.git()):
        baseline = find_previous_commit(sessions, context)
        if baseline:
            return baseline
    return complete[-1:]


def default_branches(git: Ancestry | None) -> tuple[str, ...]:
    """Return the names that the default branch may have."""
    return (git.default_branch,) if git is not None and git.default_branch else DEFAULT_BRANCHES


def find_merge_base(
    sessions: Sequence[SessionRow], context: SpecContext, branch: str | None = None
) -> list[SessionRow]:
    """Return the sessions of the commit at which the candidate left a branch, or of the nearest commit before it.

    If git does not know it, the newest commit of the branch that is older than the candidate's is used.

    Args:
        sessions: all there are.
        context: the candidate and the git checkout.
        branch: None takes the target of the pull request, else the default branch.

    Raises:
        ConfigError: there is no candidate.
    """
    candidate = context.candidate
    if candidate is None:
        raise ConfigError("merge-base: there is no candidate to find a merge base of; name a commit")
    git = context.git()
    base = _base_commit(candidate, git, branch or context.target_branch)
    if base is not None and base == candidate.commit_sha:
        return find_previous_commit(sessions, context)
    complete = [session for session in context.comparable(sessions) if session.complete]
    place = _from_commit(base, complete, git) if base is not None else None
    if base is not None and place is not None:
        distance, group = place
        if distance:
            context.warn(
                f"the merge base {base[:_SHORT]} has no results on this machine; using "
                f"{(group[-1].commit_sha or '')[:_SHORT]}, {distance} commit(s) before it"
            )
        return group
    names = (branch,) if branch else (context.target_branch,) if context.target_branch else default_branches(git)
    _warn_by_time(context, git, f"the merge base {base[:_SHORT] if base else 'of the candidate'}")
    return _newest_before(candidate, [session for session in context.earlier(sessions) if session.branch in names])


def find_previous_commit(sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return the sessions of the nearest commit before the candidate's that has any.

    For a candidate with uncommitted changes that is its own commit. If git does not know, commits of the same branch go
    by their time.
    """
    candidate = context.candidate
    if candidate is None:
        return []
    complete = [session for session in context.comparable(sessions) if session.complete]
    git = context.git()
    if candidate.commit_sha is not None:
        if candidate.dirty:
            own = find_nearest([candidate.commit_sha], complete)
            if own is not None:
                return own[1]
        others = [session for session in complete if session.commit_sha != candidate.commit_sha]
        place = _from_commit(candidate.commit_sha, others, git)
        if place is not None:
            return place[1]
        _warn_by_time(context, git, f"the commit before {candidate.commit_sha[:_SHORT]}")
    same = [row for row in context.earlier(sessions) if row.complete and row.branch == candidate.branch]
    return _newest_before(candidate, same)


def find_last_good(sessions: Sequence[SessionRow], context: SpecContext, branch: str | None = None) -> list[SessionRow]:
    """Return the sessions of the newest commit before the candidate whose sessions are complete and all passed.

    Args:
        sessions: all there are.
        context: the candidate.
        branch: None takes every branch.

    Returns:
        Nothing without such a commit.
    """
    groups = group_by_commit(session for session in context.earlier(sessions) if branch in {None, session.branch})
    good = [group for group in groups if all(_is_good(session) for session in group)]
    return good[-1] if good else []


def _is_good(session: SessionRow) -> bool:
    return session.outcome == "passed" and session.complete and session.not_passed == 0


def _base_commit(candidate: SessionRow, git: Ancestry | None, branch: str | None) -> str | None:
    """Return the commit at which a candidate left a branch: as git knows it now, else as it was recorded."""
    if candidate.commit_sha is None or git is None:
        return candidate.merge_base if branch is None else None
    name = branch or git.default_branch
    tip = git.commit_of(name) if name else None
    base = git.merge_base(candidate.commit_sha, tip) if tip else None
    return base or (candidate.merge_base if branch in {None, git.default_branch} else None)


def _from_commit(commit: str, sessions: Sequence[SessionRow], git: Ancestry | None) -> tuple[int, Group] | None:
    """Return the sessions of a commit, or of the nearest one before it, and how far that is."""
    own = find_nearest([commit], sessions)
    if own is not None or git is None:
        return own
    return find_nearest(git.ancestors(commit, first_parent=True), sessions) or find_nearest(
        git.ancestors(commit), sessions
    )


def _warn_by_time(context: SpecContext, git: Ancestry | None, what: str) -> None:
    if git is None:
        context.warn(f"there is no git checkout here, so sessions are ordered by time to find {what}")
    elif git.is_shallow:
        context.warn(
            f"this clone is shallow, so sessions are ordered by time to find {what}; run git fetch --unshallow "
            "(actions/checkout: fetch-depth: 0)"
        )
    else:
        context.warn(f"git finds no results for {what} or before it, so sessions are ordered by time")


def _newest_before(candidate: SessionRow, sessions: Sequence[SessionRow]) -> list[SessionRow]:
    """Return the sessions of the newest commit but the candidate's own."""
    others = [row for row in sessions if row.commit_sha is None or row.commit_sha != candidate.commit_sha]
    groups = group_by_commit(others)
    if candidate.commit_at is not None:
        limit = candidate.commit_at
        groups = [group for group in groups if (group[-1].commit_at or "") <= limit] or groups
    return groups[-1] if groups else []
