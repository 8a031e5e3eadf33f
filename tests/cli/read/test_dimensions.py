"""`benchdb report` by any dimension: groups by parameters and labels, any percentile, rates in a chosen unit."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.run import Measurement

Call = Callable[..., Any]

MEDIANS_S = {"fast": {10: 1e-3, 100: 10e-3}, "slow": {10: 2e-3, 100: 40e-3}}
ROUNDS_NS = [1_000_000 + 1000 * number for number in range(2000)]


def measured(rounds_ns: list[int], **rates: float) -> tuple[Measurement, ...]:
    return (
        Measurement.of("wall_time", round_ns=rounds_ns),
        *(Measurement.of(name, value=rate) for name, rate in rates.items()),
    )


@pytest.fixture
def grid(tmp_path: Path, new_session: Call, new_run: Call) -> str:
    """Two functions with two sizes each, beside one without parameters."""
    runs = [
        new_run(
            f"tests/test_sort.py::test_{name}[{size}]",
            [median_s] * 3,
            params={"n": size},
            labels=Labels(precision="fp16" if size == 10 else "fp32", batch_size=size),
        )
        for size in (10, 100)
        for name, median_s in ((name, sizes[size]) for name, sizes in MEDIANS_S.items())
    ]
    new_session(tmp_path / "grid", [*runs, new_run("tests/test_sort.py::test_plain", [5e-3] * 3)])
    return str(tmp_path / "grid")


def titles(table: str) -> list[str]:
    lines = table.partition("\n\n")[2].splitlines()[3:]
    return [line for line in lines if line and not line.startswith(" ")]


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ("param:n", ["(no n)", "n: 10", "n: 100"]),
        ("function", ["test_fast", "test_plain", "test_slow"]),
        (
            "precision,batch",
            ["(no precision), (no batch)", "precision: fp16, batch: 10", "precision: fp32, batch: 100"],
        ),
        (
            "function, param:n",
            ["test_fast, n: 10", "test_fast, n: 100", "test_plain, (no n)", "test_slow, n: 10", "test_slow, n: 100"],
        ),
    ],
)
def test_report_is_grouped_by_any_dimension(benchdb: Call, grid: str, group_by: str, expected: list[str]) -> None:
    table = benchdb("report", grid, "--group-by", group_by).out
    markdown = benchdb("report", grid, "--group-by", group_by, "-f", "md").out

    assert sorted(titles(table)) == expected
    assert sorted(line[4:] for line in markdown.splitlines() if line.startswith("### ")) == [
        text.replace("_", "\\_") if text.startswith("(no \\") else text for text in expected
    ]


def test_report_by_a_parameter_counts_the_relative_column_within_its_groups(benchdb: Call, grid: str) -> None:
    command = ["report", grid, "--group-by", "param:n", "-k", "fast or slow"]

    document = json.loads(benchdb(*command, "-f", "json").out)
    lines = list(csv.DictReader(io.StringIO(benchdb(*command, "--columns", "benchmark,relative", "-f", "csv").out)))

    (session,) = document["sessions"]
    assert session["group_by"] == ["param:n"]
    assert {row["name"]: row["relative"] for row in session["rows"]} == {
        "test_fast[10]": 1.0,
        "test_fast[100]": 1.0,
        "test_slow[10]": pytest.approx(2.0),
        "test_slow[100]": pytest.approx(4.0),
    }
    assert {row["params"]["n"] for row in session["rows"]} == {10, 100}
    relatives = sorted((line["param:n"], float(line["relative"])) for line in lines)
    assert relatives == [("10", 1.0), ("10", pytest.approx(2.0)), ("100", 1.0), ("100", pytest.approx(4.0))]


def test_report_sorts_by_a_parameter_as_a_number(benchdb: Call, grid: str) -> None:
    command = ["report", grid, "--sort=-param:n", "--columns", "param:n,benchmark", "-f", "csv"]

    lines = list(csv.DictReader(io.StringIO(benchdb(*command).out)))

    assert [line["param:n"] for line in lines] == ["100", "100", "10", "10", ""]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--group-by", "param:size"], "param:size: no run that is shown has this parameter; the parameters are n"),
        (["--columns", "param:size"], "param:size: no run that is shown has this parameter; the parameters are n"),
        (["--group-by", "functoin"], "no key 'functoin'; did you mean function; choose from group, file"),
        (["--group-by", "function,none"], "no key 'none'"),
        (["--columns", "p100"], "no column 'p100'"),
        (["--columns", "p0"], "no column 'p0'"),
        (["--sort", "p0.0"], "--sort p0.0: no such column"),
        (["--unit", "flops=GB/s"], "not a unit of flops; choose one of FLOP/s"),
    ],
)
def test_report_refuses_dimensions_that_do_not_exist(
    benchdb: Call, grid: str, arguments: list[str], message: str
) -> None:
    ended = benchdb("report", grid, *arguments)

    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err


def test_report_computes_percentiles_from_the_rounds(
    benchdb: Call, tmp_path: Path, new_session: Call, new_run: Call
) -> None:
    few, none = ROUNDS_NS[:50], None
    new_session(
        tmp_path / "tails",
        [
            new_run("a.py::test_many", rounds=len(ROUNDS_NS), measurements=measured(ROUNDS_NS)),
            new_run("a.py::test_few", rounds=len(few), measurements=measured(few)),
            new_run("a.py::test_none", none),
        ],
    )
    command = ["report", str(tmp_path / "tails"), "--columns", "benchmark,p99.9,p50,p2,p99", "--sort=-p99.9"]

    lines = list(csv.DictReader(io.StringIO(benchdb(*command, "-f", "csv").out)))
    document = json.loads(benchdb(*command, "-f", "json").out)
    table = benchdb(*command).out

    many, of_few, unmeasured = sorted(lines, key=lambda line: ["many", "few", "none"].index(line["fullname"][11:]))
    assert lines[0] == many
    assert float(many["p99.9_s"]) == pytest.approx(quantile([ns / 1e9 for ns in ROUNDS_NS], 0.999), rel=1e-12)
    assert float(of_few["p50_s"]) == pytest.approx(1.0245e-3, rel=1e-12)
    assert float(of_few["p2_s"]) > 0
    assert of_few["p99.9_s"] == ""  # 50 rounds have none
    assert not any(unmeasured[name] for name in ("p99.9_s", "p50_s", "p2_s"))
    rows = {row["name"]: row for row in document["sessions"][0]["rows"]}
    assert rows["test_many"]["percentiles"]["p99.9"] == float(many["p99.9_s"])
    assert rows["test_few"]["percentiles"]["p99.9"] is None
    assert "p99.9" in table
    assert "p99.9" in benchdb(*command, "-f", "md").out


def test_report_shows_declared_work_by_time_in_the_unit_that_is_named(
    benchdb: Call, tmp_path: Path, new_session: Call, new_run: Call
) -> None:
    work = measured([1_000_000] * 3, flops_per_second=2.5e9, bytes_per_second=4e8)
    new_session(
        tmp_path / "work", [new_run("a.py::test_work", rounds=3, measurements=work), new_run("a.py::test_other")]
    )

    def shown(*arguments: str) -> list[list[str]]:
        out = benchdb("report", str(tmp_path / "work"), "--group-by", "none", "--sort=-benchmark", *arguments).out
        return [line.split() for line in out.partition("\n\n")[2].splitlines() if "─" not in line]

    assert shown("--columns", "benchmark,gflops,gb/s") == [
        ["benchmark", "FLOPS", "bandwidth"],
        ["GFLOP/s", "GB/s"],
        ["test_work", "2.500", "0.400"],
        ["test_other", "-", "-"],
    ]
    assert shown("--columns", "benchmark,flops", "--unit", "flops=MFLOP/s")[1:3] == [
        ["MFLOP/s"],
        ["test_work", "2500"],
    ]
    csv_text = benchdb("report", str(tmp_path / "work"), "--columns", "gflops,gb/s", "--sort=-flops", "-f", "csv").out
    assert csv_text.splitlines()[:2] == ['"flops_per_second","bytes_per_second"', "2500000000.0,400000000.0"]
