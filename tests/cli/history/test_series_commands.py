"""`benchdb trend`, `noise`, `correlate` and `predict` on databases with a known course."""

import csv
import io
import json
import math
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.store.read.reader import Reader

Call = Callable[..., Any]
STEADY, STEPPED = "tests/test_a.py::test_steady", "tests/test_a.py::test_stepped"
MODELS = {"tiny": 1.0, "base": 3.0, "large": 9.0}
PRECISIONS = {"fp32": 1.0, "fp16": 0.6, "int8": 0.4}
BATCHES = (1, 4, 16)


def sha(number: int) -> str:
    return f"{number:040x}"


def noisy(chance: random.Random, level: float) -> list[float]:
    value = level * math.exp(chance.gauss(0, 0.01))
    return [value, value * 1.02, value * 1.01]


@pytest.fixture(scope="module")
def history(new_session: Call, new_run: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 20 sessions: one benchmark is 30 % slower from the thirteenth on, one fails once."""
    folder: Path = tmp_path_factory.mktemp("history") / "results"
    chance = random.Random(1)  # noqa: S311 - noise, no secret
    for number in range(20):
        steady = new_run(STEADY, noisy(chance, 1e-3))
        if number == 5:
            steady = new_run(STEADY, None, outcome="failed", reason="AssertionError: boom")
        stepped = new_run(STEPPED, noisy(chance, 2e-3 * (1.3 if number >= 12 else 1.0)))
        commit = Commit(sha=sha(number + 1), branch="main" if number % 5 else "side", dirty=False)
        new_session(folder, [steady, stepped], at=number, commit=commit)
    return folder


@pytest.fixture(scope="module")
def models(new_session: Call, new_run: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two sessions over models, precisions and batches of which one combination is missing."""
    folder: Path = tmp_path_factory.mktemp("models") / "results"
    chance = random.Random(2)  # noqa: S311 - noise, no secret
    combinations = [
        (model, precision, batch)
        for model in MODELS
        for precision in PRECISIONS
        for batch in BATCHES
        if (model, precision) != ("large", "int8")
    ]
    for at in range(2):
        runs = [
            new_run(
                f"tests/test_m.py::test_forward[{model}-{precision}-{batch}]",
                noisy(chance, 1e-3 * MODELS[model] * PRECISIONS[precision] * batch),
                labels=Labels(model=model, precision=precision, batch_size=batch),
                params={"hidden": batch * 64},
            )
            for model, precision, batch in combinations
        ]
        new_session(folder, runs, at=at)
    return folder


def test_trend_shows_the_change_its_commits_and_the_gap(benchdb: Call, history: Path) -> None:
    ended = benchdb("trend", str(history), "-f", "json")
    found = json.loads(ended.out)
    series = {one["fullname"]: one for one in found["series"]}
    (change,) = series[STEPPED]["changes"]

    assert ended.status == 0
    assert found["schema"] == "benchdb.trend/1"
    assert (change["commit_before"], change["commit"]) == (sha(12), sha(13))
    assert change["change"] == pytest.approx(0.3, abs=0.03)
    assert (change["worse"], change["provisional"], change["values_after"]) == (True, False, 8)
    assert series[STEADY]["changes"] == []
    assert series[STEADY]["points"][5]["value"] is None
    assert "boom" in series[STEADY]["points"][5]["reason"]


def test_trend_reports_changes_as_small_as_asked_for(benchdb: Call, tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311 - noise, no secret
    lines = ["session,started_at,benchmark,value,unit"]
    for number in range(40):
        value = (1.0 if number < 20 else 1.02) * math.exp(chance.gauss(0, 0.002))
        lines.append(f"s{number},2026-10-{number // 2 + 1:02}T{number % 2:02}:00:00Z,test_a.py::test_small,{value},ms")
    (tmp_path / "t.csv").write_text("\n".join(lines))

    def changes(*options: str) -> list[float]:
        found = json.loads(benchdb("trend", str(tmp_path / "t.csv"), "-f", "json", *options).out)
        return [change["change"] for change in found["series"][0]["changes"]]

    assert changes() == []
    assert changes("--change", "1%") == [pytest.approx(0.02, abs=0.003)]
    assert benchdb("trend", str(tmp_path / "t.csv"), "--change", "0").status == 2


@pytest.mark.parametrize("command", ["trend", "noise", "correlate", "predict"])
@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("median", "--metric median: a statistic, not a metric; write time"),
        ("wal_time", "--metric wal_time: no metric of this name; did you mean wall_time"),
        ("energy", "--metric energy: nothing here measured it; there are peak_rss, wall_time"),
    ],
)
def test_metric_that_was_not_measured_is_refused_with_those_that_were(
    benchdb: Call, history: Path, command: str, metric: str, words: str
) -> None:
    ended = benchdb(command, str(history), "--metric", metric)

    assert ended.status == 2
    assert words in ended.err


