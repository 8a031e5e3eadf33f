"""What is too large is refused, in one line, before it takes memory; and a bad cell costs its row only."""

import datetime as dt
import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.importers.source_files import HEADER, document, entry, write_csv, write_json, write_parquet

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.python.pytest_benchmark import PytestBenchmark
from pytest_benchdb.importers.reading import files as source
from pytest_benchdb.importers.reading import json_text
from pytest_benchdb.importers.tables import table
from pytest_benchdb.importers.tables.table import CsvTable, ParquetTable
from pytest_benchdb.model.imported import ImportedSession, ImportProblem

ROW = "night,2026-01-01,sort,"
_LONGEST_S = 30.0
_MEMORY = 400 << 20


def bomb(path: Path, head: bytes, repeated: bytes, size: int) -> Path:
    """Write a gzip file that has `size` bytes unpacked."""
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(head)
        piece = repeated * ((1 << 20) // len(repeated))
        for _ in range(size // len(piece) + 1):
            file.write(piece)
    return path


@pytest.fixture
def memory_is_bounded() -> Iterator[None]:
    """Fail if a test needs more memory than a small machine has left."""
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < _MEMORY
    assert time.monotonic() - began < _LONGEST_S


@pytest.mark.usefixtures("memory_is_bounded")
@pytest.mark.parametrize(
    ("name", "reader", "head", "repeated"),
    [
        ("a.json.gz", PytestBenchmark(), b'{"machine_info": {}, "benchmarks": [', b"{},"),
        ("a.csv.gz", CsvTable(), f"{HEADER}\n".encode(), f"{ROW}1\n".encode()),
    ],
    ids=["json", "csv"],
)
def test_read_of_a_gzip_bomb_is_refused_with_the_bound_and_the_way_around(
    name: str, reader: Any, head: bytes, repeated: bytes, tmp_path: Path
) -> None:
    path = bomb(tmp_path / name, head, repeated, 300 << 20)

    with pytest.raises(ImportFormatError) as refused:
        list(reader.read(path))

    packed = path.stat().st_size
    limit = max(64, source.MOST_RATIO * packed >> 20)
    text = f"unpacked, its {packed:,} bytes are more than {limit} MiB"
    assert str(refused.value) == f"{text}; if you trust it, unpack it with gunzip and import the result"


@pytest.mark.usefixtures("memory_is_bounded")
def test_read_of_small_json_with_very_many_values_is_refused(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.json.gz", b'{"machine_info": {}, "benchmarks": [', b"{},", 60 << 20)

    with pytest.raises(ImportFormatError, match="it has more than 20,000,000 values; split it"):
        list(PytestBenchmark().read(path))


def test_read_of_json_above_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MOST_BYTES", 1 << 20)
    path = write_json(tmp_path / "a.json", document(entry(extra_info={"text": "x" * (1 << 20)})))

    with pytest.raises(ImportFormatError, match="it has more than 1 MiB; split it"):
        list(PytestBenchmark().read(path))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_read_of_too_many_rows_is_refused(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_ROWS", 2)
    rows = [f"{ROW}{value}" for value in (1, 2, 3)]
    columns = {"session": ["a"] * 3, "started_at": ["2026-01-01"] * 3, "benchmark": ["b"] * 3, "value": [1.0] * 3}
    is_csv = suffix == "csv"
    path = write_csv(tmp_path / "t.csv", *rows) if is_csv else write_parquet(tmp_path / "t.parquet", columns)

    with pytest.raises(ImportFormatError, match="rows"):
        list((CsvTable() if is_csv else ParquetTable()).read(path))


def test_read_of_a_large_row_group_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_MAX_GROUP", 1 << 16)
    long = {"session": ["a"], "started_at": ["2026-01-01"], "benchmark": ["b" * (1 << 17)], "value": [1.0]}

    with pytest.raises(ImportFormatError, match=r"unpacked, its row group 0 has .* write smaller row groups"):
        list(ParquetTable().read(write_parquet(tmp_path / "t.parquet", long)))


@pytest.mark.usefixtures("memory_is_bounded")
def test_read_of_a_long_text_in_every_row_refuses_the_rows(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    rows = 10_000
    names = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["b" * (1 << 20)])
    columns = {"session": ["a"] * rows, "started_at": ["2026-01-01"] * rows, "benchmark": names, "value": [1.0] * rows}

    items = list(ParquetTable().read(write_parquet(tmp_path / "t.parquet", columns)))

    assert [type(item) for item in items] == [ImportProblem] * rows
    assert {item.text for item in items if isinstance(item, ImportProblem)} == {
        "benchmark has more than 100000 characters"
    }


def problems(reader: Any, path: Path) -> tuple[dict[str, str], int]:
    """Return the problems of a table by their place, and the number of rows that were taken."""
    items = list(reader.read(path))
    rows = sum(item.rows for item in items if isinstance(item, ImportedSession))
    return {item.place: item.text for item in items if isinstance(item, ImportProblem)}, rows


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("0.5\x1f", "value is '0.5\\x1f'; expected a finite number"),
        ("0.5\x00", "value is '0.5\\x00'; expected a finite number"),
        ("\u0663.5", "value is '\u0663.5'; expected a finite number"),
        ("1e999", "value is inf; expected a finite number"),
        ("9" * 5000, "value is inf; expected a finite number"),
        ("0x1p3", "value is '0x1p3'; expected a finite number"),
        ("1_000", "value is '1_000'; expected a finite number"),
    ],
    ids=["separator", "null", "digits", "infinite", "long", "hexadecimal", "underscore"],
)
def test_read_of_a_bad_value_costs_its_row(cell: str, text: str, tmp_path: Path) -> None:
    found, rows = problems(CsvTable(), write_csv(tmp_path / "t.csv", f"{ROW}1", f"{ROW}{cell}", f"{ROW}2"))

    assert list(found) == ["line 3"]
    assert found["line 3"].startswith(text) or "\x00" in cell
    assert rows == 2


COLUMNS: dict[str, tuple[list[Any], str]] = {
    "started_at": ([dt.datetime(2026, 1, 1), None, dt.datetime(2026, 1, 1)], "started_at is empty"),  # noqa: DTZ001
    "round": ([1.0, 1.5, 2.0], "round is '1.5'; expected a whole number"),
    "value": ([1.0, float("nan"), 2.0], "value is nan; expected a finite number"),
    "benchmark": ([b"b", b"\xff", b"b"], "benchmark is not UTF-8"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_read_of_a_bad_parquet_cell_costs_its_row(name: str, tmp_path: Path) -> None:
    good = {"session": ["a"] * 3, "started_at": ["2026-01-01"] * 3, "benchmark": ["b"] * 3, "value": [1.0] * 3}
    cells, text = COLUMNS[name]

    found, rows = problems(ParquetTable(), write_parquet(tmp_path / "t.parquet", {**good, name: cells}))

    assert found == {"row 2": text}
    assert rows == 2


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_read_of_a_time_outside_of_the_calendar_costs_its_row(unit: str, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    good = 1_767_225_600 * {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    times = pa.array([good, -1, 2**63 - 1], pa.int64()).cast(pa.timestamp(unit))
    columns = {"session": ["a"] * 3, "started_at": times, "benchmark": ["b"] * 3, "value": [1.0] * 3}

    found, rows = problems(ParquetTable(), write_parquet(tmp_path / "t.parquet", columns))

    assert "row 2" in found
    assert ("row 3" in found) == (unit != "ns")
    assert rows == 3 - len(found)
