import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.timing.calls import FunctionCalls, Watch, call_once, calls_of


class Ticks:
    """Clocks that count their readings."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.watch = Watch(self._begin, self._clock, self._finish, self._end)

    def _begin(self) -> str:
        self.events.append("begin")
        return "begun"

    def _clock(self) -> int:
        self.events.append("clock")
        return len(self.events)

    def _finish(self) -> None:
        self.events.append("finish")

    def _end(self, begun: str, start_ns: int, end_ns: int) -> None:
        assert begun == "begun"
        self.events.append(f"end {end_ns - start_ns}")


async def double(value: int) -> int:
    await asyncio.sleep(0)
    return 2 * value


class AsyncObject:
    async def __call__(self) -> int:
        return await double(4)


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1,), {}), ((), {"step": 2}), ((1,), {"step": 2})])
@pytest.mark.parametrize("iterations", [1, 2, 7])
def test_calls_are_that_many_and_the_last_result_is_returned(
    args: tuple[int, ...], kwargs: dict[str, int], iterations: int
) -> None:
    calls = []

    def count(*given: int, **named: int) -> int:
        calls.append((given, named))
        return len(calls)

    with calls_of(count, args, kwargs) as run:
        assert run.keep(iterations, Ticks().watch) == iterations
        assert run.drop(iterations, Ticks().watch) is None

    assert calls == [(args, kwargs)] * iterations * 2


@pytest.mark.parametrize("function", [lambda: 1, functools.partial(double, 1)], ids=["plain", "async"])
def test_calls_are_between_two_readings_of_the_clocks(function: Callable[[], object]) -> None:
    for kind in ("keep", "drop"):
        ticks = Ticks()
        with calls_of(function, (), {}) as run:
            getattr(run, kind)(3, ticks.watch)

        assert ticks.events == ["begin", "clock", "finish", "clock", "end 2"]


def test_calls_of_an_asynchronous_function_are_awaited_in_one_loop() -> None:
    loops = []

    async def work(value: int) -> int:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return value

    with calls_of(work, (5,), {}) as run:
        assert run.keep(3, Ticks().watch) == 5
        assert run.drop(2, Ticks().watch) is None
        assert not run.adapt(5)

    assert len(loops) == 5
    assert len(set(loops)) == 1
    assert loops[0].is_closed()


class Later:
    def __await__(self) -> Any:
        return double(4).__await__()


@pytest.mark.parametrize("function", [lambda: double(4), AsyncObject(), Later], ids=["lambda", "object", "awaitable"])
def test_calls_that_return_awaitables_are_awaited_from_then_on(function: Callable[[], Awaitable[int]]) -> None:
    with calls_of(function, (), {}) as run:
        assert run.adapt(run.keep(1, Ticks().watch))
        assert run.keep(1, Ticks().watch) == 8
        assert run.drop(2, Ticks().watch) is None

    assert call_once(function, (), {}) == 8


def test_call_of_what_nothing_can_run_is_refused() -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1

    with pytest.raises(MeasurementError, match="numbers returned an async generator, whose code has not run"):
        call_once(numbers, (), {})

    loop = asyncio.new_event_loop()
    with pytest.raises(MeasurementError, match="returned a Future of an event loop that is not running"):
        call_once(loop.create_future, (), {})
    loop.close()


def test_calls_in_a_running_loop_say_what_to_do() -> None:
    async def test(function: Callable[[], object]) -> None:
        call_once(function, (), {})

    for function in (functools.partial(double, 1), lambda: double(1)):
        with pytest.raises(MeasurementError, match="make the test a plain function"):
            asyncio.run(test(function))


def test_calls_of_a_plain_function_need_no_loop() -> None:
    calls = FunctionCalls(len, ("ab",), {})

    assert not calls.adapt(calls.keep(1, Ticks().watch))
    calls.close()
