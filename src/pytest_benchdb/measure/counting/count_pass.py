"""Counts the calls of one function: warmed up, without the garbage collector, and repeated until the spread is known.

The number of calls follows from counts, not from clocks, so that two processes do the same work.
"""

import contextlib
import gc
import os
import statistics
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pytest_benchdb.measure.counting.callgrind import Counted
from pytest_benchdb.model.run import Measurement

T = TypeVar("T")

PASS_NAME = "counters"
WARMUP_CALLS = 10
"""Calls before the first count: the interpreter specialises code within eight, and caches fill."""
REPEATS = 5
MOST_REPEATS = 15
SETTLED_SPREAD = 0.003
"""No more repetitions are needed once the last `REPEATS` differ by less than this share of their median."""
MOST_SPREAD = 0.02
"""A count judges nothing if the middle half of its repetitions differs by more than this share of the median."""
LEAST_CPU_SHARE = 0.7
"""A count does not judge a benchmark that computes for less than this share of its time."""

_BLOCK_INSTRUCTIONS = 1_000_000
_MOST_CALLS = 1024
_MOST_INSTRUCTIONS = 400_000_000
_LEAST_REPEATS = 2
_LONG_CALL = 100_000_000


class Counter(Protocol):
    """A way of counting: `callgrind.Callgrind` or `hardware.Hardware`."""

    @property
    def method(self) -> str:
        """The tool and its version, or the kernel's call."""

    def instrumented(self) -> contextlib.AbstractContextManager[None]:
        """Return a block in which calls can be counted."""

    def count(self, run: Callable[[int], object], calls: int) -> Counted:
        """Return the events of so many calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """What is counted.

    Attributes:
        run: makes a number of calls.
        before: runs before each counted call, uncounted; then a repetition is one call.
        after: runs after each counted call, uncounted.
    """

    run: Callable[[int], object]
    before: Callable[[], object] | None = None
    after: Callable[[], object] | None = None

    @property
    def is_single(self) -> bool:
        """Whether a repetition can only be one call."""
        return self.before is not None or self.after is not None

    def block(self, calls: int, count: Callable[[Callable[[int], object], int], T]) -> T:
        """Make some calls by `count`, with what belongs around them."""
        if self.before is not None:
            self.before()
        counted = count(self.run, calls)
        if self.after is not None:
            self.after()
        return counted


def count_calls(counting: Counting, counter: Counter, *, details: dict[str, object]) -> tuple[Measurement, ...]:
    """Return a row for each event that the counter counts, per call.

    Args:
        counting: what is counted.
        counter: what counts.
        details: further facts to store with each row.

    Raises:
        MeasurementError: the counter fails.
    """
    forks = _Forks.seen
    threads = threading.active_count()
    with no_collector(), counter.instrumented():
        repeats, calls = _repeat(counting, counter)
    notes = [*_thread_notes(max(threads, threading.active_count())), *_fork_notes(_Forks.seen - forks)]
    return tuple(_row(metric, repeats, calls, counter.method, details, notes) for metric in repeats[0].events)


def _repeat(counting: Counting, counter: Counter) -> tuple[list[Counted], int]:
    first = counting.block(1, counter.count)
    for _ in range(1 if first.events["instructions"] > _LONG_CALL else WARMUP_CALLS - 2):
        counting.block(1, _uncounted)
    first = counting.block(1, counter.count)
    one = max(1.0, first.events["instructions"])
    calls = 1 if counting.is_single else _power_of_two(min(_MOST_CALLS, _BLOCK_INSTRUCTIONS / one))
    if calls > 1:
        counting.block(calls, _uncounted)
    most = int(min(MOST_REPEATS, max(_LEAST_REPEATS, _MOST_INSTRUCTIONS / (one * calls))))
    repeats: list[Counted] = []
    while len(repeats) < most:
        repeats.append(counting.block(calls, counter.count))
        last = repeats[-REPEATS:]
        if len(last) == REPEATS and _spread([counted.events["instructions"] for counted in last]) <= SETTLED_SPREAD:
            return last, calls
    return repeats, calls


def _uncounted(run: Callable[[int], object], calls: int) -> None:
    run(calls)


def _power_of_two(calls: float) -> int:
    """Return the power of two at or above a number of calls, so that a small change of the count does not change it."""
    return int(1 << max(0, int(calls) - 1).bit_length()) if calls > 1 else 1


def _row(
    metric: str, repeats: Sequence[Counted], calls: int, method: str, details: dict[str, object], notes: list[str]
) -> Measurement:
    samples = [counted.events[metric] / calls for counted in repeats]
    spread, share = _spread(samples), cpu_share(repeats)
    why = _objection(_spread(_middle(samples)), share) if metric == "instructions" else None
    return Measurement.of(
        metric,
        pass_name=PASS_NAME,
        samples=samples,
        method=method,
        scope="process",
        valid=why is None,
        reason=why,
        details={
            **details,
            "iterations": calls,
            "repeats": len(samples),
            "spread": round(spread, 6),
            "cpu_share": None if share is None else round(share, 4),
            **({"notes": notes} if notes else {}),
        },
    )


def _objection(spread: float, share: float | None) -> str | None:
    """Return why a count judges nothing; None if it does."""
    if share is not None and share < LEAST_CPU_SHARE:
        return (
            f"it computes for {share * 100:.0f} % of its time only, and a count sees nothing else; judge it by its time"
        )
    if spread > MOST_SPREAD:
        return f"its count differs by {spread * 100:.2g} % between calls; give its random data a seed"
    return None


def cpu_share(repeats: Sequence[Counted]) -> float | None:
    """Return the share of the time in which the calls compute; None if no time was measured.

    Of the repetitions, the least disturbed one counts: on a loaded machine the others wait for a processor too.
    """
    shares = [
        counted.computing_s / (counted.computing_s + counted.outside_s)
        for counted in repeats
        if counted.computing_s + counted.outside_s > 0
    ]
    return max(shares, default=None)


def _middle(samples: Sequence[float]) -> Sequence[float]:
    """Return the middle half of many samples: the first repetitions and a growing table are not in it."""
    cut = len(samples) // 4 if len(samples) > REPEATS else 0
    return sorted(samples)[cut : len(samples) - cut]


def _spread(samples: Sequence[float]) -> float:
    middle = statistics.median(samples)
    return (max(samples) - min(samples)) / middle if middle else 0.0


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    """Keep the garbage collector off within a block."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _thread_notes(threads: int) -> list[str]:
    if threads == 1:
        return []
    return [f"{threads} threads: their instructions are summed, and what they wait for each other is not seen"]


class _Forks:
    """Counts the forks of this process."""

    seen = 0

    @classmethod
    def note(cls) -> None:
        """Count one."""
        cls.seen += 1


def _fork_notes(forks: int) -> list[str]:
    return ["it forked: what its child processes did is not counted"] if forks else []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=_Forks.note)
