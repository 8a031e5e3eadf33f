import csv
import datetime as dt
import gzip
import io
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.importers.source_files import SHA, parquet_rows, write_csv, write_parquet, write_rows

from pytest_benchdb.errors import ImportFormatError, MissingExtraError
from pytest_benchdb.importers.tables import table_sessions
from pytest_benchdb.importers.tables.table import CsvTable, ParquetTable
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement

START = "night,2026-01-01T00:00:00Z,sort"


def read(path: Path) -> tuple[list[ImportedSession], dict[str, str]]:
    """Return the sessions of a table, and its problems by place."""
    reader = ParquetTable() if path.suffix == ".parquet" else CsvTable()
    items = list(reader.read(path))
    sessions = [item for item in items if isinstance(item, ImportedSession)]
    return sessions, {item.place: item.text for item in items if isinstance(item, ImportProblem)}


def measured(tmp_path: Path, columns: str, *cells: str) -> list[Measurement]:
    """Return the measurements of the single run in rows with these additional columns."""
    lines = [f"{START},{text}" for text in cells]
    sessions, problems = read(write_csv(tmp_path / "t.csv", *lines, header=f"session,started_at,benchmark,{columns}"))
    assert problems == {}
    return [one for run in sessions[0].runs for one in run.measurements]


def refused(tmp_path: Path, columns: str, *cells: str) -> dict[str, str]:
    lines = [f"{START},{text}" for text in cells]
    return read(write_csv(tmp_path / "t.csv", *lines, header=f"session,started_at,benchmark,{columns}"))[1]


@pytest.mark.parametrize("write", [write_rows, parquet_rows], ids=["csv", "parquet"])
def test_read_makes_a_session_of_each_name(write: Any, tmp_path: Path) -> None:
    sessions, problems = read(write(tmp_path / f"t.{'csv' if write is write_rows else 'parquet'}"))

    assert problems == {}
    assert [session.label for session in sessions] == ["night-1", "night-2"]
    assert [session.started_unix_us for session in sessions] == [1_767_225_600_000_000, 1_767_312_000_000_000]
    assert [session.rows for session in sessions] == [2, 1]
    assert [session.commit.sha for session in sessions] == [SHA, SHA]
    assert sessions[0].environment is not None
    assert sessions[0].environment == sessions[1].environment


@pytest.mark.parametrize("write", [write_rows, parquet_rows], ids=["csv", "parquet"])
def test_read_converts_units_and_names_the_parameters(write: Any, tmp_path: Path) -> None:
    sessions, _ = read(write(tmp_path / f"t.{'csv' if write is write_rows else 'parquet'}"))
    (run,) = sessions[0].runs
    (measurement,) = run.measurements

    assert (run.fullname, run.params, run.param_id) == ("sort[n=100]", {"n": 100}, "n=100")
    assert run.device is not None
    assert (run.device.backend, run.rounds, run.iterations) == ("cpu", 2, None)
    assert measurement.samples == [1.5e-3, 1.25e-3]
    assert (measurement.metric, measurement.unit, measurement.better) == ("wall_time", "s", "lower")


def test_read_of_a_table_without_optional_columns_takes_wall_time_in_seconds(tmp_path: Path) -> None:
    (measurement,) = measured(tmp_path, "value", "0.5")

    assert (measurement.metric, measurement.value, measurement.samples) == ("wall_time", 0.5, None)


def test_read_of_several_rows_without_rounds_takes_them_in_order(tmp_path: Path) -> None:
    (measurement,) = measured(tmp_path, "value", "3", "1", "2")

    assert measurement.samples == [3.0, 1.0, 2.0]


def test_read_orders_rounds_by_their_number(tmp_path: Path) -> None:
    (measurement,) = measured(tmp_path, "value,round", "1,10", "2,11", "3,2", "4,1")

    assert measurement.samples == [4.0, 3.0, 1.0, 2.0]


def test_read_of_one_numbered_round_is_a_round(tmp_path: Path) -> None:
    (measurement,) = measured(tmp_path, "value,round", "1,1")

    assert (measurement.samples, measurement.value) == ([1.0], None)


