"""What recording costs: CPU time of the process tree and peak memory of pytest, as ratios in one run.

    python benchmarks/overhead.py [--repeat 5] [--max-time 0.02] [--case tiny|plain|session|aa|size|import ...]

Every case runs its variants in turn (A, B, C, A, B, C, ...) in fresh processes and prints medians and the
median of the ratios to the first variant. Needs pytest-benchmark. Linux.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

TINY = """
import pytest

@pytest.mark.parametrize("n", range(300))
def test_tiny(benchmark, n):
    benchmark(sum, range(n % 50))
"""
PLAIN = """
import pytest

@pytest.mark.parametrize("n", range(2000))
def test_plain(n):
    assert n >= 0
"""
SESSION = """
import pytest

@pytest.mark.parametrize("n", range(200))
def test_round(benchmark, n):
    benchmark.pedantic(sum, args=(range(100),), rounds=50)
"""
FIXED = """
import json, re, hashlib

TEXT = "benchmark 12 of 2026-11-21, " * 40
DATA = {"a": list(range(200)), "b": {str(n): n * 1.5 for n in range(100)}}

def test_json(benchmark):
    benchmark(json.dumps, DATA)

def test_regex(benchmark):
    benchmark(re.compile(r"\\d+-\\d+").findall, TEXT)

def test_sort(benchmark):
    benchmark(sorted, list(range(1000))[::-1])

def test_hash(benchmark):
    benchmark(hashlib.sha256, TEXT.encode() * 20)

