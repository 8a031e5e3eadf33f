"""Times a function in rounds on a device: first call, calibration, warm-up, rounds.

Only clocks are read around a round, in this order: cache flush, barrier, CPU clocks, device mark, wall clock, the
calls, device mark, barrier, wall clock, CPU clocks. So the wall time includes the calls and the wait for the device.
A device that can be kept busy has no marks in these rounds: its own clock is read in rounds after them
(`device_rounds`), where it does not wait for launches. With other devices the wall time includes one mark as well (a
mark after the barrier would include the time in which the device only waits for the host). The defaults of `Plan` are
those of pytest-benchmark if it has them.
"""

import contextlib
import gc
import statistics
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_benchdb.interfaces import HoldsQueue, MovesMarks, OpenDevice, WaitsForMarks
from pytest_benchdb.measure.timing.block_clock import THREAD_NS
from pytest_benchdb.measure.timing.calibration import Calibration, calibrate
from pytest_benchdb.measure.timing.calls import UNTIMED, Calls, Watch
from pytest_benchdb.measure.timing.device_rounds import DeviceRounds
from pytest_benchdb.measure.timing.plan import Plan
from pytest_benchdb.measure.timing.stability import is_settled, median_error

_LEAST_CALIBRATION_S = 0.1
_STILL_ROUNDS = 5
"""Rounds without any time after which more of them will not have any either."""
_LAST_ROUNDS = 5
"""Rounds at the end of the warm-up that show whether other streams go on after the last mark."""
_LOOKS = 5
"""After a fifth more rounds, the error of the median is looked at again: rarely enough to cost nothing."""
_HOST_SHARE = 10
"""How many times as long as the device's clock says the host waits: simulated time may pass slowly, or not at all."""


@dataclass(slots=True, kw_only=True)
class Timed:
    """Times of the rounds of one function.

    Attributes:
        iterations: calls in one round.
        warmup_rounds: rounds thrown away, calibration included, but not the first call.
        first_call_ns: wall-clock time of the very first call; None if the plan fixes the number of calls.
        slow_calls_ns: times of calls after the first that something slowed down as well, such as a recompilation.
        wall_ns: wall-clock time of each round.
        cpu_ns: CPU time of the process in each round, all threads.
        thread_ns: CPU time of the calling thread in each round; None if there is no such clock.
        device_s: time per call in each round on the device's clock; None without one. These may be other rounds than
            those of `wall_ns`.
        device_waits: whether `device_s` includes the time in which the device waited for launches.
        sync_mode: how the device was waited for; None if its calls block.
        cache_mode: ``cold`` only if the caches were really emptied.
        memory: figures of the device's allocator in the timed block, by metric.
        after_mark_s: time that the device worked on after the last mark of a round, on streams that marks do not
            cover; None if not measured.
    """

    iterations: int
    warmup_rounds: int
    first_call_ns: int | None
    slow_calls_ns: Sequence[int]
    wall_ns: Sequence[int]
    cpu_ns: Sequence[int]
    thread_ns: Sequence[int] | None
    device_s: Sequence[float] | None
    device_waits: bool
    sync_mode: str | None
    cache_mode: str
    memory: Mapping[str, float]
    after_mark_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Clocks of this host, nanoseconds; the wall clock of rounds is the device's, which may be simulated."""

    cpu_ns: Callable[[], int] = time.process_time_ns
    thread_ns: Callable[[], int] | None = THREAD_NS
    host_ns: Callable[[], int] = time.perf_counter_ns


def _integers() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class _Readings:
    """Times of the rounds so far, and the marks of those whose time on the device was not read yet."""

    wall_ns: "array[int]" = field(default_factory=_integers)
    cpu_ns: "array[int]" = field(default_factory=_integers)
    thread_ns: "array[int]" = field(default_factory=_integers)
    device_s: list[float] = field(default_factory=list)
    marks: list[tuple[object, object]] = field(default_factory=list)

    def drop_last(self) -> None:
        """Forget the last round."""
        for readings in (self.wall_ns, self.cpu_ns, self.thread_ns, self.device_s, self.marks):
            if readings:
                readings.pop()


