"""The client's own load: how busy the thread of its event loop was, and how late that loop ran what was due.

Chunks are noted by the event loop, so every time of an endpoint's metrics is late by about the loop's delay. A client
that is saturated measures itself.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

TICK_S = 0.02
"""Time between two looks at the event loop's delay: 50 per second cost less than 0.1 % of a core."""
BUSY_SHARE = 0.9
"""Share of a core from which on the loop's thread is saturated: what arrives then waits for what came before."""
TOLERATED_SHARE = 0.05
"""Median delay of the loop that is tolerated, as a share of the median time to first token, within `TOLERATED_S`."""
TOLERATED_S = (0.002, 0.010)
"""An event loop sleeps to a millisecond; and one that is later than the second does not see single tokens."""

_THREAD_TIME: Callable[[], float] | None = getattr(time, "thread_time", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLoad:
    """The load of the client within a block.

    Attributes:
        wall_s: duration of the observation.
        cpu_s: CPU time of the event loop's thread; None if this platform has no clock for it.
        process_cpu_s: CPU time of the whole process: requests that block have threads of their own.
        delays_s: how late the event loop was, in order, at regular moments of the block.
    """

    wall_s: float
    cpu_s: float | None
    process_cpu_s: float
    delays_s: tuple[float, ...]

    @property
    def cpu_share(self) -> float | None:
        """CPU time of the loop's thread as a share of one core; None if that is not known or no time passed."""
        return None if self.cpu_s is None or self.wall_s <= 0 else self.cpu_s / self.wall_s

    def saturation(self, ttft_s: Sequence[float]) -> str | None:
        """Return why this client cannot have measured these times to first token; None if it can have."""
        share = self.cpu_share
        late_s = median(self.delays_s) if self.delays_s else 0.0
        least_s, most_s = TOLERATED_S
        tolerated_s = min(max(least_s, TOLERATED_SHARE * median(ttft_s)), most_s) if ttft_s else least_s
        if (share is None or share < BUSY_SHARE) and late_s <= tolerated_s:
            return None
        had = "" if share is None else f"had {share:.0%} of a core and "
        return (
            f"the client was saturated: its event loop {had}ran {late_s * 1e3:.1f} ms late in the median (tolerated: "
            f"{tolerated_s * 1e3:.1f} ms); send less at once, or leave it a processor of its own"
        )


class LoopWatch:
    """Watches an event loop; `start` and `stop` are called in its thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        cpu: Callable[[], float] | None = _THREAD_TIME,
        process_cpu: Callable[[], float] = time.process_time,
    ) -> None:
        """Prepare to watch `loop`, by its own clock; `cpu` is the CPU time of the current thread in seconds."""
        self._loop = loop
        self._cpu = cpu
        self._process_cpu = process_cpu
        self._delays_s: list[float] = []
        self._due = 0.0
        self._began = (0.0, 0.0, 0.0)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin."""
        self._began = self._readings()
        self._due = self._began[0] + TICK_S
        self._timer = self._loop.call_at(self._due, self._tick)

    def stop(self) -> ClientLoad:
        """End and return what was seen."""
        if self._timer is not None:
            self._timer.cancel()
        wall_s, cpu_s, process_cpu_s = (now - then for now, then in zip(self._readings(), self._began, strict=True))
        return ClientLoad(
            wall_s=wall_s,
            cpu_s=None if self._cpu is None else cpu_s,
            process_cpu_s=process_cpu_s,
            delays_s=tuple(self._delays_s),
        )

    def _readings(self) -> tuple[float, float, float]:
        return self._loop.time(), 0.0 if self._cpu is None else self._cpu(), self._process_cpu()

    def _tick(self) -> None:
        now = self._loop.time()
        # A loop that was stuck missed several moments, and was late at each of them.
        while self._due <= now:
            self._delays_s.append(now - self._due)
            self._due += TICK_S
        self._timer = self._loop.call_at(self._due, self._tick)
