"""The instructions of a session as lines for a terminal, and as data."""

from collections.abc import Iterator

from pytest_benchdb.model.answer.counts import CountRow, Counts
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, fit
from pytest_benchdb.present.writing.text import sanitize, wrap

COUNT_SCHEMA = "benchdb.count/1"
_NOTHING = "-"
_COLUMNS = (
    "benchmark", "phase", "metric", "outcome", "value", "spread", "cpu_share", "judged", "reason", "method"
)  # fmt: skip


def count_lines(counts: Counts, width: int, *, ascii_only: bool = False, verbose: bool = False) -> list[Line]:
    """Return lines for a terminal, none wider than `width`."""
    del verbose
    if not counts.rows:
        return [(Span("no benchmark was counted"),)]
    several = len({row.metric for row in counts.rows}) > 1
    headings = [
        Heading(title="benchmark"),
        *([Heading(title="metric", flexible=False)] if several else []),
        Heading(title="instructions" if not several else "count", align="right", flexible=False),
        Heading(title="spread", align="right", flexible=False, priority=2),
        Heading(title="computes", unit="of its time", align="right", flexible=False, priority=1),
    ]
    entries = tuple(_entry(row, several=several) for row in counts.rows)
    lines = list(fit(headings, (Section(title=None, entries=entries),), width, ascii_only=ascii_only).lines)
    for text in _remarks(counts):
        lines += [(Span(line),) for line in wrap(sanitize(text, ascii_only=ascii_only), width)]
    return lines


def count_table(counts: Counts) -> DataTable:
    """Return one row per metric of a benchmark."""
    rows = [
        (
            row.fullname,
            row.phase,
            row.metric,
            row.outcome,
            row.value,
            row.spread,
            row.cpu_share,
            row.valid and row.value is not None,
            row.reason,
            row.method,
        )
        for row in counts.rows
    ]
    return DataTable(schema=COUNT_SCHEMA, columns=_COLUMNS, rows=rows, facts={"session_id": counts.session.session_id})


def _entry(row: CountRow, *, several: bool) -> Entry:
    cells = [
        Span(_name(row)),
        *([Span(row.metric)] if several else []),
        Span(_NOTHING if row.value is None else f"{row.value:,.0f}"),
        Span(_share(row.spread, 2)),
        Span(_share(row.cpu_share, 0)),
    ]
    return Entry(cells=tuple(cells))


def _name(row: CountRow) -> str:
    return row.fullname if row.phase is None else f"{row.fullname} phase {row.phase}"


def _share(share: float | None, digits: int) -> str:
    return _NOTHING if share is None else f"{share * 100:.{digits}f} %"


def _remarks(counts: Counts) -> Iterator[str]:
    methods = sorted({row.method for row in counts.rows if row.method is not None})
    judged = sum(1 for row in counts.rows if row.metric == "instructions" and row.valid and row.value is not None)
    of = sum(1 for row in counts.rows if row.metric == "instructions")
    for row in counts.rows:
        if row.reason and not (row.valid and row.value is not None):
            yield f"not judged: {_name(row)}: {row.reason}"
    yield f"{counted(judged, 'benchmark')} of {of} counted by {' and '.join(methods) or 'nothing'}"
    yield f"session {counts.session.session_id}"
