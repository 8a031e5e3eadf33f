"""Read what the pages of a site show, as far as the site does not have it already."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace

from pytest_benchdb.analysis.series.trend import level_bands
from pytest_benchdb.model.answer.picture import (
    NO_PICTURES,
    BenchmarkHistory,
    Course,
    KnownPages,
    ReportPictures,
    SiteContent,
)
from pytest_benchdb.model.answer.trend import Trend
from pytest_benchdb.model.compatibility.matrix import Matrix
from pytest_benchdb.model.metric import TIME
from pytest_benchdb.model.report import Report, ReportRow, Row, SessionReport, SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.history.marks import session_marks
from pytest_benchdb.operations.history.pictures import pictures_of
from pytest_benchdb.operations.history.trend import SessionOrder, TrendRequest, follow_series, order_sessions
from pytest_benchdb.operations.matrix.build import history_matrix
from pytest_benchdb.operations.read.report import report_of
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.selection import SelectedSessions, Selection, open_selection

_Names = Mapping[str, AbstractSet[str]]
"""Full names of the benchmarks of each session, by session id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRequest:
    """Which pages a site has.

    Attributes:
        histories: the checkout that orders commits, and the branch to keep.
        session_pages: number of the newest sessions that get a page; those that have one keep it.
        known: what the site has already.
        made_by: what all pages depend on besides the history: the version of this package, the title.
    """

    histories: TrendRequest
    session_pages: int
    known: KnownPages
    made_by: str


def build_site(
    selection: Selection, request: SiteRequest, *, feedback: Feedback = SILENT
) -> tuple[SiteContent, Matrix | None]:
    """Read the histories of the benchmarks that have changed since the site was written, and the new sessions.

    Returns:
        What the pages show; and the compatibility matrix, or None if the site has its page, or is to have none.

    Raises:
        ConfigError: a filter, a time, a name or a branch is not valid.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    root, environ, branch = request.histories.root, request.histories.environ, request.histories.branch
    with open_selection(selection, feedback, branch=branch, root=root, environ=environ) as selected:
        reader, everything = selected.reader, selected.everything
        order = order_sessions(selected.sessions, root, environ)
        names = _names_by_session(selected, selection)
        notes, baselines = reader.notes(), reader.baselines()
        matrix, matrix_page = _matrix(selected, selection, request)
        # All pages link to that of the matrix.
        request = replace(request, made_by=f"{request.made_by}\n{matrix_page is not None}")
        remarks = [notes, list(map(asdict, baselines)), list(map(asdict, reader.acceptances()))]
        basis = _digest([request.made_by, order.reason, selection.text(), remarks])
        benchmarks = _benchmark_digests(order, names, basis)
        changed = {name for name, digest in benchmarks.items() if request.known.benchmarks.get(name) != digest}
        pages = _session_digests(selected.sessions, names, notes, request)
        histories, pictures = _histories(selected, selection, request.histories, names, changed)
        content = SiteContent(
            sources=tuple(map(str, selection.paths)),
            sessions=order.sessions,
            excluded=tuple(row for row in everything if row.excluded is not None),
            in_all=len(everything),
            # A site is for others, whom the folders of this machine tell nothing.
            order_reason=order.reason and order.reason.replace(str(root), "the folder"),
            machines={row.fingerprint: row.cpu_model for row in everything if row.fingerprint and row.cpu_model},
            baselines=tuple(baselines),
            marks=session_marks(reader, order.sessions, baselines),
            benchmarks=benchmarks,
            changed=histories,
            pictures=pictures,
            session_pages=pages,
            changed_sessions=_changed_sessions(selected, selection, names, pages, request.known),
            matrix_page=matrix_page,
        )
    return content, matrix


def _matrix(selected: SelectedSessions, selection: Selection, request: SiteRequest) -> tuple[Matrix | None, str | None]:
    """Return the matrix unless its page is there, and the digest of its page; None for both if it would be empty."""
    digest = _digest([request.made_by, selection.text(), [row.session_id for row in selected.sessions]])
    if request.known.matrix == digest:
        return None, digest
    matrix = history_matrix(selected.reader, selected.sessions, selection)
    return (matrix, digest) if matrix.rows else (None, None)


def _names_by_session(selected: SelectedSessions, selection: Selection) -> _Names:
    matches = parse_expression(selection.keyword or "")
    found = selected.reader.benchmarks_of([row.session_id for row in selected.sessions])
    return {session_id: {name for name in names if matches(name)} for session_id, names in found.items()}


def _benchmark_digests(order: SessionOrder, names: _Names, basis: str) -> dict[str, str]:
    """Return the digest of what each benchmark's page is made of; stored sessions never change."""
    sessions: dict[str, list[str]] = {}
    for row in order.sessions:
        for name in names.get(row.session_id, ()):
            sessions.setdefault(name, []).append(row.session_id)
    return {name: _digest([basis, *sessions[name]]) for name in sorted(sessions)}


