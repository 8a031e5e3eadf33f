"""Build the compatibility matrix: the state of each combination of two dimensions, from recorded outcomes alone."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.compatibility.matrix import Matrix, MatrixRun
from pytest_benchdb.model.metric import TIME, absent_text, metrics_of
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.matrix.cells import Sides, all_cells, place_runs, recommendations
from pytest_benchdb.operations.matrix.dimensions import PLACES, parse_dimension, session_dimension, usual_rows
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.where import parse_where
from pytest_benchdb.operations.select.selection import (
    Selection,
    filter_by_time,
    pick_sessions,
    stored_sessions,
)
from pytest_benchdb.operations.select.series import names_like
from pytest_benchdb.operations.select.spec.context import SpecContext, spec_context
from pytest_benchdb.operations.select.spec.resolve import kept_sessions, resolve_spec
from pytest_benchdb.operations.select.spec.syntax import parse_spec
from pytest_benchdb.store.read.reader import Reader

STALE_AFTER_S = 30 * 86_400.0
_MORE_KEYS = ("family", "modality", "framework", "use_case", "sequence_length")
"""Keys of `-w` that only a matrix knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRequest:
    """What a matrix is to show.

    Attributes:
        rows: dimension of the rows, as the user wrote it; None for the model, or what suits runs without one.
        columns: dimension of the columns; None for the backend.
        compared_with: SPEC of sessions to compare with: with those up to then if the selection names no sessions, else
            with those alone.
        stale_after_s: age from which a cell is stale, in seconds.
    """

    rows: str | None = None
    columns: str | None = None
    compared_with: str | None = None
    stale_after_s: float = STALE_AFTER_S


@dataclass(frozen=True, slots=True)
class _Question:
    """A request with its filters parsed.

    Attributes:
        matches: whether a run is among those that the user asked for.
        with_simulated: whether the user's filter is about the provenance.
        metrics: in order of preference.
    """

    rows: str | None
    columns: str
    matches: Callable[[MatrixRun], bool]
    with_simulated: bool
    word: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """The runs of both sides, simulated ones included; `before` is None without a comparison."""

    runs: Sequence[MatrixRun]
    before: Sequence[MatrixRun] | None
    sessions: int


def build_matrix(selection: Selection, request: MatrixRequest, *, feedback: Feedback = SILENT) -> Matrix:
    """Return the matrix of the selected sessions: without names, times or a number, of the newest 400.

    Raises:
        ConfigError: a dimension, a filter, a name or a time is not valid, or nothing measured the metric.
        NoBaselineError: a SPEC matches no session.
        StoreError: a file cannot be read.
    """
    question = _question(selection, request)
    with open_source(selection.paths, feedback) as reader:
        everything = stored_sessions(reader, selection.paths)
        context = spec_context(reader, warn=feedback.warn)
        sessions = _selected(everything, selection, context)
        runs = _read(reader, sessions, question, selection)
        if selection.metrics and runs and all(run.value is None for run in runs):
            there = reader.metric_names([session.session_id for session in sessions])
            raise ConfigError(f"--metric {question.word}: {absent_text(question.word, there)}")
        before = None
        if request.compared_with is not None:
            others = _compared(everything, selection, request.compared_with, context)
            before = _read(reader, others, question, selection)
    return _matrix(selection, request, question, _Runs(runs=runs, before=before, sessions=len(sessions)))


def history_matrix(reader: Reader, sessions: Sequence[SessionRow], selection: Selection) -> Matrix:
    """Return the default matrix of an open history, as of its newest run: it depends on the sessions alone.

    Raises:
        ConfigError: a filter is not valid.
        StoreError: the history cannot be read.
    """
    request = MatrixRequest()
    question = _question(selection, request)
    runs = _read(reader, sessions, question, selection)
    if runs:
        newest = dt.datetime.fromisoformat(max(run.started_at for run in runs))
        selection = replace(selection, now=newest.replace(tzinfo=dt.timezone.utc))
    return _matrix(selection, request, question, _Runs(runs=runs, before=None, sessions=len(sessions)))


