"""The page of a benchmark: its newest run on each machine and device, with the histories of its times.

Scripts draw the same charts as in a report; without them, the page has small ones and the newest values as a table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_benchdb.model.answer.picture import BenchmarkHistory, Course, RunPicture
from pytest_benchdb.model.answer.trend import Trend
from pytest_benchdb.model.report import RUN_UNITS, ReportRow, SessionRow
from pytest_benchdb.present.report.page_data import details_data
from pytest_benchdb.present.report.table import message_of, row_style
from pytest_benchdb.present.site.pages import (
    SESSIONS,
    Fact,
    SiteFrame,
    change_entry,
    data_script,
    line_text,
    remotes_of,
)
from pytest_benchdb.present.site.rows import SiteRow, page_name
from pytest_benchdb.present.writing.links import commit_url
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.times import local_text
from pytest_benchdb.present.writing.units import one_quantity, quantity, unit_for
from pytest_benchdb.present.writing.values import value_text

_SHORT_COMMIT = 8
_NEWEST_VALUES = 30
_FIGURES = (
    ("median", "median_s"),
    ("fastest round", "min_s"),
    ("first quartile", "q1_s"),
    ("third quartile", "q3_s"),
    ("slowest round", "max_s"),
    ("mean", "mean_s"),
    ("CPU time", "cpu_s"),
    ("first call", "first_call_s"),
    ("throughput", "throughput"),
    ("energy", "energy_j"),
    ("memory", "memory_bytes"),
    ("peak RSS", "peak_rss_bytes"),
    ("device memory", "device_peak_bytes"),
)
_LABELS = (
    *("backend", "device", "model", "model_version", "implementation", "framework", "workload", "precision"),
    *("batch_size", "sequence_length", "group", "provenance", "attempt", "worker", "main_metric", "main_phase"),
)


def benchmark_files(frame: SiteFrame, history: BenchmarkHistory, rows: Sequence[SiteRow]) -> dict[str, bytes]:
    """Return the page of a benchmark and the data that its charts load.

    Args:
        frame: what all pages share.
        history: the benchmark.
        rows: its rows.
    """
    sessions = {row.session_id: row for row in frame.content.sessions}
    name = page_name(history.fullname)
    data = f"data/{name}.js"
    groups = list(_grouped(history, sessions))
    page = frame.render(
        "site_benchmark.html.jinja",
        here=f"benchmarks/{name}.html",
        heading=sanitize(history.fullname),
        scripts=(SESSIONS, data),
        runs=[
            {
                **_newest(frame, run, sessions, several=len(groups) > 1),
                "command": frame.content.pictures.of(run.run_id).command,
                "courses": [_course(frame, course, rows, sessions) for course in courses],
            }
            for run, courses in groups
        ],
        notes=[f"{note['text']} ({_author(note)})" for note in _sanitized(history)],
        baselines=list(_baselines(frame, history)),
    )
    return {
        data: data_script("benchmark", {"details": _details(frame, groups, sessions)}),
        f"benchmarks/{name}.html": page,
    }


def _grouped(history: BenchmarkHistory, sessions: dict[str, SessionRow]) -> Iterator[tuple[ReportRow, list[Course]]]:
    """Yield each newest run with the histories of its machine and device."""
    for run in history.runs:
        place = sessions[run.session_id].fingerprint, run.device
        yield run, [one for one in history.courses if (one.trend.fingerprint, one.trend.key.device) == place]


def _newest(frame: SiteFrame, run: ReportRow, sessions: dict[str, SessionRow], *, several: bool) -> dict[str, object]:
    session = sessions[run.session_id]
    machine = frame.machine(session.fingerprint)
    # The device of a processor has its name.
    place = ", ".join(dict.fromkeys(filter(None, [run.device and sanitize(run.device), machine])))
    message = message_of(run)
    values = run.values()
    figures = [
        Fact(label=label, text=one_quantity(value, RUN_UNITS[key]))
        for label, key in _FIGURES
        if isinstance(value := values[key], int | float)
    ]
    params = [Fact(label=sanitize(key), text=sanitize(value_text(value))) for key, value in (run.params or {}).items()]
    labels = [
        Fact(label=key.replace("_", " "), text=sanitize(str(values[key]))) for key in _LABELS if values[key] is not None
    ]
    lists = [("Figures", figures), ("Parameters", params), ("Labels", labels)]
    return {
        "title": f"Newest run on {place}" if several else "Newest run",
        "message": None if message is None else sanitize(message),
        "style": row_style(run),
        "facts": [
            Fact(label="session", text=local_text(session.started_at), url=frame.session_page(session.session_id)),
            *_commit(session),
            Fact(label="machine", text=place),
        ],
        "lists": [(name, facts) for name, facts in lists if facts],
    }


def _commit(session: SessionRow) -> Iterator[Fact]:
    if session.commit_sha is not None:
        text = f"{session.commit_sha[:_SHORT_COMMIT]} {session.commit_subject or ''}".strip()
        yield Fact(label="commit", text=sanitize(text), url=commit_url(session.remote_url, session.commit_sha))


def _course(
    frame: SiteFrame, course: Course, rows: Sequence[SiteRow], sessions: dict[str, SessionRow]
) -> dict[str, object]:
    trend = course.trend
    key = (trend.fingerprint, trend.key.device, trend.key.metric, trend.key.phase)
    row = next(
        row
        for row in rows
        if (row.machine, row.device, row.metric, row.phase) == tuple(part and sanitize(part) for part in key)
    )
    remotes = remotes_of(frame.content)
    needed = trend.sessions_needed
    more = f" Changes are looked for once there are {needed} more." if needed else ""
    return {
        "title": f"History of {sanitize(trend.key.metric)}" + (f", phase {row.phase}" if row.phase else ""),
        "line": row.line,
        "text": line_text(row),
        "entries": [change_entry(frame, row, change, "", remotes) for change in reversed(row.changes)],
        "no_change": f"No change of level in this history.{more}",
        "count": len(trend.points),
        "points": list(_points(frame, trend, sessions)),
    }


def _points(frame: SiteFrame, trend: Trend, sessions: dict[str, SessionRow]) -> Iterator[dict[str, object]]:
    """Yield the newest values of a history, the newest first."""
    unit = unit_for(trend.unit, [point.value for point in trend.points])
    first = {change.point.index for change in trend.changes}
    odd = {anomaly.index for anomaly in trend.anomalies}
    for place in reversed(range(max(0, len(trend.points) - _NEWEST_VALUES), len(trend.points))):
        point = trend.points[place]
        session = sessions[point.session_id]
        remarks = [
            "new level" if place in first else "",
            "stands out, did not last" if place in odd else "",
            point.reason or "",
            f"label {session.label}" if session.label else "",
        ]
        yield {
            "at": session.placed_at[:16].replace("T", " "),
            "session": frame.session_page(point.session_id),
            "commit": sanitize((point.commit or "-")[:_SHORT_COMMIT]),
            "commit_url": commit_url(session.remote_url, point.commit),
            "text": quantity(point.value, unit),
            "level": quantity(point.level, unit),
            "remark": sanitize("; ".join(filter(None, remarks))),
        }


def _details(
    frame: SiteFrame, groups: Sequence[tuple[ReportRow, list[Course]]], sessions: dict[str, SessionRow]
) -> list[dict[str, object]]:
    """Return what the scripts draw of each run: its details as in a report, with all of its histories.

    Sessions are named by their ids, not by places in the list of all sessions, which changes without the benchmark.
    """
    places = {session_id: place for place, session_id in enumerate(sessions)}
    found = []
    for run, courses in groups:
        picture = replace(frame.content.pictures.of(run.run_id), trend=None, bands=())
        details = details_data(run, page_name(run.fullname), picture, places)
        trends = []
        for course in courses:
            drawn = RunPicture(trend=course.trend, bands=course.bands)
            (trend,) = _list(details_data(run, "", drawn, places)["trends"])
            trends.append({**trend, "at": None, "session_ids": [point.session_id for point in course.trend.points]})
        found.append({**details, "trends": trends})
    return found


def _list(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []


def _sanitized(history: BenchmarkHistory) -> Iterator[dict[str, str]]:
    for note in history.notes:
        yield {key: sanitize(str(note[key] or "")) for key in ("text", "author", "created_at")}


def _author(note: dict[str, str]) -> str:
    return ", ".join(filter(None, [note["author"], local_text(note["created_at"])]))


def _baselines(frame: SiteFrame, history: BenchmarkHistory) -> Iterator[dict[str, object]]:
    own = {point.session_id for course in history.courses for point in course.trend.points}
    for baseline in frame.content.baselines:
        if baseline.session_id in own:
            yield {
                "text": f"{sanitize(baseline.name)}: {sanitize(baseline.spec)}, set {local_text(baseline.created_at)}",
                "url": frame.session_page(baseline.session_id),
            }
