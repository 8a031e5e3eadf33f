"""Score the gate on counts with counted sessions of identical code: suites that fail, and slowdowns that are found.

    python benchmarks/regression/counted_gate.py record FOLDER --sessions 60
    python benchmarks/regression/counted_gate.py score FOLDER

`record` counts the thirty short benchmarks of `suite.py` again and again, in fresh processes; load the machine
meanwhile. Run it again for more.

`score` resamples that as `benchdb duet --count --gate` decides: two sessions drawn at random are the sides, and what
looks worse is judged again by four further sessions of each side. Slowdowns multiply the counts of one benchmark at a
time, in the head's sessions. The other rule compares two sessions once, as `benchdb regress --threshold instructions`
does where the commits cannot be counted again.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from confirm_by import Recorded, interval, read, scaled

from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.operations.duet.confirm import corrected, with_repeat
from pytest_benchdb.operations.duet.plan import RECOUNT_PAIRS

SUITE = Path(__file__).with_name("suite.py")
METRIC = "instructions"
SLOWDOWNS = (1.01, 1.02, 1.05)
POLICY = default_policy(METRIC, "1", "lower", sessions=1)


def record(folder: Path, sessions: int) -> None:
    """Count the suite so often, each time in a fresh process."""
    options = ["-q", "-k", "test_counted", "-o", "addopts=", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest_benchdb", "count", "-q", "--db", str(folder), "--", "pytest", str(SUITE)]
    for number in range(sessions):
        begun, before = time.monotonic(), os.times()
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)
        cpu_s = os.times().children_user - before.children_user
        print(
            f"session {number + 1} of {sessions} took {time.monotonic() - begun:.0f} s, {cpu_s:.0f} s of a processor, "
            f"load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


class Trial:
    """Sessions drawn at random: one of each side, and those that count the suspects again."""

    def __init__(self, counts: Recorded, draw: random.Random) -> None:
        self.counts = counts
        drawn = draw.sample(range(len(counts.sessions)), 2 + 2 * RECOUNT_PAIRS)
        self.first = drawn[:1], drawn[1:2]
        self.again = drawn[2 : 2 + RECOUNT_PAIRS], drawn[2 + RECOUNT_PAIRS :]

    def rows(self, names: Sequence[str], factors: dict[str, float], *, again: bool = False) -> list[ComparisonRow]:
        """Return the rows of a comparison of the first sessions or the further ones."""
        base, head = self.again if again else self.first
        return [self._row(name, base, head, factors.get(name, 1.0)) for name in names]

    def _row(self, name: str, base: Sequence[int], head: Sequence[int], factor: float) -> ComparisonRow:
        values = self.counts.values[name]
        before, after = [values[at] for at in base], [scaled(values[at], factor) for at in head]
        judgement = judge_sides(before, after, POLICY)
        return ComparisonRow(
            key=values[0].key, unit="1", better="lower", group=None, judgement=judgement, labels={}
        )  # fmt: skip

    def failed(self, factors: dict[str, float], names: Sequence[str], *, confirmed: bool) -> set[str]:
        """Return the benchmarks that fail the gate."""
        rows = self.rows(names, factors)
        suspects = [row.key.fullname for row in rows if row.judgement.verdict == "regressed"]
        if confirmed and suspects:
            rows = corrected(with_repeat(rows, self.rows(suspects, factors, again=True)))
        return {row.key.fullname for row in rows if row.judgement.verdict == "regressed"}


def score(folder: Path, suites: int, seed: int) -> None:
    """Print how well counts repeat, and what each rule makes of it."""
    counts, draw = read(folder, METRIC), random.Random(seed)
    loads = sorted(session.load_start or 0.0 for session in counts.sessions)
    names = list(counts.values)
    print(
        f"{len(counts.sessions)} sessions of {len(names)} benchmarks, load {loads[0]:.1f} to {loads[-1]:.1f}, "
        f"{median(loads):.1f} in the median"
    )
    reach = {name: _reach([value.value or 0.0 for value in values]) for name, values in counts.values.items()}
    worst = sorted(reach, key=lambda name: -reach[name])[:3]
    print(f"largest less smallest count of a benchmark: {median(reach.values()):.2%} in the median;", end=" ")
    print("; ".join(f"{reach[name]:.2%} {name.rpartition('::')[2]}" for name in worst))
    trials = [Trial(counts, draw) for _ in range(suites)]
    for rule, confirmed in (("two processes", False), ("suspects counted again", True)):
        failed = sum(bool(trial.failed({}, names, confirmed=confirmed)) for trial in trials)
        print(f"\n{rule}: suites of identical code that fail {interval(failed, len(trials))}")
        for factor in SLOWDOWNS:
            found = [
                name in trial.failed({name: factor}, [name], confirmed=confirmed)
                for trial in trials[: max(1, suites // 5)]
                for name in names
            ]
            print(f"  +{factor - 1:.0%} found {interval(sum(found), len(found))}")


def _reach(counts: Sequence[float]) -> float:
    return (max(counts) - min(counts)) / median(counts)


def main() -> None:
    """Read the options, and record or score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["record", "score"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sessions", type=int, default=60)
    parser.add_argument("--suites", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.action == "record":
        record(given.folder, given.sessions)
    else:
        score(given.folder, given.suites, given.seed)


if __name__ == "__main__":
    main()
