"""The counters pass: hardware counters of the processor, read around repeated rounds.

Counted in user space, for all threads of the process, and for the threads and processes that the rounds start. Work of
the kernel, of processes that run already and of devices is not counted. Rounds are repeated a few times, because counts
vary little. Reading the counters costs some thousand instructions a round, which are in the count.
"""

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pytest_benchdb.model.run import Measurement

ROUNDS = 5
EVENTS: Mapping[str, tuple[int, int]] = {
    # PERF_TYPE_HARDWARE, and PERF_COUNT_HW_*
    "instructions": (0, 1),
    "cycles": (0, 0),
    "cache_misses": (0, 3),
    "branch_misses": (0, 5),
}
"""Type and config of the event of each metric."""
METHOD = "perf_event_open, user space"

_NO_COUNTERS = frozenset({errno.ENOENT, errno.EOPNOTSUPP, errno.ENODEV})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})


class Count(Protocol):
    """A reading of an event: its value, and the times for which it was enabled and had a counter."""

    @property
    def value(self) -> int:
        """Events so far."""

    @property
    def enabled_ns(self) -> int:
        """Time for which it was to be counted."""

    @property
    def running_ns(self) -> int:
        """Time for which it had a counter."""


class Counters(Protocol):
    """Opens and reads events of threads; `backends.meters.perf_events` has functions of these names."""

    def open_thread_event(self, kind: int, config: int, thread: int) -> int:
        """Open the event of a thread."""

    def read_thread_event(self, descriptor: int) -> Count:
        """Read an event."""


def count_events(
    call: Callable[[], object],
    counters: Counters,
    *,
    iterations: int,
    threads: Callable[[], Sequence[int]] | None = None,
    root: Path = Path("/"),
) -> tuple[Measurement, ...]:
    """Return a row for each metric of `EVENTS`: one sample per round, or the reason why it has none.

    Each metric has rounds of its own, so that no two share a counter.

    Args:
        call: runs one round.
        counters: the kernel's events.
        iterations: calls in one round.
        threads: returns the threads of this process.
        root: folder that stands in for ``/``.
    """
    threads = threads or (lambda: threads_of_process(root))
    return tuple(_row(metric, call, counters, iterations, threads, root) for metric in EVENTS)


def _row(
    metric: str,
    call: Callable[[], object],
    counters: Counters,
    iterations: int,
    threads: Callable[[], Sequence[int]],
    root: Path,
) -> Measurement:
    counts: list[int] = []
    try:
        with opened_events(metric, counters, threads()) as descriptors:
            for _ in range(ROUNDS):
                before = [counters.read_thread_event(descriptor) for descriptor in descriptors]
                call()
                after = [counters.read_thread_event(descriptor) for descriptor in descriptors]
                counts.append(sum(later.value - first.value for first, later in zip(before, after, strict=True)))
            shared = [count for count in after if count.running_ns < count.enabled_ns]
    except OSError as error:
        return _unmeasured(metric, why_not(error, root))
    if shared:
        return _unmeasured(metric, "other users of the counter, such as a profiler, shared it meanwhile")
    return Measurement.of(
        metric,
        pass_name="counters",
        samples=[count / iterations for count in counts],
        method=METHOD,
        scope="process",
        details={"iterations": iterations, "threads": len(descriptors)},
    )


@contextlib.contextmanager
def opened_events(metric: str, counters: Counters, threads: Sequence[int]) -> Iterator[list[int]]:
    """Open the event of a metric for these threads; yield its descriptors, which are closed with the block.

    Raises:
        OSError: the kernel refuses.
    """
    kind, config = EVENTS[metric]
    descriptors: list[int] = []
    try:
        for thread in threads:
            with contextlib.suppress(ProcessLookupError):  # the thread has ended
                descriptors.append(counters.open_thread_event(kind, config, thread))
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def why_not(error: OSError, root: Path) -> str:
    """Return why the kernel does not count, and what would change that."""
    if error.errno in _NO_COUNTERS:
        return "this machine has no such hardware counter; virtual machines usually have none"
    if error.errno in _FORBIDDEN:
        paranoid = _paranoid(root)
        if paranoid is not None and paranoid > 2:  # noqa: PLR2004 - from 3 on, some kernels refuse users altogether
            return f"kernel.perf_event_paranoid is {paranoid}; run: sudo sysctl kernel.perf_event_paranoid=2"
        return "the kernel refuses perf_event_open, as containers do unless they run with CAP_PERFMON"
    return f"hardware counters cannot be read: {error.strerror}"


def _unmeasured(metric: str, reason: str) -> Measurement:
    return Measurement.of(metric, pass_name="counters", method=METHOD, reason=reason)


def threads_of_process(root: Path) -> list[int]:
    """Return the threads of this process, the calling one first."""
    own = threading.get_native_id()
    try:
        others = [int(path.name) for path in (root / "proc/self/task").iterdir()]
    except OSError:  # no Linux
        others = []
    return [own, *(thread for thread in others if thread != own)]


def _paranoid(root: Path) -> int | None:
    try:
        return int((root / "proc/sys/kernel/perf_event_paranoid").read_bytes())
    except (OSError, ValueError):
        return None
