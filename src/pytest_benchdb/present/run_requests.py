"""What became of the requests of a token stream: how many, why some failed, and percentiles of their latencies."""

from collections.abc import Sequence

from pytest_benchdb.present.document import Row
from pytest_benchdb.present.grid import Entry, Heading, Line, Section, Span, Style, fit
from pytest_benchdb.present.quantity import unit_for
from pytest_benchdb.present.run_rows import NOT_VALID, figure, is_shown_invalid, title_lines
from pytest_benchdb.present.session_header import Fact, fact_lines
from pytest_benchdb.present.text import counted, sanitize
from pytest_benchdb.present.units import NOT_MEASURED

_FIGURES = ("median", "p90", "p95", "p99", "max")
_HEADINGS = (
    Heading(title="latency"),
    Heading(title="p50", align="right", flexible=False),
    Heading(title="p90", align="right", flexible=False, priority=2),
    Heading(title="p95", align="right", flexible=False, priority=3),
    Heading(title="p99", align="right", flexible=False, priority=1),
    Heading(title="max", align="right", flexible=False, priority=4),
    Heading(title="n", align="right", flexible=False, priority=5),
    Heading(title="how", priority=6),
)
_MOST_ERRORS = 5


def request_lines(
    summaries: Sequence[Row], latencies: Sequence[Row], total: int, *, ascii_only: bool = False
) -> list[Line]:
    """Return for each part of a run that sent requests what became of them; empty without any.

    Args:
        summaries: one row per phase.
        latencies: measurements of times of requests.
        total: columns of the terminal.
        ascii_only: whether the terminal can show ASCII only.
    """
    lines: list[Line] = []
    for summary in summaries:
        phase = summary["phase"]
        title = "requests" if phase is None else f"requests of {phase}"
        title += " (simulated)" if summary["provenance"] == "simulated" else ""
        lines += title_lines(title, total, ascii_only=ascii_only)
        lines += fact_lines(request_facts(summary), total, ascii_only=ascii_only)
        entries = tuple(_entry(row, ascii_only=ascii_only) for row in latencies if row["phase"] == phase)
        if entries:
            lines.append((Span(""),))
            lines += fit(_HEADINGS, [Section(title=None, entries=entries)], total, ascii_only=ascii_only).lines
    return lines


def request_facts(summary: Row) -> list[Fact]:
    """Return what became of requests as pairs of label and text; what was not told is left out."""
    sent, failed = summary["requests"], summary["failed"]
    facts = [("sent", f"{counted(sent, 'request')}: {sent - failed} answered whole, {failed} failed")]
    errors = list(summary["errors"].items())
    facts += [("failed", f"{count} by {error}") for error, count in errors[:_MOST_ERRORS]]
    if len(errors) > _MOST_ERRORS:
        rest = sum(count for _, count in errors[_MOST_ERRORS:])
        facts.append(("failed", f"{rest} for {len(errors) - _MOST_ERRORS} other reasons"))
    if summary["judged"]:
        facts.append(("objectives", f"{summary['met']} of {summary['judged']} met all of them"))
    tokens = [
        f"{summary[name]} {word}"
        for name, word in (("tokens_in", "in"), ("tokens_out", "out"))
        if summary[name] is not None
    ]
    return [*facts, ("tokens", ", ".join(tokens))] if tokens else facts


def _entry(row: Row, *, ascii_only: bool) -> Entry:
    values = [row.get(name) for name in _FIGURES]
    unit = unit_for(row["unit"], values)
    texts = (
        str(row["metric"]),
        *(figure(value, unit, ascii_only=ascii_only) for value in values),
        NOT_MEASURED if row["n"] is None else str(row["n"]),
        str(row["method"] or row["pass"]),
    )
    style: Style = "" if row["valid"] else "dim"
    return Entry(
        cells=tuple(Span(sanitize(text, ascii_only=ascii_only), style) for text in texts),
        suffix=NOT_VALID if is_shown_invalid(row) else "",
    )