@pytest.mark.parametrize("rounds", [("1", "2", "2"), ("1", "3", "3"), ("5", "1", "5")], ids="".join)
def test_read_of_a_round_twice_refuses_the_second(rounds: tuple[str, ...], tmp_path: Path) -> None:
    problems = refused(tmp_path, "value,round", *(f"1,{number}" for number in rounds))

    assert problems == {"line 4": f"round {rounds[-1]} of this series is repeated"}


def test_read_of_rounds_with_and_without_number_refuses_the_latter(tmp_path: Path) -> None:
    problems = refused(tmp_path, "value,round", "1,1", "1,")

    assert problems == {"line 3": "some rows of this series have a round and some have none"}


@pytest.mark.parametrize(
    ("metric", "unit", "value", "stored", "stored_unit"),
    [
        ("wall_time", "us", "1500", 1.5e-3, "s"),
        ("wall_time", "\N{MICRO SIGN}s", "1500", 1.5e-3, "s"),
        ("wall_time", "min", "2", 120.0, "s"),
        ("wall_time", "", "2", 2.0, "s"),
        ("peak_rss", "MiB", "1.5", 1_572_864.0, "B"),
        ("peak_rss", "MB", "1.5", 1_500_000.0, "B"),
        ("energy", "mJ", "250", 0.25, "J"),
        ("energy", "Wh", "1", 3600.0, "J"),
        ("temperature", "degC", "20", 293.15, "K"),
        ("throughput", "k/s", "2", 2000.0, "1/s"),
        ("bytes_per_second", "MiB/s", "1", 1_048_576.0, "B/s"),
        ("utilization", "%", "50", 0.5, "1"),
        ("own", "ms", "5", 0.005, "s"),
        ("own", "furlong", "5", 5.0, "furlong"),
        ("own", "", "-5", -5.0, "1"),
    ],
)
def test_read_stores_si_units(
    metric: str, unit: str, value: str, stored: float, stored_unit: str, tmp_path: Path
) -> None:
    (measurement,) = measured(tmp_path, "value,metric,unit", f"{value},{metric},{unit}")

    assert (measurement.value, measurement.unit) == (stored, stored_unit)


def test_read_of_mixed_units_of_one_metric_converts_them(tmp_path: Path) -> None:
    (measurement,) = measured(tmp_path, "value,unit", "1,ms", "1000,us")

    assert measurement.samples == [1e-3, 1e-3]


@pytest.mark.parametrize(
    ("columns", "cells", "text"),
    [
        ("value", "abc", "value is 'abc'; expected a finite number, with a point for decimals"),
        ("value", "nan", "value is 'nan'; expected a finite number, with a point for decimals"),
        ("value", "1e999", "value is inf; expected a finite number"),
        ("value", "1_000", "value is '1_000'; expected a finite number, with a point for decimals"),
        ("value", "", "value is empty; leave out rows that were not measured"),
        ("value", "-1", "value is -1.0, and wall_time is never below 0"),
        ("value,unit", "1,MiB", "unit 'MiB' is not a unit of wall_time, which is stored in 's'"),
        ("value,unit", "1,parsec", "unit 'parsec' is not known; wall_time is stored in 's'"),
        ("value,better", "1,up", "better is 'up'; write lower, higher or none"),
        (
            "value,better",
            "1,higher",
            "better is 'higher', but for the metric wall_time it is 'lower'",
        ),
        ("value,round", "1,first", "round is 'first'; expected a whole number"),
        ("value,params", '1,"{"', "params is not JSON"),
        ("value,params", "1,[]", "params is a list; write a JSON object"),
        ("value,commit", "1,\x07", "commit is '\\x07', which has characters that a name cannot have"),
        ("value", "1,2", "it has 5 cells, and the header 4"),
        ("value,unit", "1e308,GiB", "unit 'GiB' is not a unit of wall_time"),
        ("value,metric,unit", "1e308,peak_rss,GiB", "value is too large in its SI unit"),
    ],
    ids=range(17),
)
def test_read_of_a_bad_row_names_its_line_and_takes_the_others(
    columns: str, cells: str, text: str, tmp_path: Path
) -> None:
    good = "1" + "," * columns.count(",")
    problems = refused(tmp_path, columns, good, cells)

    assert list(problems) == ["line 3"]
    assert problems["line 3"].startswith(text)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (",2026-01-01,sort,1", "session is empty"),
        ("a,,sort,1", "started_at is empty"),
        ("a,2026-01-01,,1", "benchmark is empty"),
        ("a,yesterday,sort,1", "started_at: 'yesterday' is not a time"),
        ("a,2026-13-01,sort,1", "started_at: "),
        ("a,1960-01-01,sort,1", "started_at: '1960-01-01' is before 1970"),
    ],
    ids=["session", "no-time", "benchmark", "word", "month", "old"],
)
def test_read_of_a_row_without_what_is_needed_refuses_it(line: str, text: str, tmp_path: Path) -> None:
    sessions, problems = read(write_csv(tmp_path / "t.csv", line, "a,2026-01-01,sort,1"))

    assert problems["line 2"].startswith(text)
    assert sessions[0].rows == 1


