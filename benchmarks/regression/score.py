"""Score the product's own decisions on sessions of identical code that `collect.py` recorded.

    python benchmarks/regression/score.py FOLDER... [--since 2026-11-21T10:13] [--test test_peer] [--histories 10]

Gate: each session that two more follow in its burst is a candidate; its history is what was recorded before its burst,
taken in turn from as many earlier bursts as there are. A suite fails if one of its benchmarks regresses and every
confirmation repeats it, and is undecided if most of it moves alike. The next session of the burst serves as the first
re-run; for the second one the next but one ("2 at once"), or the first session of a later burst that began a pause
afterwards ("2"), as the product does it. Slowdowns are injected into one benchmark at a time, with all others as they
were, by scaling all of its rounds in the candidate and in its confirmations. "lost" is a gate that ends with 0.

Two sides: sessions one after the other, dealt out as A, B, B, A, ... and as B, A, A, B, ...
"""

import argparse
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.analysis.rules.session_figures import read_figures, usable_part
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.analysis.statistics.spread import robust_deviation
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.compare.rows import judge_pairs
from pytest_benchdb.operations.duet.plan import schedule
from pytest_benchdb.operations.duet.run import ENOUGH_PAIRS, SHARE
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.gate.adjust import doubt_shifted, is_suspect
from pytest_benchdb.operations.gate.confirm import confirm
from pytest_benchdb.operations.gate.judge import GateRule, gate_pairs, judge_rerun
from pytest_benchdb.operations.gate.policy import Rules
from pytest_benchdb.operations.pytest_run import PAUSE_S, Rerun
from pytest_benchdb.operations.select.filters.threshold import parse_thresholds

SLOWDOWNS = (1.0, 1.05, 1.10, 1.20, 1.30)
HISTORIES = (5, 10, 15, 20)
CONFIRMS: dict[str, int] = {"0": 0, "1": 1, "2 at once": 2, "2": 2}
IN_BURST = 3
"""Sessions of a burst that a case needs: the candidate and two re-runs."""
LATEST_S = 600.0
"""A session that began later than this after the first re-run does not serve as the second."""
PAIRS = (3, 5, 10)
LONG = 10
"""Sessions from which a burst is a stretch of its own for interleaved sides."""
_SCALED = ("value", "min", "max", "mean", "median", "stddev", "cpu_s")

RULES = {"wall_time": Rules(), "thread_time": Rules(thresholds=parse_thresholds(["thread_time:3%"]))}
"""What the gate is given: nothing, so that its defaults are judged; and the CPU time, which it does not gate by
default."""


