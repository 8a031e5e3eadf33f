"""Times a function in rounds on a device: first call, calibration, warm-up, rounds.

Only clocks are read around a round, in this order: cache flush, barrier, CPU clocks, device mark,
wall clock, the calls, device mark, barrier, wall clock, CPU clocks. So the wall time includes the calls, the wait
for the device and, if the device has a clock, one mark on its timeline (a mark after the barrier would include
the time in which the device only waits for the host). The defaults of `Plan` are those of pytest-benchmark if it has
them.
"""

import contextlib
import gc
import statistics
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.measure.timing.block_clock import THREAD_NS
from pytest_benchdb.measure.timing.calls import Calls

_CHOICES = {"cache_mode": ("hot", "cold"), "barrier": ("round", "block"), "gc": (True, False)}
_MAY_BE_ZERO = frozenset({"warmup_rounds", "warmup_time_s", "max_warmup_time_s", "max_time_s"})
_MAY_BE_NONE = frozenset({"rounds", "iterations", "warmup_rounds"})
STABLE_SHARE = 0.02
"""Relative difference of two successive medians below which a warm-up has settled."""
_STABLE_ROUNDS = 5
_GROWTH = 10
"""Largest factor by which calibration raises the iterations in one step: a single round must not decide."""
_LONG_CALL = 50
"""A first call as long as this many rounds is slow by itself, not only because of a one-time compilation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to time a benchmark; a number that is None depends on the clock.

    Attributes:
        rounds: timed blocks; None continues for `max_time_s`, with at least `min_rounds`.
        iterations: calls in one round; None means enough to fill `round_time_s`.
        warmup_rounds: rounds thrown away before the timing; None continues for at least `warmup_time_s`, until the
            last rounds agree, and for at most `max_warmup_time_s`.
        min_rounds: smallest number of rounds.
        max_time_s: time for all rounds.
        round_time_s: target time of one round, long enough to hide the clock's tick and the loop.
        warmup_time_s: shortest warm-up.
        max_warmup_time_s: longest warm-up.
        gc: whether the garbage collector may run within rounds.
        cache_mode: ``hot`` leaves the device's caches alone, ``cold`` empties them before every round.
        barrier: ``round`` waits for the device at both ends of every round, like user code; ``block`` waits once
            after all rounds, so that only the device's own clock measures single rounds.
    """

    rounds: int | None = None
    iterations: int | None = None
    warmup_rounds: int | None = None
    min_rounds: int = 5
    max_time_s: float = 1.0
    round_time_s: float = 1e-3
    warmup_time_s: float = 0.1
    max_warmup_time_s: float = 2.0
    gc: bool = True
    cache_mode: Literal["hot", "cold"] = "hot"
    barrier: Literal["round", "block"] = "round"

    def changed(self, **options: Any) -> "Plan":
        """Return the plan with other options.

        Raises:
            MeasurementError: an option is unknown or its value is not valid.
        """
        names = [field.name for field in fields(self)]
        for name, value in options.items():
            if name not in names:
                raise MeasurementError(f"unknown option {name!r}; known are {', '.join(names)}")
            _check(name, value)
        return replace(self, **options)


def _check(name: str, value: Any) -> None:
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise MeasurementError(f"{name}={value!r}; give one of {', '.join(map(repr, _CHOICES[name]))}")
        return
    if value is None and name in _MAY_BE_NONE:
        return
    is_count = not name.endswith("_s")
    is_number = isinstance(value, int if is_count else (int, float)) and not isinstance(value, bool)
    if not is_number or not (value > 0 or (value == 0 and name in _MAY_BE_ZERO)):
        kind = "whole number" if is_count else "number of seconds"
        least = "0 or more" if name in _MAY_BE_ZERO else "above 0"
        raise MeasurementError(f"{name}={value!r}; give a {kind}, {least}")