def _session_digests(
    sessions: Sequence[SessionRow], names: _Names, notes: Iterable[Row], request: SiteRequest
) -> dict[str, str]:
    """Return the digest of each session that has a page or gets one; a page links to the benchmarks of the site."""
    about: dict[str, list[Row]] = {}
    for note in notes:
        about.setdefault(note["session_id"], []).append(note)
    newest = {row.session_id for row in sessions[-request.session_pages :]} if request.session_pages else set()
    return {
        row.session_id: _digest([request.made_by, about.get(row.session_id), sorted(names.get(row.session_id, ()))])
        for row in sessions
        if row.session_id in newest or row.session_id in request.known.sessions
    }


def _changed_sessions(
    selected: SelectedSessions, selection: Selection, names: _Names, pages: Mapping[str, str], known: KnownPages
) -> tuple[SessionReport, ...]:
    rows = [
        row
        for row in selected.sessions
        if row.session_id in pages and known.sessions.get(row.session_id) != pages[row.session_id]
    ]
    if not rows:
        return ()
    report = report_of(
        selected.reader,
        selection,
        rows,
        of=len(selected.everything),
        is_shown=lambda run: run.fullname in names[run.session_id],
    )
    return report.sessions


def _histories(
    selected: SelectedSessions, selection: Selection, request: TrendRequest, names: _Names, changed: AbstractSet[str]
) -> tuple[tuple[BenchmarkHistory, ...], ReportPictures]:
    """Read the benchmarks that have changed: their newest runs, their histories, and what there is to draw."""
    if not changed:
        return (), NO_PICTURES
    chosen = replace(selection, names=tuple(sorted(changed)), keyword=None, metrics=(TIME,))
    trends = follow_series(selected, chosen, request, optional=True)
    report = _newest_runs(selected, selection, names, changed)
    ordered = order_sessions(selected.sessions, request.root, request.environ).sessions
    pictures = pictures_of(selected.reader, report, trends, {row.session_id: row for row in ordered})
    runs: dict[str, list[ReportRow]] = {}
    for shown in reversed(report.sessions):
        for run in shown.rows:
            runs.setdefault(run.fullname, []).append(run)
    followed: dict[str, list[Trend]] = {}
    for trend in trends.series:
        followed.setdefault(trend.key.fullname, []).append(trend)
    notes = [note for shown in report.sessions for note in shown.notes]
    return tuple(
        BenchmarkHistory(
            fullname=name,
            runs=tuple(runs.get(name, ())),
            courses=tuple(Course(trend=trend, bands=level_bands(trend)) for trend in followed.get(name, ())),
            notes=tuple(_notes_about(runs.get(name, ()), notes)),
        )
        for name in sorted(changed)
    ), pictures


def _notes_about(runs: Iterable[ReportRow], notes: Iterable[Row]) -> list[Row]:
    own, sessions = {run.run_id for run in runs}, {run.session_id for run in runs}
    return [
        note for note in notes if note["run_id"] in own or (note["run_id"] is None and note["session_id"] in sessions)
    ]


def _newest_runs(selected: SelectedSessions, selection: Selection, names: _Names, changed: AbstractSet[str]) -> Report:
    """Return the newest runs of benchmarks on each machine; of several attempts on a device, the last."""
    places: dict[tuple[str, str | None], str] = {}
    for row in reversed(selected.sessions):
        for name in names.get(row.session_id, frozenset()) & changed:
            places.setdefault((name, row.fingerprint), row.session_id)
    wanted = {(name, session_id) for (name, _), session_id in places.items()}
    sessions = [row for row in selected.sessions if any(row.session_id == session for _, session in wanted)]
    report = report_of(
        selected.reader,
        selection,
        sessions,
        of=len(selected.everything),
        is_shown=lambda run: (run.fullname, run.session_id) in wanted,
    )
    return replace(report, sessions=tuple(map(_last_attempts, report.sessions)))


def _last_attempts(shown: SessionReport) -> SessionReport:
    last: dict[tuple[str, str | None], ReportRow] = {}
    for run in shown.rows:
        other = last.get((run.fullname, run.device))
        if other is None or run.attempt >= other.attempt:
            last[run.fullname, run.device] = run
    return replace(shown, rows=tuple(last.values()))


def _digest(value: object) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=16).hexdigest()