@dataclass(frozen=True, slots=True)
class Suite:
    """One session: what it measured, by benchmark."""

    session: SessionRow
    values: dict[str, SessionValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A candidate with the sessions that confirm it and those that it may be compared with.

    Attributes:
        confirmations: the next sessions.
        later: the session that began a pause after the first of them; None if there is none.
    """

    candidate: Suite
    confirmations: tuple[Suite, ...]
    later: Suite | None
    history: tuple[Suite, ...]

    def again(self, confirms: str) -> tuple[Suite, ...]:
        """Return the re-runs of a way to confirm."""
        if CONFIRMS[confirms] < len(self.confirmations):
            return self.confirmations[: CONFIRMS[confirms]]
        if confirms == "2 at once" or self.later is None:
            return self.confirmations
        return self.confirmations[0], self.later

    def sessions(self) -> dict[str, SessionRow]:
        """Return its sessions by id."""
        suites = (*self.history, self.candidate, *self.confirmations, *([self.later] if self.later else []))
        return {suite.session.session_id: suite.session for suite in suites}


def read(folders: Sequence[Path], metric: str, test: str) -> list[list[Suite]]:
    """Return the bursts of folders, oldest first, with their sessions in order: the benchmarks of one test function."""
    with open_source(folders) as reader:
        sessions = reader.sessions()
        values = reader.session_values([session.session_id for session in sessions], metrics=[metric])
    by_session: dict[str, dict[str, SessionValue]] = defaultdict(dict)
    for value in values:
        if f"::{test}[" not in value.key.fullname:
            continue
        by_session[value.session_id][value.key.fullname] = value
    bursts: dict[str, list[Suite]] = defaultdict(list)
    for session in sessions:
        bursts[session.tags["burst"]].append(Suite(session, by_session[session.session_id]))
    return [bursts[name] for name in sorted(bursts)]


def scaled(value: SessionValue, factor: float) -> SessionValue:
    """Return a value as it would be had every round taken `factor` times as long."""
    figures = {name: getattr(value, name) for name in _SCALED}
    return replace(value, **{name: figure * factor for name, figure in figures.items() if figure is not None})


def cases(bursts: Sequence[Sequence[Suite]], k: int, since: str = "") -> Iterator[Case]:
    """Yield the candidates that have `k` sessions of history; only the later re-runs may be those of several."""
    for at, burst in enumerate(bursts):
        history = spread_out(bursts[:at], k)
        if len(history) < k or burst[0].session.started_at < since:
            continue
        for first in range(0, len(burst) - IN_BURST + 1, IN_BURST):
            candidate, *again = burst[first : first + IN_BURST]
            later = _later(again[0], bursts[at + 1 :])
            if later is not None:
                yield Case(candidate=candidate, confirmations=tuple(again), later=later, history=tuple(history))


def _later(after: Suite, bursts: Iterable[Sequence[Suite]]) -> Suite | None:
    ended = dt.datetime.fromisoformat(after.session.finished_at or after.session.started_at)
    for burst in bursts:
        pause_s = (dt.datetime.fromisoformat(burst[0].session.started_at) - ended).total_seconds()
        if PAUSE_S <= pause_s <= LATEST_S:
            return burst[0]
    return None


def spread_out(bursts: Sequence[Sequence[Suite]], k: int) -> list[Suite]:
    """Return `k` sessions, oldest first: the first of each of the newest bursts, then the second of each, ..."""
    found: list[tuple[int, int]] = []
    for place in range(max(map(len, bursts), default=0)):
        found += [(at, place) for at in range(len(bursts) - 1, -1, -1) if place < len(bursts[at])]
    return [bursts[at][place] for at, place in sorted(found[:k])]


class Outcome(NamedTuple):
    """The outcome of a gate: the benchmarks that fail it, and whether the suite moved as a whole."""

    failed: frozenset[str]
    undecided: bool


def gate(case: Case, names: Sequence[str], slower: Mapping[str, float], confirms: str, metric: str) -> Outcome:
    """Return the outcome of the gate, as `operations.gate.run` decides it.

    Args:
        case: candidate, history and confirmations.
        names: the benchmarks that the suite consists of.
        slower: how many times slower some benchmarks are in the candidate and in its confirmations.
        confirms: the way to confirm.
        metric: the one that is gated.
    """

    def values(suite: Suite) -> list[SessionValue]:
        return [scaled(suite.values[name], slower.get(name, 1.0)) for name in names]

    count = CONFIRMS[confirms]
    history = [suite.values[name] for suite in case.history for name in names]
    pairs, times = gate_pairs(history, values(case.candidate), RULES[metric])
    rule = GateRule(rules=RULES[metric], sessions=case.sessions(), confirms=count, mains=times)
    rows = {row.key: row for row in judge_pairs(pairs, rule, {})}
    suspects = [row for row in rows.values() if is_suspect(row)]
    if count and suspects:
        again = (Rerun(session=suite.session, values=tuple(values(suite))) for suite in case.again(confirms))
        baselines = {pair.key: pair.baseline for pair in pairs}
        policies = {row.key: row.policy for row in suspects if row.policy is not None}
        confirmation = confirm(
            suspects,
            count,
            lambda _names: next(again),
            lambda key, value, session: judge_rerun(baselines[key], value, policies[key], session),
            fingerprint=case.candidate.session.fingerprint,
            say=lambda _line: None,
        )
        rows.update({row.key: row for row in confirmation.rows})
    final, shift = doubt_shifted(list(rows.values()))
    failed = frozenset(row.key.fullname for row in final if row.judgement.verdict == "regressed" and row.is_gated)
    return Outcome(failed, undecided=shift is not None and shift.change > 0)


def shared_names(suites: Iterable[Suite]) -> list[str]:
    """Return the benchmarks that all of them have."""
    return sorted(set.intersection(*(set(suite.values) for suite in suites)))


@dataclass(slots=True)
class Tally:
    """How often something was found."""

    found: int = 0
    of: int = 0

    def add(self, found: float, *, of: int = 1) -> None:
        """Count some more."""
        self.found += int(found)
        self.of += of

    def __str__(self) -> str:
        return f"{self.found / self.of:.1%}" if self.of else "-"


def score_gate(bursts: Sequence[Sequence[Suite]], metric: str, given: argparse.Namespace) -> None:
    """Print the rows of the gate, for the histories, ways to confirm and number of slowdowns that are given."""
    print(f"\n### {metric}: one session against k of history\n")
    slow = " | ".join(f"+{factor - 1:.0%} | undecided | lost" for factor in SLOWDOWNS[1:])
    print(f"| k | confirm | suites | fail | undecided | false alarms | {slow} |")
    print("|---" * (6 + 3 * (len(SLOWDOWNS) - 1)) + "|")
    for k in given.histories:
        for confirms in given.confirms:
            fail, undecided, alarms = Tally(), Tally(), Tally()
            found = {factor: (Tally(), Tally(), Tally()) for factor in SLOWDOWNS[1:]}
            for case in cases(bursts, k, given.since):
                names = shared_names((case.candidate, *case.confirmations, *case.again("2"), *case.history))
                machine = dict.fromkeys(names, given.machine)
                same = gate(case, names, machine, confirms, metric)
                fail.add(bool(same.failed))
                undecided.add(not same.failed and same.undecided)
                alarms.add(len(same.failed), of=len(names))
                for factor, (failing, open_, lost) in found.items():
                    for name in names[:: given.slow_each]:
                        outcome = gate(case, names, machine | {name: factor * given.machine}, confirms, metric)
                        failing.add(name in outcome.failed)
                        open_.add(name not in outcome.failed and outcome.undecided)
                        lost.add(not outcome.failed and not outcome.undecided)
            slow = " | ".join(" | ".join(map(str, tallies)) for tallies in found.values())
            print(f"| {k} | {confirms} | {fail.of} | {fail} | {undecided} | {alarms} | {slow} |", flush=True)


def deals(bursts: Sequence[Sequence[Suite]], pairs: int) -> Iterator[tuple[list[Suite], list[Suite]]]:
    """Yield both sides of each stretch of `pairs` pairs, and the same with the sides exchanged.

    A stretch lies within a long burst, or goes through short ones: then minutes lie between some of its sessions.
    """
    places = list(schedule(pairs))
    long = [burst for burst in bursts if len(burst) >= LONG]
    short = [suite for burst in bursts if len(burst) < LONG for suite in burst]
    for stretch in (*long, short):
        for start in range(0, len(stretch) - len(places) + 1, len(places)):
            part = stretch[start : start + len(places)]
            base = [suite for suite, place in zip(part, places, strict=True) if place == "base"]
            head = [suite for suite, place in zip(part, places, strict=True) if place == "head"]
            yield base, head
            yield head, base


def score_sides(bursts: Sequence[Sequence[Suite]], metric: str) -> None:
    """Print the rows of interleaved sides."""
    print(f"\n### {metric}: two sides of k interleaved sessions\n")
    slow = " | ".join(f"+{factor - 1:.0%}" for factor in SLOWDOWNS[1:])
    print(f"| k | suites | suites that fail | false alarms | {slow} |")
    print("|---" * (4 + len(SLOWDOWNS) - 1) + "|")
    for pairs in PAIRS:
        policy = default_policy(metric, "s", "lower", sessions=pairs)
        if pairs >= ENOUGH_PAIRS:
            policy = replace(policy, relative=SHARE)
        suites, found = Tally(), {factor: Tally() for factor in SLOWDOWNS}
        for base, head in deals(bursts, pairs):
            alarms = []
            for name in shared_names((*base, *head)):
                before = [suite.values[name] for suite in base]
                for factor in SLOWDOWNS:
                    after = [scaled(suite.values[name], factor) for suite in head]
                    regressed = judge_sides(before, after, policy).verdict == "regressed"
                    found[factor].add(regressed)
                    if factor == 1.0:
                        alarms.append(regressed)
            suites.add(any(alarms))
        slow = " | ".join(str(found[factor]) for factor in SLOWDOWNS[1:])
        print(f"| {pairs} | {suites.of} | {suites} | {found[1.0]} | {slow} |")


def score_noise(bursts: Sequence[Sequence[Suite]], metric: str) -> None:
    """Print how much the sessions differ: what the rules have to live with."""
    by_name: dict[str, list[SessionValue]] = defaultdict(list)
    for suite in (suite for burst in bursts for suite in burst):
        for name, value in suite.values.items():
            by_name[name].append(value)
    spread = {}
    for statistic in ("min", "median"):
        figures = [[getattr(value, statistic) for value in values] for values in by_name.values()]
        spread[statistic] = median(robust_deviation(one) / median(one) for one in figures)
    values = [value for one in by_name.values() for value in one]
    blocks = [value.wall_per_cpu for value in values if value.wall_per_cpu]
    minima = [one.wall_per_cpu for one in read_figures(usable_part(values), "min") if one.wall_per_cpu]
    print(
        f"{metric}: spread between sessions, median over benchmarks: {spread['min']:.1%} of the minimum, "
        f"{spread['median']:.1%} of the median; wall/CPU above 1.10: {sum(r > 1.1 for r in blocks) / len(blocks):.0%} "
        f"of blocks, {sum(r > 1.1 for r in minima) / len(minima):.1%} of smallest rounds"
    )


def main() -> None:
    """Read the options and score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--since", default="", help="candidates from this time on only, UTC; earlier ones are history")
    parser.add_argument("--test", default="test_work", help="test_work for bench_cpu, test_peer for pytest-benchmark's")
    parser.add_argument("--histories", type=int, nargs="+", default=HISTORIES, help="numbers of sessions of history")
    parser.add_argument("--confirms", nargs="+", choices=CONFIRMS, default=list(CONFIRMS), help="ways to confirm")
    parser.add_argument("--machine", type=float, default=1.0, help="how many times slower the machine is made to be")
    parser.add_argument("--slow-each", type=int, default=1, metavar="N", help="put slowdowns into each Nth benchmark")
    given = parser.parse_args()
    for metric in ("wall_time", "thread_time") if given.test == "test_work" else ("wall_time",):
        bursts = read(given.folders, metric, given.test)
        if metric == "wall_time":
            suites = [suite for burst in bursts for suite in burst]
            loads = sorted(suite.session.load_start for suite in suites if suite.session.load_start is not None)
            print(
                f"{len(suites)} sessions in {len(bursts)} bursts, {suites[0].session.started_at[:16]} to "
                f"{suites[-1].session.started_at[:16]} UTC, load {loads[0]:.1f} to {loads[-1]:.1f}, "
                f"median {median(loads):.1f}"
            )
        score_noise(bursts, metric)
        score_gate(bursts, metric, given)
        score_sides([burst for burst in bursts if burst[0].session.started_at >= given.since], metric)


if __name__ == "__main__":
    main()
