"""Measure what `benchdb regress --confirm-by auto` is worth on a machine whose load changes.

    python benchmarks/regression/confirm_by.py record FOLDER --sessions 40 --counts 3
    python benchmarks/regression/confirm_by.py score FOLDER

`record` runs `suite.py` again and again in fresh pytest processes, identical code all the while, under a load that is
switched between none and four times the cores at random, every 30 to 120 seconds; then it counts the suite's
instructions in further processes (`benchdb count`). Run it again for more.

`score` resamples that: a session is the candidate, 20 earlier ones are its history, and the product's own rules decide
what is suspect, and what counts or runs in turn make of it. Counts are those of two processes drawn at random, of the
benchmarks that were counted; sides in turn are the sessions right after the candidate, or the last ones if too few
follow it. Slowdowns multiply the figures of one benchmark at a time, in the
candidate, in its counts and in its side. Nothing else is simulated; that a slowdown shows in the count as it does in
the time is assumed, and holds for slowdowns by more of the same work.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.analysis.rules.counts import judge_counts
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.compare.rows import judge_pairs
from pytest_benchdb.operations.duet.plan import schedule
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.gate.adjust import is_doubtful, is_suspect
from pytest_benchdb.operations.gate.counted import policy_for, settle_count
from pytest_benchdb.operations.gate.judge import GateRule, gate_pairs
from pytest_benchdb.operations.gate.policy import Rules
from pytest_benchdb.operations.gate.side_by_side import LOOKS, MOST, SHARES, settle, surer

SUITE = Path(__file__).with_name("suite.py")
SLOWDOWNS = (1.05, 1.10, 1.20)
HISTORY = 20
_SWITCH_S = (30.0, 120.0)
_MOST_LOAD = 4
_SCALED = ("value", "min", "max", "mean", "median", "stddev", "cpu_s")


def _spin() -> None:
    while True:
        sum(range(10_000))


@contextlib.contextmanager
def switched_load(seed: int) -> Iterator[None]:
    """Keep between none and four times the cores busy for the length of a block, changed at random."""
    draw, stop = random.Random(seed), threading.Event()

    def switch() -> None:
        while not stop.is_set():
            spinning = [
                multiprocessing.get_context("spawn").Process(target=_spin, daemon=True)
                for _ in range(draw.randint(0, _MOST_LOAD * (os.cpu_count() or 1)))
            ]
            for process in spinning:
                process.start()
            stop.wait(draw.uniform(*_SWITCH_S))
            for process in spinning:
                process.kill()
                process.join()

    thread = threading.Thread(target=switch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def record(folder: Path, sessions: int, counts: int, seed: int) -> None:
    """Record sessions of identical code under a switched load, then counts of it."""
    options = ["-q", "-k", "test_work", "-o", "addopts=", "-p", "no:cacheprovider"]
    with switched_load(seed):
        for number in range(sessions):
            command = [sys.executable, "-m", "pytest", str(SUITE), *options, f"--benchdb={folder / 'times'}"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            print(f"session {number + 1} of {sessions}, load {os.getloadavg()[0]:.1f}", flush=True)
    for number in range(counts):
        begun = time.monotonic()
        command = [sys.executable, "-m", "pytest_benchdb", "count", "--db", str(folder / "counts"), "--", "pytest"]
        subprocess.run([*command, str(SUITE), *options], check=True, stdout=subprocess.DEVNULL)
        print(f"count {number + 1} of {counts} took {time.monotonic() - begun:.0f} s", flush=True)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Sessions oldest first, and their values by benchmark."""

    sessions: Sequence[SessionRow]
    values: Mapping[str, Sequence[SessionValue]]


def read(folder: Path, metric: str) -> Recorded:
    """Return what was recorded of benchmarks that all sessions have."""
    with open_source([folder]) as reader:
        sessions = reader.sessions()
        values = reader.session_values([session.session_id for session in sessions], metrics=[metric])
    found: dict[str, list[SessionValue]] = defaultdict(list)
    for value in values:
        found[value.key.fullname].append(value)
    return Recorded(sessions, {name: each for name, each in found.items() if len(each) == len(sessions)})


def scaled(value: SessionValue, factor: float) -> SessionValue:
    """Return a value as it would be had everything been `factor` times as much."""
    figures = {name: getattr(value, name) for name in _SCALED}
    return replace(value, **{name: figure * factor for name, figure in figures.items() if figure is not None})


