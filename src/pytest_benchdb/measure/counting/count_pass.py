"""Counts the calls of one function: warmed up, without the garbage collector, and repeated until the spread is known.

The number of calls follows from counts, not from clocks, so that two processes do the same work.
"""

import contextlib
import gc
import statistics
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pytest_benchdb.measure.counting.callgrind import Counted
from pytest_benchdb.measure.process.counters_pass import threads_of_process
from pytest_benchdb.model.run import Measurement

T = TypeVar("T")

PASS_NAME = "counters"
WARMUP_CALLS = 9
"""Calls before those that count: the interpreter specialises code within eight, and caches fill."""
REPEATS = 5
MOST_REPEATS = 15
SETTLED_SPREAD = 0.003
"""No more repetitions are needed once the last `REPEATS` differ by less than this share of their median."""
MOST_SPREAD = 0.02
"""A count judges nothing if the middle half of its repetitions differs by more than this share of the median."""
LEAST_CPU_SHARE = 0.7
"""A count does not judge a benchmark that computes for less than this share of its time."""

_INSTRUCTIONS = "instructions"
_BLOCKS_OF_A_SIZE = 4096
_SIZES = range(48, 513, 16)
"""Sizes of blocks that Python's allocator hands out, but for those of 16 and 32 bytes."""
_BYTES_HEAD = sys.getsizeof(b"")
_BASES = 3
_BLOCK_INSTRUCTIONS = 1_000_000
_MOST_CALLS = 1024
_LONG_CALL = 10_000_000
_WARMUP_INSTRUCTIONS = 300_000_000
_MOST_INSTRUCTIONS = 150_000_000
_LEAST_REPEATS = 2


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


def count_calls(counting: Counting, counter: Counter, *, details: Mapping[str, object]) -> tuple[Measurement, ...]:
    """Return a row for each event that the counter counts, per call.

    Args:
        counting: what is counted.
        counter: what counts.
        details: further facts to store with each row.

    Raises:
        MeasurementError: the counter fails.
    """
    with no_collector(), _filled_heap():
        with counter.instrumented():
            first = counting.block(1, counter.count).events[_INSTRUCTIONS]
        company = _warm_up(counting, first)
        with counter.instrumented():
            repeats, calls = _repeat(counting, counter, first)
    return tuple(_row(metric, repeats, calls, counter.method, details, company) for metric in repeats[0].events)


def _warm_up(counting: Counting, first: float) -> "_Company":
    """Make calls that are not counted, and note which threads and processes they start."""
    calls = max(1, min(WARMUP_CALLS, int(_WARMUP_INSTRUCTIONS / max(1.0, first))))
    with _observed() as company:
        for _ in range(calls):
            counting.block(1, _uncounted)
    return company


def _repeat(counting: Counting, counter: Counter, first: float) -> tuple[list[Counted], int]:
    """Return the counts of the repetitions, without what a repetition of no calls costs, and the calls in each."""
    base = min((counter.count(counting.run, 0) for _ in range(_BASES)), key=lambda counted: counted.instructions)
    one = first if first > _LONG_CALL else counting.block(1, counter.count).without(base).instructions
    one = max(1.0, one)
    calls = 1 if counting.is_single else _power_of_two(min(_MOST_CALLS, _BLOCK_INSTRUCTIONS / one))
    if calls > 1:
        counting.block(calls, _uncounted)
    most = int(min(MOST_REPEATS, max(_LEAST_REPEATS, _MOST_INSTRUCTIONS / (one * calls))))
    repeats: list[Counted] = []
    while len(repeats) < most:
        repeats.append(counting.block(calls, counter.count).without(base))
        last = repeats[-REPEATS:]
        if len(last) == REPEATS and _spread([counted.instructions for counted in last]) <= SETTLED_SPREAD:
            return last, calls
    return repeats, calls


def _uncounted(run: Callable[[int], object], calls: int) -> None:
    run(calls)


def _power_of_two(calls: float) -> int:
    """Return the power of two at or above a number of calls, so that a small change of the count does not change it."""
    return int(1 << max(0, int(calls) - 1).bit_length()) if calls > 1 else 1


def _row(
    metric: str,
    repeats: Sequence[Counted],
    calls: int,
    method: str,
    details: Mapping[str, object],
    company: "_Company",
) -> Measurement:
    samples = [counted.events[metric] / calls for counted in repeats]
    share = None if company.started_threads else cpu_share(repeats)
    why = (company.objection or _objection(_spread(_middle(samples)), share)) if metric == _INSTRUCTIONS else None
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
            "spread": round(_spread(samples), 6),
            "cpu_share": None if share is None else round(share, 4),
            **({"threads": company.threads} if company.threads > 1 else {}),
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
def _filled_heap() -> Iterator[None]:
    """Fill the holes of the heap meanwhile, so that the counted calls get their memory from fresh pools.

    Python's allocator takes a longer path where a pool has room for one block only. Which pools are used depends on
    all that ran before: without this, counts of the same function differed by up to 1.2 % between processes.
    """
    filling = [
        [object() for _ in range(_BLOCKS_OF_A_SIZE)],
        list(range(1 << 32, (1 << 32) + _BLOCKS_OF_A_SIZE)),
        [bytes(size - _BYTES_HEAD) for size in _SIZES for _ in range(_BLOCKS_OF_A_SIZE // 2)],
    ]
    try:
        yield
    finally:
        filling.clear()


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


@dataclass(slots=True)
class _Company:
    """The threads and processes that the calls of a benchmark work with.

    Attributes:
        threads: threads of this process after the calls.
        started_threads: whether the calls start threads of Python.
        started_processes: whether the calls start processes and wait for them.
    """

    threads: int = 1
    started_threads: bool = False
    started_processes: bool = False

    @property
    def objection(self) -> str | None:
        """Why a count does not judge the benchmark; None if there is no such reason here."""
        if self.started_processes:
            return "it starts other processes, whose work is not counted; judge it by its time"
        if self.started_threads:
            return (
                "it starts threads, which are counted as if one ran after the other; their waiting for each other is "
                "not seen: judge it by its time"
            )
        return None


@contextlib.contextmanager
def _observed() -> Iterator[_Company]:
    """Yield what is known, after the block, about the threads and processes that it started."""
    company, children = _Company(), _ended_children()
    before: Any = threading.getprofile()

    def note(*_event: object) -> None:
        sys.setprofile(None)
        company.started_threads = True

    threading.setprofile(note)
    try:
        yield company
    finally:
        threading.setprofile(before)
        company.threads = len(threads_of_process(Path("/")))
        company.started_processes = _ended_children() != children


def _ended_children() -> int:
    """Return the page faults of all child processes that have ended: every process has some."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_minflt + usage.ru_majflt
