"""Whatever bytes a file has, an importer reads it or says in one line what is wrong; the seeds are fixed."""

import gzip
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.importers.source_files import document, entry, parquet_rows, write_csv, write_json, write_rows

from pytest_benchdb.operations.exchange.importing import FileOutcome, ImportRequest, import_files
from pytest_benchdb.operations.exchange.sources import AUTO

COUNT = int(os.environ.get("BENCHDB_MUTATIONS", "40"))
"""Mutations of each kind of file; the long run sets more."""
_PIECES = (
    b"\x00",
    b"\xff",
    b"\x1f",
    b"-",
    b"1e999",
    b'"',
    b"\n",
    b",",
    b"9" * 30,
    b"null",
    b"NaN",
    b"[",
    b"{",
    b"\xed\xa0",
)


def take(path: Path, target: Path, *, dry_run: bool = False) -> FileOutcome:
    """Import a file as `benchdb import` does."""
    request = ImportRequest(format=AUTO, paths=(path,), target=str(target), project="p", dry_run=dry_run)
    (outcome,) = import_files(request).files
    return outcome


def judge(outcome: FileOutcome) -> None:
    assert "failed with" not in (outcome.reason or ""), outcome.reason
    assert "\n" not in (outcome.reason or "")
    for problem in outcome.problems:
        assert problem.place
        assert "\n" not in problem.place + problem.text


def mutated(content: bytes, seed: int) -> bytes:
    chance = random.Random(seed)  # noqa: S311 - mutations
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 3, 10))):
        place = chance.randrange(len(changed) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            changed[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            changed[place:place] = chance.choice(_PIECES)
        elif kind == 2:
            del changed[place : place + chance.choice((1, 2, 20))]
        elif kind == 3:
            other = chance.randrange(len(changed) + 1)
            changed[place:place] = changed[other : other + chance.randrange(40)]
        else:
            changed[place : place + 1] = (
                bytes([changed[place] ^ 1 << chance.randrange(8)]) if place < len(changed) else b""
            )
    return bytes(changed)


def good_file(kind: str, folder: Path) -> Path:
    if kind == "json":
        entries = [entry(), entry("tests/test_a.py::test_b", data=None)]
        return write_json(folder / "good.json", document(*entries))
    if kind == "csv":
        return write_rows(folder / "good.csv")
    return parquet_rows(folder / "good.parquet")


@pytest.mark.long
@pytest.mark.parametrize("kind", ["json", "csv", "parquet", "csv.gz"])
def test_import_of_mutated_files_takes_them_or_says_what_is_wrong(kind: str, tmp_path: Path) -> None:
    good = good_file(kind.removesuffix(".gz"), tmp_path).read_bytes()
    content = gzip.compress(good, mtime=0) if kind.endswith(".gz") else good
    path = tmp_path / f"t.{kind}"
    taken = 0

    for seed in range(COUNT):
        path.write_bytes(mutated(content, seed))
        outcome = take(path, tmp_path / "db", dry_run=seed % 10 != 0)
        judge(outcome)
        taken += outcome.reason is None

    assert taken or kind in {"parquet", "csv.gz"}


scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["\ud800", "\x1f", "9999-12-31T23:59:59-23:59", "0001-01-01", "2026-01-01", 10**400, -(10**400), 1e308]
    )
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


def _places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


PLACES = list(_places(document(entry(), entry("t.py::test_b", data=None))))[1:]


@pytest.mark.long
@settings(
    max_examples=COUNT, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(PLACES), anything), min_size=1, max_size=4))
def test_import_of_json_with_any_value_anywhere(tmp_path: Path, changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    whole = document(entry(), entry("t.py::test_b", data=None))
    for (*path, last), value in changes:
        holder: Any = whole
        try:
            for key in path:
                holder = holder[key]
            holder[last] = value
        except (TypeError, KeyError, IndexError):
            continue
    path_ = tmp_path / "t.json"
    path_.write_text(json.dumps(whole), encoding="utf-8")

    judge(take(path_, tmp_path / "db"))


cells = st.text(max_size=8) | st.sampled_from(
    [
        "",
        "1",
        "-1",
        "0",
        "1e308",
        "1e999",
        "0.5\x1f",
        "ms",
        "GB",
        "%",
        "lower",
        "9" * 400,
        "2026-01-01",
        '{"n": 1}',
        "[]",
        "2026-01-01T00:00:00+99:99",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+01:00",
        "\u0663",
        "wall_time",
        "\ud800",
    ]
)
NAMES = (
    "session",
    "started_at",
    "benchmark",
    "value",
    "round",
    "metric",
    "unit",
    "better",
    "commit",
    "fingerprint",
    "params",
)


@pytest.mark.long
@settings(
    max_examples=COUNT, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(*[cells] * len(NAMES)), min_size=1, max_size=4))
def test_import_of_csv_with_any_cells(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    good = "s,2026-01-01,b,1,,,,,,,"
    path = tmp_path / "t.csv"
    path.write_bytes("\n".join([",".join(NAMES), good, *lines, ""]).encode("utf-8", "surrogatepass"))

    outcome = take(path, tmp_path / "db")

    judge(outcome)
    assert outcome.sessions + outcome.known >= 1


def test_import_names_the_impossible_and_stores_it_as_not_valid(tmp_path: Path) -> None:
    stats = {"median": -5.0, "stddev": -1.0}
    path = write_json(
        tmp_path / "t.json", document(entry(data=None, stats=stats), entry("t.py::test_b", data=[0.0, 0.0, 0.0]))
    )

    outcome = take(path, tmp_path / "db")

    assert [(problem.place, problem.text, problem.refused) for problem in outcome.problems] == [
        ("tests/test_a.py::test_sum[10]", "median is -5.0, and wall_time is never below 0; stored as not valid", False),
        (
            "t.py::test_b",
            "median is 0, and wall_time takes time: it was shorter than a tick of the clock; stored as not valid",
            False,
        ),
    ]
    assert (outcome.sessions, outcome.runs, outcome.refused) == (1, 2, 0)


def test_import_of_a_table_names_a_reading_of_no_time(tmp_path: Path) -> None:
    rows = [f"s{place},2026-01-01,test_with_a_rather_long_name_{place},{place}" for place in range(6000)]

    outcome = take(write_csv(tmp_path / "t.csv", *rows), tmp_path / "db")

    assert [problem.place for problem in outcome.problems] == ["test_with_a_rather_long_name_0"]
    assert outcome.sessions == 6000
