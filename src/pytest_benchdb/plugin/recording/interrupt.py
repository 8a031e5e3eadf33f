"""Keeps Ctrl-C from cutting short what stores a result: impatience must not cost what was measured.

PYTEST_DONT_REWRITE
"""

import contextlib
import signal
import threading
import types
from collections.abc import Iterator


@contextlib.contextmanager
def interrupt_held(*, forget: bool = False) -> Iterator[None]:
    """Hold the first Ctrl-C until the end of a block, which then raises KeyboardInterrupt; the second raises at once.

    A handler that is not Python's own stays in place: its owner decides.

    Args:
        forget: whether to raise nothing at the end of the block, because the session ends anyway.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed within the block.
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
    if held and not forget:
        raise KeyboardInterrupt
