"""Sends requests by plan, in a closed or an open loop, from an event loop; requests that block run in `Lanes`.

Threads in which blocking requests run, used again and again.
"""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import count, islice
from queue import SimpleQueue
from typing import TypeVar

from pytest_benchdb.measure.stream.answer import Call, call_async, is_async, run, run_async
from pytest_benchdb.measure.stream.events import Exchange
from pytest_benchdb.measure.stream.plan import StreamPlan, arrival_times
from pytest_benchdb.measure.stream.source import Source, opened

T = TypeVar("T")

CLOSE_S = 1.0
"""How long `Lanes.close` waits for one idle thread to end."""


class Lanes:
    """As many daemon threads as jobs ever ran at once.

    A thread is used again, the latest first, because libraries keep state for each thread (an OpenMP team,
    a connection) that a new thread would have to build within its first request's time. They are daemons, so
    that a job that never returns does not keep the process from ending.
    """

    def __init__(self) -> None:
        """Begin without a thread; context variables are those of the caller."""
        self._context = contextvars.copy_context()
        self._idle: deque[_Lane] = deque()
        self._closed = False

    def submit(self, work: Callable[[], T], done: Callable[[T], object]) -> None:
        """Run `work` in a thread for as long as it takes, and hand its result to `done` there.

        Neither may raise. The thread is free for the next job before `done` is called.

        Raises:
            RuntimeError: the system gives no further thread.
        """
        try:
            lane = self._idle.pop()
        except IndexError:
            lane = _Lane(self._context.copy())

        def job() -> bool:
            result = work()
            self._idle.append(lane)
            done(result)
            return not self._closed

        lane.jobs.put(job)

    def close(self) -> None:
        """End the threads that are idle now, and the others as soon as their job returns."""
        self._closed = True
        idle = list(self._idle)
        for lane in idle:
            lane.jobs.put(None)
        for lane in idle:
            lane.thread.join(CLOSE_S)


class _Lane:
    """One thread and the queue of its jobs; a job tells whether there may be another."""

    def __init__(self, context: contextvars.Context) -> None:
        self.jobs: SimpleQueue[Callable[[], bool] | None] = SimpleQueue()
        self.thread = threading.Thread(target=context.run, args=(self._work,), name="benchdb-stream", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        while (job := self.jobs.get()) is not None and job():
            pass


GRACE_S = 1.0
"""How long a request that was given up may take to clean up."""

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]


class Sender:
    """One run of a plan.

    Attributes:
        exchanges: of the block, in no certain order.
        under_way: what has been sent and has neither ended nor been given up; warm-up requests too.
        start: when the block began, by the clock; None during warm-up.
    """

    def __init__(self, plan: StreamPlan, *, clock: Clock, sleep: Sleep) -> None:
        """Prepare to send by `plan`; nothing is asked of a source yet."""
        self.exchanges: list[Exchange] = []
        self.under_way: list[Exchange] = []
        self.start: float | None = None
        self._plan = plan
        self._clock = clock
        self._sleep = sleep
        self._lanes = Lanes()
        self._calls: tuple[Call, ...] = ()
        self._asynchronous: set[int] = set()

    async def send_all(self, source: Source) -> None:
        """Send the warm-up requests and then the block; return when all have ended or were given up.

        Raises:
            ConfigError: the source cannot be asked.
            MissingExtraError: it is an endpoint and httpx is not installed.
        """
        try:
            async with opened(source, self._plan) as self._calls:
                await self._closed_loop(iter(range(self._plan.warmup_requests)), lambda: False)
                self.exchanges.clear()
                self.start = self._clock()
                if self._plan.rate is None:
                    await self._closed_loop(islice(count(), self.planned()), self._is_over)
                else:
                    await self._open_loop(self._plan.rate, self.start)
        finally:
            self._lanes.close()

    def planned(self) -> int | None:
        """Return how many requests the block has; None if its duration decides."""
        if self._plan.requests is None and self._plan.duration_s is None:
            return len(self._calls)
        return self._plan.requests

    def _is_over(self) -> bool:
        if self.start is None or self._plan.duration_s is None:
            return False
        return self._clock() - self.start >= self._plan.duration_s

    def _exchange(self, due_s: float | None = None) -> Exchange:
        tokens = self._plan.tokens
        return Exchange(clock=self._clock, due_s=due_s, count=tokens if callable(tokens) else None)

    async def _closed_loop(self, numbers: Iterator[int], is_over: Callable[[], bool]) -> None:
        async def work() -> None:
            for number in numbers:  # shared by all workers
                if is_over():
                    return
                await self._request(number, self._exchange())

        await asyncio.gather(*(work() for _ in range(self._plan.concurrency or 1)))

    async def _open_loop(self, rate: float, start: float) -> None:
        plan = self._plan
        places = asyncio.Semaphore(plan.concurrency) if plan.concurrency is not None else None
        due = arrival_times(rate, seed=plan.seed, requests=self.planned(), duration_s=plan.duration_s)
        arrived = []
        for number, due_s in enumerate(due):
            wait_s = start + due_s - self._clock()
            # Without a wait the loop still gets its turn, so that arrivals that are late are sent in between.
            await (self._sleep(wait_s) if wait_s > 0 else asyncio.sleep(0))
            arrived.append(asyncio.ensure_future(self._arrive(number, self._exchange(due_s), places)))
        await asyncio.gather(*arrived)

    async def _arrive(self, number: int, exchange: Exchange, places: asyncio.Semaphore | None) -> None:
        if places is None:
            await self._request(number, exchange)
            return
        async with places:
            await self._request(number, exchange)

    async def _request(self, number: int, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.under_way.append(exchange)
        task = asyncio.ensure_future(self._answer(number % len(self._calls), exchange))
        done, _ = await asyncio.wait({task}, timeout=self._plan.timeout_s)
        if not done:
            exchange.end(f"no whole answer within {self._plan.timeout_s:g} s (timeout_s)")
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE_S)
        elif task.cancelled():
            exchange.end("the request was cancelled")
        elif (error := task.exception()) is not None:
            exchange.end(f"{type(error).__name__}: {error}")
        self.under_way.remove(exchange)

    async def _answer(self, place: int, exchange: Exchange) -> None:
        call = self._calls[place]
        if place in self._asynchronous or is_async(call):
            await call_async(call, exchange)
            return
        answer = await self._in_thread(lambda: run(call, exchange))
        if answer is not None:
            # Next time it is called in the loop at once, without the way through a thread.
            self._asynchronous.add(place)
            await run_async(answer, exchange)

    async def _in_thread(self, work: Callable[[], object | None]) -> object | None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object | None] = loop.create_future()

        def settle(result: object | None) -> None:
            if not future.done():
                future.set_result(result)

        def done(result: object | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: the request was given up
                loop.call_soon_threadsafe(settle, result)

        self._lanes.submit(work, done)
        return await future
