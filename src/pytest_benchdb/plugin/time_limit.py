"""A limit on how long a provider may take in the main thread, where it cannot be asked in another.

PYTEST_DONT_REWRITE
"""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType


class LimitPassedError(Exception):
    """What was asked took longer than it may."""


@contextlib.contextmanager
def time_limit(limit_s: float) -> Iterator[None]:
    """Raise `LimitPassedError` in the block once it has taken `limit_s`.

    It interrupts what runs Python or waits in a system call, not a C function that never returns. The alarm of
    somebody else, pytest-timeout's for instance, goes on; where it would ring first, it is left alone. There is no
    limit outside the main thread and on platforms without alarms.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    others_s = signal.getitimer(signal.ITIMER_REAL)[0]
    if 0 < others_s <= limit_s:
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise LimitPassedError(f"gave no answer within {limit_s:g} s")

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    _, interval_s = signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if others_s:
            signal.setitimer(signal.ITIMER_REAL, max(others_s - (time.monotonic() - began), 1e-3), interval_s)