def test_filter_of_names_limits_what_is_read(benchdb: Call, history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = Reader.session_values

    def session_values(self: Reader, *arguments: Any, **options: Any) -> Any:
        values = original(self, *arguments, **options)
        read.extend(value.key.fullname for value in values)
        return values

    monkeypatch.setattr(Reader, "session_values", session_values)

    assert benchdb("trend", str(history), "-k", "steady").status == 0
    assert set(read) == {STEADY}


def test_trend_reports_ordering_by_time(benchdb: Call, history: Path) -> None:
    found = json.loads(benchdb("trend", str(history), "-f", "json").out)

    assert found["order"] == "time"
    assert "not a git checkout" in found["order_reason"]


def test_trend_table_fits_its_width_and_names_the_change(benchdb: Call, history: Path) -> None:
    ended = benchdb("trend", str(history), "--width", "110")

    assert "2 series over 20 sessions: 1 change of level" in ended.out
    assert f"{sha(12)[:8]}..{sha(13)[:8]}" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 110


def test_trend_keeps_a_short_course_in_a_narrow_terminal_and_names_what_is_hidden(benchdb: Call, history: Path) -> None:
    narrow = benchdb("trend", str(history), "--width", "80").out
    wide = benchdb("trend", str(history), "--width", "200").out

    assert " course " in narrow
    assert "hidden (too narrow): sessions" in narrow
    assert "--width N shows them" in narrow
    assert "hidden" not in wide


def test_correlation_of_too_few_sessions_says_how_many_more(benchdb: Call, models: Path) -> None:
    ended = benchdb("correlate", str(models), "--over", "sessions", "--width", "200")

    assert "0 pairs of quantities from 48 observations in 2 sessions" in ended.out
    assert "too few sessions: a pair needs 4 observations of a benchmark, so record 2 more" in ended.out


@pytest.mark.parametrize("has_clock", [True, False])
def test_advice_against_other_work_names_a_clock_that_the_benchmark_has(
    benchdb: Call, new_session: Call, new_run: Call, tmp_path: Path, has_clock: bool
) -> None:
    chance = random.Random(4)  # noqa: S311 - noise, no secret
    for number in range(12):
        taken = new_run(STEADY, [1e-3 * math.exp(chance.gauss(0, 0.3)) for _ in range(30)])
        usage = replace(taken.usage, wall_s=0.03, cpu_s=0.01, thread_s=0.01)
        clock = Measurement.of("thread_time", round_ns=[1_000_000 + number, 1_000_100])
        timing = replace(taken.timing, measurements=(*taken.timing.measurements, *([clock] if has_clock else [])))
        new_session(tmp_path / "db", [replace(taken, usage=usage, timing=timing)], at=number)

    out = " ".join(benchdb("noise", str(tmp_path / "db"), "--width", "300").out.split())

    assert "use a quieter machine" in out
    assert ("or follow --metric thread_time" in out) is has_clock
    assert "cpu_time" not in out


@pytest.mark.parametrize("width", ["1", "20", "60", "300"])
@pytest.mark.parametrize("command", ["trend", "noise", "correlate"])
def test_tables_never_exceed_their_width(benchdb: Call, history: Path, command: str, width: str) -> None:
    ended = benchdb(command, str(history), "--width", width)

    assert ended.status == 0
    assert max(map(len, ended.out.splitlines())) <= int(width)


def test_trend_csv_holds_every_session_and_marks_the_change(benchdb: Call, history: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(benchdb("trend", str(history), "-k", "stepped", "-f", "csv").out)))

    assert len(rows) == 20
    assert [row["commit_sha"] for row in rows if row["change"]] == [sha(13)]
    assert {row["anomaly"] for row in rows} == {"false"}


def test_trend_markdown_has_both_tables(benchdb: Call, history: Path) -> None:
    text = benchdb("trend", str(history), "-f", "md").out

    assert "| change of level |" in text
    assert text.count("+30") >= 2


def test_trend_only_changed_leaves_steady_series_out(benchdb: Call, history: Path) -> None:
    found = json.loads(benchdb("trend", str(history), "--only-changed", "-f", "json").out)

    assert [one["fullname"] for one in found["series"]] == [STEPPED]


