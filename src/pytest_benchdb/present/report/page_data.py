"""The data of a report's page: what its script draws, sorts and copies, in SI units and unrounded.

Everything is here once: sessions by index, and a history once, however many rows share it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

from pytest_benchdb.model.answer.picture import ReportPictures, Rounds, RunPicture
from pytest_benchdb.model.answer.trend import LevelChange, Trend
from pytest_benchdb.model.report import RUN_UNITS, Report, ReportRow, SessionRow
from pytest_benchdb.present.history.trend import commits_text, sure_text
from pytest_benchdb.present.writing.links import commit_prefix
from pytest_benchdb.present.writing.text import sanitize

PAGE_SCHEMA = "benchdb.report-page/1"


def page_data(report: Report, rows: Sequence[ReportRow], keys: Sequence[str], pictures: ReportPictures) -> object:
    """Return the data of a page.

    Args:
        report: its sources and selection.
        rows: the runs, in the order of the table.
        keys: the id of each row's element.
        pictures: what there is to draw.
    """
    places = {session.session_id: place for place, session in enumerate(pictures.sessions)}
    trends: dict[int, Trend] = {}
    for row in rows:
        trend = pictures.of(row.run_id).trend
        if trend is not None:
            trends.setdefault(id(trend), trend)
    numbers = {key: number for number, key in enumerate(trends)}
    bands = {id(trend): picture.bands for picture in pictures.runs.values() if (trend := picture.trend) is not None}
    return {
        "schema": PAGE_SCHEMA,
        "sources": list(report.sources),
        "selection": report.selection,
        "units": RUN_UNITS,
        **_table(rows),
        "sessions": _sessions(pictures.sessions),
        "runs": [{"key": key, **_run(pictures.of(row.run_id), numbers)} for key, row in zip(keys, rows, strict=True)],
        "trends": [
            {**_trend(trend, places), "bands": [[band.start, band.level, band.low, band.high] for band in bands[key]]}
            for key, trend in trends.items()
        ],
    }


def _table(rows: Sequence[ReportRow]) -> dict[str, object]:
    """Return the fields that some run has, and their values by run: names once, not in every row."""
    values = [row.values() for row in rows]
    names = [field.name for field in fields(ReportRow) if any(row[field.name] not in (None, {}) for row in values)]
    return {"fields": names, "rows": [[row[name] for name in names] for row in values]}


def _sessions(sessions: Sequence[SessionRow]) -> dict[str, object]:
    prefixes = {commit_prefix(session.remote_url) for session in sessions} - {None}
    return {
        "ids": [session.session_id for session in sessions],
        "placed_at": [session.placed_at for session in sessions],
        "commits": [session.commit_sha for session in sessions],
        "labels": [session.label and sanitize(session.label) for session in sessions],
        "subjects": [session.commit_subject and sanitize(session.commit_subject) for session in sessions],
        # Sessions of several repositories have no common prefix, and then no links.
        "commit_prefix": next(iter(prefixes)) if len(prefixes) == 1 else None,
    }


def _run(picture: RunPicture, numbers: Mapping[int, int]) -> dict[str, object]:
    return {
        "rounds": _rounds(picture.rounds),
        "before": _rounds(picture.before),
        "trend": None if picture.trend is None else numbers[id(picture.trend)],
        "command": picture.command,
    }


def _rounds(rounds: Rounds | None) -> dict[str, object] | None:
    return None if rounds is None else asdict(rounds)


def _trend(trend: Trend, places: Mapping[str, int]) -> dict[str, object]:
    at = [places[point.session_id] for point in trend.points]
    return {
        **asdict(trend.key),
        "fingerprint": trend.fingerprint,
        "unit": trend.unit,
        "better": trend.better,
        "statistic": trend.statistic,
        "level": trend.level,
        "noise": trend.deviation,
        "other_code": trend.other_code,
        "sessions_needed": trend.sessions_needed,
        # Usually all sessions in their order, which needs no list.
        "at": None if at == list(range(len(places))) else at,
        "values": [point.value for point in trend.points],
        "reasons": {
            str(place): sanitize(point.reason) for place, point in enumerate(trend.points) if point.reason is not None
        },
        "changes": [_change(change) for change in trend.changes],
        "anomalies": [anomaly.index for anomaly in trend.anomalies],
    }


def _change(change: LevelChange) -> dict[str, object]:
    return {
        "index": change.point.index,
        "previous": change.point.previous,
        "before": change.point.before,
        "after": change.point.after,
        "change": change.point.change,
        "p_value": change.point.p_value,
        "provisional": change.point.provisional,
        "worse": change.worse,
        "commits": sanitize(commits_text(change)),
        "sure": sanitize(sure_text(change)),
    }
