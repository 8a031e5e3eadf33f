"""`benchdb compare` over real databases."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.cli.frame.failure import run
from pytest_benchdb.cli.main import cli
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import Measurement

Call = Callable[..., Any]
SNAPSHOTS = Path(__file__).with_name("snapshots")
BASE_S = {"sort": 2e-3, "json": 5e-4, "regex": 8e-4}
JITTER = (1.0, 1.004, 0.997, 1.002)


def rounds(base_s: float, session: int = 0) -> list[float]:
    """Return rounds of a session, a little apart from those of the others."""
    return [base_s * JITTER[session % 4] * factor for factor in (1.0, 1.01, 1.02, 1.03, 1.05)]


def record(
    folder: Path, new_run: Call, new_session: Call, *, label: str, first: int, factors: dict[str, float], **changes: Any
) -> None:
    """Record three sessions of three benchmarks under a label."""
    for number in range(3):
        runs = [
            new_run(f"tests/test_{name}.py::test_{name}", rounds(base_s * factors.get(name, 1.0), number), group="text")
            for name, base_s in BASE_S.items()
        ]
        new_session(folder, runs, at=first + number, label=label, **changes)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory, new_run: Call, new_session: Call) -> Path:
    """Return a folder of baseline sessions, a candidate of which one is slower and one faster, and another machine."""
    folder = tmp_path_factory.mktemp("compare") / "results"
    record(folder, new_run, new_session, label="base", first=0, factors={})
    record(
        folder,
        new_run,
        new_session,
        label="head",
        first=10,
        factors={"sort": 1.2, "json": 0.5},
        packages={"numpy": "2.1.0"},
    )
    record(folder, new_run, new_session, label="far", first=20, factors={}, cpu="Other CPU")
    return folder


@pytest.fixture
def compare(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that compares sides of the database."""
    monkeypatch.chdir(database.parent)
    for name in ("BENCHDB_DB", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str, db: str = "results") -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            run(cli, "benchdb", ["compare", *arguments, "--db", db])
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, captured.out, captured.err

    return call


def rows_of(text: str) -> dict[str, dict[str, Any]]:
    (comparison,) = json.loads(text)["comparisons"]
    return {row["benchmark"].rpartition("::")[2]: row for row in comparison["rows"]}


@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_comparison_is_exact_and_fits(compare: Call, columns: str) -> None:
    status, out, _ = compare("label:base", "label:head", "--width", columns)

    assert status == 0
    assert out == (SNAPSHOTS / f"compare-{columns}.txt").read_text(encoding="utf-8")
    assert max(map(len, out.splitlines())) <= int(columns)


def test_comparison_as_markdown_is_exact(compare: Call) -> None:
    status, out, _ = compare("label:base", "label:head", "-f", "md", "-v")

    assert status == 0
    assert out == (SNAPSHOTS / "compare.md").read_text(encoding="utf-8")


def test_comparison_without_sides_is_of_the_newest_session_with_the_one_before(compare: Call) -> None:
    assert compare("-f", "json") == compare("latest~1", "latest", "-f", "json")


def test_comparison_judges_sessions_by_welch(compare: Call) -> None:
    status, out, _ = compare("label:base", "label:head", "-f", "json")

    document = json.loads(out)
    rows = rows_of(out)
    assert status == 0
    assert document["schema"] == "benchdb.comparison/1"
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "test_sort": "regressed",
        "test_json": "improved",
        "test_regex": "unchanged",
    }
    assert {row["test"] for row in rows.values()} == {"welch"}
    sort = rows["test_sort"]
    assert sort["change"] == pytest.approx(0.2, rel=1e-9)
    assert sort["candidate"] / sort["baseline"] == pytest.approx(1.2, rel=1e-9)
    assert sort["interval"]["low"] < 0.2 < sort["interval"]["high"]
    assert sort["command"] == "pytest tests/test_sort.py::test_sort --benchdb"
    assert document["comparisons"][0]["differences"] == [
        {"name": "packages.numpy", "baseline": "2.0.0", "candidate": "2.1.0"}
    ]


def test_comparison_as_csv_equals_json(compare: Call) -> None:
    rows = rows_of(compare("label:base", "label:head", "-f", "json")[1])
    lines = list(csv.DictReader(io.StringIO(compare("label:base", "label:head", "-f", "csv")[1])))

    assert [line["benchmark"] for line in lines] == [row["benchmark"] for row in rows.values()]
    assert [line["change"] for line in lines] == [repr(row["change"]) for row in rows.values()]
    assert [line["interval_low"] for line in lines] == [repr(row["interval"]["low"]) for row in rows.values()]


