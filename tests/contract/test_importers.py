"""Every built-in importer passes the contract, and each defect is found."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contract.toys import promises_of, run
from tests.importers.source_files import (
    DATA,
    document,
    first_document,
    parquet_rows,
    write_csv,
    write_json,
    write_rows,
)

from pytest_benchdb.errors import ImportFormatError, NotResultsError
from pytest_benchdb.importers import importers
from pytest_benchdb.importers.reading.files import head_of
from pytest_benchdb.interfaces import Importer, ReadsFolders
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Summary
from pytest_benchdb.operations.exchange.sources import AUTO, find_sources
from pytest_benchdb.testing import ImporterContract

DATA_FOLDER = Path(__file__).parents[1] / "importers" / "data"
"""A folder for each importer, with small files of our own in the shapes of its tool."""
BUILT_IN = {importer.name: importer for importer in importers() if importer.name != "benchdb"}
"""All but that of our own tables, whose columns are at the end of a file of Parquet: a head does not show them."""
WRITTEN = {"pytest-benchmark", "csv", "parquet"}
"""Importers whose files are written by `written_files`, because they are not texts or other tests need them too."""


def written_files(name: str, folder: Path) -> list[Path]:
    if name == "pytest-benchmark":
        first = write_json(folder / "of 2015.json", first_document())
        return [write_json(folder / "0001_mine.json", document()), first]
    if name == "csv":
        return [write_rows(folder / "table.csv"), write_csv(folder / "few.csv", "a,2026-01-01,sort,0.5")]
    pytest.importorskip("pyarrow")
    return [parquet_rows(folder / "table.parquet")]


def own_files(importer: Importer) -> list[Path]:
    """Return the files of `DATA_FOLDER` that have results, or the folders of an importer that reads folders."""
    home = DATA_FOLDER / importer.name
    if isinstance(importer, ReadsFolders):
        return sorted(path for path in home.iterdir() if path.is_dir())
    return [path for path in sorted(home.rglob("*")) if path.is_file() and has_results(importer, path)]


def has_results(importer: Importer, path: Path) -> bool:
    try:
        return importer.can_read(path, head_of(path, 4096)) and bool(list(importer.read(path)))
    except NotResultsError:
        return False


class TestEveryImporter(ImporterContract):
    @pytest.fixture(params=BUILT_IN)
    def importer(self, request: pytest.FixtureRequest) -> Importer:
        return BUILT_IN[request.param]

    @pytest.fixture
    def home(self, importer: Importer) -> Path | None:
        is_alone = importer.name in WRITTEN or isinstance(importer, ReadsFolders)
        return None if is_alone else DATA_FOLDER / importer.name

    @pytest.fixture
    def good_files(self, importer: Importer, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
        if importer.name in WRITTEN:
            return written_files(importer.name, tmp_path_factory.mktemp("files"))
        return own_files(importer)


@pytest.mark.parametrize("name", sorted(BUILT_IN.keys() - WRITTEN))
def test_auto_finds_the_importer_of_each_file(name: str) -> None:
    files = [path for path in sorted((DATA_FOLDER / name).rglob("*")) if path.is_file()]

    sources = list(find_sources([DATA_FOLDER / name], AUTO, BUILT_IN))

    assert {source.importer for source in sources} == {name}
    assert sorted(file for source in sources for file in source.files) == files


TIME = Measurement(metric="wall_time", unit="s", better="lower", provenance="imported", samples=list(DATA))
RUN = ImportedRun(fullname="sort", measurements=(TIME,))
SESSION = ImportedSession(started_unix_us=1_790_000_000_000_000, tool="toy", runs=(RUN,))


class Toy:
    """An importer of files that begin with ``toy``."""

    def __init__(self) -> None:
        self.name = "toy"
        self.session = SESSION

    def can_read(self, _path: Path, head: bytes) -> bool:
        return head.startswith(b"toy")

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        if path.read_bytes() != b"toy\n" * 2000:
            raise ImportFormatError("it is no toy")
        yield self.session


Fault = Callable[[Any], object]


def run_of(**changes: Any) -> Fault:
    return session_of(runs=(replace(RUN, **changes),))


def measurement_of(**changes: Any) -> Fault:
    return run_of(measurements=(replace(TIME, **changes),))


def session_of(**changes: Any) -> Fault:
    def break_it(toy: Toy) -> None:
        toy.session = replace(SESSION, **changes)

    return break_it


def reading(read: Callable[[Path], Any]) -> Fault:
    return lambda toy: setattr(toy, "read", read)


def answering(can_read: Callable[[Path, bytes], object]) -> Fault:
    return lambda toy: setattr(toy, "can_read", can_read)


def read_with(*items: object) -> Fault:
    return reading(lambda _path: iter(items))


def counting() -> Fault:
    times = itertools.count(1)
    return reading(lambda _path: iter([replace(SESSION, started_unix_us=next(times))]))


def writing(path: Path) -> Iterator[ImportedSession]:
    path.with_suffix(".lock").touch()
    yield SESSION


def changing(path: Path) -> Iterator[ImportedSession]:
    path.write_bytes(b"toy")
    yield SESSION


def raising(error: Exception) -> Callable[[Path], Iterator[ImportedSession]]:
    def read(_path: Path) -> Iterator[ImportedSession]:
        raise error

    return read


FAULTS: list[tuple[str, Fault]] = [
    ("test_name_can_be_typed", lambda toy: setattr(toy, "name", "My Tool")),
    ("test_name_can_be_typed", lambda toy: setattr(toy, "name", "auto")),
    ("test_own_files_are_recognised_by_their_heads", answering(lambda _path, _head: False)),
    ("test_own_files_are_recognised_by_their_heads", answering(lambda path, _head: path.exists())),
    ("test_own_files_are_recognised_by_their_heads", answering(lambda _path, head: len(head) > 5000)),
    ("test_strange_heads_are_answered", answering(lambda _path, _head: None)),
    ("test_strange_heads_are_answered", answering(lambda _path, head: head[0] == 1)),
    ("test_good_files_have_sessions_and_no_problems", read_with()),
    ("test_good_files_have_sessions_and_no_problems", read_with("session")),
    ("test_good_files_have_sessions_and_no_problems", read_with(SESSION, ImportProblem(place="line 1", text="odd"))),
    ("test_good_files_have_sessions_and_no_problems", session_of(runs=())),
    ("test_good_files_have_sessions_and_no_problems", session_of(runs=("sort",))),
    ("test_reading_again_gives_the_same", counting()),
    ("test_times_come_from_the_file", session_of(started_unix_us=0)),
    ("test_times_come_from_the_file", session_of(started_unix_us=1.79e15)),
    ("test_times_come_from_the_file", session_of(started_unix_us=1_790_000_000_000_000_000)),
    ("test_times_come_from_the_file", run_of(started_unix_us=-1)),
    ("test_names_are_not_empty", session_of(tool=" ")),
    ("test_names_are_not_empty", run_of(fullname="")),
    ("test_measurements_are_sound", measurement_of(unit="ms")),
    ("test_measurements_are_sound", measurement_of(better="higher")),
    ("test_measurements_are_sound", measurement_of(metric="own", unit="")),
    ("test_measurements_are_sound", measurement_of(metric="own", better="up")),
    ("test_measurements_are_sound", measurement_of(provenance="measured")),
    ("test_measurements_are_sound", measurement_of(value=1.0)),
    ("test_measurements_are_sound", measurement_of(samples=None)),
    ("test_measurements_are_sound", measurement_of(samples=[])),
    ("test_measurements_are_sound", measurement_of(samples=None, summary=Summary())),
    ("test_measurements_are_sound", measurement_of(samples=[1.0, float("nan")])),
    ("test_measurements_are_sound", measurement_of(samples=None, summary=Summary(mean=float("inf")))),
    ("test_what_is_kept_is_json", run_of(params={"n": object()})),
    ("test_what_is_kept_is_json", run_of(extra_info={"n": float("nan")})),
    ("test_damaged_files_are_reported", reading(raising(ValueError("no toy")))),
    ("test_damaged_files_are_reported", reading(raising(ImportFormatError("two\nlines")))),
    ("test_damaged_files_are_reported", read_with()),
    ("test_damaged_files_are_reported", read_with(ImportProblem(place="", text="odd"))),
    ("test_damaged_files_are_reported", read_with(ImportProblem(place="line 1", text="two\nlines"))),
    ("test_files_are_left_alone", reading(writing)),
    ("test_files_are_left_alone", reading(changing)),
]


def check(test: str, toy: Toy, folder: Path) -> None:
    good, scratch = folder / "good", folder / "scratch"
    good.mkdir()
    scratch.mkdir()
    (good / "results.toy").write_bytes(b"toy\n" * 2000)
    fixtures = {"importer": toy, "good_files": [good / "results.toy"], "home": None, "tmp_path": scratch}
    run(ImporterContract(), test, **fixtures)


@pytest.mark.parametrize("test", promises_of(ImporterContract))
def test_importer_that_keeps_its_promises_passes(test: str, tmp_path: Path) -> None:
    check(test, Toy(), tmp_path)


@pytest.mark.parametrize(("test", "fault"), FAULTS, ids=[f"{test}-{number}" for number, (test, _) in enumerate(FAULTS)])
def test_importer_that_breaks_a_promise_is_found(test: str, fault: Fault, tmp_path: Path) -> None:
    toy = Toy()
    fault(toy)

    with pytest.raises((pytest.fail.Exception, IndexError)):
        check(test, toy, tmp_path)


def test_every_promise_has_a_fault_that_breaks_it() -> None:
    assert {test for test, _ in FAULTS} == set(promises_of(ImporterContract))
