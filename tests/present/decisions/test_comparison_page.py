"""The page of a comparison or a gate shows every verdict with its interval, and nothing from outside gets into it."""

from dataclasses import replace

import pytest
from tests.present.decisions.reading import read_page
from tests.present.explain.test_flame_graph import profile
from tests.present.verdicts.results import HOSTILE, comparison, gate, hostile, many, row, session

from pytest_benchdb.analysis.decide import Decision
from pytest_benchdb.analysis.profiles.causes import compare_profiles
from pytest_benchdb.model.answer.explanation import Explanation, Explanations
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Difference, Gate, Shift, Side
from pytest_benchdb.model.verdict import VERDICTS, Interval, Judgement, Policy

pytest.importorskip("jinja2")

from pytest_benchdb.present.decisions.comparison import (
    MOST_DETAILS,
    Extras,
    Shown,
    comparison_html,
    gate_html,
)
from pytest_benchdb.present.decisions.parts import MOST_LISTED, MOST_ROWS

POLICY = Policy(better="lower", relative=0.05)


def shown(compared: Comparison) -> list[Shown]:
    return [Shown(comparison=compared, rows=compared.rows)]


def test_hostile_texts_are_only_text() -> None:
    explanations = Explanations(
        base=HOSTILE,
        head=HOSTILE,
        benchmarks=[Explanation(fullname=HOSTILE, reason=HOSTILE, notes=[HOSTILE])],
        notes=[HOSTILE],
    )

    attack = hostile()
    # A time is not a text in the database.
    side = Side(name=HOSTILE, sessions=(session(commit_sha=HOSTILE, branch=HOSTILE, commit_subject=HOSTILE),))
    attack = replace(attack, comparison=replace(attack.comparison, baseline=side, candidate=side))

    page = read_page(gate_html(attack, Extras(explanations=explanations)))

    assert len(page.rows) == len(VERDICTS)
    assert "<script>alert(1)</script>" in page.text


def test_every_verdict_has_its_word_and_what_was_compared_a_drawing_in_words() -> None:
    rows = [
        row(verdict, f"t.py::test_{verdict}", policy=POLICY, interval=Interval(low=0.05, high=0.2, level=0.95))
        for verdict in VERDICTS
    ]

    page = read_page(gate_html(gate(rows)))

    found = {each.name.rpartition("_")[2]: each for each in page.rows}
    assert set(found) == set(VERDICTS)
    assert all(verdict in each.texts["verdict"] for verdict, each in found.items())
    assert found["missing"].drawing == ""
    assert found["regressed"].drawing == (
        "wall_time: regressed, +10.0 %; baseline 1.000 ms, candidate 1.100 ms; "
        "interval +5.0 … +20.0 % (95 %); limit 5 %"
    )


def test_rows_are_sorted_by_harm_whatever_the_direction_of_the_metric() -> None:
    fast = {"unit": "1/s", "better": "higher", "policy": replace(POLICY, better="higher")}
    rows = [
        row("regressed", "t.py::slower", change=0.3, policy=POLICY),
        row("regressed", "t.py::much_slower", change=1.5, policy=POLICY),
        row("improved", "t.py::faster", change=-0.4, policy=POLICY),
        row("regressed", "t.py::halved", change=-0.5, **fast),
        row("improved", "t.py::doubled", change=1.0, **fast),
    ]

    page = read_page(comparison_html(shown(comparison(rows))))

    # A table for each unit, each with the most harmful first: a rate that fell is harm, one that rose is none.
    names = [each.name.rpartition(":")[2] for each in page.rows]
    assert names == ["much_slower", "slower", "faster", "halved", "doubled"]
    assert "less: worse" in page.text


def test_order_of_the_user_is_kept() -> None:
    rows = [row("regressed", "t.py::b"), row("improved", "t.py::a")]
    compared = comparison(rows)

    page = read_page(comparison_html([Shown(comparison=compared, rows=compared.rows[::-1], ordered=True)]))

    assert [each.name for each in page.rows] == ["t.py::a", "t.py::b"]


def test_what_was_checked_is_told_from_what_was_not() -> None:
    again = Judgement(verdict="regressed", change=0.2, baseline=0.001, candidate=0.0012)
    rows = [
        row("regressed", "t.py::both", confirmations=(again, again), confirmed_by="rerun"),
        row("regressed", "t.py::one", confirmations=(again, replace(again, verdict="unchanged")), confirmed_by="rerun"),
        row("regressed", "t.py::turn", confirmations=(again,), confirmed_by="duet"),
        row("regressed", "t.py::counts", confirmations=(again,), confirmed_by="instructions"),
        row("regressed", "t.py::never", state="suspect"),
    ]

    page = read_page(gate_html(gate(rows)))

    assert {each.name.rpartition(":")[2]: each.texts["checked"] for each in page.rows} == {
        "both": "2/2",
        "one": "1/2",
        "turn": "in turn",
        "counts": "by counts",
        "never": "-",
    }
    assert "Checked: repeated in 2 of 2 re-runs." in page.text
    assert "not checked: nothing ran it again" in page.text


