"""`benchdb report --kind`: the same figures as SQL gives, in every format."""

import json
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

import pytest_benchdb
from pytest_benchdb.cli.read.report_kinds import KINDS
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.run import Measurement

Call = Callable[..., Any]
SESSIONS = 16
HOSTILE = "<script>alert(1)</script>|`x`\x1b[31m" + "long" * 50


@pytest.fixture(scope="module")
def models(new_session: Call, new_run: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return sessions of two models at two batch sizes, a benchmark without a model, and runs without figures."""
    folder: Path = tmp_path_factory.mktemp("kinds") / "results"
    for at in range(SESSIONS):
        runs = []
        for model, cost_s in (("bert", 1e-3), (HOSTILE, 4e-3)):
            for batch in (1, 8):
                time_s = cost_s * batch * (1 + 0.01 * (at % 3)) * (1.5 if at >= 8 else 1)
                measured = (
                    Measurement.of("wall_time", round_ns=[round(time_s * 1e9 * k) for k in (1.0, 1.01, 1.02)]),
                    Measurement.of("throughput", value=batch / time_s),
                    Measurement.of("energy", value=time_s * 100, pass_name="energy"),
                    Measurement.of("power", value=100.0, pass_name="energy"),
                )
                name = f"tests/test_m.py::test_forward[{model}-{batch}]"
                runs.append(new_run(name, [1.0], labels=Labels(model=model, batch_size=batch), measurements=measured))
        runs += [
            new_run("tests/test_m.py::test_alone", [2e-3, 2e-3]),
            new_run("tests/test_m.py::test_oom", None, outcome="oom", reason="out of memory"),
            new_run("tests/test_m.py::test_fake", [1e-9], provenance="simulated"),
        ]
        new_session(folder, runs, at=at)
    return folder


def test_performance_sums_up_what_sql_does(benchdb: Call, models: Path) -> None:
    found = json.loads(benchdb("report", str(models), "--kind", "performance", "-f", "json").out)
    with pytest_benchdb.open(models) as history:
        expected = history.sql(
            "SELECT coalesce(model, fullname) AS subject, batch_size, count(*) AS n, avg(median_s) AS mean_s, "
            "min(median_s) AS least_s, max(throughput) AS most FROM report "
            "WHERE outcome = 'passed' AND valid AND provenance <> 'simulated' GROUP BY ALL"
        ).to_pylist()

    assert found["schema"] == "benchdb.performance/1"
    rows = {(row["subject"], row["batch_size"]): row for row in found["rows"]}
    assert len(rows) == len(expected) == 5
    for row in expected:
        shown = rows[row["subject"], row["batch_size"]]
        assert (shown["runs"], shown["time_s"]["n"]) == (row["n"], row["n"])
        assert shown["time_s"]["mean"] == pytest.approx(row["mean_s"])
        assert shown["time_s"]["min"] == pytest.approx(row["least_s"])
        assert (shown["throughput"] or {"max": None})["max"] == pytest.approx(row["most"])
    assert [row["subject"] for row in found["top"]] == ["bert", HOSTILE]
    assert (len(found["latest"]), found["not_passed"], found["simulated"]) == (20, SESSIONS, SESSIONS)
    assert {row["outcome"]: row["median_s"] for row in found["latest"]}["oom"] is None


def test_hardware_counts_runs_by_outcome(benchdb: Call, models: Path) -> None:
    found = json.loads(benchdb("report", str(models), "--kind", "hardware", "-f", "json").out)

    (device,) = found["devices"]
    assert device["outcomes"] == {"passed": 6 * SESSIONS, "oom": SESSIONS}
    assert (device["runs"], device["sessions"], device["subjects"]) == (7 * SESSIONS, SESSIONS, 5)
    assert found["machines"][0]["cores"] == 4


def test_power_is_that_of_the_view(benchdb: Call, models: Path) -> None:
    found = json.loads(benchdb("report", str(models), "--kind", "power", "-f", "json", "--last", str(SESSIONS)).out)
    with pytest_benchdb.open(models) as history:
        expected = history.sql(
            "SELECT CAST(run_id AS VARCHAR) AS id, energy_joules AS j, power_watts_avg AS w FROM power_metrics"
        )

    assert {row["run_id"]: (row["energy_j"], row["mean_w"]) for row in found["rows"]} == {
        row["id"]: (row["j"], row["w"]) for row in expected
    }
    assert len(found["rows"]) == 4 * SESSIONS
    assert found["without"] == 2 * SESSIONS
    assert mean(row["mean_w"] for row in found["rows"]) == pytest.approx(100)


def test_kinds_of_other_commands_are_those_of_their_commands(benchdb: Call, models: Path) -> None:
    for kind, command in (("trend", "trend"), ("correlation", "correlate"), ("compatibility", "matrix")):
        ended = benchdb("report", str(models), "--kind", kind, "-f", "json")
        found, expected = (json.loads(text) for text in (ended.out, benchdb(command, str(models), "-f", "json").out))
        assert {**found, "now": None} == {**expected, "now": None}


def test_trend_in_markdown_has_sparklines(benchdb: Call, models: Path) -> None:
    ended = benchdb("report", str(models), "--kind", "trend", "-f", "md", "-k", "bert")

    (row, *_) = [line for line in ended.out.splitlines() if "test_forward" in line]
    assert "▁" in row
    assert "█" in row
    assert "### changes of level" in ended.out


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_every_format_and_names_cannot_do_harm(benchdb: Call, models: Path, kind: str) -> None:
    arguments = ("report", str(models), "--kind", kind)
    table = benchdb(*arguments, "--width", "80")
    markdown = benchdb(*arguments, "-f", "md")
    page = benchdb(*arguments, "-f", "html")

    assert [ended.status for ended in (table, markdown, page)] == [0, 0, 0], table.err + markdown.err + page.err
    assert max(map(len, table.out.splitlines())) <= 80
    assert "\x1b" not in table.out + markdown.out
    assert "<script>alert" not in markdown.out + page.out
    assert page.out.count("<script") == 2
    assert "https://" not in page.out
    assert "http://" not in page.out


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_without_runs_says_so(benchdb: Call, models: Path, kind: str) -> None:
    ended = benchdb("report", str(models), "--kind", kind, "-k", "nothing")

    assert ended.status == 0
    assert "-k nothing" in ended.out + ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kind", "performance", "-f", "csv"], "take -f json"),
        (["--kind", "power", "--sort", "median"], "--sort is for the summary"),
        (["--kind", "speed"], "'speed' is not one of 'summary', 'performance'"),
    ],
)
def test_options_that_a_kind_lacks_are_refused(benchdb: Call, models: Path, arguments: list[str], said: str) -> None:
    ended = benchdb("report", str(models), *arguments)

    assert ended.status == 2
    assert said in ended.err
