"""A report of runs as a table that fits the terminal, and the parts that other formats share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar, cast, get_args

from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.present.report.columns import (
    PARAM,
    USUAL_OPTIONS,
    Column,
    RenderOptions,
    Value,
    group_of,
    unusual_metric,
    value_of,
    with_relative,
)
from pytest_benchdb.present.writing.grid import Entry, Heading, Section, Span, Style, Table, fit, outcome_style
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.times import local_minute
from pytest_benchdb.present.writing.units import (
    NOT_MEASURED,
    FigureKind,
    RowUnits,
    Unit,
    align_points,
    choose_unit,
    row_units,
    write_figure,
)

_SHORT_COMMIT = 8
_TIMES = "\N{MULTIPLICATION SIGN}"
_TELLING = frozenset({"file", "function", "benchmark"})
"""Columns whose values need no name in the title of a group."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTable:
    """The table of a report, independent of its format; from `run_table`.

    Attributes:
        group_by: keys of columns; empty for no groups.
        units: of each row, by quantity; the same for all columns, so that their figures can be compared.
        names: the shortest unique names, one per run.
    """

    rows: Sequence[ReportRow]
    columns: Sequence[Column]
    group_by: tuple[str, ...]
    units: Mapping[FigureKind, RowUnits]
    names: Sequence[str]
    ascii_only: bool = False

    def labels(self) -> list[str]:
        """Return the titles of the columns with their units."""
        symbols = map(self.symbol, self.columns)
        pairs = zip(self.columns, symbols, strict=True)
        return [f"{column.title} ({symbol})" if symbol else column.title for column, symbol in pairs]

    def texts(self, column: Column) -> list[str]:
        """Return the cells of a column, figures aligned at their points; empty if a figure may not be shown."""
        if column.key == "benchmark":
            return list(self.names)
        texts = [self.cell(index, column) for index in range(len(self.rows))]
        if column.kind in {"text", "rounds"}:
            return texts
        units = self._units(column)
        # Points of figures in different units need not line up.
        return units.add_to(texts if column.kind == "count" or units.shared is None else align_points(texts))

    def full_text(self, index: int, column: Column) -> str:
        """Return the cell of a row in a format that aligns nothing, with its unit if the heading has none."""
        text = self.names[index] if column.key == "benchmark" else self.cell(index, column)
        unit = "" if column.kind in {"text", "rounds"} or self.symbol(column) else self._unit(index, column).symbol
        return f"{text} {unit}" if unit and text not in {"", NOT_MEASURED} else text

    def cell(self, index: int, column: Column) -> str:
        """Return the figure or text of a row, without a unit; a dash if not measured, empty if it may not be shown."""
        row = self.rows[index]
        if column.kind != "text" and not row.has_figures:
            return ""
        value = value_of(row, column.key)
        if column.kind == "text":
            return NOT_MEASURED if value is None else str(value)
        if column.kind == "rounds":
            return _rounds_text(row, ascii_only=self.ascii_only)
        return write_figure(_number(row, column.key), self._unit(index, column))

    def symbol(self, column: Column) -> str:
        """Return the symbol of a column's unit; empty for texts and counts, and if its cells have their own units."""
        shared = None if column.kind in {"text", "rounds"} else self._units(column).shared
        return "" if shared is None else shared.symbol

    def _unit(self, index: int, column: Column) -> Unit:
        return self._units(column).of_rows[index]

    def _units(self, column: Column) -> RowUnits:
        return self.units[cast("FigureKind", column.kind)]

    def groups(self, items: Sequence[T]) -> list[tuple[str | None, list[T]]]:
        """Return items, one per run, by group title; a single group without a title if they are not grouped."""
        if not self.group_by:
            return [(None, list(items))] if items else []
        groups: dict[tuple[Value, ...], list[T]] = {}
        for row, item in zip(self.rows, items, strict=True):
            groups.setdefault(group_of(row, self.group_by), []).append(item)
        return [(", ".join(map(self._title, self.group_by, values)), members) for values, members in groups.items()]

    def _title(self, key: str, value: Value) -> str:
        name = sanitize(key.removeprefix(PARAM), ascii_only=self.ascii_only)
        if value is None:
            return f"(no {name})"
        text = sanitize(str(value), ascii_only=self.ascii_only)
        return text if key in _TELLING else f"{name}: {text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraColumn:
    """A column of figures that runs do not have themselves.

    Attributes:
        spans: one for each run.
        place: index among the other columns.
    """

    heading: Heading
    spans: Sequence[Span]
    place: int


def run_table(rows: Sequence[ReportRow], options: RenderOptions, *, ascii_only: bool = False) -> RunTable:
    """Return the table of these runs, with defaults for what the options leave open."""
    columns, group_by = options.columns_of(rows), options.grouping_of(rows)
    rows = with_relative(rows, group_by)
    return RunTable(
        rows=rows,
        columns=columns,
        group_by=group_by,
        units=units_for(rows, columns, options.units, ascii_only=ascii_only),
        names=_short_names(rows, group_by),
        ascii_only=ascii_only,
    )


