"""Every built-in exporter passes the contract, and each defect is found."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from tests.contract.toys import promises_of, run

from pytest_benchdb.exporters import exporters
from pytest_benchdb.interfaces import Exporter
from pytest_benchdb.model.exchange.exported import ExportFile, StoredRun, StoredSession
from pytest_benchdb.store.parquet import ParquetTable
from pytest_benchdb.testing import ExporterContract

BUILT_IN: Sequence[Exporter] = (*exporters(), ParquetTable(), ParquetTable(by_date=True))


@pytest.mark.parametrize("exporter", BUILT_IN, ids=[f"{one.name}{one.suffix}" for one in BUILT_IN])
class TestBuiltIn(ExporterContract):
    pass


class Toy:
    """An exporter of the names of benchmarks."""

    def __init__(self) -> None:
        self.name = "toy"
        self.suffix = ".toy.json"
        self.is_text = True
        self.holds = "history"
        self.rounds = False
        self.file = "names.json"
        self.end: Callable[[], bytes] = lambda: b""

    def takes(self, run: StoredRun) -> bool:
        return bool(run.figures)

    def export(self, sessions: Iterable[StoredSession]) -> list[ExportFile]:
        names = [ascii(run.fullname).replace("'", '"') for stored in sessions for run in stored.runs]
        return [ExportFile(name=self.file, pieces=[str(len(names)).encode(), self.end()])]


Fault = Callable[[Any], object]


def with_(**changes: object) -> Fault:
    def change(toy: Toy) -> None:
        for name, value in changes.items():
            setattr(toy, name, value)

    return change


def twice(toy: Toy) -> None:
    export = toy.export
    toy.export = lambda sessions: export(sessions) * 2  # type: ignore[method-assign]


def raising(toy: Toy) -> None:
    def export(sessions: Iterable[StoredSession]) -> list[ExportFile]:
        runs = [run for stored in sessions for run in stored.runs]
        return [ExportFile(name=runs[0].fullname.encode("ascii").decode(), pieces=[])]

    toy.export = export  # type: ignore[method-assign]


def telling(toy: Toy) -> None:
    toy.takes = lambda _run: True  # type: ignore[assignment, method-assign]
    toy.export = lambda sessions: [  # type: ignore[method-assign]
        ExportFile(name="a", pieces=[run.fullname.encode("utf-8", "replace") for one in sessions for run in one.runs])
    ]


COUNT = itertools.count()
FAULTS: list[tuple[str, Fault]] = [
    ("test_name_can_be_typed", with_(name="My Tool")),
    ("test_name_can_be_typed", with_(suffix="json")),
    ("test_name_can_be_typed", with_(holds="everything")),
    ("test_files_are_named_within_the_folder", with_(file="../names.json")),
    ("test_files_are_named_within_the_folder", with_(file="/names.json")),
    ("test_files_are_named_within_the_folder", twice),
    ("test_exporting_again_gives_the_same", with_(end=lambda: str(next(COUNT)).encode())),
    ("test_text_is_text", with_(end=lambda: b"\xff")),
    ("test_sessions_without_runs_are_exported", raising),
    ("test_run_that_did_not_pass_is_no_figure", telling),
    ("test_run_that_did_not_pass_is_no_figure", with_(takes=lambda _run: None)),
    ("test_simulated_run_is_marked_or_left_out", telling),
    ("test_hostile_names_are_written", with_(end=lambda: b"NaN,")),
    ("test_several_sessions_are_exported", with_(export=lambda sessions: [[*sessions][2]])),
]


def check(test: str, toy: Toy) -> None:
    run(ExporterContract(), test, exporter=toy)


@pytest.mark.parametrize("test", promises_of(ExporterContract))
def test_exporter_that_keeps_its_promises_passes(test: str) -> None:
    check(test, Toy())


@pytest.mark.parametrize(("test", "fault"), FAULTS, ids=[f"{test}-{number}" for number, (test, _) in enumerate(FAULTS)])
def test_exporter_that_breaks_a_promise_is_found(test: str, fault: Fault) -> None:
    toy = Toy()
    fault(toy)

    with pytest.raises((pytest.fail.Exception, IndexError, ValueError)):
        check(test, toy)


def test_every_promise_has_a_fault_that_breaks_it() -> None:
    assert {test for test, _ in FAULTS} == set(promises_of(ExporterContract))