def test_read_names_the_line_where_a_row_with_line_breaks_begins(tmp_path: Path) -> None:
    header = "session,started_at,benchmark,value,params"
    rows = ('a,2026-01-01,sort,x,"{\n}"', "", "a,2026-01-01,sort,x,")

    assert list(read(write_csv(tmp_path / "t.csv", 'a,2026-01-01,sort,1,"{\n}"', *rows, header=header))[1]) == [
        "line 4",
        "line 5",
        "line 7",
    ]


def test_quote_that_is_not_closed_costs_its_own_line(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", "a,2026-01-01,sort,1", 'a,2026-01-01,"sort,2', "a,2026-01-01,sort,3")

    (session,), problems = read(path)

    assert problems == {"line 3": "a quote in it is not closed"}
    assert session.runs[0].measurements[0].samples == [1.0, 3.0]


def test_quotes_that_are_never_closed_cost_their_lines_and_no_time(tmp_path: Path) -> None:
    rows = ["a,2026-01-01,sort,1", *['a,2026-01-01,"sort,2'] * 3_001, "a,2026-01-01,sort,3"]
    path = write_csv(tmp_path / "t.csv", *rows)

    (session,), problems = read(path)

    assert session.runs[0].measurements[0].samples == [1.0, 3.0]
    assert list(problems) == [f"line {n}" for n in range(3, 3_004)]


def test_read_of_another_commit_in_one_session_refuses_the_row(tmp_path: Path) -> None:
    problems = refused(tmp_path, "value,commit", "1,abc", "1,", "1,def")

    assert problems == {"line 4": "commit of session 'night' differs from that in line 2"}


def test_read_of_an_own_metric_in_two_units_refuses_the_second(tmp_path: Path) -> None:
    problems = refused(tmp_path, "value,metric,unit", "1,own,ms", "1,own,MiB")

    assert problems == {"line 3": "unit of own is 'MiB', but 'ms' in line 2"}


def test_read_of_an_own_metric_in_two_directions_refuses_the_second(tmp_path: Path) -> None:
    problems = refused(tmp_path, "value,metric,better", "1,own,higher", "1,own,")

    assert problems == {"line 3": "better of own is 'none', but 'higher' in line 2"}


def test_read_takes_a_uuid_as_the_fingerprint_that_it_is(tmp_path: Path) -> None:
    key = content_id("machine")
    lines = [f"{START},1,{key}", "other,2026-01-02,sort,1,my box"]
    sessions, _ = read(write_csv(tmp_path / "t.csv", *lines, header="session,started_at,benchmark,value,fingerprint"))

    environments = [session.environment for session in sessions]
    assert environments[0] is not None
    assert environments[1] is not None
    assert environments[0].fingerprint == key
    assert environments[1].fingerprint != key


def test_read_without_a_fingerprint_knows_no_machine(tmp_path: Path) -> None:
    sessions, _ = read(write_csv(tmp_path / "t.csv", f"{START},1"))

    assert sessions[0].environment is None


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
def test_read_finds_the_delimiter(delimiter: str, tmp_path: Path) -> None:
    lines = [line.replace(",", delimiter) for line in ("Session, started_at ,benchmark,VALUE", f"{START},0.5")]
    path = write_csv(tmp_path / "t.csv", lines[1], header="\ufeff" + lines[0])

    assert read(path)[0][0].runs[0].measurements[0].value == 0.5


def test_read_of_bytes_that_are_no_utf8_refuses_their_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"session,started_at,benchmark,value\na,2026-01-01,s\xffrt,1\na,2026-01-01,s\xc3\xb6rt,1\n")

    sessions, problems = read(path)

    assert problems == {"line 2": "it is not UTF-8"}
    assert sessions[0].runs[0].fullname == "s\u00f6rt"


