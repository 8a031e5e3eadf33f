"""Read reports and the list of sessions."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pytest_benchdb.analysis.roofline import precision_named, roof_of
from pytest_benchdb.analysis.statistics.spread import percentile
from pytest_benchdb.model.report import Report, ReportRow, Row, SessionReport, SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.where import parse_where, report_columns
from pytest_benchdb.operations.select.partial_runs import newest_runs, read_recent
from pytest_benchdb.operations.select.selection import (
    SelectedSessions,
    Selection,
    filter_by_time,
    open_selection,
)
from pytest_benchdb.present.report.columns import figure_of
from pytest_benchdb.store.read.reader import Reader

_PEAK_FLOPS, _PEAK_BYTES = "peak_flops_per_second", "peak_bytes_per_second"


def build_report(selection: Selection, *, percentiles: Sequence[float] = (), feedback: Feedback = SILENT) -> Report:
    """Read the selected sessions with the runs that match.

    Without names, times or a number that is the newest session, or as many as there are files. To a single session
    that ran only a part of the suite, the newest runs of the other benchmarks are added.

    Args:
        selection: what to read.
        percentiles: those to compute from the rounds of each run, in percent.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time or a name is not valid.
        StoreError: a file cannot be read, or there is no session.
    """
    with open_selection(selection, feedback, newest=None) as selected:
        return read_report(selected, selection, percentiles=percentiles)


def read_report(selected: SelectedSessions, selection: Selection, *, percentiles: Sequence[float] = ()) -> Report:
    """Read a report from an open history, as `build_report` does.

    Raises:
        ConfigError: a filter is not valid.
        StoreError: the history cannot be read.
    """
    matches = parse_expression(selection.keyword or "")
    where = parse_where(selection.where or "")
    columns = report_columns(where.metrics)

    def is_shown(row: ReportRow) -> bool:
        return matches(row.fullname) and where.matches(row) and _has(row, columns)

    report = report_of(
        selected.reader,
        selection,
        selected.sessions,
        of=len(selected.everything),
        is_shown=is_shown,
        percentiles=percentiles,
    )
    is_named = selection.specs or selection.since or selection.until or selection.last
    if is_named or len(report.sessions) > 1:
        return report
    return _with_older(report, selection, selected, is_shown, percentiles)


def _with_older(
    report: Report,
    selection: Selection,
    selected: SelectedSessions,
    is_shown: Callable[[ReportRow], bool],
    percentiles: Sequence[float],
) -> Report:
    """Add the newest runs of the benchmarks that the session's command left out."""
    (shown,) = report.sessions
    recent = read_recent(selected.reader, shown.session, selected.everything)
    newest = newest_runs(recent)
    sessions = [entry.session for entry in recent[1:] if entry.session.session_id in set(newest.values())]
    if not sessions:
        return report
    older = report_of(
        selected.reader,
        selection,
        sessions,
        of=report.sessions_in_all,
        is_shown=lambda row: newest.get(row.fullname) == row.session_id and is_shown(row),
        percentiles=percentiles,
    )
    rows = [
        replace(row, older_at=other.session.started_at, older_commit=other.session.commit_sha)
        for other in older.sessions
        for row in other.rows
    ]
    return replace(report, sessions=(replace(shown, rows=(*shown.rows, *rows)),))


def _has(row: ReportRow, columns: Sequence[str]) -> bool:
    """Return whether a run has one of the figures that were asked for, or none because it did not pass."""
    return not columns or not row.has_figures or any(figure_of(row, column) is not None for column in columns)


def list_sessions(selection: Selection, *, feedback: Feedback = SILENT) -> list[SessionRow]:
    """Return sessions, newest first; only the selection's times and number are applied.

    Raises:
        ConfigError: a time is not valid.
        StoreError: a file cannot be read.
    """
    with open_source(selection.paths, feedback) as reader:
        sessions = filter_by_time(reader.sessions(), selection)
    return sessions[-selection.last :][::-1] if selection.last is not None else sessions[::-1]


