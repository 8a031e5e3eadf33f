"""Trends and correlations as sheets: with sparklines, for job summaries."""

from pytest_benchdb.analysis.series.trend import level_bands
from pytest_benchdb.model.answer.correlation import Correlations
from pytest_benchdb.model.answer.trend import Trend, Trends
from pytest_benchdb.model.wording import percent_text
from pytest_benchdb.present.history.correlation import coefficient_text
from pytest_benchdb.present.history.correlation import head_text as correlation_head
from pytest_benchdb.present.history.correlation import notes_of as correlation_notes
from pytest_benchdb.present.history.trend import (
    changes_of,
    commits_text,
    course_of,
    head_text,
    notes_of,
    series_name,
    state_of,
    sure_text,
)
from pytest_benchdb.present.html.svg import HistoryLine, history_line
from pytest_benchdb.present.kinds.sheet import Sheet, Sheets, figure_column, text_column
from pytest_benchdb.present.writing.sparkline import sparkline
from pytest_benchdb.present.writing.times import local_minute, zones_text
from pytest_benchdb.present.writing.units import one_quantity


def trend_sheets(trends: Trends) -> Sheets:
    """Return the series with their course, and the changes of level."""
    changes = changes_of(trends)
    series = Sheet(
        title="benchmarks over the sessions",
        columns=(
            text_column("benchmark"),
            text_column("metric", 5),
            figure_column("sessions", priority=4),
            figure_column("level"),
            figure_column("noise", priority=3),
            text_column("course", 2),
            figure_column("last change"),
            text_column("state", 1),
        ),
        rows=tuple(
            (
                series_name(trend, trends),
                trend.key.metric,
                str(trend.measured),
                one_quantity(trend.level, trend.unit),
                "-" if trend.deviation is None else f"{trend.deviation * 100:.1f} %",
                sparkline(course_of(trend)),
                percent_text(trend.changes[-1].point.change if trend.changes else None),
                state_of(trend),
            )
            for trend in trends.series
        ),
        lines=tuple(map(_line, trends.series)),
        chart_at=5,
    )
    zone = zones_text(change.first.started_at for _, change in changes)
    moved = Sheet(
        title="changes of level",
        columns=(
            text_column("benchmark"),
            text_column("metric", 5),
            figure_column("change"),
            figure_column("before", priority=3),
            figure_column("after", priority=2),
            figure_column(f"first seen ({zone})", priority=4),
            text_column("commits", 1),
            text_column("how sure", 6),
        ),
        rows=tuple(
            (
                series_name(trend, trends),
                trend.key.metric,
                percent_text(change.point.change),
                one_quantity(change.point.before, trend.unit),
                one_quantity(change.point.after, trend.unit),
                local_minute(change.first.started_at),
                commits_text(change),
                sure_text(change),
            )
            for trend, change in changes
        ),
    )
    return Sheets(head=head_text(trends), notes=tuple(notes_of(trends)), sheets=(series, moved))


def _line(trend: Trend) -> HistoryLine | None:
    levels = [(band.start, band.level) for band in level_bands(trend)]
    return history_line([point.value for point in trend.points], levels, ()) if levels else None


def correlation_sheets(correlations: Correlations) -> Sheets:
    """Return the pairs of quantities, the closest first."""
    rows = tuple(
        (
            row.group or "all",
            row.first,
            row.second,
            str(row.correlation.pairs),
            coefficient_text(row.correlation.spearman),
            coefficient_text(row.correlation.pearson),
            f"{row.q_value:.2g}",
        )
        for row in correlations.rows
    )
    columns = (
        text_column("benchmark"),
        text_column("quantity"),
        text_column("with"),
        figure_column("n"),
        figure_column("Spearman, 95 %"),
        figure_column("Pearson, 95 %", priority=2),
        figure_column("q", priority=1),
    )
    sheet = Sheet(title="what goes together", columns=columns, rows=rows, most=40)
    notes = (*correlation_notes(correlations), "correlation is not causation")
    return Sheets(head=correlation_head(correlations), notes=notes, sheets=(sheet,))
