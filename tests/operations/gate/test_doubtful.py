"""Rows that the noise explains as well: checked on both commits, and left as they were unless those confirm them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy
from pytest_benchdb.operations.gate.adjust import after_checks, is_doubtful


@pytest.fixture
def row(value: Callable[..., SessionValue]) -> ComparisonRow:
    """A row that is 12 % worse, within the noise of its history."""
    return ComparisonRow(
        key=value().key,
        unit="s",
        better="lower",
        group=None,
        judgement=Judgement(
            verdict="inconclusive", change=0.12, baseline=1.0, candidate=1.12, reason="within the noise"
        ),
        policy=Policy(better="lower", relative=0.05),
        labels={},
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "learning"},
        {"state": "suspect"},
        {"verdict": "unchanged"},
        {"candidate": 1.04, "change": 0.04},
        {"candidate": 0.88, "change": -0.12},
        {"test": "counts"},
    ],
    ids=["too-few-sessions", "suspect-already", "unchanged", "within-limit", "better", "counted"],
)
def test_other_rows_are_not_doubtful(row: ComparisonRow, changes: dict[str, Any]) -> None:
    assert is_doubtful(row)
    assert not is_doubtful(replace(row, judgement=replace(row.judgement, **changes)))


def test_row_that_is_not_gated_is_not_doubtful(row: ComparisonRow) -> None:
    assert not is_doubtful(replace(row, policy=Policy(better="lower", relative=0.05, gated=False)))


def test_doubtful_row_that_is_confirmed_is_regressed(row: ComparisonRow) -> None:
    found = replace(row, judgement=replace(row.judgement, verdict="regressed"), confirmed_by="duet")

    assert after_checks([row], {row.key: found}) == [found]


def test_doubtful_row_that_is_not_confirmed_stays_as_it_was_with_what_was_seen(row: ComparisonRow) -> None:
    seen = Judgement(verdict="unchanged", change=0.0)
    found = replace(
        row, judgement=replace(row.judgement, reason="cleared"), confirmations=(seen,), confirmed_by="instructions"
    )

    (merged,) = after_checks([row], {row.key: found})

    assert merged.judgement == row.judgement
    assert (merged.confirmed_by, merged.confirmations) == ("instructions", (seen,))