def test_read_unpacks_gzip(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(f"session,started_at,benchmark,value\n{START},0.5\n".encode()))

    assert read(path)[0][0].rows == 1


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "its first line is ''; expected a header with session, started_at, benchmark, value"),
        (b"a,b\n1,2\n", "its first line is 'a,b'"),
        (b"session,benchmark\n1,2\n", "it lacks the column started_at, value; it has session, benchmark"),
        (b"session,started_at,benchmark,value,value\n", "it has the column value twice"),
        (b"session,started_at,benchmark,value\n\n,,,\n", "it has a header and no rows"),
        (b"session,started_at,benchmark,value\n" + b"x" * 2_000_000, "it has a line of more than"),
        (b"\x1f\x8b\x08broken", "its gzip compression is damaged"),
    ],
    ids=["empty", "other", "lacks", "twice", "no-rows", "long-line", "gzip"],
)
def test_read_of_another_table_is_refused(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)

    with pytest.raises(ImportFormatError, match=text):
        read(path)


def test_read_of_a_cell_beyond_the_csv_modules_limit_refuses_its_row(tmp_path: Path) -> None:
    long = "x" * (csv.field_size_limit() + 1)
    problems = read(write_csv(tmp_path / "t.csv", f"a,2026-01-01,{long},1", f"{START},1"))[1]

    assert list(problems) == ["line 2"]


def test_read_of_too_many_series_refuses_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_sessions, "MAX_SERIES", 1)

    with pytest.raises(ImportFormatError, match="it has more than 1 series"):
        refused(tmp_path, "value,metric", "1,wall_time", "1,cpu_time")


def test_read_of_parquet_takes_typed_columns(tmp_path: Path) -> None:
    columns = {
        "session": [7, 7],
        "started_at": [dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))] * 2,
        "benchmark": ["sort", "sort"],
        "value": [3, 4],
        "round": [1.0, 2.0],
        "params": [{"n": 1}, {"n": 1}],
        "unit": [None, None],
    }
    sessions, problems = read(write_parquet(tmp_path / "t.parquet", columns))

    assert problems == {}
    assert sessions[0].label == "7"
    assert sessions[0].started_unix_us == 1_767_222_000_000_000
    assert sessions[0].runs[0].fullname == "sort[n=1]"
    assert sessions[0].runs[0].measurements[0].samples == [3.0, 4.0]


def test_read_of_parquet_names_the_row(tmp_path: Path) -> None:
    columns = {
        "session": ["a"] * 3,
        "started_at": ["2026-01-01"] * 3,
        "benchmark": ["sort"] * 3,
        "value": [1.0, float("nan"), None],
    }

    assert read(write_parquet(tmp_path / "t.parquet", columns))[1] == {
        "row 2": "value is nan; expected a finite number",
        "row 3": "value is empty; leave out rows that were not measured",
    }


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"value": [[1]]}, "its column value is of type list"),
        ({"started_at": [5]}, "its column started_at is of type int64; expected a timestamp or a text"),
        ({"round": [True]}, "its column round is of type bool"),
    ],
    ids=["value", "time", "round"],
)
def test_read_of_parquet_with_a_column_of_another_type_is_refused(
    changes: dict[str, Any], text: str, tmp_path: Path
) -> None:
    columns = {"session": ["a"], "started_at": ["2026-01-01"], "benchmark": ["sort"], "value": [1.0], **changes}

    with pytest.raises(ImportFormatError, match=text):
        read(write_parquet(tmp_path / "t.parquet", columns))


def test_read_of_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'pytest-benchdb\[arrow\]'"):
        read(path)


def test_read_of_ten_thousand_rounds_keeps_them_all(tmp_path: Path) -> None:
    text = io.StringIO()
    text.writelines(f"{START},{number},{number}\n" for number in range(10_000))
    path = tmp_path / "t.csv"
    path.write_text("session,started_at,benchmark,value,round\n" + text.getvalue())

    samples = read(path)[0][0].runs[0].measurements[0].samples

    assert samples is not None
    assert list(samples) == [float(number) for number in range(10_000)]
