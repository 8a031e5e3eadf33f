"""The sessions that a SPEC stands for; one reading of it for plugin, commands and Python.

The sessions that each kind of SPEC stands for; every finder raises where nothing, or more than one thing, fits.
"""

import datetime as dt
import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from pytest_benchdb.errors import ConfigError, NoBaselineError
from pytest_benchdb.model.annotation import Baseline
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.filters.instant import parse_instant
from pytest_benchdb.operations.select.spec.automatic import (
    auto_baseline,
    clean,
    groups_of,
    last_good,
    merge_base,
    nearest,
)
from pytest_benchdb.operations.select.spec.context import SpecContext, spec_context
from pytest_benchdb.operations.select.spec.syntax import Kind, Spec, parse_spec, split_back

Finder = Callable[[Spec, Sequence[SessionRow], SpecContext], list[SessionRow]]

_HEX = re.compile(r"[0-9a-f]{4,40}")
_ID = re.compile(r"[0-9a-f-]{4,36}")
_MOST_CANDIDATES = 5
_ADVICE = "see them with: benchdb sessions"


def _latest(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    del context
    if spec.back >= len(sessions):
        raise NoBaselineError(f"{spec.text}: there are only {len(sessions)} of them; {_ADVICE}")
    return [sessions[-1 - spec.back]]


def _session(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    del context
    fitting = ids_like(spec.value or "", sessions)
    if not fitting:
        raise NoBaselineError(f"{spec.text!r} is no session: no id fits; {_ADVICE}")
    if len(fitting) > 1:
        raise ConfigError(
            several_text(spec, "sessions", [session_text(one) for one in fitting], "write more of the id")
        )
    return fitting


def _run(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    found = context.find_runs((spec.value or "").lower())
    ids = set(found.values())
    fitting = [one for one in sessions if one.session_id in ids]
    if len(found) > 1:
        raise ConfigError(several_text(spec, "runs", sorted(found), "write more of the id"))
    if not fitting:
        raise NoBaselineError(f"{spec.text!r} is no run; run ids are in the data of: benchdb report -f csv")
    return fitting


def _commit(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    prefix = (spec.value or "").lower()
    commits = commits_like(prefix, sessions)
    if len(commits) > 1:
        raise ConfigError(several_text(spec, "commits", commits, "write more of the hash"))
    git = context.git() if not commits else None
    exact = git.commit_of(spec.value or "") if git is not None else None
    found = [one for one in sessions if one.commit_sha and one.commit_sha in (*commits, exact)]
    if not found:
        known = names_text(one.commit_sha and one.commit_sha[:12] for one in sessions)
        raise NoBaselineError(f"{spec.text}: no session of that commit; there are {known}")
    return clean(found)


def _branch(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    every = [one for one in sessions if one.branch == spec.value]
    pool = context.comparable(every)
    if not every:
        found = _of_tip(spec, sessions, context)
        if found:
            return found
        raise NoBaselineError(
            f"{spec.text}: no session of that branch; there are {names_text(one.branch for one in sessions)}"
        )
    groups = groups_of(pool or every)
    if spec.back >= len(groups):
        raise NoBaselineError(f"{spec.text}: only {len(groups)} commit(s) of {spec.value} have results; {_ADVICE}")
    return groups[-1 - spec.back]


def _of_tip(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return the sessions of the newest commit of a branch whose name no session has, as git knows it."""
    git = context.git()
    tip = git.commit_of(spec.value or "") if git is not None and spec.back == 0 else None
    found = nearest(git.ancestors(tip, first_parent=True), context.comparable(sessions)) if git and tip else None
    return found[1] if found else []


def _tag(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    pattern = spec.value or ""
    for session in reversed(context.comparable(sessions) or sessions):
        for name, value in session.tags.items():
            if any(fnmatch.fnmatchcase(text, pattern) for text in (f"{name}={value}", name, value)):
                return [one for one in sessions if one.tags.get(name) == value]
    git = context.git()
    tags = git.tags(pattern) if git is not None else {}
    groups = groups_of(one for one in sessions if one.commit_sha in set(tags.values()))
    if groups:
        return clean(groups[-1])
    told = f"the commits of {names_text(tags)} have no results" if tags else "no tag of a session or of git fits"
    raise NoBaselineError(f"{spec.text}: {told}; {_ADVICE}")


def _label(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    del context
    found = [one for one in sessions if one.label == spec.value]
    if not found:
        known = names_text(one.label for one in sessions)
        raise NoBaselineError(f"{spec.text!r} is no session: no label fits, of which there are {known}; {_ADVICE}")
    return found


def _last_good(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    return _some(spec, last_good(sessions, context, spec.value), "no commit of which every session passed, whole")


def _merge_base(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    return _some(spec, merge_base(sessions, context, spec.value), "no results of the merge base or before it")


def _window(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    return _some(spec, context.earlier(sessions)[-int(spec.value or 0) :], "no earlier session on this machine")


def _before(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    now = context.now or dt.datetime.now(dt.timezone.utc)
    moment = parse_instant("before:", spec.value or "", now)
    groups = groups_of(one for one in context.earlier(sessions) if one.started_at < moment)
    return _some(spec, groups[-1] if groups else [], "no session on this machine began before that")


def _some(spec: Spec, found: list[SessionRow], why: str) -> list[SessionRow]:
    if not found:
        raise NoBaselineError(f"{spec.text}: {why}; {_ADVICE}")
    return found


def ids_like(prefix: str, sessions: Sequence[SessionRow]) -> list[SessionRow]:
    """Return the sessions whose id begins with a text of at least four characters."""
    lowered = prefix.lower()
    return [one for one in sessions if one.session_id.startswith(lowered)] if _ID.fullmatch(lowered) else []


def commits_like(prefix: str, sessions: Sequence[SessionRow]) -> list[str]:
    """Return the commits with results whose hash begins with a text of at least four characters."""
    if not _HEX.fullmatch(prefix):
        return []
    return sorted({one.commit_sha for one in sessions if one.commit_sha and one.commit_sha.startswith(prefix)})


def elsewhere_text(spec: Spec, found: Sequence[SessionRow]) -> str:
    """Say that only sessions of other machines fit."""
    machines = names_text(one.cpu_model or "an unknown machine" for one in found)
    return (
        f"{spec.text} fits {len(found)} session(s), all of another machine or Python ({machines}); "
        "--allow-cross takes them nevertheless"
    )


def several_text(spec: Spec, what: str, candidates: Sequence[str], advice: str) -> str:
    """Say that a SPEC fits more than one thing, and which."""
    more = f" and {len(candidates) - _MOST_CANDIDATES} more" if len(candidates) > _MOST_CANDIDATES else ""
    return f"{spec.text!r} fits {len(candidates)} {what}: {', '.join(candidates[:_MOST_CANDIDATES])}{more}; {advice}"


def session_text(session: SessionRow) -> str:
    """Name a session in a message."""
    return f"{session.session_id} ({session.started_at[:16]})"


def names_text(names: Iterable[str | None]) -> str:
    """Return the most frequent names, for a message; ``none`` without any."""
    counted = Counter(name for name in names if name)
    told = [name for name, _ in counted.most_common(_MOST_CANDIDATES)]
    more = f" and {len(counted) - len(told)} more" if len(counted) > len(told) else ""
    return ", ".join(told) + more if told else "none"


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
}
"""How the sessions of a SPEC with a colon, or of ``latest``, are found."""


__all__ = ["Spec", "SpecContext", "auto_baseline", "parse_spec", "resolve_spec", "spec_context"]


def resolve_spec(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return the sessions that a SPEC stands for, oldest first; of ``auto`` there may be none yet.

    A commit, a branch, a tag, a label, ``last-good`` and ``merge-base`` stand for every session of one commit or
    label, because repetitions are what a judgement is made of.

    Args:
        spec: what `parse_spec` read; ``file`` is the caller's to open.
        sessions: all there are, oldest first.
        context: the candidate, which is never among them, the pinned baselines and the git checkout.

    Raises:
        NoBaselineError: it fits no session, only the candidate, or only sessions of other machines.
        ConfigError: it fits two things, or cannot be resolved at all.
    """
    if spec.kind == "file":
        raise ConfigError(f"SPEC {spec.text!r}: a file cannot be taken here; import it with: benchdb import auto")
    if spec.kind == "auto":
        return auto_baseline(sessions, context)
    found = _finder(spec)(spec, sessions, context)
    here = context.on_machine(found)
    if not here:
        raise NoBaselineError(elsewhere_text(spec, found))
    ids = {one.session_id for one in context.candidates}
    rest = [one for one in here if one.session_id not in ids]
    if not rest:
        raise NoBaselineError(f"{spec.text} is the candidate itself; name an earlier session, as in latest~1")
    return sorted(rest, key=lambda one: (one.started_at, one.session_id))


def _by_word(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    """Return what a bare word stands for: the first of label, pinned baseline, tag, branch, commit and session."""
    word = spec.value or ""
    meanings: dict[str, Finder] = {}
    if any(one.label == word for one in sessions):
        meanings["label"] = FINDERS["label"]
    if word in context.baselines:
        meanings["baseline"] = _by_baseline
    if any(_has_tag(one, word) for one in sessions):
        meanings["tag"] = FINDERS["tag"]
    if any(one.branch == word for one in sessions):
        meanings["branch"] = FINDERS["branch"]
    if meanings:
        first, *others = meanings
        if others:
            forms = " or ".join(f"{kind}:{word}" for kind in others if kind != "baseline") or "another name"
            context.warn(f"{word!r} is a {' and a '.join(meanings)}, and is taken for the {first}; else write {forms}")
        return meanings[first](spec, sessions, context)
    return _by_other_word(spec, sessions, context)


def _by_other_word(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    word = spec.value or ""
    name, back = split_back(word)
    if any(one.branch == name for one in sessions):
        return FINDERS["branch"](replace(spec, value=name, back=back), sessions, context)
    commits, ids = commits_like(word, sessions), ids_like(word, sessions)
    if len(commits) + len(ids) > 1:
        what = "sessions" if not commits else "commits" if not ids else "commits and sessions"
        candidates = [*commits, *map(session_text, ids)]
        raise ConfigError(several_text(spec, what, candidates, "write more of the " + ("id" if ids else "hash")))
    if commits:
        return clean([one for one in sessions if one.commit_sha in commits])
    if ids:
        return ids
    # Last, because it takes a process, and most words need none.
    git = context.git()
    if git is not None and word in git.tags(word):
        return FINDERS["tag"](spec, sessions, context)
    labels, branches = names_text(one.label for one in sessions), names_text(one.branch for one in sessions)
    raise NoBaselineError(
        f"{word!r} is no session: no label, baseline, tag, branch, commit or id fits (labels: {labels}; branches: "
        f"{branches}); see them with: benchdb sessions"
    )


def _has_tag(session: SessionRow, word: str) -> bool:
    return any(word in (value, f"{name}={value}") for name, value in session.tags.items())


def _by_baseline(spec: Spec, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    return _pinned(context.baselines[spec.value or ""], sessions, context)


def _pinned(baseline: Baseline, sessions: Sequence[SessionRow], context: SpecContext) -> list[SessionRow]:
    # What it stood for when it was set: later sessions do not move it.
    pin = next((one for one in sessions if one.session_id == baseline.session_id), None)
    if pin is None:
        raise NoBaselineError(
            f"the baseline {baseline.name} is session {baseline.session_id}, which is not here; "
            f"set it again with: benchdb baseline set {baseline.name} SPEC"
        )
    spec = parse_spec(baseline.spec)
    if spec.kind not in _REPEATABLE:
        return [pin]
    then = [one for one in sessions if one.started_at <= pin.started_at]
    found = _finder(spec)(spec, then, replace(context, candidates=(), baselines={}))
    return [one for one in found if one.fingerprint == pin.fingerprint] if pin in found else [pin]


_REPEATABLE = frozenset({"label", "commit", "branch", "tag", "word"})


def _finder(spec: Spec) -> Finder:
    return FINDERS.get(spec.kind, _by_word)