def layout(
    rows: Sequence[ReportRow],
    width: int,
    options: RenderOptions = USUAL_OPTIONS,
    *,
    extra: ExtraColumn | None = None,
    ascii_only: bool = False,
) -> Table:
    """Lay out runs, in this order, as a table of at most `width` terminal columns.

    A run that did not pass shows its outcome and reason instead of figures.
    """
    shown = run_table(rows, options, ascii_only=ascii_only)
    headings = [
        Heading(
            title=column.title,
            unit=shown.symbol(column),
            align=column.align,
            priority=column.priority,
            flexible=column.kind == "text",
        )
        for column in shown.columns
    ]
    texts = [[sanitize(text, ascii_only=ascii_only) for text in shown.texts(column)] for column in shown.columns]
    entries = [_entry(row, shown, cells) for row, *cells in zip(rows, *texts, strict=True)]
    if extra is not None:
        headings.insert(extra.place, extra.heading)
        aligned = align_points([span.text for span in extra.spans])
        entries = [
            _with_cell(entry, Span(text, span.style), extra.place)
            for entry, text, span in zip(entries, aligned, extra.spans, strict=True)
        ]
    sections = [Section(title=title, entries=tuple(members)) for title, members in shown.groups(entries)]
    return fit(headings, sections, width, ascii_only=ascii_only)


def _with_cell(entry: Entry, cell: Span, place: int) -> Entry:
    cells = (*entry.cells[:place], cell, *entry.cells[place:])
    return replace(entry, cells=cells, suffix_at=entry.suffix_at + (entry.suffix_at >= place))


def units_for(
    rows: Sequence[ReportRow], columns: Sequence[Column], requested: Mapping[FigureKind, Unit], *, ascii_only: bool
) -> dict[FigureKind, RowUnits]:
    """Choose the units of a table, the same for all columns of a quantity, so that their figures can be compared.

    Medians decide the unit of times, or all times if medians are not shown.
    """
    units: dict[FigureKind, RowUnits] = {}
    for kind in get_args(FigureKind):
        keys = [column.key for column in columns if column.kind == kind]
        leading = ["median"] if "median" in keys else keys
        figures = [[_number(row, key) for key in leading] if row.has_figures else [] for row in rows]
        if kind in requested:
            chosen = RowUnits(requested[kind], (requested[kind],) * len(rows))
        else:
            chosen = row_units(figures, partial(choose_unit, kind))
        units[kind] = chosen.ascii() if ascii_only else chosen
    return units


def message_of(row: ReportRow) -> str | None:
    """Return the message that replaces figures; None for a run with valid times."""
    if row.has_figures:
        return _own_text(row)
    word = row.outcome if row.outcome != "passed" else "passed, no figures"
    return f"{word}: {row.reason}" if row.reason else word


def _own_text(row: ReportRow) -> str | None:
    """Return what a run without times measured, in its own unit: ``timer_value 3.2 (3 to 5, 7 values)``."""
    if row.main_metric is not None or row.own_metric is None or row.own_value is None:
        return None
    unit = "" if row.own_unit in {None, "1", "?"} else f" {row.own_unit}"
    text = f"{row.own_metric} {row.own_value:.4g}{unit}"
    if row.own_n is None or row.own_min is None or row.own_max is None or row.own_n < 2:  # noqa: PLR2004
        return text
    return f"{text} ({row.own_min:.4g} to {row.own_max:.4g}, {row.own_n} values)"


def marks_of(row: ReportRow, columns: Sequence[Column]) -> str:
    """Return marks to append to a run's name, for one that is simulated, older, a rerun, or timed by an unusual metric.

    The metric is a mark only if `columns` show times without their metric.
    """
    marks: list[str] = [row.provenance] if row.provenance == "simulated" else []
    if row.older_at is not None:
        commit = row.older_commit[:_SHORT_COMMIT] if row.older_commit else local_minute(row.older_at)
        marks.append(f"older: {commit}")
    marks += [f"attempt {row.attempt}"] if row.attempt > 1 else []
    metric = unusual_metric(row)
    if metric is not None and any(column.kind == "time" for column in columns):
        marks += [] if any(column.key == "metric" for column in columns) else [metric]
    return f" ({', '.join(marks)})" if marks else ""


def mark_index(columns: Sequence[Column]) -> int:
    """Return the index of the column for the marks: the names, else the first that is never left out."""
    places = [index for index, column in enumerate(columns) if column.key == "benchmark"]
    places += [index for index, column in enumerate(columns) if column.priority == 0]
    return places[0] if places else 0


def _rounds_text(row: ReportRow, *, ascii_only: bool) -> str:
    if row.rounds is None:
        return NOT_MEASURED
    times = "x" if ascii_only else _TIMES
    return f"{row.rounds}{times}{row.iterations}" if (row.iterations or 1) > 1 else str(row.rounds)


def _number(row: ReportRow, key: str) -> float | None:
    value = value_of(row, key)
    return value if isinstance(value, int | float) else None


def row_style(row: ReportRow) -> Style:
    """Return the style of the message that replaces figures."""
    if row.has_figures:
        return ""
    return outcome_style(row.outcome) if row.outcome != "passed" else "warn"


def _short_names(rows: Sequence[ReportRow], group_by: Sequence[str]) -> list[str]:
    """Return names without the file if the group's title has it, or if they are unique without it."""
    short = [row.fullname.partition("::")[2] or row.fullname for row in rows]
    if "file" in group_by:
        return short
    fullnames: dict[str, set[str]] = {}
    for name, row in zip(short, rows, strict=True):
        fullnames.setdefault(name, set()).add(row.fullname)
    clash = any(len(names) > 1 for names in fullnames.values())
    return [row.fullname for row in rows] if clash else short


def _entry(row: ReportRow, shown: RunTable, texts: Sequence[str]) -> Entry:
    style = row_style(row)
    message = message_of(row)
    cells = tuple(
        Span(text, style if column.key == "outcome" else "dim" if text.strip() == NOT_MEASURED else "")
        for column, text in zip(shown.columns, texts, strict=True)
    )
    return Entry(
        cells=cells,
        suffix=sanitize(marks_of(row, shown.columns), ascii_only=shown.ascii_only),
        suffix_at=mark_index(shown.columns),
        message=None if message is None else Span(sanitize(message, ascii_only=shown.ascii_only), style),
    )
