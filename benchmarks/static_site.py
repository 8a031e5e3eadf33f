"""What a site costs: the size of its pages, the CPU time to write it, and the time until a browser has it ready.

From the root of the checkout: ``python -m benchmarks.static_site --benchmarks 300 --sessions 1000``. The bars of the
project: the first page under 500 kB and ready in 1 s, a benchmark's page with its data under 300 kB. Times are the best
of several runs, because other programs only ever add to them.
"""

import argparse
import contextlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_benchdb.backends.web.browser import Host, find_chromium, probe
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.schema.template import attach_new

MOST_FIRST, MOST_BENCHMARK, MOST_OPENING_S = 500_000, 300_000, 1.0
_SHARED = ("assets/site.css", "assets/site.js")

# In SQL, so that it takes seconds: every seventh benchmark becomes 25 % slower, every eleventh 20 % faster.
_FILL = """
SELECT setseed(0.5);
INSERT INTO environment BY NAME SELECT uuid() AS environment_id, uuid() AS fingerprint, 'Test CPU' AS cpu_model;
INSERT INTO device BY NAME SELECT uuid() AS device_id, 'cpu' AS backend, 'Test CPU' AS name;
INSERT INTO benchmark BY NAME
SELECT uuid() AS benchmark_id, 'demo' AS project, 'test_' || i AS name,
    'tests/unit/test_module_' || i // 20 || '.py::test_function[' || i || '-value]' AS fullname
FROM range({benchmarks}) AS one (i);
INSERT INTO session BY NAME
SELECT
    CAST(printf('%08x-%04x-7000-8000-000000000000', 26000000 + (i * 3600000 >> 16), (i * 3600000) & 65535) AS UUID)
        AS session_id,
    'demo' AS project, 'pytest' AS kind, TIMESTAMP '2026-01-01' + to_hours(i) AS started_at, 'passed' AS outcome,
    TRUE AS complete, 'pytest-benchdb' AS tool, fingerprint, environment_id, 'main' AS branch,
    md5(CAST(i AS VARCHAR)) || '01234567' AS commit_sha, 'Change something that matters to users, number ' || i
        AS commit_subject
FROM range({sessions}) AS one (i), environment;
INSERT INTO run BY NAME
SELECT
    uuidv7() AS run_id, session_id, benchmark_id, device_id, session.started_at, 5.0 AS duration_s,
    'passed' AS outcome, 1 AS attempt, FALSE AS parallel, 10 AS iterations, 50 AS rounds, 510 AS calls,
    'measured' AS provenance, 'c0de' AS code_hash
FROM session, benchmark, device
ORDER BY session_id;
INSERT INTO measurement BY NAME
SELECT
    uuidv7() AS measurement_id, run_id, session_id, benchmark_id, started_at, 'time' AS pass, 'wall_time' AS metric,
    's' AS unit, 'lower' AS better, 'measured' AS provenance, 'perf_counter' AS method, TRUE AS valid,
    level AS value, level AS median, level * 0.97 AS min, level * 1.3 AS max, level * 1.01 AS mean,
    level * 0.99 AS q1, level * 1.02 AS q3, level * 0.02 AS stddev, 50 AS n
FROM (
    SELECT run.*, exp(0.03 * (random() + random() - 1)) * 1e-3 * (1 + number % 50)
        * CASE WHEN number % 7 = 0 AND place > 0.6 THEN 1.25 ELSE 1 END
        * CASE WHEN number % 11 = 0 AND place > 0.8 THEN 0.8 ELSE 1 END AS level
    FROM run
    JOIN (SELECT benchmark_id, row_number() OVER () AS number FROM benchmark) USING (benchmark_id)
    JOIN (SELECT session_id, percent_rank() OVER (ORDER BY session_id) AS place FROM session) USING (session_id)
)
ORDER BY session_id, run_id;
"""


def write_history(path: Path, sessions: int, benchmarks: int) -> None:
    """Write a single file that holds every benchmark in every session."""
    with contextlib.closing(db.connect(threads=None)) as connection:
        attach_new(connection, str(path), "history", file_kind="history", block_bytes=db.HISTORY_BLOCK_BYTES)
        connection.execute(_FILL.format(sessions=sessions, benchmarks=benchmarks))
        connection.execute("USE memory; DETACH history")


def cpu_of(source: Path, folder: Path) -> float:
    """Return the CPU time of the command that writes a site, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "pytest_benchdb", "site", str(source), "-o", str(folder)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bytes_of(site: Path, *names: str) -> int:
    """Return the size of some files of a site together."""
    return sum((site / name).stat().st_size for name in names)


def ready_s(page: Path, repeats: int = 3) -> float:
    """Return the seconds until a page has loaded and answers a search."""
    from playwright.sync_api import sync_playwright

    best = float("inf")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(Host.this()), args=["--no-sandbox"])
        for _ in range(repeats):
            tab = browser.new_page()
            started = time.perf_counter()
            tab.goto(page.as_uri())
            tab.locator("input").fill("module_3")
            tab.locator("output:has-text('of')").wait_for()
            best = min(best, time.perf_counter() - started)
            tab.close()
        browser.close()
    return best


def main() -> None:
    """Measure, print, and end with 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--benchmarks", type=int, default=300)
    parser.add_argument("--keep", metavar="DIR", help="leave the site here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source, site = Path(name) / "history.duckdb", Path(given.keep or f"{name}/site")
        write_history(source, given.sessions, given.benchmarks)
        whole_s, again_s = cpu_of(source, site), cpu_of(source, site)
        first = bytes_of(site, "index.html", *_SHARED)
        largest = max(
            bytes_of(site, f"benchmarks/{page.name}", f"data/{page.stem}.js", "data/sessions.js", *_SHARED)
            for page in (site / "benchmarks").iterdir()
        )
        print(f"{given.benchmarks} benchmarks x {given.sessions} sessions")
        print(f"first page: {first / 1e3:.0f} kB with style and scripts (bar {MOST_FIRST / 1e3:.0f})")
        print(f"largest page of a benchmark: {largest / 1e3:.0f} kB with all it loads (bar {MOST_BENCHMARK / 1e3:.0f})")
        print(f"whole site: {sum(f.stat().st_size for f in site.rglob('*') if f.is_file()) / 1e6:.1f} MB")
        print(f"written in {whole_s:.1f} s of CPU time, again without a change in {again_s:.1f} s")
        missed = first > MOST_FIRST or largest > MOST_BENCHMARK
        state = probe(Host.this())
        if state.available:
            opened = ready_s(site / "index.html")
            print(f"first page usable after: {opened:.2f} s (bar {MOST_OPENING_S:.0f})")
            missed = missed or opened > MOST_OPENING_S
        else:
            print(f"first page usable after: not measured, {state.reason}")
    sys.exit(missed)


if __name__ == "__main__":
    main()
