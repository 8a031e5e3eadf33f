"""`pytest_benchdb.open`: the same answers as the commands give, as Arrow tables."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pytest_benchdb
from pytest_benchdb.errors import ConfigError, MissingExtraError, QueryError, StoreMissingError

Call = Callable[..., Any]
pa = pytest.importorskip("pyarrow", reason="the tables of the API need the extra `arrow`")


def test_runs_equal_the_report(benchdb: Call, results: Path) -> None:
    sessions = json.loads(benchdb("report", "results", "--last", "3", "-f", "json").out)["sessions"]

    with pytest_benchdb.open(results) as history:
        rows = history.runs().to_pylist()

    assert rows == [row for session in sessions for row in session["rows"]]


def test_runs_are_filtered_like_the_report(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        rows = history.runs(k="sort and not 1000", where="outcome=passed", session="nightly").to_pylist()

    assert [row["name"] for row in rows] == ["test_sort[100]"]


def test_runs_that_did_not_pass_have_no_figures(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        rows = history.runs(where="outcome!=passed", session="latest").to_pylist()

    assert len(rows) == 2
    assert {row[name] for row in rows for name in ("median_s", "cpu_per_wall", "peak_rss_bytes")} == {None}


def test_tables_without_rows_keep_their_types(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        runs, samples = history.runs(k="nothing"), history.samples(k="nothing")

    assert (runs.num_rows, samples.num_rows) == (0, 0)
    assert runs.schema.field("median_s").type == pa.float64()
    assert samples.schema.field("samples").type == pa.list_(pa.float64())


def test_sessions_are_oldest_first(results: Path) -> None:
    with pytest_benchdb.open(str(results)) as history:
        table = history.sessions()

    assert table["label"].to_pylist() == ["nightly", None, None]
    assert table["complete"].to_pylist() == [True, True, False]
    assert table.schema.field("tags").type == pa.map_(pa.string(), pa.string())


def test_samples_are_the_rounds_in_order(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        (row,) = history.samples(k="sort and 100]", session="latest").to_pylist()

    assert row["samples"] == pytest.approx([2e-6, 2.1e-6, 2.2e-6, 2.3e-6], abs=1e-15)
    assert (row["metric"], row["unit"], row["outcome"]) == ("wall_time", "s", "passed")


def test_sql_before_and_after_other_questions(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        first = history.sql("SELECT count(*) AS n FROM run")
        runs = history.runs()
        second = history.sql("SELECT count(*) AS n FROM run")

    assert first == second
    assert first.to_pylist() == [{"n": runs.num_rows}]


def test_tables_stay_valid_after_closing(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        table = history.sql("SELECT name FROM report ORDER BY name")

    assert table["name"].to_pylist()[0] == "test_broken"


def test_several_paths_are_one_history(tmp_path: Path, results: Path, new_session: Call) -> None:
    made = new_session(tmp_path / "more", at=9)

    with pytest_benchdb.open(results, made.path, tmp_path / "more") as history:
        assert history.sessions().num_rows == 4


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda history: history.runs(k="(("), ConfigError),
        (lambda history: history.runs(where="x=1"), ConfigError),
        (lambda history: history.runs(session="latest~9"), ConfigError),
        (lambda history: history.sql("DELETE FROM run"), QueryError),
        (lambda history: history.sql("SELECT * FROM range(10)", rows=5), QueryError),
    ],
    ids=["expression", "filter", "session", "statement", "rows"],
)
def test_wrong_question_raises(results: Path, ask: Callable[[Any], object], error: type[Exception]) -> None:
    with pytest_benchdb.open(results) as history, pytest.raises(error):
        ask(history)


def test_missing_path_raises(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match="does not exist; record into it with"):
        pytest_benchdb.open(tmp_path / "missing")


def test_without_pyarrow_the_extra_is_named(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest_benchdb.open(results) as history:
        for ask in (history.sessions, history.runs, history.samples, lambda: history.sql("SELECT 1")):
            with pytest.raises(MissingExtraError, match=r"pip install 'pytest-benchdb\[arrow\]'"):
                ask()


def test_package_import_loads_nothing() -> None:
    code = "import sys, pytest_benchdb; print([n for n in sys.modules if n.startswith('pytest_benchdb.')])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = pytest_benchdb.nothing
