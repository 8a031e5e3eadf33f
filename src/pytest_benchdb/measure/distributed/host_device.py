"""The host as a device: what a rank runs on where no backend opens another."""

import time
from collections.abc import Mapping

from pytest_benchdb.model.environment import Device


class HostDevice:
    """The host as an `OpenDevice`: calls return when their work is done."""

    def __init__(self) -> None:
        self.device = Device(device_id="", backend="cpu", name="host")
        self.handle: object = "cpu"
        self.sync_mode: str | None = None

    def clock_ns(self) -> int:
        """Return `time.perf_counter_ns`."""
        return time.perf_counter_ns()

    def synchronize(self) -> None:
        """Do nothing: there is nothing to wait for."""

    def mark(self) -> object | None:
        """Return None: the host's clock is the wall clock."""
        return None

    def elapsed_s(self, begin: object, end: object) -> float:
        """Never called, because there are no marks."""
        raise NotImplementedError

    def reset_memory(self) -> None:
        """Do nothing."""

    def memory(self) -> Mapping[str, float]:
        """Return nothing: the host has no allocator of its own."""
        return {}

    def flush_cache(self) -> bool:
        """Return False: there is no way."""
        return False

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Tell by Python's own error."""
        return isinstance(error, MemoryError)

    def close(self) -> None:
        """Do nothing."""
