"""Score the product's own decisions on sessions of identical code that `collect.py` recorded.

    python benchmarks/regression/score.py FOLDER [--draws 1]

Gate: each session that two more follow in its burst is a candidate; its history is what was recorded before its burst,
taken in turn from as many earlier bursts as there are. A suite of 30 benchmarks fails if one of them regresses and
every confirmation, which the next sessions stand for, repeats it. Slowdowns are injected by scaling all rounds of the
candidate and of its confirmations, so that their figures grow in proportion.

Two sides: the sessions of a long burst, dealt out as A, B, B, A, ... and as B, A, A, B, ...
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.analysis.history_rule import judge_history
from pytest_benchdb.analysis.policy import default_policy
from pytest_benchdb.analysis.sides_rule import judge_sides
from pytest_benchdb.analysis.suite import suite_shift
from pytest_benchdb.model.judgement import Judgement, Policy
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.duet_plan import schedule
from pytest_benchdb.operations.opening import open_source

SLOWDOWNS = (1.0, 1.05, 1.10, 1.20)
HISTORIES = (5, 10, 15, 20)
CONFIRMS = 2
PAIRS = (3, 5)
_SCALED = ("value", "min", "max", "mean", "median", "stddev", "cpu_s")

Suite = dict[str, SessionValue]
"""One session's values by benchmark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A candidate with the sessions that confirm it and those that it may be held against."""

    candidate: Suite
    confirmations: tuple[Suite, ...]
    history: tuple[Suite, ...]


def read(folder: Path, metric: str) -> list[list[Suite]]:
    """Return the bursts of a folder, oldest first, with their sessions in order."""
    with open_source([folder]) as reader:
        sessions = reader.sessions()
        values = reader.session_values([session.session_id for session in sessions], metrics=[metric])
    by_session: dict[str, Suite] = defaultdict(dict)
    for value in values:
        by_session[value.session_id][value.key.fullname] = value
    bursts: dict[str, list[SessionRow]] = defaultdict(list)
    for session in sessions:
        bursts[session.tags["burst"]].append(session)
    return [[by_session[one.session_id] for one in bursts[name]] for name in sorted(bursts)]


def scaled(value: SessionValue, factor: float) -> SessionValue:
    """Return a value as it would be had every round taken `factor` times as long."""
    told = {name: getattr(value, name) for name in _SCALED}
    return replace(value, **{name: figure * factor for name, figure in told.items() if figure is not None})


def cases(bursts: Sequence[Sequence[Suite]], k: int) -> Iterator[Case]:
    """Yield the candidates that have `k` sessions of history; no session takes part in two of them."""
    for at, burst in enumerate(bursts):
        history = spread_out(bursts[:at], k)
        if len(history) < k:
            continue
        for first in range(0, len(burst) - CONFIRMS, CONFIRMS + 1):
            confirmations = tuple(burst[first + 1 : first + 1 + CONFIRMS])
            yield Case(candidate=burst[first], confirmations=confirmations, history=tuple(history))


def spread_out(bursts: Sequence[Sequence[Suite]], k: int) -> list[Suite]:
    """Return `k` sessions, oldest first: the first of each of the newest bursts, then the second of each, ..."""
    found: list[tuple[int, int]] = []
    for place in range(max(map(len, bursts), default=0)):
        found += [(at, place) for at in range(len(bursts) - 1, -1, -1) if place < len(bursts[at])]
    return [bursts[at][place] for at, place in sorted(found[:k])]


def verdicts(case: Case, name: str, factor: float, policy: Policy) -> list[Judgement]:
    """Return what the rule says of the candidate and, as long as it repeats a regression, of its confirmations."""
    history = [suite[name] for suite in case.history]
    found = []
    for suite in (case.candidate, *case.confirmations):
        found.append(judge_history(history, scaled(suite[name], factor), policy))
        if found[-1].verdict != "regressed":
            break
    return found


@dataclass(slots=True)
class Tally:
    """How often something was found."""

    found: int = 0
    of: int = 0

    def add(self, found: bool) -> None:
        """Count one more."""
        self.found += found
        self.of += 1

    def __str__(self) -> str:
        return f"{self.found / self.of:.1%}" if self.of else "-"


