"""`benchdb report` over real databases."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.model.run import Measurement

Call = Callable[..., Any]
SNAPSHOTS = Path(__file__).with_name("snapshots")


def without_ids(text: str) -> str:
    """Return a text without what changes: ids, and how long ago the sessions were."""
    lines = re.sub(r" ·\s+\d+\s+(month|year)s?\s+ago", "", text).splitlines(keepends=True)
    return "".join("session   ID\n" if line.startswith("session ") else line for line in lines)


@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_report_of_a_folder_is_exact(benchdb: Call, columns: str) -> None:
    ended = benchdb("report", "results", "--width", columns)

    assert ended.status == 0
    assert without_ids(ended.out) == (SNAPSHOTS / f"report-{columns}.txt").read_text(encoding="utf-8")
    assert max(len(line) for line in ended.out.splitlines()) <= int(columns)


def test_report_as_markdown_is_exact(benchdb: Call) -> None:
    ended = benchdb("report", "results", "-f", "md", "label:nightly")

    lines = [line for line in ended.out.splitlines(keepends=True) if not line.startswith("- **session:**")]
    assert "".join(lines) == (SNAPSHOTS / "report.md").read_text(encoding="utf-8")


def test_report_as_json_has_the_raw_figures(benchdb: Call) -> None:
    document = json.loads(benchdb("report", "results", "-f", "json").out)

    rows = {row["name"]: row for row in document["sessions"][0]["rows"]}
    assert document["schema"] == "benchdb.report/1"
    assert document["sessions_in_all"] == 3
    assert rows["test_sort[100]"]["median_s"] == pytest.approx(2.15e-6, rel=1e-12)
    assert rows["test_sort[100]"]["peak_rss_bytes"] == 64 * 2**20
    assert rows["test_broken"]["outcome"] == "failed"
    assert rows["test_broken"]["median_s"] is None


def test_report_as_csv_equals_json(benchdb: Call) -> None:
    rows = json.loads(benchdb("report", "results", "-f", "json").out)["sessions"][0]["rows"]
    lines = list(csv.DictReader(io.StringIO(benchdb("report", "results", "-f", "csv").out)))

    assert [line["fullname"] for line in lines] == [row["fullname"] for row in rows]
    assert [line["median_s"] for line in lines] == [
        "" if row["median_s"] is None else repr(row["median_s"]) for row in rows
    ]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["-k", "sort and not 1000"], ["test_sort[100]"]),
        (["-k", "json or 1000"], ["test_sort[1000]", "test_dumps", "test_broken", "test_gpu"]),
        (["-w", "outcome!=passed"], ["test_broken", "test_gpu"]),
        (["-w", "group=sort file=tests/*"], ["test_sort[100]", "test_sort[1000]"]),
        (["-k", "json", "-w", "outcome=failed"], ["test_broken"]),
        (["-k", "nothing"], []),
    ],
)
def test_report_with_a_filter_keeps_what_matches(benchdb: Call, arguments: list[str], names: list[str]) -> None:
    document = json.loads(benchdb("report", "results", "-f", "json", *arguments).out)

    assert sorted(row["name"] for row in document["sessions"][0]["rows"]) == sorted(names)


def test_report_of_which_nothing_matches_says_so(benchdb: Call) -> None:
    ended = benchdb("report", "results", "-k", "nothing")

    assert ended.status == 0
    assert "no run matches -k nothing" in ended.err
    assert "0 of 5 runs (-k nothing)" in ended.out


@pytest.mark.parametrize(
    ("sort", "first"), [("median", "test_sort[100]"), ("-median", "test_dumps"), ("benchmark", "test_broken")]
)
def test_report_is_sorted_with_the_unmeasured_last(benchdb: Call, sort: str, first: str) -> None:
    document = json.loads(benchdb("report", "results", "-f", "json", f"--sort={sort}").out)

    names = [row["name"] for row in document["sessions"][0]["rows"]]
    assert names[0] == first
    if sort != "benchmark":
        assert sorted(names[-2:]) == ["test_broken", "test_gpu"]


@pytest.mark.parametrize(
    ("arguments", "labels"),
    [
        ([], [None]),
        (["--last", "2"], [None, None]),
        (["--last", "9"], ["nightly", None, None]),
        (["latest~2"], ["nightly"]),
        (["nightly", "latest"], ["nightly", None]),
        (["--since", "2026-09-21T15:00"], [None, None]),
        (["--until", "2026-09-21T15:00"], ["nightly"]),
        (["--until", "2026-09-21", "--last", "1"], [None]),
    ],
)
def test_report_shows_the_sessions_that_are_named(
    benchdb: Call, arguments: list[str], labels: list[str | None]
) -> None:
    document = json.loads(benchdb("report", "results", "-f", "json", *arguments).out)

    assert [session["label"] for session in document["sessions"]] == labels


def test_report_of_two_files_shows_both(benchdb: Call, results: Path) -> None:
    files = sorted(path for path in results.glob("2*.duckdb"))

    document = json.loads(benchdb("report", str(files[0]), str(files[2]), "-f", "json").out)

    assert [session["complete"] for session in document["sessions"]] == [True, False]


def test_report_by_the_beginning_of_an_id(benchdb: Call) -> None:
    every = json.loads(benchdb("report", "results", "--last", "3", "-f", "json").out)["sessions"]

    document = json.loads(benchdb("report", "--db", "results", every[1]["session_id"][:13], "-f", "json").out)

    assert [session["session_id"] for session in document["sessions"]] == [every[1]["session_id"]]


def test_report_with_columns_and_units_shows_them(benchdb: Call) -> None:
    ended = benchdb(
        "report", "results", "-k", "dumps", "--columns", "benchmark,p99,max,cpu_time", "--unit", "time=ns", "--width=60"
    )

    assert [line.split() for line in ended.out.splitlines()[-5:]] == [
        ["benchmark", "p99", "max", "CPU", "time"],
        ["ns", "ns", "ns"],
        ["─" * 38],
        ["group:", "json"],
        ["test_dumps", "519800", "520000", "-"],
    ]


def test_report_of_one_metric_shows_its_columns(benchdb: Call) -> None:
    head = benchdb("report", "results", "-w", "metric=memory").out.partition("\n\n")[2].splitlines()[0]

    assert head.split() == ["benchmark", "memory"]


@pytest.mark.parametrize(
    ("group_by", "titles"),
    [("file", ["tests/test_json.py", "tests/test_sort.py"]), ("backend", ["backend: cpu"]), ("none", [])],
)
def test_report_is_grouped_as_asked(benchdb: Call, group_by: str, titles: list[str]) -> None:
    table = benchdb("report", "results", "--group-by", group_by).out.partition("\n\n")[2]

    lines = table.splitlines()[3:]
    assert (
        sorted(line for line in lines if line and not line.startswith(" ") and "test_sort[" not in line)[: len(titles)]
        == titles
    )


def test_report_by_benchmark_puts_sessions_side_by_side(benchdb: Call) -> None:
    table = benchdb("report", "results", "--last", "3", "--group-by", "benchmark", "-k", "dumps").out

    assert table.count("tests/test_json.py::test_dumps\n") == 1
    assert sum(line.startswith("  test_dumps  01a0c4") for line in table.splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "start"), [("r.md", "## Benchmarks"), ("r.json", "{"), ("r.csv", '"run_id"'), ("r.txt", "Bench")]
)
def test_report_into_a_file_takes_its_format_from_the_suffix(
    benchdb: Call, tmp_path: Path, name: str, start: str
) -> None:
    ended = benchdb("report", "results", "-o", str(tmp_path / name))

    assert ended.status == 0
    assert ended.out == ""
    assert f"wrote {tmp_path / name}" in ended.err
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


def test_report_quiet_says_nothing_beside_the_data(benchdb: Call, tmp_path: Path) -> None:
    ended = benchdb("report", "results", "-q", "-o", str(tmp_path / "r.csv"))

    assert (ended.status, ended.out, ended.err) == (0, "", "")


def test_report_names_the_columns_that_are_hidden(benchdb: Call) -> None:
    hidden = "hidden (too narrow): min, rounds; --columns or --width N shows them"

    assert hidden in benchdb("report", "results", "--width", "40").err
    assert "hidden" not in benchdb("report", "results", "--width", "120").err


def test_report_in_colour_holds_the_same_text(benchdb: Call) -> None:
    plain = benchdb("report", "results", "--width", "80").out
    coloured = benchdb("report", "results", "--width", "80", "--color", "always").out

    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False)],
)
def test_report_colour_follows_the_variables(
    benchdb: Call, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert ("\x1b[" in benchdb("report", "results").out) is expected


def test_report_of_hostile_names_shows_them_harmlessly(
    benchdb: Call, tmp_path: Path, new_session: Call, new_run: Call
) -> None:
    names = ["a.py::test[\x1b[31mred]", "a.py::test[new\nline]", "a.py::test[\u202ertl]", "a.py::test[<script>|`@x`]"]
    new_session(
        tmp_path / "odd", [new_run(name) for name in [*names, "a.py::" + "x" * 10_000, "a.py::test[\U0001f600漢]"]]
    )

    ended = benchdb("report", str(tmp_path / "odd"), "--width", "100")

    assert ended.status == 0
    assert not set(ended.out) & {"\x1b", "\u202e"}
    assert "test[\\x1b[31mred]" in ended.out
    assert "test[new\\nline]" in ended.out


def test_report_leaves_simulated_runs_marked(benchdb: Call, tmp_path: Path, new_session: Call, new_run: Call) -> None:
    simulated = Measurement.of("wall_time", samples=(1.0, 2.0), provenance="simulated")
    new_session(tmp_path / "sim", [new_run("a.py::test_sim", measurements=(simulated,))])

    assert "test_sim (simulated)" in benchdb("report", str(tmp_path / "sim")).out
