"""What is exported and imported again is the same, wherever the format can hold it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import default_runs, make_run, make_session

from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.run import Measurement, Run, Summary
from pytest_benchdb.operations.exchange.importing import ImportRequest, import_files
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.export.results import ExportRequest, export_results
from pytest_benchdb.operations.export.stored import Wanted, stored_sessions
from pytest_benchdb.operations.select.selection import Selection

# An import is a session of its own, with ids of its own.
NOT_KEPT = {"session_id", "run_id", "kind", "provenance", "param_id"}
ROUND_TRIPS = ("csv", "json", "jsonl", "parquet", "hive")


def runs() -> list[Run]:
    labels = Labels(model="bert", version="v1", precision="fp16", batch_size=8, implementation="torch", framework="x")
    timed = Measurement.of("wall_time", round_ns=[1_000_003, 1_000_001, 7], method="time.perf_counter")
    phase = Measurement.of("wall_time", samples=[0.1, 0.2], phase="load")
    kept = Measurement.of("step_time", summary=Summary(n=9, min=1.0, max=3.0, mean=2.0, median=2.0, q1=1.5, q3=2.5))
    own = Measurement(metric="accuracy", unit="1", better="higher", value=0.1 + 0.2)
    bad = Measurement.of("energy", pass_name="energy", reason="no sensor", valid=False)
    sim = Measurement.of("wall_time", samples=[1.0, 2.0], provenance="simulated")
    special = make_run(
        "tests/test_a.py::TestX::test_y[=cmd()-'a']",
        measurements=(timed, phase, kept, own, bad),
        iterations=3,
        labels=labels,
    )
    return [
        *default_runs(),
        special,
        make_run("tests/test_a.py::test_sim", measurements=(sim,), provenance="simulated"),
    ]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "results"
    make_session(folder, runs(), label="'=label")
    make_session(folder, at=30)
    return folder


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Return every measurement of a folder with what is known of its run and its session."""
    from pytest_benchdb.model.exchange.long_table import NAMES, long_rows

    wanted = Wanted(rounds=True, runs=None, metrics=frozenset(), takes=lambda _run: True, left_out=lambda _run: None)
    with open_source((folder,)) as reader:
        rows = [
            dict(zip(NAMES, row, strict=True)) for row in long_rows(stored_sessions(reader, reader.sessions(), wanted))
        ]
    return sorted(rows, key=_place)


def _place(row: dict[str, Any]) -> list[str]:
    return [str(row[name]) for name in ("started_at", "benchmark", "metric", "phase")]


def exported(source: Path, kind: str, folder: Path) -> Path:
    target = folder / f"results.{kind}"
    request = ExportRequest(
        format="parquet" if kind == "hive" else kind,
        selection=Selection(paths=(source,)),
        target=target,
        by_date=kind == "hive",
    )
    export_results(request, lambda _piece: None)
    return target


def imported(path: Path, target: Path) -> Iterator[Any]:
    return iter(import_files(ImportRequest(format="auto", paths=(path,), target=str(target), project="demo")).files)


@pytest.mark.parametrize("kind", ROUND_TRIPS)
def test_tables_give_the_same_rows_again(source: Path, kind: str, tmp_path: Path) -> None:
    path = exported(source, kind, tmp_path)

    outcomes = list(imported(path, tmp_path / "again"))

    assert [outcome.problems for outcome in outcomes] == [()] * len(outcomes)
    before, after = rows_of(source), rows_of(tmp_path / "again")
    assert len(before) == len(after) > 60
    for old, new in zip(before, after, strict=True):
        # Statistics without rounds have fewer percentiles.
        names = set(old) - NOT_KEPT - (set() if old["samples"] or old["metric"] != "step_time" else {"value"})
        assert {name: new[name] for name in names} == {name: old[name] for name in names}
    assert {row["provenance"] for row in after} == {"imported", "simulated", None}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_import_where_the_session_is_stored_adds_nothing(source: Path, kind: str, tmp_path: Path) -> None:
    path = exported(source, kind, tmp_path)

    (first,) = imported(path, source)
    (elsewhere,) = imported(path, tmp_path / "again")
    (other,) = imported(exported(source, "jsonl", tmp_path), tmp_path / "again")

    assert (first.sessions, first.known) == (0, 2)
    assert (elsewhere.sessions, elsewhere.known) == (2, 0)
    assert (other.sessions, other.known) == (0, 2)


def test_json_of_pytest_benchmark_gives_the_same_times_again(source: Path, tmp_path: Path) -> None:
    request = ExportRequest(
        format="pytest-benchmark", selection=Selection(paths=(source,), last=2), target=tmp_path / "json"
    )
    export_results(request, lambda _piece: None)

    list(imported(tmp_path / "json", tmp_path / "again"))

    def times(folder: Path) -> dict[tuple[str, str], Any]:
        rows = [row for row in rows_of(folder) if row["metric"] == "wall_time" and row["phase"] is None]
        usable = [row for row in rows if row["samples"] and row["provenance"] != "simulated"]
        return {(row["benchmark"], row["commit"]): (row["samples"], row["median"], row["iterations"]) for row in usable}

    assert times(tmp_path / "again") == times(source) != {}


def test_rounds_of_a_large_session_are_read_run_by_run(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = exported(source, "jsonl", tmp_path).read_bytes()
    monkeypatch.setattr("pytest_benchdb.operations.export.stored.TOGETHER", 1)
    monkeypatch.setattr("pytest_benchdb.operations.export.stored.MOST_RUNS", 1)

    assert exported(source, "jsonl", tmp_path).read_bytes() == together


def test_a_bad_row_is_named_and_the_rest_is_taken(source: Path, tmp_path: Path) -> None:
    path = exported(source, "jsonl", tmp_path)
    lines = path.read_text().splitlines()
    spoiled = [
        lines[0],
        lines[1].replace('"session_id": "', '"session_id": null, "x": "', 1),
        "{",
        lines[2].replace('"samples": [', '"samples": [NaN, ', 1).replace('"samples": null', '"samples": "x"', 1),
    ]
    path.write_text("\n".join(spoiled))

    (outcome,) = imported(path, tmp_path / "again")

    assert [problem.place for problem in outcome.problems] == ["line 2", "line 3", "line 4"]
    assert (outcome.sessions, outcome.runs, outcome.refused) == (1, 1, 3)


def test_run_of_several_devices_keeps_them_apart(tmp_path: Path) -> None:
    made = [replace(make_run("tests/test_a.py::test_x"), device_id=None), make_run("tests/test_a.py::test_x")]
    make_session(tmp_path / "source", made)

    list(imported(exported(tmp_path / "source", "csv", tmp_path), tmp_path / "again"))

    backends = [row["backend"] for row in rows_of(tmp_path / "again") if row["metric"] == "wall_time"]
    assert sorted(map(str, backends)) == sorted(
        str(row["backend"]) for row in rows_of(tmp_path / "source") if row["metric"] == "wall_time"
    )