def _question(selection: Selection, request: MatrixRequest) -> _Question:
    columns = parse_dimension("--cols", request.columns or "backend")
    rows = None if request.rows is None else parse_dimension("--rows", request.rows)
    if rows == columns:
        raise ConfigError(f"--rows {rows} --cols {columns}: both are the same dimension; name two")
    where = parse_where(selection.where or "", _MORE_KEYS)
    keyword = parse_expression(selection.keyword or "")
    words = (*selection.metrics, *where.metrics) or (TIME,)
    if len(words) > 1:
        raise ConfigError(f"--metric {','.join(words)}: a cell shows one metric; name one")

    def matches(run: MatrixRun) -> bool:
        return keyword(run.fullname) and where.matches_named(lambda key: _field(run, key))

    return _Question(
        rows=rows,
        columns=columns,
        matches=matches,
        with_simulated=any(term.key == "provenance" for term in where.terms),
        word=words[0],
        metrics=metrics_of(words[0]),
    )


def _field(run: MatrixRun, key: str) -> object:
    if key == "file":
        return run.fullname.partition("::")[0]
    return getattr(run, {"session": "session_id"}.get(key, key), None)


def _selected(everything: Sequence[SessionRow], selection: Selection, context: SpecContext) -> list[SessionRow]:
    """Return the selected sessions: of a SPEC all that it means, because one commit is tested on several machines."""
    if not selection.specs:
        return pick_sessions(everything, selection, context)
    named = {
        session.session_id
        for text in selection.specs
        for session in resolve_spec(parse_spec(text), everything, context)
    }
    picked = filter_by_time((session for session in everything if session.session_id in named), selection)
    if not picked:
        raise ConfigError(f"none of the sessions of {' '.join(selection.specs)} is between --since and --until")
    return picked if selection.last is None else picked[-selection.last :]


def _compared(
    everything: Sequence[SessionRow], selection: Selection, spec: str, context: SpecContext
) -> list[SessionRow]:
    named = resolve_spec(parse_spec(spec), everything, context)
    if selection.specs or not named:
        return named
    place = max(everything.index(session) for session in named)
    kept = {session.session_id for session in (*kept_sessions(everything), *named)}
    return [session for session in everything[: place + 1] if session.session_id in kept]


def _read(reader: Reader, sessions: Sequence[SessionRow], question: _Question, selection: Selection) -> list[MatrixRun]:
    runs = reader.matrix_runs(
        [session.session_id for session in sessions],
        metrics=question.metrics,
        names=names_like(reader, selection.keyword),
        rows=session_dimension(question.rows or ""),
        columns=session_dimension(question.columns),
    )
    return [run for run in runs if question.matches(run)]


def _matrix(selection: Selection, request: MatrixRequest, question: _Question, found: _Runs) -> Matrix:
    def counting(runs: Sequence[MatrixRun]) -> list[MatrixRun]:
        return [run for run in runs if question.with_simulated or run.provenance != "simulated"]

    runs = counting(found.runs)
    rows_by, reason = (question.rows, None) if question.rows else usual_rows(runs, question.columns)
    dimensions = rows_by, question.columns
    placed, without = place_runs(runs, *dimensions)
    before = None if found.before is None else place_runs(counting(found.before), *dimensions)[0]
    now = (selection.now or dt.datetime.now(dt.timezone.utc)).astimezone(dt.timezone.utc).replace(tzinfo=None)
    rows, columns, cells = all_cells(
        Sides(now=placed, before=before),
        stale_before=(now - dt.timedelta(seconds=request.stale_after_s)).isoformat(timespec="microseconds"),
    )
    places_by = next((name for name in (question.columns, rows_by) if name in PLACES), None)
    return Matrix(
        sources=tuple(map(str, selection.paths)),
        selection=selection.text(),
        compared_with=request.compared_with,
        rows_by=rows_by,
        columns_by=question.columns,
        rows=rows,
        columns=columns,
        cells=cells,
        metric=question.word,
        places_by=places_by,
        recommendations=recommendations(cells, question.word, of_columns=places_by == question.columns)
        if places_by is not None
        else (),
        sessions=found.sessions,
        stale_after_s=request.stale_after_s,
        now=now.isoformat(timespec="seconds"),
        notes=tuple(_notes(reason, len(found.runs) - len(runs), without)),
    )


def _notes(reason: str | None, simulated: int, without: Mapping[str, int]) -> Iterator[str]:
    if reason is not None:
        yield reason
    for name, number in without.items():
        verb = "has" if number == 1 else "have"
        yield f"{counted(number, 'benchmark')} {verb} no {name}, and so no place here"
    if simulated:
        yield "simulated runs are left out; -w provenance=simulated shows them"
