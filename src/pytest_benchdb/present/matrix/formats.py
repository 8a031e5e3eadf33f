"""A compatibility matrix as Markdown for people, and as JSON and CSV in SI units for programs."""

from collections.abc import Iterator
from dataclasses import asdict

from pytest_benchdb.model.compatibility.matrix import Cell, Matrix, MatrixRun, totals
from pytest_benchdb.model.compatibility.states import MEANINGS, RULE, STATES
from pytest_benchdb.model.run import PASSED
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.matrix.words import (
    HEAD_OF_CHOICE,
    about,
    age_text,
    error_text,
    marks_text,
    run_text,
    state_text,
    total_text,
    totals_text,
    value_text,
)
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.values import escape, markdown_table, object_json, write_csv

MATRIX_SCHEMA = "benchdb.matrix/1"
_MOST_CELLS = 50
"""Cells whose evidence Markdown lists."""
_LONGEST_ERROR = 300

_CSV = (
    *("row", "column", "state", "passed", "runs", "why", "metric", "unit", "value", "provenance"),
    *("newest_at", "stale", "before", "change", "reason", "run_id", "session_id"),
)


def matrix_markdown(matrix: Matrix) -> str:
    """Return the matrix as Markdown: the table, what changed, recommendations, and what did not pass."""
    lines = ["## Compatibility matrix", "", escape(about(matrix)), ""]
    lines += [f"- {escape(note)}" for note in matrix.notes] + ([""] if matrix.notes else [])
    if not matrix.rows:
        return "\n".join([*lines, "No run to show.", ""])
    heads = [escape(name) for name in (matrix.rows_by, *matrix.columns, "pass/tested")]
    rows = [
        [escape(row), *map(lambda cell: _cell(matrix, cell), cells), total_text(cells)]  # noqa: C417
        for row, cells in zip(matrix.rows, matrix.cells, strict=True)
    ]
    feet = [total_text(matrix.column(index)) for index in range(len(matrix.columns))]
    rows.append(["**pass/tested**", *feet, total_text(matrix.all_cells())])
    lines += [markdown_table(heads, [False] * len(heads), rows), f"All: {totals_text(matrix.all_cells())}.", ""]
    lines += _changes(matrix)
    lines += _choices(matrix)
    lines += _evidence(matrix)
    lines += ["### Rule", "", RULE, ""]
    lines += [f"- **{state_text(state)}**: {MEANINGS[state]}" for state in STATES]
    return "\n".join([*lines, ""])


def _cell(matrix: Matrix, cell: Cell) -> str:
    mark = marks_text(cell)
    parts = [state_text(cell.state), value_text(cell.best), age_text(cell, matrix.now), f"({mark})" if mark else ""]
    text = escape(", ".join(filter(None, parts[:3])) + (f" {parts[3]}" if parts[3] else ""))
    return text + (f" **{cell.change}**" if cell.change is not None else "")


def _changes(matrix: Matrix) -> Iterator[str]:
    if matrix.compared_with is None:
        return
    yield f"### Changed since {escape(matrix.compared_with)}"
    yield ""
    changes = matrix.changes()
    if not changes:
        yield "No cell changed."
    for change, cells in changes.items():
        for cell in cells[:_MOST_CELLS]:
            yield f"- **{change}**: {_place(cell)} is {cell.state}, was {cell.before}"
        if len(cells) > _MOST_CELLS:
            yield f"- {counted(len(cells) - _MOST_CELLS, 'more cell')} {change}"
    yield ""


def _choices(matrix: Matrix) -> Iterator[str]:
    if not matrix.recommendations:
        return
    yield f"### {HEAD_OF_CHOICE.capitalize()} {matrix.places_by}"
    yield ""
    rows = [
        [
            escape(one.subject),
            escape(one.choice or "none") + (" (imported)" if one.imported else ""),
            escape(one.reason),
        ]
        for one in matrix.recommendations
    ]
    subject = matrix.rows_by if matrix.places_by == matrix.columns_by else matrix.columns_by
    yield markdown_table([escape(subject), HEAD_OF_CHOICE, "reason"], [False] * 3, rows)