@dataclass(slots=True, kw_only=True)
class Timed:
    """Times of the rounds of one function.

    Attributes:
        result: what the function returned.
        iterations: calls in one round.
        warmup_rounds: rounds thrown away, not counting the first call.
        first_call_ns: wall-clock time of the very first call; None if the plan fixes the number of calls.
        wall_ns: wall-clock time of each round.
        cpu_ns: CPU time of the process in each round, all threads.
        thread_ns: CPU time of the calling thread in each round; None if there is no such clock.
        device_s: time per call in each round on the device's clock; None without one.
        sync_mode: how the device was waited for; None if its calls block.
        cache_mode: ``cold`` only if the caches were really emptied.
        memory: peaks of the device's allocator in the timed block, bytes, by metric.
    """

    result: object
    iterations: int
    warmup_rounds: int
    first_call_ns: int | None
    wall_ns: Sequence[int]
    cpu_ns: Sequence[int]
    thread_ns: Sequence[int] | None
    device_s: Sequence[float] | None
    sync_mode: str | None
    cache_mode: str
    memory: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """CPU clocks of this process, nanoseconds; the wall clock is the device's."""

    cpu_ns: Callable[[], int] = time.process_time_ns
    thread_ns: Callable[[], int] | None = THREAD_NS


def _integers() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class _Readings:
    """Times and device marks of the rounds so far, and the last result."""

    wall_ns: "array[int]" = field(default_factory=_integers)
    cpu_ns: "array[int]" = field(default_factory=_integers)
    thread_ns: "array[int]" = field(default_factory=_integers)
    marks: list[tuple[object, object]] = field(default_factory=list)
    result: object = None