def test_trend_of_a_branch_takes_its_sessions_alone(benchdb: Call, history: Path) -> None:
    found = json.loads(benchdb("trend", str(history), "--branch", "side", "-f", "json").out)

    assert found["sessions"] == 4
    assert {one["sessions_needed"] for one in found["series"]} == {8, 9}


def test_trend_against_a_baseline_shows_creep(benchdb: Call, history: Path) -> None:
    found = json.loads(benchdb("trend", str(history), "--baseline", f"commit:{sha(1)}", "-f", "json").out)
    creep = {one["fullname"]: one["creep"] for one in found["series"]}

    assert found["baseline"] == f"commit:{sha(1)}"
    assert (creep[STEPPED]["crept"], creep[STEADY]["crept"]) == (True, False)


@pytest.mark.parametrize("command", ["trend", "noise", "correlate", "predict"])
def test_series_of_a_pinned_baseline_are_found_by_its_name(
    benchdb: Call, history: Path, tmp_path: Path, command: str
) -> None:
    folder = tmp_path / "results"
    shutil.copytree(history, folder)
    assert benchdb("baseline", "set", "good", "latest~2", "--db", str(folder)).status == 0

    answer = benchdb(command, "good", "--db", str(folder), "-f", "json")

    assert "is not a session" not in answer.err
    assert json.loads(answer.out)["sessions"] == 1


def test_trend_shows_why_a_change_was_accepted(benchdb: Call, history: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    shutil.copytree(history, folder)
    accepted = benchdb("accept", "*stepped", "--reason", "more checks", "--db", str(folder))

    series = {one["fullname"]: one for one in json.loads(benchdb("trend", str(folder), "-f", "json").out)["series"]}
    (change,) = series[STEPPED]["changes"]

    assert accepted.status == 0
    assert "more checks" in change["accepted"]
    assert "accepted: more checks" in benchdb("trend", str(folder), "--width", "300").out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        pytest.param(["--branch", "gone"], 2, "choose from main, side", id="branch"),
        pytest.param(["--baseline", "gone"], 2, "gone", id="baseline"),
        pytest.param(["--metric", ","], 2, "--metric names no metric", id="metric"),
        pytest.param(["-w", "colour=red"], 2, "no field 'colour'", id="filter"),
        pytest.param(["--since", "2100-01-01"], 2, "none of the 20 sessions", id="time"),
        pytest.param(["-k", "nothing"], 0, "no series matches -k nothing", id="keyword"),
        pytest.param(["--only-changed", "-k", "steady"], 0, "no series has changed", id="only changed"),
    ],
)
def test_trend_of_nothing_says_why(
    benchdb: Call, history: Path, arguments: list[str], status: int, message: str
) -> None:
    ended = benchdb("trend", str(history), *arguments)

    assert ended.status == status
    assert message in ended.err


@pytest.mark.parametrize("command", ["trend", "noise", "correlate", "predict"])
def test_missing_database_is_a_database_error(benchdb: Call, command: str) -> None:
    ended = benchdb(command, "file:gone")

    assert ended.status == 5
    assert "gone does not exist" in ended.err


def test_noise_scores_each_benchmark_and_warns_of_commits(benchdb: Call, history: Path) -> None:
    found = json.loads(benchdb("noise", str(history), "-f", "json").out)
    rows = {row["fullname"]: row for row in found["rows"]}

    assert (found["sessions"], found["commits"], found["machine"][:8]) == (20, 20, "Test CPU")
    assert rows[STEADY]["noise"] == pytest.approx(0.01, rel=0.5)
    assert rows[STEPPED]["sessions"] == 20
    assert "level changed" in rows[STEPPED]["causes"]
    assert rows[STEADY]["detectable_3_per_side"] > rows[STEADY]["detectable_10_per_side"] > 0


def test_noise_advises_what_to_do(benchdb: Call, history: Path) -> None:
    ended = benchdb("noise", str(history), "--change", "0.5%", "-k", "steady")

    assert "only 3 rounds a session: record more of them" in ended.out
    assert "sessions per side, run in turn: benchdb duet --pairs" in ended.out
    assert "the sessions are of 20 commits" in ended.out


def test_noise_of_too_few_sessions_says_how_many_it_takes(benchdb: Call, history: Path) -> None:
    ended = benchdb("noise", str(history), "--last", "2")

    assert ended.status == 0
    assert "3 sessions are needed" in ended.out


