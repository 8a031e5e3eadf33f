"""The list of sessions."""

import datetime as dt

from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.opening import SILENT, Feedback, open_source
from pytest_benchdb.operations.report import Selection, in_time
from pytest_benchdb.operations.source import Source


def list_sessions(
    source: Source, selection: Selection, *, now: dt.datetime | None = None, feedback: Feedback = SILENT
) -> list[SessionRow]:
    """Return the sessions of files and folders, newest first.

    Args:
        source: what to read.
        selection: `since`, `until` and `last` count.
        now: the current time, for spans such as ``7d``; None takes the clock.
        feedback: told about progress and about sessions that could not be read.

    Raises:
        ConfigError: a time cannot be read.
        StoreError: a file cannot be read.
    """
    with open_source(source.paths, feedback) as reader:
        sessions = reader.sessions()
    chosen = in_time(sessions, selection, now or dt.datetime.now(dt.timezone.utc))
    if selection.last is not None:
        chosen = chosen[-selection.last :]
    return chosen[::-1]