class Rounds:
    """Times one function according to a plan."""

    def __init__(
        self,
        calls: Calls,
        device: OpenDevice,
        plan: Plan,
        *,
        clocks: Clocks | None = None,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        """Take the loops that call the function; `before` and `after` run around each round, untimed."""
        self._calls = calls
        # Like pytest-benchmark's pedantic: a caller that gives all numbers gets exactly these calls.
        self._is_exact = None not in {plan.rounds, plan.iterations, plan.warmup_rounds}
        self._keeps = self._is_exact and plan.iterations == 1
        self._call = calls.keep if self._keeps else calls.loop
        self._device = device
        self._plan = plan
        self._clocks = clocks or Clocks()
        self._before = before
        self._after = after
        self._was_cold = plan.cache_mode == "cold"

    def run(self, block: contextlib.AbstractContextManager[object]) -> Timed:
        """Make the first call, calibrate, warm up, and time the rounds inside `block`.

        A plan with rounds, iterations and warm-up rounds is followed exactly, without a separate first call.
        """
        plan, device = self._plan, self._device
        begun_ns = device.clock_ns()
        first = _Readings()
        if not self._is_exact:
            self._round(first, 1)
        with _collector(enabled=plan.gc):
            iterations = plan.iterations or self._calibrated(first.wall_ns[0])
            warmup_rounds = self._warm_up(iterations, begun_ns)
            kept = _Readings()
            device.synchronize()
            device.reset_memory()
            with block:
                self._time(kept, iterations)
                device.synchronize()
            memory = dict(device.memory())
        device_s = [device.elapsed_s(*marks) / iterations for marks in kept.marks]
        return Timed(
            result=kept.result if self._keeps else self._result(),
            iterations=iterations,
            warmup_rounds=warmup_rounds,
            first_call_ns=None if self._is_exact else first.wall_ns[0],
            wall_ns=kept.wall_ns,
            cpu_ns=kept.cpu_ns,
            thread_ns=kept.thread_ns if self._clocks.thread_ns is not None else None,
            device_s=device_s or None,
            sync_mode=None if device.sync_mode is None else f"{device.sync_mode} per {plan.barrier}",
            cache_mode="cold" if self._was_cold else "hot",
            memory=memory,
        )

    def _result(self) -> object:
        """Call the function once more, untimed: keeping a result while rounds run would count as their memory."""
        if self._before is not None:
            self._before()
        result = self._calls.keep(1)
        if self._after is not None:
            self._after()
        return result

    def once(self, iterations: int) -> None:
        """Run one round like the timed ones, for the passes after the timing; keep nothing."""
        self._round(_Readings(), iterations)
        self._device.synchronize()

    def _round(self, kept: _Readings, iterations: int) -> None:
        """Time one round; the module's docstring explains the order of the readings."""
        device, clocks = self._device, self._clocks
        if self._before is not None:
            self._before()
        if self._plan.cache_mode == "cold":
            self._was_cold = device.flush_cache() and self._was_cold
        call, now, wait = self._call, device.clock_ns, self._plan.barrier == "round"
        if wait:
            device.synchronize()
        thread_ns = clocks.thread_ns() if clocks.thread_ns is not None else 0
        cpu_ns = clocks.cpu_ns()
        begin = device.mark()
        start_ns = now()
        result = call(iterations)
        end = None if begin is None else device.mark()
        if wait:
            device.synchronize()
        end_ns = now()
        kept.cpu_ns.append(clocks.cpu_ns() - cpu_ns)
        kept.thread_ns.append(clocks.thread_ns() - thread_ns if clocks.thread_ns is not None else 0)
        kept.wall_ns.append(end_ns - start_ns)
        if end is not None:
            kept.marks.append((begin, end))
        kept.result = result
        if self._after is not None:
            self._after()

    def _calibrated(self, first_call_ns: int) -> int:
        """Return the number of calls that fill a round."""
        goal_ns = self._plan.round_time_s * 1e9
        if self._before is not None or self._after is not None or first_call_ns >= _LONG_CALL * goal_ns:
            return 1
        iterations, kept = 1, _Readings()
        while True:
            self._round(kept, iterations)
            took_ns = max(kept.wall_ns[-1], 1)
            wanted = max(1, round(iterations * goal_ns / took_ns))
            if wanted <= 2 * iterations:
                return wanted
            iterations = min(iterations * _GROWTH, wanted)

    def _warm_up(self, iterations: int, begun_ns: int) -> int:
        """Run rounds that are thrown away; return their number. Earlier calls count towards the warm-up's time."""
        plan, kept = self._plan, _Readings()
        if plan.warmup_rounds is not None:
            for _ in range(plan.warmup_rounds):
                self._round(kept, iterations)
            return plan.warmup_rounds
        now = self._device.clock_ns
        enough_ns, most_ns = begun_ns + plan.warmup_time_s * 1e9, begun_ns + plan.max_warmup_time_s * 1e9
        while now() < enough_ns or (now() < most_ns and not is_settled(kept.wall_ns)):
            self._round(kept, iterations)
        return len(kept.wall_ns)

    def _time(self, kept: _Readings, iterations: int) -> None:
        plan, now = self._plan, self._device.clock_ns
        if plan.rounds is not None:
            for _ in range(plan.rounds):
                self._round(kept, iterations)
            return
        end_ns = now() + plan.max_time_s * 1e9
        while len(kept.wall_ns) < plan.min_rounds or now() < end_ns:
            self._round(kept, iterations)


def is_settled(wall_ns: Sequence[int]) -> bool:
    """Return whether the medians of the last two groups of rounds agree within `STABLE_SHARE`."""
    if len(wall_ns) < 2 * _STABLE_ROUNDS:
        return False
    last = statistics.median(wall_ns[-_STABLE_ROUNDS:])
    before = statistics.median(wall_ns[-2 * _STABLE_ROUNDS : -_STABLE_ROUNDS])
    return abs(last - before) <= STABLE_SHARE * before


@contextlib.contextmanager
def _collector(*, enabled: bool) -> Iterator[None]:
    was_enabled = gc.isenabled()
    if enabled:
        yield
        return
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
