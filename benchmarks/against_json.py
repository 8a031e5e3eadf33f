"""Compare a stored history with a folder of JSON results: size, import, questions, report and memory.

    python benchmarks/against_json.py [--tests 10000] [--rounds 5500] [--sessions 10] [--folder FOLDER]

Results of pytest-benchmark with their rounds are made up, always the same: one file of `--tests` tests, and the same
amount again as `--sessions` files of fewer tests. They are imported and optimized. Each question is then answered by
`benchdb`, and by reading the JSON with the standard library, with orjson and with pandas, if they are installed. Each
answer takes a process of its own, and all must agree.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DAY_S = 86_400
READERS = {
    "json": "import json\nload = lambda path: json.load(open(path))",
    "orjson": "import orjson\nload = lambda path: orjson.loads(open(path, 'rb').read())",
    "pandas": "import json, pandas\nload = lambda path: json.load(open(path))",
}
SIMPLE = """
import glob
values = [
    (document["datetime"], entry["stats"]["median"])
    for document in map(load, sorted(glob.glob({pattern!r})))
    for entry in document["benchmarks"]
    if entry["fullname"] == {name!r}
]
print(len(values), sum(value for _, value in values))
"""
COMPLEX = """
import glob, statistics
slowest = {{}}
for document in map(load, sorted(glob.glob({pattern!r}))):
    for entry in document["benchmarks"]:
        rounds = sorted(entry["stats"]["data"])
        place = 0.99 * (len(rounds) - 1)
        low = int(place)
        high = min(low + 1, len(rounds) - 1)
        p99 = rounds[low] + (rounds[high] - rounds[low]) * (place - low)
        slowest.setdefault(entry["group"], []).append(p99)
print(len(slowest), sum(statistics.fmean(values) for values in slowest.values()))
"""
PANDAS_COMPLEX = """
import glob
frames = []
for document in map(load, sorted(glob.glob({pattern!r}))):
    for entry in document["benchmarks"]:
        p99 = pandas.Series(entry["stats"]["data"]).quantile(0.99)
        frames.append((entry["group"], p99))
table = pandas.DataFrame(frames, columns=["group", "p99"]).groupby("group")["p99"].mean()
print(len(table), float(table.sum()))
"""
REPORT = """
for entry in load({pattern!r})["benchmarks"]:
    stats = entry["stats"]
    print(entry["fullname"], stats["min"], stats["median"], stats["mean"], stats["rounds"])
"""
SIMPLE_SQL = "SELECT count(*) AS n, sum(median_s) AS total FROM report WHERE fullname = '{name}'"
COMPLEX_SQL = (
    "SELECT count(*) AS n, sum(p99) AS total FROM (SELECT group_name, avg(p99) AS p99 FROM measurement "
    "JOIN benchmark USING (benchmark_id) WHERE metric = 'wall_time' GROUP BY group_name)"
)


class Cost(NamedTuple):
    """What a process took, and what it printed."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    text: str


def run(*command: str) -> Cost:
    """Run a program; its memory is the largest of its processes."""
    wrapper = (
        "import json, resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], check=True, capture_output=True, text=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, done.stdout]))\n"
    )
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", wrapper, *command], check=True, capture_output=True, text=True)
    wall_s = time.perf_counter() - begun
    cpu_s, peak_bytes, text = json.loads(done.stdout)
    return Cost(wall_s, cpu_s, peak_bytes, text)


def benchdb(*arguments: str) -> Cost:
    """Run `benchdb`."""
    return run(sys.executable, "-m", "pytest_benchdb", *arguments)


