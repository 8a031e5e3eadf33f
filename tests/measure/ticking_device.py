"""A device whose clocks move only when a test says so."""

from collections.abc import Mapping

from pytest_benchdb.measure.timing.block_clock import BlockClock
from pytest_benchdb.model.environment import Device


class TickingDevice:
    """An `OpenDevice` that works asynchronously: launched work is done only at the next barrier."""

    def __init__(self, *, marks: bool = True, sync_mode: str | None = "barrier") -> None:
        self.device = Device(device_id="d0", backend="ticking", name="ticking")
        self.handle: object = None
        self.sync_mode = sync_mode
        self.wall_ns = 1_000
        self.cpu_ns = 5_000
        self.thread_ns = 7_000
        self.barriers = 0
        self.lost: Exception | None = None
        self._marks = marks
        self._queued_ns = 0
        self._timeline_ns = 0

    def clock(self) -> BlockClock:
        return BlockClock(self, cpu_ns=lambda: self.cpu_ns, thread_ns=lambda: self.thread_ns)

    def work(self, wall_ms: float, *, cpu_ms: float = 0, thread_ms: float = 0) -> None:
        """Let the host work."""
        self.wall_ns += round(wall_ms * 1e6)
        self.cpu_ns += round(cpu_ms * 1e6)
        self.thread_ns += round(thread_ms * 1e6)

    def launch(self, device_ms: float) -> None:
        """Give the device work, and return at once."""
        self._queued_ns += round(device_ms * 1e6)
        self._timeline_ns += round(device_ms * 1e6)

    def clock_ns(self) -> int:
        return self.wall_ns

    def synchronize(self) -> None:
        if self.lost is not None:
            raise self.lost
        self.barriers += 1
        self.wall_ns += self._queued_ns
        self._queued_ns = 0

    def mark(self) -> object | None:
        return (self._timeline_ns,) if self._marks else None

    def elapsed_s(self, begin: object, end: object) -> float:
        assert self._queued_ns == 0, "elapsed_s before synchronize"
        assert isinstance(begin, tuple)
        assert isinstance(end, tuple)
        return float(end[0] - begin[0]) / 1e9

    def reset_memory(self) -> None:
        raise NotImplementedError

    def memory(self) -> Mapping[str, float]:
        raise NotImplementedError

    def flush_cache(self) -> bool:
        raise NotImplementedError

    def is_out_of_memory(self, error: BaseException) -> bool:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError
