"""Find baselines automatically: the merge base, the previous commit with results, the last good commit.

Sessions of one commit belong together: they repeat one measurement.
"""

from collections.abc import Iterable, Sequence

from pytest_benchdb.environment.git.ancestry import Ancestry
from pytest_benchdb.environment.git.checkout import DEFAULT_BRANCHES
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.spec.context import SpecContext

Group = list[SessionRow]
"""The sessions of one clean commit, oldest first; or one session without a clean commit."""


_SHORT = 12


def group_by_commit(sessions: Iterable[SessionRow]) -> list[Group]:
    """Group sessions by commit, ordered by commit time, or by session time without a commit.

    A session with uncommitted changes or without a commit is a group of its own.
    """
    groups: dict[str, Group] = {}
    for session in sorted(sessions, key=lambda session: session.placed_at):
        groups.setdefault(_key(session), []).append(session)
    return sorted(groups.values(), key=_time)


def prefer_clean(sessions: Sequence[SessionRow]) -> list[SessionRow]:
    """Return the sessions without uncommitted changes, or all of them if there are none."""
    return [session for session in sessions if not session.dirty] or list(sessions)


def find_nearest(commits: Sequence[str], sessions: Sequence[SessionRow]) -> tuple[int, Group] | None:
    """Return the index and the sessions of the first of `commits` with clean sessions; None if none has any."""
    by_commit: dict[str, Group] = {}
    for session in sorted(sessions, key=lambda session: session.placed_at):
        if session.commit_sha and not session.dirty:
            by_commit.setdefault(session.commit_sha, []).append(session)
    return next(((place, by_commit[sha]) for place, sha in enumerate(commits) if sha in by_commit), None)


def _key(session: SessionRow) -> str:
    return session.commit_sha if session.commit_sha and not session.dirty else session.session_id


def _time(group: Group) -> tuple[str, str]:
    newest = group[-1]
    return (newest.commit_at or newest.started_at, newest.started_at)


def find_auto_baseline(sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return the default baseline of a candidate, oldest first; empty if there is none yet.

    A pull request uses the merge base, the default branch the previous commit with results, anything else the last
    session on the same machine. Incomplete sessions are ignored. Without a candidate it is the newest session.
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
    """Return the possible names of the default branch."""
    return (git.default_branch,) if git is not None and git.default_branch else DEFAULT_BRANCHES


def find_merge_base(
    sessions: Sequence[SessionRow], context: SpecContext, branch: str | None = None
) -> list[SessionRow]:
    """Return the sessions of the merge base with a branch, or of the nearest commit before it.

    If git cannot find it, the branch's newest commit before the candidate's is used.

    Args:
        sessions: all there are.
        context: the candidate and the git checkout.
        branch: None for the pull request's target, else the default branch.

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
    """Return the sessions of the nearest earlier commit that has any.

    For a candidate with uncommitted changes that is its own commit. If git cannot order the commits, those of the same
    branch are ordered by time.
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
    """Return the sessions of the newest earlier commit whose sessions are all complete and passed; else an empty list.

    Args:
        sessions: all there are.
        context: the candidate.
        branch: None for any branch.
    """
    groups = group_by_commit(session for session in context.earlier(sessions) if branch in {None, session.branch})
    good = [group for group in groups if all(_is_good(session) for session in group)]
    return good[-1] if good else []


def _is_good(session: SessionRow) -> bool:
    return session.outcome == "passed" and session.complete and session.not_passed == 0


def _base_commit(candidate: SessionRow, git: Ancestry | None, branch: str | None) -> str | None:
    """Return the merge base with a branch: from git if possible, else the recorded one."""
    if candidate.commit_sha is None or git is None:
        return candidate.merge_base if branch is None else None
    name = branch or git.default_branch
    tip = git.commit_of(name) if name else None
    base = git.merge_base(candidate.commit_sha, tip) if tip else None
    return base or (candidate.merge_base if branch in {None, git.default_branch} else None)


def _from_commit(commit: str, sessions: Sequence[SessionRow], git: Ancestry | None) -> tuple[int, Group] | None:
    """Return the distance to, and the sessions of, a commit or the nearest one before it."""
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
    """Return the sessions of the newest commit other than the candidate's, not newer than it if possible."""
    others = [row for row in sessions if row.commit_sha is None or row.commit_sha != candidate.commit_sha]
    groups = group_by_commit(others)
    if candidate.commit_at is not None:
        limit = candidate.commit_at
        groups = [group for group in groups if (group[-1].commit_at or "") <= limit] or groups
    return groups[-1] if groups else []
