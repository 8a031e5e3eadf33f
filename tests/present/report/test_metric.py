"""Unusual metrics, simulated runs, and figures of only some runs, in every format."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from pytest_benchdb.model.report import Report, ReportRow
from pytest_benchdb.present.report.columns import (
    Column,
    RenderOptions,
    columns_named,
    default_columns,
    figure_of,
    metric_of,
    raw_name,
)
from pytest_benchdb.present.report.formats import report_csv, report_json, report_markdown
from pytest_benchdb.present.report.page import report_html
from pytest_benchdb.present.report.table import layout

Make = Callable[..., ReportRow]


def ungrouped(columns: Iterable[str]) -> RenderOptions:
    return RenderOptions(columns=columns_named(columns), group_by="none")


MakeReport = Callable[..., Report]


def mixed(run: Make) -> list[ReportRow]:
    return [
        run("a.py::test_call"),
        run("a.py::test_train", main_metric="step_time", workload="training"),
        run("a.py::test_phases", main_metric="wall_time", main_phase="decode"),
        run("a.py::test_broken", None, outcome="failed", reason="assert 0", main_metric="e2e_latency"),
    ]


def keys(columns: tuple[Column, ...]) -> list[str]:
    return [column.key for column in columns]


def page(report: Report, *columns: str) -> str:
    pytest.importorskip("jinja2")
    text = report_html(report, RenderOptions(columns=columns_named(columns) if columns else None, group_by="none"))
    return text.partition("<script")[0]  # after it come the data of all columns


@pytest.mark.parametrize(
    ("changes", "metric"),
    [
        ({}, "wall_time"),
        ({"main_metric": "step_time"}, "step_time"),
        ({"main_phase": "load/weights"}, "wall_time of load/weights"),
        ({"main_metric": None}, None),
    ],
)
def test_metric_of_names_metric_and_phase(run: Make, changes: dict[str, str | None], metric: str | None) -> None:
    assert metric_of(run(**changes)) == metric


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([{}, {}], False),
        ([{}, {"main_metric": None, "median_s": None}], False),
        ([{}, {"main_metric": "step_time", "outcome": "failed"}], False),
        ([{}, {"main_metric": "step_time", "valid": False}], False),
        ([{}, {"main_metric": "step_time"}], True),
        ([{"main_metric": "step_time"}, {"main_metric": "step_time"}], True),
        ([{"main_phase": "load"}], True),
    ],
    ids=["wall times", "nothing timed", "failed", "not valid", "one differs", "all differ", "a phase"],
)
def test_metric_column_appears_where_times_are_not_wall_times(
    run: Make, changes: list[dict[str, Any]], expected: bool
) -> None:
    assert ("metric" in keys(default_columns([run(**one) for one in changes]))) is expected


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_metric_is_shown_at_every_width(run: Make, columns: int) -> None:
    rows = mixed(run)

    table = layout(rows, columns, RenderOptions(group_by="none"))

    assert "metric" not in table.left_out
    assert "step_time" in table.plain()


def test_metric_column_is_empty_for_a_run_without_figures(run: Make) -> None:
    rows = mixed(run)

    text = layout(rows, 120, RenderOptions(group_by="none")).plain()

    assert "e2e_latency" not in text
    assert [line.split()[1] for line in text.splitlines() if "test_broken" in line] == ["-"]


@pytest.mark.parametrize("names", [["benchmark", "median"], ["min", "benchmark"], ["first_call"], ["spread", "median"]])
def test_metric_is_a_mark_where_times_are_shown_without_it(run: Make, report: MakeReport, names: list[str]) -> None:
    rows, columns = mixed(run), columns_named(names)

    table = layout(rows, 120, RenderOptions(columns=columns, group_by="none")).plain()
    markdown = report_markdown(report(*rows), RenderOptions(columns=columns, group_by="none"))
    html = page(report(*rows), *names)

    for text in (table, markdown, html):
        assert text.count("(step_time)") == 1
        assert text.count("(wall_time of decode)") == 1
        assert "e2e_latency" not in text


@pytest.mark.parametrize("names", [["benchmark", "metric", "median"], ["benchmark", "memory"], ["benchmark", "rounds"]])
def test_metric_is_not_a_mark_where_it_is_shown_or_nothing_is_timed(run: Make, names: list[str]) -> None:
    assert "(step_time)" not in layout(mixed(run), 120, ungrouped(names)).plain()


@pytest.mark.parametrize("names", [["benchmark", "median"], ["median", "benchmark"], ["median"], ["spread", "median"]])
@pytest.mark.parametrize("columns", [40, 120])
def test_simulated_runs_are_marked_whatever_is_shown(
    run: Make, report: MakeReport, names: list[str], columns: int
) -> None:
    row = run("a.py::test_sim", provenance="simulated")

    assert "(simulated)" in layout([row], columns, ungrouped(names)).plain()
    assert "(simulated)" in report_markdown(report(row), ungrouped(names)).rpartition("warning")[2]
    assert "(simulated)" in page(report(row), *names).rpartition("<tbody")[2]


def test_csv_with_chosen_columns_adds_columns_against_misreading(run: Make, report: MakeReport) -> None:
    rows = [*mixed(run), run("a.py::test_sim", provenance="simulated")]

    lines = list(csv.DictReader(io.StringIO(report_csv(report(*rows), columns_named(["benchmark", "median"])))))

    assert [line["metric"] for line in lines] == ["wall_time", "step_time", "wall_time of decode", "", "wall_time"]
    assert [line["provenance"] for line in lines] == ["measured"] * 4 + ["simulated"]


def test_csv_with_chosen_columns_of_plain_runs_has_no_others(run: Make, report: MakeReport) -> None:
    text = report_csv(report(run()), columns_named(["benchmark", "median"]))

    assert text.splitlines()[0] == '"fullname","median_s"'


def test_json_has_metric_phase_and_units(run: Make, report: MakeReport) -> None:
    row = run(main_metric="step_time", main_phase="train", throughput=32.0, energy_j=5.0, device_peak_bytes=64.0)

    document = json.loads(report_json(report(row, run(energy_j=5.0, outcome="failed", reason="no"))))

    measured, failed = document["sessions"][0]["rows"]
    assert (measured["main_metric"], measured["main_phase"]) == ("step_time", "train")
    assert (measured["throughput"], measured["energy_j"], measured["device_peak_bytes"]) == (32.0, 5.0, 64.0)
    assert failed["energy_j"] is None
    units = {name: document["units"][name] for name in ("throughput", "energy_j", "device_peak_bytes", "first_call_s")}
    assert units == {"throughput": "1/s", "energy_j": "J", "device_peak_bytes": "B", "first_call_s": "s"}
    assert set(document["units"].values()) == {"s", "B", "J", "1/s", "Hz", "FLOP/s", "B/s"}


@pytest.mark.parametrize("key", ["throughput", "energy"])
def test_figures_that_few_runs_have_are_shown_where_one_has_them(run: Make, key: str) -> None:
    field = {"throughput": "throughput", "energy": "energy_j"}[key]
    rows = [run(), run(**{field: 5.0})]
    failed = [run(), run(**{field: 5.0}, outcome="failed")]

    assert key in keys(default_columns(rows))
    assert key not in keys(default_columns([run(), run()]))
    assert key not in keys(default_columns(failed))


@pytest.mark.parametrize(("share", "shown"), [(None, False), (0.0, False), (0.005, False), (0.2, True)])
def test_throttling_is_shown_where_a_run_has_some(run: Make, share: float | None, shown: bool) -> None:
    assert ("throttled" in keys(default_columns([run(), run(throttled_share=share)]))) is shown


@pytest.mark.parametrize(
    ("name", "changes", "raw", "value", "shown"),
    [
        ("throughput", {"throughput": 86_566.0}, "throughput", 86_566.0, ["throughput", "k/s", "86.57"]),
        ("energy", {"energy_j": 4.997}, "energy_j", 4.997, ["energy", "J", "4.997"]),
        (
            "Device Memory",
            {"device_peak_bytes": 2.0**30},
            "device_peak_bytes",
            2.0**30,
            ["device memory", "GiB", "1.00"],
        ),
        ("first-call", {"first_call_s": 1.5}, "first_call_s", 1.5, ["first call", "s", "1.500"]),
        ("clock", {"clock_hz": 1.755e9}, "clock_hz", 1.755e9, ["clock", "GHz", "1.755"]),
        ("throttled", {"throttled_share": 0.25}, "throttled_share", 0.25, ["throttled", "%", "25"]),
        ("workload", {"workload": "training"}, "workload", "training", ["workload", "training"]),
    ],
)
def test_further_columns_can_be_chosen(
    run: Make, name: str, changes: dict[str, Any], raw: str, value: object, shown: list[str]
) -> None:
    columns = columns_named([name])
    row = run(**changes)

    lines = layout([row], 80, RenderOptions(columns=columns, group_by="none")).plain().splitlines()

    assert raw_name(columns[0]) == raw
    assert figure_of(row, columns[0].key) == value
    assert [line.strip() for line in lines if "─" not in line] == shown


def test_html_explains_the_further_columns(run: Make, report: MakeReport) -> None:
    html = page(report(*mixed(run)), "benchmark", "metric", "throughput", "energy", "device_memory", "first_call")

    assert "items handled per second" in html
    assert "step_time is one training step" in html
    assert "of the device as a whole; only where valid" in html
