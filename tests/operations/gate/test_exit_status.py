"""The decision of a gate: status, failures and sentence."""

from typing import Any

import pytest

from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate, Shift, Side
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Judgement, Policy
from pytest_benchdb.operations.gate.exit_status import decide
from pytest_benchdb.operations.gate.request import GateRequest


def _row(verdict: Any = "unchanged", name: str = "a", *, gated: bool = True, **judged: Any) -> ComparisonRow:
    judged.setdefault("baseline_sessions", 20)
    return ComparisonRow(
        key=SeriesKey(fullname=f"test_a.py::{name}", metric="wall_time"),
        unit="s",
        better="lower",
        group=None,
        judgement=Judgement(verdict=verdict, **judged),
        policy=Policy(better="lower", relative=0.05, gated=gated),
        labels={},
    )


def _decide(rows: list[ComparisonRow], **options: Any) -> Gate:
    side = Side(name="side", sessions=())
    fails = {name: options.pop(name) for name in ("missing", "require_baseline", "strict") if name in options}
    return decide(Comparison(baseline=side, candidate=side, rows=tuple(rows)), GateRequest(**fails), **options)


REGRESSED = _row("regressed", change=0.123)
MISSING = _row("missing", "gone")
NEW = _row("new", state="learning", baseline_sessions=0)
LEARNING = _row("inconclusive", state="learning", baseline_sessions=3)
UNSTABLE = _row("inconclusive", state="unstable", change=0.2)
SHIFT = Shift(change=0.08, agreeing=0.9)
FASTER = Shift(change=-0.08, agreeing=0.9)


@pytest.mark.parametrize(
    ("rows", "options", "status", "failures"),
    [
        ([_row()], {}, 0, 0),
        ([REGRESSED], {}, 1, 1),
        ([_row("regressed", state="suspect")], {}, 1, 1),
        ([_row("regressed", state="accepted")], {}, 0, 0),
        ([_row("regressed", state="not gated", gated=False)], {}, 0, 0),
        ([_row("regressed", gated=False)], {}, 0, 0),
        ([_row("improved")], {}, 0, 0),
        ([_row("incomparable")], {"strict": True}, 0, 0),
        ([_row("error")], {}, 1, 1),
        ([_row("error", baseline_sessions=4)], {}, 0, 0),
        ([_row("error", gated=False)], {}, 0, 0),
        ([_row(), MISSING], {}, 0, 0),
        ([_row(), MISSING], {"missing": "fail"}, 3, 1),
        ([REGRESSED, MISSING], {"missing": "fail"}, 1, 2),
        ([NEW], {}, 0, 0),
        ([NEW], {"require_baseline": True}, 3, 0),
        ([LEARNING], {"require_baseline": True}, 3, 0),
        ([LEARNING, _row()], {"require_baseline": True}, 0, 0),
        ([NEW], {"require_baseline": True, "no_baseline": "nothing yet"}, 3, 0),
        ([], {"require_baseline": True}, 3, 0),
        ([], {}, 0, 0),
        ([UNSTABLE], {}, 0, 0),
        ([UNSTABLE], {"strict": True}, 4, 0),
        ([_row()], {"shift": SHIFT}, 4, 0),
        ([_row()], {"shift": SHIFT, "strict": True}, 4, 0),
        ([REGRESSED], {"shift": SHIFT, "strict": True}, 1, 1),
        ([_row("improved")], {"shift": FASTER}, 0, 0),
        ([_row("improved")], {"shift": FASTER, "strict": True}, 4, 0),
        ([UNSTABLE], {"undecided": frozenset({UNSTABLE.key})}, 0, 0),
        ([_row("inconclusive", state="suspect")], {"undecided": frozenset({REGRESSED.key}), "strict": True}, 4, 0),
        ([_row("inconclusive", state="suspect")], {"strict": True}, 0, 0),
        ([REGRESSED], {"interrupted": True}, 130, 1),
    ],
    ids=[
        "unchanged",
        "regressed",
        "suspect without re-runs",
        "accepted",
        "not gated",
        "not gated by its policy",
        "improved",
        "incomparable",
        "error",
        "error while learning",
        "error not gated",
        "missing",
        "missing fails",
        "regressed and missing",
        "new",
        "new, baseline required",
        "learning, baseline required",
        "some learning, baseline required",
        "no baseline, required",
        "nothing, baseline required",
        "nothing",
        "unstable",
        "unstable, strict",
        "shift",
        "shift, strict",
        "regressed and shift, strict",
        "faster shift",
        "faster shift, strict",
        "not confirmed",
        "not confirmed, strict",
        "cleared, strict",
        "interrupted",
    ],
)
def test_outcome_has_one_status(rows: list[ComparisonRow], options: dict[str, Any], status: int, failures: int) -> None:
    outcome = _decide(rows, **options)

    assert (outcome.exit_status, len(outcome.failures)) == (status, failures)
    assert outcome.sentence
    assert "\n" not in outcome.sentence


