"""`benchdb init`: a database, and sample data that is never taken for measured."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Return where the command's working folder is: beside it."""
    return tmp_path / "results"


@pytest.mark.parametrize("name", ["new", "new.duckdb"])
def test_init_makes_a_database_and_keeps_one(benchdb: Call, name: str) -> None:
    first, again = benchdb("init", "--db", name), benchdb("init", "--db", name)

    assert (first.status, first.out) == (again.status, again.out) == (0, f"{name}\n")
    assert first.err == f"made\nrecord into it with: pytest --benchdb={name}\n"
    assert again.err.startswith("it is there already, and was kept")
    assert Path(name).exists()


def test_sample_data_is_added_once_and_is_the_same_everywhere(benchdb: Call) -> None:
    benchdb("init", "--sample-data", "--db", "one", "-q")
    again = benchdb("init", "--sample-data", "--db", "one")
    benchdb("init", "--sample-data", "--db", "two.duckdb")

    assert "added 0 sessions of sample data" in again.err
    one, two = (benchdb("export", "jsonl", "--db", name).out for name in ("one", "two.duckdb"))
    assert one == two
    assert one.count('"kind": "sample"') == len(one.splitlines())
    rows = [json.loads(line) for line in one.splitlines()]
    assert {row["provenance"] for row in rows if row["metric"] is not None} == {"simulated"}
    assert {row["outcome"] for row in rows} == {"passed", "failed", "unsupported"}


@pytest.mark.parametrize("kind", ["table", "md", "html", "json", "csv"])
def test_every_report_says_that_it_is_sample_data(benchdb: Call, kind: str) -> None:
    if kind == "html":
        pytest.importorskip("jinja2")
    benchdb("init", "--sample-data", "--db", "sample")

    report = benchdb("report", "sample", "-f", kind).out

    assert "simulated" in report
    if kind == "json":
        (session,) = json.loads(report)["sessions"]
        assert session["kind"] == "sample"
    elif kind != "csv":
        assert "this is sample data" in report


def test_sample_data_is_in_no_ranking_comparison_or_gate(benchdb: Call) -> None:
    benchdb("init", "--sample-data", "--db", "sample")

    ranking = benchdb("query", "SELECT * FROM benchmark_performance", "-d", "sample", "-f", "csv")
    compared = benchdb("compare", "latest~1", "latest", "-d", "sample")
    gate = benchdb("regress", "--confirm", "0", "-d", "sample")
    exported = benchdb("export", "bmf", "-d", "sample")

    assert ranking.out.count("\n") == 1
    assert compared.status == 2
    assert "nothing was judged" in gate.out + gate.err
    assert exported.out == "{}\n"


def test_sample_data_is_no_baseline(benchdb: Call, new_session: Call) -> None:
    benchdb("init", "--sample-data", "--db", "results")
    alone = benchdb("baseline", "set", "base", "latest", "-d", "results")
    made = new_session(Path("results"))
    before = benchdb("report", "latest~1", "-d", "results")
    newest = benchdb("report", "-d", "results", "-f", "json")
    named = benchdb("baseline", "set", "base", "sample data", "-d", "results")

    assert (alone.status, named.status) == (2, 2)
    assert "is sample data, which was never measured" in alone.err
    assert (before.status, "there is only 1 session" in before.err) == (2, True)
    assert json.loads(newest.out)["sessions"][0]["session_id"] == made.session_id


@pytest.mark.parametrize("name", ["file.txt", "tests.py"])
def test_place_that_is_no_database_is_refused_in_one_line(benchdb: Call, name: str) -> None:
    Path(name).write_text("mine")

    ended = benchdb("init", "--sample-data", "--db", name)

    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert Path(name).read_text() == "mine"


def test_foreign_database_is_left_alone(benchdb: Call) -> None:
    Path("foreign.duckdb").write_bytes(b"not a database")

    ended = benchdb("init", "--db", "foreign.duckdb")

    assert ended.status == 5
    assert Path("foreign.duckdb").read_bytes() == b"not a database"
