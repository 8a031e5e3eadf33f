"""What reading a history for a comparison or a gate costs: the values of the newest sessions of every benchmark.

Run it on an idle machine, from the root of the checkout:
``python -m benchmarks.session_values --sessions 1000 --benchmarks 300``.
The history is written in SQL, with as many measurements per run as a real one has, so that it takes seconds.
"""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pytest_benchdb.store import connection as db
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.schema.template import attach_new

_FILL = """
SELECT setseed(0.5);
INSERT INTO environment BY NAME SELECT uuid() AS environment_id, uuid() AS fingerprint;
INSERT INTO device BY NAME SELECT uuid() AS device_id, 'cpu' AS backend, 'Test CPU' AS name;
INSERT INTO benchmark BY NAME
SELECT uuid() AS benchmark_id, 'demo' AS project, 'tests/test_a.py::test_' || i AS fullname, 'test_' || i AS name
FROM range({benchmarks}) AS one (i);
INSERT INTO session BY NAME
SELECT
    CAST(printf('%08x-%04x-7000-8000-000000000000', 26000000 + (i * 3600000 >> 16), (i * 3600000) & 65535) AS UUID)
        AS session_id,
    'demo' AS project, 'pytest' AS kind, TIMESTAMP '2026-01-01' + to_hours(i) AS started_at, 'passed' AS outcome,
    TRUE AS complete, 'pytest-benchdb' AS tool, fingerprint, environment_id, 'main' AS branch,
    md5(CAST(i AS VARCHAR)) AS commit_sha
FROM range({sessions}) AS one (i), environment;
INSERT INTO run BY NAME
SELECT
    uuidv7() AS run_id, session_id, benchmark_id, device_id, session.started_at, 0.5 AS duration_s,
    CASE WHEN random() < 0.01 THEN 'failed' ELSE 'passed' END AS outcome,
    1 AS attempt, FALSE AS parallel, 10 AS iterations, 50 AS rounds, 510 AS calls, 'measured' AS provenance,
    'c0de' AS code_hash
FROM session, benchmark, device
ORDER BY session_id;
INSERT INTO measurement BY NAME
SELECT
    uuidv7() AS measurement_id, run_id, session_id, benchmark_id, started_at, 'time' AS pass, metric, unit,
    better, 'measured' AS provenance, 'perf_counter' AS method, outcome = 'passed' AS valid,
    level AS value, level AS median, level * 0.97 AS min, level * 1.3 AS max, level * 1.01 AS mean,
    level * 0.02 AS stddev, n
FROM (SELECT *, size * exp(0.03 * (random() + random() - 1)) AS level FROM run, (VALUES
    ('wall_time', 's', 'lower', 1e-3, 50), ('thread_time', 's', 'lower', 1e-3, 50),
    ('cpu_time', 's', 'lower', 1e-3, 50), ('block_wall_time', 's', 'none', 0.51, 1),
    ('block_cpu_time', 's', 'none', 0.5, 1), ('block_thread_time', 's', 'none', 0.5, 1),
    ('peak_rss', 'B', 'lower', 5e7, 1), ('rss_start', 'B', 'none', 5e7, 1), ('minor_faults', '1', 'none', 3, 1),
    ('major_faults', '1', 'none', 1, 1), ('voluntary_switches', '1', 'none', 1, 1),
    ('involuntary_switches', '1', 'none', 5, 1), ('steal_time', 's', 'none', 0.01, 1)
) AS kind (metric, unit, better, size, n))
ORDER BY session_id, run_id;
"""


def write_history(path: Path, sessions: int, benchmarks: int) -> None:
    """Write a single file that holds every benchmark in every session."""
    with contextlib.closing(db.connect(threads=None)) as connection:
        attach_new(connection, str(path), "history", file_kind="history", block_bytes=db.HISTORY_BLOCK_BYTES)
        connection.execute(_FILL.format(sessions=sessions, benchmarks=benchmarks))
        connection.execute("USE memory; DETACH history")


def best_ms(action: Callable[[], object], repeats: int = 5) -> float:
    """Return the shortest time that an action took."""
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - started)
    return best * 1e3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--benchmarks", type=int, default=300)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "history.duckdb"
        write_history(path, given.sessions, given.benchmarks)
        started = time.perf_counter()
        with open_history([path]) as reader:
            ids = [session.session_id for session in reader.sessions()]
            found = reader.session_values(ids, metrics=["wall_time"], keep=20)
            print(
                f"open, list, 20 newest values each: {(time.perf_counter() - started) * 1e3:.0f} ms, {len(found)} rows"
            )
            print(f"20 newest: {best_ms(lambda: reader.session_values(ids, metrics=['wall_time'], keep=20)):.0f} ms")
            print(f"the latest: {best_ms(lambda: reader.session_values(ids[-1:])):.0f} ms")
            print(f"all: {best_ms(lambda: reader.session_values(ids, metrics=['wall_time']), 1):.0f} ms")


if __name__ == "__main__":
    main()
