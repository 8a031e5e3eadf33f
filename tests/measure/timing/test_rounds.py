import contextlib
import gc
import itertools
import weakref
from collections.abc import Callable, Mapping

import pytest
from tests.measure.ticking_device import TickingDevice

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.timing.calls import Calls, Watch
from pytest_benchdb.measure.timing.plan import Plan
from pytest_benchdb.measure.timing.rounds import Clocks, Rounds, Timed

MS = 1_000_000


class Device(TickingDevice):
    """A ticking device with an allocator, and with caches that can be emptied or not."""

    def __init__(self, *, marks: bool = True, sync_mode: str | None = "barrier", cache: bool = True) -> None:
        super().__init__(marks=marks, sync_mode=sync_mode)
        self.peak = 7.0
        self.flushes = 0
        self.host_ns = 0
        self._cache = cache

    def work(self, wall_ms: float, *, cpu_ms: float = 0, thread_ms: float = 0) -> None:
        super().work(wall_ms, cpu_ms=cpu_ms, thread_ms=thread_ms)
        self.host_ns += round(wall_ms * MS)

    def reset_memory(self) -> None:
        self.peak = 0.0

    def memory(self) -> Mapping[str, float]:
        return {"device_peak": self.peak}

    def flush_cache(self) -> bool:
        self.flushes += 1
        self.wall_ns += 100 * MS  # must not be in any round
        return self._cache


def calls(call: Callable[[int], object]) -> Calls:
    """Rounds in which `call` gets the number of calls."""

    def run(iterations: int, watch: Watch) -> object:
        begun = watch.begin()
        start_ns = watch.clock()
        result = call(iterations)
        if watch.finish is not None:
            watch.finish()
        watch.end(begun, start_ns, watch.clock())
        return result

    return Calls(run, run)


def rounds_of(device: Device, call: Callable[[int], object], **options: object) -> Rounds:
    clocks = Clocks(cpu_ns=lambda: device.cpu_ns, thread_ns=lambda: device.thread_ns, host_ns=lambda: device.host_ns)
    return Rounds(calls(call), device, Plan().changed(**options), clocks=clocks)


def time_it(device: Device, call: Callable[[int], object], **options: object) -> Timed:
    return rounds_of(device, call, **options).run(contextlib.nullcontext())


def host_work(device: Device, wall_ms: float) -> Callable[[int], object]:
    def call(iterations: int) -> object:
        device.work(wall_ms * iterations, cpu_ms=wall_ms * iterations / 2, thread_ms=wall_ms * iterations / 4)
        return iterations

    return call


