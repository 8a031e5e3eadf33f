"""A report of runs as a table that fits the terminal; pytest's summary and `benchdb report` share it."""

from collections.abc import Mapping, Sequence

from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.present.report.columns import (
    Column,
    columns_named,
    default_columns,
    default_grouping,
    group_value,
    has_figures,
    unusual_metric,
    value_of,
)
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, Table, fit, outcome_style
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.units import NOT_MEASURED, FigureKind, Unit, align_points, choose_unit, write_figure

__all__ = [
    "Column",
    "Line",
    "Span",
    "Table",
    "columns_named",
    "default_columns",
    "default_grouping",
    "layout",
]

_TIMES = "\N{MULTIPLICATION SIGN}"


def layout(
    rows: Sequence[ReportRow],
    columns: Sequence[Column],
    width: int,
    *,
    group_by: str | None = None,
    ascii_only: bool = False,
    units: Mapping[FigureKind, Unit] | None = None,
) -> Table:
    """Lay runs out as a table of at most `width` terminal columns.

    A run that did not pass shows its outcome and the reason in place of figures.

    Args:
        rows: the runs, in the order to show.
        columns: of `default_columns(rows)` or `columns_named(keys)`.
        width: columns of the terminal.
        group_by: one of `columns.GROUP_KEYS`; None for no groups.
        ascii_only: for terminals that cannot show other characters.
        units: units to show figures in; without, the typical value of a quantity decides.

    >>> table = layout(rows, default_columns(rows), 80, group_by=default_grouping(rows))  # doctest: +SKIP
    """
    chosen = units_for(rows, columns, units or {}, ascii_only=ascii_only)
    headings = [_heading(column, chosen) for column in columns]
    names = names_of(rows, group_by)
    texts = [
        [sanitize(text, ascii_only=ascii_only) for text in _column_texts(rows, column, names, chosen)]
        for column in columns
    ]
    entries = [_entry(row, columns, cells, ascii_only=ascii_only) for row, *cells in zip(rows, *texts, strict=True)]
    return fit(headings, _sections(rows, entries, group_by, ascii_only=ascii_only), width, ascii_only=ascii_only)


def units_for(
    rows: Sequence[ReportRow], columns: Sequence[Column], asked: Mapping[FigureKind, Unit], *, ascii_only: bool
) -> dict[FigureKind, Unit]:
    """Choose one unit for all the columns of a quantity, so that their figures can be compared.

    The typical time is that of the medians, or of whatever time is shown without them.
    """
    chosen: dict[FigureKind, Unit] = {}
    for kind in ("time", "memory", "rate", "energy", "percent", "count"):
        keys = [column.key for column in columns if column.kind == kind]
        leading = ["median"] if "median" in keys else keys
        values = [_number(row, key) for row in rows if has_figures(row) for key in leading]
        unit = asked.get(kind) or choose_unit(kind, values)
        chosen[kind] = unit.ascii() if ascii_only else unit
    return chosen


def message_of(row: ReportRow) -> str | None:
    """Return the sentence that stands in place of figures; None for a run whose figures hold."""
    if has_figures(row):
        return None
    word = row.outcome if row.outcome != "passed" else "passed, no figures"
    return f"{word}: {row.reason}" if row.reason else word


def marks_of(row: ReportRow, columns: Sequence[Column]) -> str:
    """Return what must be said of a run beside its name: that it is simulated, or a rerun, or timed differently.

    Args:
        row: the run.
        columns: what is shown of it; the metric is a mark where times are shown without their metric.
    """
    marks: list[str] = [row.provenance] if row.provenance == "simulated" else []
    marks += [f"attempt {row.attempt}"] if row.attempt > 1 else []
    metric = unusual_metric(row)
    if metric is not None and any(column.kind == "time" for column in columns) and not _names_metric(columns):
        marks.append(metric)
    return f" ({', '.join(marks)})" if marks else ""


def mark_place(columns: Sequence[Column]) -> int:
    """Return which column the marks go into: that of the names, else the first that there is always room for."""
    places = [index for index, column in enumerate(columns) if column.key == "benchmark"]
    places += [index for index, column in enumerate(columns) if column.priority == 0]
    return places[0] if places else 0


