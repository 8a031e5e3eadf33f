"""The data of a report's page: what its scripts draw, sort and copy, in SI units and unrounded.

The table has what searching and sorting need, by column. What opens below a run is `details_data`, which knows no
table: any page can show it with `DETAIL_SCRIPTS`, whose function ``detailsOf(details, sessions, units)`` returns
elements. A page of thousands of runs stays small because details are packed, and unpacked when one is opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from pytest_benchdb.model.answer.picture import ReportPictures, Rounds, RunPicture
from pytest_benchdb.model.answer.trend import LevelBand, LevelChange, SessionMark, Trend
from pytest_benchdb.model.report import RUN_UNITS, Report, ReportRow, Row, SessionRow
from pytest_benchdb.model.verdict import Judgement
from pytest_benchdb.present.history.trend import commits_text, sure_text
from pytest_benchdb.present.html.shell import pack
from pytest_benchdb.present.report.page_rows import PageRow
from pytest_benchdb.present.writing.links import commit_prefix
from pytest_benchdb.present.writing.text import sanitize

PAGE_SCHEMA = "benchdb.report-page/2"

DETAIL_SCRIPTS = ("figures.js", "charts.js", "history.js", "rounds.js", "courses.js", "details.js")
"""Scripts that draw the details of a run, in their order."""

_PHASE = ("phase", "metric", "unit", "n", "value")
_COURSE = (
    *("phase", "metric", "unit", "domain", "device", "provenance"),
    *("n", "min", "mean", "max", "begin_s", "end_s", "means"),
)
_REQUESTS = (
    *("phase", "provenance", "requests", "numbers", "sent_s", "ttft_s", "e2e_s"),
    *("tokens_in", "tokens_out", "ok", "errors"),
)
_NOTHING = SessionMark()
_PACK = 32
"""Runs whose details are packed together: few enough to unpack at once, many enough that names cost nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnRun:
    """A run with its row and what there is to draw of it."""

    run: ReportRow
    row: PageRow
    picture: RunPicture


def page_data(
    report: Report, groups: Sequence[tuple[str | None, Sequence[DrawnRun]]], pictures: ReportPictures
) -> dict[str, object]:
    """Return the data of a page.

    Args:
        report: its sources and selection.
        groups: the runs by the title of their group, in the order of the table.
        pictures: the sessions of the histories, in their order.
    """
    drawn = [one for _, members in groups for one in members]
    places = {session.session_id: place for place, session in enumerate(pictures.sessions)}
    # Runs of one benchmark share a history: side by side, it costs its space once.
    order = sorted(range(len(drawn)), key=lambda index: drawn[index].run.fullname)
    details = [details_data(drawn[index].run, drawn[index].row.key, drawn[index].picture, places) for index in order]
    position = {index: number for number, index in enumerate(order)}
    return {
        "schema": PAGE_SCHEMA,
        "sources": list(report.sources),
        "selection": report.selection,
        "units": RUN_UNITS,
        "fields": _used_fields(details),
        "baseline": pictures.baseline and sanitize(pictures.baseline),
        "sessions": sessions_data(pictures.sessions, pictures.marks),
        "groups": [[title, len(members)] for title, members in groups],
        "keys": [one.row.key for one in drawn],
        "tags": [" ".join(one.row.tags) for one in drawn],
        "texts": [one.row.search_text() for one in drawn],
        "columns": [list(column) for column in zip(*(one.row.sort_values() for one in drawn), strict=True)],
        "per_pack": _PACK,
        "positions": [position[index] for index in range(len(drawn))],
        "details": [pack(details[start : start + _PACK]) for start in range(0, len(details), _PACK)],
    }


def sessions_data(sessions: Sequence[SessionRow], marks: Mapping[str, SessionMark]) -> dict[str, object]:
    """Return the sessions that histories are about, by column: their places are the indexes in `details_data`."""
    said = [marks.get(session.session_id, _NOTHING) for session in sessions]
    prefixes = {commit_prefix(session.remote_url) for session in sessions} - {None}
    return {
        "ids": [session.session_id for session in sessions],
        "placed_at": [session.placed_at for session in sessions],
        "commits": [session.commit_sha for session in sessions],
        "labels": [session.label and sanitize(session.label) for session in sessions],
        "subjects": [session.commit_subject and sanitize(session.commit_subject) for session in sessions],
        "notes": [[sanitize(text) for text in mark.notes] for mark in said],
        "baselines": [[sanitize(name) for name in mark.baselines] for mark in said],
        # Sessions of several repositories have no common prefix, and then no links.
        "commit_prefix": next(iter(prefixes)) if len(prefixes) == 1 else None,
    }


def details_data(run: ReportRow, key: str, picture: RunPicture, places: Mapping[str, int]) -> dict[str, Any]:
    """Return what opens below one run: its fields, rounds and history, and the command that repeats it.

    Args:
        run: as reports show it.
        key: what links to it are named by.
        picture: what there is to draw of it.
        places: the place of each session in `sessions_data`, by id.
    """
    return {
        "key": key,
        "values": {name: value for name, value in run.values().items() if value not in (None, {})},
        "command": picture.command,
        "judgement": None if picture.judgement is None else _judgement(picture.judgement),
        "rounds": _rounds(picture.rounds),
        "before": _rounds(picture.before),
        "trends": [
            *([] if picture.trend is None else [_trend(picture.trend, picture.bands, places)]),
            *(_trend(trend, bands, places) for trend, bands in picture.others),
        ],
        "phases": [_only(row, _PHASE) for row in picture.phases],
        "courses": [_only(row, _COURSE) for row in picture.courses],
        "requests": [_only(row, _REQUESTS) for row in picture.requests],
    }


def _only(row: Row, names: Sequence[str]) -> dict[str, object]:
    """Return some columns of a row; their texts may come from anyone."""
    return {name: _clean(row[name]) for name in names}


def _clean(value: object) -> object:
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return sanitize(value) if isinstance(value, str) else value


def _used_fields(details: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the fields that some run has."""
    used = {name for one in details for name in one["values"]}
    return [field.name for field in fields(ReportRow) if field.name in used]


def _rounds(rounds: Rounds | None) -> dict[str, object] | None:
    return None if rounds is None else asdict(rounds)


def _trend(trend: Trend, bands: Sequence[LevelBand], places: Mapping[str, int]) -> dict[str, object]:
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
        "bands": [[band.start, band.level, band.low, band.high] for band in bands],
        "reasons": {
            str(place): sanitize(point.reason) for place, point in enumerate(trend.points) if point.reason is not None
        },
        "changes": [_change(change) for change in trend.changes],
        "anomalies": [anomaly.index for anomaly in trend.anomalies],
    }


def _judgement(judgement: Judgement) -> dict[str, object]:
    interval = judgement.interval
    return {
        "text": judgement.text,
        "change": judgement.change,
        "baseline": judgement.baseline,
        "interval": None if interval is None else [interval.low, interval.high, interval.level],
        "reason": judgement.reason and sanitize(judgement.reason),
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
        "accepted": change.accepted and sanitize(change.accepted),
        "commits": sanitize(commits_text(change)),
        "sure": sanitize(sure_text(change)),
    }
