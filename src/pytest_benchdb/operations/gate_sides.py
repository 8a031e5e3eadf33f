"""Which sessions a gate judges, and by which: the candidate, its baseline, and the history up to that."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_benchdb.errors import NoBaselineError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.source import find_sessions
from pytest_benchdb.present.text import counted

AUTO = "auto"
LATEST = "latest"
LEAST_CALM = 5
"""Sessions that must be left when disturbed ones are taken out of a history; else they all stay in it."""
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


def choose_sides(
    sessions: Sequence[SessionRow], candidate: str | None, baseline: str, *, allow_cross: bool = False
) -> Sides:
    """Find the sessions of both sides.

    Args:
        sessions: all there are, oldest first.
        candidate: SPEC; None for the newest.
        baseline: SPEC, ``auto`` among them.
        allow_cross: whether sessions of other machines may be the history.

    Raises:
        NoBaselineError: the baseline that was named matches nothing.
        ConfigError: a SPEC cannot be read, or matches several things.
    """
    chosen = find(candidate or LATEST, sessions)
    before = [session for session in sessions if session.project == chosen[-1].project and session not in chosen]
    try:
        found = automatic(before, chosen[-1]) if baseline == AUTO else find(baseline, before)
    except NoBaselineError as error:
        if baseline != AUTO:
            raise
        return Sides(candidate=tuple(chosen), nothing=str(error))
    return with_history(before, chosen, found, allow_cross=allow_cross)


def with_history(
    sessions: Sequence[SessionRow],
    candidate: Sequence[SessionRow],
    baseline: Sequence[SessionRow],
    *,
    allow_cross: bool,
) -> Sides:
    """Return the sides with the history that ends with the baseline.

    A baseline of several sessions is its own history. Otherwise it is what the same machine measured up to the
    baseline; in CI on the baseline's branch, elsewhere on any.

    Args:
        sessions: all of the project but the candidate's, oldest first.
        candidate: at least one.
        baseline: at least one, none of the candidate's.
        allow_cross: whether sessions of other machines may be in it.
    """
    judged, newest = candidate[-1], baseline[-1]
    if len(baseline) > 1:
        history = list(baseline)
    else:
        branch = newest.branch if judged.ci_provider is not None else None
        history = [
            session
            for session in sessions
            if session.started_at <= newest.started_at and (branch is None or session.branch == branch)
        ]
    warnings: list[str] = []
    if not allow_cross:
        others = len(history)
        history = [session for session in history if session.fingerprint == judged.fingerprint]
        others -= len(history)
        if not history:
            machine = newest.cpu_model or "an unknown processor"
            nothing = (
                f"no earlier session of this machine and Python is there, {counted(others, 'session')} of others "
                f"({machine}, {newest.python or 'unknown Python'}); --allow-cross compares them all the same"
            )
            return Sides(candidate=tuple(candidate), baseline=tuple(baseline), nothing=nothing)
        if newest.fingerprint != judged.fingerprint:
            warnings.append(
                f"the baseline ran on another machine or Python; compared with {counted(len(history), 'session')} of "
                "this one before it"
            )
    calm = [session for session in history if not session.contended]
    if LEAST_CALM <= len(calm) < len(history):
        history = calm
    return Sides(
        candidate=tuple(candidate),
        baseline=tuple(baseline),
        history=tuple(history),
        are_many=min(len(candidate), len(baseline)) >= _A_SIDE,
        warnings=tuple(warnings),
    )


def find(spec: str, sessions: Sequence[SessionRow]) -> list[SessionRow]:
    """Return the sessions of a SPEC, oldest first.

    Raises:
        ConfigError: it cannot be read, or matches nothing, or several things.
    """
    return find_sessions([spec], sessions)


def automatic(sessions: Sequence[SessionRow], candidate: SessionRow) -> list[SessionRow]:
    """Return the baseline that nobody named: the last session before the candidate on the same machine.

    Raises:
        NoBaselineError: there is none.
    """
    earlier = [session for session in sessions if session.started_at <= candidate.started_at]
    same = [session for session in earlier if session.fingerprint == candidate.fingerprint]
    if not earlier:
        raise NoBaselineError("there is no earlier session; record this one again after the next change")
    return (same or earlier)[-1:]