class _Moment:
    """A moment on the device's wall clock and on the host's."""

    def __init__(self, device_ns: Callable[[], int], host_ns: Callable[[], int]) -> None:
        self._device_ns, self._host_ns = device_ns, host_ns
        self._at_device_ns, self.at_host_ns = device_ns(), host_ns()

    def is_over(self, seconds: float) -> bool:
        """Return whether so much time has passed on the device's clock, or far more on the host's."""
        return (
            self._device_ns() - self._at_device_ns >= seconds * 1e9
            or self._host_ns() - self.at_host_ns >= _HOST_SHARE * seconds * 1e9
        )


class Rounds:
    """Times one function according to a plan."""

    def __init__(  # noqa: PLR0913 - one object for everything that a round consists of
        self,
        calls: Calls,
        device: OpenDevice,
        plan: Plan,
        *,
        clocks: Clocks | None = None,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
        may_keep: bool = True,
        is_steady: Callable[[], bool] | None = None,
    ) -> None:
        """Take the calls of the function; `before` and `after` run around each round, untimed.

        `may_keep` says whether rounds of one call may hold their result until the next one. `is_steady` is asked
        between the rounds of a warm-up, which goes on until it is true, if there is time.
        """
        self._calls = calls
        self._keeps = may_keep and plan.is_exact and plan.iterations == 1
        self._device = device
        self._plan = plan
        self._clocks = clocks or Clocks()
        self._before = before
        self._after = after
        self._was_cold = plan.cache_mode == "cold"
        self._is_steady = is_steady
        self._after_mark_ns: list[int] = []
        self._is_first = True
        self._result: object = None
        self._readings = _Readings()
        self._waits = plan.barrier == "round" and device.sync_mode is not None
        self._begin_mark, self._end_mark = device.mark(), device.mark()
        has_marks = self._end_mark is not None
        may_queue = has_marks and self._waits and not plan.is_exact
        self._is_queued = may_queue and isinstance(device, HoldsQueue) and device.hold(0.0)
        self._has_marks = has_marks and not self._is_queued
        self._moves = device if self._waits and isinstance(device, MovesMarks) else None
        self._watch = self._watch_of_wall()

    def run(self, block: contextlib.AbstractContextManager[object]) -> Timed:
        """Make the first call, calibrate, warm up, and time the rounds inside `block`.

        A plan with rounds, iterations and warm-up rounds is followed exactly, without a separate first call.
        """
        plan, device = self._plan, self._device
        first_call_ns = None if plan.is_exact else self._timed_round(1)
        begun = self._now()  # after the first call: its compilation must not use up the time of calibration and warm-up
        with _collector(enabled=plan.gc):
            calibration = self._calibration(first_call_ns, begun)
            iterations = calibration.iterations
            with self._looking_after_marks():
                warm = self._warm_up(iterations, begun)
            if calibration.rounds and warm:
                iterations = calibration.refined(min(warm), plan.round_time_s * 1e9)
            device.synchronize()
            device.reset_memory()
            with block:
                kept = self._time(iterations)
                device.synchronize()
            memory = dict(device.memory())
            device_s, device_waits = self._device_times(kept, iterations)
        return Timed(
            iterations=iterations,
            warmup_rounds=calibration.rounds + len(warm),
            first_call_ns=first_call_ns,
            slow_calls_ns=calibration.slow_calls_ns,
            wall_ns=kept.wall_ns,
            cpu_ns=kept.cpu_ns,
            thread_ns=kept.thread_ns if self._clocks.thread_ns is not None else None,
            device_s=device_s or None,
            device_waits=device_waits,
            sync_mode=None if device.sync_mode is None else f"{device.sync_mode} per {plan.barrier}",
            cache_mode="cold" if self._was_cold else "hot",
            memory=memory,
            after_mark_s=self._after_mark_s(),
        )

    def take_result(self) -> object:
        """Return what the function returned last, and forget it.

        Where results are not kept, call it once more, untimed: a result that is held while rounds run would be in
        their memory.
        """
        if not self._keeps:
            self._result = self._run(1, UNTIMED, keep=True)
            self._device.synchronize()
        result, self._result = self._result, None
        return result

    def once(self, iterations: int) -> None:
        """Run one round like the timed ones, for the passes after the timing; keep nothing."""
        self._timed_round(iterations)
        self._device.synchronize()
        self._result = None

    def once_within(self, block: contextlib.AbstractContextManager[object]) -> None:
        """Call the function once inside a block, for the passes after the timing; what goes before it is outside."""

        def end(_begun: object, _start_ns: int, _end_ns: int) -> None:
            block.__exit__(None, None, None)

        watch = UNTIMED._replace(begin=block.__enter__, end=end)
        self._run(1, watch, keep=False)
        self._device.synchronize()

    def _timed_round(self, iterations: int) -> int:
        """Run one round, keep none of its readings, and return its wall-clock time."""
        self._readings = _Readings()
        self._round(iterations)
        return self._readings.wall_ns[0]

    def _round(self, iterations: int) -> None:
        """Time one round; the module's docstring explains the order of the readings."""
        self._result = None  # before the next one exists, or memory would hold two
        result = self._run(iterations, self._watch, keep=self._keeps or self._is_first)
        if self._is_first:
            self._is_first = False
            if self._calls.adapt(result):
                result = None
                self._readings.drop_last()
                result = self._run(iterations, self._watch, keep=self._keeps)
        if self._keeps:
            self._result = result

    def _run(self, iterations: int, watch: Watch, *, keep: bool, flush: bool = True) -> object:
        if self._before is not None:
            self._before()
        if flush and self._plan.cache_mode == "cold":
            self._was_cold = self._device.flush_cache() and self._was_cold
        if self._waits:
            self._device.synchronize()
        result = (self._calls.keep if keep else self._calls.drop)(iterations, watch)
        if self._after is not None:
            self._after()
        return result

    def _watch_of_wall(self) -> Watch:
        device = self._device
        finish = self._finish if self._has_marks else device.synchronize if self._waits else None
        return Watch(self._begin, device.clock_ns, finish, self._end)

    def _begin(self) -> tuple[int, int]:
        thread_ns = self._clocks.thread_ns() if self._clocks.thread_ns is not None else 0
        cpu_ns = self._clocks.cpu_ns()
        if self._has_marks:
            self._begin_mark = self._placed(self._begin_mark)
        return thread_ns, cpu_ns

    def _finish(self) -> None:
        self._end_mark = self._placed(self._end_mark)
        if self._waits:
            self._device.synchronize()

    def _placed(self, mark: object) -> object:
        """Return a mark at this place of the timeline, which is `mark` itself if it can be moved."""
        if self._moves is None:
            return self._device.mark()
        self._moves.move(mark)
        return mark

    def _end(self, begun: tuple[int, int], start_ns: int, end_ns: int) -> None:
        clocks, kept = self._clocks, self._readings
        thread_ns, cpu_ns = begun
        kept.cpu_ns.append(clocks.cpu_ns() - cpu_ns)
        kept.thread_ns.append(clocks.thread_ns() - thread_ns if clocks.thread_ns is not None else 0)
        kept.wall_ns.append(end_ns - start_ns)
        if self._has_marks and self._waits:
            kept.device_s.append(self._device.elapsed_s(self._begin_mark, self._end_mark))
        elif self._has_marks:
            kept.marks.append((self._begin_mark, self._end_mark))

    def _device_times(self, kept: _Readings, iterations: int) -> tuple[list[float], bool]:
        """Return the device's time per call of each round, and whether it waited for launches meanwhile."""
        device = self._device
        if not self._is_queued:
            kept.device_s += (device.elapsed_s(*marks) for marks in kept.marks)
            return [seconds / iterations for seconds in kept.device_s], self._waits
        begun, most = self._now(), len(kept.wall_ns)
        limit_s = self._plan.max_time_s / 2

        def is_enough(count: int) -> bool:
            return count >= most or (count >= self._plan.min_rounds and begun.is_over(limit_s))

        queued_s = DeviceRounds(device, flushes=self._was_cold).times(
            lambda watch: self._run(iterations, watch, keep=False, flush=False),
            round_s=statistics.median(kept.wall_ns) / 1e9,
            is_enough=is_enough,
        )
        if queued_s is not None:
            return [seconds / iterations for seconds in queued_s], False
        # The function waits for the device itself, or the device cannot be kept busy after all.
        self._is_queued, self._has_marks = False, True
        self._watch = self._watch_of_wall()
        marked = self._readings = _Readings()
        while not is_enough(len(marked.wall_ns)):
            self._round(iterations)
        return self._device_times(marked, iterations)

    def _calibration(self, first_call_ns: int | None, begun: _Moment) -> Calibration:
        """Return the number of calls in a round: that of the plan, or enough to fill its time."""
        plan = self._plan
        if plan.iterations is not None or first_call_ns is None:
            return Calibration(iterations=plan.iterations or 1, rounds=0)
        if self._before is not None or self._after is not None or self._was_cold:
            return Calibration(iterations=1, rounds=0)
        limit_s = max(plan.max_warmup_time_s, _LEAST_CALIBRATION_S)
        return calibrate(
            self._timed_round,
            first_call_ns=first_call_ns,
            goal_ns=plan.round_time_s * 1e9,
            host_ns=self._clocks.host_ns,
            until_ns=begun.at_host_ns + limit_s * 1e9,
        )

    def _warm_up(self, iterations: int, begun: _Moment) -> Sequence[int]:
        """Run rounds that are thrown away; return their times. Calibration counts towards the time."""
        plan = self._plan
        kept = self._readings = _Readings()
        if plan.warmup_rounds is not None:
            for _ in range(plan.warmup_rounds):
                self._round(iterations)
            return kept.wall_ns
        while not self._is_warm(kept.wall_ns, begun):
            self._round(iterations)
            if _stands_still(kept.wall_ns):
                break
        return kept.wall_ns

    def _is_warm(self, wall_ns: Sequence[int], begun: _Moment) -> bool:
        is_steady = self._is_steady is None or self._is_steady()  # asked every time: it compares what it saw
        if not begun.is_over(self._plan.warmup_time_s):
            return False
        return (is_steady and is_settled(wall_ns)) or begun.is_over(self._plan.max_warmup_time_s)

    @contextlib.contextmanager
    def _looking_after_marks(self) -> Iterator[None]:
        """Let the rounds of a block time how long the device works on after their last mark."""
        device = self._device
        has_marks = self._has_marks or self._is_queued
        if not (self._waits and has_marks and isinstance(device, WaitsForMarks)):
            yield
            return

        def finish() -> None:
            self._end_mark = self._placed(self._end_mark)
            device.wait_for(self._end_mark)
            reached_ns = device.clock_ns()
            device.synchronize()
            self._after_mark_ns.append(device.clock_ns() - reached_ns)

        usual = self._watch
        self._watch = usual._replace(finish=finish)
        try:
            yield
        finally:
            self._watch = usual

    def _after_mark_s(self) -> float | None:
        """Return the typical time after a mark, without that of a barrier when there is nothing to wait for."""
        if not self._after_mark_ns:
            return None
        idle_ns = []
        for _ in range(_LAST_ROUNDS):
            begun_ns = self._device.clock_ns()
            self._device.synchronize()
            idle_ns.append(self._device.clock_ns() - begun_ns)
        after_ns = statistics.median(self._after_mark_ns[-_LAST_ROUNDS:])
        return max(0.0, after_ns - statistics.median(idle_ns)) / 1e9

    def _time(self, iterations: int) -> _Readings:
        plan = self._plan
        kept = self._readings = _Readings()
        if plan.rounds is not None:
            for _ in range(plan.rounds):
                self._round(iterations)
            return kept
        begun, next_look = self._now(), plan.min_rounds
        while len(kept.wall_ns) < plan.min_rounds or not (
            begun.is_over(plan.max_time_s) or _stands_still(kept.wall_ns)
        ):
            self._round(iterations)
            if plan.target_error is not None and len(kept.wall_ns) >= next_look:
                error = median_error(kept.wall_ns)
                if error is not None and error <= plan.target_error:
                    break
                next_look = len(kept.wall_ns) + max(1, len(kept.wall_ns) // _LOOKS)
        return kept

    def _now(self) -> _Moment:
        return _Moment(self._device.clock_ns, self._clocks.host_ns)


def _stands_still(wall_ns: Sequence[int]) -> bool:
    return len(wall_ns) >= _STILL_ROUNDS and not any(wall_ns)


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
