"""A gate as a table that fits the terminal: what failed first, what is fine as a count, the outcome last."""

from collections.abc import Callable, Sequence

from pytest_benchdb.model.comparison import ComparisonRow, Gate
from pytest_benchdb.present.verdicts.gate_words import (
    baseline_text,
    change_text,
    confirms_text,
    folded_text,
    limit_text,
    sentence_style,
    shown_rows,
    style_of,
    word_of,
)
from pytest_benchdb.present.verdicts.table import Look, command_lines, head_lines, note_lines
from pytest_benchdb.present.verdicts.words import interval_text, row_names
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, fit
from pytest_benchdb.present.writing.text import sanitize, wrap
from pytest_benchdb.present.writing.units import NOT_MEASURED, one_quantity

_Cell = Callable[[ComparisonRow], Span]


def gate_lines(gate: Gate, look: Look) -> list[Line]:
    """Lay a gate out.

    Args:
        gate: what was decided.
        look: width and detail; verbose shows every row.
    """
    rows = shown_rows(gate, everything=look.verbose)
    lines = head_lines(gate.comparison, look)
    if rows:
        lines += [(Span(""),), *_table(gate, rows, look)]
        lines += note_lines(rows, look)
    folded = folded_text(gate, rows)
    if folded is not None:
        lines += [
            (Span(""),),
            (Span(f"{'and ' if rows else ''}{folded}{'' if look.verbose else ' (-v shows them)'}", "dim"),),
        ]
    if look.verbose or gate.failures:
        lines += command_lines(rows if look.verbose else gate.failures)
    lines.append((Span(""),))
    sentence = sanitize(gate.sentence, ascii_only=look.ascii_only)
    lines += [(Span(line, sentence_style(gate)),) for line in wrap(sentence, look.total, ascii_only=look.ascii_only)]
    return lines


def _table(gate: Gate, rows: Sequence[ComparisonRow], look: Look) -> Sequence[Line]:
    columns: list[tuple[Heading, _Cell]] = [
        (_texts("metric", 3), lambda row: Span(row.key.metric)),
        *_places(rows),
        (_figures("baseline (n)", 1), lambda row: _dim(baseline_text(row))),
        (_figures("candidate", 1), lambda row: _dim(one_quantity(row.judgement.candidate, row.unit))),
        (
            _figures("change", 0),
            lambda row: Span(change_text(row), style_of(row, gate) if row in gate.failures else ""),
        ),
        (_figures("limit", 4), lambda row: _dim(limit_text(row))),
    ]
    if any(row.judgement.interval for row in rows):
        columns.append((_figures("95 % interval", 6), lambda row: _dim(_interval(row, ascii_only=look.ascii_only))))
    if any(row.q_value is not None for row in rows) and look.verbose:
        columns.append(
            (_figures("q", 7), lambda row: _dim(NOT_MEASURED if row.q_value is None else f"{row.q_value:.2g}"))
        )
    if any(row.confirmations for row in rows):
        columns.append((_figures("confirms", 2), lambda row: _dim(confirms_text(row))))
    columns.append((Heading(title="verdict", flexible=False), lambda row: Span(word_of(row), style_of(row, gate))))
    names = row_names(rows)
    entries = tuple(
        Entry(
            cells=(Span(sanitize(name, ascii_only=look.ascii_only)), *(_plain(cell(row), look) for _, cell in columns))
        )
        for name, row in zip(names, rows, strict=True)
    )
    headings = [Heading(title="benchmark"), *(heading for heading, _ in columns)]
    return fit(headings, [Section(title=None, entries=entries)], look.total, ascii_only=look.ascii_only).lines


def _places(rows: Sequence[ComparisonRow]) -> list[tuple[Heading, _Cell]]:
    if len({row.key.backend for row in rows}) < 2:  # noqa: PLR2004 - one backend tells nothing
        return []
    return [(_texts("backend", 5), lambda row: Span(row.key.backend or ""))]


def _interval(row: ComparisonRow, *, ascii_only: bool) -> str:
    interval = row.judgement.interval
    return NOT_MEASURED if interval is None else f"{interval_text(interval, ascii_only=ascii_only)} %"


def _plain(span: Span, look: Look) -> Span:
    return Span(sanitize(span.text, ascii_only=look.ascii_only), span.style)


def _dim(text: str) -> Span:
    return Span(text, "dim" if text == NOT_MEASURED else "")


def _figures(title: str, priority: int) -> Heading:
    return Heading(title=title, align="right", priority=priority, flexible=False)


def _texts(title: str, priority: int) -> Heading:
    return Heading(title=title, priority=priority)
