"""Trends as data: JSON with everything, CSV with one line per session of a series, Markdown with two tables."""

from dataclasses import asdict

from pytest_benchdb.analysis.trend import LevelChange, Trend
from pytest_benchdb.present.csv_ import table_csv
from pytest_benchdb.present.document import DataTable
from pytest_benchdb.present.json_ import object_json
from pytest_benchdb.present.markdown import escape, table_markdown
from pytest_benchdb.present.quantity import one_quantity
from pytest_benchdb.present.trend import (
    changes_of,
    commits_text,
    head_text,
    notes_of,
    series_name,
    share,
    state_of,
    sure_text,
)
from pytest_benchdb.present.trend_document import Trends

TREND_SCHEMA = "benchdb.trend/1"

_COLUMNS = (
    "fullname",
    "metric",
    "phase",
    "backend",
    "device",
    "fingerprint",
    "unit",
    "session_id",
    "started_at",
    "commit_sha",
    "value",
    "level",
    "reason",
    "change",
    "provisional",
    "anomaly",
)

_SERIES = ("benchmark", "metric", "sessions", "level", "last change", "state")
_CHANGES = ("change of level", "metric", "change", "before", "after", "first seen (UTC)", "commits", "how sure")


def trend_json(trends: Trends) -> str:
    """Write everything that was found."""
    content = {
        "sources": list(trends.sources),
        "selection": trends.selection,
        "sessions": trends.sessions,
        "sessions_in_all": trends.sessions_in_all,
        "order": trends.order,
        "order_reason": trends.order_reason,
        "baseline": trends.baseline,
        "series": [_series(trend) for trend in trends.series],
    }
    return object_json(TREND_SCHEMA, content)


def trend_csv(trends: Trends) -> str:
    """Write the sessions of every series, one a line; `change` stands at the first session of a new level."""
    rows = [row for trend in trends.series for row in _rows(trend)]
    return table_csv(DataTable(schema=TREND_SCHEMA, columns=_COLUMNS, rows=rows))


def trend_markdown(trends: Trends) -> str:
    """Write the series and the changes of level as two tables."""
    lines = [f"## {escape(head_text(trends))}", "", *(f"- {escape(note)}" for note in notes_of(trends))]
    series = [
        [
            series_name(trend, trends),
            trend.key.metric,
            trend.measured,
            one_quantity(trend.level, trend.unit),
            share(trend.changes[-1].found.change if trend.changes else None),
            state_of(trend),
        ]
        for trend in trends.series
    ]
    text = "\n".join(lines).rstrip() + "\n"
    if series:
        text += "\n" + table_markdown(DataTable(schema=TREND_SCHEMA, columns=_SERIES, rows=series))
    changes = [_change_row(trend, change, trends) for trend, change in changes_of(trends)]
    if changes:
        text += "\n" + table_markdown(DataTable(schema=TREND_SCHEMA, columns=_CHANGES, rows=changes))
    return text


def _change_row(trend: Trend, change: LevelChange, trends: Trends) -> list[object]:
    return [
        series_name(trend, trends),
        trend.key.metric,
        share(change.found.change),
        one_quantity(change.found.before, trend.unit),
        one_quantity(change.found.after, trend.unit),
        change.first.started_at[:16].replace("T", " "),
        commits_text(change),
        sure_text(change),
    ]


def _series(trend: Trend) -> dict[str, object]:
    return {
        **asdict(trend.key),
        "fingerprint": trend.fingerprint,
        "group": trend.group,
        "unit": trend.unit,
        "better": trend.better,
        "statistic": trend.statistic,
        "level": trend.level,
        "noise": trend.deviation,
        "measured": trend.measured,
        "sessions_needed": trend.wanting,
        "other_code": trend.other_code,
        "creep": None if trend.creep is None else asdict(trend.creep),
        "changes": [_change(change) for change in trend.changes],
        "anomalies": [
            {**asdict(found), "session_id": trend.points[found.index].session_id} for found in trend.anomalies
        ],
        "points": [asdict(point) for point in trend.points],
    }


def _change(change: LevelChange) -> dict[str, object]:
    found = asdict(change.found)
    return {
        **{name: value for name, value in found.items() if name not in {"index", "previous"}},
        "worse": change.worse,
        "session_before": change.before.session_id,
        "session": change.first.session_id,
        "started_at": change.first.started_at,
        "commit_before": change.before.commit,
        "commit": change.first.commit,
        "commits": change.commits,
        "unmeasured": change.unmeasured,
        "accepted": change.accepted,
    }


def _rows(trend: Trend) -> list[list[object]]:
    changes = {change.found.index: change.found for change in trend.changes}
    anomalies = {found.index for found in trend.anomalies}
    key = trend.key
    about = [key.fullname, key.metric, key.phase, key.backend, key.device, trend.fingerprint, trend.unit]
    rows: list[list[object]] = []
    for place, point in enumerate(trend.points):
        found = changes.get(place)
        rows.append(
            [
                *about,
                point.session_id,
                point.started_at,
                point.commit,
                point.value,
                point.level,
                point.reason,
                None if found is None else found.change,
                None if found is None else found.provisional,
                place in anomalies,
            ]
        )
    return rows
