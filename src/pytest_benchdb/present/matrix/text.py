"""A compatibility matrix for a terminal: as many columns beside each other as fit, the others below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.compatibility.matrix import Cell, Matrix, totals
from pytest_benchdb.model.compatibility.states import MEANINGS, RULE, STATES
from pytest_benchdb.model.run import PASSED
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.matrix.words import (
    CHANGE_MARKS,
    CHANGE_STYLES,
    HEAD_OF_CHOICE,
    STYLES,
    about,
    age_text,
    change_text,
    error_text,
    marks_text,
    run_text,
    state_text,
    total_text,
    totals_text,
    value_text,
)
from pytest_benchdb.present.writing.grid import GAP, Line, Span
from pytest_benchdb.present.writing.text import clip, pad, sanitize, shorten, width, wrap

_MOST_NAME = 36
_MOST_COLUMN = 30
_MOST_SHOWN = 10
"""Cells that did not pass, and changes, that are listed without `--verbose`."""
_MOST_RUNS = 3
"""Runs that are listed for each of them without `--verbose`."""


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes texts of a matrix for one terminal."""

    matrix: Matrix
    total: int
    ascii_only: bool
    verbose: bool

    def safe(self, text: str) -> str:
        return sanitize(text, ascii_only=self.ascii_only)

    def cell(self, cell: Cell) -> Span:
        parts = [
            state_text(cell.state, ascii_only=self.ascii_only),
            value_text(cell.best),
            age_text(cell, self.matrix.now),
        ]
        mark = marks_text(cell)
        text = " ".join(part for part in [*parts, f"({mark})" if mark else ""] if part)
        if cell.change is not None:
            text += f" [{CHANGE_MARKS[cell.change]}]"
        return Span(self.safe(text), "dim" if cell.stale else STYLES[cell.state])

    def wrapped(self, text: str, style: str = "dim", indent: int = 0) -> Iterator[Line]:
        for line in wrap(self.safe(text), max(self.total - indent, 8), ascii_only=self.ascii_only):
            yield (Span(" " * indent), Span(line, "dim" if style == "dim" else ""))


def matrix_lines(matrix: Matrix, total: int, *, ascii_only: bool = False, verbose: bool = False) -> list[Line]:
    """Return lines of at most `total` columns; `verbose` lists every run behind every cell."""
    writer = _Writer(matrix, max(total, 20), ascii_only, verbose)
    lines: list[Line] = [(Span(clip(writer.safe(about(matrix)), writer.total, ascii_only=ascii_only), "head"),)]
    for note in matrix.notes:
        lines += writer.wrapped(note)
    if not matrix.rows:
        return [*lines, (Span("no run to show"),)]
    for block in _blocks(writer):
        lines += [(Span(""),), *block]
    lines += [(Span(""),), *writer.wrapped(f"all: {totals_text(matrix.all_cells())}", "")]
    for section in (_changes(writer), _choices(writer), _evidence(writer), _rule(writer)):
        lines += [(Span(""),), *section] if section else []
    return lines


