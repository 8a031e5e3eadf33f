"""Time the import of long tables, and `benchdb trend` over the result.

    python benchmarks/import_speed.py [--sessions 10000] [--series 560] [--commits 576] [--folder FOLDER]

Two tables are made up: `--sessions` sessions of one value each, and one value for each of `--series` benchmarks at each
of `--commits` commits. Each is imported into an empty folder, and followed; each command is a process of its own.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

DAY_S = 86_400


def small_sessions(sessions: int) -> Iterator[str]:
    """Yield the lines of a table of sessions with one value each; the level changes in the middle."""
    chance = random.Random(1)
    yield "session,started_at,benchmark,value,unit\n"
    for number in range(sessions):
        level = 1.0 if number < sessions / 2 else 1.1
        yield f"nightly-{number},{_time(number)},test_a.py::test_sort,{level * chance.gauss(1, 0.01):.6g},ms\n"


def many_series(series: int, commits: int) -> Iterator[str]:
    """Yield the lines of a table with a value for each benchmark at each commit."""
    chance = random.Random(2)
    yield "session,started_at,benchmark,value,unit,commit,branch,fingerprint\n"
    for commit in range(commits):
        sha = f"{commit:040x}"
        for number in range(series):
            value = (number + 1) * 1e-3 * chance.gauss(1, 0.01)
            name = f"bench_module_{number % 40}.py::test_function_{number}"
            yield f"{sha[-8:]},{_time(commit)},{name},{value:.9g},ms,{sha},main,machine-1\n"


def _time(day: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_500_000_000 + day * DAY_S / 4))


def timed(*arguments: str) -> tuple[float, float]:
    """Run `benchdb`; return wall-clock time and CPU time in seconds."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "pytest_benchdb", *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begun, used


def measure(name: str, lines: Iterator[str], folder: Path) -> None:
    """Import a table, and follow its series."""
    table, results = folder / f"{name}.csv", folder / name
    table.write_text("".join(lines))
    rows = table.read_bytes().count(b"\n") - 1
    wall_s, cpu_s = timed("import", "csv", str(table), "--db", str(results), "--quiet")
    stored = sum(file.stat().st_size for file in results.glob("*.duckdb"))
    print(
        f"{name}: {rows:,} rows, {table.stat().st_size / 1e6:.1f} MB imported in {wall_s:.1f} s ({cpu_s:.1f} s of CPU "
        f"time), {len(list(results.glob('*.duckdb')))} file(s) of {stored / 1e6:.1f} MB"
    )
    for turn in ("first trend", "second trend"):
        wall_s, cpu_s = timed("trend", str(results), "--last", "100000", "--quiet")
        print(f"{name}: {turn} {wall_s:.1f} s ({cpu_s:.1f} s of CPU time)", flush=True)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--series", type=int, default=560)
    parser.add_argument("--commits", type=int, default=576)
    parser.add_argument("--folder", type=Path, help="keep the tables and the results here")
    given = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if given.sessions:
            measure("small_sessions", small_sessions(given.sessions), folder)
        if given.commits:
            measure("many_series", many_series(given.series, given.commits), folder)


if __name__ == "__main__":
    main()
