"""The list of sessions: one line each, newest first."""

from collections.abc import Sequence
from dataclasses import fields

from pytest_benchdb.model.answer.table import DataTable
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.present.writing.grid import Entry, Heading, Section, Span, Style, Table, fit, outcome_style
from pytest_benchdb.present.writing.text import SHORT_ID, sanitize, utc_text
from pytest_benchdb.present.writing.units import NOT_MEASURED

SESSIONS_SCHEMA = "benchdb.sessions/1"

_HEADINGS = (
    Heading(title="session", flexible=False),
    Heading(title="recorded (UTC)", priority=1, flexible=False),
    Heading(title="project", priority=7),
    Heading(title="outcome", flexible=False),
    Heading(title="runs", align="right", flexible=False, priority=2),
    Heading(title="not passed", align="right", flexible=False, priority=5),
    Heading(title="label", priority=3),
    Heading(title="branch", priority=4),
    Heading(title="commit", flexible=False, priority=6),
    Heading(title="machine", priority=9),
    Heading(title="python", priority=8),
)


def layout_sessions(sessions: Sequence[SessionRow], width: int, *, ascii_only: bool = False) -> Table:
    """Lay sessions out as a table of at most `width` columns of the terminal."""
    headings = [heading for heading in _HEADINGS if heading.title != "project" or _differ(sessions)]
    entries = tuple(_entry(session, headings, ascii_only=ascii_only) for session in sessions)
    return fit(headings, [Section(title=None, entries=entries)], width, ascii_only=ascii_only)


def sessions_table(sessions: Sequence[SessionRow]) -> DataTable:
    """Return sessions with every field, for CSV, JSON and Markdown."""
    names = tuple(field.name for field in fields(SessionRow))
    rows = [[getattr(session, name) for name in names] for session in sessions]
    return DataTable(schema=SESSIONS_SCHEMA, columns=names, rows=rows)


def _differ(sessions: Sequence[SessionRow]) -> bool:
    return len({session.project for session in sessions}) > 1


def _entry(session: SessionRow, headings: Sequence[Heading], *, ascii_only: bool) -> Entry:
    outcome = session.outcome if session.complete else f"{session.outcome}, incomplete"
    texts: dict[str, tuple[str, Style]] = {
        "session": (session.session_id[:SHORT_ID], ""),
        "recorded (UTC)": (utc_text(session.started_at).removesuffix(" UTC"), ""),
        "project": (session.project, ""),
        "outcome": (outcome, outcome_style(session.outcome) if session.complete else "warn"),
        "runs": (str(session.runs), ""),
        "not passed": (str(session.not_passed), "bad" if session.not_passed else ""),
        "label": (session.label or NOT_MEASURED, ""),
        "branch": (session.branch or NOT_MEASURED, ""),
        "commit": (_commit(session), ""),
        "machine": (session.cpu_model or NOT_MEASURED, "dim"),
        "python": (session.python or NOT_MEASURED, "dim"),
    }
    chosen = (texts[heading.title] for heading in headings)
    return Entry(cells=tuple(Span(sanitize(text, ascii_only=ascii_only), style) for text, style in chosen))


def _commit(session: SessionRow) -> str:
    if session.commit_sha is None:
        return NOT_MEASURED
    return session.commit_sha[:8] + ("+" if session.dirty else "")
