"""Rows of comparisons for the tests of decisions."""

from typing import Any

from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Judgement


def make_row(name: str = "test_x", change: float | None = 0.0, **values: Any) -> ComparisonRow:
    """Return a row of a benchmark; ``verdict``, ``metric``, ``better`` and ``group`` may be given."""
    verdict = values.pop("verdict", "unchanged")
    key = SeriesKey(fullname=f"tests/test_a.py::{name}", metric=values.pop("metric", "wall_time"))
    known: dict[str, Any] = {"unit": "s", "better": "lower", "group": None, "labels": {}}
    return ComparisonRow(key=key, judgement=Judgement(verdict=verdict, change=change), **{**known, **values})
