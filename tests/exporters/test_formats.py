"""The exact shapes of the formats, from sessions without a database."""

import csv
import io
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.exporters.stored import COMMIT, failed, measurement, reading, run, session, simulated

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.exporters.asv import Asv
from pytest_benchdb.exporters.ci_services import MOST_NAME, Bencher, GithubActionBenchmark
from pytest_benchdb.exporters.excel import Excel
from pytest_benchdb.exporters.names import shortened
from pytest_benchdb.exporters.openmetrics import OpenMetrics
from pytest_benchdb.exporters.otava import Otava
from pytest_benchdb.exporters.sqlite import Sqlite
from pytest_benchdb.exporters.table import CsvTable, JsonLines, JsonTable
from pytest_benchdb.interfaces import Exporter
from pytest_benchdb.model.exchange.exported import StoredSession
from pytest_benchdb.model.exchange.long_table import COLUMNS, NAMES

SORT = "tests/test_a.py::test_x[1]"
MIXED = run(
    SORT,
    measurement(),
    reading("throughput", "1/s", 500.0, "higher"),
    reading("peak_rss", "B", 4096.0),
    reading("minor_faults", "1", 12.0, "none"),
    measurement(metric="wall_time", phase="load", value=1e-3, q1=None, q3=None),
)


def written(exporter: Exporter, *sessions: StoredSession) -> dict[str, bytes]:
    return {file.name: b"".join(file.pieces) for file in exporter.export(sessions)}


def parsed(exporter: Exporter, *sessions: StoredSession) -> Any:
    (content,) = written(exporter, *sessions).values()
    return json.loads(content, parse_constant=pytest.fail)


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_long_table_has_a_row_per_measurement_and_one_for_what_has_none() -> None:
    skipped = run("tests/test_a.py::test_gpu", outcome="skipped", reason="no GPU")
    (content,) = written(CsvTable(), session(MIXED, failed(), simulated(), skipped)).values()

    rows = table(content)

    assert tuple(rows[0]) == NAMES
    assert [row["metric"] for row in rows[:3]] == ["wall_time", "throughput", "peak_rss"]
    first, bad, sim = rows[0], rows[5], rows[6]
    assert (first["value"], first["unit"], json.loads(first["samples"])) == ("0.002", "s", [1e-3, 3e-3, 2e-3])
    assert (bad["outcome"], bad["value"], bad["n"]) == ("failed", "", "")
    assert sim["provenance"] == "simulated"


def test_row_has_as_many_values_as_there_are_columns() -> None:
    assert len(COLUMNS) == len(NAMES) == len(set(NAMES))
    (line,) = written(JsonLines(), session(run())).values()

    assert tuple(json.loads(line)) == NAMES


def test_json_has_null_for_what_was_not_measured() -> None:
    document = parsed(JsonTable(), session(run(SORT, measurement(stddev=None, p90=float("nan"), samples=None))))

    (row,) = document["rows"]
    assert document["schema"] == "benchdb.export/1"
    assert (row["stddev"], row["p90"], row["samples"], row["label"]) == (None, None, None, None)
    assert (row["params"], row["started_at"]) == ({"n": 1}, "2026-11-21T02:03:04.500000")


