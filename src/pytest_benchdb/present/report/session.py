"""Sessions: the facts above the runs of a report, and the list of sessions."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields, replace

from pytest_benchdb.model.report import DataTable, Report, ReportRow, Row, SessionReport, SessionRow
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.writing.grid import (
    FACT_SEPARATOR,
    Entry,
    Fact,
    Heading,
    Line,
    Section,
    Span,
    Style,
    Table,
    fact_lines,
    fit,
    outcome_style,
)
from pytest_benchdb.present.writing.text import SHORT_ID, clip, sanitize, wrap
from pytest_benchdb.present.writing.times import ago_text, local_minute, local_text, zones_text
from pytest_benchdb.present.writing.units import NOT_MEASURED, Unit, choose_unit, quantity, write_figure

SESSIONS_SCHEMA = "benchdb.sessions/1"

_SECONDS = Unit("s", 1.0, 3)
_HEADINGS = (
    Heading(title="session", flexible=False),
    Heading(title="age", priority=2, flexible=False),
    Heading(title="recorded", priority=6, flexible=False),
    Heading(title="project", priority=9),
    Heading(title="outcome", flexible=False, priority=1),
    Heading(title="runs", align="right", flexible=False, priority=5),
    Heading(title="not passed", align="right", flexible=False, priority=8),
    Heading(title="label", priority=3),
    Heading(title="branch", priority=7),
    Heading(title="commit", flexible=False),
    Heading(title="subject", priority=4),
    Heading(title="excluded", priority=0),
    Heading(title="machine", priority=11),
    Heading(title="python", priority=10),
)
_ONLY_IF_KNOWN = ("label", "branch", "subject", "excluded")


def session_header(
    shown: SessionReport, report: Report, total: int, *, now: dt.datetime | None = None, ascii_only: bool = False
) -> list[Line]:
    """Return the lines above a session's table, none wider than `total`; `now` adds how long ago it was."""
    title = sanitize(f"Benchmarks of {shown.session.project}", ascii_only=ascii_only)
    lines: list[Line] = [(Span(clip(title, total, ascii_only=ascii_only), "head"),)]
    lines += fact_lines(facts_of(shown, report, now), total, ascii_only=ascii_only)
    for text in warnings_of(shown):
        lines += [(Span(line, "warn"),) for line in wrap(f"warning: {text}", total, ascii_only=ascii_only)]
    return lines


def facts_of(shown: SessionReport, report: Report, now: dt.datetime | None = None) -> list[Fact]:
    """Return the known facts of a session as pairs of label and text."""
    session = shown.session
    label = session.label and f"label {session.label}"
    tags = session.tags and "tags " + ", ".join(f"{key}={value}" for key, value in session.tags.items())
    tool = f"{session.kind} by {session.tool} {session.tool_version or ''}".strip()
    pull_request = session.pull_request and f"pull request {session.pull_request}"
    age = now and ago_text(session.started_at, now)
    facts = [
        ("session", _join(session.session_id[:SHORT_ID], label, tags)),
        ("recorded", _join(local_text(session.started_at), _duration(session), session.kind != "pytest" and tool, age)),
        ("commit", _commit(session)),
        ("machine", _machine(session)),
        ("python", session.python),
        ("CI", _join(session.ci_provider, pull_request, session.ci_url)),
        ("excluded", session.excluded),
        ("note", session.note),
        *(("note", _note(note, shown)) for note in shown.notes),
        ("outcome", f"{session.outcome}: {_counts(shown.outcomes)}"),
        ("shown", _shown(shown, report)),
        ("data", ", ".join(report.sources)),
    ]
    return [(label, text) for label, text in facts if text]


def warnings_of(shown: SessionReport) -> list[str]:
    """Return reasons to distrust the figures, each with what to do."""
    session = shown.session
    warnings = []
    if session.kind == "sample":
        warnings.append("this is sample data, made up by benchdb init: nothing of it was measured")
    if not session.complete:
        warnings.append(f"this session is incomplete ({session.outcome}): some benchmarks may be missing; run it again")
    if session.contended:
        warnings.append("other work disturbed this session: repeat it on a quiet machine before you compare it")
    if any(row.provenance == "simulated" for row in shown.rows):
        warnings.append("runs marked (simulated) were not measured: leave them out of every comparison")
    return [*warnings, *missing_energy(shown.rows)]


def missing_energy(rows: Sequence[ReportRow]) -> list[str]:
    """Return why runs that were asked for energy have none, one line for each reason."""
    passed = [row for row in rows if row.outcome == "passed"]
    reasons = Counter(row.energy_reason for row in passed if row.energy_reason is not None and row.energy_j is None)
    return [
        f"no energy of {counted(number, 'run')} of {len(passed)} that passed: {why}"
        for why, number in reasons.most_common()
    ]


def _note(note: Row, shown: SessionReport) -> str:
    """Return a note that was written later, with its author and time, and the benchmark if it is about one."""
    names = {row.run_id: row.name for row in shown.rows}
    about = f"{names.get(note['run_id'], 'a run')}: " if note["run_id"] is not None else ""
    return f"{about}{note['text']} ({_join(note['author'], local_text(note['created_at']))})"


