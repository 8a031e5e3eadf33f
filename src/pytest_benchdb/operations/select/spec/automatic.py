"""Baselines that nobody has to name: the merge base, the previous commit with results, the last good one.

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


_SHORT = 12


def auto_baseline(sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return what a candidate is held against when nobody says: oldest first, empty if there is nothing yet.

    Of a pull request the merge base; on the default branch the previous commit with results; else the last session on
    the same machine. Sessions that did not end by themselves are left out.

    Args:
        sessions: all there are.
        context: the candidate, without which the newest session is taken, and the git checkout.
    """
    candidate = context.candidate
    whole = [one for one in context.earlier(sessions) if one.complete]
    if candidate is None or not whole:
        return whole[-1:]
    if context.pull_request or candidate.pull_request is not None:
        found = merge_base(sessions, context)
        if found:
            return found
    elif candidate.branch is not None and candidate.branch in default_branches(context.git()):
        found = previous_commit(sessions, context)
        if found:
            return found
    return whole[-1:]


def default_branches(git: Ancestry | None) -> tuple[str, ...]:
    """Return the names that the default branch may have."""
    return (git.default_branch,) if git is not None and git.default_branch else DEFAULT_BRANCHES


def merge_base(sessions: Sequence[SessionRow], context: SpecContext, branch: str | None = None) -> list[SessionRow]:
    """Return the sessions of the commit at which the candidate left a branch, or of the nearest commit before it.

    Where git cannot tell, the newest commit of the branch that is older than the candidate's is taken.

    Args:
        sessions: all there are.
        context: the candidate and the git checkout.
        branch: the branch; None takes the one that a pull request is to go into, else the default branch.

    Raises:
        ConfigError: there is no candidate.
    """
    candidate = context.candidate
    if candidate is None:
        raise ConfigError("merge-base: there is no candidate whose merge base could be looked for; name a commit")
    git = context.git()
    base = _base_commit(candidate, git, branch or context.target_branch)
    if base is not None and base == candidate.commit_sha:
        return previous_commit(sessions, context)
    whole = [one for one in context.comparable(sessions) if one.complete]
    if base is not None:
        found = _from_commit(base, whole, git)
        if found is not None:
            distance, group = found
            if distance:
                context.warn(
                    f"the merge base {base[:_SHORT]} has no results on this machine; taken is "
                    f"{(group[-1].commit_sha or '')[:_SHORT]}, {distance} commit(s) before it"
                )
            return group
    names = (branch,) if branch else (context.target_branch,) if context.target_branch else default_branches(git)
    _say_why(context, git, f"the merge base {base[:_SHORT] if base else 'of the candidate'}")
    return _newest_before(candidate, [one for one in context.earlier(sessions) if one.branch in names])


def previous_commit(sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return the sessions of the nearest commit before the candidate's that has any.

    Of a candidate with uncommitted changes that is the commit itself. Where git cannot tell, commits of the same
    branch go by their time.
    """
    candidate = context.candidate
    if candidate is None:
        return []
    whole = [one for one in context.comparable(sessions) if one.complete]
    git = context.git()
    if candidate.commit_sha is not None:
        if candidate.dirty:
            own = nearest([candidate.commit_sha], whole)
            if own is not None:
                return own[1]
        others = [one for one in whole if one.commit_sha != candidate.commit_sha]
        found = _from_commit(candidate.commit_sha, others, git)
        if found is not None:
            return found[1]
        _say_why(context, git, f"the commit before {candidate.commit_sha[:_SHORT]}")
    same = [one for one in context.earlier(sessions) if one.complete and one.branch == candidate.branch]
    return _newest_before(candidate, same)


def last_good(sessions: Sequence[SessionRow], context: SpecContext, branch: str | None = None) -> list[SessionRow]:
    """Return the newest commit's sessions before the candidate of which every one passed, whole; empty without any.

    Args:
        sessions: all there are.
        context: the candidate.
        branch: the branch; None takes every branch.
    """
    groups = groups_of(one for one in context.earlier(sessions) if branch is None or one.branch == branch)
    good = [group for group in groups if all(_is_good(one) for one in group)]
    return good[-1] if good else []


def _is_good(session: SessionRow) -> bool:
    return session.outcome == "passed" and session.complete and session.not_passed == 0


def _base_commit(candidate: SessionRow, git: Ancestry | None, branch: str | None) -> str | None:
    """Return the commit at which a candidate left a branch: as git knows it now, else as it was recorded."""
    if candidate.commit_sha is None or git is None:
        return candidate.merge_base if branch is None else None
    name = branch or git.default_branch
    tip = git.commit_of(name) if name else None
    found = git.merge_base(candidate.commit_sha, tip) if tip else None
    default = branch is None or branch == git.default_branch
    return found or (candidate.merge_base if default else None)


def _from_commit(commit: str, sessions: Sequence[SessionRow], git: Ancestry | None) -> tuple[int, Group] | None:
    """Return the sessions of a commit, or of the nearest one before it, and how far that is."""
    own = nearest([commit], sessions)
    if own is not None or git is None:
        return own
    return nearest(git.ancestors(commit, first_parent=True), sessions) or nearest(git.ancestors(commit), sessions)


def _say_why(context: SpecContext, git: Ancestry | None, what: str) -> None:
    if git is None:
        context.warn(f"there is no git checkout here, so {what} is looked for by time")
    elif git.is_shallow:
        context.warn(
            f"this clone is shallow, so {what} is looked for by time; git fetch --unshallow brings the rest "
            "(actions/checkout: fetch-depth: 0)"
        )
    else:
        context.warn(f"git finds no results for {what} or before it, so it is looked for by time")


def _newest_before(candidate: SessionRow, sessions: Sequence[SessionRow]) -> list[SessionRow]:
    """Return the newest commit's sessions, those of the candidate's own commit left out."""
    others = [one for one in sessions if one.commit_sha is None or one.commit_sha != candidate.commit_sha]
    groups = groups_of(others)
    if candidate.commit_at is not None:
        limit = candidate.commit_at
        groups = [group for group in groups if (group[-1].commit_at or "") <= limit] or groups
    return groups[-1] if groups else []