def document(session: int, tests: range, rounds: int) -> Iterator[str]:
    """Yield the text of one result file, piece by piece."""
    chance = random.Random(session)
    started = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_700_000_000 + session * DAY_S))
    yield f'{{"machine_info": {{}}, "commit_info": {{}}, "datetime": "{started}", "version": "5.1.0", "benchmarks": ['
    for number in tests:
        level = 1e-6 * (1 + number % 97)
        data = [round(level * chance.lognormvariate(0, 0.05), 12) for _ in range(rounds)]
        ordered = sorted(data)
        middle = (ordered[(rounds - 1) // 2] + ordered[rounds // 2]) / 2
        mean = sum(data) / rounds
        entry = {
            "group": f"group {number % 20}",
            "name": f"test_{number}",
            "fullname": f"tests/test_{number % 50}.py::test_{number}",
            "params": None,
            "param": None,
            "extra_info": {},
            "options": {},
            "stats": {
                "min": ordered[0],
                "max": ordered[-1],
                "mean": mean,
                "stddev": (sum((value - mean) ** 2 for value in data) / (rounds - 1)) ** 0.5,
                "rounds": rounds,
                "median": middle,
                "iterations": 1,
                "total": sum(data),
                "data": data,
            },
        }
        yield ("" if number == tests[0] else ", ") + json.dumps(entry)
    yield "]}"


def write(path: Path, pieces: Iterator[str]) -> None:
    """Write a text that is too long to be held."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(pieces)


def compare(title: str, ours: Cost, others: dict[str, Cost]) -> None:
    """Print one line: what each took, and how often ours fits into the best of the others."""
    best = min(others.values(), key=lambda cost: cost.wall_s)
    listed = ", ".join(f"{name} {cost.wall_s:.2f} s" for name, cost in others.items())
    memory = 1 - ours.peak_bytes / min(cost.peak_bytes for cost in others.values())
    print(
        f"{title}: benchdb {ours.wall_s:.2f} s ({ours.peak_bytes / 1e6:.0f} MB), {listed}: "
        f"{best.wall_s / ours.wall_s:.1f} times faster than the best, {memory:.0%} less memory",
        flush=True,
    )


def numbers(text: str) -> tuple[int, float]:
    """Return the two numbers at the end of an answer."""
    count, total = text.replace(",", " ").split()[-2:]
    return int(count), float(total)


def agree(ours: Cost, others: dict[str, Cost]) -> None:
    """Stop unless every answer is the same, to a billionth."""
    count, total = numbers(ours.text)
    for name, other in others.items():
        their_count, their_total = numbers(other.text)
        if count != their_count or abs(total - their_total) > 1e-9 * abs(total):
            raise SystemExit(f"{name} answers {other.text.strip()!r}, and benchdb {ours.text.strip()!r}")


def ask(title: str, sql: str, program: str, pandas_program: str, db: Path, **names: str) -> None:
    """Answer a question in every way, compare the answers, and print what each took."""
    ours = benchdb("query", sql.format(**names), "--db", str(db), "-f", "csv")
    programs = {"json": program, "orjson": program, "pandas": pandas_program}
    others = {
        name: run(sys.executable, "-c", f"{READERS[name]}\n{text.format(**names)}")
        for name, text in programs.items()
        if name in available()
    }
    agree(ours, others)
    compare(title, ours, others)


def available() -> list[str]:
    """Return the readers whose packages are installed."""
    return [
        name
        for name, text in READERS.items()
        if subprocess.run([sys.executable, "-c", text], capture_output=True, check=False).returncode == 0
    ]


def measure(tests: int, rounds: int, sessions: int, folder: Path) -> None:
    """Make the files, import them, and ask."""
    one, many = folder / "one.json", folder / "many"
    many.mkdir(parents=True, exist_ok=True)
    write(one, document(0, range(tests), rounds))
    for session in range(sessions):
        write(many / f"{session:04}.json", document(session, range(tests // sessions), rounds))
    for name, source in (("one", one), ("many", many)):
        files = [source] if source.is_file() else sorted(source.iterdir())
        size = sum(file.stat().st_size for file in files)
        db = folder / f"{name}.results"
        taken = benchdb("import", "pytest-benchmark", str(source), "--db", str(db), "--quiet")
        before = sum(file.stat().st_size for file in db.glob("*.duckdb"))
        packed = benchdb("optimize", str(db), "--quiet")
        stored = sum(file.stat().st_size for file in db.glob("*.duckdb") if file.name != "history.duckdb")
        print(
            f"{name}: {len(files)} file(s), {size / 1e6:.0f} MB of JSON imported in {taken.wall_s:.1f} s "
            f"({size / taken.cpu_s / 1e6:.0f} MB per second of CPU time, {taken.peak_bytes / 1e6:.0f} MB of memory); "
            f"stored in {before / 1e6:.1f} MB, after `benchdb optimize` ({packed.wall_s:.1f} s) {stored / 1e6:.1f} MB: "
            f"{1 - stored / size:.1%} smaller",
            flush=True,
        )
    for name, pattern in (("one", str(one)), ("many", str(many / "*.json"))):
        names = {"pattern": pattern, "name": "tests/test_7.py::test_7"}
        ask(f"{name}: simple question", SIMPLE_SQL, SIMPLE, SIMPLE, folder / f"{name}.results", **names)
        ask(f"{name}: complex question", COMPLEX_SQL, COMPLEX, PANDAS_COMPLEX, folder / f"{name}.results", **names)
    ours = benchdb("report", "--db", str(folder / "one.results"), "-f", "csv")
    others = {
        reader: run(sys.executable, "-c", f"{READERS[reader]}\n{REPORT.format(pattern=str(one))}")
        for reader in available()
    }
    compare(f"report of {tests:,} tests", ours, others)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5_500)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="keep the files here")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="against-json-") as scratch:
        measure(given.tests, given.rounds, given.sessions, given.folder or Path(scratch))


if __name__ == "__main__":
    main()
