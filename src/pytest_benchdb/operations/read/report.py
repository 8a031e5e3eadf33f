"""Reports and the list of sessions."""

from collections import Counter

from pytest_benchdb.model.report import Report, SessionReport, SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.where import parse_where
from pytest_benchdb.operations.select.selection import Selection, in_time, open_selection


def build_report(selection: Selection, *, feedback: Feedback = SILENT) -> Report:
    """Read the sessions that are selected, with the runs that match.

    Without names, times or a number that is the newest session, or as many as files were named.

    Raises:
        ConfigError: a filter, a time or a name cannot be used.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    matches = parse_expression(selection.keyword or "")
    where = parse_where(selection.where or "")
    with open_selection(selection, feedback, newest=None) as selected:
        runs = selected.reader.report([session.session_id for session in selected.sessions])
    sessions = []
    for session in selected.sessions:
        rows = runs.get(session.session_id, ())
        shown = tuple(row for row in rows if matches(row.fullname) and where.matches(row))
        outcomes: dict[str, int] = dict(Counter(row.outcome for row in rows))
        sessions.append(SessionReport(session=session, rows=shown, outcomes=outcomes))
    return Report(
        sources=tuple(map(str, selection.paths)),
        sessions=tuple(sessions),
        sessions_in_all=len(selected.everything),
        selection=selection.text(),
    )


def list_sessions(selection: Selection, *, feedback: Feedback = SILENT) -> list[SessionRow]:
    """Return sessions, newest first; times and number are all of a selection that counts.

    Raises:
        ConfigError: a time cannot be read.
        StoreError: a file cannot be read.
    """
    with open_source(selection.paths, feedback) as reader:
        sessions = in_time(reader.sessions(), selection)
    return sessions[-selection.last :][::-1] if selection.last is not None else sessions[::-1]
