"""The sessions that a SPEC stands for; one reading of it for plugin, commands and Python."""

from collections.abc import Sequence
from dataclasses import replace

from pytest_benchdb.errors import ConfigError, NoBaselineError
from pytest_benchdb.model.annotation import Baseline
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.automatic_baseline import auto_baseline
from pytest_benchdb.operations.commit_groups import clean
from pytest_benchdb.operations.spec_context import SpecContext, spec_context
from pytest_benchdb.operations.spec_finders import (
    FINDERS,
    Finder,
    commits_like,
    elsewhere_text,
    ids_like,
    names_text,
    session_text,
    several_text,
)
from pytest_benchdb.operations.spec_syntax import Spec, parse_spec, split_back

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
