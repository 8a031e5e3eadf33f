"""How much rows weigh in CI."""

from typing import Any

import pytest
from tests.exporters.results import VERDICTS, comparison, gate, row

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.verdict import Interval, Policy, Verdict
from pytest_benchdb.present.verdicts.findings import Level, counts, decide, sentence, series_name


def figure(value: float | None, unit: str) -> str:
    return f"<{value} {unit}>"


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
def test_decide_comparison_weighs_each_verdict(verdict: Verdict, state: Any, level: Level) -> None:
    decision = decide(comparison([row(verdict, state=state)]))

    assert [decided.level for decided in decision.rows] == [level]


def test_decide_gate_calls_error_exactly_what_failed_it() -> None:
    rows = [row(verdict, f"t.py::{verdict}") for verdict in VERDICTS]
    failed = [one for one in rows if one.judgement.verdict in {"missing", "incomparable"}]

    decision = decide(gate(rows, failures=tuple(failed)))

    assert {decided.row.key for decided in decision.of_level("error")} == {one.key for one in failed}
    assert decision.sentence == "1 of 8 benchmarks regressed"


def test_decide_rows_puts_the_worst_first_by_the_direction_of_the_metric() -> None:
    rows = [
        row("unchanged", "t.py::c", change=0.9),
        row("regressed", "t.py::b", change=0.1),
        row("regressed", "t.py::a", change=-0.5, better="higher", unit="1/s"),
        row("missing", "t.py::d"),
    ]

    assert [decided.row.key.fullname for decided in decide(comparison(rows)).rows] == [
        "t.py::a",
        "t.py::b",
        "t.py::d",
        "t.py::c",
    ]


def test_decide_with_locations_gives_each_row_its_own() -> None:
    place = Location(file="t.py", line=3)

    decision = decide(comparison([row(fullname="t.py::a"), row(fullname="t.py::b")]), {"t.py::b": place})

    assert {decided.row.key.fullname: decided.location for decided in decision.rows} == {
        "t.py::a": None,
        "t.py::b": place,
    }


def test_counts_of_no_rows_say_that_nothing_was_compared() -> None:
    assert counts(comparison([])) == "nothing was compared"
    assert counts(comparison([row("new"), row("regressed"), row("new")])) == "1 regressed, 2 new"


def test_sentence_of_a_regression_holds_figures_interval_limit_reruns_and_reason() -> None:
    judged = row("regressed").judgement
    told = row(
        "regressed",
        phase="decode",
        device="cuda:0",
        policy=Policy(better="lower", relative=0.05, absolute=0.001),
        interval=Interval(low=0.05, high=0.15, level=0.95),
        confirmations=(judged, row("unchanged").judgement),
        reason="slow since Tuesday",
    )

    assert sentence(told, figure) == (
        "wall_time of decode on cuda:0: regressed, change +10.0 %; baseline <0.001 s>, candidate <0.0011 s>; "
        "interval +5.0 % to +15.0 % (95 %); limit 5 % and <0.001 s>; repeated in 1 of 2 re-runs; slow since Tuesday"
    )


def test_sentence_of_a_missing_row_invents_no_figure() -> None:
    assert sentence(row("missing", baseline=None), figure) == "wall_time: missing"


@pytest.mark.parametrize(
    ("backend", "device", "name"),
    [
        (None, None, "energy"),
        ("cpu", "AMD EPYC", "energy"),
        ("cuda", "NVIDIA H200", "energy on NVIDIA H200"),
        ("cuda", None, "energy on cuda"),
    ],
)
def test_series_name_tells_devices_but_not_the_processor(backend: str | None, device: str | None, name: str) -> None:
    assert series_name(row(metric="energy", backend=backend, device=device)) == name
