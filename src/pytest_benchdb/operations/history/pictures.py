"""A report with what its page draws: the rounds of each run, those of the run before, and the benchmark's history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.analysis.series.trend import level_bands
from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.errors import NoBaselineError
from pytest_benchdb.model.answer.picture import ReportPictures, Rounds, RunPicture
from pytest_benchdb.model.answer.trend import LevelBand, Trend, Trends
from pytest_benchdb.model.comparison import ComparisonRow, Side
from pytest_benchdb.model.metric import MAIN_MEMORY, MAIN_TIMES, MEMORY, METRICS, TIME
from pytest_benchdb.model.report import Report, ReportRow, Row, SessionRow
from pytest_benchdb.operations.compare.run import CompareRequest, compare
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.history.marks import session_marks
from pytest_benchdb.operations.history.trend import TrendRequest, follow_series
from pytest_benchdb.operations.read.report import read_report
from pytest_benchdb.operations.select.recipe import command_of
from pytest_benchdb.operations.select.selection import SelectedSessions, Selection, open_selection
from pytest_benchdb.operations.select.spec.resolve import kept_sessions, resolve_spec
from pytest_benchdb.operations.select.spec.syntax import parse_spec
from pytest_benchdb.store.read.reader import Reader

HISTORY = 100
"""Sessions of a history, if the user does not say how many."""

MOST_ROUNDS = 101
"""Rounds of a run that are drawn each; of more, as many evenly spaced quantiles."""

_FEW_ROUNDS = 25
"""As `MOST_ROUNDS`, in a report of more than `_MANY` runs, whose page would become too large."""

_MANY = 2000
_MOST_VALUES = 30_000
_MOST_REQUESTS = 1000
_SPANS = 60
_KINDS = ("energy", "power", "memory", "rate")

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
    baseline: str | None = None,
    feedback: Feedback = SILENT,
) -> IllustratedReport:
    """Read the report of a selection, and the history of each of its benchmarks up to the newest session in it.

    Args:
        selection: as for a report.
        request: the checkout that orders commits.
        percentiles: as for a report.
        history: number of sessions of a history, at most; 0 for none.
        baseline: SPEC of the sessions to compare the report's with; None for no comparison.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time or a name is not valid.
        NoBaselineError: no session is the baseline.
        StoreError: a file cannot be read, or there is no session.
    """
    with open_selection(selection, feedback, newest=None, root=request.root, environ=request.environ) as selected:
        report = read_report(selected, selection, percentiles=percentiles)
        trends = _trends(selected, selection, request, report, history)
        pictures = pictures_of(selected.reader, report, trends, {row.session_id: row for row in selected.everything})
        if baseline is not None:
            pictures = _compared(selected, selection, report, pictures, baseline)
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
    metrics = (TIME, *_other_metrics(selected.reader, report, len(sessions)))
    followed = Selection(paths=selection.paths, keyword=selection.keyword, metrics=metrics)
    return follow_series(replace(selected, sessions=sessions), followed, request, optional=True)


def _other_metrics(reader: Reader, report: Report, sessions: int) -> list[str]:
    """Return the metrics that get a history beside the times: as many as leave the page quick to make."""
    runs = sum(row.has_figures for shown in report.sessions for row in shown.rows)
    room = _MOST_VALUES // max(1, runs * sessions) - 1
    if room <= 0:
        return []
    measured = set(reader.metric_names([shown.session.session_id for shown in report.sessions]))
    wanted = [MEMORY] if measured.intersection(MAIN_MEMORY) else []
    others = sorted(measured - {*MAIN_TIMES, *MAIN_MEMORY}, key=lambda name: (_importance(name), name))
    return [*wanted, *others][:room]


def _importance(metric: str) -> int:
    """Return the place of a metric among the others: those of a suite's own first, then by kind."""
    kind = METRICS[metric].kind if metric in METRICS else None
    return _KINDS.index(kind) if kind in _KINDS else -1 if kind is None else len(_KINDS)


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
    series = trends.series if trends else ()
    followed = {_place_of(trend): trend for trend in series}
    trend_of = {row.run_id: followed.get(_place(row, sessions)) for row in rows if row.has_figures}
    others = _other_trends(series, rows, sessions)
    earlier = {row.run_id: _session_before(row, trend) for row in rows if (trend := trend_of.get(row.run_id))}
    own = sorted({shown.session.session_id for shown in report.sessions} | {row.session_id for row in rows})
    before = sorted({session_id for session_id in earlier.values() if session_id is not None})
    runs_before = {
        (session_id, _place(row, sessions)): row.run_id
        for session_id, found in reader.report(before).items()
        for row in found
        if row.has_figures
    }
    rounds = _read_rounds(reader, rows, [*own, *before])
    commands = reader.commands(own)
    parts = _read_parts(reader, own)
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
            others=others.get(row.run_id, ()),
            phases=parts.phases.get(row.run_id, ()),
            courses=parts.courses.get(row.run_id, ()),
            requests=parts.requests.get(row.run_id, ()),
            command=command_of(row, commands.get(row.session_id)),
        )
    drawn = [trend for trend in trend_of.values() if trend is not None]
    drawn += [trend for pairs in others.values() for trend, _ in pairs]
    used = {point.session_id for trend in drawn for point in trend.points}
    shown = tuple(row for row in sessions.values() if row.session_id in used)
    return ReportPictures(
        runs=pictures,
        sessions=shown,
        order_reason=trends.order_reason if trends else None,
        marks=session_marks(reader, shown, reader.baselines()),
        environments={session_id: reader.environment_of(session_id) for session_id in own},
    )