def score_gate(bursts: Sequence[Sequence[Suite]], metric: str) -> None:
    """Print the rows of the gate."""
    print(f"\n### {metric}: one session against k of history\n")
    slow = " | ".join(f"+{factor - 1:.0%}" for factor in SLOWDOWNS[1:])
    print(f"| k | confirm | suites | suites that fail | false alarms | unstable | shifted suites | {slow} |")
    print("|---" * (7 + len(SLOWDOWNS) - 1) + "|")
    for k in HISTORIES:
        policy = default_policy(metric, "s", "lower", sessions=k)
        suites = [Tally() for _ in range(CONFIRMS + 1)]
        shifted, unstable = Tally(), Tally()
        found = {factor: [Tally() for _ in range(CONFIRMS + 1)] for factor in SLOWDOWNS}
        for case in cases(bursts, k):
            names = sorted(set.intersection(*map(set, (case.candidate, *case.confirmations, *case.history))))
            told = {factor: {name: verdicts(case, name, factor, policy) for name in names} for factor in SLOWDOWNS}
            for factor, by_name in told.items():
                for judgements in by_name.values():
                    alarms = sum(judgement.verdict == "regressed" for judgement in judgements)
                    for confirms, tally in enumerate(found[factor]):
                        tally.add(alarms > confirms)
            unmoved = told[1.0]
            for judgements in unmoved.values():
                unstable.add(judgements[0].state == "unstable")
            shifted.add(suite_shift((case.candidate[name], one[0]) for name, one in unmoved.items()) is not None)
            for confirms, tally in enumerate(suites):
                tally.add(any(sum(j.verdict == "regressed" for j in one) > confirms for one in unmoved.values()))
        for confirms, tally in enumerate(suites):
            slow = " | ".join(str(found[factor][confirms]) for factor in SLOWDOWNS[1:])
            noise = f"{tally.of} | {tally} | {found[1.0][confirms]} | {unstable} | {shifted}"
            print(f"| {k} | {confirms} | {noise} | {slow} |")


def deals(bursts: Iterable[Sequence[Suite]], pairs: int) -> Iterator[tuple[list[Suite], list[Suite]]]:
    """Yield both sides of each stretch of `pairs` pairs in long bursts, and the same with the sides exchanged."""
    places = list(schedule(pairs))
    for burst in bursts:
        for start in range(0, len(burst) - len(places) + 1, len(places)):
            part = burst[start : start + len(places)]
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
        suites, found = Tally(), {factor: Tally() for factor in SLOWDOWNS}
        for base, head in deals(bursts, pairs):
            names = sorted(set.intersection(*map(set, (*base, *head))))
            alarms = []
            for name in names:
                for factor in SLOWDOWNS:
                    after = [scaled(suite[name], factor) for suite in head]
                    regressed = judge_sides([suite[name] for suite in base], after, policy).verdict == "regressed"
                    found[factor].add(regressed)
                    if factor == 1.0:
                        alarms.append(regressed)
            suites.add(any(alarms))
        slow = " | ".join(str(found[factor]) for factor in SLOWDOWNS[1:])
        print(f"| {pairs} | {suites.of} | {suites} | {found[1.0]} | {slow} |")


def score_noise(bursts: Sequence[Sequence[Suite]], metric: str) -> None:
    """Print how much the sessions differ: what the rules have to live with."""
    from statistics import median

    from pytest_benchdb.analysis.spread import robust_deviation

    by_name: dict[str, list[SessionValue]] = defaultdict(list)
    for suite in (suite for burst in bursts for suite in burst):
        for name, value in suite.items():
            by_name[name].append(value)
    minima = {name: [value.min for value in values if value.min] for name, values in by_name.items()}
    medians = {name: [value.median for value in values if value.median] for name, values in by_name.items()}
    spread = [
        median(robust_deviation(figures) / median(figures) for figures in kind.values()) for kind in (minima, medians)
    ]
    ratios = [value.wall_per_cpu for values in by_name.values() for value in values if value.wall_per_cpu]
    contended = sum(ratio > 1.1 for ratio in ratios) / len(ratios) if ratios else float("nan")
    print(
        f"{metric}: spread between sessions, median over benchmarks: {spread[0]:.1%} of the minimum, "
        f"{spread[1]:.1%} of the median; wall/CPU above 1.10 in {contended:.0%} of runs"
    )


def main() -> None:
    """Read the options and score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    for metric in ("wall_time", "thread_time"):
        bursts = read(given.folder, metric)
        if metric == "wall_time":
            print(f"{sum(map(len, bursts))} sessions in {len(bursts)} bursts")
        score_noise(bursts, metric)
        score_gate(bursts, metric)
        score_sides(bursts, metric)


if __name__ == "__main__":
    main()
