"""The toy: an accelerator in pure Python, in place of your vendor's library.

It works as accelerators do. `submit` only queues, `wait` returns when the queue is empty, and the device has
a clock, an allocator and an energy counter of its own, which know nothing of the host's.
"""

from collections import deque
from collections.abc import Callable

FIRMWARE = "toy-1.0"
CYCLE_NS = 10
"""Time of one cycle on the device's clock."""
BUSY_W = 20.0
TICK_J = 1e-4
"""The energy counter moves in steps of this size, as real ones do."""


class OutOfMemoryError(RuntimeError):
    """The accelerator has less memory than was asked for."""


class Accelerator:
    """One device."""

    memory_bytes = 1 << 20

    def __init__(self) -> None:
        self._queue: deque[Callable[[], int]] = deque()
        self._cycles = 0
        self.allocated_bytes = 0
        self.peak_bytes = 0

    def submit(self, kernel: Callable[[], int]) -> None:
        """Queue a kernel: a function that works and returns how many cycles it took."""
        self._queue.append(kernel)

    def wait(self) -> None:
        """Run what is queued; return when it is done."""
        while self._queue:
            self._cycles += self._queue.popleft()()

    def record(self) -> list[int]:
        """Queue a mark; once it is reached, it holds the time on the device's clock, nanoseconds."""
        mark: list[int] = []

        def reach() -> int:
            mark.append(self._cycles * CYCLE_NS)
            return 0

        self.submit(reach)
        return mark

    def allocate(self, size_bytes: int) -> None:
        if self.allocated_bytes + size_bytes > self.memory_bytes:
            raise OutOfMemoryError(f"{size_bytes} bytes do not fit into {self.memory_bytes - self.allocated_bytes}")
        self.allocated_bytes += size_bytes
        self.peak_bytes = max(self.peak_bytes, self.allocated_bytes)

    def free(self, size_bytes: int) -> None:
        self.allocated_bytes -= size_bytes

    def joules(self) -> float:
        """Read the energy counter, which only knows whole ticks."""
        return self._cycles * CYCLE_NS * 1e-9 * BUSY_W // TICK_J * TICK_J

    def dot(self, left: list[float], right: list[float]) -> list[float]:
        """Queue a scalar product; its result is in the list that is returned, once it is done."""
        result: list[float] = []

        def kernel() -> int:
            result.append(sum(a * b for a, b in zip(left, right, strict=True)))
            return 4 * len(left)

        self.submit(kernel)
        return result


_THE_ONE = Accelerator()


def this_accelerator() -> Accelerator:
    """Return the accelerator of this process; backend and meter see the same one."""
    return _THE_ONE
