"""Chooses the number of calls in a round.

The first calls compile, load and allocate, sometimes more than one of them, and a busy machine may interrupt any
round. So a number is derived from the shortest of several rounds, and never from the first call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_TRIES = 5
"""Rounds with the same number of calls; the shortest counts."""
_MOST_EARLY_CALLS = 20
_GROWTH = 10
"""Largest factor by which the calls in a round grow in one step."""
_MOST_CALLS = 1_000_000
"""Calls after which a clock that has not moved stands still."""
_FASTER = 2
"""A call that takes this many times as long as a later one was slowed down by something that happens once."""
_CLOSE = 1.25


@dataclass(frozen=True, slots=True)
class Calibration:
    """The number of calls in a round.

    Attributes:
        iterations: the number; 1 if the clock stands still.
        rounds: rounds that were run to find out.
        slow_calls_ns: times of the calls at the beginning, after the first, that were slower than later ones.
    """

    iterations: int
    rounds: int
    slow_calls_ns: Sequence[int] = ()

    def refined(self, shortest_round_ns: int, goal_ns: float) -> int:
        """Return a better number of calls, once the shortest of more rounds is known."""
        if shortest_round_ns <= 0:
            return self.iterations
        wanted = max(1, round(self.iterations * goal_ns / shortest_round_ns))
        close = wanted <= _CLOSE * self.iterations and self.iterations <= _CLOSE * wanted
        return self.iterations if close else wanted


def calibrate(
    run: Callable[[int], int], *, first_call_ns: int, goal_ns: float, host_ns: Callable[[], int], until_ns: float
) -> Calibration:
    """Return the number of calls that fill a round.

    Args:
        run: runs a round of so many calls; returns its time on the device's wall clock, nanoseconds.
        first_call_ns: time of the call before, which may have compiled.
        goal_ns: time to fill.
        host_ns: a clock of this host, which moves even where the device's stands still.
        until_ns: when to stop on that clock; the round in progress then is the last.
    """
    rounds = _Limited(run, host_ns, until_ns)
    early_ns = _early_calls(rounds, first_call_ns)
    best_ns = float(min(early_ns))
    iterations, round_ns = 1, best_ns
    while round_ns < goal_ns / 2 and rounds.have_time_for(wanted := _next(iterations, round_ns, goal_ns)):
        iterations = wanted
        round_ns = min(rounds.tries(iterations, _TRIES))
        if round_ns > 0:
            best_ns = round_ns / iterations
    if best_ns <= 0:
        return Calibration(iterations=1, rounds=rounds.count)
    slow_ns = early_ns[: next(n for n, took_ns in enumerate(early_ns) if took_ns <= _FASTER * min(early_ns))]
    return Calibration(
        iterations=max(1, round(goal_ns / best_ns)),
        rounds=rounds.count,
        slow_calls_ns=[took_ns for took_ns in slow_ns if took_ns >= goal_ns],
    )


class _Limited:
    """Rounds that stop at a time of the host's clock."""

    def __init__(self, run: Callable[[int], int], host_ns: Callable[[], int], until_ns: float) -> None:
        self._run = run
        self._host_ns = host_ns
        self._until_ns = until_ns
        self._host_call_ns = 0.0
        self.count = 0

    def run(self, iterations: int) -> int:
        begun_ns = self._host_ns()
        took_ns = self._run(iterations)
        self._host_call_ns = (self._host_ns() - begun_ns) / iterations
        self.count += 1
        return took_ns

    def tries(self, iterations: int, count: int) -> list[int]:
        """Run up to so many rounds; a clock that does not move needs no more than one."""
        taken_ns = [self.run(iterations)]
        while taken_ns[-1] > 0 and len(taken_ns) < count and self.have_time_for(iterations):
            taken_ns.append(self.run(iterations))
        return taken_ns

    def have_time_for(self, iterations: int) -> bool:
        """Return whether a round of so many calls would probably end in time."""
        return iterations <= _MOST_CALLS and self._host_ns() + iterations * self._host_call_ns <= self._until_ns


def _early_calls(rounds: _Limited, first_call_ns: int) -> list[int]:
    """Time single calls until there are several; and longer, while each takes much less time than the one before."""
    taken_ns: list[int] = []
    before_ns = first_call_ns
    while not taken_ns or (
        len(taken_ns) < _MOST_EARLY_CALLS
        and ((len(taken_ns) < _TRIES and rounds.have_time_for(1)) or 0 < _FASTER * taken_ns[-1] <= before_ns)
    ):
        before_ns = taken_ns[-1] if taken_ns else first_call_ns
        taken_ns.append(rounds.run(1))
    return taken_ns


def _next(iterations: int, round_ns: float, goal_ns: float) -> int:
    if round_ns <= 0:
        return iterations * _GROWTH
    return min(iterations * _GROWTH, max(2, round(iterations * goal_ns / round_ns)))
