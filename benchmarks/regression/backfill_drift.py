"""Measure whether a drift of the machine becomes a trend of the code: in the order of a backfill, and in that of time.

    python benchmarks/regression/backfill_drift.py

A backfill of 40 commits takes hours, in which a machine drifts by 10 %: evenly, as it warms up, in a step when other
work begins, or up and down. The noise from session to session is 1 %. Each commit has two sessions, and change points
are searched as `benchdb trend` does, in histories without a change, and with a step of 10 % at one commit.

The bar: in the order of a backfill, at most 2 % of histories without a change have a change point under any drift, and
the planted one is found within a commit in at least 95 % if the machine is steady or drifts one way. A drift of the
size of the change that comes and goes may hide it, but must not be taken for one. Everything is seeded. Exit status 1
if the bar is missed.
"""

import math
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from pytest_benchdb.analysis.series.change_points import change_points
from pytest_benchdb.operations.backfill.plan import spread_order

COMMITS = 40
HISTORIES = 200
DRIFT = 0.10
STEP = 0.10
NOISE = 0.01
MOST_FALSE = 0.02
LEAST_FOUND = 0.95
NEAR = 1

Drift = Callable[[float], float]

Order = Sequence[int]
"""The commit of each run, in the order of the runs."""

DRIFTS: Mapping[str, Drift] = {
    "none": lambda _time: 0.0,
    "even": lambda time: time,
    "warming up": lambda time: 1 - math.exp(-5 * time),
    "other work from the middle on": lambda time: float(time > 0.5),
    "up and down": lambda time: (1 - math.cos(4 * math.pi * time)) / 2,
}
"""The share of `DRIFT` at a time from 0 to 1."""

ORDERS: Mapping[str, Order] = {
    "oldest first, twice each": [commit for commit in range(COMMITS) for _ in range(2)],
    "oldest first, in two passes": [*range(COMMITS), *range(COMMITS)],
    "spread, and back": [*spread_order(COMMITS, 0), *spread_order(COMMITS, 1)],
}
OWN = "spread, and back"
ONE_WAY = ("none", "even", "warming up")


def history(order: Order, drift: Drift, step_at: int | None, chance: random.Random) -> list[float]:
    """Return the values of a backfill in the order of the commits, those of one commit in the order of time."""
    values: list[list[float]] = [[] for _ in range(COMMITS)]
    for turn, commit in enumerate(order):
        slower = STEP if step_at is not None and commit >= step_at else 0.0
        machine = DRIFT * drift(turn / (len(order) - 1))
        values[commit].append((1 + slower) * (1 + machine) * math.exp(chance.gauss(0, NOISE)))
    return [value for of_commit in values for value in of_commit]


def histories(order: Order, drift: Drift, *, planted: bool) -> Iterator[tuple[int | None, list[int]]]:
    """Yield the planted commit and the commits of the change points of each history."""
    for seed in range(HISTORIES):
        chance = random.Random(seed)
        step_at = chance.randrange(COMMITS // 4, 3 * COMMITS // 4) if planted else None
        found = change_points(history(order, drift, step_at, chance))
        yield step_at, [point.index // 2 for point in found]


def main() -> int:
    """Print the shares of each order under each drift; return 1 if the bar is missed."""
    print(f"{'order':29} {'drift':31} {'false':>7} {'found':>7} {'found, and nothing else':>25}")
    missed = False
    for name, order in ORDERS.items():
        for kind, drift in DRIFTS.items():
            false = sum(bool(found) for _, found in histories(order, drift, planted=False)) / HISTORIES
            hits = alone = 0
            for step_at, found in histories(order, drift, planted=True):
                hit = any(abs(commit - (step_at or 0)) <= NEAR for commit in found)
                hits += hit
                alone += hit and len(found) == 1
            print(f"{name:29} {kind:31} {false:7.1%} {hits / HISTORIES:7.1%} {alone / HISTORIES:25.1%}")
            too_few = kind in ONE_WAY and hits / HISTORIES < LEAST_FOUND
            missed |= name == OWN and (false > MOST_FALSE or too_few)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