@pytest.mark.parametrize(
    ("rows", "options", "sentence"),
    [
        ([_row(), _row("improved")], {}, "passed: 1 improved, 1 unchanged"),
        ([REGRESSED, _row()], {}, "failed: 1 of 2 gated results: test_a.py::a wall_time +12.3 % (limit 5 %)"),
        (
            [REGRESSED],
            {"unconfirmed": "it was imported"},
            "failed: 1 of 1 gated results: test_a.py::a wall_time +12.3 % (limit 5 %); not confirmed: it was imported",
        ),
        ([_row("regressed", state="accepted")], {}, "passed: 1 regressed, 1 of them accepted"),
        ([_row(), MISSING], {"missing": "fail"}, "failed: 1 benchmark missing: test_a.py::gone"),
        ([LEARNING], {}, "nothing was judged: learning: 3 of the 5 earlier sessions that a verdict needs"),
        (
            [NEW],
            {"no_baseline": "there is no earlier session yet"},
            "nothing was judged: there is no earlier session yet",
        ),
        ([UNSTABLE], {}, "nothing was judged: 1 result could not be judged on a disturbed machine"),
        (
            [_row(), UNSTABLE],
            {},
            "passed: 1 inconclusive, 1 unchanged; 1 result could not be judged on a disturbed machine",
        ),
        ([UNSTABLE], {"strict": True}, "undecided: 1 result could not be judged on a disturbed machine"),
        (
            [_row("inconclusive", state="suspect", reason="re-run 1 confirmed nothing: it recorded nothing")],
            {"undecided": frozenset({REGRESSED.key})},
            "passed: 1 inconclusive; 1 suspect could not be confirmed: re-run 1 confirmed nothing: it recorded nothing",
        ),
        (
            [REGRESSED],
            {"interrupted": True, "undecided": frozenset({MISSING.key})},
            "interrupted: 1 suspect not confirmed",
        ),
    ],
    ids=[
        "passed",
        "failed",
        "not confirmed",
        "accepted",
        "missing",
        "learning",
        "no baseline",
        "unstable",
        "partly unstable",
        "strict",
        "undecided",
        "interrupted",
    ],
)
def test_outcome_is_one_line(rows: list[ComparisonRow], options: dict[str, Any], sentence: str) -> None:
    assert _decide(rows, **options).sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("options", "status"), [({}, 0), ({"strict": True}, 4), ({"require_baseline": True, "strict": True}, 3)]
)
def test_session_without_one_figure_is_not_judged_and_says_why(options: dict[str, Any], status: int) -> None:
    disabled = [_row("inconclusive", name, reason="pytest-benchmark was disabled") for name in "abc"]

    outcome = _decide([*disabled, NEW], **options)

    assert outcome.exit_status == status
    assert outcome.sentence == "nothing was judged: pytest-benchmark was disabled (3 of 4 results)"


def test_outcome_of_a_shift_is_undecided_and_says_how_to_decide() -> None:
    sentence = _decide([_row()], shift=SHIFT).sentence

    assert sentence.startswith("undecided: 90 % of the suite moved alike, by +8.0 % in the median")
    assert "benchdb duet" in sentence


def test_outcome_names_a_few_failures_and_counts_the_rest() -> None:
    rows = [_row("regressed", name, change=0.1) for name in "abcde"]

    assert _decide(rows).sentence.endswith("and 2 more")
