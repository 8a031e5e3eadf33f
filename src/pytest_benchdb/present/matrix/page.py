"""A compatibility matrix as one HTML file: a table whose cells open into the runs that they sum up.

It says all it has to say without a script, and never uses colour alone to convey meaning.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pytest_benchdb.model.compatibility.matrix import Cell, Matrix, MatrixRun, Recommendation, totals
from pytest_benchdb.model.compatibility.states import MEANINGS, RULE, STATES, Change
from pytest_benchdb.model.run import PASSED
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.html.shell import render_page
from pytest_benchdb.present.matrix.words import (
    CHANGE_STYLES,
    HEAD_OF_CHOICE,
    STYLES,
    age_text,
    change_text,
    error_text,
    facts_text,
    marks_text,
    sentence,
    state_text,
    total_text,
    totals_text,
    value_text,
)
from pytest_benchdb.present.writing.grid import Style
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.times import local_text

TITLE = "Compatibility matrix"
STYLE, SCRIPT = "matrix.css", "matrix.js"
"""Assets of the table, besides the style of every page."""

PageOf = Callable[[str], str | None]
"""Returns the address of a benchmark's page from its full name; None if it has none."""

_MANY_CELLS = 1000
_MOST_RUNS, _LONGEST_ERROR = 20, 4000
_MOST_RUNS_OF_MANY, _LONGEST_ERROR_OF_MANY = 3, 300
"""What each cell of a table with more than `_MANY_CELLS` tested cells shows, so that browsers can hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    outcome: str
    style: Style
    name: str
    page: str | None
    error: str
    facts: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _PageCell:
    """A cell; `classes` only repeats what the words say."""

    column: str
    state: str
    text: str
    value: str
    age: str
    marks: str
    change: str
    style: Style
    classes: str
    sentence: str
    why: str
    runs: tuple[_Run, ...]
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _PageRow:
    name: str
    page: str | None
    cells: tuple[_PageCell, ...]
    choice: Recommendation | None
    total: tuple[str, str]
    words: str
    states: str


def matrix_html(matrix: Matrix) -> str:
    """Return the page.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    return render_page(
        "matrix.html.jinja",
        scripts=(SCRIPT,),
        styles=(STYLE,),
        data={},
        title=TITLE,
        with_theme=True,
        **body_values(matrix, lambda _: None),
    )


def body_values(matrix: Matrix, page_of: PageOf) -> dict[str, object]:
    """Return what ``matrix_body.html.jinja`` gets; runs, and rows of one benchmark, link to its page."""
    everything = matrix.all_cells()
    counts = totals(everything)
    many = sum(bool(cell.runs) for cell in everything) > _MANY_CELLS
    of_columns = matrix.places_by == matrix.columns_by
    choices = dict(zip(matrix.rows, matrix.recommendations, strict=True)) if of_columns else {}
    rows = [
        _row(matrix, row, cells, choices.get(row), page_of, many=many)
        for row, cells in zip(matrix.rows, matrix.cells, strict=True)
    ]
    columns = [matrix.column(index) for index in range(len(matrix.columns))]
    return {
        "facts": [(label, sanitize(text)) for label, text in _facts(matrix)],
        "notes": [sanitize(note) for note in matrix.notes],
        "counts": [(state, state_text(state), number, STYLES[state]) for state, number in counts.items()],
        "rows_by": sanitize(matrix.rows_by),
        "columns_by": sanitize(matrix.columns_by),
        "columns": [sanitize(column) for column in matrix.columns],
        "rows": rows,
        "feet": [(total_text(cells), totals_text(cells)) for cells in columns],
        "total": (total_text(everything), totals_text(everything)),
        "choice_head": f"{HEAD_OF_CHOICE} {matrix.places_by}" if choices else None,
        "other_choices": () if choices else [_safe_choice(one) for one in matrix.recommendations],
        "places_by": matrix.places_by,
        "changes": _changes(matrix),
        "compared_with": None if matrix.compared_with is None else sanitize(matrix.compared_with),
        "rule": RULE,
        "meanings": [(state_text(state), MEANINGS[state], STYLES[state]) for state in STATES],
        "stale_days": f"{matrix.stale_after_s / 86_400:g}",
        "metric": sanitize(matrix.metric),
    }


