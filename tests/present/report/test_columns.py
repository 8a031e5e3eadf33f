"""The order of runs in a report."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import Report, ReportRow
from pytest_benchdb.present.report.columns import check_sort, figure_of, sort_rows, sorted_report, with_relative

Make = Callable[..., ReportRow]


@pytest.mark.parametrize("sort", ["speed", "--median", ""])
def test_check_sort_of_an_unknown_column_lists_the_choice(sort: str) -> None:
    with pytest.raises(ConfigError, match=r"no such column; choose from benchmark, "):
        check_sort(sort)


@given(st.lists(st.one_of(st.none(), st.floats(min_value=1e-9, max_value=1e3)), max_size=8), st.booleans())
def test_sort_rows_puts_the_unmeasured_last_both_ways(run: Make, medians_s: list[float | None], down: bool) -> None:
    rows = [run(run_id=str(number), median_s=median_s) for number, median_s in enumerate(medians_s)]

    ordered = [row.median_s for row in sort_rows(rows, "-median" if down else "median")]

    known = sorted((value for value in medians_s if value is not None), reverse=down)
    assert ordered == known + [None] * (len(medians_s) - len(known))


def test_sort_rows_of_failed_runs_ignores_their_figures(run: Make) -> None:
    rows = [run(run_id="failed", median_s=1.0, outcome="failed"), run(run_id="slow", median_s=9.0)]

    assert [row.run_id for row in sort_rows(rows, "median")] == ["slow", "failed"]


def test_sort_rows_of_texts_ignores_case(run: Make) -> None:
    rows = [run(fullname=name) for name in ("b", "C", "a")]

    assert [row.fullname for row in sort_rows(rows, "benchmark")] == ["a", "b", "C"]


def test_sort_without_a_column_keeps_the_order(run: Make, report: Callable[..., Report]) -> None:
    unsorted = report(*(run(fullname=name) for name in "bca"))

    assert sorted_report(unsorted, None) == unsorted


def test_sort_orders_the_runs_of_each_session(run: Make, report: Callable[..., Report]) -> None:
    (session,) = sorted_report(report(*(run(fullname=name) for name in "bca")), "-benchmark").sessions

    assert [row.fullname for row in session.rows] == ["c", "b", "a"]


def test_relative_times_are_multiples_of_the_fastest_of_the_group(run: Make) -> None:
    rows = [
        run(fullname="a", group="x", median_s=3.0),
        run(fullname="b", group="x", median_s=2.0),
        run(fullname="c", group="y", median_s=8.0),
        run(fullname="d", group="x", median_s=1.0, outcome="failed"),
        run(fullname="e", group="x", median_s=None),
    ]

    assert [figure_of(row, "relative") for row in with_relative(rows, ("group",))] == [1.5, 1.0, 1.0, None, None]
    assert [row.relative for row in with_relative(rows, ())][:3] == [1.5, 1.0, 4.0]


def test_relative_times_never_mix_metrics(run: Make) -> None:
    rows = [run(median_s=3.0), run(median_s=1.0, main_metric="step_time")]

    assert [row.relative for row in with_relative(rows, ())] == [1.0, 1.0]


def test_sort_by_calls_per_second_is_that_of_the_mean(run: Make, report: Callable[..., Report]) -> None:
    unsorted = report(run(fullname="a", mean_s=1.0), run(fullname="b", mean_s=0.5), run(fullname="c", mean_s=None))

    (shown,) = sorted_report(unsorted, "-ops").sessions

    assert [(row.fullname, figure_of(row, "ops")) for row in shown.rows] == [("b", 2.0), ("a", 1.0), ("c", None)]
