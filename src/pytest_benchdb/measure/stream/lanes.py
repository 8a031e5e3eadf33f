"""Threads in which blocking requests run, used again and again."""

import contextvars
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

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
