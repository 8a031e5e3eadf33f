"""Trends as text, one line per series with the changes below, and as data.

JSON has everything, CSV one line per session of a series, Markdown two tables.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from statistics import median

from pytest_benchdb.model.answer.trend import LevelChange, Trend, Trends
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.wording import counted, normalized_text, percent_text
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, Style, Table, fit
from pytest_benchdb.present.writing.sparkline import sparkline
from pytest_benchdb.present.writing.text import clip, sanitize, wrap
from pytest_benchdb.present.writing.times import local_minute, local_text, zones_text
from pytest_benchdb.present.writing.units import one_quantity, quantity, unit_for
from pytest_benchdb.present.writing.values import escape, object_json, table_csv, table_markdown

TREND_SCHEMA = "benchdb.trend/1"

COURSE, SHORT_COURSE = 24, 10
"""Characters of a series' course, and of one in a narrow terminal; with more sessions, several share one."""

_COURSE = "course"
_SHORT_COMMIT = 8
_MOST_CHANGES = 20
_CSV_COLUMNS = (
    *("fullname", "metric", "phase", "backend", "device", "fingerprint", "unit"),
    *("session_id", "started_at", "commit_sha", "value", "level", "reason", "change", "provisional", "anomaly"),
)
_SERIES_HEADS = ("benchmark", "metric", "sessions", "level", "last change", "state")
_CHANGE_HEADS = ("change of level", "metric", "change", "before", "after", "first seen", "commits", "how sure")


def trend_lines(trends: Trends, width: int, *, ascii_only: bool = False, verbose: bool = False) -> list[Line]:
    """Return lines for a terminal, none wider than `width`; the newest 20 changes, or all if `verbose`."""
    lines: list[Line] = [(Span(clip(sanitize(head_text(trends)), width), "head"),)]
    lines += [(Span(line, "dim"),) for text in notes_of(trends) for line in wrap(sanitize(text), width)]
    if not trends.series:
        return lines
    lines += [(Span(""),), *_series_table(trends, width, ascii_only=ascii_only)]
    changes = changes_of(trends)
    if changes:
        shown = changes if verbose else changes[:_MOST_CHANGES]
        lines += [(Span(""),), *_changes_table(trends, shown, width, ascii_only=ascii_only)]
        if len(shown) < len(changes):
            lines.append(
                (Span(f"{counted(len(changes) - len(shown), 'older change')} not shown: -v shows all", "dim"),)
            )
    return lines


def head_text(trends: Trends) -> str:
    """Return one line with the number of series, sessions and changes."""
    of = f" of {trends.sessions_in_all}" if trends.sessions < trends.sessions_in_all else ""
    sessions = counted(trends.sessions, "session")
    changes = counted(sum(len(trend.changes) for trend in trends.series), "change")
    return f"{len(trends.series)} series over {sessions}{of}: {changes} of level"


def notes_of(trends: Trends) -> Iterator[str]:
    """Yield notes on the reliability of the trends, one line each."""
    if trends.order == "time":
        yield f"ordered by time, not by commit: {trends.order_reason}"
    if trends.normalized_by is not None:
        yield normalized_text(trends.normalized_by)
    if trends.baseline is not None:
        yield f"creep is measured against {trends.baseline}"
    needed = [trend.sessions_needed for trend in trends.series if trend.sessions_needed]
    if needed:
        more = f"{min(needed)}" if min(needed) == max(needed) else f"{min(needed)} to {max(needed)}"
        sessions = "session" if more == "1" else "sessions"
        verb = "needs" if len(needed) == 1 else "need"
        yield f"{len(needed)} series {verb} {more} more {sessions} before changes of level are looked for"
    other = sum(trend.other_code > 0 for trend in trends.series)
    if other:
        yield f"{other} series {'begins' if other == 1 else 'begin'} where the benchmark's code or unit last changed"


def changes_of(trends: Trends) -> list[tuple[Trend, LevelChange]]:
    """Return every change of level with its series, the newest first."""
    changes = [(trend, change) for trend in trends.series for change in trend.changes]
    return sorted(changes, key=lambda pair: pair[1].first.started_at, reverse=True)


def series_name(trend: Trend, trends: Trends) -> str:
    """Return the name of a series: its benchmark, and whatever distinguishes it from the other series."""
    keys = [other.key for other in trends.series]
    parts = [trend.key.fullname]
    if trend.key.phase is not None:
        parts.append(f"phase {trend.key.phase}")
    if len({key.device for key in keys if key.fullname == trend.key.fullname}) > 1:
        parts.append(trend.key.device or "no device")
    if len({other.fingerprint for other in trends.series}) > 1:
        parts.append(f"machine {trends.machine_name(trend.fingerprint)}")
    return " · ".join(parts)


