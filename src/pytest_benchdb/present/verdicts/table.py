"""A comparison as tables that fit the terminal: both sides, a table for each metric, reasons, conclusion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pytest_benchdb.analysis.rules.suite import group_of
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, GroupMean
from pytest_benchdb.model.verdict import CHANGED, VERDICT_STYLES
from pytest_benchdb.model.wording import counted, share_text
from pytest_benchdb.present.verdicts.words import (
    conclusion,
    conclusion_style,
    difference_text,
    factor_text,
    interval_text,
    interval_title,
    is_main_difference,
    limit_text,
    metric_text,
    notes_of,
    row_names,
    side_text,
    times_text,
)
from pytest_benchdb.present.writing.grid import GAP, Entry, Fact, Heading, Line, Section, Span, Table, fact_lines, fit
from pytest_benchdb.present.writing.text import sanitize, width, wrap
from pytest_benchdb.present.writing.units import NOT_MEASURED, RowUnits, align_points, row_units, unit_for, write_figure

_MOST_NOTES = 8
_MOST_NAMES = 3
_MOST_DIFFERENCES = 8
_LEAST_NAME = 16
_VALUE_PRIORITY = 12
_INTERVAL_PRIORITY = 20
_WIDE_CHANGE = 0.5
"""A change from which a factor is easier to read than a percentage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """How a terminal shows a comparison or a gate.

    Attributes:
        total: columns of the terminal.
        verbose: show every difference and reason, and the commands.
        factors: show how many times better the candidate is, even if all changes are small.
    """

    total: int
    ascii_only: bool = False
    verbose: bool = False
    factors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    heading: Heading
    cell: Callable[[ComparisonRow], Span]
    mean: Callable[[GroupMean, ComparisonRow], str] = lambda _mean, _row: ""
    units: RowUnits | None = None


def comparison_lines(comparison: Comparison, rows: Sequence[ComparisonRow], options: RenderOptions) -> list[Line]:
    """Return the lines of a comparison: `rows` in this order, and a conclusion that counts all rows."""
    lines = head_lines(comparison, options)
    metrics = list(dict.fromkeys((row.key.metric, row.unit) for row in rows))
    for metric, unit in metrics:
        of_metric = [row for row in rows if (row.key.metric, row.unit) == (metric, unit)]
        means = [mean for mean in comparison.means if mean.metric == metric]
        lines.append((Span(""),))
        if len(metrics) > 1:
            lines += [(Span(sanitize(metric_text(of_metric), ascii_only=options.ascii_only), "head"),)]
        lines += _table(of_metric, means, options).said(options.total)
    lines += note_lines(rows, options)
    lines += command_lines(rows) if options.verbose else []
    text = conclusion(comparison)
    if len(rows) < len(comparison.rows):
        text += f" ({len(rows)} of {counted(len(comparison.rows), 'row')} shown)"
    lines.append((Span(""),))
    lines += [(Span(line, conclusion_style(comparison)),) for line in wrap(text, options.total)]
    return lines


def head_lines(comparison: Comparison, options: RenderOptions) -> list[Line]:
    """Return the lines above the rows: both sides, the differences of their environments, warnings."""
    facts: list[Fact] = [("baseline", side_text(comparison.baseline)), ("candidate", side_text(comparison.candidate))]
    metrics = {row.key.metric for row in comparison.rows}
    if len(metrics) == 1:
        facts.append(("compared", metric_text(comparison.rows)))
    main = [difference for difference in comparison.differences if options.verbose or is_main_difference(difference)]
    texts = [difference_text(difference) for difference in main]
    shown = texts if options.verbose else texts[:_MOST_DIFFERENCES]
    rest = len(comparison.differences) - len(shown)
    if rest:
        shown = [*shown, f"{rest} {'more ' if shown else ''}in detail (-v)"]
    if shown:
        facts.append(("differs", " · ".join(shown)))
    lines = fact_lines(facts, options.total, ascii_only=options.ascii_only)
    for warning in comparison.warnings:
        text = sanitize(f"warning: {warning}", ascii_only=options.ascii_only)
        lines += [(Span(line, "warn"),) for line in wrap(text, options.total, ascii_only=options.ascii_only)]
    return lines


