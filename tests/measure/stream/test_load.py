"""The client's own load, on an event loop whose clock is moved by hand."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_benchdb.measure.stream.load import TICK_S, ClientLoad, LoopWatch


class Timer:
    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """Runs what is due when it is told the time."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, due: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(due, call))
        return self.timers[-1]

    def run_at(self, now: float) -> None:
        self.now = now
        due = [timer for timer in self.timers if timer.due <= now]
        self.timers = [timer for timer in self.timers if timer.due > now]
        for timer in due:
            timer.call()


def watch(loop: Any, cpu_s: list[float]) -> LoopWatch:
    return LoopWatch(loop, cpu=lambda: cpu_s[0], process_cpu=lambda: 2 * cpu_s[0])


def test_watch_notes_how_late_the_loop_was_and_its_cpu_time() -> None:
    loop, cpu_s = Loop(), [5.0]
    watching = watch(loop, cpu_s)

    watching.start()
    loop.run_at(100.0 + TICK_S + 0.001)
    loop.run_at(100.0 + 2 * TICK_S + 0.003)
    cpu_s[0] += 0.02
    load = watching.stop()

    assert load.delays_s == pytest.approx((0.001, 0.003))
    assert load.wall_s == pytest.approx(2 * TICK_S + 0.003)
    assert (load.cpu_s, load.process_cpu_s) == pytest.approx((0.02, 0.04))
    assert [timer.cancelled for timer in loop.timers] == [True]


def test_loop_that_was_stuck_was_late_at_every_moment_that_it_missed() -> None:
    loop = Loop()
    watching = watch(loop, [0.0])

    watching.start()
    loop.run_at(100.0 + 3 * TICK_S)

    assert watching.stop().delays_s == pytest.approx((2 * TICK_S, TICK_S, 0.0), abs=1e-9)


def load(*, cpu_s: float = 0.1, delays_s: tuple[float, ...] = (0.001,)) -> ClientLoad:
    return ClientLoad(wall_s=1.0, cpu_s=cpu_s, process_cpu_s=cpu_s, delays_s=delays_s)


@pytest.mark.parametrize(
    ("client", "ttft_s", "why"),
    [
        (load(), 0.08, None),
        (load(cpu_s=0.95), 0.08, "had 95% of a core and ran 1.0 ms late in the median (tolerated: 4.0 ms)"),
        (load(delays_s=(0.001, 0.005, 0.006)), 0.08, "had 10% of a core and ran 5.0 ms late in the median"),
        (load(delays_s=(0.001, 0.005, 0.006)), 0.12, None),
        (load(delays_s=(0.011,)), 2.0, "(tolerated: 10.0 ms)"),
        (load(delays_s=(0.0015, 0.0015, 0.9)), 0.001, None),
        (load(delays_s=(0.003,)), None, "(tolerated: 2.0 ms)"),
        (load(delays_s=()), 0.08, None),
    ],
    ids=["idle", "busy", "late", "late for a slow server", "late for single tokens", "late once", "no answer", "short"],
)
def test_client_is_saturated_if_its_loop_is_busy_or_late(
    client: ClientLoad, ttft_s: float | None, why: str | None
) -> None:
    saturated = client.saturation([] if ttft_s is None else [ttft_s] * 3)

    assert (saturated is None) == (why is None)
    assert (why or "") in (saturated or "")


def test_share_is_not_known_without_time_or_a_clock_of_the_thread() -> None:
    assert ClientLoad(wall_s=0.0, cpu_s=0.0, process_cpu_s=0.0, delays_s=()).cpu_share is None

    loop: Any = Loop()
    watching = LoopWatch(loop, cpu=None)
    watching.start()
    loop.run_at(100.0 + 2 * TICK_S)
    client = watching.stop()

    assert client.cpu_share is None
    assert client.saturation([0.01]) == (
        "the client was saturated: its event loop ran 10.0 ms late in the median (tolerated: 2.0 ms); "
        "send less at once, or leave it a processor of its own"
    )