def _join(*parts: object) -> str:
    return FACT_SEPARATOR.join(str(part) for part in parts if part)


def _duration(session: SessionRow) -> str | None:
    if session.finished_at is None:
        return None
    seconds = (_time(session.finished_at) - _time(session.started_at)).total_seconds()
    # Negative if the clock was set back in between: the duration is then unknown.
    return f"took {write_figure(seconds, _SECONDS)} s" if seconds >= 0 else None


def _time(iso: str) -> dt.datetime:
    return dt.datetime.fromisoformat(iso.replace("Z", "")).replace(tzinfo=None)


def _commit(session: SessionRow) -> str | None:
    if session.commit_sha is None:
        return session.branch
    branch = f" on {session.branch}" if session.branch else " (detached)"
    return session.commit_sha[:10] + branch + (", with uncommitted changes" if session.dirty else "")


def _machine(session: SessionRow) -> str:
    ram = None if session.ram_bytes is None else float(session.ram_bytes)
    size = (
        f"{session.cores} cores" if session.cores else None,
        f"{session.threads} threads" if session.threads else None,
        quantity(ram, choose_unit("memory", [ram])) if ram else None,
    )
    return _join(session.cpu_model, ", ".join(part for part in size if part), session.os)


def _counts(outcomes: Mapping[str, int]) -> str:
    """Return the number of runs by outcome: ``298 passed, 2 failed``."""
    order = sorted(outcomes.items(), key=lambda item: (item[0] != "passed", -item[1], item[0]))
    return ", ".join(f"{count} {outcome}" for outcome, count in order) or "no benchmarks"


def _shown(shown: SessionReport, report: Report) -> str | None:
    total = sum(shown.outcomes.values())
    times = [row.older_at for row in shown.rows if row.older_at is not None]
    older = len(times)
    newest = f", the newest of {local_text(max(times))}" if times else ""
    added = f", and {counted(older, 'older run')} of what this session left out{newest}" if older else ""
    if report.selection is None and len(shown.rows) - older == total:
        return f"all {counted(total, 'run')}{added}" if older else None
    selection = f" ({report.selection})" if report.selection else ""
    return f"{len(shown.rows) - older} of {total} runs{selection}{added}"


def layout_sessions(sessions: Sequence[SessionRow], width: int, *, now: dt.datetime, ascii_only: bool = False) -> Table:
    """Lay out sessions as a table of at most `width` terminal columns; `now` is for their age."""
    idle = {name for name in _ONLY_IF_KNOWN if not any(_texts(session, now)[name][0] for session in sessions)}
    if not any(session.not_passed for session in sessions):
        idle.add("not passed")
    if len({session.project for session in sessions}) <= 1:
        idle.add("project")
    headings = [heading for heading in _HEADINGS if heading.title not in idle]
    entries = tuple(_entry(session, headings, now, ascii_only=ascii_only) for session in sessions)
    zones = zones_text(session.started_at for session in sessions)
    titled = [
        replace(heading, title=f"recorded ({zones})") if heading.title == "recorded" else heading
        for heading in headings
    ]
    return fit(titled, [Section(title=None, entries=entries)], width, ascii_only=ascii_only)


def sessions_table(sessions: Sequence[SessionRow]) -> DataTable:
    """Return sessions with every field, for CSV, JSON and Markdown."""
    names = tuple(field.name for field in fields(SessionRow))
    return DataTable(schema=SESSIONS_SCHEMA, columns=names, rows=[astuple(session) for session in sessions])


def _entry(session: SessionRow, headings: Sequence[Heading], now: dt.datetime, *, ascii_only: bool) -> Entry:
    texts = _texts(session, now)
    cells = (texts[heading.title] for heading in headings)
    return Entry(
        cells=tuple(Span(sanitize(text or NOT_MEASURED, ascii_only=ascii_only), style) for text, style in cells)
    )


def _texts(session: SessionRow, now: dt.datetime) -> dict[str, tuple[str | None, Style]]:
    """Return the cell of each column, by its title."""
    outcome = session.outcome if session.complete or session.outcome == "crashed" else f"{session.outcome}, incomplete"
    commit = session.commit_sha and session.commit_sha[:8] + ("+" if session.dirty else "")
    return {
        "session": (session.session_id[:SHORT_ID], ""),
        "age": (ago_text(session.started_at, now), ""),
        "recorded": (local_minute(session.started_at), ""),
        "project": (session.project, ""),
        "outcome": (outcome, outcome_style(session.outcome) if session.complete else "warn"),
        "runs": (str(session.runs), ""),
        "not passed": (str(session.not_passed), "bad" if session.not_passed else ""),
        "label": (session.label, ""),
        "branch": (session.branch, ""),
        "commit": (commit, ""),
        "subject": (session.commit_subject, ""),
        "excluded": (session.excluded, "warn"),
        "machine": (session.cpu_model, "dim"),
        "python": (session.python, "dim"),
    }