def test_comparison_shows_the_displayed_values_of_the_data(compare: Call) -> None:
    _, out, _ = compare("label:base", "label:head", "--width", "120", "-k", "regex")

    assert "800.3      800.3     0.0" in out


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--only-changed"], ["test_json", "test_sort"]),
        (["--sort", "worst"], ["test_sort", "test_regex", "test_json"]),
        (["--sort", "change"], ["test_json", "test_sort", "test_regex"]),
        (["--sort", "name"], ["test_json", "test_regex", "test_sort"]),
        (["-k", "sort or regex"], ["test_regex", "test_sort"]),
        (["-w", "file=*json*"], ["test_json"]),
    ],
)
def test_comparison_shows_what_is_asked_for(compare: Call, arguments: Sequence[str], names: Sequence[str]) -> None:
    _, out, _ = compare("label:base", "label:head", "-f", "json", *arguments)

    assert list(rows_of(out)) == names


@pytest.mark.parametrize(
    ("threshold", "verdict"), [("25%", "unchanged"), ("19.5%", "regressed"), ("wall_time:1ms", "unchanged")]
)
def test_threshold_says_what_counts(compare: Call, threshold: str, verdict: str) -> None:
    _, out, _ = compare("label:base", "label:head", "-f", "json", "-k", "sort", "--threshold", threshold)

    assert rows_of(out)["test_sort"]["verdict"] == verdict


def test_other_machine_is_incomparable_with_the_reason(compare: Call) -> None:
    status, out, _ = compare("label:base", "label:far", "-f", "json")

    row = rows_of(out)["test_sort"]
    assert status == 0
    assert (row["verdict"], row["change"]) == ("incomparable", None)
    assert row["reason"] == "the sides differ in processor: Test CPU and Other CPU; --allow-cross compares them"


def test_other_machine_is_compared_where_people_allow_it(compare: Call) -> None:
    _, out, _ = compare("label:base", "label:far", "-f", "json", "--allow-cross")

    assert {row["verdict"] for row in rows_of(out).values()} == {"unchanged"}


def test_side_of_two_machines_keeps_the_one_that_both_know(
    compare: Call, new_run: Call, new_session: Call, tmp_path: Path
) -> None:
    for number, (label, cpu) in enumerate((("base", "A"), ("base", "B"), ("base", "B"), ("head", "B"))):
        new_session(tmp_path / "db", [new_run("t.py::test_x")], at=number, label=label, cpu=cpu)

    _, out, _ = compare("label:base", "label:head", "-f", "json", db=str(tmp_path / "db"))
    _, crossed, _ = compare("label:base", "label:head", "-f", "json", "--allow-cross", db=str(tmp_path / "db"))

    sizes = [len(json.loads(text)["comparisons"][0]["baseline"]["sessions"]) for text in (out, crossed)]
    assert sizes == [2, 3]


@pytest.mark.parametrize(
    ("arguments", "metrics"),
    [
        (["--metric", "memory"], {"rss_growth"}),
        (["-w", "metric=memory"], {"rss_growth"}),
        (["-w", "metric=time,memory"], {"wall_time", "rss_growth"}),
        (["--metric", "time,memory"], {"wall_time", "rss_growth"}),
        (["--metric", "peak_rss"], {"peak_rss"}),
        (["--metric", "WALL"], {"wall_time"}),
    ],
    ids=["option", "filter", "two in a filter", "two", "resident set", "upper case"],
)
def test_word_for_metrics_takes_what_the_benchmark_has(
    compare: Call, new_run: Call, new_session: Call, tmp_path: Path, arguments: list[str], metrics: set[str]
) -> None:
    for number, label in enumerate(["base", "head"]):
        taken = new_run("t.py::test_x")
        growth = Measurement.of("rss_growth", value=5e6 + number, method="peak above the start")
        timing = replace(taken.timing, measurements=(*taken.timing.measurements, growth))
        new_session(tmp_path / "db", [replace(taken, timing=timing)], at=number, label=label)

    _, out, _ = compare("label:base", "label:head", "-f", "json", *arguments, db=str(tmp_path / "db"))

    assert {row["metric"] for row in json.loads(out)["comparisons"][0]["rows"]} == metrics


def test_require_baseline_without_anything_comparable_ends_with_3(compare: Call) -> None:
    status, _, err = compare("label:base", "label:far", "--require-baseline")

    assert status == 3
    assert "nothing was compared: no benchmark has a usable value on both sides" in err


