"""How long the gate takes to answer: `benchdb regress` over 300 benchmarks x 1,000 sessions, in a fresh process.

Run it on an idle machine, from the root of the checkout: ``python -m benchmarks.regression.gate_speed``.
The history is written in SQL, with as many measurements per run as a real one has; see `benchmarks.session_values`.
The bar is one second for the whole command, Python's start included.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.session_values import best_ms, write_history

from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.gate.run import gate

_ENDED = (0, 1)


def command_s(path: Path, *options: str, repeats: int = 5) -> float:
    """Return the shortest time of the command.

    Raises:
        RuntimeError: it neither passed nor failed the session.
    """
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "pytest_benchdb", "regress", "--db", str(path), *options],
            capture_output=True,
            check=False,
        )
        best = min(best, time.perf_counter() - started)
        if done.returncode not in _ENDED:
            raise RuntimeError(done.stderr.decode())
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--benchmarks", type=int, default=300)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "history.duckdb"
        write_history(path, given.sessions, given.benchmarks)
        print(f"{given.benchmarks} benchmarks x {given.sessions} sessions, {path.stat().st_size / 2**20:.0f} MiB")
        print(f"command: {command_s(path) * 1e3:.0f} ms")
        print(f"command, one threshold: {command_s(path, '--threshold', 'time:5%') * 1e3:.0f} ms")
        print(f"within Python: {best_ms(lambda: gate([path], GateRequest())):.0f} ms")


if __name__ == "__main__":
    main()
