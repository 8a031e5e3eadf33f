"""Keeps Ctrl-C from cutting short what stores a result: impatience must not cost what was measured.

PYTEST_DONT_REWRITE
"""

import contextlib
import signal
import threading
import types
from collections.abc import Iterator


@contextlib.contextmanager
def interrupt_held() -> Iterator[None]:
    """Ignore the first Ctrl-C within a block that ends the session anyway; the second raises KeyboardInterrupt.

    A handler that is not Python's own stays in place: its owner decides.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    held = False

    def hold(number: int, frame: types.FrameType | None) -> None:
        nonlocal held
        if held:
            signal.default_int_handler(number, frame)
        held = True

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
