"""Import damaged files of other tools: an error of ours or results that can be, and the neighbours as they were."""

import gzip
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.hostile.counts import counted
from tests.hostile.figures import impossible, read_runs
from tests.hostile.mutation import changed, damaged, json_bytes
from tests.importers import source_files as files

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers import importers
from pytest_benchdb.importers.reading.files import head_of
from pytest_benchdb.model.imported import ImportedSession, ImportProblem
from pytest_benchdb.operations.exchange.importing import ImportRequest, import_files

READERS = {reader.name: reader for reader in importers()}


def document() -> dict[str, Any]:
    entries = [files.entry(f"tests/test_a.py::test_{n}", **({"data": None} if n % 2 else {})) for n in range(6)]
    copied: dict[str, Any] = json.loads(json.dumps(files.document(*entries)))  # no two benchmarks share a value
    return copied


def table(rows: int = 12) -> bytes:
    """Return a text table in which each value names its line."""
    header = files.HEADER + ",round,metric,unit,better,commit,branch,fingerprint,backend,params"
    lines = [
        f"s{row % 3},2026-01-0{row % 3 + 1},t.py::test_{row % 2},{row + 2}.5,{row},wall_time,ms,lower,"
        f'{files.SHA},main,box,cpu,"{{""n"": {row % 2}}}"'
        for row in range(rows)
    ]
    return "\r\n".join([header, *lines]).encode() + b"\r\n"


def read(path: Path, kind: str) -> tuple[list[ImportedSession], list[ImportProblem]]:
    """Read a file as `benchdb import` does; an error of ours means no session."""
    reader = READERS[kind]
    sessions: list[ImportedSession] = []
    problems: list[ImportProblem] = []
    try:
        reader.can_read(path, head_of(path, 65_536))
        for item in reader.read(path):
            if isinstance(item, ImportProblem):
                problems.append(item)
            else:
                sessions.append(item)
    except ImportFormatError as error:
        assert "\n" not in str(error)  # noqa: PT017 - the error is one of two fine ends
        return [], problems
    return sessions, problems


def cases(count: int, seed: str) -> Iterator[tuple[int, random.Random]]:
    for number in range(count):
        yield number, random.Random(f"{seed}-{number}")  # noqa: S311


class Imports:
    """Imports files as `benchdb import` does, many at once, and looks at what is stored of them."""

    def __init__(self, folder: Path, most: int = 200) -> None:
        self._folder = folder
        self._most = most
        self._files: list[Path] = []

    def add(self, name: str, data: bytes) -> Path:
        """Write a file of its own name, to be imported with others; return it."""
        if len(self._files) == self._most:
            self.check()
        path = self._folder / f"in-{name}"
        path.write_bytes(data)
        self._files.append(path)
        return path

    def check(self) -> None:
        """Import the files, and check what is stored."""
        store = self._folder / "store"
        request = ImportRequest(format="auto", paths=tuple(self._files), target=str(store), project="p")
        for outcome in import_files(request).files:
            assert " failed with " not in (outcome.reason or ""), (outcome.path, outcome.reason)
        wrong = [line for path in store.glob("*.duckdb") for line in impossible(path)] if store.exists() else []
        assert wrong == []
        shutil.rmtree(store, ignore_errors=True)
        for path in self._files:
            path.unlink()
        self._files.clear()


@counted(sample=100, long=2_000, full=30_000)
def test_changed_value_in_json_costs_its_own_benchmark(tmp_path: Path, count: int) -> None:
    imports = Imports(tmp_path)
    original = document()
    (session,) = read(imports.add("original.json", json_bytes(original)), "pytest-benchmark")[0]
    expected = read_runs(session)
    assert len(expected) == 6
    for number, chance in cases(count, "json"):
        value, place = changed(original, chance)
        path = imports.add(f"{number}.json", json_bytes(value))

        sessions, problems = read(path, "pytest-benchmark")

        runs = [run for session in sessions for run in read_runs(session)]
        if place[0] == "benchmarks" and len(place) > 1:
            index = int(place[1])
            assert len(place) == 2 or len(runs) + len(problems) == 6, f"case {number}, {place}"
            if len(runs) == 6:
                del runs[index]
            assert runs == expected[:index] + expected[index + 1 :], f"case {number}, {place}"
        elif sessions:
            assert runs == expected, f"case {number}, {place}"
    imports.check()


@pytest.mark.parametrize("kind", ["json", "json.gz", "csv", "csv.gz"])
@counted(sample=50, long=1_000, full=10_000)
def test_damaged_bytes_are_an_error_of_ours_or_figures_that_can_be(tmp_path: Path, kind: str, count: int) -> None:
    imports = Imports(tmp_path)
    original = json_bytes(document()) if kind.startswith("json") else table()
    for number, chance in cases(count, kind):
        if kind.endswith("gz"):
            inside = chance.random() < 0.5
            data = gzip.compress(damaged(original, chance) if inside else original, 1)
            data = data if inside else damaged(data, chance)
        else:
            data = damaged(original, chance)

        read(imports.add(f"{number}.{kind}", data), "csv" if kind.startswith("csv") else "pytest-benchmark")
    imports.check()


@counted(sample=100, long=2_000, full=15_000)
def test_damaged_line_of_a_table_costs_itself_and_is_named(tmp_path: Path, count: int) -> None:
    imports = Imports(tmp_path)
    original = table().splitlines(keepends=True)
    for number, chance in cases(count, "line"):
        line = chance.randrange(1, len(original))
        lines = list(original)
        lines[line] = damaged(lines[line].rstrip(b"\r\n"), chance).replace(b"\n", b"").replace(b"\r", b"") + b"\r\n"

        sessions, problems = read(imports.add(f"{number}.csv", b"".join(lines)), "csv")

        runs = [run for session in sessions for run in read_runs(session)]
        values = {value for run in runs for row in run["measurements"] for value in _values(row)}
        places = {problem.place for problem in problems}
        for other in range(1, len(original)):
            value = (other + 1.5) / 1000
            assert other == line or value in values or f"line {other + 1}" in places, (number, line, other, lines[line])
    imports.check()


def _values(row: dict[str, Any]) -> list[float]:
    return [row["value"]] if row.get("value") is not None else row["samples"]


@counted(sample=20, long=1_000, full=5_000)
def test_damaged_parquet_is_an_error_of_ours_or_figures_that_can_be(tmp_path: Path, count: int) -> None:
    imports = Imports(tmp_path)
    original = files.parquet_rows(tmp_path / "x.parquet").read_bytes()
    for number, chance in cases(count, "parquet"):
        read(imports.add(f"{number}.parquet", damaged(original, chance)), "parquet")
    imports.check()