def _other_trends(
    series: Sequence[Trend], rows: Sequence[ReportRow], sessions: Mapping[str, SessionRow]
) -> dict[str, tuple[tuple[Trend, tuple[LevelBand, ...]], ...]]:
    """Return by run the histories of its metrics other than its main time, with their levels."""
    by_benchmark: dict[tuple[str, str | None], list[Trend]] = {}
    for trend in series:
        by_benchmark.setdefault((trend.key.fullname, trend.fingerprint), []).append(trend)
    devices: dict[str, set[str | None]] = {}
    for row in rows:
        devices.setdefault(row.fullname, set()).add(row.device)
    found = {}
    for row in rows:
        fingerprint = sessions[row.session_id].fingerprint
        found[row.run_id] = tuple(
            (trend, level_bands(trend))
            for trend in by_benchmark.get((row.fullname, fingerprint), ())
            if row.has_figures
            and _place_of(trend) != _place(row, sessions)
            # A run on an accelerator also has metrics of the processor, but not those of a run on another device.
            and (trend.key.device == row.device or trend.key.device not in devices[row.fullname])
        )
    return found


@dataclass(frozen=True, slots=True)
class _Parts:
    """What happened within runs, by run id."""

    phases: Mapping[str, tuple[Row, ...]]
    courses: Mapping[str, tuple[Row, ...]]
    requests: Mapping[str, tuple[Row, ...]]


def _read_parts(reader: Reader, session_ids: Sequence[str]) -> _Parts:
    names = reader.device_names()
    courses = [
        {**row, "device": names.get(row["device_id"])} for row in reader.series(session_ids=session_ids, spans=_SPANS)
    ]
    return _Parts(
        _by_run(reader.phases(session_ids)),
        _by_run(courses),
        _by_run(reader.requests(session_ids, most=_MOST_REQUESTS)),
    )


def _by_run(rows: Sequence[Row]) -> dict[str, tuple[Row, ...]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["run_id"], []).append(row)
    return {run_id: tuple(members) for run_id, members in found.items()}


def _compared(
    selected: SelectedSessions, selection: Selection, report: Report, pictures: ReportPictures, baseline: str
) -> ReportPictures:
    """Add how the times of the report's sessions compare with those of a baseline."""
    sessions = tuple(shown.session for shown in report.sessions)
    context = replace(selected.context, candidates=sessions)
    found = resolve_spec(parse_spec(baseline), selected.everything, context)
    if not found:
        raise NoBaselineError(f"--baseline {baseline}: there is no earlier session to compare with")
    request = CompareRequest(metrics=(TIME,), keyword=selection.keyword)
    sides = Side(name=baseline, sessions=tuple(found)), Side(name="this report", sessions=sessions)
    comparison = compare(selected.reader, *sides, request)
    judged: dict[tuple[str, str | None, str | None, str | None], ComparisonRow] = {
        (row.key.fullname, row.key.metric, row.key.phase, row.key.device): row for row in comparison.rows
    }
    runs = dict(pictures.runs)
    for row in (row for shown in report.sessions for row in shown.rows):
        other = judged.get((row.fullname, row.main_metric, row.main_phase, row.device))
        if other is not None:
            runs[row.run_id] = replace(pictures.of(row.run_id), judgement=other.judgement)
    return replace(pictures, runs=runs, baseline=baseline, doubts=comparison.warnings)


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
    most = MOST_ROUNDS if len(rows) <= _MANY else _FEW_ROUNDS
    return {
        (row["run_id"], row["metric"], row["phase"]): _rounds(row["session_id"], row["samples"], most)
        for row in reader.main_rounds(session_ids, metrics)
    }


def _rounds(session_id: str, samples: Sequence[float], most: int) -> Rounds:
    if len(samples) <= most:
        return Rounds(session_id=session_id, n=len(samples), values_s=tuple(samples), quantiles=False)
    values = tuple(quantile(samples, step / (most - 1)) for step in range(most))
    return Rounds(session_id=session_id, n=len(samples), values_s=values, quantiles=True)
