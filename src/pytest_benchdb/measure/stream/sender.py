"""Sends the requests of a plan, in a closed or an open loop, from an event loop in its own thread.

Blocking requests run in `Lanes`, a pool of threads. The time limit applies even to requests that block the event loop.
"""

import asyncio
import contextvars
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from itertools import count, islice
from queue import SimpleQueue
from typing import TypeVar

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.stream.events import Events, Exchange, events_of
from pytest_benchdb.measure.stream.load import ClientLoad, LoopWatch
from pytest_benchdb.measure.stream.plan import StreamPlan, arrival_times
from pytest_benchdb.measure.stream.requests import Call, Source, call_async, is_async, open_source, run, run_async

T = TypeVar("T")

CLOSE_S = 1.0
"""How long `Lanes.close` waits for one idle thread to end."""
GRACE_S = 1.0
"""How long an abandoned request may clean up."""
READY_POLL_S = 1.0
"""Time between two requests that find out whether a server is ready."""
Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]
BLOCKED_S = 2.0
"""How far a request may exceed `StreamPlan.timeout_s` before its event loop is abandoned."""


class Lanes:
    """A pool of daemon threads, as many as there were concurrent jobs.

    Threads are reused, the latest first, because libraries keep state per thread (an OpenMP team, a connection)
    that a new thread would have to build during its first request. They are daemons, so that a job that never
    returns does not keep the process alive.
    """

    def __init__(self) -> None:
        self._context = contextvars.copy_context()
        self._idle: deque[_Lane] = deque()
        self._closed = False

    def submit(self, work: Callable[[], T], done: Callable[[T], object]) -> None:
        """Run `work` in a thread, and call `done` there with its result; neither may raise.

        The thread is free for the next job before `done` is called.

        Raises:
            RuntimeError: the system cannot start another thread.
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
        """End the idle threads now, and the others as soon as their job returns."""
        self._closed = True
        idle = list(self._idle)
        for lane in idle:
            lane.jobs.put(None)
        for lane in idle:
            lane.thread.join(CLOSE_S)


class _Lane:
    """One thread and its queue of jobs; a job returns whether the thread should continue."""

    def __init__(self, context: contextvars.Context) -> None:
        self.jobs: SimpleQueue[Callable[[], bool] | None] = SimpleQueue()
        self.thread = threading.Thread(target=context.run, args=(self._work,), name="benchdb-stream", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        while (job := self.jobs.get()) is not None and job():
            pass


class Sender:
    """One run of a plan.

    Attributes:
        exchanges: of the block, in no particular order.
        in_flight: those that have neither ended nor been abandoned, including warm-up requests.
        start: when the block began, by the clock; None during warm-up.
        load: the client's load within the block; None until that is over.
    """

    def __init__(
        self, plan: StreamPlan, *, clock: Clock, sleep: Sleep, around: AbstractContextManager[object] | None = None
    ) -> None:
        self.exchanges: list[Exchange] = []
        self.in_flight: list[Exchange] = []
        self.start: float | None = None
        self.load: ClientLoad | None = None
        self._plan = plan
        self._clock = clock
        self._sleep = sleep
        self._around = around or nullcontext()
        self._lanes = Lanes()
        self._calls: tuple[Call, ...] = ()
        self._asynchronous: set[int] = set()

    async def send_all(self, source: Source) -> None:
        """Send the warm-up requests and then the block; return when all have ended or were abandoned.

        Raises:
            ConfigError: the source is not a `Source`.
            MissingExtraError: the source is an endpoint and aiohttp is not installed.
            MeasurementError: the source was not ready within the plan's time.
        """
        try:
            async with open_source(source, self._plan) as self._calls:
                await self._until_ready()
                await self._closed_loop(iter(range(self._plan.warmup_requests)), lambda: False)
                self.exchanges.clear()
                with self._around:
                    await self._block()
        finally:
            self._lanes.close()

    async def _until_ready(self) -> None:
        """Send one request after another until one is answered whole."""
        limit_s = self._plan.ready_timeout_s
        began = self._clock()
        while limit_s:
            exchange = self._exchange()
            await self._request(0, exchange)
            if exchange.error is None:
                return
            if self._clock() - began >= limit_s:
                raise MeasurementError(
                    f"no request was answered whole within {limit_s:g} s (ready_timeout_s); "
                    f"the last one: {exchange.error}"
                )
            await self._sleep(READY_POLL_S)

    async def _block(self) -> None:
        watch = LoopWatch(asyncio.get_running_loop())
        watch.start()
        self.start = self._clock()
        try:
            if self._plan.rate is None:
                await self._closed_loop(
                    islice(count(self._plan.warmup_requests), self.planned()),
                    self._is_over,
                    ramp_up_s=self._plan.ramp_up_s,
                )
            else:
                await self._open_loop(self.start)
        finally:
            self.load = watch.stop()

    def planned(self) -> int | None:
        """Return the number of requests in the block; None if it depends on the duration."""
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

    async def _closed_loop(
        self, numbers: Iterator[int], is_over: Callable[[], bool], *, ramp_up_s: float = 0.0
    ) -> None:
        workers = self._plan.concurrency or 1

        async def work(worker: int) -> None:
            if wait_s := ramp_up_s * worker / workers:
                await self._sleep(wait_s)
            for number in numbers:  # shared by all workers
                if is_over():
                    return
                await self._request(number, self._exchange())

        await asyncio.gather(*(work(worker) for worker in range(workers)))

    async def _open_loop(self, start: float) -> None:
        plan = self._plan
        places = asyncio.Semaphore(plan.concurrency) if plan.concurrency is not None else None
        due = arrival_times(plan, self.planned())
        arrived = []
        for number, due_s in enumerate(due, plan.warmup_requests):
            wait_s = start + due_s - self._clock()
            # Even without a wait, yield to the loop, so that late arrivals are sent now.
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
        self.in_flight.append(exchange)
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
        self.in_flight.remove(exchange)

    async def _answer(self, place: int, exchange: Exchange) -> None:
        call = self._calls[place]
        if place in self._asynchronous or is_async(call):
            await call_async(call, exchange)
            return
        answer = await self._in_thread(lambda: run(call, exchange))
        if answer is not None:
            # Next time call it in the loop directly, without a thread.
            self._asynchronous.add(place)
            await run_async(answer, exchange)

    async def _in_thread(self, work: Callable[[], object | None]) -> object | None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object | None] = loop.create_future()

        def settle(result: object | None) -> None:
            if not future.done():
                future.set_result(result)

        def done(result: object | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: the request was abandoned
                loop.call_soon_threadsafe(settle, result)

        self._lanes.submit(work, done)
        return await future


def send_requests(
    source: Source,
    plan: StreamPlan,
    *,
    clock: Clock = time.perf_counter,
    sleep: Sleep = asyncio.sleep,
    around: AbstractContextManager[object] | None = None,
) -> Events:
    """Send the requests of a plan and return their events, without those of the warm-up.

    `clock` gives all times, and `sleep` waits for an arrival in an open loop, in seconds. `around` is entered after the
    warm-up and left at the end of the block.

    Raises:
        ConfigError: the source is not a `Source`.
        MissingExtraError: the source is an endpoint and aiohttp is not installed.
        MeasurementError: the source was not ready within the plan's time.
    """
    sender = Sender(plan, clock=clock, sleep=sleep, around=around)
    begun = clock()
    if not _LoopThread(sender, source).wait(plan.timeout_s):
        _give_up(sender, plan, clock)
    start = begun if sender.start is None else sender.start
    return events_of(sender.exchanges, plan, start=start, load=sender.load)


class _LoopThread:
    """A daemon thread with an event loop that runs a sender.

    The caller's thread may already run an event loop (an asynchronous test), and must stay free to notice that
    this one is stuck.
    """

    def __init__(self, sender: Sender, source: Source) -> None:
        self._sender = sender
        self._source = source
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._finished = threading.Event()
        self._failure: BaseException | None = None

    def wait(self, timeout_s: float) -> bool:
        """Send everything; return False if a request blocked the loop for so long that it was abandoned.

        Raises:
            BaseException: raised by the sender, or an interrupt of the caller, which stops sending.
        """
        run = contextvars.copy_context().run
        thread = threading.Thread(target=run, args=(self._run,), name="benchdb-stream-loop", daemon=True)
        thread.start()
        try:
            while not self._finished.wait(min(GRACE_S, timeout_s)):
                if self._is_blocked(timeout_s):
                    self._stop()
                    return False
        except BaseException:
            # Ctrl-C, or the test's time limit: stop sending without waiting.
            self._stop()
            raise
        thread.join(GRACE_S)
        if self._failure is not None:
            raise self._failure
        return True

    def _run(self) -> None:
        # Ignore errors of abandoned requests.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        try:
            self._task = self._loop.create_task(self._sender.send_all(self._source))
            self._loop.run_until_complete(self._task)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._failure = error
        finally:
            with suppress(Exception):
                self._loop.run_until_complete(_cancel_tasks(self._loop))
            self._loop.close()
            self._finished.set()

    def _stop(self) -> None:
        def cancel() -> None:
            if self._task is not None:
                self._task.cancel()

        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(cancel)

    def _is_blocked(self, timeout_s: float) -> bool:
        limit = time.monotonic() - timeout_s - BLOCKED_S
        sent = [exchange.started_monotonic for exchange in tuple(self._sender.in_flight)]
        return any(at is not None and at < limit for at in sent)


async def _cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel abandoned tasks and wait for them up to `GRACE_S`."""
    left = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=GRACE_S)
    await asyncio.wait_for(loop.shutdown_asyncgens(), GRACE_S)


def _give_up(sender: Sender, plan: StreamPlan, clock: Clock) -> None:
    """End the exchanges of a blocked event loop, and add those that were never sent."""
    error = f"the event loop was blocked for more than {plan.timeout_s:g} s (timeout_s)"
    for exchange in tuple(sender.in_flight):
        exchange.end(f"{error} by this request or one beside it; an async generator must not block")
    if sender.start is None:
        sender.exchanges = []  # of the warm-up
    for _ in range((sender.planned() or 0) - len(sender.exchanges)):
        unsent = Exchange(clock=clock)
        unsent.end(f"never sent: {error}")
        sender.exchanges.append(unsent)