def _blocks(writer: _Writer) -> Iterator[list[Line]]:
    """Yield tables of as many columns as fit, each with the names of the rows."""
    matrix = writer.matrix
    names = [writer.safe(row) for row in matrix.rows]
    head = writer.safe(matrix.rows_by)
    name_width = min(max(map(width, [*names, head, "pass/tested"])), _MOST_NAME, max(writer.total // 3, 12))
    columns = [[writer.cell(cell) for cell in matrix.column(index)] for index in range(len(matrix.columns))]
    heads = [shorten(writer.safe(name), _MOST_COLUMN, ascii_only=writer.ascii_only) for name in matrix.columns]
    feet = [total_text(matrix.column(index)) for index in range(len(matrix.columns))]
    columns.append([Span(total_text(cells)) for cells in matrix.cells])
    heads.append("pass/tested")
    feet.append(total_text(matrix.all_cells()))
    room = max(writer.total - name_width - GAP, 8)
    widths = [
        min(max(width(text) for text in (head, foot, *(span.text for span in spans))), room)
        for head, foot, spans in zip(heads, feet, columns, strict=True)
    ]
    for block in _fitting(widths, room):
        yield list(_block(writer, (names, head, name_width), block, (heads, feet, columns, widths)))


def _fitting(widths: Sequence[int], room: int) -> Iterator[range]:
    """Yield ranges of columns that fit beside each other."""
    start, used = 0, 0
    for index, size in enumerate(widths):
        if used and used + GAP + size > room:
            yield range(start, index)
            start, used = index, 0
        used += size + (GAP if used else 0)
    yield range(start, len(widths))


def _block(
    writer: _Writer,
    row_heads: tuple[Sequence[str], str, int],
    block: range,
    columns: tuple[Sequence[str], Sequence[str], Sequence[Sequence[Span]], Sequence[int]],
) -> Iterator[Line]:
    names, head, name_width = row_heads
    heads, feet, spans, widths = columns

    def line(name: str, cells: Sequence[Span], style: str = "") -> Line:
        first = shorten(name, name_width, ascii_only=writer.ascii_only)
        parts = [Span(pad(first, name_width), "head" if style == "head" else "dim" if style == "dim" else "")]
        for index, cell in zip(block, cells, strict=True):
            text = clip(cell.text, widths[index], ascii_only=writer.ascii_only)
            parts += [Span(" " * GAP), Span(pad(text, widths[index]), cell.style)]
        return tuple(parts)

    yield line(head, [Span(heads[index], "head") for index in block], "head")
    rule = name_width + sum(widths[index] + GAP for index in block)
    yield (Span(("-" if writer.ascii_only else "─") * rule, "dim"),)
    for row, name in enumerate(names):
        yield line(name, [spans[index][row] for index in block])
    yield line("pass/tested", [Span(feet[index], "dim") for index in block], "dim")


def _changes(writer: _Writer) -> list[Line]:
    if writer.matrix.compared_with is None:
        return []
    changes = writer.matrix.changes()
    name = writer.safe(writer.matrix.compared_with)
    if not changes:
        return [(Span(clip(f"no cell changed since {name}", writer.total, ascii_only=writer.ascii_only)),)]
    lines: list[Line] = [(Span(clip(f"Changed since {name}", writer.total, ascii_only=writer.ascii_only), "head"),)]
    for change, cells in changes.items():
        lines.append((Span(f"{change}: {len(cells)}", CHANGE_STYLES[change]),))
        shown = cells if writer.verbose else cells[:_MOST_SHOWN]
        for cell in shown:
            lines += writer.wrapped(f"{_place(cell)}: {cell.state}, was {cell.before}", "", indent=2)
        lines += _more(writer, len(cells) - len(shown), "cell")
    return lines


def _choices(writer: _Writer) -> list[Line]:
    matrix = writer.matrix
    if not matrix.recommendations:
        return []
    lines: list[Line] = [(Span(f"{HEAD_OF_CHOICE.capitalize()} {matrix.places_by}", "head"),)]
    shown = matrix.recommendations if writer.verbose else matrix.recommendations[:_MOST_SHOWN]
    for one in shown:
        mark = " (imported)" if one.imported else ""
        lines += writer.wrapped(f"{one.subject}: {one.choice or 'none'}{mark}: {one.reason}", "", indent=2)
    return lines + _more(writer, len(matrix.recommendations) - len(shown), "row")


def _evidence(writer: _Writer) -> list[Line]:
    cells = [cell for cell in writer.matrix.all_cells() if cell.runs and (writer.verbose or cell.state != "pass")]
    if not cells:
        return []
    lines: list[Line] = [(Span("Evidence" if writer.verbose else "What did not pass", "head"),)]
    shown = cells if writer.verbose else cells[:_MOST_SHOWN]
    for cell in shown:
        text = f"{_place(cell)}: {state_text(cell.state, ascii_only=writer.ascii_only)} ({cell.why})"
        if cell.change is not None:
            text += f", {change_text(cell)}"
        lines += writer.wrapped(text, "", indent=2)
        runs = cell.runs if writer.verbose else [run for run in cell.runs if run.outcome not in PASSED][:_MOST_RUNS]
        for run in runs:
            error = error_text(run)
            said = f": {error}" if error else ""
            lines += writer.wrapped(
                f"{run.outcome} {run.fullname}{said} ({run_text(run, writer.matrix.now)})", indent=4
            )
    return lines + _more(writer, len(cells) - len(shown), "cell")


def _rule(writer: _Writer) -> list[Line]:
    lines = list(writer.wrapped(f"{RULE} pass/tested counts cells; those that are skipped or untested are neither."))
    there = STATES if writer.verbose else totals(writer.matrix.all_cells())
    for state in there:
        text = f"{state_text(state, ascii_only=writer.ascii_only)}: {MEANINGS[state]}"
        lines += writer.wrapped(text, indent=2)
    if any(cell.stale for cell in writer.matrix.all_cells()):
        days = writer.matrix.stale_after_s / 86_400
        lines += writer.wrapped(f"stale: no run in the last {days:g} days", indent=2)
    return lines


def _more(writer: _Writer, number: int, noun: str) -> list[Line]:
    return list(writer.wrapped(f"{counted(number, f'more {noun}')}; -v lists all", indent=2)) if number > 0 else []


def _place(cell: Cell) -> str:
    return f"{cell.place.row} x {cell.place.column}"
