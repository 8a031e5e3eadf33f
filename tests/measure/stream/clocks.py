"""A clock that only moves when it is advanced, and requests that move it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence


class FakeClock:
    """Seconds since an arbitrary moment; called like `time.perf_counter`."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    async def sleep(self, seconds: float) -> None:
        """Replace `asyncio.sleep`: all other tasks run as far as they can before the time is over."""
        for _ in range(20):
            await asyncio.sleep(0)
        self.advance(seconds)


def paced(clock: FakeClock, delays_s: Sequence[float], chunk: object = "w") -> Iterator[object]:
    """Yield a chunk after each delay, by the clock."""
    for delay_s in delays_s:
        clock.advance(delay_s)
        yield chunk


async def paced_async(clock: FakeClock, delays_s: Sequence[float], chunk: object = "w") -> AsyncIterator[object]:
    for delay_s in delays_s:
        clock.advance(delay_s)
        await asyncio.sleep(0)
        yield chunk
