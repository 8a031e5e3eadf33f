"""The histories of the rows of a comparison that somebody has to look at."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_benchdb.model.answer.trend import Trends
from pytest_benchdb.model.comparison import Comparison
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.history.trend import TrendRequest, build_trends
from pytest_benchdb.operations.select.selection import Selection

HISTORY = 100
"""Newest sessions of a history."""

MOST_BENCHMARKS = 60


def trends_of_rows(
    paths: Sequence[Path], comparison: Comparison, request: TrendRequest, *, feedback: Feedback = SILENT
) -> Trends | None:
    """Follow the series of the rows that changed, or may have, on the candidate's machine.

    Args:
        paths: the database.
        comparison: its rows that are quiet are left out.
        request: the checkout that orders commits.
        feedback: receives progress, and warnings about unreadable sessions.

    Returns:
        None if no row needs a history.

    Raises:
        ConfigError: the database has none of the metrics.
        StoreError: a file cannot be read, or there is no session.
    """
    rows = [row for row in comparison.rows if not row.is_quiet and row.judgement.candidate is not None]
    names = list(dict.fromkeys(row.key.fullname for row in rows))[:MOST_BENCHMARKS]
    if not names:
        return None
    metrics = tuple(sorted({row.key.metric for row in rows}))
    selection = Selection(paths=tuple(paths), metrics=metrics, last=HISTORY)
    trends = build_trends(selection, replace(request, names=frozenset(names)), feedback=feedback)
    machines = {session.fingerprint for session in comparison.candidate.sessions}
    return replace(trends, series=tuple(trend for trend in trends.series if trend.fingerprint in machines))
