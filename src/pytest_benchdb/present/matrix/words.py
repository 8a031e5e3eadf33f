"""How every format writes the states, the changes and the cells of a compatibility matrix."""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from pytest_benchdb.model.compatibility.matrix import Cell, Matrix, MatrixRun, totals
from pytest_benchdb.model.compatibility.states import Change, State
from pytest_benchdb.model.run import PASSED
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.writing.grid import Style
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.times import ago_text
from pytest_benchdb.present.writing.units import one_quantity

SYMBOLS: Mapping[State, str] = MappingProxyType(
    {
        "pass": "✓",
        "degraded": "◐",
        "fail": "✗",
        "oom": "▣",
        "timeout": "◷",
        "unsupported": "⊘",
        "skipped": "»",
        "untested": "·",
    }
)
"""Each state has a sign of its own, so that none depends on its colour."""

ASCII_SYMBOLS: Mapping[State, str] = MappingProxyType(
    {
        "pass": "+",
        "degraded": "~",
        "fail": "x",
        "oom": "#",
        "timeout": "@",
        "unsupported": "/",
        "skipped": ">",
        "untested": ".",
    }
)

STYLES: Mapping[State, Style] = MappingProxyType(
    {
        "pass": "good",
        "degraded": "warn",
        "fail": "bad",
        "oom": "bad",
        "timeout": "bad",
        "unsupported": "dim",
        "skipped": "dim",
        "untested": "dim",
    }
)

CHANGE_STYLES: Mapping[Change, Style] = MappingProxyType(
    {"fixed": "good", "broken": "bad", "newly tested": "", "no longer tested": "warn", "changed": "warn"}
)

CHANGE_MARKS: Mapping[Change, str] = MappingProxyType(
    {"fixed": "fixed", "broken": "broken", "newly tested": "new", "no longer tested": "gone", "changed": "changed"}
)
"""One word for each change, for cells."""

HEAD_OF_CHOICE = "recommended"
_SHORT_AGES = {"days": "d", "day": "d", "months": "mo", "month": "mo", "years": "y", "year": "y", "just now": "now"}
_SHORT_RUN_ID = 18
"""As `text.SHORT_ID`, and enough to tell runs of one millisecond apart: tests that are skipped take no longer."""


def state_text(state: State, *, ascii_only: bool = False) -> str:
    """Return the sign and the word.

    >>> state_text("oom", ascii_only=True)
    '# oom'
    """
    return f"{(ASCII_SYMBOLS if ascii_only else SYMBOLS)[state]} {state}"


def value_text(run: MatrixRun | None) -> str:
    """Return the value that a cell shows; empty without one, because nothing was measured."""
    return "" if run is None or run.value is None else one_quantity(run.value, run.unit or "1")


def age_text(cell: Cell, now: str) -> str:
    """Return how old the newest run of a cell is: ``3 d``, ``2 mo stale``; empty without a run."""
    if cell.newest is None:
        return ""
    age = ago(cell.newest, now).removesuffix(" ago")
    for word, short in _SHORT_AGES.items():
        age = age.replace(word, short)
    return f"{age} stale" if cell.stale else age


def marks_text(cell: Cell) -> str:
    """Return what limits a cell's runs: ``imported``, ``simulated``; empty if all were measured here."""
    return ", ".join(cell.provenances)


def total_text(cells: tuple[Cell, ...]) -> str:
    """Return how many of the cells that were tested pass: ``3/4``; skipped ones were not."""
    counts = totals(cells)
    tested = sum(number for state, number in counts.items() if state not in {"untested", "skipped"})
    return f"{counts.get('pass', 0)}/{tested}"


def totals_text(cells: tuple[Cell, ...]) -> str:
    """Return the number of cells of each state in words."""
    return ", ".join(f"{number} {state}" for state, number in totals(cells).items()) or "no cell"


def sentence(matrix: Matrix, cell: Cell) -> str:
    """Return a cell as one full sentence, for those who do not see the table."""
    parts = [f"{sanitize(cell.place.row)} on {sanitize(cell.place.column)}: {cell.state}"]
    if cell.runs:
        parts.append(cell.why)
    if cell.best is not None:
        parts.append(f"best {sanitize(cell.best.metric or matrix.metric)} {value_text(cell.best)}")
    if cell.newest is not None:
        parts.append(f"{'stale, ' if cell.stale else ''}newest run {ago(cell.newest, matrix.now)}")
    if cell.provenances:
        parts.append(marks_text(cell))
    if cell.change is not None:
        parts.append(change_text(cell))
    return "; ".join(parts) + "."


def ago(run: MatrixRun, now: str) -> str:
    """Return how long ago a run began: ``3 days ago``."""
    return ago_text(run.started_at, dt.datetime.fromisoformat(now).replace(tzinfo=dt.timezone.utc))


def change_text(cell: Cell) -> str:
    """Return what happened to a cell: ``fixed: was oom``; empty if nothing did."""
    return "" if cell.change is None else f"{cell.change}: was {cell.before}"


def run_text(run: MatrixRun, now: str) -> str:
    """Return the facts of a run in one line, with its id for `benchdb show`."""
    return f"{facts_text(run, now)}, run {run.run_id[:_SHORT_RUN_ID]}"


def facts_text(run: MatrixRun, now: str) -> str:
    """Return where and when a run was, and its value, in one line."""
    facts = [
        text
        for text in (
            run.implementation,
            run.precision,
            run.batch_size is not None and f"batch {run.batch_size}",
            run.device,
            value_text(run),
            run.provenance != "measured" and run.provenance,
            ago(run, now),
            run.runs > 1 and f"newest of {run.runs} alike",
        )
        if text
    ]
    return sanitize(", ".join(facts))


def error_text(run: MatrixRun) -> str:
    """Return why a run did not pass, in full; empty if it passed."""
    return "" if run.outcome in PASSED else sanitize(run.reason or "no reason was recorded")


def about(matrix: Matrix) -> str:
    """Return what the matrix is of."""
    text = f"{matrix.rows_by} x {matrix.columns_by}, {counted(matrix.sessions, 'session')}"
    if matrix.selection:
        text += f", {matrix.selection}"
    return sanitize(text + (f", compared with {matrix.compared_with}" if matrix.compared_with else ""))
