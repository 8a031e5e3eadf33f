"""The cells of a compatibility matrix: runs in their places, what they come to, and where to run each row."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.analysis.compatibility import Candidate, change_of, recommend, severity, state_of, why_text
from pytest_benchdb.model.compatibility.matrix import Cell, MatrixRun, Place, Recommendation
from pytest_benchdb.model.run import PASSED
from pytest_benchdb.operations.compare.axis import bare_name
from pytest_benchdb.operations.matrix.dimensions import ordered, value_of

Runs = Mapping[Place, Sequence[MatrixRun]]
"""The newest run of each benchmark and configuration, by place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The runs now, and those of the side to compare with; None without one."""

    now: Runs
    before: Runs | None


def place_runs(runs: Iterable[MatrixRun], rows_by: str, columns_by: str) -> tuple[Runs, dict[str, int]]:
    """Return the newest run of each benchmark and configuration in each place.

    Returns:
        The runs; and how many benchmarks lack a dimension, by the dimension.
    """
    newest: dict[Place, dict[Hashable, MatrixRun]] = {}
    without: dict[str, set[str]] = {}
    for run in runs:
        row = value_of(run, rows_by, columns_by, run.session_row)
        column = value_of(run, columns_by, rows_by, run.session_column)
        if row is None or column is None:
            without.setdefault(rows_by if row is None else columns_by, set()).add(run.fullname)
            continue
        cases = newest.setdefault(Place(row, column), {})
        case = (run.fullname, run.configuration)
        other = cases.get(case)
        if other is None or other.age_key < run.age_key:
            cases[case] = run
    placed = {place: list(cases.values()) for place, cases in newest.items()}
    return placed, {name: len(names) for name, names in without.items()}


def all_cells(
    sides: Sides, *, stale_before: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    """Return the values of rows and columns that occur on a side, and a cell for each of their combinations.

    Args:
        sides: from `place_runs`.
        stale_before: a cell whose newest run is older is stale; ISO 8601 in UTC.
    """
    places = [*sides.now, *(sides.before or ())]
    rows, columns = ordered(place.row for place in places), ordered(place.column for place in places)

    def cell_of(place: Place) -> Cell:
        runs = sides.now.get(place, ())
        outcomes = [run.outcome for run in runs]
        state = state_of(outcomes)
        before = None if sides.before is None else state_of(run.outcome for run in sides.before.get(place, ()))
        return Cell(
            place=place,
            state=state,
            runs=tuple(sorted(runs, key=lambda run: (severity(run.outcome), run.fullname, run.run_id))),
            why=why_text(outcomes),
            best=_best(runs),
            stale=bool(runs) and max(run.started_at for run in runs) < stale_before,
            before=before,
            change=None if before is None else change_of(before, state),
        )

    return rows, columns, tuple(tuple(cell_of(Place(row, column)) for column in columns) for row in rows)


def _best(runs: Collection[MatrixRun]) -> MatrixRun | None:
    """Return the run with the best value: of the metric that most runs have, the newest if it has no direction."""
    valued = [run for run in runs if run.value is not None and run.outcome in PASSED]
    if not valued:
        return None
    metrics = [(run.metric, run.unit) for run in valued]
    metric = max(metrics, key=lambda one: (metrics.count(one), one))
    alike = [run for run in valued if (run.metric, run.unit) == metric]
    if any(run.better != alike[0].better or run.better == "none" for run in alike):
        return max(alike, key=lambda run: run.age_key)
    sign = 1 if alike[0].better == "lower" else -1
    return min(alike, key=lambda run: (sign * (run.value or 0.0), run.fullname, run.run_id))


def recommendations(cells: Sequence[Sequence[Cell]], metric: str, *, of_columns: bool) -> tuple[Recommendation, ...]:
    """Return where to run what the other dimension holds.

    Args:
        cells: a row of cells for each row.
        metric: as the user named it.
        of_columns: whether the columns are the places; else the rows are.
    """
    lines = cells if of_columns else list(zip(*cells, strict=True))
    return tuple(_recommendation(line, metric, of_columns=of_columns) for line in lines)


def _recommendation(line: Sequence[Cell], metric: str, *, of_columns: bool) -> Recommendation:
    runs: dict[str, list[MatrixRun]] = {}
    for cell in line:
        real = [run for run in cell.runs if run.provenance != "simulated"]
        if real:
            runs[cell.place.column if of_columns else cell.place.row] = real
    candidates = [
        Candidate(
            name=name,
            state=state_of(run.outcome for run in of_place),
            passed=sum(run.outcome in PASSED for run in of_place),
            values=_values(of_place, name),
        )
        for name, of_place in runs.items()
    ]
    directions = {run.better for of_place in runs.values() for run in of_place if run.better is not None}
    better = directions.pop() if len(directions) == 1 else "none"
    choice, reason = recommend(candidates, better, metric)
    return Recommendation(
        subject=line[0].place.row if of_columns else line[0].place.column,
        choice=choice,
        reason=reason,
        imported=choice is not None and any(run.provenance == "imported" for of in runs.values() for run in of),
    )


def _values(runs: Iterable[MatrixRun], place: str) -> dict[Hashable, float]:
    """Return the best value of each benchmark and configuration; a metric is compared with the same metric only."""
    values: dict[Hashable, float] = {}
    for run in runs:
        if run.value is None or run.outcome not in PASSED:
            continue
        name = bare_name(run.fullname, run.params, run.backend or place)
        key = (name, run.configuration, run.metric, run.unit)
        better = max if run.better == "higher" else min
        values[key] = better(values.get(key, run.value), run.value)
    return values
