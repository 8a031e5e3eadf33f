"""A device of a runtime whose calls return when their work is done, and which tells no times or memory of its own."""

import time
from collections.abc import Callable, Mapping

from pytest_benchdb.model.environment import Device


class OpenBlocking:
    """Such a device in use.

    Attributes:
        device: what it is.
        handle: what a test gets.
        sync_mode: None: there is nothing to wait for.
    """

    sync_mode: str | None = None

    def __init__(self, device: Device, handle: object, out_of_memory: Callable[[BaseException], bool]) -> None:
        """Take a device that has been tried out.

        Args:
            device: what it is.
            handle: what a test gets.
            out_of_memory: tells whether an exception says that its memory ran out.
        """
        self.device = device
        self.handle = handle
        self._out_of_memory = out_of_memory

    def clock_ns(self) -> int:
        """Return the wall clock, nanoseconds."""
        return time.perf_counter_ns()

    def synchronize(self) -> None:
        """Return at once: what was asked is done. Requests started asynchronously are for the test to wait for."""

    def mark(self) -> object | None:
        """Return None: the runtime has no clock of the device."""
        return None

    def elapsed_s(self, begin: object, end: object) -> float:
        """Refuse: there are no marks.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"{self.device.backend} gives no marks, so there is no time between {begin!r} and {end!r}")

    def reset_memory(self) -> None:
        """Do nothing: the runtime tells no peak."""

    def memory(self) -> Mapping[str, float]:
        """Return nothing: the runtime tells no peak."""
        return {}

    def flush_cache(self) -> bool:
        """Return False: the runtime has no way to empty caches."""
        return False

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Tell whether an exception says that memory ran out."""
        return self._out_of_memory(error)

    def close(self) -> None:
        """Let go of what the test got."""
        self.handle = None
