"""Correlations as text and as data."""

from collections.abc import Sequence

from pytest_benchdb.analysis.statistics.correlation import LEAST_PAIRS
from pytest_benchdb.model.answer.correlation import Coefficient, CorrelationRow, Correlations
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, fit
from pytest_benchdb.present.writing.text import clip, sanitize, wrap

CORRELATION_SCHEMA = "benchdb.correlation/1"

_MOST_ROWS = 40
_SURE = 0.05
_PARTS = ("", "_low", "_high", "_p")
_COLUMNS = (
    *("group", "first", "second", "n"),
    *(f"{name}{part}" for name in ("pearson", "spearman") for part in _PARTS),
    "spearman_q",
)


def correlation_lines(
    correlations: Correlations, width: int, *, ascii_only: bool = False, verbose: bool = False
) -> list[Line]:
    """Return lines for a terminal, none wider than `width`."""
    lines: list[Line] = [(Span(clip(head_text(correlations), width), "head"),)]
    for text in notes_of(correlations):
        lines += [(Span(line, "dim"),) for line in wrap(text, width)]
    shown = correlations.rows if verbose else correlations.rows[:_MOST_ROWS]
    if shown:
        lines += [(Span(""),), *_table(shown, width, ascii_only=ascii_only)]
    if len(shown) < len(correlations.rows):
        lines.append((Span(f"{len(correlations.rows) - len(shown)} weaker ones not shown: -v shows all", "dim"),))
    return lines


def head_text(correlations: Correlations) -> str:
    """Return one line with the number of pairs, observations and sessions."""
    unit = "benchmark" if correlations.over == "benchmarks" else "benchmark in one session"
    pairs, sessions = counted(len(correlations.rows), "pair"), counted(correlations.sessions, "session")
    observations = counted(correlations.observations, "observation")
    return f"{pairs} of quantities from {observations} in {sessions}; an observation is one {unit}"


def notes_of(correlations: Correlations) -> list[str]:
    """Return notes on the reliability of the coefficients."""
    if not correlations.rows and not correlations.insufficient:
        return [_too_few(correlations)]
    q_text = "q is the p-value of Spearman's coefficient, corrected for the number of pairs (Benjamini and Hochberg)"
    notes = [q_text] if correlations.rows else []
    if correlations.insufficient:
        pairs = counted(correlations.insufficient, "pair")
        notes.append(f"{pairs} left out: fewer than {LEAST_PAIRS} observations, or one quantity does not vary")
    return notes


def _too_few(correlations: Correlations) -> str:
    """Return why there is no pair of quantities, and what to do."""
    if correlations.over == "sessions" and correlations.sessions < LEAST_PAIRS:
        more = LEAST_PAIRS - correlations.sessions
        return f"too few sessions: a pair needs {LEAST_PAIRS} observations of a benchmark, so record {more} more"
    what = "sessions" if correlations.over == "sessions" else "benchmarks of one test function"
    return f"no pair of quantities has {LEAST_PAIRS} {what}; --together takes all benchmarks as one group"


def correlation_table(correlations: Correlations) -> DataTable:
    """Return all pairs as plain values."""
    facts = {
        "sources": list(correlations.sources),
        "over": correlations.over,
        "observations": correlations.observations,
        "sessions": correlations.sessions,
        "insufficient": correlations.insufficient,
        "selection": correlations.selection,
    }
    rows = [_values(row) for row in correlations.rows]
    return DataTable(schema=CORRELATION_SCHEMA, columns=_COLUMNS, rows=rows, facts=facts)


def coefficient_text(coefficient: Coefficient) -> str:
    """Return a coefficient with its interval: ``+0.93 [+0.81, +0.97]``."""
    interval = coefficient.interval
    return f"{coefficient.value:+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"


def _table(rows: Sequence[CorrelationRow], width: int, *, ascii_only: bool) -> Sequence[Line]:
    grouped = any(row.group is not None for row in rows)
    headings = [
        *([Heading(title="benchmark")] if grouped else []),
        Heading(title="quantity"),
        Heading(title="with"),
        Heading(title="n", align="right", flexible=False),
        Heading(title="Spearman, 95 %", align="right", flexible=False),
        Heading(title="Pearson, 95 %", align="right", flexible=False, priority=2),
        Heading(title="q", align="right", flexible=False, priority=1),
    ]
    entries = []
    for row in rows:
        names = [*([row.group or ""] if grouped else []), row.first, row.second]
        sure = row.q_value < _SURE
        cells = [
            *(Span(sanitize(name, ascii_only=ascii_only)) for name in names),
            Span(str(row.correlation.pairs)),
            Span(coefficient_text(row.correlation.spearman), "" if sure else "dim"),
            Span(coefficient_text(row.correlation.pearson), "" if sure else "dim"),
            Span(f"{row.q_value:.2g}", "" if sure else "dim"),
        ]
        entries.append(Entry(cells=tuple(cells)))
    return fit(headings, [Section(title=None, entries=tuple(entries))], width, ascii_only=ascii_only).said(width)


def _values(row: CorrelationRow) -> list[object]:
    coefficients = (row.correlation.pearson, row.correlation.spearman)
    parts = [part for c in coefficients for part in (c.value, c.interval.low, c.interval.high, c.p_value)]
    return [row.group, row.first, row.second, row.correlation.pairs, *parts, row.q_value]
