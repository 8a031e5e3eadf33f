"""Orders of growth as text and as data."""

from collections.abc import Sequence

from pytest_benchdb.analysis.statistics.growth import LEAST_FOR_ORDER, LEAST_SIZES
from pytest_benchdb.model.answer.growth import Growth, GrowthRow, Growths
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, fit
from pytest_benchdb.present.writing.text import clip, sanitize, wrap
from pytest_benchdb.present.writing.units import NOT_MEASURED, quantity, unit_for

GROWTH_SCHEMA = "benchdb.growth/1"

_COLUMNS = (
    *("benchmark", "device", "metric", "unit", "points", "low", "high"),
    *("exponent", "exponent_low", "exponent_high"),
    *("order", "also", "cost", "cost_low", "cost_high", "constant", "rms"),
)
_ASCII = str.maketrans({"²": "^2", "³": "^3"})


def growth_lines(growths: Growths, width: int, *, ascii_only: bool = False, verbose: bool = False) -> list[Line]:
    """Return lines for a terminal, none wider than `width`; `verbose` adds nothing."""
    del verbose
    head = sanitize(head_text(growths), ascii_only=ascii_only)
    lines: list[Line] = [(Span(clip(head, width), "head"),)]
    for text in notes_of(growths):
        lines += [(Span(line, "dim"),) for line in wrap(text, width)]
    if growths.rows:
        lines += [(Span(""),), *_table(growths, width, ascii_only=ascii_only)]
    return lines


def head_text(growths: Growths) -> str:
    """Return one line with the number of fits and sessions."""
    fits = counted(len(growths.rows), "benchmark")
    return f"growth of {fits} with {growths.over}, from {counted(growths.sessions, 'session')}"


def notes_of(growths: Growths) -> list[str]:
    """Return notes on what was left out and what the figures mean."""
    notes = []
    if any(row.growth.curve for row in growths.rows):
        notes.append("an order in brackets fits nearly as well: only more sizes, further apart, would rule it out")
    if any(row.growth.points < LEAST_FOR_ORDER for row in growths.rows):
        notes.append(f"no order: it takes {LEAST_FOR_ORDER} sizes to choose one")
    if growths.insufficient:
        notes.append(f"{growths.insufficient} left out: measured at fewer than {LEAST_SIZES} sizes")
    return notes


def order_text(growth: Growth) -> str:
    """Return the order and those that are not ruled out: ``O(n log n)  (n)``."""
    if growth.curve is None:
        return NOT_MEASURED
    also = f"  ({', '.join(growth.also)})" if growth.also else ""
    return f"O({growth.curve.order}){also}"


def exponent_text(growth: Growth) -> str:
    """Return the exponent with its interval: ``1.06 [1.01, 1.11]``."""
    if growth.exponent is None:
        return NOT_MEASURED
    interval = growth.exponent.interval
    return f"{growth.exponent.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def growth_table(growths: Growths) -> DataTable:
    """Return all rows as plain values."""
    facts = {
        "sources": list(growths.sources),
        "over": growths.over,
        "sessions": growths.sessions,
        "insufficient": growths.insufficient,
        "selection": growths.selection,
    }
    return DataTable(schema=GROWTH_SCHEMA, columns=_COLUMNS, rows=[_values(row) for row in growths.rows], facts=facts)


def _values(row: GrowthRow) -> list[object]:
    growth, exponent, curve = row.growth, row.growth.exponent, row.growth.curve
    interval = curve and curve.cost_interval
    return [
        *(row.benchmark, row.device, row.metric, row.unit, growth.points, growth.low, growth.high),
        *((None,) * 3 if exponent is None else (exponent.value, exponent.interval.low, exponent.interval.high)),
        curve and curve.order,
        list(growth.also),
        curve and curve.cost,
        interval and interval.low,
        interval and interval.high,
        curve and curve.constant,
        curve and curve.rms,
    ]


def _table(growths: Growths, width: int, *, ascii_only: bool) -> Sequence[Line]:
    placed = any(row.device is not None for row in growths.rows)
    several = len({row.metric for row in growths.rows}) > 1
    headings = [
        Heading(title="benchmark"),
        *([Heading(title="device", flexible=False, priority=1)] if placed else []),
        *([Heading(title="metric", flexible=False)] if several else []),
        Heading(title=growths.over, align="right", flexible=False, priority=1),
        Heading(title="order", flexible=False),
        Heading(title="exponent, 95 %", align="right", flexible=False),
        Heading(title="cost, 95 %", align="right", flexible=False, priority=2),
        Heading(title="constant", align="right", flexible=False, priority=4),
        Heading(title="off by", align="right", flexible=False, priority=3),
    ]
    entries = []
    for row in growths.rows:
        growth = row.growth
        texts = [
            row.benchmark,
            *([row.device or ""] if placed else []),
            *([row.metric] if several else []),
            f"{growth.low:g} to {growth.high:g} ({growth.points})",
            order_text(growth),
            exponent_text(growth),
            *_curve_texts(row),
        ]
        cells = (sanitize(text.translate(_ASCII) if ascii_only else text, ascii_only=ascii_only) for text in texts)
        entries.append(Entry(cells=tuple(map(Span, cells))))
    return fit(headings, [Section(title=None, entries=tuple(entries))], width, ascii_only=ascii_only).said(width)


def _curve_texts(row: GrowthRow) -> tuple[str, str, str]:
    curve = row.growth.curve
    if curve is None:
        return NOT_MEASURED, NOT_MEASURED, NOT_MEASURED
    cost = NOT_MEASURED
    if curve.cost is not None and curve.cost_interval is not None:
        unit = unit_for(row.unit, [curve.cost])
        half = (curve.cost_interval.high - curve.cost_interval.low) / 2
        cost = f"{quantity(curve.cost, unit)} ±{half / curve.cost * 100:.1f} % per {curve.order}"
    constant = quantity(curve.constant, unit_for(row.unit, [curve.constant])) if curve.constant else NOT_MEASURED
    return cost, constant, f"{curve.rms * 100:.1f} %"
