"""Where a session counts in time: a backfilled one at its commit."""

from collections.abc import Callable

import pytest

from pytest_benchdb.model.report import BACKFILL_TAG, SessionRow

START = "2026-11-21T08:00:00.000000"


@pytest.mark.parametrize(
    ("tags", "commit_at", "placed_at"),
    [
        ({}, "2026-01-02T00:00:00.000000", START),
        ({BACKFILL_TAG: "k"}, "2026-01-02T00:00:00.000000", "2026-01-02T00:00:00.000000"),
        ({BACKFILL_TAG: "k"}, "2027-01-02T00:00:00.000000", START),  # a clock that was wrong
        ({BACKFILL_TAG: "k"}, None, START),
    ],
    ids=["recorded-in-its-day", "backfilled", "commit-of-the-future", "no-date"],
)
def test_placed_at(
    session: Callable[..., SessionRow], tags: dict[str, str], commit_at: str | None, placed_at: str
) -> None:
    assert session("s", START, tags=tags, commit_at=commit_at).placed_at == placed_at
