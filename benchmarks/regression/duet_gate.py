"""Score `duet --gate` on sessions of identical code: how many suites fail, and how many slowdowns are found.

    python benchmarks/regression/collect.py FOLDER --bursts 5 --every 1 --sessions 20 --long 20
    python benchmarks/regression/duet_gate.py FOLDER

Sessions one after the other are dealt out as A, B, B, A, ..., and as B, A, A, B, ...; the next stretch is the second
duet, which a slowdown is put into as well.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from score import SLOWDOWNS, Suite, Tally, deals, read, scaled, shared_names

from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.operations.duet.confirm import corrected, with_repeat
from pytest_benchdb.operations.duet.run import ENOUGH_PAIRS, SHARE

METRIC = "wall_time"
POLICY = replace(default_policy(METRIC, "s", "lower", sessions=ENOUGH_PAIRS), relative=SHARE)

Rows = Mapping[str, ComparisonRow]


def rows_of(base: Sequence[Suite], head: Sequence[Suite], names: Sequence[str], factor: float) -> Rows:
    """Return the row of each benchmark, with the head's figures multiplied."""
    return {
        name: ComparisonRow(
            key=SeriesKey(fullname=name, metric=METRIC),
            unit="s",
            better="lower",
            group=None,
            judgement=judge_sides(
                [suite.values[name] for suite in base], [scaled(suite.values[name], factor) for suite in head], POLICY
            ),
            labels={},
        )
        for name in names
    }


def failures(rule: str, first: Rows, second: Rows) -> set[str]:
    """Return the benchmarks that fail by a rule."""
    rows = list(first.values())
    if "two" in rule:
        rows = with_repeat(rows, list(second.values()))
    if "corrected" in rule:
        rows = corrected(rows)
    return {row.key.fullname for row in rows if row.judgement.verdict == "regressed"}


def main() -> None:
    """Read the options and score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--test", default="test_work", help="test function of the suite")
    given = parser.parse_args()
    dealt = list(deals(read(given.folders, METRIC, given.test), ENOUGH_PAIRS))
    rules = ("one duet", "one duet, corrected", "two duets", "two duets, corrected")
    suites = {rule: Tally() for rule in rules}
    found = {(rule, factor): Tally() for rule in rules for factor in SLOWDOWNS[1:]}
    for first, second in zip(dealt[:-2], dealt[2:], strict=True):  # each stretch is there twice, with sides exchanged
        names = shared_names((*first[0], *first[1], *second[0], *second[1]))
        same = rows_of(*first, names, 1.0), rows_of(*second, names, 1.0)
        for rule in rules:
            suites[rule].add(bool(failures(rule, *same)))
        for factor in SLOWDOWNS[1:]:
            slower = rows_of(*first, names, factor), rows_of(*second, names, factor)
            for name in names:
                one = [{**rows, name: changed[name]} for rows, changed in zip(same, slower, strict=True)]
                for rule in rules:
                    found[rule, factor].add(name in failures(rule, *one))
    print("| rule | suites | suites that fail | " + " | ".join(f"+{factor - 1:.0%}" for factor in SLOWDOWNS[1:]) + " |")
    print("|---" * (3 + len(SLOWDOWNS) - 1) + "|")
    for rule in rules:
        shares = " | ".join(str(found[rule, factor]) for factor in SLOWDOWNS[1:])
        print(f"| {rule} | {suites[rule].of} | {suites[rule].found} | {shares} |")


if __name__ == "__main__":
    main()
