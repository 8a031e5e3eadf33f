"""Record sessions of `suite.py` in fresh processes, in bursts over a long time: the data that `score.py` judges with.

    python benchmarks/regression/collect.py FOLDER [--bursts 24] [--every 150] [--sessions 3] [--long 10] [-k EXPR]

The first session of a burst is one of a history; the next ones, right after it, are what a confirmation would run.
Every fifth burst is long: its sessions, taken in turn as A, B, B, A, ..., are two interleaved sides of the same code.
Each session carries the tags `burst` and `place`. Stop it with Ctrl-C; run it again with the same folder for more.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

SUITE = Path(__file__).with_name("suite.py")
_LONG_EVERY = 5


def bursts(number: int, sessions: int, long: int) -> Iterator[int]:
    """Yield how many sessions each burst has."""
    for burst in range(number):
        yield long if burst % _LONG_EVERY == _LONG_EVERY - 1 else sessions


def record(folder: Path, burst: str, place: int, keyword: str) -> None:
    """Run the suite, or what a keyword expression selects of it, once."""
    options = ["-q", "-k", keyword, "-o", "addopts=", "-p", "no:cacheprovider", f"--benchdb={folder}"]
    tags = [f"--benchdb-tag=burst={burst}", f"--benchdb-tag=place={place}"]
    subprocess.run([sys.executable, "-m", "pytest", str(SUITE), *options, *tags], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Read the options and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bursts", type=int, default=24)
    parser.add_argument("--every", type=float, default=150.0, help="seconds from burst to burst")
    parser.add_argument("--sessions", type=int, default=3)
    parser.add_argument("--long", type=int, default=10)
    parser.add_argument("-k", default="", help="the benchmarks to record, as in pytest")
    parser.add_argument("--nice", type=int, default=0, help="be this polite to others on the machine")
    given = parser.parse_args()
    if given.nice:
        os.nice(given.nice)
    begun = time.time()
    for burst, sessions in enumerate(bursts(given.bursts, given.sessions, given.long)):
        time.sleep(max(0.0, begun + burst * given.every - time.time()))
        name = time.strftime("%m%dT%H%M%S", time.gmtime())
        for place in range(sessions):
            record(given.folder, name, place, given.k)
        load = os.getloadavg()[0]
        print(f"burst {burst + 1}/{given.bursts}: {sessions} sessions, load {load:.1f}", flush=True)


if __name__ == "__main__":
    main()
