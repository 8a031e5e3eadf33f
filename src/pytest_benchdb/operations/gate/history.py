"""Find the sessions of a gate: the candidate, its baseline, and the history up to that."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.errors import NoBaselineError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.compare.sides import LATEST, SpecSource, open_specs
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.select.spec.context import SpecContext, spec_context
from pytest_benchdb.operations.select.spec.syntax import Spec, parse_spec
from pytest_benchdb.store.read.reader import Reader

LEAST_LEFT = 5
"""Sessions are only removed from a history if at least this many remain."""
MOST_SHOWN = 20
"""Most sessions of a history to name: as many as the rule uses."""
_A_SIDE = 3
"""Fewest sessions per side for comparing sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSides:
    """The sessions of a gate, each tuple oldest first.

    Attributes:
        candidate: the sessions to judge.
        baseline: the sessions to compare with; may be empty.
        history: the sessions to judge by: the baseline's and earlier ones.
        are_many: whether both sides have enough sessions to be compared as sides.
        no_baseline: why there is no baseline; None if there is one.
        warnings: one line each about how the sessions were selected.
    """

    candidate: tuple[SessionRow, ...]
    baseline: tuple[SessionRow, ...] = ()
    history: tuple[SessionRow, ...] = ()
    are_many: bool = False
    no_baseline: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def newest(self) -> SessionRow:
        """The newest session of the candidate."""
        return self.candidate[-1]

    @property
    def shown(self) -> tuple[SessionRow, ...]:
        """The sessions to show as the baseline: the newest of the history, else the baseline."""
        return self.history[-MOST_SHOWN:] or self.baseline


@contextlib.contextmanager
def open_sides(
    paths: Sequence[Path], request: GateRequest, feedback: Feedback = SILENT
) -> Iterator[tuple[Reader, GateSides]]:
    """Open the database and the files that SPECs name, and find the sessions of both sides; closes with the block.

    Args:
        paths: the database.
        request: the gate's request.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        NoBaselineError: the named baseline matches nothing, and `require_baseline` is not set.
        ConfigError: a SPEC is ambiguous or not valid.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    candidate, baseline = parse_spec(request.candidate or LATEST), parse_spec(request.baseline)
    with open_specs((candidate, baseline), paths, feedback) as source:
        yield source.reader, _find_sides(source, candidate, baseline, request)


def _find_sides(source: SpecSource, candidate: Spec, baseline: Spec, request: GateRequest) -> GateSides:
    def context(candidates: Sequence[SessionRow], warn: Callable[[str], None]) -> SpecContext:
        return spec_context(
            source.reader,
            candidates,
            root=request.folder,
            environ=request.environ,
            allow_cross=request.allow_cross,
            warn=warn,
        )

    warnings: list[str] = []
    judged = source.find(candidate, context((), lambda _text: None))
    before = [session for session in source.in_db if session.project == judged[-1].project]
    try:
        reference = source.find(baseline, context(judged, warnings.append), before)
    except NoBaselineError as error:
        if not request.require_baseline:
            raise
        return GateSides(candidate=tuple(judged), no_baseline=str(error), warnings=tuple(warnings))
    earlier = [session for session in before if session not in judged]
    if not reference:
        reason = _no_baseline_text(earlier, judged[-1])
        return GateSides(candidate=tuple(judged), no_baseline=reason, warnings=tuple(warnings))
    pinned = (
        context(judged, lambda _text: None).baselines.get(baseline.value or "") if baseline.kind == "word" else None
    )
    alone = _stands_alone(parse_spec(pinned.spec) if pinned is not None else baseline, reference)
    sides = add_history(earlier, judged, reference, alone=alone, allow_cross=request.allow_cross)
    return replace(sides, warnings=(*warnings, *sides.warnings))


def _stands_alone(spec: Spec, sessions: Sequence[SessionRow]) -> bool:
    """Return whether a baseline is its own history, because a user grouped its sessions."""
    if len(sessions) == 1:
        return spec.kind == "file"
    named = spec.kind == "word" and all(spec.value in (row.label, *row.tags.values()) for row in sessions)
    return named or spec.kind in {"label", "tag", "window", "file"}


def _no_baseline_text(earlier: Sequence[SessionRow], judged: SessionRow) -> str:
    others = [session for session in earlier if session.fingerprint != judged.fingerprint]
    if not others:
        return "there is no earlier session yet"
    newest = others[-1]
    return (
        f"there is no earlier session of this machine and Python, only {counted(len(others), 'session')} of others, "
        f"such as {newest.cpu_model or 'an unknown processor'} with {newest.python or 'an unknown Python'}; "
        "--allow-cross takes them anyway"
    )


def add_history(
    sessions: Sequence[SessionRow],
    candidate: Sequence[SessionRow],
    baseline: Sequence[SessionRow],
    *,
    alone: bool = False,
    allow_cross: bool = False,
) -> GateSides:
    """Return the sides with the history that ends with the baseline.

    The history is the same machine's sessions up to the baseline: in CI on the baseline's branch, elsewhere on any.
    Excluded sessions are never in it. Disturbed sessions and those of the candidate's own commit are left out, if
    enough others remain.

    Args:
        sessions: all of the project's except the candidate's, oldest first.
        candidate: at least one.
        baseline: at least one, none of the candidate's.
        alone: whether the baseline is its own history.
        allow_cross: whether the history may include other machines.
    """
    judged, newest = candidate[-1], baseline[-1]
    history = list(baseline)
    if not alone:
        branch = newest.branch if judged.ci_provider is not None else None
        own = {session.session_id for session in baseline}
        history = [session for session in sessions if session.session_id in own or _leads_to(session, newest, branch)]
    if not allow_cross:
        history = [session for session in history if session.fingerprint == judged.fingerprint]
    if not history:
        return GateSides(candidate=tuple(candidate), no_baseline=_no_baseline_text(baseline, judged))
    if not alone:
        # Compared with its own sessions, a commit that failed would pass in the end.
        history = _without(history, lambda session: _is_same_commit(session, judged))
    history = _without(history, lambda session: bool(session.contended))
    return GateSides(
        candidate=tuple(candidate),
        baseline=tuple(baseline),
        history=tuple(history),
        are_many=min(len(candidate), len(baseline)) >= _A_SIDE,
    )


def _without(sessions: list[SessionRow], unwanted: Callable[[SessionRow], bool]) -> list[SessionRow]:
    """Remove the unwanted sessions if enough others remain."""
    rest = [session for session in sessions if not unwanted(session)]
    return rest if len(rest) >= LEAST_LEFT else sessions


def _is_same_commit(session: SessionRow, judged: SessionRow) -> bool:
    return session.commit_sha is not None and session.commit_sha == judged.commit_sha and not judged.dirty


def _leads_to(session: SessionRow, baseline: SessionRow, branch: str | None) -> bool:
    on_branch = branch is None or session.branch == branch
    return session.excluded is None and on_branch and session.placed_at <= baseline.placed_at
