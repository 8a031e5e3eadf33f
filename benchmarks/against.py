"""What recording costs against another state of this project: CPU time in turn (A, B, off, B, A), on an idle machine.

    git worktree add ../before COMMIT && python benchmarks/against.py ../before/src [--repeat 5]

Prints the ratio of the two, its range over the groups, and each against not recording. Needs pytest-benchmark. Linux.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from overhead import PLAIN, TINY, run

HERE = Path(__file__).resolve().parents[1] / "src"
CASES = {
    "300 tiny benchmarks": (TINY, ["--benchmark-max-time=0.02", "-p", "no:codspeed"], ["--benchdb=results"]),
    "2,000 plain tests": (
        PLAIN,
        ["-p", "no:benchmark", "-p", "no:codspeed"],
        ["--benchdb=results", "--benchdb-all"],
    ),
}


def cpu_s(place: Path, source: Path, suite: str, options: list[str]) -> float:
    """Return the CPU time of a run of a suite in a new folder under `place`, with the plugin of a source folder."""
    folder = Path(tempfile.mkdtemp(dir=place))
    (folder / "test_suite.py").write_text(suite)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return run(["env", f"PYTHONPATH={source}", *command], folder).cpu_s


def groups(before: Path, name: str, repeat: int) -> list[tuple[float, float, float]]:
    """Return of each group new by old, new by not recording, and old by not recording."""
    suite, usual, recording = CASES[name]
    off = [*usual, "-p", "no:benchdb"]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(repeat + 1):
            place, on = Path(folder), [*usual, *recording]
            runs = ((before, on), (HERE, on), (HERE, off), (HERE, on), (before, on))
            old, new, without, new_again, old_again = (cpu_s(place, source, suite, how) for source, how in runs)
            if number:  # the first group fills caches
                old, new = (old + old_again) / 2, (new + new_again) / 2
                rows.append((new / old, new / without, old / without))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="the src folder to compare with")
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    for name in CASES:
        ratios, new_by_off, old_by_off = zip(*groups(given.before.resolve(), name, given.repeat), strict=True)
        print(
            f"{name}: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}); against not recording "
            f"{statistics.median(new_by_off):.2f}, before {statistics.median(old_by_off):.2f}"
        )


if __name__ == "__main__":
    main()
