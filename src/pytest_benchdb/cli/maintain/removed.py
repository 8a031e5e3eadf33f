"""Lists the sessions that go."""

from collections.abc import Sequence

from pytest_benchdb.cli.frame.output import Output
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.present.writing.text import SHORT_ID
from pytest_benchdb.present.writing.times import local_minute

_SHORT_COMMIT = 8


def list_sessions(output: Output, sessions: Sequence[SessionRow]) -> None:
    """Write one line for each session; in JSON they are part of the answer instead."""
    if output.format == "json":
        return
    for session in sessions:
        parts = [session.session_id[:SHORT_ID], local_minute(session.started_at), session.branch or "-"]
        parts += [(session.commit_sha or "-")[:_SHORT_COMMIT], session.label or ""]
        output.text("  ".join(parts).rstrip() + "\n")