def report_of(
    reader: Reader,
    selection: Selection,
    sessions: Sequence[SessionRow],
    *,
    of: int,
    is_shown: Callable[[ReportRow], bool] = lambda _row: True,
    percentiles: Sequence[float] = (),
) -> Report:
    """Return the report of sessions.

    Args:
        reader: an open history that contains the sessions.
        selection: what they were selected by.
        sessions: oldest first.
        of: number of sessions in all.
        is_shown: whether to show a run.
        percentiles: as in `build_report`.
    """
    notes: dict[str, list[Row]] = {}
    for note in reader.notes(sessions[0].session_id if len(sessions) == 1 else None):
        notes.setdefault(note["session_id"], []).append(note)
    runs = _with_roofs(reader, reader.report([session.session_id for session in sessions]))
    if percentiles:
        runs = _with_percentiles(reader, runs, percentiles)
    shown = []
    for session in sessions:
        rows = runs.get(session.session_id, ())
        outcomes: dict[str, int] = dict(Counter(row.outcome for row in rows))
        about = tuple(notes.get(session.session_id, ()))
        shown.append(SessionReport(session=session, rows=tuple(filter(is_shown, rows)), outcomes=outcomes, notes=about))
    sources = tuple(map(str, selection.paths))
    return Report(sources=sources, sessions=tuple(shown), sessions_in_all=of, selection=selection.text())


def _with_percentiles(
    reader: Reader, runs: Mapping[str, list[ReportRow]], percentiles: Sequence[float]
) -> dict[str, list[ReportRow]]:
    """Add percentiles of the rounds, where they were kept."""
    metrics = sorted({row.main_metric for rows in runs.values() for row in rows if row.main_metric is not None})
    rounds: dict[tuple[str, str | None, str | None], list[float]] = {
        (row["run_id"], row["metric"], row["phase"]): row["samples"] for row in reader.main_rounds(list(runs), metrics)
    }

    def with_percentiles(row: ReportRow) -> ReportRow:
        values = rounds.get((row.run_id, row.main_metric, row.main_phase)) if row.has_figures else None
        found = {f"p{percent:g}": None if values is None else percentile(values, percent) for percent in percentiles}
        return replace(row, percentiles=found)

    return {session_id: [with_percentiles(row) for row in rows] for session_id, rows in runs.items()}


def _with_roofs(reader: Reader, runs: Mapping[str, list[ReportRow]]) -> dict[str, list[ReportRow]]:
    """Add to runs whose work is known how close they come to the peaks of their device, where those were measured."""
    rates: dict[str, dict[str, float]] = {}
    places: dict[str, tuple[str, str]] = {}
    for rate in reader.work_rates(list(runs)):
        rates.setdefault(rate["run_id"], {})[rate["metric"]] = rate["value"]
        places[rate["run_id"]] = rate["fingerprint"], rate["device_id"]
    if not rates:
        return dict(runs)
    peaks = {
        (peak["fingerprint"], peak["device_id"], peak["metric"], peak["precision"]): peak["value"]
        for peak in reader.peaks()
    }

    def with_roof(row: ReportRow) -> ReportRow:
        if row.run_id not in rates or row.provenance == "simulated":
            return row
        place = places[row.run_id]
        precision = precision_named(row.precision)
        roof = roof_of(
            flops_per_second=rates[row.run_id].get("flops_per_second"),
            bytes_per_second=rates[row.run_id].get("bytes_per_second"),
            peak_flops_per_second=None if precision is None else peaks.get((*place, _PEAK_FLOPS, precision)),
            peak_bytes_per_second=peaks.get((*place, _PEAK_BYTES, None)),
        )
        return row if roof is None else replace(row, roof_share=roof.share, roof_limit=roof.limit)

    return {session_id: [with_roof(row) for row in rows] for session_id, rows in runs.items()}
