"""Runs a plan in a thread of its own, and bounds even the requests that block its event loop."""

import asyncio
import contextvars
import threading
import time
from contextlib import suppress

from pytest_benchdb.measure.stream.events import Events, Exchange, events_of
from pytest_benchdb.measure.stream.plan import StreamPlan
from pytest_benchdb.measure.stream.sender import GRACE_S, Clock, Sender, Sleep
from pytest_benchdb.measure.stream.source import Source

BLOCKED_S = 2.0
"""How much longer than `StreamPlan.timeout_s` a request may be under way before its event loop is given up."""


def run_requests(
    source: Source, plan: StreamPlan, *, clock: Clock = time.perf_counter, sleep: Sleep = asyncio.sleep
) -> Events:
    """Send the requests of a plan and return their events.

    Args:
        source: what to ask.
        plan: how to send; warm-up requests go first and leave nothing.
        clock: of all times that are returned, seconds.
        sleep: waits for an arrival, seconds; in an open loop only.

    Raises:
        ConfigError: the source cannot be asked.
        MissingExtraError: it is an endpoint and httpx is not installed.
    """
    sender = Sender(plan, clock=clock, sleep=sleep)
    begun = clock()
    if not _LoopThread(sender, source).wait(plan.timeout_s):
        _give_up(sender, plan, clock)
    return events_of(sender.exchanges, plan, start=begun if sender.start is None else sender.start)


class _LoopThread:
    """An event loop in a daemon thread, in which a sender works.

    The caller's thread may run an event loop already (an asynchronous test), and must stay free to see that
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
        """Send everything; False if a request blocked the loop for so long that it was given up.

        Raises:
            BaseException: what the sender raised, or what interrupted the caller; sending has ended then.
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
            # Ctrl-C, or a time limit of the test: stop sending, wait for nobody.
            self._stop()
            raise
        thread.join(GRACE_S)
        if self._failure is not None:
            raise self._failure
        return True

    def _run(self) -> None:
        # What requests that were given up leave behind is not the session's business.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        try:
            self._task = self._loop.create_task(self._sender.send_all(self._source))
            self._loop.run_until_complete(self._task)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._failure = error
        finally:
            with suppress(Exception):
                self._loop.run_until_complete(_cleared(self._loop))
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
        sent = [exchange.started_monotonic for exchange in tuple(self._sender.under_way)]
        return any(at is not None and at < limit for at in sent)


async def _cleared(loop: asyncio.AbstractEventLoop) -> None:
    """Let what was given up come to its end, within `GRACE_S` each."""
    left = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=GRACE_S)
    await asyncio.wait_for(loop.shutdown_asyncgens(), GRACE_S)


def _give_up(sender: Sender, plan: StreamPlan, clock: Clock) -> None:
    """End what a blocked event loop left, and account for what it never sent."""
    error = f"the event loop was blocked for more than {plan.timeout_s:g} s (timeout_s)"
    for exchange in tuple(sender.under_way):
        exchange.end(f"{error} by this request or one beside it; an async generator must not block")
    if sender.start is None:
        sender.exchanges = []  # of the warm-up
    for _ in range((sender.planned() or 0) - len(sender.exchanges)):
        unsent = Exchange(clock=clock)
        unsent.end(f"never sent: {error}")
        sender.exchanges.append(unsent)
