"""What people said about the sessions of a history: labels, notes, baselines."""

from collections.abc import Iterable, Sequence

from pytest_benchdb.model.annotation import Baseline
from pytest_benchdb.model.answer.trend import SessionMark
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.store.read.reader import Reader

_NOTHING = SessionMark()


def session_marks(
    reader: Reader, sessions: Sequence[SessionRow], baselines: Iterable[Baseline]
) -> dict[str, SessionMark]:
    """Return what is known about sessions, by id; notes on a single run or benchmark are left out.

    Raises:
        StoreError: the history cannot be read.
    """
    notes: dict[str, list[str]] = {}
    for note in reader.notes():
        if note["run_id"] is None and note["benchmark_id"] is None:
            notes.setdefault(note["session_id"], []).append(note["text"])
    names: dict[str, list[str]] = {}
    for baseline in baselines:
        if baseline.session_id is not None and baseline.removed_at is None:
            names.setdefault(baseline.session_id, []).append(baseline.name)
    marks = {
        session.session_id: SessionMark(
            label=session.label,
            notes=tuple(filter(None, [session.note, *notes.get(session.session_id, ())])),
            baselines=tuple(names.get(session.session_id, ())),
            subject=session.commit_subject,
            remote_url=session.remote_url,
        )
        for session in sessions
    }
    return {session_id: mark for session_id, mark in marks.items() if mark != _NOTHING}
