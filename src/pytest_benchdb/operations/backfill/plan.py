"""Which commits of a range to record, and in which order: pure functions.

A machine gets warmer, busier or slower while a backfill runs. Recorded from the oldest commit to the newest, that drift
would look like a trend of the code. So neighbouring commits are recorded far apart in time, and every second pass goes
through them backwards, which cancels a drift that is a straight line.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pytest_benchdb.environment.git.log import LoggedCommit

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCommit:
    """A commit to record.

    Attributes:
        recorded: how many of its sessions are in the history already, at most as many as there are passes.
        failure: why an earlier attempt gave no figures; None without one.
    """

    commit: LoggedCommit
    recorded: int = 0
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One run of one commit; `number` counts the passes from 1."""

    planned: PlannedCommit
    number: int


def thin(
    commits: Sequence[LoggedCommit],
    *,
    only: Collection[str] | None = None,
    step_s: float | None = None,
    every: int = 1,
) -> list[LoggedCommit]:
    """Return some of the commits, always with the newest of those that may be chosen.

    Args:
        commits: oldest first.
        only: full hashes that may be chosen; None for all.
        step_s: least time from one chosen commit to the next; None for no such step.
        every: take only each N-th of what is left, counted from the newest.
    """
    left = [commit for commit in commits if only is None or commit.sha in only]
    if step_s is not None:
        left = _stepped(left, step_s)
    return left[::-1][::every][::-1]


def _stepped(commits: Sequence[LoggedCommit], step_s: float) -> list[LoggedCommit]:
    chosen: list[LoggedCommit] = []
    for commit in reversed(commits):
        at_s = commit.authored_unix_s
        if not chosen or (at_s is not None and (chosen[-1].authored_unix_s or 0) - at_s >= step_s):
            chosen.append(commit)
    return chosen[::-1]


def spread_order(number: int, turn: int) -> list[int]:
    """Return the places of a range in the order in which a pass visits them, counted from 0.

    Multiples of the golden ratio leave gaps of nearly equal size after any number of steps (the three-gap theorem), so
    that a backfill that is stopped early has commits from all over the range. Odd passes go the way back.

    Args:
        number: of places.
        turn: number of the pass, from 0.

    >>> spread_order(5, 0)
    [1, 4, 2, 0, 3]
    >>> spread_order(5, 1)
    [3, 0, 2, 4, 1]
    """
    start = 0.5 + number * (turn // 2)
    fractions = [(start + step) * _GOLDEN % 1.0 for step in range(number)]
    places = {step: place for place, step in enumerate(sorted(range(number), key=fractions.__getitem__))}
    order = [places[step] for step in range(number)]
    return order[::-1] if turn % 2 else order


def plan_turns(planned: Sequence[PlannedCommit], passes: int, *, retry_failed: bool) -> list[Turn]:
    """Return the runs that are missing, in the order in which to do them.

    Args:
        planned: oldest first.
        passes: how many sessions each commit gets in the end.
        retry_failed: whether commits that failed before are tried again.
    """
    turns = []
    for turn in range(passes):
        for place in spread_order(len(planned), turn):
            one = planned[place]
            if one.recorded <= turn and (one.failure is None or retry_failed):
                turns.append(Turn(planned=one, number=turn + 1))
    return turns


def left_s(durations_s: Sequence[float], turns_left: int) -> float | None:
    """Estimate the seconds that the rest takes from the runs so far; None before the first."""
    return sum(durations_s) / len(durations_s) * turns_left if durations_s else None
