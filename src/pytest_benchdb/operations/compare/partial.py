"""Sides that ran a part of the suite: what a command left out is not missing, and has its newest run elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.model.comparison import Side
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.select.partial_runs import (
    SessionNames,
    earlier_sessions,
    newest_runs,
    read_names,
    read_recent,
)
from pytest_benchdb.store.read.reader import Reader

Values = Sequence[SessionValue]

_MOST_SESSIONS = 3
_SHORT_COMMIT = 8
_MINUTE = len("2026-11-21T08:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestSides:
    """Two sides with the newest run of each benchmark, and the one before.

    Attributes:
        chosen: the session of each benchmark, by full name, of the baseline and of the candidate.
        remarks: one line for each earlier session that stands in for the candidate.
    """

    sides: tuple[Side, Side]
    chosen: tuple[Mapping[str, str], Mapping[str, str]]
    remarks: tuple[str, ...]

    def pick(self, values: tuple[Values, Values]) -> tuple[list[SessionValue], list[SessionValue]]:
        """Return the values of the chosen sessions only."""
        before, after = (
            [value for value in side if chosen.get(value.key.fullname) == value.session_id]
            for side, chosen in zip(values, self.chosen, strict=True)
        )
        return before, after


def newest_sides(reader: Reader, sessions: Sequence[SessionRow], baseline: Side, candidate: Side) -> NewestSides:
    """Return sides in which each benchmark has its newest run, and the newest one before that.

    Args:
        reader: an open history.
        sessions: all there are, oldest first.
        baseline: the session before the candidate; what it ran and the candidate should have run stays missing.
        candidate: the newest session.

    Raises:
        StoreError: the history cannot be read.
    """
    newest = candidate.sessions[-1]
    after = newest_runs(read_recent(reader, newest, sessions))
    order = [newest, *earlier_sessions(sessions, newest)]
    names = {entry.session.session_id: set(entry.names) for entry in read_names(reader, (*order, *baseline.sessions))}
    before: dict[str, str] = {}
    for session in reversed(baseline.sessions):
        before |= dict.fromkeys(names[session.session_id] - after.keys(), session.session_id)
    places = {session.session_id: place for place, session in enumerate(order)}
    for name, session_id in after.items():
        older = (row.session_id for row in order[places[session_id] + 1 :] if name in names[row.session_id])
        found = next(older, None)
        if found is not None:
            before[name] = found
    sides = (
        replace(baseline, sessions=_sessions_of(before.values(), sessions) or baseline.sessions),
        replace(candidate, sessions=_sessions_of((*after.values(), newest.session_id), sessions)),
    )
    return NewestSides(sides=sides, chosen=(before, after), remarks=tuple(_remarks(after, order)))


def _sessions_of(ids: Iterable[str], sessions: Sequence[SessionRow]) -> tuple[SessionRow, ...]:
    wanted = set(ids)
    return tuple(session for session in sessions if session.session_id in wanted)


def _remarks(chosen: Mapping[str, str], order: Sequence[SessionRow]) -> Iterable[str]:
    """Yield a line for each session but the first that has the newest run of a benchmark."""
    of_session: dict[str, list[str]] = {}
    for name, session_id in chosen.items():
        of_session.setdefault(session_id, []).append(name)
    older = [session for session in order[1:] if session.session_id in of_session]
    for session in older[:_MOST_SESSIONS]:
        commit = f" ({session.commit_sha[:_SHORT_COMMIT]})" if session.commit_sha else ""
        moment = session.started_at[:_MINUTE].replace("T", " ")
        number = counted(len(of_session[session.session_id]), "benchmark")
        yield f"{number} that the newest session left out: older runs of {moment} UTC{commit}"
    rest = sum(len(of_session[session.session_id]) for session in older[_MOST_SESSIONS:])
    if rest:
        yield f"{counted(rest, 'benchmark')} that the newest session left out: older runs of other sessions"


def without_unselected(
    reader: Reader, sides: tuple[Side, Side], values: tuple[Values, Values]
) -> tuple[list[SessionValue], list[SessionValue], tuple[str, ...]]:
    """Drop the benchmarks of each side that the commands of the other left out.

    Returns:
        The values of both sides, and a line for each side that left some out.

    Raises:
        StoreError: the history cannot be read.
    """
    before, after = ({value.key.fullname for value in side} for side in values)
    if before == after:
        return list(values[0]), list(values[1]), ()
    base, head = (list(read_names(reader, side.sessions)) for side in sides)
    left_out = (after - before - _lost(base, head), before - after - _lost(head, base))  # by the baseline; candidate
    kept_before = [value for value in values[0] if value.key.fullname not in left_out[1]]
    kept_after = [value for value in values[1] if value.key.fullname not in left_out[0]]
    lines = tuple(
        f"{counted(len(names), 'benchmark')} left out: not selected by the command of {side.name}"
        for names, side in zip(left_out, sides, strict=True)
        if names
    )
    return kept_before, kept_after, lines


def _lost(side: Iterable[SessionNames], other: Sequence[SessionNames]) -> set[str]:
    """Return the benchmarks of another side that a session of this one should have run but did not."""
    return {name for session in side for theirs in other for name in session.lost(theirs)}