def test_sum(benchmark):
    benchmark(sum, range(10_000))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one process tree: CPU seconds, wall seconds, and the peak resident set of its root, bytes."""

    cpu_s: float
    wall_s: float
    peak_bytes: int


def run(command: list[str], folder: Path) -> Cost:
    """Run a command to its end and account for it.

    Raises:
        SystemExit: the command failed.
    """
    environ = {**os.environ, "PYTHONHASHSEED": "0", "XDG_CACHE_HOME": str(folder.parent / "cache")}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ)
    status = Path(f"/proc/{process.pid}/statm")
    peak_pages = 0
    while True:
        with contextlib.suppress(OSError, IndexError):
            peak_pages = max(peak_pages, int(status.read_text().split()[1]))
        pid, code, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        time.sleep(0.01)
    process.returncode = code
    if os.waitstatus_to_exitcode(code) != 0:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(code)}")
    return Cost(
        cpu_s=usage.ru_utime + usage.ru_stime,
        wall_s=time.perf_counter() - started,
        peak_bytes=peak_pages * os.sysconf("SC_PAGE_SIZE"),
    )


def compare(title: str, suite: str, variants: dict[str, list[str]], repeat: int) -> None:
    """Print what each variant of a pytest run costs."""
    costs: dict[str, list[Cost]] = {name: [] for name in variants}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "suite"
        folder.mkdir()
        (folder / "test_suite.py").write_text(suite)
        (folder / "pytest.ini").write_text("[pytest]\n")
        for round_number in range(repeat + 1):
            for variant, options in variants.items():
                command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
                cost = run(command, folder)
                if round_number:  # the first round fills caches
                    costs[variant].append(cost)
    first = next(iter(variants))
    print(f"\n{title} ({repeat} runs each)")
    print(f"{'':32}{'CPU s':>9}{'ratio':>8}{'wall s':>9}{'ratio':>8}{'peak MiB':>10}{'ratio':>8}")
    for variant, measured in costs.items():
        cells = []
        for field, scale in (("cpu_s", 1), ("wall_s", 1), ("peak_bytes", 1 / 2**20)):
            values = [getattr(cost, field) for cost in measured]
            ratios = [a / getattr(b, field) for a, b in zip(values, costs[first], strict=True)]
            cells.append(f"{statistics.median(values) * scale:9.3f}{statistics.median(ratios):8.3f}")
        print(f"{variant:32}{''.join(cells)}")


def case_tiny(arguments: argparse.Namespace) -> None:
    """300 tiny benchmarks, raw rounds kept."""
    time_option = [f"--benchmark-max-time={arguments.max_time}"]
    variants = {
        "saves nothing": ["-p", "no:benchdb", *time_option],
        "--benchdb=results": ["--benchdb=results", *time_option],
        "--benchmark-json": ["-p", "no:benchdb", "--benchmark-json=out.json", *time_option],
    }
    compare(f"300 tiny benchmarks, --benchmark-max-time={arguments.max_time}", TINY, variants, arguments.repeat)


def case_plain(arguments: argparse.Namespace) -> None:
    """2,000 plain tests."""
    off = ["-p", "no:benchmark", "-p", "no:codspeed"]
    variants = {
        "plain pytest": ["-p", "no:benchdb", *off],
        "--benchdb-all": ["--benchdb=results", "--benchdb-all", *off],
    }
    compare("2,000 plain tests", PLAIN, variants, arguments.repeat)


def case_session(arguments: argparse.Namespace) -> None:
    """200 tests of 50 rounds: what the session pays for its database."""
    variants = {"saves nothing": ["-p", "no:benchdb"], "--benchdb=results": ["--benchdb=results"]}
    compare("200 benchmarks x 50 rounds", SESSION, variants, arguments.repeat)


def case_import(arguments: argparse.Namespace) -> None:
    """Import of the plugin in a process that has pytest."""
    code = textwrap.dedent(
        """
        import time, pytest, dataclasses, typing
        started = time.perf_counter()
        import pytest_benchdb.plugin
        print((time.perf_counter() - started) * 1e3)
        """
    )
    values = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(arguments.repeat * 2 + 1)
    ]
    print(f"\nimport of the plugin: median {statistics.median(values):.2f} ms, least {min(values):.2f} ms")


def case_aa(arguments: argparse.Namespace) -> None:
    """Medians of the same benchmarks with and without recording, interleaved."""
    medians: dict[str, dict[str, list[float]]] = {"off": {}, "on": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_suite.py").write_text(FIXED)
        for _ in range(max(arguments.repeat, 10)):
            for variant, options in (("off", ["-p", "no:benchdb"]), ("on", ["--benchdb=results"])):
                command = [
                    sys.executable,
                    "-m",
                    "pytest",
                    "-q",
                    "--benchmark-json=out.json",
                    "--benchmark-max-time=0.3",
                ]
                run([*command, *options], folder)
                for entry in json.loads((folder / "out.json").read_text())["benchmarks"]:
                    medians[variant].setdefault(entry["name"], []).append(entry["stats"]["median"])
    print("\nmedian round with --benchdb / without, medians over interleaved runs")
    for benchmark, values in medians["on"].items():
        ratios = [on / off for on, off in zip(values, medians["off"][benchmark], strict=True)]
        print(f"{benchmark:16}{statistics.median(ratios):8.4f}   (pairs {min(ratios):.3f} to {max(ratios):.3f})")


def case_size(arguments: argparse.Namespace) -> None:
    """Bytes on disk of the same rounds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_suite.py").write_text(TINY)
        command = [sys.executable, "-m", "pytest", "-q", f"--benchmark-max-time={arguments.max_time}"]
        run([*command, "--benchdb=results", "--benchmark-json=out.json"], folder)
        theirs = (folder / "out.json").stat().st_size
        ours = sum(path.stat().st_size for path in (folder / "results").iterdir())
        rounds = sum(
            len(entry["stats"]["data"]) for entry in json.loads((folder / "out.json").read_text())["benchmarks"]
        )
    print(f"\n{rounds:,} rounds: JSON {theirs:,} bytes, DuckDB {ours:,} bytes, {theirs / ours:.1f} times smaller")


CASES = {name.removeprefix("case_"): case for name, case in list(globals().items()) if name.startswith("case_")}


def main() -> None:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--max-time", type=float, default=0.02)
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES))
    arguments = parser.parse_args()
    for name in arguments.case:
        CASES[name](arguments)


if __name__ == "__main__":
    main()
