"""The compatibility matrix: what the recorded runs say about each combination of two dimensions, and why."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_benchdb.model.answer.notebook import Notebook
from pytest_benchdb.model.compatibility.states import CHANGES, STATES, Change, State
from pytest_benchdb.model.metric import Better, Provenance
from pytest_benchdb.model.run import Outcome

Dimension = str
"""Name of what rows or columns are: ``model``, ``backend``, ``param:n``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRun:
    """The newest run of a benchmark in one configuration with one outcome: a row of ``matrix_runs.sql``.

    Attributes:
        started_at: ISO 8601 in UTC.
        session_row: what the rows are, if that is a fact of whole sessions.
        session_column: what the columns are, if that is a fact of whole sessions.
        runs: runs that are alike but older, and this one.
        metric: of `value`; None if the run has no valid value of what was asked for.
        value: the median of its rounds or the single reading, in SI units.
    """

    run_id: str
    session_id: str
    started_at: str
    commit_sha: str | None
    fullname: str
    file: str | None
    function: str | None
    name: str
    group: str | None
    params: Mapping[str, object] | None
    backend: str | None
    device: str | None
    model: str | None
    version: str | None
    family: str | None
    modality: str | None
    framework: str | None
    use_case: str | None
    implementation: str | None
    workload: str | None
    precision: str | None
    batch_size: int | None
    sequence_length: int | None
    session_row: str | None
    session_column: str | None
    outcome: Outcome
    reason: str | None
    attempt: int
    provenance: Provenance
    runs: int
    metric: str | None
    unit: str | None
    better: Better | None
    value: float | None

    @property
    def benchmark(self) -> str:
        """The full name."""
        return self.fullname

    @property
    def configuration(self) -> tuple[object, ...]:
        """What tells runs of one benchmark apart, beside where they ran and when."""
        return self.implementation, self.workload, self.precision, self.batch_size, self.sequence_length

    @property
    def age_key(self) -> tuple[str, int, str]:
        """Orders the runs of one benchmark by age: the newest is the largest."""
        return self.started_at, self.attempt, self.run_id


class Place(NamedTuple):
    """Row and column of a cell."""

    row: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination.

    Attributes:
        runs: the evidence: what the state was concluded from, what did not pass first.
        why: the state in numbers: ``2 of 3 passed, 1 oom``.
        best: the run with the best value of the metric; None without a value.
        stale: whether the newest run is older than the user accepts.
        before: the state on the side that this one is compared with; None without a comparison.
        change: None if the state is the same, or without a comparison.
    """

    place: Place
    state: State
    runs: tuple[MatrixRun, ...] = ()
    why: str = ""
    best: MatrixRun | None = None
    stale: bool = False
    before: State | None = None
    change: Change | None = None

    @property
    def newest(self) -> MatrixRun | None:
        """The newest run; None if there is none."""
        return max(self.runs, key=lambda run: run.age_key, default=None)

    @property
    def provenances(self) -> tuple[Provenance, ...]:
        """Where the runs come from if not all were measured here: ``imported``, ``simulated``."""
        return tuple(sorted({run.provenance for run in self.runs} - {"measured"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The place to run something on.

    Attributes:
        subject: what it is for: a model.
        choice: the device or backend; None if the runs do not tell.
        reason: one sentence.
        imported: whether figures from elsewhere count among the reasons.
    """

    subject: str
    choice: str | None
    reason: str
    imported: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Matrix(Notebook):
    """The answer; ``matrix["bert", "cuda"]`` is one cell.

    Attributes:
        rows: values of `rows_by`, ordered.
        columns: values of `columns_by`, ordered.
        cells: a row of cells for each row.
        places_by: the dimension that `recommendations` choose from: ``backend`` or ``device``; None if neither the rows
            nor the columns are places.
        selection: filters as the user wrote them; None without any.
        compared_with: the SPEC of the other side; None without one.
        sessions: number of sessions that were read.
        stale_after_s: age from which a cell is stale, in seconds.
        now: when ages were counted, ISO 8601 in UTC.
        notes: what the reader has to know: dimensions that were chosen, runs that were left out.
    """

    sources: tuple[str, ...]
    selection: str | None
    compared_with: str | None
    rows_by: Dimension
    columns_by: Dimension
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    metric: str
    places_by: Dimension | None
    recommendations: tuple[Recommendation, ...]
    sessions: int
    stale_after_s: float
    now: str
    notes: tuple[str, ...] = ()

    def __getitem__(self, place: tuple[str, str]) -> Cell:
        """Return the cell of a row and a column.

        Raises:
            KeyError: there is no such row or column.
        """
        row, column = place
        if row not in self.rows or column not in self.columns:
            raise KeyError(place)
        return self.cells[self.rows.index(row)][self.columns.index(column)]

    def summary(self) -> str:
        """Return the number of cells of each state in one line."""
        counts = ", ".join(f"{number} {state}" for state, number in totals(self.all_cells()).items())
        return f"{self.rows_by} x {self.columns_by}: {counts or 'no run'}"

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the states, for notebooks."""
        lines = zip(self.rows, self.cells, strict=True)
        return (self.rows_by, *self.columns), [(row, *(cell.state for cell in cells)) for row, cells in lines]

    def all_cells(self) -> tuple[Cell, ...]:
        """Return every cell, row by row."""
        return tuple(cell for cells in self.cells for cell in cells)

    def column(self, index: int) -> tuple[Cell, ...]:
        """Return the cells of a column."""
        return tuple(cells[index] for cells in self.cells)

    def changes(self) -> dict[Change, list[Cell]]:
        """Return the cells that changed, by what happened to them."""
        found: dict[Change, list[Cell]] = {change: [] for change in CHANGES}
        for cell in self.all_cells():
            if cell.change is not None:
                found[cell.change].append(cell)
        return {change: cells for change, cells in found.items() if cells}


def totals(cells: Iterable[Cell]) -> dict[State, int]:
    """Return the number of cells of each state that occurs, in the order of `STATES`."""
    counts = Counter(cell.state for cell in cells)
    return {state: counts[state] for state in STATES if counts[state]}
