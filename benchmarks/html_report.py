"""What an HTML report costs: its size, the CPU time to make it, and the time until a browser has it ready for use.

From the root of the checkout: ``python -m benchmarks.html_report --benchmarks 300 --sessions 100``. The bars of the
project are 5 MB, 2 s and 2 s; with 10,000 benchmarks they are 20 MB, and 5 s until the page is usable. Times are the
best of several runs, because other programs only ever add to them.
"""

import argparse
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.store import journals as j

from pytest_benchdb.backends.web.browser import Host, find_chromium, probe
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.store.journal.fold import fold

HOUR_US = 3_600_000_000
MANY = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """The most that a page may cost."""

    size_bytes: float
    making_s: float
    opening_s: float


def bars_of(benchmarks: int) -> Bars:
    """Return the bars of the project for a number of benchmarks."""
    if benchmarks >= MANY:
        return Bars(size_bytes=20e6, making_s=float("inf"), opening_s=5.0)
    return Bars(size_bytes=5e6, making_s=2.0, opening_s=2.0)


def write_history(folder: Path, sessions: int, benchmarks: int, rounds: int) -> None:
    """Write sessions in which every seventh benchmark becomes 25 % slower, and every eleventh 20 % faster."""
    levels_ns = [10 ** random.Random(number).uniform(3, 7.5) for number in range(benchmarks)]
    for at in range(sessions):
        chance = random.Random(at)
        started_us = j.STARTED_US + at * HOUR_US
        runs = []
        for number, level_ns in enumerate(levels_ns):
            factor = 1.25 if number % 7 == 0 and at >= sessions * 0.6 else 1.0
            factor *= 0.8 if number % 11 == 0 and at >= sessions * 0.8 else 1.0
            center = level_ns * factor * (1 + chance.gauss(0, 0.012))
            values = [round(center * (1 + abs(chance.gauss(0, 0.02)))) for _ in range(rounds)]
            run_id = uuid7(started_us // 1000 + number)
            runs.append(j.run_lines(f"test_call[{number}]", values, run_id=run_id, started_us=started_us + number))
        sha = f"{chance.getrandbits(160):040x}"
        journal = j.write_journal(
            folder, *runs, session_id=uuid7(started_us // 1000), started_us=started_us, commit_sha=sha
        )
        fold(str(journal), cache=str(folder.parent))


def make_page(folder: Path, page: Path, repeats: int = 3) -> float:
    """Return the CPU time of the command that writes the page, in seconds; the first one also folds the history."""
    command = [sys.executable, "-m", "pytest_benchdb", "report", str(folder), "-q", "-o", str(page)]
    best = float("inf")
    for number in range(repeats + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, spent) if number else best
    return best


def open_page(page: Path, repeats: int = 3) -> tuple[float, float]:
    """Return the seconds until the page can be used, and those until a run that is clicked shows its charts."""
    from playwright.sync_api import sync_playwright

    ready, opened = float("inf"), float("inf")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(Host.this()), args=["--no-sandbox"])
        for _ in range(repeats):
            tab = browser.new_page()
            started = time.perf_counter()
            tab.goto(page.as_uri())
            tab.locator("input").fill("call[1")
            tab.get_by_text(re.compile("^[0-9]+ of [0-9]+$")).wait_for()
            ready = min(ready, time.perf_counter() - started)
            started = time.perf_counter()
            tab.locator(".name button").first.click()
            tab.locator(".detail svg").first.wait_for()
            opened = min(opened, time.perf_counter() - started)
            tab.close()
        browser.close()
    return ready, opened


def main() -> None:
    """Measure, print, and end with 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--benchmarks", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=50)
    given = parser.parse_args()
    bars = bars_of(given.benchmarks)
    with tempfile.TemporaryDirectory() as name:
        folder, page = Path(name) / "db" / "results", Path(name) / "page.html"
        write_history(folder, given.sessions, given.benchmarks, given.rounds)
        making_s = make_page(folder, page)
        size = page.stat().st_size
        print(f"{given.benchmarks} benchmarks x {given.sessions} sessions x {given.rounds} rounds")
        print(f"size: {size / 1e6:.2f} MB (bar {bars.size_bytes / 1e6:.0f})")
        print(f"made in: {making_s:.2f} s of CPU time (bar {bars.making_s:.0f})")
        missed = size > bars.size_bytes or making_s > bars.making_s
        state = probe(Host.this())
        if state.available:
            ready_s, opened_s = open_page(page)
            print(f"usable after: {ready_s:.2f} s (bar {bars.opening_s:.0f}); a run opens in {opened_s:.2f} s")
            missed = missed or ready_s > bars.opening_s
        else:
            print(f"usable after: not measured, {state.reason}")
    sys.exit(missed)


if __name__ == "__main__":
    main()
