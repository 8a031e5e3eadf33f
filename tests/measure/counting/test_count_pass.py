import contextlib
import gc
import os
import threading
from collections.abc import Callable, Iterator

import pytest

from pytest_benchdb.measure.counting.callgrind import Counted
from pytest_benchdb.measure.counting.count_pass import MOST_REPEATS, REPEATS, WARMUP_CALLS, Counting, count_calls
from pytest_benchdb.model.run import Measurement


class Processor:
    """Counts what the benchmarked code says that it executes."""

    method = "a processor of the tests"
    overhead = 700.0

    def __init__(self, *, outside_s: float = 0.0) -> None:
        self.executed = 0.0
        self.blocks: list[int] = []
        self._outside_s = outside_s

    @contextlib.contextmanager
    def instrumented(self) -> Iterator[None]:
        yield

    def count(self, run: Callable[[int], object], calls: int) -> Counted:
        self.executed = 0.0
        run(calls)
        self.blocks.append(calls)
        total = self.executed + self.overhead
        return Counted(events={"instructions": total}, computing_s=total / 1e9, outside_s=self._outside_s * calls)

    def work(self, instructions: float) -> Callable[[int], object]:
        def run(calls: int) -> None:
            self.executed += instructions * calls

        return run


def counted(processor: Processor, run: Callable[[int], object], **around: Callable[[], object]) -> Measurement:
    (row,) = count_calls(Counting(run=run, **around), processor, details={"cpu_features": "x"})
    return row


def test_a_count_is_that_of_one_call_without_its_overhead() -> None:
    processor = Processor()

    row = counted(processor, processor.work(1500))

    assert row.metric == "instructions"
    assert row.pass_name == "counters"
    assert row.samples == [1500.0] * REPEATS
    assert row.valid
    assert {name: fact for name, fact in (row.details or {}).items() if name != "threads"} == {
        "cpu_features": "x",
        "iterations": 1024,
        "repeats": REPEATS,
        "spread": 0.0,
        "cpu_share": 1.0,
    }


def test_a_long_call_is_repeated_less() -> None:
    processor = Processor()

    row = counted(processor, processor.work(100_000_000))

    assert row.samples == [100_000_000.0] * 2
    assert max(processor.blocks) == 1


def test_counts_that_differ_are_repeated_and_judge_nothing() -> None:
    processor = Processor()
    amounts = iter(range(1, 10_000))

    def run(calls: int) -> None:
        processor.executed += sum(3_000_000 + 1_000_000 * (next(amounts) % 7) for _ in range(calls))

    row = counted(processor, run)

    assert len(row.samples or ()) == MOST_REPEATS
    assert not row.valid
    assert row.details is not None
    assert float(str(row.details["spread"])) > 0.5
    assert str(row.reason).endswith("between calls; give its random data a seed")


def test_a_benchmark_that_waits_is_not_judged_by_its_count() -> None:
    processor = Processor(outside_s=0.009)

    row = counted(processor, processor.work(1_000_000))

    assert not row.valid
    assert str(row.reason).startswith("it computes for 10 % of its time only, and a count sees nothing else")


def test_setup_and_teardown_surround_each_call_uncounted() -> None:
    processor = Processor()
    order: list[str] = []

    def around(name: str) -> Callable[[], object]:
        def note() -> None:
            order.append(name)
            processor.executed += 5e9

        return note

    def run(calls: int) -> None:
        order.extend(["call"] * calls)
        processor.executed = 0.0
        processor.work(1000)(calls)

    row = counted(processor, run, before=around("setup"), after=around("teardown"))

    assert row.samples == [1000.0] * REPEATS
    assert order[:3] == ["setup", "call", "teardown"]
    assert order == ["setup", "call", "teardown"] * (len(order) // 3)
    assert len(order) // 3 >= WARMUP_CALLS + REPEATS


def test_the_collector_is_off_meanwhile_and_then_as_before() -> None:
    processor = Processor()
    states = set()

    def run(calls: int) -> None:
        states.add(gc.isenabled())
        processor.work(100)(calls)

    counted(processor, run)

    assert states == {False}
    assert gc.isenabled()


def test_threads_that_it_starts_are_stated() -> None:
    processor = Processor()

    def run(calls: int) -> None:
        thread = threading.Thread(target=processor.work(100), args=(calls,))
        thread.start()
        thread.join()

    row = counted(processor, run)

    assert not row.valid
    assert str(row.reason).startswith("it starts threads, which are counted as if one ran after the other")
    assert threading.getprofile() is None


@pytest.mark.skipif(not hasattr(os, "posix_spawn"), reason="this system starts processes otherwise")
def test_processes_that_it_starts_are_stated() -> None:
    processor = Processor()

    def run(calls: int) -> None:
        processor.work(100)(calls)
        if calls:
            os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", ":"], {}), 0)

    row = counted(processor, run)

    assert not row.valid
    assert row.reason == "it starts other processes, whose work is not counted; judge it by its time"
