import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_benchdb.backends.meters import perf_events
from pytest_benchdb.backends.meters.perf_events import Count
from pytest_benchdb.measure.process.counters_pass import EVENTS, ROUNDS, count_events

NAMES = {event: metric for metric, event in EVENTS.items()}


class Kernel:
    """A kernel whose counters advance when `work` is called; a descriptor is that of an open file."""

    def __init__(self, errors: dict[str, int] | None = None, *, share: float = 1.0, gone: int | None = None) -> None:
        self.events: dict[int, tuple[str, int]] = {}
        self.done: dict[tuple[str, int], int] = {}
        self._errors = errors or {}
        self._share = share
        self._gone = gone
        self._ns = 0

    def open_thread_event(self, kind: int, config: int, thread: int) -> int:
        metric = NAMES[kind, config]
        if metric in self._errors:
            raise OSError(self._errors[metric], os.strerror(self._errors[metric]))
        if thread == self._gone:
            raise ProcessLookupError(errno.ESRCH, "no such thread")
        descriptor = os.open(os.devnull, os.O_RDONLY)
        self.events[descriptor] = metric, thread
        return descriptor

    def read_thread_event(self, descriptor: int) -> Count:
        self._ns += 1000
        return Count(self.done.get(self.events[descriptor], 0), self._ns, int(self._ns * self._share))

    def work(self, amounts: dict[tuple[str, int], int]) -> None:
        for event, amount in amounts.items():
            self.done[event] = self.done.get(event, 0) + amount


def test_counts_are_per_iteration_and_summed_over_threads() -> None:
    kernel = Kernel(gone=3)
    amounts = {("instructions", 1): 500, ("instructions", 2): 100, ("instructions", 9): 7, ("branch_misses", 1): 5}

    rows = count_events(lambda: kernel.work(amounts), kernel, iterations=10, threads=lambda: [1, 2, 3])

    found = {row.metric: row for row in rows}
    assert list(found) == list(EVENTS)
    assert found["instructions"].samples == [60.0] * ROUNDS
    assert found["instructions"].details == {"iterations": 10, "threads": 2}
    assert found["branch_misses"].samples == [0.5] * ROUNDS
    assert {row.pass_name for row in rows} == {"counters"}
    for descriptor in kernel.events:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_counter_that_was_shared_is_no_count() -> None:
    kernel = Kernel(share=0.5)

    rows = count_events(lambda: None, kernel, iterations=1, threads=lambda: [1])

    assert {(row.samples, row.reason) for row in rows} == {
        (None, "other users of the counter, such as a profiler, shared it meanwhile")
    }


@pytest.mark.parametrize(
    ("code", "paranoid", "words"),
    [
        (errno.ENOENT, "2", "virtual machines usually have none"),
        (errno.EOPNOTSUPP, "2", "virtual machines usually have none"),
        (errno.EACCES, "4", "kernel.perf_event_paranoid is 4; run: sudo sysctl kernel.perf_event_paranoid=2"),
        (errno.EPERM, "2", "CAP_PERFMON"),
        (errno.EACCES, None, "CAP_PERFMON"),
        (errno.ENOSYS, "2", "cannot be read: Function not implemented"),
    ],
)
def test_metric_without_a_counter_has_the_reason(tmp_path: Path, code: int, paranoid: str | None, words: str) -> None:
    if paranoid is not None:
        file = tmp_path / "proc/sys/kernel/perf_event_paranoid"
        file.parent.mkdir(parents=True)
        file.write_text(paranoid)
    kernel = Kernel({"cycles": code})

    rows = count_events(lambda: None, kernel, iterations=1, threads=lambda: [1], root=tmp_path)

    found = {row.metric: row for row in rows}
    assert words in (found["cycles"].reason or "")
    assert found["cycles"].samples is None
    assert found["instructions"].samples == [0.0] * ROUNDS


def test_counts_of_this_machine_or_its_reason() -> None:
    rows = count_events(lambda: sum(range(10_000)), perf_events, iterations=1)

    for row in rows:
        assert (row.samples is None) != (row.reason is None)
        assert row.samples is None or min(row.samples) >= 0


@pytest.fixture
def page_faults() -> Iterator[int]:
    """Yield the descriptor of a software event, which virtual machines have, too."""
    try:
        descriptor = perf_events.open_thread_event(1, 2, threading.get_native_id())
    except OSError as error:
        pytest.skip(f"perf_event_open is refused here: {error}")
    yield descriptor
    os.close(descriptor)


def test_events_of_threads_that_are_started_later_are_counted(page_faults: int) -> None:
    before = perf_events.read_thread_event(page_faults)

    thread = threading.Thread(target=lambda: bytearray(16 << 20))
    thread.start()
    thread.join()

    after = perf_events.read_thread_event(page_faults)
    assert after.value - before.value >= 4096 * (4096 / os.sysconf("SC_PAGESIZE")) / 64  # huge pages fault less
    assert after.running_ns == after.enabled_ns > before.enabled_ns
