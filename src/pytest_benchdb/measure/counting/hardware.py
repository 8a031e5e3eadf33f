"""Counts with the processor's own counters, where the kernel gives them."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.counting.callgrind import Counted
from pytest_benchdb.measure.process.counters_pass import METHOD, Counters, opened_events, threads_of_process, why_not

_INSTRUCTIONS = "instructions"


class Hardware:
    """The processor's counter of instructions in user space.

    Attributes:
        method: how it counts.
    """

    method = METHOD

    def __init__(self, counters: Counters, root: Path = Path("/")) -> None:
        """Take the kernel's events.

        Raises:
            MeasurementError: the kernel does not count; the message says what would change that.
        """
        self._counters = counters
        self._root = root
        self._descriptors: Sequence[int] = ()
        try:
            with self.instrumented():
                self.count(_nothing, 0)
        except OSError as error:
            raise MeasurementError(why_not(error, root)) from error

    @contextlib.contextmanager
    def instrumented(self) -> Iterator[None]:
        """Hold the counters of all threads open in the block."""
        with opened_events(_INSTRUCTIONS, self._counters, threads_of_process(self._root)) as descriptors:
            self._descriptors = descriptors
            try:
                yield
            finally:
                self._descriptors = ()

    def count(self, run: Callable[[int], object], calls: int) -> Counted:
        """Return the instructions of so many calls, and the times of computing and of waiting.

        Raises:
            MeasurementError: a profiler shared the counter.
        """
        read = self._counters.read_thread_event
        waited_ns, wall_ns = run_queue_ns(self._root), time.perf_counter_ns()
        system_s = _system_s()
        before = [read(descriptor) for descriptor in self._descriptors]
        run(calls)
        after = [read(descriptor) for descriptor in self._descriptors]
        wall_ns = time.perf_counter_ns() - wall_ns
        cpu = sum(later.value - first.value for first, later in zip(before, after, strict=True))
        if any(count.running_ns < count.enabled_ns for count in after):
            raise MeasurementError("other users of the counter, such as a profiler, shared it meanwhile")
        user_s, kernel_s = (later - first for first, later in zip(system_s, _system_s(), strict=True))
        waiting_s = max(0.0, (wall_ns - (run_queue_ns(self._root) - waited_ns)) / 1e9 - user_s - kernel_s)
        events = {_INSTRUCTIONS: float(cpu)}
        return Counted(events=events, computing_s=user_s, outside_s=kernel_s + waiting_s)


def run_queue_ns(root: Path) -> int:
    """Return how long this process's main thread has waited for a processor; 0 if the system does not say."""
    try:
        return int((root / "proc/self/schedstat").read_bytes().split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _system_s() -> tuple[float, float]:
    times = os.times()
    return times.user, times.system


def _nothing(calls: int) -> None:
    for _ in range(calls):
        pass