def _facts(matrix: Matrix) -> list[tuple[str, str]]:
    facts = [
        ("table", f"{matrix.rows_by} by {matrix.columns_by}"),
        ("sessions", str(matrix.sessions)),
        ("metric", matrix.metric),
        ("as of", local_text(matrix.now)),
    ]
    facts += [("only", matrix.selection)] if matrix.selection else []
    return facts + ([("since", matrix.compared_with)] if matrix.compared_with else [])


def _row(
    matrix: Matrix, row: str, cells: tuple[Cell, ...], choice: Recommendation | None, page_of: PageOf, *, many: bool
) -> _PageRow:
    words = {
        word
        for cell in cells
        for run in cell.runs
        for word in (run.family, run.modality, run.precision, run.framework, run.implementation, run.device)
        if word
    }
    return _PageRow(
        name=sanitize(row),
        page=_page_of_row(matrix, cells, page_of),
        cells=tuple(_page_cell(matrix, cell, page_of, many=many) for cell in cells),
        choice=None if choice is None else _safe_choice(choice),
        total=(total_text(cells), totals_text(cells)),
        words=sanitize(" ".join(sorted(words))),
        states=" ".join(totals(cells)),
    )


def _page_of_row(matrix: Matrix, cells: tuple[Cell, ...], page_of: PageOf) -> str | None:
    """Return the page of a row that is a benchmark; None if it is one on each backend, with a page for each."""
    if matrix.rows_by != "benchmark":
        return None
    names = {run.fullname for cell in cells for run in cell.runs}
    return page_of(names.pop()) if len(names) == 1 else None


def _page_cell(matrix: Matrix, cell: Cell, page_of: PageOf, *, many: bool) -> _PageCell:
    most, longest = (_MOST_RUNS_OF_MANY, _LONGEST_ERROR_OF_MANY) if many else (_MOST_RUNS, _LONGEST_ERROR)
    left = len(cell.runs) - most
    classes = [f"is-{STYLES[cell.state] or 'plain'}", "stale" if cell.stale else "", "" if cell.runs else "none"]
    return _PageCell(
        column=sanitize(cell.place.column),
        state=cell.state,
        text=state_text(cell.state),
        value=value_text(cell.best),
        age=age_text(cell, matrix.now),
        marks=marks_text(cell),
        change=change_text(cell),
        style="" if cell.change is None else CHANGE_STYLES[cell.change],
        classes=" ".join(filter(None, classes)),
        sentence=sentence(matrix, cell),
        why=cell.why,
        runs=tuple(_page_run(run, matrix.now, longest, page_of) for run in cell.runs[:most]),
        more=f"{counted(left, 'more run')}; benchdb matrix -f json has all" if left > 0 else "",
    )


def _page_run(run: MatrixRun, now: str, longest: int, page_of: PageOf) -> _Run:
    passed = run.outcome in PASSED
    error = "" if passed else "\n".join(map(sanitize, _error_lines(run)))
    return _Run(
        outcome=run.outcome,
        style="good" if passed else "",
        name=sanitize(run.fullname),
        page=page_of(run.fullname),
        error=error if len(error) <= longest else error[:longest] + "…",
        facts=facts_text(run, now),
        run_id=run.run_id,
    )


def _error_lines(run: MatrixRun) -> list[str]:
    """Return the lines of why a run did not pass."""
    return run.reason.split("\n") if run.reason else [error_text(run)]


def _safe_choice(choice: Recommendation) -> Recommendation:
    return Recommendation(
        subject=sanitize(choice.subject),
        choice=None if choice.choice is None else sanitize(choice.choice),
        reason=sanitize(choice.reason),
        imported=choice.imported,
    )


def _changes(matrix: Matrix) -> list[tuple[Change, Style, list[str]]]:
    return [
        (
            change,
            CHANGE_STYLES[change],
            [
                sanitize(f"{cell.place.row} on {cell.place.column}: {cell.state}, was {cell.before}")
                for cell in cells[:_MANY_CELLS]
            ],
        )
        for change, cells in matrix.changes().items()
    ]
