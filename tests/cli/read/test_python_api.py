"""`pytest_benchdb.open`: the same answers as the commands give, as tables and as the objects of the commands."""

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pytest_benchdb
from pytest_benchdb.errors import ConfigError, MissingExtraError, QueryError, StoreMissingError
from pytest_benchdb.model.environment import Commit

Call = Callable[..., Any]
HOSTILE = "<script>alert('x')</script>&\x1b[31m"


def test_runs_equal_the_report(benchdb: Call, results: Path) -> None:
    sessions = json.loads(benchdb("report", "results", "--last", "3", "-f", "json").out)["sessions"]

    with pytest_benchdb.open(results) as history:
        rows = history.runs().to_pylist()

    expected = [row for session in sessions for row in session["rows"]]
    assert not any(row.pop("percentiles") for row in expected)  # none was asked for
    expected = [{**row, "params": row["params"] or {}} for row in expected]
    assert [{name: row[name] for name in known} for row, known in zip(rows, expected, strict=True)] == expected


def test_runs_are_filtered_like_the_report(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        rows = history.runs(k="sort and not 1000", where="outcome=passed", session="nightly").to_pylist()

    assert [row["name"] for row in rows] == ["test_sort[100]"]


def test_runs_that_did_not_pass_have_no_figures(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        rows = history.runs(where="outcome!=passed", session="latest").to_pylist()

    assert len(rows) == 2
    assert {row[name] for row in rows for name in ("median_s", "cpu_per_wall", "peak_rss_bytes")} == {None}


def test_runs_have_what_they_are_plotted_over(tmp_path: Path, new_session: Call, new_run: Call) -> None:
    commit = Commit(sha="ab" * 20, branch="main", subject="parse: read escapes")
    runs = [
        new_run("test_a.py::test_x[1]", params={"n": 1, "mode": "a", "mixed": 1}),
        new_run("test_a.py::test_x[2]", params={"n": 2.5, "mixed": "two"}),
        new_run("test_a.py::test_y"),
    ]
    new_session(tmp_path / "results", runs=runs, label="here", commit=commit)

    with pytest_benchdb.open(tmp_path / "results") as history:
        table = history.runs()

    assert {tuple(row[name] for name in ("commit", "commit_subject", "branch", "label")) for row in table} == {
        ("ab" * 20, "parse: read escapes", "main", "here")
    }
    (started,) = set(table["started_at"])
    assert started.utcoffset() == dt.timedelta(0)
    by_name = {row["name"]: row for row in table}
    assert by_name["test_x[1]"]["params"] == {"n": 1, "mode": "a", "mixed": 1}
    assert by_name["test_y"]["params"] == {}
    assert [by_name[name]["param:n"] for name in ("test_x[1]", "test_x[2]", "test_y")] == [1.0, 2.5, None]
    assert (table.types["param:n"], table.types["param:mode"], table.types["param:mixed"]) == (
        "DOUBLE",
        "VARCHAR",
        "VARCHAR",
    )
    assert by_name["test_x[1]"]["param:mixed"] == "1"


def test_tables_without_rows_keep_their_types(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        runs, samples = history.runs(k="nothing"), history.samples(k="nothing")

    assert (len(runs), len(samples)) == (0, 0)
    assert (runs.types["median_s"], samples.types["samples"]) == ("DOUBLE", "DOUBLE[]")


def test_sessions_are_oldest_first(results: Path) -> None:
    with pytest_benchdb.open(str(results)) as history:
        table = history.sessions()

    assert table["label"] == ["nightly", None, None]
    assert table["complete"] == [True, True, False]
    assert table["started_at"] == sorted(table["started_at"])


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
    assert first.to_pylist() == [{"n": len(runs)}]


def test_tables_stay_valid_after_closing(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        table = history.sql("SELECT name FROM report ORDER BY name")

    assert table["name"][0] == "test_broken"


def test_several_paths_are_one_history(tmp_path: Path, results: Path, new_session: Call) -> None:
    made = new_session(tmp_path / "more", at=9)

    with pytest_benchdb.open(results, made.path, tmp_path / "more") as history:
        assert len(history.sessions()) == 4


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


@pytest.fixture(params=["runs", "sessions", "samples", "sql", "empty"])
def table(results: Path, request: pytest.FixtureRequest) -> pytest_benchdb.Table:
    with pytest_benchdb.open(results) as history:
        asks: dict[str, Callable[[], pytest_benchdb.Table]] = {
            "runs": history.runs,
            "sessions": history.sessions,
            "samples": history.samples,
            "sql": lambda: history.sql("SELECT * FROM measurement JOIN run USING (run_id) ORDER BY ALL"),
            "empty": lambda: history.runs(k="nothing"),
        }
        return asks[request.param]()


def test_table_becomes_a_pandas_frame(table: pytest_benchdb.Table) -> None:
    pandas = pytest.importorskip("pandas")

    frame = table.to_pandas()

    assert (tuple(frame.columns), len(frame)) == (table.columns, len(table))
    for name, kind in table.types.items():
        if kind == "DOUBLE":
            assert frame[name].dtype == "float64"
            assert [None if pandas.isna(value) else value for value in frame[name]] == table[name]
        if kind == "BIGINT":
            assert frame[name].dtype == ("Int64" if None in table[name] else "int64")


def test_table_becomes_a_polars_frame(table: pytest_benchdb.Table) -> None:
    polars = pytest.importorskip("polars")

    frame = table.to_polars()

    assert (tuple(frame.columns), len(frame)) == (table.columns, len(table))
    for name, kind in table.types.items():
        if kind in {"DOUBLE", "BIGINT", "VARCHAR", "BOOLEAN", "DOUBLE[]"}:
            assert frame[name].to_list() == table[name]
    assert all(frame.schema[name] == polars.Float64 for name, kind in table.types.items() if kind == "DOUBLE")


def test_table_becomes_an_arrow_table(table: pytest_benchdb.Table) -> None:
    pa = pytest.importorskip("pyarrow")

    arrow = table.to_arrow()

    assert (tuple(arrow.column_names), arrow.num_rows) == (table.columns, len(table))
    assert pa.table(table) == arrow
    for name, kind in table.types.items():
        if kind in {"DOUBLE", "BIGINT", "VARCHAR", "BOOLEAN", "DOUBLE[]", "TIMESTAMP WITH TIME ZONE"}:
            assert arrow[name].to_pylist() == table[name]


def test_table_is_rows_columns_and_a_line(table: pytest_benchdb.Table) -> None:
    assert table.to_pylist() == list(table)
    assert table.to_dict() == {name: table[name] for name in table.columns}
    assert repr(table) == f"<Table: {len(table)} rows of {len(table.columns)} columns>"


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_without_a_library_only_its_method_is_missing(
    results: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)

    with pytest_benchdb.open(results) as history:
        table = history.runs()
        assert len(history.sql("SELECT 1 AS one").to_pylist()) == 1

    with pytest.raises(MissingExtraError, match=f"this needs {library}; install it with: pip install"):
        getattr(table, {"pyarrow": "to_arrow"}.get(library, f"to_{library}"))()


def test_frames_need_no_pyarrow(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("polars")
    pytest.importorskip("pandas")
    code = (
        "import sys; sys.modules['pyarrow'] = None; import pytest_benchdb; "
        f"history = pytest_benchdb.open({str(results)!r}); "
        "tables = [history.runs(), history.sessions(), history.samples(), history.sql('SELECT * FROM report')]; "
        "print([len(frame) for table in tables for frame in (table.to_pandas(), table.to_polars())])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.stderr, done.returncode) == ("", 0)
    assert len(json.loads(done.stdout)) == 8


def test_answers_equal_those_of_the_commands(benchdb: Call, results: Path) -> None:
    compared = json.loads(benchdb("compare", "--db", "results", "nightly", "latest~1", "-f", "json").out)
    followed = json.loads(benchdb("trend", "--db", "results", "-f", "json").out)
    noise = json.loads(benchdb("noise", "--db", "results", "-f", "json").out)

    with pytest_benchdb.open(results) as history:
        comparison = history.compare("nightly", "latest~1")
        trends, score = history.trend(), history.noise()
        gate = history.regress()

    (rows,) = [document["rows"] for document in compared["comparisons"]]
    assert [row.judgement.verdict for row in comparison.rows] == [row["verdict"] for row in rows]
    assert [row.judgement.change for row in comparison.rows] == [row["change"] for row in rows]
    assert [trend.key.fullname for trend in trends.series] == [one["fullname"] for one in followed["series"]]
    assert [trend.level for trend in trends.series] == [one["level"] for one in followed["series"]]
    assert len(score.rows) == len(noise["rows"])
    assert gate.exit_status == benchdb("regress", "--db", "results", "--confirm", "0").status


def test_comparison_over_several_places(tmp_path: Path, new_session: Call) -> None:
    new_session(tmp_path / "a", at=0, label="first")
    new_session(tmp_path / "b", at=1, label="second")

    with pytest_benchdb.open(tmp_path / "a", tmp_path / "b") as history:
        assert history.compare("first", "second").baseline.sessions[0].label == "first"


def test_answers_show_themselves_in_one_line_and_as_escaped_html(
    tmp_path: Path, new_session: Call, new_run: Call
) -> None:
    for at in range(3):
        runs = [new_run(f"test_a.py::test_x[{HOSTILE}]")]
        new_session(tmp_path / "results", runs=runs, at=at, label=f"{HOSTILE}{at}")

    with pytest_benchdb.open(tmp_path / "results") as history:
        shown = [
            history,
            history.runs(),
            history.compare(f"label:{HOSTILE}0", f"label:{HOSTILE}1"),
            history.trend(),
            history.noise(),
            history.regress(),
            history.matrix(),
        ]
        for answer in shown:
            assert repr(answer).startswith(f"<{type(answer).__name__}: ")
            assert repr(answer).isprintable()
            page = answer._repr_html_()
            assert "<table>" in page
            assert "<script" not in page
            assert "&lt;script&gt;" in page
            assert page.isprintable()


def test_path_and_connection_are_a_copy_for_any_client(results: Path) -> None:
    with pytest_benchdb.open(results) as history:
        connection = history.connection()
        path = history.path

    assert path.is_file()
    assert results not in path.parents
    with connection:
        assert connection.execute("SELECT count(*) FROM session").fetchall() == [(3,)]
        with pytest.raises(Exception, match="read-only"):
            connection.execute("DELETE FROM session")


def test_package_lists_its_names_and_has_them() -> None:
    assert set(pytest_benchdb.__all__) <= set(dir(pytest_benchdb))
    assert {"open", "History", "session", "Table", "Comparison"} <= set(dir(pytest_benchdb))
    assert all(getattr(pytest_benchdb, name) is not None for name in pytest_benchdb.__all__)


def test_package_import_loads_nothing() -> None:
    code = "import sys, pytest_benchdb; print([n for n in sys.modules if n.startswith('pytest_benchdb.')])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = pytest_benchdb.nothing
