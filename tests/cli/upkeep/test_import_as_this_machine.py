"""`benchdb import --as-this-machine`: one series of imported and recorded sessions."""

import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.operations.exchange.this_machine import ThisMachine

Call = Callable[..., Any]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return a file as pytest-benchmark saves it on this machine."""
    here = ThisMachine.read()
    document = {
        "version": "5.2.3",
        "datetime": "2026-01-02T03:04:05",
        "machine_info": {
            "machine": platform.machine(),
            "system": platform.system(),
            "release": platform.release(),
            "python_implementation": platform.python_implementation(),
            "python_version": platform.python_version(),
            "cpu": {"brand_raw": here.host.cpu.model, "count": os.cpu_count()},
        },
        "commit_info": {},
        "benchmarks": [
            {
                "name": "test_sort[100]",
                "fullname": "test_sort[100]",
                "stats": {"data": [1.0e-3, 1.1e-3], "rounds": 2, "iterations": 1},
                "options": {"timer": "perf_counter"},
            }
        ],
    }
    path = tmp_path / "0001_saved.json"
    path.write_text(json.dumps(document))
    return path


def fingerprints(benchdb: Call, db: Path) -> list[str]:
    rows = json.loads(benchdb("sessions", "--db", str(db), "-f", "json").out)["rows"]
    return [row["fingerprint"] for row in rows]


@pytest.mark.long
def test_imported_session_has_the_fingerprint_of_a_recorded_one(benchdb: Call, saved: Path, tmp_path: Path) -> None:
    import pytest_benchdb

    with pytest_benchdb.session(tmp_path / "db", summary=False) as session, session.bench("test_sort") as bench:
        bench(sum, range(10))

    ended = benchdb("import", "auto", str(saved), "--as-this-machine", "--db", str(tmp_path / "db"))

    assert ended.status == 0
    assert "machine: taken as this machine" in ended.err
    assert len(set(fingerprints(benchdb, tmp_path / "db"))) == 1


def test_without_the_option_it_is_another_machine(benchdb: Call, saved: Path, tmp_path: Path) -> None:
    benchdb("import", "auto", str(saved), "--as-this-machine", "--db", str(tmp_path / "here"))
    benchdb("import", "auto", str(saved), "--db", str(tmp_path / "there"))

    assert fingerprints(benchdb, tmp_path / "here") != fingerprints(benchdb, tmp_path / "there")


def test_table_is_taken_as_this_machine_too(benchdb: Call, saved: Path, tmp_path: Path) -> None:
    table = tmp_path / "nights.csv"
    table.write_text("session,started_at,benchmark,value,unit\nnight,2026-01-01T02:00:00Z,sort,1.5,ms\n")

    benchdb("import", "csv", str(table), "--as-this-machine", "--db", str(tmp_path / "db"))
    benchdb("import", "auto", str(saved), "--as-this-machine", "--db", str(tmp_path / "db"))

    assert len(set(fingerprints(benchdb, tmp_path / "db"))) == 1