def _table(rows: Sequence[ComparisonRow], means: Sequence[GroupMean], options: RenderOptions) -> Table:
    columns = _columns(rows, options)
    names = [sanitize(name, ascii_only=options.ascii_only) for name in row_names(rows)]
    cells = [_align([column.cell(row) for row in rows], column) for column in columns]
    entries = [
        Entry(cells=(Span(name), *spans), message=_message(row, options))
        for row, name, *spans in zip(rows, names, *cells, strict=True)
    ]
    groups: dict[str, list[Entry]] = {}
    for row, entry in zip(rows, entries, strict=True):
        groups.setdefault(group_of(row), []).append(entry)
    by_group = {mean.group: mean for mean in means}
    for group, members in groups.items():
        if group in by_group:
            members.append(_mean_entry(by_group[group], columns, rows[0], len(members)))
    sections = [
        Section(
            title=sanitize(group, ascii_only=options.ascii_only) if len(groups) > 1 else None, entries=tuple(members)
        )
        for group, members in groups.items()
    ]
    if None in by_group:
        title = "all benchmarks" if len(groups) > 1 else None
        sections.append(Section(title=title, entries=(_mean_entry(by_group[None], columns, rows[0], len(rows)),)))
    headings = [Heading(title="benchmark"), *(column.heading for column in columns)]
    return fit(
        _require_values(headings, sections, options.total), sections, options.total, ascii_only=options.ascii_only
    )


def _align(spans: Sequence[Span], column: _Column) -> list[Span]:
    if column.heading.flexible:
        return list(spans)
    if column.heading.priority == _INTERVAL_PRIORITY:
        return list(spans)
    texts = [span.text for span in spans]
    if column.units is not None and column.units.shared is None:
        texts = column.units.add_to(texts)
    else:
        texts = align_points(texts)
    return [Span(text, span.style) for text, span in zip(texts, spans, strict=True)]


def _columns(rows: Sequence[ComparisonRow], options: RenderOptions) -> list[_Column]:
    judgements = [row.judgement for row in rows]
    figures = [(judgement.baseline, judgement.candidate) for judgement in judgements]
    units = row_units(figures, partial(unit_for, rows[0].unit))
    units = units.ascii() if options.ascii_only else units
    columns = _places(rows)
    columns += [
        _figure_column("baseline", units, [baseline for baseline, _ in figures], rows),
        _figure_column("candidate", units, [candidate for _, candidate in figures], rows),
        _Column(
            heading=_figures("change", "%", 0),
            cell=lambda row: _styled(share_text(row.judgement.change), row),
            mean=lambda mean, _row: share_text(mean.ratio - 1),
        ),
    ]
    if any(judgement.interval for judgement in judgements):
        columns.append(_interval_column(rows, ascii_only=options.ascii_only))
    if options.factors or any(abs(judgement.change or 0.0) >= _WIDE_CHANGE for judgement in judgements):
        columns.append(
            _Column(
                heading=_figures("speedup" if rows[0].unit in {"s", "1/s", "B/s"} else "gain", "", 40),
                cell=lambda row: _dim(factor_text(row)),
                mean=lambda mean, row: times_text(mean.ratio if row.better == "higher" else 1 / mean.ratio),
            )
        )
    if len({limit_text(row) for row in rows} - {NOT_MEASURED}) > 1:
        columns.append(_Column(heading=_figures("limit", "", 25), cell=lambda row: _dim(limit_text(row))))
    columns.append(_Column(heading=_texts("verdict", 0), cell=_verdict))
    if any(judgement.state for judgement in judgements):
        columns.append(_Column(heading=_texts("state", 30), cell=lambda row: Span(row.judgement.state or "", "warn")))
    columns += [
        _Column(heading=_texts("sessions", 50), cell=_sessions, mean=lambda mean, _row: counted(mean.rows, "row")),
        _Column(heading=_texts("test", 60), cell=lambda row: Span(row.judgement.test or "", "dim")),
    ]
    return columns


def _interval_column(rows: Sequence[ComparisonRow], *, ascii_only: bool) -> _Column:
    intervals = [row.judgement.interval for row in rows if row.judgement.interval]
    marks = [len("~") if interval.within_session else 0 for interval in intervals]
    lows = [len(share_text(interval.low)) + mark for interval, mark in zip(intervals, marks, strict=True)]
    widths = max(lows), max(len(share_text(interval.high)) for interval in intervals)
    title = interval_title(rows)
    return _Column(
        heading=_figures(title, "%", _INTERVAL_PRIORITY),
        cell=lambda row: _dim(interval_text(row.judgement.interval, widths=widths, ascii_only=ascii_only)),
    )


def _places(rows: Sequence[ComparisonRow]) -> list[_Column]:
    """Return columns for the backend and the device, if rows differ in them."""
    columns = []
    if len({row.key.backend for row in rows if row.key.backend}) > 1:
        columns.append(_Column(heading=_texts("backend", 10), cell=lambda row: Span(row.key.backend or "")))
    devices = {(row.key.backend, row.key.device) for row in rows if row.key.device}
    if len(devices) > len({backend for backend, _ in devices}):
        columns.append(_Column(heading=_texts("device", 35), cell=lambda row: Span(row.key.device or "")))
    return columns


