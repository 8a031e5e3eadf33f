"""How much the calibrated number of calls differs between copies of one function in one session.

    python benchmarks/calibration.py [--copies 25] [--load 2]

The goal is a factor of 2 between the smallest and the largest, also on a loaded machine: `--load` starts so many
processes that only compute. Prints one line for each function.
"""

import argparse
import contextlib
import math
import subprocess
import sys
from collections.abc import Callable, Iterator

from pytest_benchdb.backends.cpu import CpuBackend
from pytest_benchdb.measure.timing.calls import calls_of
from pytest_benchdb.measure.timing.plan import Plan
from pytest_benchdb.measure.timing.rounds import Rounds

FUNCTIONS: dict[str, Callable[[], object]] = {
    "empty": lambda: None,
    "7 us": lambda: [math.sin(number) for number in range(100)],
    "200 us": lambda: sum(range(10_000)),
}


@contextlib.contextmanager
def load(count: int) -> Iterator[None]:
    """Run processes that only compute."""
    rivals = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for rival in rivals:
            rival.kill()
            rival.wait()


def iterations(function: Callable[[], object]) -> int:
    """Return the calibrated number of calls in a round."""
    backend = CpuBackend()
    plan = Plan().changed(max_time_s=0.05)
    with calls_of(function, (), {}) as calls:
        return Rounds(calls, backend.open(backend.devices()[0]), plan).run(contextlib.nullcontext()).iterations


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=25)
    parser.add_argument("--load", type=int, default=0)
    arguments = parser.parse_args()
    with load(arguments.load):
        for name, function in FUNCTIONS.items():
            found = [iterations(function) for _ in range(arguments.copies)]
            print(f"{name:8} {min(found)} to {max(found)} calls a round: a factor of {max(found) / min(found):.2f}")


if __name__ == "__main__":
    main()
