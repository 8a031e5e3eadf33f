"""The facts above a report: which session, when, of what commit, on which machine, and what to mind."""

import datetime as dt

from pytest_benchdb.model.report import Report, SessionReport, SessionRow
from pytest_benchdb.present.writing.grid import FACT_SEPARATOR, Fact, Line, Span, fact_lines
from pytest_benchdb.present.writing.text import SHORT_ID, clip, sanitize, utc_text, wrap
from pytest_benchdb.present.writing.units import Unit, choose_unit, write_figure

_SECONDS = Unit("s", 1.0, 3)


def facts_of(shown: SessionReport, report: Report) -> list[Fact]:
    """Return the facts of a session as pairs of label and text; what is not known is left out."""
    session = shown.session
    facts = [
        ("session", _joined(session.session_id[:SHORT_ID], session.label and f"label {session.label}", _tags(session))),
        ("recorded", _joined(utc_text(session.started_at), _took(session), _tool(session))),
        ("commit", _commit(session)),
        ("machine", _machine(session)),
        ("python", session.python or ""),
        (
            "CI",
            _joined(
                session.ci_provider, session.pull_request and f"pull request {session.pull_request}", session.ci_url
            ),
        ),
        ("note", session.note or ""),
        ("outcome", f"{session.outcome}: {counts_text(shown.outcomes)}"),
        ("shown", _shown(shown, report)),
        ("data", ", ".join(report.sources)),
    ]
    return [(label, text) for label, text in facts if text]


def warnings_of(shown: SessionReport) -> list[str]:
    """Return what a reader must know before trusting the figures, each with what to do."""
    session = shown.session
    warnings = []
    if not session.complete:
        warnings.append(f"this session is incomplete ({session.outcome}): some benchmarks may be missing; run it again")
    if session.contended:
        warnings.append("other work disturbed this session: repeat it on a quiet machine before you compare it")
    if any(row.provenance == "simulated" for row in shown.rows):
        warnings.append("runs marked (simulated) were not measured: leave them out of every comparison")
    return warnings


def session_header(shown: SessionReport, report: Report, total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return the lines above a session's table, none wider than `total`."""
    title = sanitize(f"Benchmarks of {shown.session.project}", ascii_only=ascii_only)
    lines: list[Line] = [(Span(clip(title, total, ascii_only=ascii_only), "head"),)]
    lines += fact_lines(facts_of(shown, report), total, ascii_only=ascii_only)
    for text in warnings_of(shown):
        lines += [(Span(line, "warn"),) for line in wrap(f"warning: {text}", total, ascii_only=ascii_only)]
    return lines


def counts_text(outcomes: object) -> str:
    """Write how many runs had which outcome: ``298 passed, 2 failed``."""
    if not isinstance(outcomes, dict) or not outcomes:
        return "no benchmarks"
    order = sorted(outcomes.items(), key=lambda item: (item[0] != "passed", -item[1], item[0]))
    return ", ".join(f"{count} {outcome}" for outcome, count in order)


def _joined(*parts: str | None) -> str:
    return FACT_SEPARATOR.join(part for part in parts if part)


def _tags(session: SessionRow) -> str | None:
    return "tags " + ", ".join(f"{key}={value}" for key, value in session.tags.items()) if session.tags else None


def _took(session: SessionRow) -> str | None:
    if session.finished_at is None:
        return None
    seconds = (_time(session.finished_at) - _time(session.started_at)).total_seconds()
    # A clock that was set back between start and end tells nothing about the duration.
    return f"took {write_figure(seconds, _SECONDS)} s" if seconds >= 0 else None


def _time(iso: str) -> dt.datetime:
    return dt.datetime.fromisoformat(iso.replace("Z", "")).replace(tzinfo=None)


def _tool(session: SessionRow) -> str | None:
    return (
        None if session.kind == "pytest" else f"{session.kind} by {session.tool} {session.tool_version or ''}".strip()
    )


def _commit(session: SessionRow) -> str:
    if session.commit_sha is None:
        return session.branch or ""
    branch = f" on {session.branch}" if session.branch else " (detached)"
    return session.commit_sha[:10] + branch + (", with uncommitted changes" if session.dirty else "")


def _machine(session: SessionRow) -> str:
    cores = f"{session.cores} cores" if session.cores else None
    threads = f"{session.threads} threads" if session.threads else None
    memory = None
    if session.ram_bytes:
        unit = choose_unit("memory", [float(session.ram_bytes)])
        memory = f"{write_figure(float(session.ram_bytes), unit)} {unit.symbol}"
    return _joined(session.cpu_model, ", ".join(part for part in (cores, threads, memory) if part), session.os)


def _shown(shown: SessionReport, report: Report) -> str:
    total = sum(shown.outcomes.values())
    if report.selection is None and len(shown.rows) == total:
        return ""
    selection = f" ({report.selection})" if report.selection else ""
    return f"{len(shown.rows)} of {total} runs{selection}"