def _figure_column(
    title: str, units: RowUnits, values: Sequence[float | None], rows: Sequence[ComparisonRow]
) -> _Column:
    texts = map(write_figure, values, units.of_rows)
    cells = dict(zip(map(id, rows), texts, strict=True))
    symbol = "" if units.shared is None else units.shared.symbol
    return _Column(heading=_figures(title, symbol, _VALUE_PRIORITY), cell=lambda row: _dim(cells[id(row)]), units=units)


def _figures(title: str, unit: str, priority: int) -> Heading:
    return Heading(title=title, unit=unit, align="right", priority=priority, flexible=False)


def _texts(title: str, priority: int) -> Heading:
    return Heading(title=title, priority=priority)


def _verdict(row: ComparisonRow) -> Span:
    return Span(row.judgement.verdict, VERDICT_STYLES[row.judgement.verdict])


def _sessions(row: ComparisonRow) -> Span:
    return Span(f"{row.judgement.baseline_sessions} + {row.judgement.candidate_sessions}", "dim")


def _styled(text: str, row: ComparisonRow) -> Span:
    changed = row.judgement.verdict in CHANGED
    return Span(text, VERDICT_STYLES[row.judgement.verdict] if changed else "dim" if text == NOT_MEASURED else "")


def _dim(text: str) -> Span:
    return Span(text, "dim" if text == NOT_MEASURED else "")


def _message(row: ComparisonRow, options: RenderOptions) -> Span | None:
    """Return the message that replaces the values of a row without any."""
    judgement = row.judgement
    if judgement.baseline is not None or judgement.candidate is not None:
        return None
    text = judgement.reason or judgement.verdict
    return Span(sanitize(text, ascii_only=options.ascii_only), VERDICT_STYLES[judgement.verdict])


def _mean_entry(mean: GroupMean, columns: Sequence[_Column], row: ComparisonRow, shown: int) -> Entry:
    label = "geometric mean" if shown == mean.rows else f"geometric mean of {mean.rows}"
    return Entry(cells=(Span(label, "head"), *(Span(column.mean(mean, row), "head") for column in columns)))


def _require_values(headings: Sequence[Heading], sections: Sequence[Section], total: int) -> list[Heading]:
    """Make both values and then the interval mandatory, as long as there is room for the names.

    The grid would leave out a column rather than shorten names below their share of the width.
    """
    kept = list(headings)
    needed = _LEAST_NAME
    for priority in (0, _VALUE_PRIORITY, _INTERVAL_PRIORITY):
        indices = [index for index, heading in enumerate(headings) if heading.priority == priority and index]
        for index in indices:
            texts = [entry.cells[index].text for section in sections for entry in section.entries]
            needed += GAP + max(map(width, [headings[index].title, headings[index].unit, *texts]))
        if needed > total:
            break
        for index in indices:
            kept[index] = _mandatory(headings[index])
    return kept


def _mandatory(heading: Heading) -> Heading:
    return Heading(title=heading.title, unit=heading.unit, align=heading.align, priority=0, flexible=heading.flexible)


def note_lines(rows: Sequence[ComparisonRow], options: RenderOptions) -> list[Line]:
    """Return the lines with the reasons of rows, each once."""
    notes = notes_of(rows)
    shown = notes if options.verbose else notes[:_MOST_NOTES]
    facts: list[Fact] = []
    for note in shown:
        names = note.names if options.verbose else note.names[:_MOST_NAMES]
        prefix = ""
        if len(names) == len(note.names) and len(note.names) < len(rows):
            prefix = f"{', '.join(names)}: "
        facts.append((note.subject, prefix + note.text))
    if len(shown) < len(notes):
        facts.append((f"{len(notes) - len(shown)} more", "reasons (-v)"))
    if any(row.judgement.interval is not None and row.judgement.interval.within_session for row in rows):
        facts.append(("~", "rough: by the rounds within a session; sessions differ by more"))
    if not facts:
        return []
    return [(Span(""),), *fact_lines(facts, options.total, ascii_only=options.ascii_only)]


def command_lines(rows: Sequence[ComparisonRow]) -> list[Line]:
    """Return the lines with the commands that repeat the rows; never wrapped, so that they can be copied."""
    commands = list(dict.fromkeys(row.command for row in rows if row.command))
    if not commands:
        return []
    return [
        (Span(""),),
        (Span("to repeat, in the project's root", "head"),),
        *((Span(f"  {sanitize(command)}"),) for command in commands),
    ]
