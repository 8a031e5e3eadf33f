"""The report: which sessions and runs to show, in which order.

The list of sessions.
"""

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import Report, ReportRow, SessionReport, SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.where import Where, parse_where
from pytest_benchdb.operations.select.selection import Selection, in_time, named_sessions, some_in_time
from pytest_benchdb.operations.select.sessions import Source, stored_sessions
from pytest_benchdb.operations.select.spec.resolve import SpecContext, spec_context
from pytest_benchdb.present.report.columns import COLUMN_KEYS, figure_of


def build_report(
    source: Source, selection: Selection, *, now: dt.datetime | None = None, feedback: Feedback = SILENT
) -> Report:
    """Read the sessions that are asked for and keep the runs that match.

    Without names, times or a number the newest session is shown, or as many as files were named.

    Args:
        source: files and folders, and names of sessions in them.
        selection: filters and order.
        now: the current time, for spans such as ``7d``; None takes the clock.
        feedback: told about progress and about sessions that could not be read.

    Raises:
        ConfigError: a filter, a time, a name or a column cannot be used.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    matches = parse_expression(selection.keyword or "")
    where = parse_where(selection.where or "")
    check_sort(selection.sort)
    moment = now or dt.datetime.now(dt.timezone.utc)
    with open_source(source.paths, feedback) as reader:
        everything = stored_sessions(reader, source.paths)
        context = spec_context(reader, warn=feedback.warn) if source.sessions else None
        chosen = choose_sessions(everything, source, selection, moment, context)
        rows = reader.report([session.session_id for session in chosen])
    shown = tuple(
        SessionReport(
            session=session,
            rows=tuple(sort_rows(_matching(rows.get(session.session_id, ()), matches, where), selection.sort)),
            outcomes=dict(Counter(row.outcome for row in rows.get(session.session_id, ()))),
        )
        for session in chosen
    )
    return Report(
        sources=tuple(map(str, source.paths)),
        sessions=shown,
        sessions_in_all=len(everything),
        selection=selection.text(),
    )


def choose_sessions(
    sessions: Sequence[SessionRow],
    source: Source,
    selection: Selection,
    now: dt.datetime,
    context: SpecContext | None = None,
) -> list[SessionRow]:
    """Return the sessions to show, oldest first.

    Args:
        sessions: all there are, oldest first.
        source: names of sessions, and the paths, of which files count.
        selection: times and number.
        now: the current time, aware.
        context: what names are resolved against; None knows no baselines.

    Raises:
        ConfigError: a name or a time cannot be used, or nothing is left.
    """
    chosen = some_in_time(named_sessions(sessions, source, context), selection, now, of=len(sessions))
    last = selection.last
    if last is None and not (source.sessions or selection.since or selection.until):
        files = sum(1 for path in source.paths if path.is_file())
        last = max(1, files)
    return chosen if last is None else chosen[-last:]


def check_sort(sort: str | None) -> None:
    """Refuse an order that cannot be.

    Raises:
        ConfigError: there is no such column.
    """
    if sort is not None and sort.removeprefix("-") not in COLUMN_KEYS:
        raise ConfigError(
            f"--sort {sort}: no such column; choose from {', '.join(COLUMN_KEYS)}, with '-' for descending"
        )


def sort_rows(rows: Sequence[ReportRow], sort: str | None) -> list[ReportRow]:
    """Return runs in an order; those without the figure come last, whichever way it goes."""
    if sort is None:
        return list(rows)
    key = sort.removeprefix("-")
    known = [row for row in rows if not _is_missing(figure_of(row, key))]
    missing = [row for row in rows if _is_missing(figure_of(row, key))]
    known.sort(key=lambda row: _sort_key(figure_of(row, key)), reverse=sort.startswith("-"))
    return known + missing


def _sort_key(value: str | float | None) -> tuple[float, str]:
    return (0.0, value.lower()) if isinstance(value, str) else (float(value or 0), "")


def _is_missing(value: str | float | None) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _matching(rows: Iterable[ReportRow], matches: Callable[[str], bool], where: Where) -> list[ReportRow]:
    return [row for row in rows if matches(row.fullname) and where.matches(row)]


def list_sessions(
    source: Source, selection: Selection, *, now: dt.datetime | None = None, feedback: Feedback = SILENT
) -> list[SessionRow]:
    """Return the sessions of files and folders, newest first.

    Args:
        source: what to read.
        selection: `since`, `until` and `last` count.
        now: the current time, for spans such as ``7d``; None takes the clock.
        feedback: told about progress and about sessions that could not be read.

    Raises:
        ConfigError: a time cannot be read.
        StoreError: a file cannot be read.
    """
    with open_source(source.paths, feedback) as reader:
        sessions = reader.sessions()
    chosen = in_time(sessions, selection, now or dt.datetime.now(dt.timezone.utc))
    if selection.last is not None:
        chosen = chosen[-selection.last :]
    return chosen[::-1]
