"""Read reports, the list of sessions, and the details of one session or run."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pytest_benchdb.analysis.roofline import precision_named, roof_of
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import Report, ReportRow, RunDetail, SessionReport, SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.where import parse_where
from pytest_benchdb.operations.select.selection import (
    Selection,
    filter_by_time,
    find_sessions,
    open_selection,
    stored_sessions,
)
from pytest_benchdb.operations.select.spec.context import spec_context
from pytest_benchdb.store.read.reader import Reader

_FULL_ID = 36
_MOST_CANDIDATES = 5
_PEAK_FLOPS, _PEAK_BYTES = "peak_flops_per_second", "peak_bytes_per_second"


def build_report(selection: Selection, *, feedback: Feedback = SILENT) -> Report:
    """Read the selected sessions with the runs that match.

    Without names, times or a number that is the newest session, or as many as there are files.

    Raises:
        ConfigError: a filter, a time or a name is not valid.
        StoreError: a file cannot be read, or there is no session.
    """
    matches = parse_expression(selection.keyword or "")
    where = parse_where(selection.where or "")
    with open_selection(selection, feedback, newest=None) as selected:
        return _report(
            selected.reader,
            selection,
            selected.sessions,
            of=len(selected.everything),
            is_shown=lambda row: matches(row.fullname) and where.matches(row),
        )


def list_sessions(selection: Selection, *, feedback: Feedback = SILENT) -> list[SessionRow]:
    """Return sessions, newest first; only the selection's times and number are applied.

    Raises:
        ConfigError: a time is not valid.
        StoreError: a file cannot be read.
    """
    with open_source(selection.paths, feedback) as reader:
        sessions = filter_by_time(reader.sessions(), selection)
    return sessions[-selection.last :][::-1] if selection.last is not None else sessions[::-1]


def read_session_or_run(selection: Selection, feedback: Feedback = SILENT) -> Report | RunDetail:
    """Return the session or run that a selection names; sessions take precedence.

    Args:
        selection: with one SPEC: a session, ``run:ID``, or the beginning of either's id.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: the name matches nothing, or several runs.
        StoreError: a file cannot be read, or there is no session.
    """
    (name,) = selection.specs or ("latest",)
    with open_source(selection.paths, feedback) as reader:
        if name.startswith("run:"):
            return reader.run_detail(_run_id(reader, name.removeprefix("run:"), name))
        try:
            sessions = stored_sessions(reader, selection.paths)
            named = find_sessions([name], sessions, spec_context(reader))[-1:]
            return _report(reader, selection, named, of=len(sessions))
        except ConfigError:
            if not reader.find_runs(name.lower()):
                raise
            return reader.run_detail(_run_id(reader, name, name))


def _report(
    reader: Reader,
    selection: Selection,
    sessions: Sequence[SessionRow],
    *,
    of: int,
    is_shown: Callable[[ReportRow], bool] = lambda _row: True,
) -> Report:
    runs = _with_roofs(reader, reader.report([session.session_id for session in sessions]))
    shown = []
    for session in sessions:
        rows = runs.get(session.session_id, ())
        outcomes: dict[str, int] = dict(Counter(row.outcome for row in rows))
        shown.append(SessionReport(session=session, rows=tuple(filter(is_shown, rows)), outcomes=outcomes))
    sources = tuple(map(str, selection.paths))
    return Report(sources=sources, sessions=tuple(shown), sessions_in_all=of, selection=selection.text())


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


def _run_id(reader: Reader, prefix: str, name: str) -> str:
    ids = [prefix.lower()] if len(prefix) == _FULL_ID else list(reader.find_runs(prefix))
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise ConfigError(f"{name!r} is not a run; run ids are in the data of: benchdb report -f csv")
    raise ConfigError(f"{name!r} matches several runs: {', '.join(ids[:_MOST_CANDIDATES])}, ...; write more of the id")
