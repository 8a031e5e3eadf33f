"""Resolve SPECs to sessions; a finder raises unless exactly one thing matches."""

import datetime as dt
import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from pytest_benchdb.errors import ConfigError, NoBaselineError
from pytest_benchdb.model.annotation import Baseline
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.select.filters.instant import parse_instant
from pytest_benchdb.operations.select.spec.automatic import (
    find_auto_baseline,
    find_last_good,
    find_merge_base,
    find_nearest,
    group_by_commit,
    prefer_clean,
)
from pytest_benchdb.operations.select.spec.context import SpecContext
from pytest_benchdb.operations.select.spec.syntax import Kind, Spec, names_database, parse_spec, split_back

Finder = Callable[[Spec, Sequence[SessionRow], SpecContext], list[SessionRow]]

_HEX = re.compile(r"[0-9a-f]{4,40}")
_ID = re.compile(r"[0-9a-f-]{4,36}")
_MOST_CANDIDATES = 5
_SHORT = 12
_REPEATABLE = frozenset({"label", "branch", "tag", "word", "window"})
"""Kinds of SPEC that mean the same sessions again once later ones are left out."""
_OF_HISTORY = frozenset({"latest", "branch", "last-good", "merge-base", "window", "before", "auto"})
"""Kinds of SPEC that follow the history; the others name sessions, and so also excluded ones if there are no others."""
_ONE_COMMIT = frozenset({"commit", "last-good", "merge-base", "before", "auto"})
"""Kinds of SPEC that mean the sessions of one commit; which one can depend on the candidate, or on git's HEAD."""
_ADVICE = "see them with: benchdb sessions"


def _only(number: int, what: str) -> str:
    return f"there {'is' if number == 1 else 'are'} only {counted(number, what)}"


def _latest(spec: Spec, sessions: Sequence[SessionRow], _context: SpecContext) -> list[SessionRow]:
    if spec.back >= len(sessions):
        raise NoBaselineError(f"{spec.text}: {_only(len(sessions), 'session')}; {_ADVICE}")
    return [sessions[-1 - spec.back]]


def _session(spec: Spec, sessions: Sequence[SessionRow], _context: SpecContext) -> list[SessionRow]:
    matching = sessions_like(spec.value or "", sessions)
    if not matching:
        raise NoBaselineError(f"{spec.text!r} is not a session: no id begins with it; {_ADVICE}")
    if len(matching) > 1:
        raise ConfigError(
            several_text(spec, "sessions", [session_text(session) for session in matching], "write more of the id")
        )
    return matching