def test_rounds_of_a_fast_function_hold_as_many_calls_as_fill_the_round_time() -> None:
    device = Device()

    rounds = rounds_of(device, host_work(device, 0.01), round_time_s=0.001, max_time_s=0.1)
    timed = rounds.run(contextlib.nullcontext())

    assert timed.iterations == 100
    assert set(timed.wall_ns) == {MS}
    assert set(timed.cpu_ns) == {MS // 2}
    assert timed.thread_ns is not None
    assert set(timed.thread_ns) == {MS // 4}
    assert len(timed.wall_ns) == 100
    assert timed.first_call_ns == MS // 100
    assert rounds.take_result() == 1  # from one more call


def test_rounds_of_a_slow_function_are_single_calls_and_no_fewer_than_asked() -> None:
    device = Device()

    timed = time_it(device, host_work(device, 3000), min_rounds=4, max_time_s=1.0)

    assert timed.iterations == 1
    assert list(timed.wall_ns) == [3000 * MS] * 4
    assert timed.warmup_rounds == 1  # the first call was enough warm-up, and one more says how long a call takes


def test_rounds_of_work_on_the_device_wait_for_it_in_every_round() -> None:
    device = Device()

    def launch(iterations: int) -> object:
        device.work(0.1 * iterations)
        device.launch(2.0 * iterations)
        return None

    timed = time_it(device, launch, max_time_s=0.05)

    assert timed.sync_mode == "barrier per round"
    assert timed.iterations == 1
    assert set(timed.wall_ns) == {2_100_000}
    assert timed.device_s is not None
    assert set(timed.device_s) == {0.002}


def test_rounds_with_one_barrier_for_the_block_report_only_the_device_apart() -> None:
    device = Device()

    def launch(iterations: int) -> object:
        device.work(0.5 * iterations)
        device.launch(2.0 * iterations)
        return None

    timed = time_it(device, launch, barrier="block", rounds=10, iterations=1, warmup_rounds=0)

    assert timed.sync_mode == "barrier per block"
    assert set(timed.wall_ns) == {500_000}
    assert timed.device_s == pytest.approx([0.002] * 10)


def test_rounds_on_a_device_without_clock_or_barrier_say_so() -> None:
    device = Device(marks=False, sync_mode=None)

    timed = time_it(device, host_work(device, 1))

    assert timed.device_s is None
    assert timed.sync_mode is None


def test_rounds_hold_no_result_while_the_next_call_runs() -> None:
    device = Device()
    results: weakref.WeakSet[Device] = weakref.WeakSet()
    alive = []

    def call(_iterations: int) -> object:
        alive.append(len(results))
        device.work(1)
        made = Device()
        results.add(made)
        return made

    rounds = rounds_of(device, call, rounds=3, iterations=1, warmup_rounds=2)
    rounds.run(contextlib.nullcontext())
    result = rounds.take_result()

    assert alive == [0] * 5
    assert list(results) == [result]


def test_rounds_that_may_keep_nothing_call_once_more_for_the_result() -> None:
    device = Device()
    held: weakref.WeakSet[Device] = weakref.WeakSet()

    def call(_iterations: int) -> object:
        device.work(1)
        made = Device()
        held.add(made)
        return made

    plan = Plan().changed(rounds=2, iterations=1, warmup_rounds=0)
    rounds = Rounds(calls(call), device, plan, may_keep=False)
    rounds.run(contextlib.nullcontext())
    rounds.once(1)

    assert not held
    assert isinstance(rounds.take_result(), Device)


@pytest.mark.parametrize("iterations", [1, 2])
def test_result_of_rounds_is_there_when_it_is_returned(iterations: int) -> None:
    device = Device()
    rounds = rounds_of(device, lambda _: device.launch(2.0), rounds=1, iterations=iterations, warmup_rounds=0)
    rounds.run(contextlib.nullcontext())
    rounds.take_result()
    begun_ns = device.wall_ns

    device.synchronize()

    assert device.wall_ns == begun_ns


def test_rounds_after_a_long_first_call_hold_as_many_calls_as_without_one() -> None:
    device = Device()
    first = [60.0]

    def call(iterations: int) -> object:
        device.work(first.pop() if first else 0.0001 * iterations)
        return None

    timed = time_it(device, call, max_time_s=0.01)

    assert timed.first_call_ns == 60 * MS
    assert timed.iterations == 10_000


def test_rounds_after_a_first_call_of_a_minute_are_calibrated_and_warmed_up_as_ever() -> None:
    device = Device()
    first = [60_000.0]

    def call(iterations: int) -> object:
        device.work(first.pop() if first else 0.01 * iterations)
        return None

    timed = time_it(device, call, max_time_s=0.01)

    assert timed.iterations == 100
    assert timed.warmup_rounds >= 90


def test_rounds_tell_slow_calls_after_the_first_from_the_function() -> None:
    device = Device()
    early = [150.0, 150.0, 200.0]

    def call(iterations: int) -> object:
        device.work(early.pop() if early else 0.02 * iterations)
        return None

    timed = time_it(device, call, max_time_s=0.01)

    assert timed.first_call_ns == 200 * MS
    assert list(timed.slow_calls_ns) == [150 * MS, 150 * MS]
    assert timed.iterations == 50


def test_rounds_on_a_clock_that_stands_still_end() -> None:
    device = Device()
    seen: list[int] = []

    timed = time_it(device, seen.append, max_time_s=1.0)

    assert timed.iterations == 1
    assert list(timed.wall_ns) == [0] * 5
    assert sum(seen) < 2_000_000


def test_rounds_on_a_clock_that_stands_still_end_however_long_a_call_takes() -> None:
    device = Device()

    def call(iterations: int) -> object:
        device.host_ns += 10 * MS * iterations
        return None

    time_it(device, call)

    assert device.host_ns < 3e9


def test_rounds_that_are_to_be_cold_are_single_calls() -> None:
    device = Device()

    timed = time_it(device, host_work(device, 0.01), cache_mode="cold", max_time_s=0.01)

    assert (timed.iterations, timed.cache_mode) == (1, "cold")
    assert set(timed.wall_ns) == {MS // 100}


def test_rounds_that_cannot_be_cold_hold_many_calls() -> None:
    device = Device(cache=False)

    timed = time_it(device, host_work(device, 0.01), cache_mode="cold", max_time_s=0.01)

    assert (timed.iterations, timed.cache_mode) == (100, "hot")


@pytest.mark.parametrize(("cache", "mode"), [(True, "cold"), (False, "hot")])
def test_rounds_are_cold_only_where_the_caches_were_emptied(cache: bool, mode: str) -> None:
    device = Device(cache=cache)

    timed = time_it(device, host_work(device, 1), cache_mode="cold", rounds=5, iterations=1, warmup_rounds=0)

    assert timed.cache_mode == mode
    assert set(timed.wall_ns) == {MS}
    assert device.flushes == 5


@pytest.mark.parametrize(("iterations", "counts"), [(1, [1, 1, 1, 1, 1]), (4, [4, 4, 4, 4, 4, 1])])
def test_rounds_that_the_caller_counts_are_all_the_calls_there_are(iterations: int, counts: list[int]) -> None:
    device = Device()
    seen = []

    def call(number: int) -> object:
        seen.append(number)
        device.work(1)
        return len(seen)

    rounds = rounds_of(device, call, rounds=3, iterations=iterations, warmup_rounds=2)
    timed = rounds.run(contextlib.nullcontext())

    assert rounds.take_result() == len(counts)
    assert seen == counts  # of several iterations, one more for the result
    assert timed.first_call_ns is None


def test_rounds_begin_the_devices_peaks_anew() -> None:
    device = Device()

    timed = time_it(device, host_work(device, 1), rounds=2)

    assert timed.memory == {"device_peak": 0.0}


def test_rounds_warm_up_until_they_agree() -> None:
    device = Device()
    seen = []

    def call(iterations: int) -> object:
        seen.append(iterations)
        device.work(max(500 * 0.9 ** len(seen), 10.0))  # like a clock that ramps up
        return None

    timed = time_it(device, call, iterations=1, warmup_time_s=0.1, max_warmup_time_s=1000.0, max_time_s=0.1)

    assert set(timed.wall_ns) == {10 * MS}
    assert timed.warmup_rounds >= 40


def test_rounds_that_never_agree_are_warmed_up_for_a_limited_time() -> None:
    device = Device()
    seen = []

    def call(iterations: int) -> object:
        seen.append(iterations)
        device.work(10.0 * 1.5 ** (len(seen) % 12))
        return None

    timed = time_it(device, call, iterations=1, warmup_time_s=0.1, max_warmup_time_s=0.5, rounds=1)

    assert 2 <= timed.warmup_rounds <= 50


def test_rounds_run_before_and_after_once_each_and_untimed() -> None:
    device = Device()
    events = []

    def around(name: str) -> Callable[[], None]:
        def run() -> None:
            events.append(name)
            device.work(50)

        return run

    clocks = Clocks(cpu_ns=lambda: device.cpu_ns, thread_ns=None)
    rounds = Rounds(
        calls(host_work(device, 1)),
        device,
        Plan().changed(rounds=3, warmup_rounds=1),
        clocks=clocks,
        before=around("setup"),
        after=around("teardown"),
    )
    timed = rounds.run(contextlib.nullcontext())
    rounds.take_result()

    assert timed.iterations == 1
    assert set(timed.wall_ns) == {MS}
    assert events == ["setup", "teardown"] * 6  # the first call, one warm-up round, three rounds, the result
    assert timed.thread_ns is None


def test_rounds_without_the_collector_give_it_back_even_after_an_error() -> None:
    device = Device()
    seen = []

    def call(iterations: int) -> object:
        seen.append(gc.isenabled())
        device.work(10.0 * iterations)
        if len(seen) == 4:
            raise ZeroDivisionError
        return None

    with pytest.raises(ZeroDivisionError):
        time_it(device, call, gc=False, rounds=9, iterations=1, warmup_rounds=0)

    assert seen == [False] * 4
    assert gc.isenabled()


def test_rounds_end_once_the_median_is_known_well_enough() -> None:
    device = Device()
    times_ms = itertools.cycle([0.9 + 0.01 * (8 * number % 21) for number in range(21)])

    def call(_iterations: int) -> object:
        device.work(next(times_ms))
        return None

    def rounds(**options: object) -> int:
        return len(time_it(device, call, iterations=1, max_time_s=1.0, **options).wall_ns)

    all_rounds = rounds()
    assert all_rounds == pytest.approx(1000, abs=10)
    assert 6 <= rounds(target_error=0.1) <= 15
    assert 15 < rounds(target_error=0.02) < 200
    assert rounds(target_error=1e-6) == pytest.approx(all_rounds, abs=10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rounds": 0}, "rounds=0; give a whole number, above 0"),
        ({"rounds": 2.5}, "rounds=2.5"),
        ({"iterations": True}, "iterations=True"),
        ({"max_time_s": -1}, "max_time_s=-1; give a number of seconds, 0 or more"),
        ({"max_time_s": float("nan")}, "max_time_s=nan"),
        ({"target_error": 0}, "target_error=0; give a share such as 0.01, above 0"),
        ({"cache_mode": "warm"}, "cache_mode='warm'; give one of 'hot', 'cold'"),
        (
            {"cache_mode": "cold", "iterations": 4},
            "iterations=4 with cache_mode='cold': caches are emptied once a round",
        ),
        ({"time": 3}, "unknown option 'time'; known are rounds"),
    ],
)
def test_plan_refuses_invalid_values(options: dict[str, object], words: str) -> None:
    with pytest.raises(MeasurementError) as caught:
        Plan().changed(**options)

    assert words in str(caught.value)


class DeviceWithStreams(Device):
    """A device that also works on streams that its marks do not cover."""

    def __init__(self) -> None:
        super().__init__()
        self.side_ns = 0

    def launch_beside(self, device_ms: float) -> None:
        """Give another stream work, and return at once."""
        self.side_ns += round(device_ms * MS)

    def wait_for(self, mark: object) -> None:
        assert isinstance(mark, tuple)
        waited_ns = self._queued_ns
        super().synchronize()
        self.side_ns = max(0, self.side_ns - waited_ns)

    def synchronize(self) -> None:
        self.wait_for((0,))
        self.wall_ns += self.side_ns
        self.side_ns = 0


@pytest.mark.parametrize(
    ("beside_ms", "after_s"), [(0.0, 0.0), (1.0, 0.0), (5.0, 0.003)], ids=["none", "within", "after"]
)
def test_rounds_report_how_long_other_streams_work_on_after_the_last_mark(beside_ms: float, after_s: float) -> None:
    device = DeviceWithStreams()

    def launch(iterations: int) -> object:
        device.work(0.01 * iterations)
        device.launch(2.0 * iterations)
        device.launch_beside(beside_ms * iterations)
        return None

    timed = time_it(device, launch, max_time_s=0.05)

    assert timed.iterations == 1
    assert timed.after_mark_s == pytest.approx(after_s)


def test_rounds_without_a_warm_up_do_not_look_at_other_streams() -> None:
    device = DeviceWithStreams()

    timed = time_it(device, lambda _iterations: device.launch(1.0), rounds=3, iterations=1, warmup_rounds=0)

    assert timed.after_mark_s is None


def test_warm_up_goes_on_until_the_device_is_steady() -> None:
    device = Device()
    clocks = Clocks(cpu_ns=lambda: device.cpu_ns, thread_ns=None, host_ns=lambda: device.host_ns)
    call = calls(host_work(device, 1.0))

    def warm_rounds(steady_at_ms: float) -> int:
        begun_ns = device.wall_ns
        rounds = Rounds(
            call,
            device,
            Plan().changed(max_time_s=0.01),
            clocks=clocks,
            is_steady=lambda: device.wall_ns - begun_ns >= steady_at_ms * MS,
        )
        return rounds.run(contextlib.nullcontext()).warmup_rounds

    assert warm_rounds(0) == pytest.approx(100, abs=3)
    assert warm_rounds(700) == pytest.approx(700, abs=3)
    assert warm_rounds(60_000) == pytest.approx(2000, abs=3)  # max_warmup_time_s
