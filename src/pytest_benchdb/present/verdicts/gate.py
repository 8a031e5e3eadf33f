"""A gate as text: failures first, the number of passed rows, the outcome last."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.model.comparison import ComparisonRow, Gate
from pytest_benchdb.present.verdicts.rows import folded_text, gate_row_style, gate_rows, gate_style
from pytest_benchdb.present.verdicts.table import RenderOptions, command_lines, head_lines, note_lines
from pytest_benchdb.present.verdicts.words import (
    baseline_text,
    change_text,
    confirms_text,
    interval_text,
    limit_text,
    row_names,
    row_sentence,
)
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, Style, fit
from pytest_benchdb.present.writing.text import sanitize, wrap
from pytest_benchdb.present.writing.units import NOT_MEASURED, one_quantity

_USUAL_LEVEL = 0.95


def _limit(row: ComparisonRow) -> str:
    has_limit = row.is_gated or (row.policy is not None and row.policy.budget is not None)
    return limit_text(row) if has_limit else NOT_MEASURED


def _interval(row: ComparisonRow) -> str:
    interval = row.judgement.interval
    if interval is None:
        return NOT_MEASURED
    level = "" if interval.level == _USUAL_LEVEL else f" ({interval.level * 100:.0f} %)"
    return f"{interval_text(interval)} %{level}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateColumn:
    """A column of a gate's table; without room, columns with the largest priority are left out first."""

    title: str
    text: Callable[[ComparisonRow], str]
    priority: int = 0
    align: Literal["left", "right"] = "right"


_INTERVAL = GateColumn(title="95 % interval", text=_interval, priority=6)
_CONFIRMS = GateColumn(title="confirms", text=confirms_text, priority=2)
_CHANGE = GateColumn(title="change", text=change_text)
_VERDICT = GateColumn(title="verdict", text=lambda row: row.judgement.text, align="left")
GATE_COLUMNS = (
    GateColumn(title="metric", text=lambda row: row.key.metric, priority=3, align="left"),
    GateColumn(title="baseline (n)", text=baseline_text, priority=1),
    GateColumn(title="candidate", text=lambda row: one_quantity(row.judgement.candidate, row.unit), priority=1),
    _CHANGE,
    GateColumn(title="limit", text=_limit, priority=4),
    _INTERVAL,
    _CONFIRMS,
    _VERDICT,
)
_BACKEND = GateColumn(title="backend", text=lambda row: row.key.backend or "", priority=5, align="left")
_Q_VALUE = GateColumn(
    title="q", text=lambda row: NOT_MEASURED if row.q_value is None else f"{row.q_value:.2g}", priority=7
)


def gate_lines(gate: Gate, options: RenderOptions) -> list[Line]:
    """Return the lines of a gate for a terminal."""
    rows = gate_rows(gate, everything=options.verbose)
    lines = head_lines(gate.comparison, options)
    if rows:
        lines += [(Span(""),), *_table(gate, rows, options)]
        lines += note_lines(rows, options)
    folded = folded_text(gate, rows)
    if folded is not None:
        lines += [
            (Span(""),),
            (Span(f"{'and ' if rows else ''}{folded}{'' if options.verbose else ' (-v shows them)'}", "dim"),),
        ]
    if options.verbose or gate.failures:
        lines += command_lines(rows if options.verbose else gate.failures)
    lines.append((Span(""),))
    sentence = sanitize(gate.sentence, ascii_only=options.ascii_only)
    lines += [(Span(line, gate_style(gate)),) for line in wrap(sentence, options.total, ascii_only=options.ascii_only)]
    return lines


def summary_lines(gate: Gate) -> tuple[list[str], list[str]]:
    """Return lines for pytest's summary: one for each failure; the warnings and the outcome."""
    failures = [sanitize(f"FAILED {row.key.fullname} - {row_sentence(row)}") for row in gate.failures]
    notes = [*(f"warning: {warning}" for warning in gate.comparison.warnings), gate.sentence]
    return failures, [sanitize(note) for note in notes]


def _table(gate: Gate, rows: Sequence[ComparisonRow], options: RenderOptions) -> Sequence[Line]:
    columns = [column for column in GATE_COLUMNS if _is_needed(column, rows)]
    if len({row.key.backend for row in rows}) > 1:
        columns.insert(1, _BACKEND)
    if options.verbose and any(row.q_value is not None for row in rows):
        columns.insert(columns.index(_VERDICT), _Q_VALUE)
    entries = []
    for name, row in zip(row_names(rows), rows, strict=True):
        spans = [Span(sanitize(name, ascii_only=options.ascii_only))]
        for column in columns:
            text = column.text(row).replace("…", ".." if options.ascii_only else "…")
            spans.append(Span(sanitize(text, ascii_only=options.ascii_only), _style(column, text, row, gate)))
        entries.append(Entry(cells=tuple(spans)))
    headings = [Heading(title="benchmark"), *map(_heading, columns)]
    return fit(
        headings, [Section(title=None, entries=tuple(entries))], options.total, ascii_only=options.ascii_only
    ).said(options.total)


def _is_needed(column: GateColumn, rows: Sequence[ComparisonRow]) -> bool:
    return column not in {_INTERVAL, _CONFIRMS} or any(column.text(row) != NOT_MEASURED for row in rows)


def _heading(column: GateColumn) -> Heading:
    flexible = column.align == "left" and column is not _VERDICT
    return Heading(title=column.title, align=column.align, priority=column.priority, flexible=flexible)


def _style(column: GateColumn, text: str, row: ComparisonRow, gate: Gate) -> Style:
    if column is _VERDICT or (column is _CHANGE and row in gate.failures):
        return gate_row_style(row, gate)
    return "dim" if text == NOT_MEASURED and column is not _CHANGE else ""
