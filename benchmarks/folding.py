"""What storing and reading sessions costs: the process that folds one, the history of many, the report of the latest.

Run it on an idle machine, from the root of the checkout:
``python -m benchmarks.folding --sessions 1000 --benchmarks 300``.
CPU times are the best of several runs, because other programs only ever add to them.
"""

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.store import journals as j

from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.store.fold_process import fold_in_child
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.target import Target

MINUTE_US = 60_000_000


def write_session(folder: Path, number: int, benchmarks: int, rounds: int) -> Path:
    """Write the journal of a session that started `number` minutes after the first."""
    chance = random.Random(number)
    started_us = j.STARTED_US + number * MINUTE_US
    runs = [
        j.run_lines(
            f"test_{i}",
            [chance.randrange(1000, 2000) for _ in range(rounds)],
            run_id=uuid7(started_us // 1000 + i),
            started_us=started_us + i * 1000,
        )
        for i in range(benchmarks)
    ]
    return j.write_journal(folder, *runs, session_id=uuid7(started_us // 1000), started_us=started_us)


def child_cpu_ms(folder: Path, repeats: int = 15) -> float:
    """Return the CPU time of the process that folds 200 benchmarks of 50 rounds."""
    best = float("inf")
    target = Target(path=folder, kind="folder")
    for number in range(repeats):
        journal = write_session(folder, number, 200, 50)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = fold_in_child(journal, target, timeout_s=60, row_limit=30)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert result.status == "stored"
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best * 1e3


def best_ms(action: Callable[[], object], repeats: int = 7) -> float:
    """Return the shortest time that an action took."""
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - started)
    return best * 1e3


def history(folder: Path, sessions: int, benchmarks: int, rounds: int) -> None:
    """Fold many sessions into the history of their folder and report the latest."""
    templates = folder.parent / "templates"
    templates.mkdir(exist_ok=True)
    for number in range(sessions):
        fold(str(write_session(folder, number, benchmarks, rounds)), cache=str(templates))
    started, cpu = time.perf_counter(), time.process_time()
    with open_history([folder]) as reader:
        ids = [session.session_id for session in reader.sessions()]
    elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
    each, cpu_each = elapsed / sessions * 1e3, cpu / sessions * 1e3
    print(f"fold {sessions} sessions of {benchmarks}: {each:.2f} ms each ({cpu_each:.2f} ms CPU)")
    with open_history([folder]) as reader:
        print(f"list the sessions: {best_ms(reader.sessions):.1f} ms")
        print(f"report the latest: {best_ms(lambda: reader.report([ids[-1]])):.1f} ms")
    started = time.perf_counter()
    with open_history([folder]) as reader:
        reader.report([ids[-1]])
    print(f"open and report the latest: {(time.perf_counter() - started) * 1e3:.1f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--benchmarks", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(f"process that folds 200 x 50 rounds: {child_cpu_ms(Path(name) / 'child'):.0f} ms CPU")
        history(Path(name) / "many", given.sessions, given.benchmarks, given.rounds)


if __name__ == "__main__":
    main()
