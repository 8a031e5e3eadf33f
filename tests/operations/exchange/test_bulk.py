"""A table in sets gives what it gives row by row, or is left to that."""

import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pytest_benchdb.operations.exchange import bulk
from pytest_benchdb.operations.exchange.importing import Imported, ImportRequest, import_files

_QUERY = """
SELECT * EXCLUDE (run_id, measurement_id)
REPLACE (printf('%.12g', stddev) AS stddev, printf('%.12g', mean) AS mean) FROM (
    SELECT session.* EXCLUDE (session_id), run.* EXCLUDE (session_id), benchmark.*, environment.*,
        device.* EXCLUDE (details), measurement.* EXCLUDE (run_id, device_id), round.rounds_read,
        source_file.* EXCLUDE (source_file_id, session_id, seen_at),
        row_number() OVER (PARTITION BY run.session_id ORDER BY run.run_id) AS place
    FROM measurement
    JOIN run USING (run_id)
    JOIN session ON session.session_id = run.session_id
    JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
    LEFT JOIN environment ON environment.environment_id = session.environment_id
    LEFT JOIN device ON device.device_id = run.device_id
    LEFT JOIN source_file ON source_file.session_id = session.session_id
    LEFT JOIN (
        SELECT measurement_id, list(value ORDER BY chunk) AS rounds_read FROM round_chunk GROUP BY measurement_id
    ) AS round ON round.measurement_id = measurement.measurement_id
)
ORDER BY ALL
"""


def bring(table: Path, target: Path, monkeypatch: pytest.MonkeyPatch, *, in_sets: bool) -> tuple[Imported, list[Any]]:
    monkeypatch.setattr(bulk, "LEAST_BYTES", 0 if in_sets else 1 << 60)
    request = ImportRequest(format="csv", paths=(table,), target=str(target), project="p", tags={"a": "b"})
    imported = import_files(request)
    rows: list[Any] = []
    for file in target.glob("*.duckdb"):
        with duckdb.connect(str(file), read_only=True) as connection:
            rows += [str(row) for row in connection.execute(_QUERY).fetchall()]
    return imported, sorted(rows)


def both(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Imported, list[Any]]:
    """Import a table in both ways; return what both give."""
    slow = bring(table, tmp_path / "rows", monkeypatch, in_sets=False)
    fast = bring(table, tmp_path / "sets", monkeypatch, in_sets=True)
    assert fast[0] == slow[0]
    assert fast[1] == slow[1]
    return fast


def test_table_in_sets_is_the_table_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)  # noqa: S311 - no secret
    lines = [
        "session;started_at;benchmark;round;value;unit;metric;better;commit;branch;fingerprint;backend;params;note"
    ]
    for session in range(5):
        when = f"2026-11-{session + 1:02} 08:00:00+02:00"
        facts = f"{'ab' * 20};main;m1" if session else ";;"
        for name in ("test_a.py::test_one", "test_b.py::TestB::test_two[x]", '"test_c ""quoted"";0x7f00deadbeef"'):
            for place in (3, 1, 2) if session % 2 else range(1200):
                value = f"{chance.gauss(1, 0.1):.12g}"
                params = '"{""n"": 10, ""order"": ""up""}"' if name.startswith("test_a") else ""
                lines.append(f"s{session};{when};{name};{place};{value};ms;;;{facts};cpu;{params};x")
            lines.append(f"s{session};{when};{name};;{chance.random()};%;accuracy;higher;{facts};cpu;;y")
        lines.append(f"s{session};2026-11-{session + 1:02};test_d;;1e-3;;;;;;;;;")
        lines.append(f" s{session} ;2026-11-{session + 1:02};test_d;;12;KiB;python_peak;lower;;;;;;")
    table = tmp_path / "t.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")

    imported, rows = both(table, tmp_path, monkeypatch)

    assert imported.files[0].sessions == 5
    assert imported.files[0].refused == 0
    assert len(rows) == 5 * (3 * 2 + 2)
    again, _ = bring(table, tmp_path / "sets", monkeypatch, in_sets=True)
    assert (again.files[0].sessions, again.files[0].known) == (0, 5)


@pytest.mark.parametrize(
    "line",
    [
        "s1,2026-11-01,test_a,,fast,ms,,",
        "s1,2026-11-01,test_a,,-1,ms,,",
        "s1,2026-11-01,test_a,,1e999,ms,,",
        "s1,2026-11-01,test_a,,0x10,ms,,",
        "s1,2026-11-01,test_a,,1,parsecs,,",
        "s1,2026-11-01,test_a,,1,J,,",
        "s1,yesterday,test_a,,1,ms,,",
        "s1,1969-01-01,test_a,,1,ms,,",
        "s1,2026-11-01,test_a,-1,1,ms,,",
        "s1,2026-11-01,,,1,ms,,",
        "s1,2026-11-01,test_a,,1,ms,other,",
        "s1,2026-11-01,test_a,,1,ms,,lower,more",
        "s1,2026-11-01,test_a,,1",
        "s0,2026-11-01,test_r,1,1,ms,,",
        "s0,2026-11-01,test_r,,1,ms,,",
        '"s1,2026-11-01,test_a,,1,ms,,',
        "",
        ",,,,,,,",
    ],
)
def test_table_with_anything_to_explain_is_read_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    table = tmp_path / "t.csv"
    first = "s0,2026-11-01,test_r,1,1,ms,abc,\ns0,2026-11-01,test_r,2,1,ms,abc,\ns1,2026-11-01,test_b,,1,ms,abc,"
    table.write_text(f"session,started_at,benchmark,round,value,unit,commit,better\n{first}\n{line}\n")

    both(table, tmp_path, monkeypatch)
