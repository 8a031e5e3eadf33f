"""Lets the session be stored after a Ctrl-C too many: impatience must not cost what was measured.

PYTEST_DONT_REWRITE
"""

import contextlib
import signal
import threading
import types
from collections.abc import Iterator


@contextlib.contextmanager
def one_interrupt_ignored() -> Iterator[None]:
    """Ignore the first Ctrl-C within a block; the next one raises KeyboardInterrupt, as ever.

    A handler that is not Python's own is left in place: then its owner decides.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    ignored = False

    def ignore_once(number: int, frame: types.FrameType | None) -> None:
        nonlocal ignored
        if ignored:
            signal.default_int_handler(number, frame)
        ignored = True

    signal.signal(signal.SIGINT, ignore_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