@pytest.mark.parametrize("text", ["0", "-5%", "much", "nan", "inf"])
def test_noise_refuses_a_change_that_is_none(benchdb: Call, history: Path, text: str) -> None:
    ended = benchdb("noise", str(history), f"--change={text}")

    assert ended.status == 2
    assert "give a percentage above 0" in ended.err


def test_correlate_finds_that_time_rises_with_the_batch(benchdb: Call, models: Path) -> None:
    arguments = ["correlate", str(models), "--of", "batch_size", "--metric", "wall_time", "-f", "json"]
    found = json.loads(benchdb(*arguments, "-w", "model=tiny").out)
    (row,) = found["rows"]

    assert (row["first"], row["second"], row["n"]) == ("batch_size", "wall_time", 9)
    assert 0.2 < row["spearman_low"] < row["spearman"] < row["spearman_high"] < 1
    assert row["spearman_q"] < 0.05


def test_correlate_over_sessions_counts_sessions(benchdb: Call, history: Path) -> None:
    found = json.loads(benchdb("correlate", str(history), "--over", "sessions", "-f", "json").out)

    assert found["over"] == "sessions"
    assert found["observations"] == 39
    assert {row["n"] for row in found["rows"]} <= {19, 20}


def test_correlate_of_an_unknown_quantity_lists_what_there_is(benchdb: Call, models: Path) -> None:
    ended = benchdb("correlate", str(models), "--of", "colour")

    assert ended.status == 2
    assert "choose from batch_size, hidden, peak_rss, wall_time" in ended.err


def test_predict_estimates_the_missing_combination(benchdb: Call, models: Path) -> None:
    pytest.importorskip("sklearn")
    found = json.loads(benchdb("predict", str(models), "--metric", "wall_time", "-f", "json").out)

    assert found["provenance"] == "estimated"
    assert [(row["model"], row["precision"], row["kind"]) for row in found["rows"]] == [
        ("large", "int8", "estimate")
    ] * 3
    for row, batch in zip(found["rows"], BATCHES, strict=True):
        assert row["value"] == pytest.approx(1e-3 * 9.0 * 0.4 * batch, rel=0.1)
        assert row["low"] < row["value"] < row["high"]
        assert row["held_out"] >= 18


def test_predict_shows_what_was_measured_as_measured(benchdb: Call, models: Path) -> None:
    pytest.importorskip("sklearn")
    ended = benchdb("predict", str(models), "--model", "tiny", "--precision", "fp32", "--batch", "4,8")

    assert ended.status == 0
    assert [line.split()[-1] for line in ended.out.splitlines() if line.startswith("tiny")] == ["measured", "estimate"]


def test_predict_stores_nothing(benchdb: Call, models: Path) -> None:
    pytest.importorskip("sklearn")
    before = benchdb("query", "SELECT count(*) AS n FROM measurement", "--db", str(models), "-f", "csv").out
    benchdb("predict", str(models))

    assert benchdb("query", "SELECT count(*) AS n FROM measurement", "--db", str(models), "-f", "csv").out == before


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        pytest.param(["--model", "huge"], 2, "choose from base, large, tiny", id="unknown model"),
        pytest.param(["--batch", "none"], 2, "give numbers above 0", id="no number"),
        pytest.param(["-k", "tiny and fp16"], 3, "3 measured configurations are too few", id="too few"),
        pytest.param(["--implementation", "torch"], 3, "do not differ in implementation", id="no difference"),
        pytest.param(["--batch", "64"], 3, "is outside the measured range, 1 to 16", id="beyond"),
        pytest.param(["-w", "model=gone"], 3, "no benchmark has a model label", id="no labels"),
    ],
)
def test_predict_refuses_what_it_cannot_know(
    benchdb: Call, models: Path, arguments: list[str], status: int, message: str
) -> None:
    ended = benchdb("predict", str(models), *arguments, "--width", "200")

    assert ended.status == status
    assert message in ended.out + ended.err


def test_predict_refuses_two_benchmarks_of_the_same_labels(
    benchdb: Call, new_session: Call, new_run: Call, tmp_path: Path
) -> None:
    labels = Labels(model="a", batch_size=1)
    new_session(tmp_path / "r", [new_run(f"t.py::test_{name}", labels=labels) for name in "xy"])

    ended = benchdb("predict", str(tmp_path / "r"))

    assert ended.status == 2
    assert "select one of them with -k or -w" in ended.err
