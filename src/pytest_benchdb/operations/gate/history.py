"""Which sessions a gate judges, and by which: the candidate, its baseline, and the history up to that."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.errors import NoBaselineError, StoreMissingError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, as_sources, open_source
from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.select.sessions import missing_text, stored_sessions
from pytest_benchdb.operations.select.spec.context import SpecContext, spec_context
from pytest_benchdb.operations.select.spec.resolve import resolve_spec
from pytest_benchdb.operations.select.spec.syntax import Spec, parse_spec
from pytest_benchdb.store.read.reader import Reader

LATEST = "latest"
LEAST_LEFT = 5
"""Sessions that must be left when some are taken out of a history; else they all stay in it."""
MOST_SHOWN = 20
"""Sessions of a history that are named: as many as the rule looks at."""
_A_SIDE = 3
"""Sessions from which a side can be held against another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Sessions, oldest first each.

    Attributes:
        candidate: what is judged.
        baseline: what it is compared with; empty if there is nothing.
        history: sessions whose values it is judged by: the baseline's, and those before it.
        are_many: whether several sessions stand on both sides, so that they are judged as sides.
        nothing: why there is no baseline; None if there is one.
        warnings: one line each: what readers must know of this choice.
    """

    candidate: tuple[SessionRow, ...]
    baseline: tuple[SessionRow, ...] = ()
    history: tuple[SessionRow, ...] = ()
    are_many: bool = False
    nothing: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def judged(self) -> SessionRow:
        """The newest session of the candidate."""
        return self.candidate[-1]

    @property
    def shown(self) -> tuple[SessionRow, ...]:
        """The baseline as people see it: the newest sessions of the history, else the baseline alone."""
        return self.history[-MOST_SHOWN:] or self.baseline


@contextlib.contextmanager
def open_sides(
    paths: Sequence[Path], request: GateRequest, feedback: Feedback = SILENT
) -> Iterator[tuple[Reader, Sides]]:
    """Open the database, and the files that SPECs name, and find the sessions of both sides.

    Args:
        paths: the database.
        request: SPECs, where the git checkout is, and whether machines may be crossed.
        feedback: told about progress and about sessions that could not be read.

    Raises:
        NoBaselineError: the baseline that was named matches nothing, and its absence has no status of its own.
        ConfigError: a SPEC cannot be read, or matches several things.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    specs = {"candidate": parse_spec(request.candidate or LATEST), "baseline": parse_spec(request.baseline)}
    files = {role: spec.path for role, spec in specs.items() if spec.path is not None}
    with as_sources(tuple(files.values()), feedback) as sources:
        within = {role: _ids_in(source, file) for (role, file), source in zip(files.items(), sources, strict=True)}
        own = _ids_in(paths[0], paths[0]) if files else None
        with open_source((*paths, *sources), feedback) as reader:
            sessions = stored_sessions(reader, paths)
            known = sessions if own is None else [one for one in sessions if one.session_id in own]
            finder = _Finder(reader=reader, request=request, sessions=sessions, known=known, within=within)
            yield reader, finder.sides(specs["candidate"], specs["baseline"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finder:
    """Finds the sessions of both sides.

    Attributes:
        sessions: all there are, those of files too, oldest first.
        known: those of the database.
        within: ids of the sessions of a file, by the side that names it.
    """

    reader: Reader
    request: GateRequest
    sessions: Sequence[SessionRow]
    known: Sequence[SessionRow]
    within: Mapping[str, frozenset[str]]

    def sides(self, candidate: Spec, baseline: Spec) -> Sides:
        """Return both sides; without a baseline if there is none and nobody named one.

        Raises:
            NoBaselineError: the baseline that was named is not there, and its absence has no status of its own.
        """
        chosen = self._candidate(candidate)
        warnings: list[str] = []
        before = [one for one in self.known if one.project == chosen[-1].project]
        try:
            found = self._baseline(baseline, before, chosen, warnings)
        except NoBaselineError as error:
            if not self.request.require_baseline:
                raise
            return Sides(candidate=tuple(chosen), nothing=str(error), warnings=tuple(warnings))
        earlier = [one for one in before if one not in chosen]
        if not found:
            return Sides(candidate=tuple(chosen), nothing=_nothing_text(earlier, chosen[-1]), warnings=tuple(warnings))
        sides = with_history(
            earlier,
            chosen,
            found,
            alone=_stands_alone(baseline, found),
            allow_cross=self.request.allow_cross,
        )
        return replace(sides, warnings=(*warnings, *sides.warnings))

    def _candidate(self, spec: Spec) -> list[SessionRow]:
        if spec.path is not None:
            return self._of_file("candidate")
        return resolve_spec(spec, self.known, self._context(()))

    def _baseline(
        self, spec: Spec, before: Sequence[SessionRow], candidate: Sequence[SessionRow], warnings: list[str]
    ) -> list[SessionRow]:
        if spec.path is not None:
            return self._of_file("baseline")
        return resolve_spec(spec, before, replace(self._context(candidate), warn=warnings.append))

    def _context(self, candidate: Sequence[SessionRow]) -> SpecContext:
        request = self.request
        return spec_context(
            self.reader, candidate, root=request.folder, environ=request.environ, allow_cross=request.allow_cross
        )

    def _of_file(self, role: str) -> list[SessionRow]:
        return [one for one in self.sessions if one.session_id in self.within[role]]


def _ids_in(source: Path, file: Path) -> frozenset[str]:
    """Return the sessions of a place.

    Raises:
        StoreMissingError: it is not there, or holds none.
    """
    if not source.exists():
        raise StoreMissingError(missing_text(file))
    with open_source((source,)) as reader:
        return frozenset(session.session_id for session in stored_sessions(reader, (file,)))


def _stands_alone(spec: Spec, found: Sequence[SessionRow]) -> bool:
    """Tell whether a baseline is its own history: several sessions that a user put together."""
    if len(found) == 1:
        return spec.kind == "file"
    named = spec.kind == "word" and all(spec.value == one.label or spec.value in one.tags.values() for one in found)
    return named or spec.kind in {"label", "tag", "window", "file"}


def _nothing_text(earlier: Sequence[SessionRow], judged: SessionRow) -> str:
    """Say why there is no baseline."""
    others = [one for one in earlier if one.fingerprint != judged.fingerprint]
    if not others:
        return "there is no earlier session yet"
    newest = others[-1]
    return (
        f"no earlier session of this machine and Python is there, {counted(len(others), 'session')} of others, such as "
        f"{newest.cpu_model or 'an unknown processor'} with {newest.python or 'an unknown Python'}; --allow-cross "
        "takes them all the same"
    )


def with_history(
    sessions: Sequence[SessionRow],
    candidate: Sequence[SessionRow],
    baseline: Sequence[SessionRow],
    *,
    alone: bool = False,
    allow_cross: bool = False,
) -> Sides:
    """Return the sides with the history that ends with the baseline.

    It is what the same machine measured up to the baseline; in CI on the baseline's branch, elsewhere on any. Disturbed
    sessions and those of the candidate's own commit are left out, if enough others are left.

    Args:
        sessions: all of the project but the candidate's, oldest first.
        candidate: at least one.
        baseline: at least one, none of the candidate's.
        alone: whether the baseline is its own history.
        allow_cross: whether sessions of other machines may be in it.
    """
    judged, newest = candidate[-1], baseline[-1]
    history = list(baseline)
    if not alone:
        branch = newest.branch if judged.ci_provider is not None else None
        own = {one.session_id for one in baseline}
        history = [one for one in sessions if one.session_id in own or _leads_to(one, newest, branch)]
    if not allow_cross:
        history = [one for one in history if one.fingerprint == judged.fingerprint]
    if not history:
        return Sides(candidate=tuple(candidate), nothing=_nothing_text(baseline, judged))
    if not alone:
        # A commit that failed would pass in the end, if its own sessions were what it is held against.
        history = _without(history, lambda one: _is_same_commit(one, judged))
    history = _without(history, lambda one: bool(one.contended))
    return Sides(
        candidate=tuple(candidate),
        baseline=tuple(baseline),
        history=tuple(history),
        are_many=min(len(candidate), len(baseline)) >= _A_SIDE,
    )


def _without(sessions: list[SessionRow], unwanted: Callable[[SessionRow], bool]) -> list[SessionRow]:
    """Leave sessions out, if enough are left to judge by."""
    rest = [one for one in sessions if not unwanted(one)]
    return rest if len(rest) >= LEAST_LEFT else sessions


def _is_same_commit(session: SessionRow, judged: SessionRow) -> bool:
    return session.commit_sha is not None and session.commit_sha == judged.commit_sha and not judged.dirty


def _leads_to(session: SessionRow, baseline: SessionRow, branch: str | None) -> bool:
    return session.started_at <= baseline.started_at and (branch is None or session.branch == branch)