def test_gate_says_why_it_ended_and_what_is_in_doubt() -> None:
    compared = comparison(
        [row("regressed", policy=POLICY, command="pytest 'a b' --benchdb")],
        warnings=("the machine was busy",),
        differences=(Difference(name="packages.numpy", baseline="2.0", candidate="2.1"),),
    )
    result = gate(compared.rows, comparison=compared, shift=Shift(change=0.2, agreeing=0.9), sentence="failed: one")

    page = read_page(gate_html(result))

    for text in (
        "failed: one",
        "exit status 1",
        "the machine was busy",
        "90 % of the benchmarks",
        "packages.numpy",
        "pytest 'a b' --benchdb",
    ):
        assert text in page.text


def test_page_of_thousands_of_rows_is_bounded_and_says_what_it_leaves_out() -> None:
    number = MOST_ROWS + MOST_LISTED + 7

    text = gate_html(many(number))
    page = read_page(text)

    assert len(page.rows) == MOST_ROWS
    assert len(text) < 3_000_000
    assert text.count('<details class="row-detail"') == MOST_DETAILS
    assert f"{number - MOST_ROWS} more rows, without a chart" in page.text
    assert "7 more rows not listed: -f csv and -f json have them" in page.text


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row("missing"), row("error", change=None, baseline=None, candidate=None, reason="failed")],
        [row("new", change=None, baseline=None), row(change=None, baseline=0.0, candidate=3.0)],
        [row(change=-1.0, candidate=0.0), row(change=-3.0, candidate=-0.002), row(change=1e300, candidate=1e297)],
        [row(interval=Interval(low=-1.5, high=float("inf"), level=0.95))],
        [row(unit="?", metric="test_own", better="none")],
    ],
)
def test_odd_values_make_a_page(rows: list[ComparisonRow]) -> None:
    page = read_page(comparison_html(shown(comparison(rows))))

    assert len(page.rows) == len(rows)
    assert "nan" not in page.source.lower().split("</style>")[1].partition("<script")[0].replace("</title>", "")


def test_decision_by_rules_is_on_the_page() -> None:
    compared = comparison([row("improved", change=-0.5)])
    decision = Decision(verdict="accept", range=None, speedup=2.0, rows=1, unsure=0, targets=(), left_out=())

    page = read_page(comparison_html(shown(compared), Extras(decisions=[decision])))

    assert "none: no row can be compared" in page.text


def test_comparison_of_nothing_is_a_page() -> None:
    assert "Nothing was compared" in read_page(comparison_html([])).text


def test_gate_without_failures_is_not_red() -> None:
    result: Gate = gate([row("unchanged")], sentence="passed: 1 of 1")

    assert '<p class="outcome good">' in gate_html(result)


def test_charts_of_an_axis_with_hostile_names_are_only_text() -> None:
    from pytest_benchdb.operations.compare.curves import axis_charts, trade_offs

    metrics = (("wall_time", "s", "lower"), ("throughput", "1/s", "higher"), (HOSTILE, HOSTILE, "none"))
    rows = [
        row("regressed", f"t.py::{HOSTILE}[{HOSTILE}{n}]", metric=metric, unit=unit, better=better, reason=HOSTILE)
        for n in range(9)
        for metric, unit, better in metrics
    ]
    sides = [replace(comparison([]).baseline, name=f"{HOSTILE}={value}") for value in (HOSTILE, HOSTILE + "2")]
    compared = comparison(rows, baseline=sides[0], candidate=sides[1])
    charts = axis_charts([compared])

    page = read_page(comparison_html(shown(compared), Extras(charts=charts, trade_offs=trade_offs(charts))))

    assert len(page.plots) >= 7


def test_explanation_has_its_reasons_and_its_flame_graph() -> None:
    base, head = (profile(cost, HOSTILE) for cost in (100, 300))
    change = compare_profiles(base, head)
    explanations = Explanations(
        base="main", head="pr", benchmarks=[Explanation(fullname=HOSTILE, python=change, profiles=(base, head))]
    )

    text = gate_html(gate([row("regressed")]), Extras(explanations=explanations))
    page = read_page(text)

    assert "executes 300 instructions instead of 100 (+200 %)" in page.text
    assert page.source.count("<style>") == 1  # the policy of the page allows no other
    assert "differential flame graph" in page.source
