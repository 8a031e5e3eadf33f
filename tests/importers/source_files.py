"""Files for the tests, as other tools write them."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DATA = (1.5e-3, 1.25e-3, 1.75e-3)
SHA = "0123456789abcdef0123456789abcdef01234567"
HEADER = "session,started_at,benchmark,value"


def machine_info(**changes: Any) -> dict[str, Any]:
    return {
        "node": "buildbox",
        "processor": "x86_64",
        "machine": "x86_64",
        "python_compiler": "GCC 12.2.0",
        "python_implementation": "CPython",
        "python_implementation_version": "3.11.7",
        "python_version": "3.11.7",
        "python_build": ["main", "Nov  1 2026 10:00:00"],
        "release": "6.1.0-13-amd64",
        "system": "Linux",
        "cpu": {"brand_raw": "AMD EPYC", "count": 8, "hz_actual": [2_400_000_000, 0], "flags": ["avx2"]},
        **changes,
    }


def entry(fullname: str = "tests/test_a.py::test_sum[10]", **changes: Any) -> dict[str, Any]:
    """Return one benchmark as 5.3 writes it; ``data=None`` leaves the rounds out."""
    data = changes.pop("data", list(DATA))
    stats = changes.pop("stats", {})
    ordered = sorted(DATA)
    return {
        "group": None,
        "name": fullname.rpartition("::")[2],
        "fullname": fullname,
        "params": {"n": 10},
        "param": "10",
        "extra_info": {"note": "x"},
        "options": {"disable_gc": False, "timer": "perf_counter", "min_rounds": 5, "max_time": 1.0, "warmup": False},
        "stats": {
            "min": ordered[0],
            "max": ordered[-1],
            "mean": sum(DATA) / 3,
            "stddev": 2.5e-4,
            "rounds": 3,
            "median": ordered[1],
            "q1": 1.3125e-3,
            "q3": 1.6875e-3,
            "iqr": 3.75e-4,
            "outliers": "1;0",
            "ops": 666.6,
            "iterations": 2,
            **({} if data is None else {"data": data}),
            **stats,
        },
        **changes,
    }


def document(*entries: object, **changes: Any) -> dict[str, Any]:
    return {
        "machine_info": machine_info(),
        "commit_info": {
            "id": SHA,
            "time": "2026-11-20T09:00:00+01:00",
            "author_time": "2026-11-20T08:00:00+01:00",
            "dirty": True,
            "project": "demo",
            "branch": "main",
        },
        "benchmarks": list(entries) or [entry()],
        "datetime": "2026-11-21T08:00:00.250000+00:00",
        "version": "5.3.1",
        **changes,
    }


def first_document() -> dict[str, Any]:
    """Return a file of 2.5 (2015): no data, branch, processor or parameters, and a time without zone."""
    first = entry(data=None)
    del first["params"], first["param"], first["extra_info"]
    first["options"]["timer"] = "time"
    info = machine_info()
    del info["cpu"]
    return {
        "benchmarks": [first],
        "datetime": "2015-08-15T00:04:01.847239",
        "version": "2.5.0",
        "machine_info": info,
        "commit_info": {"id": SHA, "dirty": False},
    }


def write_json(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=4), encoding="utf-8")
    return path


def write_csv(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


ROWS: Sequence[Mapping[str, Any]] = [
    {"session": "night-1", "started_at": "2026-01-01T00:00:00Z", "benchmark": "sort", "value": 1.5, "round": 1},
    {"session": "night-1", "started_at": "2026-01-01T00:00:00Z", "benchmark": "sort", "value": 1.25, "round": 2},
    {"session": "night-2", "started_at": "2026-01-02T00:00:00Z", "benchmark": "sort", "value": 1.75, "round": 1},
]
"""Times in milliseconds; `write_rows` and Parquet tests add the columns that are the same in each."""

SAME = {
    "metric": "wall_time",
    "unit": "ms",
    "better": "lower",
    "commit": SHA,
    "branch": "main",
    "fingerprint": "buildbox",
    "backend": "cpu",
    "params": '{"n": 100}',
}


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]] = ROWS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*ROWS[0], *SAME])
        writer.writeheader()
        writer.writerows({**SAME, **row} for row in rows)
    return path


def write_parquet(path: Path, columns: Mapping[str, Any]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(dict(columns)), path)
    return path


def parquet_rows(path: Path) -> Path:
    return write_parquet(path, {name: [{**SAME, **row}[name] for row in ROWS] for name in [*ROWS[0], *SAME]})
