"""Reports as Markdown, JSON and CSV: complete, correct, and harmless to the reader."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.present.report.columns import RenderOptions, columns_named
from pytest_benchdb.present.report.formats import report_csv, report_json, report_markdown

Make = Callable[..., Any]
ANY_TEXT = st.text(st.characters(), max_size=40)
SAFE_TEXT = ANY_TEXT.filter(lambda text: "\0" not in text)
FIGURE = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


def ungrouped(columns: Iterable[str]) -> RenderOptions:
    return RenderOptions(columns=columns_named(columns), group_by="none")


def read_csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def _without_guard(cell: str) -> str:
    return cell.removeprefix("'")


@given(names=st.lists(SAFE_TEXT, min_size=1, max_size=4), figure=FIGURE)
def test_csv_report_reads_back(run: Make, report: Make, names: list[str], figure: float | None) -> None:
    rows = [run(name, median_s=figure) for name in names]

    lines = read_csv(report_csv(report(*rows), None))

    head = lines[0]
    assert [_without_guard(line[head.index("fullname")]) for line in lines[1:]] == names
    for line in lines[1:]:
        cell = line[head.index("median_s")]
        assert (None if cell == "" else float(cell)) == figure


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "'", "\N{FULLWIDTH EQUALS SIGN}"])
def test_csv_text_is_never_a_formula(run: Make, report: Make, start: str) -> None:
    text = report_csv(report(run(start + "cmd|' /C calc'!A0")), columns_named(["benchmark"]))

    assert text.splitlines(keepends=False)[1].startswith("\"'")


def test_csv_columns_have_their_units(run: Make, report: Make) -> None:
    text = report_csv(report(run(median_s=2e-3)), columns_named(["benchmark", "median", "memory", "rounds"]))

    assert text.splitlines() == [
        '"fullname","median_s","memory_bytes","rounds"',
        '"tests/test_a.py::test_x",0.002,64277708.8,1000',
    ]


def test_csv_of_a_failed_run_has_no_figures(run: Make, report: Make) -> None:
    rows = read_csv(report_csv(report(run(median_s=2e-3, outcome="failed", valid=False)), None))

    values = dict(zip(*rows, strict=True))
    assert values["outcome"] == "failed"
    assert [values[name] for name in ("median_s", "cpu_s", "peak_rss_bytes")] == ["", "", ""]


def test_json_report_has_schema_units_and_raw_values(run: Make, report: Make) -> None:
    document = json.loads(report_json(report(run(median_s=1.2345678901e-6), selection="-k x")))

    (session,) = document["sessions"]
    (row,) = session["rows"]
    assert document["schema"] == "benchdb.report/1"
    assert document["selection"] == "-k x"
    assert document["units"]["median_s"] == "s"
    assert document["units"]["peak_rss_bytes"] == "B"
    assert row["median_s"] == 1.2345678901e-6
    assert session["outcomes"] == {"passed": 1}


def test_json_report_turns_nan_into_null(run: Make, report: Make) -> None:
    text = report_json(report(run(stddev_s=float("nan"), max_s=float("inf"))))

    row = json.loads(text, parse_constant=pytest.fail)["sessions"][0]["rows"][0]
    assert (row["stddev_s"], row["max_s"]) == (None, None)


def test_json_report_of_a_failed_run_has_no_figures(run: Make, report: Make) -> None:
    row = json.loads(report_json(report(run(outcome="failed", valid=False))))["sessions"][0]["rows"][0]

    assert {name: row[name] for name in ("median_s", "cpu_s", "peak_rss_bytes")} == {
        "median_s": None,
        "cpu_s": None,
        "peak_rss_bytes": None,
    }


def test_markdown_report_is_exact(run: Make, report: Make) -> None:
    rows = [run("t.py::test_a[x|y]", 1.25e-3), run("t.py::test_b", None, outcome="failed", reason="<b>`no`</b>")]

    text = report_markdown(
        report(*rows),
        ungrouped(["benchmark", "median", "memory", "rounds"]),
    )

    assert text.partition("\n\n| ")[2].splitlines() == [
        "benchmark | median (ms) | memory (MiB) | rounds |",
        "| :--- | ---: | ---: | ---: |",
        "| test_a\\[x\\|y\\] | 1.250 | 61.3 | 1000\N{MULTIPLICATION SIGN}10 |",
        "| test_b | failed: &lt;b&gt;\\`no\\`&lt;/b&gt; |  |  |",
    ]


def test_markdown_report_groups_get_headings(run: Make, report: Make) -> None:
    rows = [run("a.py::test_a"), run("b.py::test_b")]

    text = report_markdown(report(*rows))

    assert "\n### a.py\n" in text
    assert "\n### b.py\n" in text