def state_of(trend: Trend) -> str:
    """Return the state of a series in a few words."""
    words = []
    if trend.creep is not None and trend.creep.crept:
        words.append(f"creep {percent_text(trend.creep.change)}")
    if trend.changes and trend.changes[-1].point.provisional:
        words.append("provisional")
    if trend.anomalies:
        words.append("1 anomaly" if len(trend.anomalies) == 1 else f"{len(trend.anomalies)} anomalies")
    if trend.sessions_needed:
        words.append(f"learning, {trend.sessions_needed} to go")
    return ", ".join(words) or "steady"


def commits_text(change: LevelChange) -> str:
    """Return the commits between which a change happened."""
    before, after = change.before.commit, change.first.commit
    if before is None or after is None:
        return "-"
    if before == after:
        return f"within {after[:_SHORT_COMMIT]}: not the code"
    count = "" if change.commits is None else f" ({counted(change.commits, 'commit')})"
    return f"{before[:_SHORT_COMMIT]}..{after[:_SHORT_COMMIT]}{count}"


def sure_text(change: LevelChange) -> str:
    """Return how sure a change is, in a few words."""
    words = [counted(change.point.values_after, "session") + " since"]
    if change.point.provisional:
        words.append("provisional")
    if change.unmeasured:
        words.append(f"{change.unmeasured} unmeasured before it")
    if change.accepted is not None:
        words.append(f"accepted: {change.accepted}")
    return ", ".join(words)


def course_of(trend: Trend, characters: int = COURSE) -> list[float | None]:
    """Return at most `characters` values, oldest first: medians of stretches of equal length if there are more."""
    values = [point.value for point in trend.points]
    if len(values) <= characters:
        return values
    borders = [round(place * len(values) / characters) for place in range(characters + 1)]
    stretches = [values[start:stop] for start, stop in pairwise(borders)]
    measured = [[value for value in stretch if value is not None] for stretch in stretches]
    return [median(stretch) if stretch else None for stretch in measured]


def _series_table(trends: Trends, width: int, *, ascii_only: bool) -> Sequence[Line]:
    table = _series_of(trends, width, COURSE, ascii_only=ascii_only)
    if _COURSE in table.left_out:
        table = _series_of(trends, width, SHORT_COURSE, ascii_only=ascii_only)
    return table.said(width)


def _series_of(trends: Trends, width: int, course: int, *, ascii_only: bool) -> Table:
    metrics = {trend.key.metric for trend in trends.series}
    headings = [
        Heading(title="benchmark"),
        *([Heading(title="metric", flexible=False)] if len(metrics) > 1 else []),
        Heading(title="sessions", align="right", flexible=False, priority=4),
        Heading(title="level", align="right", flexible=False),
        Heading(title="noise", align="right", flexible=False, priority=3),
        Heading(title=_COURSE, flexible=False, priority=2),
        Heading(title="last change", align="right", flexible=False),
        Heading(title="state", flexible=False),
    ]
    entries = []
    for trend in trends.series:
        latest = trend.changes[-1] if trend.changes else None
        noise = "-" if trend.deviation is None else f"{trend.deviation * 100:.1f} %"
        cells = [
            Span(sanitize(series_name(trend, trends), ascii_only=ascii_only)),
            *([Span(sanitize(trend.key.metric, ascii_only=ascii_only))] if len(metrics) > 1 else []),
            Span(str(trend.measured)),
            Span(_figure(trend, trend.level, ascii_only=ascii_only)),
            Span(noise, "dim"),
            Span(sparkline(course_of(trend, course), ascii_only=ascii_only)),
            Span("-" if latest is None else percent_text(latest.point.change), _style(latest)),
            Span(state_of(trend), "" if state_of(trend) == "steady" else "warn"),
        ]
        entries.append(Entry(cells=tuple(cells)))
    return fit(headings, [Section(title=None, entries=tuple(entries))], width, ascii_only=ascii_only)