def _evidence(matrix: Matrix) -> Iterator[str]:
    cells = [cell for cell in matrix.all_cells() if cell.runs and cell.state != "pass"]
    if not cells:
        return
    yield "### What did not pass"
    yield ""
    for cell in cells[:_MOST_CELLS]:
        yield f"- {_place(cell)}: {state_text(cell.state)} ({cell.why})"
        for run in cell.runs:
            if run.outcome not in PASSED:
                error = escape(sanitize(error_text(run), limit=_LONGEST_ERROR))
                yield f"  - {run.outcome} {escape(run.fullname)}: {error} ({escape(run_text(run, matrix.now))})"
    if len(cells) > _MOST_CELLS:
        yield f"- {counted(len(cells) - _MOST_CELLS, 'more cell')}"
    yield ""


def _place(cell: Cell) -> str:
    return f"{escape(cell.place.row)} × {escape(cell.place.column)}"  # noqa: RUF001


def matrix_json(matrix: Matrix) -> str:
    """Return the matrix as one JSON object, with the runs behind every cell."""
    content = {
        "sources": list(matrix.sources),
        "selection": matrix.selection,
        "compared_with": matrix.compared_with,
        "now": matrix.now,
        "sessions": matrix.sessions,
        "stale_after_s": matrix.stale_after_s,
        "rows_by": matrix.rows_by,
        "columns_by": matrix.columns_by,
        "rows": list(matrix.rows),
        "columns": list(matrix.columns),
        "metric": matrix.metric,
        "rule": RULE,
        "states": dict(MEANINGS),
        "notes": list(matrix.notes),
        "totals": {
            "all": totals(matrix.all_cells()),
            "rows": [totals(cells) for cells in matrix.cells],
            "columns": [totals(matrix.column(index)) for index in range(len(matrix.columns))],
        },
        "recommended_by": matrix.places_by,
        "recommendations": [asdict(one) for one in matrix.recommendations],
        "cells": [_values(cell) for cell in matrix.all_cells()],
    }
    return object_json(MATRIX_SCHEMA, content)


def _values(cell: Cell) -> dict[str, object]:
    newest = cell.newest
    return {
        "row": cell.place.row,
        "column": cell.place.column,
        "state": cell.state,
        "why": cell.why,
        "best": None if cell.best is None else _best(cell.best),
        "newest_at": None if newest is None else newest.started_at,
        "stale": cell.stale if cell.runs else None,
        "provenances": sorted({run.provenance for run in cell.runs}),
        "before": cell.before,
        "change": cell.change,
        "runs": [_run(run) for run in cell.runs],
    }


def _best(run: MatrixRun) -> dict[str, object]:
    names = ("metric", "unit", "better", "value", "fullname", "provenance", "run_id")
    return {name: getattr(run, name) for name in names}


def _run(run: MatrixRun) -> dict[str, object]:
    values = asdict(run)
    for name in ("session_row", "session_column"):
        del values[name]
    return values


def matrix_csv(matrix: Matrix) -> str:
    """Return one line for each cell."""
    return write_csv(_CSV, (_line(cell) for cell in matrix.all_cells()))


def _line(cell: Cell) -> list[object]:
    best, newest = cell.best, cell.newest
    worst = next((run for run in cell.runs if run.outcome not in PASSED), None)
    shown = worst or best or newest
    return [
        cell.place.row,
        cell.place.column,
        cell.state,
        sum(run.outcome in PASSED for run in cell.runs),
        len(cell.runs),
        cell.why,
        best and best.metric,
        best and best.unit,
        best and best.value,
        ",".join(sorted({run.provenance for run in cell.runs})) or None,
        newest and newest.started_at,
        cell.stale if cell.runs else None,
        cell.before,
        cell.change,
        None if worst is None else worst.reason,
        shown and shown.run_id,
        shown and shown.session_id,
    ]


def matrix_text(matrix: Matrix, format_name: str) -> str:
    """Return the matrix as ``md``, ``json``, ``csv`` or ``html``.

    Raises:
        MissingExtraError: the format needs a package that is not installed.
    """
    if format_name == "html":
        from pytest_benchdb.present.matrix.page import matrix_html

        return matrix_html(matrix)
    return {"md": matrix_markdown, "json": matrix_json, "csv": matrix_csv}[format_name](matrix)
