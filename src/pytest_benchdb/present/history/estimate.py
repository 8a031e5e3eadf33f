"""Estimates as text and as data, always marked as estimates."""

from collections.abc import Iterable, Sequence

from pytest_benchdb.model.answer.estimate import Accuracy, EstimateRow, Estimates
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, fit
from pytest_benchdb.present.writing.text import clip, sanitize, wrap
from pytest_benchdb.present.writing.units import quantity, unit_for

ESTIMATE_SCHEMA = "benchdb.estimate/1"

_FIGURES = ("kind", "value", "low", "high", "level", "typical_error", "held_out", "reason")


def estimate_lines(estimates: Estimates, width: int, *, ascii_only: bool = False, verbose: bool = False) -> list[Line]:
    """Return lines for a terminal, none wider than `width`; `verbose` adds nothing."""
    del verbose
    lines: list[Line] = [(Span(clip(sanitize(head_text(estimates), ascii_only=ascii_only), width), "head"),)]
    for text in notes_of(estimates):
        lines += [(Span(line, "warn"),) for line in wrap(sanitize(text, ascii_only=ascii_only), width)]
    if estimates.rows:
        lines += [(Span(""),), *_table(estimates, width, ascii_only=ascii_only)]
    return lines


def head_text(estimates: Estimates) -> str:
    """Return one line with the number of measured configurations and sessions."""
    return (
        f"Estimates of {estimates.metric} from {counted(estimates.cases, 'measured configuration')} of "
        f"{counted(estimates.sessions, 'session')}"
    )


def notes_of(estimates: Estimates) -> Iterable[str]:
    """Yield notes on the reliability of the estimates."""
    if estimates.refusal is not None:
        yield f"refused: {estimates.refusal}"
        return
    if not estimates.rows:
        yield "every combination of the measured labels and sizes was measured"
        return
    if any(row.estimate is not None for row in estimates.rows):
        yield "nothing below was measured unless it says so; estimates are not stored"
    accuracies = {row.accuracy for row in estimates.rows if row.accuracy is not None and row.estimate is not None}
    yield from sorted(accuracy_text(accuracy) for accuracy in accuracies)


def accuracy_text(accuracy: Accuracy) -> str:
    """Return one sentence about the error of estimates."""
    return (
        f"of {accuracy.held_out} measured configurations that were held out, half were off by more than "
        f"{accuracy.typical * 100:.1f} %; {accuracy.level * 100:.0f} % lie in the range given "
        f"(guessing the middle is off by {accuracy.by_guessing * 100:.0f} %)"
    )


def estimate_table(estimates: Estimates) -> DataTable:
    """Return all rows as plain values; `kind` is ``estimate``, ``measured`` or ``refused``."""
    names = _names(estimates.rows)
    facts = {
        "sources": list(estimates.sources),
        "metric": estimates.metric,
        "unit": estimates.unit,
        "provenance": "estimated",
        "cases": estimates.cases,
        "sessions": estimates.sessions,
        "refusal": estimates.refusal,
        "selection": estimates.selection,
    }
    return DataTable(
        schema=ESTIMATE_SCHEMA,
        columns=(*names, "metric", *_FIGURES),
        rows=[_values(row, names, estimates.metric) for row in estimates.rows],
        facts=facts,
    )


def _names(rows: Sequence[EstimateRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name in (*row.labels, *row.sizes)))


def _values(row: EstimateRow, names: Sequence[str], metric: str) -> list[object]:
    about = {**row.labels, **row.sizes}
    kind = "measured" if row.measured is not None else "refused" if row.estimate is None else "estimate"
    accuracy = row.accuracy
    return [
        *(about.get(name) for name in names),
        metric,
        kind,
        row.measured if row.measured is not None else row.estimate,
        row.low,
        row.high,
        *((None, None, None) if accuracy is None else (accuracy.level, accuracy.typical, accuracy.held_out)),
        row.refusal,
    ]


def _table(estimates: Estimates, width: int, *, ascii_only: bool) -> Sequence[Line]:
    names = _names(estimates.rows)
    headings = [
        *(Heading(title=name.replace("_", " ")) for name in names),
        Heading(title=estimates.metric, align="right", flexible=False),
        Heading(title="expected range", align="right", flexible=False),
        Heading(title="", flexible=False),
    ]
    entries = tuple(_entry(row, names, estimates.unit, ascii_only=ascii_only) for row in estimates.rows)
    return fit(headings, [Section(title=None, entries=entries)], width, ascii_only=ascii_only).lines


def _entry(row: EstimateRow, names: Sequence[str], unit: str, *, ascii_only: bool) -> Entry:
    texts = {**row.labels, **{name: f"{size:g}" for name, size in row.sizes.items()}}
    about = [Span(sanitize(texts.get(name, ""), ascii_only=ascii_only)) for name in names]
    if row.refusal is not None:
        message = Span(sanitize(f"refused: {row.refusal}", ascii_only=ascii_only), "warn")
        return Entry(cells=(*about, Span(""), Span(""), Span("")), message=message)
    value = row.measured if row.measured is not None else row.estimate
    scale = unit_for(unit, [value])
    scale = scale.ascii() if ascii_only else scale
    expected = "" if row.estimate is None else f"{quantity(row.low, scale)} to {quantity(row.high, scale)}"
    kind = "measured" if row.measured is not None else "estimate"
    return Entry(cells=(*about, Span(quantity(value, scale)), Span(expected, "dim"), Span(kind, "warn")))