def _changes_table(
    trends: Trends, changes: Sequence[tuple[Trend, LevelChange]], width: int, *, ascii_only: bool
) -> Sequence[Line]:
    headings = [
        Heading(title="changes of level"),
        Heading(title="change", align="right", flexible=False),
        Heading(title="before", align="right", flexible=False, priority=3),
        Heading(title="after", align="right", flexible=False, priority=2),
        Heading(title=_first_seen(change for _, change in changes), flexible=False, priority=4),
        Heading(title="commits", flexible=False, priority=1),
        Heading(title="p", align="right", flexible=False, priority=6),
        Heading(title="how sure", priority=5),
    ]
    entries = []
    for trend, change in changes:
        cells = (
            Span(sanitize(_name_with_metric(trend, trends), ascii_only=ascii_only)),
            Span(percent_text(change.point.change), _style(change)),
            Span(_figure(trend, change.point.before, ascii_only=ascii_only)),
            Span(_figure(trend, change.point.after, ascii_only=ascii_only)),
            Span(local_minute(change.first.started_at), "dim"),
            Span(sanitize(commits_text(change), ascii_only=ascii_only)),
            Span(f"{change.point.p_value:.1g}", "dim"),
            Span(sanitize(sure_text(change), ascii_only=ascii_only), "warn" if change.point.provisional else ""),
        )
        entries.append(Entry(cells=cells))
    return fit(headings, [Section(title=None, entries=tuple(entries))], width, ascii_only=ascii_only).said(width)


def _first_seen(changes: Iterable[LevelChange]) -> str:
    return f"first seen ({zones_text(change.first.started_at for change in changes)})"


def _name_with_metric(trend: Trend, trends: Trends) -> str:
    name = series_name(trend, trends)
    return f"{name} {trend.key.metric}" if len({other.key.metric for other in trends.series}) > 1 else name


def _figure(trend: Trend, value: float | None, *, ascii_only: bool) -> str:
    unit = unit_for(trend.unit, [value])
    return quantity(value, unit.ascii() if ascii_only else unit)


def _style(change: LevelChange | None) -> Style:
    if change is None or change.worse is None:
        return ""
    return "bad" if change.worse else "good"


def trend_json(trends: Trends) -> str:
    """Return the trends as JSON."""
    names = ("selection", "sessions", "sessions_in_all", "order", "order_reason", "baseline", "normalized_by")
    facts = {name: getattr(trends, name) for name in names}
    series = [_series(trend) for trend in trends.series]
    return object_json(TREND_SCHEMA, {"sources": list(trends.sources), **facts, "series": series})


def trend_csv(trends: Trends) -> str:
    """Return the sessions of every series as CSV, one per line; the first session of a new level has the `change`."""
    rows = [row for trend in trends.series for row in _rows(trend)]
    return table_csv(DataTable(schema=TREND_SCHEMA, columns=_CSV_COLUMNS, rows=rows))


def trend_markdown(trends: Trends) -> str:
    """Return the series and the changes of level as two Markdown tables."""
    lines = [f"## {escape(head_text(trends))}", "", *(f"- {escape(note)}" for note in notes_of(trends))]
    series = [
        [
            series_name(trend, trends),
            trend.key.metric,
            trend.measured,
            one_quantity(trend.level, trend.unit),
            percent_text(trend.changes[-1].point.change if trend.changes else None),
            state_of(trend),
        ]
        for trend in trends.series
    ]
    text = "\n".join(lines).rstrip() + "\n"
    if series:
        text += "\n" + table_markdown(DataTable(schema=TREND_SCHEMA, columns=_SERIES_HEADS, rows=series))
    changes = [_change_row(trend, change, trends) for trend, change in changes_of(trends)]
    if changes:
        text += "\n" + table_markdown(DataTable(schema=TREND_SCHEMA, columns=_CHANGE_HEADS, rows=changes))
    return text


def _change_row(trend: Trend, change: LevelChange, trends: Trends) -> list[object]:
    return [
        series_name(trend, trends),
        trend.key.metric,
        percent_text(change.point.change),
        one_quantity(change.point.before, trend.unit),
        one_quantity(change.point.after, trend.unit),
        local_text(change.first.started_at),
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
        "sessions_needed": trend.sessions_needed,
        "other_code": trend.other_code,
        "creep": None if trend.creep is None else asdict(trend.creep),
        "changes": [_change(change) for change in trend.changes],
        "anomalies": [{**asdict(a), "session_id": trend.points[a.index].session_id} for a in trend.anomalies],
        "points": [asdict(point) for point in trend.points],
    }


def _change(change: LevelChange) -> dict[str, object]:
    point = asdict(change.point)
    return {
        **{name: value for name, value in point.items() if name not in {"index", "previous"}},
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
    changes = {change.point.index: change.point for change in trend.changes}
    anomalies = {anomaly.index for anomaly in trend.anomalies}
    key = trend.key
    about = [key.fullname, key.metric, key.phase, key.backend, key.device, trend.fingerprint, trend.unit]
    rows: list[list[object]] = []
    for place, point in enumerate(trend.points):
        session = [point.session_id, point.started_at, point.commit, point.value, point.level, point.reason]
        change = changes.get(place)
        new_level = [None, None] if change is None else [change.change, change.provisional]
        rows.append([*about, *session, *new_level, place in anomalies])
    return rows