@pytest.mark.parametrize(
    "name", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\N{FULLWIDTH EQUALS SIGN}1", "'x"]
)
def test_csv_cell_is_never_a_formula(name: str) -> None:
    for exporter in (CsvTable(), Otava()):
        files = written(exporter, session(run(name), label=name, branch=name))
        for content in (content for path, content in files.items() if path.endswith(".csv")):
            cells = [cell for row in csv.reader(io.StringIO(content.decode(), newline="")) for cell in row]

            assert f"'{name}" in cells
            assert [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n"))] == []


def test_bencher_has_latency_in_nanoseconds_with_the_quartiles_as_bounds() -> None:
    document = parsed(Bencher(), session(MIXED))

    (benchmark,) = document
    assert benchmark == f"{SORT}@cpu"
    assert document[benchmark] == {
        "latency": {"value": 2e6, "lower_value": 1.5e6, "upper_value": 2.5e6},
        "throughput": {"value": 500.0},
        "peak-rss": {"value": 4096.0},
        "wall-time-load": {"value": 1e6},
    }


def test_bencher_names_are_short_and_stay_distinct() -> None:
    names = [f"{'x' * 2000}{number}" for number in range(2)]
    document = parsed(Bencher(), session(*map(run, names)))

    assert len(document) == 2
    assert {len(name) for name in document} == {MOST_NAME}
    assert shortened("ab", 2) == "ab"


def test_benchmarks_that_differ_outside_of_their_name_are_numbered() -> None:
    document = parsed(Bencher(), session(run(model="a"), run(model="b")))

    assert list(document) == [f"{SORT}@cpu", f"{SORT}@cpu#2"]


def test_github_action_benchmark_has_a_file_for_each_direction() -> None:
    files = {name: json.loads(content) for name, content in written(GithubActionBenchmark(), session(MIXED)).items()}

    smaller, bigger = files["smaller-is-better.json"], files["bigger-is-better.json"]
    assert [entry["name"] for entry in bigger] == [f"{SORT}@cpu throughput"]
    assert smaller[0] == {
        "name": f"{SORT}@cpu",
        "unit": "ns",
        "value": 2e6,
        "range": "± 1e+06",
        "extra": "median of 3 rounds",
    }
    assert [entry["name"] for entry in smaller[1:]] == [f"{SORT}@cpu peak_rss", f"{SORT}@cpu wall_time (load)"]


def test_openmetrics_has_families_with_units_and_times_in_order() -> None:
    later = session(run(SORT, measurement(median=4e-3, value=4e-3)), started_at="2026-11-22T00:00:00")
    hostile = session(run('a"\\\nb'))
    (content,) = written(OpenMetrics(), later, session(MIXED), hostile).values()

    lines = content.decode().splitlines()
    medians = [line for line in lines if 'stat="median"' in line and "test_x" in line and "phase" not in line]
    assert lines[0] == "# TYPE benchdb_peak_rss_bytes gauge"
    assert lines[1] == "# UNIT benchdb_peak_rss_bytes bytes"
    assert lines[-1] == "# EOF"
    assert [line.rpartition("} ")[2] for line in medians] == ["0.002 1795226584.5", "0.004 1795305600.0"]
    assert 'benchmark="a\\"\\\\\\nb"' in content.decode()
    assert "benchdb_throughput{" in content.decode()
    assert all(re.fullmatch(r"(# .*|[a-zA-Z_][\w]*\{.*\} \S+ \S+)", line) for line in lines)


def test_otava_has_a_table_for_the_figures_that_the_same_sessions_have() -> None:
    old, both = session(run(), commit_sha=COMMIT), session(run(), run("tests/test_a.py::test_y"))
    elsewhere = session(run(), fingerprint="cafe0000-0000-0000-0000-000000000000")
    files = written(Otava(), old, both, elsewhere)

    assert list(files) == ["benchdb-f00dcafe.csv", "benchdb-f00dcafe-2.csv", "benchdb-cafe0000.csv", "otava.yaml"]
    first = table(files["benchdb-f00dcafe.csv"])
    assert [row["commit"] for row in first] == [COMMIT, ""]
    assert first[0] == {"time": "2026-11-21T02:03:04+00:00", "commit": COMMIT, "branch": "", f"{SORT}@cpu": "0.002"}
    assert all(cell for content in files.values() for row in table(content) for cell in list(row.values())[3:])
    assert f'      "{SORT}@cpu":\n        column: "{SORT}@cpu"\n        direction: -1' in files["otava.yaml"].decode()


def test_otava_configuration_is_yaml() -> None:
    yaml = pytest.importorskip("yaml")
    files = written(Otava(), session(MIXED, run("=1: #x\n[]")))

    (test,) = yaml.safe_load(files["otava.yaml"])["tests"].values()

    (header, *_rows) = csv.reader(io.StringIO(files[test["file"]].decode(), newline=""))
    assert {metric["column"] for metric in test["metrics"].values()} == set(header[3:])
    assert {name: metric["direction"] for name, metric in test["metrics"].items()}[f"{SORT}@cpu throughput"] == 1
    assert yaml.safe_load(written(Otava())["otava.yaml"]) == {"tests": {}}


def test_asv_has_a_tree_by_machine_and_commit() -> None:
    committed: dict[str, Any] = {
        "commit_sha": COMMIT,
        "commit_at": "2026-11-20T00:00:00",
        "python": "CPython 3.11.7 (main, GIL)",
    }
    dirty = session(run("tests/test_a.py::test_dirty"), **{**committed, "dirty": True})
    files = {
        name: json.loads(content, parse_constant=pytest.fail)
        for name, content in written(Asv(), session(MIXED, **committed), dirty, session(run())).items()
    }

    of_commit = "benchdb-f00dcafe/01234567-existing-py3.11.json"
    results = files[of_commit]
    name = "tests.test_a.test_x[1]@cpu"
    assert set(files) == {
        "benchmarks.json",
        "benchdb-f00dcafe/machine.json",
        "benchdb-f00dcafe/01234567-existing-py3.11.json",
    }
    assert (files["benchmarks.json"][name]["type"], files["benchmarks.json"][name]["unit"]) == ("time", "seconds")
    assert files["benchmarks.json"]["version"] == 2
    assert results["result_columns"][:3] == ["result", "params", "version"]
    assert results["results"][name][0] == [2e-3]
    assert len(results["results"][name]) <= 5  # asv refuses a part of its statistics
    assert (results["commit_hash"], results["date"]) == (COMMIT, 1795132800000)


def test_sqlite_has_measurements_and_their_rounds(tmp_path: Path) -> None:
    (content,) = written(Sqlite(), session(MIXED, failed())).values()
    path = tmp_path / "results.sqlite"
    path.write_bytes(content)

    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT benchmark, median, (SELECT group_concat(value) FROM round WHERE round.measurement_id = "
            "measurement.measurement_id) FROM measurement WHERE metric = 'wall_time' AND phase IS NULL"
        ).fetchall()
    connection.close()

    assert rows == [(SORT, 2e-3, "0.001,0.003,0.002"), ("tests/test_a.py::test_broken", None, None)]


def test_excel_has_texts_and_numbers_and_no_formula(tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter")
    openpyxl = pytest.importorskip("openpyxl")
    (content,) = written(Excel(), session(run("=1+1"), failed())).values()
    path = tmp_path / "results.xlsx"
    path.write_bytes(content)

    sheet = openpyxl.load_workbook(path).active

    header, first, bad = sheet.iter_rows()
    names = [cell.value for cell in header]
    assert tuple(names) == NAMES[:-1]
    cell = first[names.index("benchmark")]
    assert (cell.value, cell.data_type) == ("=1+1", "s")
    assert (first[names.index("value")].value, bad[names.index("value")].value) == (2e-3, None)
    assert first[names.index("started_at")].value.isoformat() == "2026-11-21T02:03:04.500000"


def test_excel_says_when_a_sheet_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xlsxwriter")
    monkeypatch.setattr("pytest_benchdb.exporters.excel.MOST_ROWS", 1)

    with pytest.raises(ConfigError, match="holds 1 rows"):
        written(Excel(), session(run(), failed()))
