"""pytest-benchmark's JSON from records, without a database."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.exporters.stored import failed, measurement, run, session, simulated

from pytest_benchdb.exporters.pytest_benchmark import PytestBenchmark
from pytest_benchdb.model.exchange.exported import StoredRun


def written(*runs: StoredRun, environment: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    (file,) = PytestBenchmark().export([session(*runs, environment=environment, **changes)])
    content: dict[str, Any] = json.loads(b"".join(file.pieces).decode("ascii"), parse_constant=pytest.fail)
    return content


def test_runs_without_valid_times_are_not_taken() -> None:
    exporter = PytestBenchmark()

    assert exporter.takes(run())
    assert not exporter.takes(failed())
    assert not exporter.takes(simulated())
    assert not exporter.takes(run("test_x", measurement(valid=False)))


def test_export_of_rounds_keeps_them_in_the_order_they_ran() -> None:
    (benchmark,) = written(run())["benchmarks"]

    assert benchmark["stats"]["data"] == [1e-3, 3e-3, 2e-3]
    assert (benchmark["stats"]["rounds"], benchmark["stats"]["iterations"]) == (3, 10)
    assert benchmark["stats"]["total"] == pytest.approx(6e-3)
    assert benchmark["options"]["timer"] == "perf_counter"


def test_export_of_statistics_alone_says_what_is_not_known() -> None:
    (benchmark,) = written(run("tests/test_a.py::test_x", measurement(None, outliers=None)))["benchmarks"]

    stats = benchmark["stats"]
    assert "data" not in stats
    assert (stats["mean"], stats["ops"], stats["total"]) == (2e-3, pytest.approx(500), pytest.approx(6e-3))
    assert stats["iqr"] == pytest.approx(1e-3)
    assert (stats["ld15iqr"], stats["stddev_outliers"], stats["iqr_outliers"]) == (None, None, None)
    assert stats["outliers"] == "?;?"


def test_export_of_a_hostile_name_is_ascii_and_reads_back() -> None:
    name = "test_x[<script>\"'\n\N{GRINNING FACE}\ud800]"

    (benchmark,) = written(run(name=name))["benchmarks"]

    assert benchmark["name"] == name


def test_export_of_no_run_is_a_document_without_benchmarks() -> None:
    document = written()

    assert document["benchmarks"] == []
    assert list(document) == ["machine_info", "commit_info", "benchmarks", "datetime", "version"]


def test_export_without_a_repository_uses_the_words_of_pytest_benchmark() -> None:
    assert written()["commit_info"] == {
        "id": "unversioned",
        "time": None,
        "author_time": None,
        "dirty": None,
        "project": "demo",
        "branch": "(unknown)",
    }


def test_export_of_a_commit_has_its_author_time_in_utc() -> None:
    commit = written(commit_sha="c0ffee", commit_at="2026-11-20T10:00:00.000000", dirty=True)["commit_info"]

    assert (commit["id"], commit["dirty"], commit["branch"]) == ("c0ffee", True, "(detached head)")
    assert commit["author_time"] == "2026-11-20T10:00:00.000000+00:00"


def test_export_of_a_machine_names_what_is_known() -> None:
    environment = {
        "python": "PyPy 3.10.14 (main)",
        "kernel": "6.1",
        "cpu_model": "AMD EPYC",
        "threads": 8,
        "details": {"machine": "x86_64", "cpu": {"vendor": "AuthenticAMD"}},
    }

    machine = written(environment=environment)["machine_info"]

    assert (machine["python_implementation"], machine["python_version"]) == ("PyPy", "3.10.14")
    assert machine["cpu"] == {
        "arch_string_raw": "x86_64",
        "brand_raw": "AMD EPYC",
        "count": 8,
        "vendor_id_raw": "AuthenticAMD",
    }
    assert machine["node"] is None


def test_export_is_dated_by_the_end_of_the_session() -> None:
    ended = written(finished_at="2026-11-21T02:04:04.500000")
    died = written()

    assert ended["datetime"] == "2026-11-21T02:04:04.500000+00:00"
    assert died["datetime"] == "2026-11-21T02:03:04.500000+00:00"


def test_export_yields_each_run_before_it_asks_for_the_next() -> None:
    taken = []

    def runs() -> Any:
        for number in range(3):
            taken.append(number)
            yield run()

    (file,) = PytestBenchmark().export([replace(session(), runs=runs())])
    seen = [len(taken) for piece in file.pieces if b'"stats"' in piece]

    assert seen == [1, 2, 3]
