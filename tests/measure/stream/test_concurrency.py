"""Many requests at once, sync in threads and async in one loop; the tests wait for conditions, not for times."""

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from pytest_benchdb.measure.stream import StreamPlan, run_stream

WAIT_S = 20.0


def test_closed_loop_of_threads_has_as_many_requests_in_flight_as_workers() -> None:
    together = threading.Barrier(3, timeout=WAIT_S)
    lock, under_way, most = threading.Lock(), 0, 0

    def ask() -> Iterator[str]:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        together.wait()  # needs three at once
        yield "word"
        with lock:
            under_way -= 1

    result = run_stream(ask, StreamPlan(concurrency=3, requests=9, timeout_s=WAIT_S))

    assert [request.error for request in result.requests] == [None] * 9
    assert most == 3


def test_closed_loop_of_tasks_has_as_many_requests_in_flight_as_workers() -> None:
    under_way, most = 0, 0
    threads: set[int] = set()

    async def ask() -> AsyncIterator[str]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        threads.add(threading.get_ident())
        for _ in range(5):
            await asyncio.sleep(0)
        yield "word"
        under_way -= 1

    result = run_stream(ask, StreamPlan(concurrency=4, requests=20))

    assert len(result.requests) == 20
    assert most == 4
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_closed_loop_uses_its_threads_again_after_warm_up() -> None:
    threads: list[int] = []

    def ask() -> Iterator[str]:
        threads.append(threading.get_ident())
        yield "word"

    run_stream(ask, StreamPlan(requests=5, warmup_requests=2))

    assert len(threads) == 7
    assert len(set(threads)) == 1


def test_open_loop_sends_while_earlier_answers_are_still_awaited() -> None:
    everyone = threading.Barrier(5, timeout=WAIT_S)  # broken if an arrival waited for an earlier answer

    def ask() -> Iterator[str]:
        everyone.wait()
        yield "word"

    result = run_stream(ask, StreamPlan(rate=500.0, requests=5, timeout_s=WAIT_S))

    assert [request.error for request in result.requests] == [None] * 5


def test_open_loop_with_a_limit_keeps_due_times_and_shows_the_queue() -> None:
    answer_s = 0.05

    async def ask() -> AsyncIterator[str]:
        await asyncio.sleep(answer_s)
        yield "word"

    result = run_stream(ask, StreamPlan(rate=float("inf"), requests=4, concurrency=1))

    assert [request.due_s for request in result.requests] == [0.0] * 4
    queued = next(row.samples for row in result.measurements if row.metric == "queue_time")
    assert queued is not None
    assert queued == tuple(sorted(queued))
    assert queued[3] >= 3 * answer_s * 0.98
    latencies = next(row.samples for row in result.measurements if row.metric == "e2e_latency")
    assert latencies is not None
    assert max(latencies) < queued[3]  # the wait is not in the latency


def test_requests_are_numbered_in_the_order_of_sending() -> None:
    def ask() -> Iterator[str]:
        yield "word"

    requests = run_stream(ask, StreamPlan(rate=2000.0, requests=40)).requests

    sent = [request.sent_s for request in requests if request.sent_s is not None]
    assert [request.index for request in requests] == list(range(40))
    assert sent == sorted(sent)
    assert len(sent) == 40


def test_function_that_returned_an_async_generator_is_called_in_the_loop_from_then_on() -> None:
    callers: list[str] = []

    async def words() -> AsyncIterator[str]:
        callers.append(threading.current_thread().name)
        yield "word"

    def ask() -> AsyncIterator[str]:
        callers.append(threading.current_thread().name)
        return words()

    run_stream(ask, StreamPlan(requests=2))

    loop = "benchdb-stream-loop"
    assert callers == ["benchdb-stream", loop, loop, loop]


def test_stream_within_a_running_event_loop_works() -> None:
    async def test_body() -> int:
        return len(run_stream(lambda: iter(["word"]), StreamPlan(requests=3)).requests)

    assert asyncio.run(test_body()) == 3


def test_requests_see_the_context_variables_of_the_test() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    variable.set("from the test")
    seen: list[str] = []

    def ask() -> Iterator[str]:
        seen.append(variable.get())
        yield "word"

    async def ask_async() -> AsyncIterator[str]:
        seen.append(variable.get())
        yield "word"

    result = run_stream([ask, ask_async], StreamPlan())

    assert [request.error for request in result.requests] == [None, None]
    assert seen == ["from the test"] * 2


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_stream_leaves_no_thread_behind(asynchronous: bool) -> None:
    async def ask_async() -> AsyncIterator[str]:
        yield "word"

    before = set(threading.enumerate())

    run_stream(ask_async if asynchronous else lambda: iter(["word"]), StreamPlan(concurrency=3, requests=9))

    deadline = time.monotonic() + WAIT_S
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) - before == set()
