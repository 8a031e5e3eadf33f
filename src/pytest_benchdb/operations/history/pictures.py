"""A report with what its page draws: the rounds of each run, those of the run before, and the benchmark's history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.analysis.series.trend import level_bands
from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.model.answer.picture import ReportPictures, Rounds, RunPicture
from pytest_benchdb.model.answer.trend import Trend, Trends
from pytest_benchdb.model.metric import TIME
from pytest_benchdb.model.report import Report, ReportRow, SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.history.trend import TrendRequest, follow_series
from pytest_benchdb.operations.read.report import read_report
from pytest_benchdb.operations.select.recipe import command_of
from pytest_benchdb.operations.select.selection import SelectedSessions, Selection, open_selection
from pytest_benchdb.operations.select.spec.resolve import kept_sessions
from pytest_benchdb.store.read.reader import Reader

HISTORY = 100
"""Sessions of a history, if the user does not say how many."""

MOST_ROUNDS = 101
"""Rounds of a run that are drawn each; of more, as many evenly spaced quantiles."""

_Place = tuple[str, str | None, str | None, str | None, str | None]
"""A series of a machine: benchmark, metric, phase, device, fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IllustratedReport:
    """A report and what there is to draw of it."""

    report: Report
    pictures: ReportPictures


def build_illustrated(
    selection: Selection,
    request: TrendRequest,
    *,
    percentiles: Sequence[float] = (),
    history: int = HISTORY,
    feedback: Feedback = SILENT,
) -> IllustratedReport:
    """Read the report of a selection, and the history of each of its benchmarks up to the newest session in it.

    Args:
        selection: as for a report.
        request: the checkout that orders commits.
        percentiles: as for a report.
        history: number of sessions of a history, at most; 0 for none.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time or a name is not valid.
        StoreError: a file cannot be read, or there is no session.
    """
    with open_selection(selection, feedback, newest=None, root=request.root, environ=request.environ) as selected:
        report = read_report(selected, selection, percentiles=percentiles)
        trends = _trends(selected, selection, request, report, history)
        pictures = pictures_of(selected.reader, report, trends, {row.session_id: row for row in selected.everything})
    return IllustratedReport(report=report, pictures=pictures)


def _trends(
    selected: SelectedSessions, selection: Selection, request: TrendRequest, report: Report, history: int
) -> Trends | None:
    """Follow the main times of the sessions up to the newest one of the report; None if there are no such sessions."""
    newest = max(shown.session.placed_at for shown in report.sessions)
    sessions = [row for row in kept_sessions(selected.everything) if row.placed_at <= newest][-history:]
    if not sessions or not history:
        return None
    # Filters on runs choose rows; the rows choose their series, whatever else those filters would match.
    main_times = Selection(paths=selection.paths, keyword=selection.keyword, metrics=(TIME,))
    return follow_series(replace(selected, sessions=sessions), main_times, request, optional=True)


def pictures_of(
    reader: Reader, report: Report, trends: Trends | None, sessions: Mapping[str, SessionRow]
) -> ReportPictures:
    """Read what there is to draw of the runs of a report.

    Args:
        reader: an open history that contains the sessions.
        report: the runs.
        trends: the histories of their benchmarks; None without any.
        sessions: those of the report and of the histories, by id, in their order.
    """
    rows = [row for shown in report.sessions for row in shown.rows]
    followed = {_place_of(trend): trend for trend in (trends.series if trends else ())}
    trend_of = {row.run_id: followed.get(_place(row, sessions)) for row in rows if row.has_figures}
    earlier = {row.run_id: _session_before(row, trend) for row in rows if (trend := trend_of.get(row.run_id))}
    own = sorted({shown.session.session_id for shown in report.sessions} | {row.session_id for row in rows})
    others = sorted({session_id for session_id in earlier.values() if session_id is not None})
    runs_before = {
        (session_id, _place(row, sessions)): row.run_id
        for session_id, found in reader.report(others).items()
        for row in found
        if row.has_figures
    }
    rounds = _read_rounds(reader, rows, [*own, *others])
    commands = reader.commands(own)
    pictures = {}
    for row in rows:
        trend = trend_of.get(row.run_id)
        session_before = earlier.get(row.run_id)
        run_before = None if session_before is None else runs_before.get((session_before, _place(row, sessions)))
        pictures[row.run_id] = RunPicture(
            rounds=rounds.get((row.run_id, row.main_metric, row.main_phase)) if row.has_figures else None,
            before=None if run_before is None else rounds.get((run_before, row.main_metric, row.main_phase)),
            trend=trend,
            bands=() if trend is None else level_bands(trend),
            command=command_of(row, commands.get(row.session_id)),
        )
    used = {point.session_id for trend in trend_of.values() if trend is not None for point in trend.points}
    return ReportPictures(
        runs=pictures,
        sessions=tuple(row for row in sessions.values() if row.session_id in used),
        order_reason=trends.order_reason if trends else None,
        environments={session_id: reader.environment_of(session_id) for session_id in own},
    )


def _place(row: ReportRow, sessions: Mapping[str, SessionRow]) -> _Place:
    return row.fullname, row.main_metric, row.main_phase, row.device, sessions[row.session_id].fingerprint


def _place_of(trend: Trend) -> _Place:
    key = trend.key
    return key.fullname, key.metric, key.phase, key.device, trend.fingerprint


def _session_before(row: ReportRow, trend: Trend) -> str | None:
    """Return the session of the last value before a run's own; None without one."""
    before = None
    for point in trend.points:
        if point.session_id == row.session_id:
            return before
        before = before if point.value is None else point.session_id
    return None


def _read_rounds(
    reader: Reader, rows: Sequence[ReportRow], session_ids: Sequence[str]
) -> dict[tuple[str, str | None, str | None], Rounds]:
    """Return the rounds of the main times, by run, metric and phase."""
    metrics = sorted({row.main_metric for row in rows if row.main_metric is not None})
    return {
        (row["run_id"], row["metric"], row["phase"]): _rounds(row["session_id"], row["samples"])
        for row in reader.main_rounds(session_ids, metrics)
    }


def _rounds(session_id: str, samples: Sequence[float]) -> Rounds:
    if len(samples) <= MOST_ROUNDS:
        return Rounds(session_id=session_id, n=len(samples), values_s=tuple(samples), quantiles=False)
    steps = MOST_ROUNDS - 1
    values = tuple(quantile(samples, step / steps) for step in range(MOST_ROUNDS))
    return Rounds(session_id=session_id, n=len(samples), values_s=values, quantiles=True)