class Trial:
    """One candidate with its history, and what checks of its suspects would have seen."""

    def __init__(self, times: Recorded, counts: Recorded, at: int, draw: random.Random) -> None:
        self.times, self.counts, self.at = times, counts, at
        self.by_id = {session.session_id: session for session in times.sessions}
        self.counted = draw.sample(range(len(counts.sessions)), 2) if len(counts.sessions) > 1 else None

    def row(self, name: str, factor: float) -> ComparisonRow:
        """Return the row of a benchmark before any check, as the gate has it."""
        values = self.times.values[name]
        pairs, mains = gate_pairs(values[self.at - HISTORY : self.at], [scaled(values[self.at], factor)], Rules())
        rule = GateRule(rules=Rules(), sessions=self.by_id, confirms=2, mains=mains)
        return judge_pairs(pairs, rule, {})[0]

    def by_counts(self, row: ComparisonRow, factor: float) -> str:
        """Return what counting both sides makes of a suspect."""
        values = self.counts.values.get(row.key.fullname)
        if values is None or self.counted is None:
            return "undecided"
        base, head = (values[at] for at in self.counted)
        judgement = judge_counts([base], [scaled(head, factor)], policy_for(row))
        return settle_count(row, judgement).judgement.verdict

    def in_turn(self, row: ComparisonRow, factor: float, suspects: int) -> str:
        """Return what running both sides in turn makes of a suspect; the sessions after the candidate are dealt out."""
        values, done = self.times.values[row.key.fullname], 0
        for pairs, share in zip(LOOKS, SHARES, strict=True):
            done += pairs
            begin = max(0, min(self.at + 1, len(values) - 2 * MOST))
            part = values[begin : begin + 2 * done]
            if len(part) < 2 * done:
                return "unknown"
            roles = list(schedule(done))
            base = [value for value, role in zip(part, roles, strict=True) if role == "base"]
            head = [scaled(value, factor) for value, role in zip(part, roles, strict=True) if role == "head"]
            settled, is_open = settle(row, judge_sides(base, head, surer(row, share / suspects)))
            if not is_open:
                return settled.judgement.verdict
        return "undecided"


def interval(found: int, of: int) -> str:
    """Return a share in percent with its 95 % interval (Wilson, 1927)."""
    if not of:
        return "-"
    z, share = 1.96, found / of
    centre, reach = share + z * z / (2 * of), z * ((share * (1 - share) + z * z / (4 * of)) / of) ** 0.5
    low, high = (100 * (centre + sign * reach) / (1 + z * z / of) for sign in (-1, 1))
    return f"{found} of {of} = {100 * share:.1f} % ({max(low, 0):.1f} … {high:.1f} %)"


def score(folder: Path, rounds: int, seed: int) -> None:
    """Print how many suites of identical code fail, and how many slowdowns are found, by each way to check."""
    times, draw = read(folder / "times", "wall_time"), random.Random(seed)
    has_counts = (folder / "counts").exists()
    counts = read(folder / "counts", "instructions") if has_counts else Recorded((), {})
    loads = sorted(session.load_start or 0.0 for session in times.sessions)
    print(
        f"{len(times.sessions)} sessions of {len(times.values)} benchmarks, load {loads[0]:.1f} to {loads[-1]:.1f}, "
        f"{loads[len(loads) // 2]:.1f} in the median; {len(counts.sessions)} counts"
    )
    trials = [Trial(times, counts, at, draw) for _ in range(rounds) for at in range(HISTORY, len(times.sessions))]
    for way in ("instructions", "duet"):
        _score_way(way, trials)


def _score_way(way: str, trials: Sequence[Trial]) -> None:
    failed, suites, suspects_seen = 0, 0, 0
    found = dict.fromkeys(SLOWDOWNS, 0)
    undecided, suspected = dict.fromkeys(SLOWDOWNS, 0), dict.fromkeys(SLOWDOWNS, 0)
    tried = dict.fromkeys(SLOWDOWNS, 0)
    for trial in trials:
        names = [name for name in trial.times.values if way == "duet" or name in trial.counts.values]
        rows = [trial.row(name, 1.0) for name in names]
        suspects = [row for row in rows if _is_checked(row)]
        outcomes = [_outcome(way, trial, row, 1.0, len(suspects)) for row in suspects]
        if "unknown" in outcomes:
            continue
        suites += 1
        failed += "regressed" in outcomes
        suspects_seen += len(suspects)
        for factor in SLOWDOWNS:
            for name in names:
                row = trial.row(name, factor)
                outcome = _outcome(way, trial, row, factor, len(suspects) + 1) if _is_checked(row) else "not suspect"
                if outcome == "unknown":
                    continue
                tried[factor] += 1
                suspected[factor] += outcome != "not suspect"
                found[factor] += outcome == "regressed"
                undecided[factor] += outcome == "undecided"
    print(
        f"\n{way}: suites of identical code that fail {interval(failed, suites)}; suspects a suite "
        f"{suspects_seen / suites if suites else 0:.1f}"
    )
    for factor in SLOWDOWNS:
        print(
            f"  +{factor - 1:.0%}: suspect {interval(suspected[factor], tried[factor])}, found "
            f"{interval(found[factor], tried[factor])}, undecided {undecided[factor]}"
        )


def _is_checked(row: ComparisonRow) -> bool:
    return is_suspect(row) or is_doubtful(row)


def _outcome(way: str, trial: Trial, row: ComparisonRow, factor: float, suspects: int) -> str:
    return trial.by_counts(row, factor) if way == "instructions" else trial.in_turn(row, factor, suspects)


def main() -> None:
    """Read the options, and record or score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["record", "score"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--counts", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=10, help="draws of counts for each candidate")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.action == "record":
        record(given.folder, given.sessions, given.counts, given.seed)
    else:
        score(given.folder, given.rounds, given.seed)


if __name__ == "__main__":
    main()