@pytest.mark.parametrize(("extra", "status"), [((), 2), (("--require-baseline",), 3)])
def test_spec_that_matches_nothing_has_its_status(compare: Call, extra: Sequence[str], status: int) -> None:
    ended, out, err = compare("label:nowhere", *extra)

    assert ended == status
    assert out == ""
    assert "nowhere" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a", "b", "c"], "at most one candidate, not 3"),
        (["latest", "latest"], "is the candidate itself"),
        (["latest~1", "--baseline-value", "x"], "--baseline-value is a value of --axis"),
        (["latest~1", "--threshold", "fast"], "'fast'"),
        (["latest~1", "--threshold", "5ms"], "is not a percentage"),
        (["latest~1", "--threshold", "time<5ms"], "check it with: benchdb regress --threshold 'time<5ms'"),
        (["latest~1", "--metric", ""], "--metric names no metric"),
        (["latest~1", "--metric", "speed"], "--metric speed: no metric of this name; there are peak_rss, wall_time"),
        (
            ["latest~1", "--metric", "energy"],
            "--metric energy: nothing here measured it; there are peak_rss, wall_time",
        ),
        (["latest~1", "--metric", "wal_time"], "--metric wal_time: no metric of this name; did you mean wall_time"),
        (["latest~1", "--metric", "mean"], "--metric mean: a statistic, not a metric; write time"),
        (["latest~1", "--threshold", "tmie:5%"], "threshold 'tmie:5%': no metric of this name; did you mean time?"),
        (["latest~1", "--threshold", "median:5%"], "median is a statistic, and a limit is of a metric; write time:5%"),
        (["latest~1", "-k", "("], "-k '('"),
        (["--axis", "colour"], "nothing here has it"),
        (["--axis", "backend"], "it is 'cpu' everywhere"),
        (["latest~1", "--decide", "missing.toml"], "--decide missing.toml"),
        (["latest~1", "--sort", "fast"], "--sort"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what(compare: Call, arguments: Sequence[str], words: str) -> None:
    status, out, err = compare(*arguments)

    assert status == 2
    assert out == ""
    assert words in err


def test_database_that_is_not_there_ends_with_5(compare: Call) -> None:
    assert compare("latest~1", db="nowhere")[0] == 5
    assert compare("nowhere/a.duckdb", "latest")[0] == 5


def test_file_that_is_no_database_ends_with_5(compare: Call, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(b"DUCK" * 9)

    assert compare(str(damaged), "latest")[0] == 5


def test_files_stand_for_their_sessions(compare: Call, database: Path) -> None:
    first, *_, last = sorted(database.glob("2*.duckdb"))

    status, out, _ = compare(str(first), f"file:{last}", "-f", "json", "--allow-cross", db="nowhere")

    sides = [json.loads(out)["comparisons"][0][side]["sessions"] for side in ("baseline", "candidate")]
    assert status == 0
    assert [[session["label"] for session in side] for side in sides] == [["base"], ["far"]]


def test_one_session_a_side_is_judged_by_its_rounds(compare: Call, database: Path) -> None:
    first, *_ = sorted(database.glob("2*.duckdb"))

    _, out, _ = compare(str(first), "head", "-f", "json")

    row = rows_of(out)["test_json"]
    assert (row["test"], row["verdict"]) == ("rounds", "improved")
    assert row["interval"]["within_session"]
    assert row["sessions_needed"] == 2


@pytest.fixture
def compare_runs(
    compare: Call, new_run: Call, new_session: Call, tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that compares two sessions, of one benchmark each that is made as given; None leaves it out."""

    def call(*sides: dict[str, Any] | None, options: Sequence[str] = ()) -> tuple[int, str, str]:
        folder = tmp_path / "db"
        for number, side in enumerate(sides):
            runs = [] if side is None else [new_run("t.py::test_x", **side)]
            new_session(folder, [new_run("t.py::test_steady"), *runs], at=number)
        status, out, err = compare("latest~1", "-f", "json", *options, db=str(folder))
        return status, out, err

    return call


@pytest.mark.parametrize(
    ("before", "after", "verdict", "words"),
    [
        ({}, {"code_hash": "other"}, "incomparable", "code"),
        ({"result_count": 10}, {"result_count": 9}, "incomparable", "results"),
        ({}, {"samples_s": None, "outcome": "failed", "reason": "boom"}, "error", "boom"),
        ({"samples_s": None, "outcome": "failed", "reason": "boom"}, {}, "error", "boom"),
        ({}, {"samples_s": None, "outcome": "skipped", "reason": "needs CUDA"}, "missing", "needs CUDA"),
        ({}, None, "missing", None),
        (None, {}, "new", None),
    ],
)
def test_side_that_cannot_be_compared_has_its_word(
    compare_runs: Call, before: dict[str, Any] | None, after: dict[str, Any] | None, verdict: str, words: str | None
) -> None:
    status, out, _ = compare_runs(before, after)

    row = rows_of(out)["test_x"]
    assert status == 0
    assert row["verdict"] == verdict
    assert row["change"] is None
    assert words is None or words in row["reason"]


@pytest.mark.parametrize(
    ("sides", "verdict"),
    [
        ([{"code_hash": "one"}, {"code_hash": "other"}], "inconclusive"),
        ([{"result_count": 10}, {"result_count": 9}], "incomparable"),
    ],
)
def test_changed_code_may_be_allowed_and_another_number_of_results_not(
    compare_runs: Call, sides: list[dict[str, Any]], verdict: str
) -> None:
    _, out, _ = compare_runs(*sides, options=["--allow-cross"])

    assert rows_of(out)["test_x"]["verdict"] == verdict


def test_axis_compares_every_value_with_the_first(
    compare: Call, new_run: Call, new_session: Call, tmp_path: Path
) -> None:
    runs = [
        new_run(
            f"t.py::test_insert_{name}",
            rounds(base_s),
            group="insert",
            labels=Labels(implementation=name),
            run_id=uuid7(1_790_000_000_000 + number),
        )
        for number, (name, base_s) in enumerate((("rows", 1e-3), ("batch", 4e-4), ("bulk", 1e-4)))
    ]
    new_session(tmp_path / "db", [*runs, new_run("t.py::test_other")])

    status, out, _ = compare(
        "--axis", "implementation", "--baseline-value", "rows", "-f", "json", db=str(tmp_path / "db")
    )

    found = json.loads(out)["comparisons"]
    assert status == 0
    assert [one["candidate"]["name"] for one in found] == ["implementation=batch", "implementation=bulk"]
    assert [(row["benchmark"], row["speedup"]) for one in found for row in one["rows"]] == [
        ("t.py::test_insert", pytest.approx(2.5)),
        ("t.py::test_insert", pytest.approx(10.0)),
    ]
    assert found[0]["rows"][0]["command"] == "pytest t.py::test_insert_rows t.py::test_insert_batch --benchdb"
    assert found[0]["warnings"] == ["1 benchmark without implementation left out"]


def test_axis_of_tags_looks_at_all_sessions(compare: Call, new_run: Call, new_session: Call, tmp_path: Path) -> None:
    for number, compiler in enumerate(("gcc", "clang", "gcc")):
        new_session(tmp_path / "db", [new_run("t.py::test_x")], at=number, tags={"cc": compiler})

    _, out, _ = compare("--axis", "tag:cc", "-f", "json", db=str(tmp_path / "db"))

    (found,) = json.loads(out)["comparisons"]
    assert (found["baseline"]["name"], len(found["baseline"]["sessions"])) == ("cc=gcc", 2)


def test_rules_decide_between_implementations(compare: Call, database: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[targets]\njson = "2x..5x"\nsort = ">=1x"\nnothing = ">1x"\n', encoding="utf-8")

    _, out, _ = compare("label:base", "label:head", "--decide", str(rules), "-f", "json")
    _, table, _ = compare("label:base", "label:head", "--decide", str(rules), "--width", "120")

    decision = json.loads(out)["comparisons"][0]["decision"]
    assert (decision["verdict"], decision["rows"]) == ("keep", 3)
    assert decision["speedup"] == pytest.approx((2.0 / 1.2) ** (1 / 3))
    assert [(one["name"], one["met"]) for one in decision["targets"]] == [
        ("json", True),
        ("sort", False),
        ("nothing", None),
    ]
    assert "target json     met: 2.00x over 1 row, asked 2x..5x" in table
    assert "decision        keep: geometric mean of the speedups 1.19x over 3 rows lies in <2x" in table


def test_rules_that_are_no_toml_are_refused(compare: Call, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("targets: none", encoding="utf-8")

    status, out, err = compare("label:base", "label:head", "--decide", str(rules))

    assert (status, out) == (2, "")
    assert "is not valid TOML" in err


def test_formats_of_ci_hold_one_comparison(compare: Call) -> None:
    status, out, _ = compare("label:base", "label:head", "-f", "junit")

    assert status == 0
    assert out.startswith("<?xml")


def test_output_goes_into_a_file_by_its_suffix(compare: Call, tmp_path: Path) -> None:
    target = tmp_path / "comparison.json"

    status, out, _ = compare("label:base", "label:head", "-o", str(target))

    assert (status, out) == (0, "")
    assert json.loads(target.read_text(encoding="utf-8"))["schema"] == "benchdb.comparison/1"


def test_verdicts_are_written_in_words_without_colour(compare: Call) -> None:
    _, plain, _ = compare("label:base", "label:head", "--color", "never")
    _, coloured, _ = compare("label:base", "label:head", "--color", "always")

    assert "\x1b" not in plain
    assert "\x1b" in coloured
    assert "regressed" in plain
    assert "+20.0" in plain
