import errno
import os
from pathlib import Path

import pytest

from pytest_benchdb.backends.meters.perf_events import Count
from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.counting.hardware import Hardware, run_queue_ns


class Kernel:
    """A kernel whose one counter advances by a thousand with each reading."""

    def __init__(self, *, refusal: int | None = None, share: float = 1.0) -> None:
        self.opened: list[int] = []
        self.value = 0
        self._refusal = refusal
        self._share = share

    def open_thread_event(self, _kind: int, _config: int, _thread: int) -> int:
        if self._refusal is not None:
            raise OSError(self._refusal, os.strerror(self._refusal))
        self.opened.append(os.open(os.devnull, os.O_RDONLY))
        return self.opened[-1]

    def read_thread_event(self, _descriptor: int) -> Count:
        self.value += 1000
        return Count(self.value, 1000, int(1000 * self._share))


@pytest.fixture
def one_thread(tmp_path: Path) -> Path:
    (tmp_path / "proc/self/task").mkdir(parents=True)
    return tmp_path


def test_the_kernels_counter_is_read_around_the_calls(one_thread: Path) -> None:
    kernel = Kernel()
    hardware = Hardware(kernel, one_thread)

    def run(calls: int) -> None:
        kernel.value += 500 * calls

    with hardware.instrumented():
        counted = hardware.count(run, 3)

    assert counted.events == {"instructions": 2500.0}
    for descriptor in kernel.opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_a_machine_without_counters_says_so(one_thread: Path) -> None:
    with pytest.raises(MeasurementError, match="no such hardware counter; virtual machines usually have none"):
        Hardware(Kernel(refusal=errno.ENOENT), one_thread)


def test_a_shared_counter_gives_no_count(one_thread: Path) -> None:
    with pytest.raises(MeasurementError, match="other users of the counter"):
        Hardware(Kernel(share=0.5), one_thread)


def test_time_on_the_run_queue_is_the_schedulers(one_thread: Path) -> None:
    assert run_queue_ns(one_thread) == 0
    (one_thread / "proc/self/schedstat").write_text("123 456 7\n", encoding="ascii")
    assert run_queue_ns(one_thread) == 456
