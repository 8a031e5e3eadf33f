"""The comparisons of an axis become curves with the same figures, and throughput against latency its exact front."""

from typing import Any

from tests.present.verdicts.results import row, session

from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Side
from pytest_benchdb.model.verdict import Interval, Verdict
from pytest_benchdb.operations.compare.curves import axis_charts, trade_offs

TIME = {"metric": "wall_time", "unit": "s", "better": "lower"}
RATE = {"metric": "throughput", "unit": "1/s", "better": "higher"}


def compared(value: str, *rows: ComparisonRow, axis: str = "batch_size", first: str = "1") -> Comparison:
    sides = (Side(name=f"{axis}={name}", sessions=(session(),)) for name in (first, value))
    return Comparison(baseline=next(sides), candidate=next(sides), rows=rows)


def one(name: str, before: float | None, after: float | None, about: dict[str, str], **changes: Any) -> ComparisonRow:
    verdict: Verdict = changes.pop("verdict", "regressed")
    return row(verdict, f"t.py::test_f[{name}]", baseline=before, candidate=after, **about, **changes)


def test_line_has_the_figure_of_each_value_and_the_interval_of_its_change() -> None:
    interval = Interval(low=0.4, high=0.6, level=0.95)
    (chart,) = axis_charts(
        [
            compared("10", one("model=a", 2.0, 20.0, TIME)),
            compared("8", one("model=a", 2.0, 3.0, TIME, change=0.5, interval=interval)),
        ]
    )

    assert (chart.title, chart.metric, chart.axis, chart.reference) == ("t.py::test_f", "wall_time", "batch_size", "1")
    assert chart.values == ("1", "8", "10")
    (line,) = chart.lines
    assert line.name == "model=a"
    assert [(point.value, point.figure) for point in line.points] == [("1", 2.0), ("8", 3.0), ("10", 20.0)]
    assert (line.points[1].low, line.points[1].high) == (2.8, 3.2)
    assert line.points[0].low is None


def test_what_has_no_figure_has_a_reason_and_never_zero() -> None:
    (chart,) = axis_charts(
        [
            compared("2", one("a", 2.0, None, TIME, verdict="error", change=None, reason="failed: out of memory")),
            compared("4", one("a", 2.0, 3.0, TIME, verdict="incomparable", change=None, reason="other device")),
            compared("8", one("b", None, 5.0, TIME, verdict="new", change=None)),
        ]
    )

    lines = {line.name: {point.value: point for point in line.points} for line in chart.lines}
    assert [lines["a"][value].figure for value in chart.values] == [None, None, None, None]
    assert lines["a"]["2"].reason == "failed: out of memory"
    assert lines["a"]["4"].reason == "other device"
    assert lines["a"]["8"].reason == "not measured"
    assert lines["b"]["8"].figure == 5.0
    assert lines["b"]["1"].figure is None


def test_names_keep_the_order_of_the_comparison() -> None:
    (chart,) = axis_charts(
        [
            compared("gpt", one("n=1", 1.0, 2.0, TIME), axis="model", first="bert"),
            compared("albert", one("n=1", 1.0, 3.0, TIME), axis="model", first="bert"),
        ]
    )

    assert (chart.values, chart.numeric) == (("bert", "gpt", "albert"), False)


def test_trade_off_has_the_exact_front_of_all_lines() -> None:
    charts = axis_charts(
        [
            compared(
                "8",
                one("a", 1.0, 4.0, TIME),
                one("b", 2.0, 9.0, TIME),
                one("a", 10.0, 20.0, RATE),
                one("b", 5.0, 21.0, RATE),
            ),
            compared("16", one("a", 1.0, 8.0, TIME), one("a", 10.0, 20.0, RATE), one("b", 2.0, 30.0, TIME)),
        ]
    )

    (trade_off,) = trade_offs(charts)

    on_front = {(choice.line, choice.value): choice.on_front for choice in trade_off.choices}
    assert on_front == {
        ("a", "1"): True,
        ("a", "8"): True,
        ("a", "16"): False,
        ("b", "1"): False,
        ("b", "8"): True,
    }
    assert trade_off.left_out == 1
    assert (trade_off.latency, trade_off.throughput, trade_off.unit) == ("wall_time", "throughput", "1/s")


def test_one_metric_alone_has_no_trade_off() -> None:
    assert trade_offs(axis_charts([compared("8", one("a", 1.0, 4.0, TIME))])) == ()


def test_nothing_compared_has_no_charts() -> None:
    assert axis_charts([]) == ()
