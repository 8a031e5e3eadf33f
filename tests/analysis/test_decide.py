"""Decisions follow the rules and count only what could be compared."""

import pytest
from tests.analysis.comparison_rows import make_row

from pytest_benchdb.analysis.decide import decide, parse_rules

RULES = parse_rules({"targets": {"insert": "2x..5x"}}, "rules.toml")


def contains(expression: str, name: str) -> bool:
    return expression in name


def test_decide_takes_the_geometric_mean_of_the_speedups() -> None:
    decision = decide([make_row("a", -0.5), make_row("b", -0.875)], RULES, contains)

    assert decision.speedup == pytest.approx(4.0)
    assert (decision.verdict, decision.rows) == ("hybrid", 2)


def test_decide_at_the_bound_includes_it() -> None:
    rows = [make_row("a", -0.5), make_row("b", -0.5), make_row("c", -0.5)]

    assert decide(rows, RULES, contains).verdict == "hybrid"


def test_decide_lists_left_out_rows() -> None:
    rows = [make_row("a", -0.5), make_row("b", None, verdict="error"), make_row("c", 0.1, better="none")]

    decision = decide(rows, RULES, contains)

    assert decision.rows == 1
    assert decision.left_out == (
        ("tests/test_a.py::b", "error"),
        ("tests/test_a.py::c", "wall_time has no direction"),
    )


def test_decide_without_anything_comparable_has_no_verdict() -> None:
    decision = decide([make_row("insert", None, verdict="error")], RULES, contains)

    assert (decision.verdict, decision.range, decision.speedup) == (None, None, None)
    assert decision.targets[0].met is None
    assert decision.targets[0].reason == "none of its 1 rows can be compared"


def test_decide_without_rows_has_no_verdict() -> None:
    decision = decide([], RULES, contains)

    assert decision.verdict is None
    assert decision.targets[0].reason == "no benchmark matches it"


def test_decide_counts_one_metric_unless_the_rules_name_more() -> None:
    rows = [make_row("a", -0.5), make_row("a", 0.0, metric="peak_rss")]
    both = parse_rules({"metrics": ["wall_time", "peak_rss"]}, "rules.toml")

    assert decide(rows, RULES, contains).speedup == pytest.approx(2.0)
    assert decide(rows, both, contains).speedup == pytest.approx(2.0**0.5)


def test_decide_counts_unsure_rows() -> None:
    assert decide([make_row("a", -0.5, verdict="inconclusive")], RULES, contains).unsure == 1


@pytest.mark.parametrize(("change", "met"), [(-0.5, True), (-0.8, True), (-0.81, False), (-0.4, False), (1.0, False)])
def test_target_of_benchmarks_is_met_within_its_range(change: float, met: bool) -> None:
    decision = decide([make_row("insert", change), make_row("query", 3.0)], RULES, contains)

    assert decision.targets[0].met is met
    assert decision.targets[0].rows == 1


def test_target_that_names_a_metric_is_about_all_its_rows() -> None:
    rules = parse_rules({"targets": {"peak_rss": ">=1x"}}, "rules.toml")
    rows = [make_row("a", -0.5), make_row("a", -0.2, metric="peak_rss"), make_row("b", 0.25, metric="peak_rss")]

    (target,) = decide(rows, rules, contains).targets

    assert target.rows == 2
    assert target.speedup == pytest.approx(1.0)
    assert target.met


def test_target_finds_benchmarks_by_their_group_too() -> None:
    (target,) = decide([make_row("a", -0.5, group="insert")], RULES, contains).targets

    assert target.rows == 1


def test_target_is_not_found_in_the_name_of_the_file() -> None:
    rules = parse_rules({"targets": {"test_a.py": ">1x"}}, "rules.toml")

    assert decide([make_row("a", -0.5)], rules, contains).targets[0].rows == 0