def _names_metric(columns: Sequence[Column]) -> bool:
    return any(column.key == "metric" for column in columns)


def figure_text(row: ReportRow, column: Column, units: Mapping[FigureKind, Unit], *, ascii_only: bool = False) -> str:
    """Write one figure of a run in the unit of its column; an unmeasured one is a dash."""
    if column.kind == "rounds":
        return _rounds(row, "x" if ascii_only else _TIMES)
    if column.kind == "text":
        value = value_of(row, column.key)
        return NOT_MEASURED if value is None else str(value)
    return write_figure(_number(row, column.key), units[column.kind])


def _number(row: ReportRow, key: str) -> float | None:
    value = value_of(row, key)
    return value if isinstance(value, int | float) else None


def _rounds(row: ReportRow, times: str) -> str:
    if row.rounds is None:
        return NOT_MEASURED
    return f"{row.rounds}{times}{row.iterations}" if (row.iterations or 1) > 1 else str(row.rounds)


def unit_symbol(column: Column, units: Mapping[FigureKind, Unit]) -> str:
    """Return the symbol that stands over a column; empty for texts and counts."""
    if column.kind == "text":
        return ""
    return "" if column.kind == "rounds" else units[column.kind].symbol


def _heading(column: Column, units: Mapping[FigureKind, Unit]) -> Heading:
    return Heading(
        title=column.title,
        unit=unit_symbol(column, units),
        align=column.align,
        priority=column.priority,
        flexible=column.kind == "text",
    )


def names_of(rows: Sequence[ReportRow], group_by: str | None) -> list[str]:
    """Return the shortest names that tell the runs apart: without the file if the title or the rest tells it."""
    short = [row.fullname.partition("::")[2] or row.fullname for row in rows]
    if group_by == "file":
        return short
    fullnames: dict[str, set[str]] = {}
    for name, row in zip(short, rows, strict=True):
        fullnames.setdefault(name, set()).add(row.fullname)
    clash = any(len(names) > 1 for names in fullnames.values())
    return [row.fullname for row in rows] if clash else short


def _column_texts(
    rows: Sequence[ReportRow], column: Column, names: Sequence[str], units: Mapping[FigureKind, Unit]
) -> list[str]:
    if column.key == "benchmark":
        return list(names)
    texts = [figure_text(row, column, units) if column.kind == "text" or has_figures(row) else "" for row in rows]
    return texts if column.kind in {"text", "rounds", "count"} else align_points(texts)


def _entry(row: ReportRow, columns: Sequence[Column], texts: Sequence[str], *, ascii_only: bool) -> Entry:
    style = outcome_style(row.outcome) if row.outcome != "passed" else "warn"
    message = message_of(row)
    cells = tuple(
        Span(text, style if column.key == "outcome" else "dim" if text.strip() == NOT_MEASURED else "")
        for column, text in zip(columns, texts, strict=True)
    )
    return Entry(
        cells=cells,
        suffix=sanitize(marks_of(row, columns), ascii_only=ascii_only),
        suffix_at=mark_place(columns),
        message=None if message is None else Span(sanitize(message, ascii_only=ascii_only), style),
    )


def _sections(
    rows: Sequence[ReportRow], entries: Sequence[Entry], group_by: str | None, *, ascii_only: bool
) -> list[Section]:
    if group_by is None:
        return [Section(title=None, entries=tuple(entries))]
    groups: dict[str | None, list[Entry]] = {}
    for row, entry in zip(rows, entries, strict=True):
        groups.setdefault(group_value(row, group_by), []).append(entry)
    return [
        Section(title=title_of(group_by, value, ascii_only=ascii_only), entries=tuple(members))
        for value, members in groups.items()
    ]


def title_of(group_by: str | None, value: str | None, *, ascii_only: bool = False) -> str:
    """Return the title of a group of runs."""
    if value is None:
        return f"(no {group_by})"
    text = sanitize(value, ascii_only=ascii_only)
    return text if group_by in {"file", "benchmark"} else f"{group_by}: {text}"
