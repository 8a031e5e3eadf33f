"""The levels and order of rows in CI."""

from typing import Any

import pytest
from tests.present.verdicts.results import comparison, gate, row

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.verdict import VERDICTS, Level, Policy, Verdict
from pytest_benchdb.present.verdicts.findings import weigh


@pytest.mark.parametrize(
    ("verdict", "state", "level"),
    [
        ("regressed", None, "error"),
        ("regressed", "suspect", "warning"),
        ("regressed", "unstable", "warning"),
        ("regressed", "learning", "warning"),
        ("regressed", "accepted", "note"),
        ("regressed", "not gated", "note"),
        ("error", None, "error"),
        ("missing", None, "warning"),
        ("inconclusive", None, "note"),
        ("inconclusive", "unstable", "warning"),
        ("incomparable", None, "note"),
        ("unchanged", None, "fine"),
        ("improved", None, "fine"),
        ("new", "learning", "fine"),
    ],
)
def test_weigh_comparison_weighs_each_verdict(verdict: Verdict, state: Any, level: Level) -> None:
    findings = weigh(comparison([row(verdict, state=state)]))

    assert [finding.level for finding in findings.rows] == [level]


@pytest.mark.parametrize(("candidate", "level"), [(1.04e-3, "fine"), (1.06e-3, "note")])
def test_weigh_doubts_only_changes_beyond_the_limit(candidate: float, level: Level) -> None:
    """A row that is inconclusive because its interval is wide needs no review: nothing in it suggests a change."""
    policy = Policy(better="lower", relative=0.05)

    findings = weigh(comparison([row("inconclusive", baseline=1e-3, candidate=candidate, policy=policy)]))

    assert [finding.level for finding in findings.rows] == [level]


def test_weigh_gate_gives_level_error_to_its_failures_only() -> None:
    rows = [row(verdict, f"t.py::{verdict}") for verdict in VERDICTS]
    failed = [one for one in rows if one.judgement.verdict in {"missing", "incomparable"}]

    findings = weigh(gate(rows, failures=tuple(failed)))

    assert {finding.row.key for finding in findings.of_level("error")} == {one.key for one in failed}
    assert findings.sentence == "1 of 9 benchmarks regressed"


def test_weigh_rows_puts_the_worst_first_by_the_direction_of_the_metric() -> None:
    rows = [
        row("unchanged", "t.py::c", change=0.9),
        row("regressed", "t.py::b", change=0.1),
        row("regressed", "t.py::a", change=-0.5, better="higher", unit="1/s"),
        row("missing", "t.py::d"),
    ]

    assert [finding.row.key.fullname for finding in weigh(comparison(rows)).rows] == [
        "t.py::a",
        "t.py::b",
        "t.py::d",
        "t.py::c",
    ]


def test_weigh_with_locations_gives_each_row_its_own() -> None:
    place = Location(file="t.py", line=3)

    findings = weigh(comparison([row(fullname="t.py::a"), row(fullname="t.py::b")]), {"t.py::b": place})

    assert {finding.row.key.fullname: finding.location for finding in findings.rows} == {
        "t.py::a": None,
        "t.py::b": place,
    }