def _run(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    runs = context.find_runs((spec.value or "").lower())
    ids = set(runs.values())
    matching = [session for session in sessions if session.session_id in ids]
    if len(runs) > 1:
        raise ConfigError(several_text(spec, "runs", sorted(runs), "write more of the id"))
    if not matching:
        raise NoBaselineError(f"{spec.text!r} is not a run; run ids are in the data of: benchdb report -f csv")
    return matching


def _commit(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    prefix = (spec.value or "").lower()
    commits = commits_like(prefix, sessions)
    if len(commits) > 1:
        raise ConfigError(several_text(spec, "commits", commits, "write more of the hash"))
    git = context.git() if not commits else None
    exact = git.commit_of(spec.value or "") if git is not None else None
    matching = [session for session in sessions if session.commit_sha and session.commit_sha in (*commits, exact)]
    if not matching:
        recorded = names_text(session.commit_sha and session.commit_sha[:12] for session in sessions)
        raise NoBaselineError(f"{spec.text}: no session of that commit (commits: {recorded})")
    return prefer_clean(matching)


def _branch(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    on_branch = [session for session in sessions if session.branch == spec.value]
    if not on_branch:
        at_tip = _of_tip(spec, sessions, context)
        if at_tip:
            return at_tip
        branches = names_text(session.branch for session in sessions)
        raise NoBaselineError(f"{spec.text}: no session of that branch (branches: {branches})")
    groups = group_by_commit(context.comparable(on_branch) or on_branch)
    if spec.back >= len(groups):
        raise NoBaselineError(f"{spec.text}: {_only(len(groups), 'commit')} of {spec.value} with results; {_ADVICE}")
    return groups[-1 - spec.back]


def _of_tip(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return the sessions nearest to the tip of a branch that only git knows."""
    git = context.git()
    tip = git.tip_of(spec.value or "") if git is not None and spec.back == 0 else None
    place = find_nearest(git.ancestors(tip, first_parent=True), context.comparable(sessions)) if git and tip else None
    return place[1] if place else []


def _tag(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    pattern = spec.value or ""
    for session in reversed(context.comparable(sessions) or sessions):
        for name, value in session.tags.items():
            if any(fnmatch.fnmatchcase(text, pattern) for text in (f"{name}={value}", name, value)):
                return [other for other in sessions if other.tags.get(name) == value]
    git = context.git()
    tags = git.tags(pattern) if git is not None else {}
    groups = group_by_commit(session for session in sessions if session.commit_sha in set(tags.values()))
    if groups:
        return prefer_clean(groups[-1])
    reason = f"the commits of {names_text(tags)} have no results" if tags else "no tag of a session or of git matches"
    raise NoBaselineError(f"{spec.text}: {reason}; {_ADVICE}")


def _label(spec: Spec, sessions: Sequence[SessionRow], _context: SpecContext) -> list[SessionRow]:
    labelled = [session for session in sessions if session.label == spec.value]
    if not labelled:
        labels = names_text(session.label for session in sessions)
        raise NoBaselineError(f"no session has the label {spec.value!r} (labels: {labels}); {_ADVICE}")
    return labelled


def _last_good(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    return _some(
        spec, find_last_good(sessions, context, spec.value), "no commit with complete sessions that all passed"
    )


def _merge_base(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    return _some(spec, find_merge_base(sessions, context, spec.value), "no results of the merge base or before it")


def _window(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    return _some(spec, context.earlier(sessions)[-int(spec.value or 0) :], "no earlier session on this machine")


def _before(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    now = context.now or dt.datetime.now(dt.timezone.utc)
    moment = parse_instant("before:", spec.value or "", now)
    groups = group_by_commit(session for session in context.earlier(sessions) if session.placed_at < moment)
    return _some(spec, groups[-1] if groups else [], "no session on this machine began before that")


def _range(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return the sessions of the commits that git lists for ``A..B``, else those that began after A's and up to B's."""
    if _meanings(spec.text, sessions, context):
        return _by_word(replace(spec, value=spec.text), sessions, context)
    base, head = spec.value or "", spec.head or ""
    git = context.git()
    names = base.removeprefix("merge-base:"), "HEAD" if head == "latest" else head
    commits = git.between(*names) if git is not None else None
    if commits is not None:
        listed = set(commits)
        matching = [session for session in sessions if session.commit_sha in listed]
        return _some(spec, matching, f"no session of the {counted(len(listed), 'commit')} in it")
    ends = [_finder(end)(end, sessions, context) for end in map(parse_spec, (base, head))]
    first, last = (max(session.placed_at for session in end) for end in ends)
    matching = [session for session in sessions if first < session.placed_at <= last]
    return _some(spec, matching, "no session began after the first and up to the second")


def _some(spec: Spec, sessions: list[SessionRow], why_none: str) -> list[SessionRow]:
    if not sessions:
        raise NoBaselineError(f"{spec.text}: {why_none}; {_ADVICE}")
    return sessions


def sessions_like(prefix: str, sessions: Sequence[SessionRow]) -> list[SessionRow]:
    """Return the sessions whose id begins with a prefix of at least four characters."""
    lowered = prefix.lower()
    return [row for row in sessions if row.session_id.startswith(lowered)] if _ID.fullmatch(lowered) else []


def commits_like(prefix: str, sessions: Sequence[SessionRow]) -> list[str]:
    """Return the recorded commits whose hash begins with a prefix of at least four characters."""
    if not _HEX.fullmatch(prefix):
        return []
    return sorted({row.commit_sha for row in sessions if row.commit_sha and row.commit_sha.startswith(prefix)})


def elsewhere_text(spec: Spec, sessions: Sequence[SessionRow]) -> str:
    """Return the message for a SPEC that only matches sessions of other machines."""
    machines = names_text(session.cpu_model or "an unknown machine" for session in sessions)
    return (
        f"{spec.text} matches {len(sessions)} session(s), all of another machine or Python ({machines}); "
        "use --allow-cross to take them anyway"
    )


def several_text(spec: Spec, what: str, candidates: Sequence[str], advice: str) -> str:
    """Return the message for an ambiguous SPEC."""
    more = f" and {len(candidates) - _MOST_CANDIDATES} more" if len(candidates) > _MOST_CANDIDATES else ""
    return f"{spec.text!r} matches {len(candidates)} {what}: {', '.join(candidates[:_MOST_CANDIDATES])}{more}; {advice}"


def session_text(session: SessionRow) -> str:
    """Return a session's id and start, for a message."""
    return f"{session.session_id} ({session.started_at[:16]})"


def names_text(names: Iterable[str | None]) -> str:
    """Return the most frequent names, for a message; ``none`` if there are none."""
    counts = Counter(name for name in names if name)
    frequent = [name for name, _ in counts.most_common(_MOST_CANDIDATES)]
    more = f" and {len(counts) - len(frequent)} more" if len(counts) > len(frequent) else ""
    return ", ".join(frequent) + more if frequent else "none"


FINDERS: Mapping[Kind, Finder] = {
    "latest": _latest,
    "session": _session,
    "run": _run,
    "commit": _commit,
    "branch": _branch,
    "tag": _tag,
    "label": _label,
    "last-good": _last_good,
    "merge-base": _merge_base,
    "window": _window,
    "before": _before,
    "range": _range,
}
"""The finder for each kind of SPEC that has a colon, and for ``latest``."""


def kept_sessions(sessions: Sequence[SessionRow]) -> list[SessionRow]:
    """Return the sessions that are part of the history; sample data only if nothing else is there.

    Raises:
        NoBaselineError: every one is excluded.
    """
    kept = [session for session in sessions if session.excluded is None]
    if sessions and not kept:
        number = len(sessions)
        raise NoBaselineError(f"all {number} sessions are excluded from the history; see why: benchdb exclude --list")
    return [session for session in kept if session.kind != "sample"] or kept


def resolve_spec(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return the sessions that a SPEC means, oldest first; for ``auto`` there may be none yet.

    Excluded sessions, and sample data beside others, are only meant by SPECs that name nothing else: an id, a label, a
    tag, a commit, a range.

    A commit, a branch, a tag, a label, ``last-good`` and ``merge-base`` mean every session of one commit or label,
    because judging needs repetitions.

    Args:
        spec: from `parse_spec`; the caller opens a ``file``.
        sessions: all there are, oldest first.
        context: the candidate, which is never in the result, the pinned baselines and the git checkout.

    Raises:
        NoBaselineError: no session matches, or only the candidate or sessions of other machines.
        ConfigError: the SPEC is ambiguous, or cannot be resolved here.
    """
    if spec.kind == "file":
        raise ConfigError(f"SPEC {spec.text!r}: a file is not possible here; import it with: benchdb import auto")
    if any(session.excluded is not None or session.kind == "sample" for session in sessions):
        try:
            return _resolve(spec, kept_sessions(sessions), context)
        except NoBaselineError:
            if spec.kind in _OF_HISTORY:
                raise
    return _resolve(spec, sessions, context)


def _resolve(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    if spec.kind == "auto":
        return find_auto_baseline(sessions, context)
    matching = _finder(spec)(spec, sessions, context)
    here = context.on_machine(matching)
    if not here:
        raise NoBaselineError(elsewhere_text(spec, matching))
    others = context.comparable(here)
    if not others:
        raise NoBaselineError(f"{spec.text} is the candidate itself; name an earlier session, as in latest~1")
    return sorted(others, key=lambda session: (session.placed_at, session.session_id))


def _by_word(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Resolve a bare word: the first match of label, pinned baseline, tag, branch, commit, session id and git."""
    word = spec.value or ""
    meanings = _meanings(word, sessions, context)
    if meanings:
        first, *others = meanings
        if others:
            forms = " or ".join(f"{kind}:{word}" for kind in others if kind != "baseline") or "another name"
            context.warn(f"{word!r} is a {' and a '.join(meanings)}, so the {first} is used; otherwise write {forms}")
        return meanings[first](spec, sessions, context)
    return _by_other_word(spec, sessions, context)


def _meanings(word: str, sessions: Sequence[SessionRow], context: SpecContext) -> dict[str, Finder]:
    """Return how the recorded sessions understand a word, the first meaning first."""
    meanings: dict[str, Finder] = {}
    if any(session.label == word for session in sessions):
        meanings["label"] = FINDERS["label"]
    if word in context.baselines:
        meanings["baseline"] = _by_baseline
    if any(_has_tag(session, word) for session in sessions):
        meanings["tag"] = FINDERS["tag"]
    if any(session.branch == word for session in sessions):
        meanings["branch"] = FINDERS["branch"]
    return meanings


def _by_other_word(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    word = spec.value or ""
    name, back = split_back(word)
    if any(session.branch == name for session in sessions):
        return FINDERS["branch"](replace(spec, value=name, back=back), sessions, context)
    commits, ids = commits_like(word, sessions), sessions_like(word, sessions)
    if len(commits) + len(ids) > 1:
        what = "sessions" if not commits else "commits" if not ids else "commits and sessions"
        candidates = [*commits, *map(session_text, ids)]
        raise ConfigError(several_text(spec, what, candidates, "write more of the " + ("id" if ids else "hash")))
    if commits:
        return prefer_clean([session for session in sessions if session.commit_sha in commits])
    if ids:
        return ids
    return _by_git(spec, sessions, context)


def _by_git(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Resolve what git takes for a commit; last, because it starts processes that most words do not need.

    A commit without results is refused, but the tip of a branch means its newest commit with results.
    """
    word, git = spec.value or "", context.git()
    commit = git.commit_of(word) if git is not None else None
    if commit is None and names_database(word):
        raise NoBaselineError(f"{word!r} is a path, not a session; name the database so: --db {word} latest")
    if git is None or commit is None:
        labels = names_text(session.label for session in sessions)
        branches = names_text(session.branch for session in sessions)
        there = (
            ", nor does a commit of this checkout" if git else ", and there is no git checkout here to look it up in"
        )
        raise NoBaselineError(
            f"{word!r} is not a session: no label, baseline, tag, branch, commit or id matches (labels: {labels}; "
            f"branches: {branches}){there}; {_ADVICE}"
        )
    matching = [session for session in sessions if session.commit_sha == commit]
    if matching:
        return prefer_clean(matching)
    nearest = find_nearest(git.ancestors(commit, first_parent=True), context.comparable(sessions))
    if nearest is not None and git.tip_of(word) == commit:
        return nearest[1]
    known = "nothing before it has one either"
    if nearest is not None:
        known = f"the nearest one before it with a session is {(nearest[1][-1].commit_sha or '')[:_SHORT]}"
    raise NoBaselineError(f"{word} is the commit {commit[:_SHORT]}, which has no session; {known}; {_ADVICE}")


def _has_tag(session: SessionRow, word: str) -> bool:
    return any(word in (value, f"{name}={value}") for name, value in session.tags.items())


def _by_baseline(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    baseline = context.baselines[spec.value or ""]
    # Resolved as of when it was set: later sessions do not move it.
    pin = next((session for session in sessions if session.session_id == baseline.session_id), None)
    if pin is None:
        raise NoBaselineError(
            f"the baseline {baseline.name} is session {baseline.session_id}, which is missing; "
            f"set it again with: benchdb baseline set {baseline.name} SPEC"
        )
    return [row for row in _pinned(pin, baseline, sessions, context) if row.fingerprint == pin.fingerprint]


def _pinned(
    pin: SessionRow, baseline: Baseline, sessions: Sequence[SessionRow], context: SpecContext
) -> list[SessionRow]:
    """Return what a baseline's SPEC meant when it was set; the pin is the newest session of that."""
    spec = parse_spec(baseline.spec)
    then = [session for session in sessions if session.placed_at <= pin.placed_at]
    if spec.kind in _ONE_COMMIT:
        return next(group for group in group_by_commit(then) if pin in group)
    if spec.kind not in _REPEATABLE:
        return [pin]
    spec = replace(spec, back=0)  # the pin is already as far back as ``~N`` says
    context = replace(context, candidates=(), baselines={})
    if spec.kind == "word":
        word = spec.value or ""
        branch, _ = split_back(word)
        if any(row.branch == branch for row in then):
            spec = replace(spec, value=branch)
        elif not _meanings(word, then, context) and not sessions_like(word, then):
            return next(group for group in group_by_commit(then) if pin in group)  # a commit, perhaps HEAD of that day
    try:
        repeated = _finder(spec)(spec, then, context)
    except NoBaselineError:  # the branch of a git tag is gone, for instance
        return [pin]
    return repeated if pin in repeated else [pin]


def _finder(spec: Spec) -> Finder:
    return FINDERS.get(spec.kind, _by_word)
