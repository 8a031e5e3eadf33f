import random
from collections.abc import Callable

import pytest

from pytest_benchdb.measure.timing.calibration import Calibration, calibrate

MS = 1_000_000
GOAL_NS = 1.0 * MS


class Machine:
    """A function and the machine that runs it: `took_ns` says how long a round of so many calls takes."""

    def __init__(self, took_ns: Callable[[int], float], *, host_ns: Callable[[int], float] | None = None) -> None:
        self.host_ns = 0
        self.rounds: list[int] = []
        self._took_ns = took_ns
        self._host_ns = host_ns or took_ns

    def run(self, iterations: int) -> int:
        self.rounds.append(iterations)
        took_ns = round(self._took_ns(iterations))
        self.host_ns += took_ns if self._host_ns is self._took_ns else round(self._host_ns(iterations))
        return took_ns

    def calibrate(self, *, first_call_ns: int = MS, until_s: float = 2.0) -> Calibration:
        return calibrate(
            self.run,
            first_call_ns=first_call_ns,
            goal_ns=GOAL_NS,
            host_ns=lambda: self.host_ns,
            until_ns=until_s * 1e9,
        )


@pytest.mark.parametrize("call_ns", [1, 40, 705, 7_000, 90_000, 400_000, 900_000, 5 * MS, 3000 * MS])
def test_calibrate_fills_a_round(call_ns: int) -> None:
    machine = Machine(lambda iterations: call_ns * iterations)

    found = machine.calibrate()

    assert found.iterations == pytest.approx(max(1, GOAL_NS / call_ns), rel=0.2)
    assert found.rounds == len(machine.rounds)
    assert machine.host_ns <= max(30 * MS, 5 * call_ns) or machine.rounds == [1]


def test_calibrate_differs_little_on_a_busy_machine() -> None:
    """25 copies of a function of 7 us, of which two of five rounds are interrupted for up to 20 ms."""
    chance = random.Random(1)  # noqa: S311 - repeatable on purpose

    def took_ns(iterations: int) -> float:
        interrupted = chance.random() < 0.4
        return 7_000 * iterations * chance.uniform(1.0, 1.3) + interrupted * chance.uniform(MS, 20 * MS)

    found = [Machine(took_ns).calibrate().iterations for _ in range(25)]

    assert max(found) <= 2 * min(found)


def test_calibrate_does_not_look_at_the_first_call() -> None:
    found = [Machine(lambda iterations: 100 * iterations).calibrate(first_call_ns=ns) for ns in (100, 10**12)]

    assert found[0] == found[1]


def test_calibrate_waits_while_calls_get_faster_even_beyond_its_time() -> None:
    calls = iter([9_000 * MS, 4_000 * MS])
    machine = Machine(lambda iterations: next(calls, 20_000 * iterations))

    found = machine.calibrate(first_call_ns=20_000 * MS, until_s=2.0)

    assert found.iterations == 50
    assert list(found.slow_calls_ns) == [9_000 * MS, 4_000 * MS]


def test_calibrate_calls_no_single_call_of_microseconds_slow() -> None:
    calls = iter([5_000, 1_000])

    found = Machine(lambda iterations: next(calls, 100 * iterations)).calibrate()

    assert list(found.slow_calls_ns) == []


def test_calibrate_of_a_slow_function_takes_one_call_once_its_time_is_over() -> None:
    machine = Machine(lambda iterations: 3_000 * MS * iterations)

    assert machine.calibrate(first_call_ns=3_000 * MS).iterations == 1
    assert machine.rounds == [1]


@pytest.mark.parametrize("host_ns", [50, 10 * MS])
def test_calibrate_gives_up_on_a_clock_that_stands_still(host_ns: int) -> None:
    machine = Machine(lambda _: 0, host_ns=lambda iterations: host_ns * iterations)

    found = machine.calibrate(first_call_ns=0)

    assert found == Calibration(iterations=1, rounds=len(machine.rounds))
    assert machine.host_ns < 3e9


def test_calibrate_counts_on_a_clock_with_coarse_ticks() -> None:
    now = [0.0]

    def took_ns(iterations: int) -> float:
        before, now[0] = now[0], now[0] + 2_000 * iterations
        return now[0] // (16 * MS) * 16 * MS - before // (16 * MS) * 16 * MS

    assert Machine(took_ns).calibrate(first_call_ns=0).iterations >= 500


@pytest.mark.parametrize(("shortest_ns", "iterations"), [(MS, 100), (MS + 100_000, 100), (MS // 2, 200), (0, 100)])
def test_refined_changes_a_number_that_is_far_off(shortest_ns: int, iterations: int) -> None:
    assert Calibration(iterations=100, rounds=5).refined(shortest_ns, GOAL_NS) == iterations
