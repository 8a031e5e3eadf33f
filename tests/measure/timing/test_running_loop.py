import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.timing.calls import UNTIMED, call_once, calls_of
from pytest_benchdb.measure.timing.running_loop import beside, host, loop_is_running, within


def test_rounds_run_in_the_loop_and_the_code_around_them_beside_it() -> None:
    places: list[tuple[object, object]] = []

    async def work(value: int) -> int:
        await asyncio.sleep(0)
        places.append((asyncio.get_running_loop(), threading.current_thread()))
        return value

    def rounds() -> object:
        assert not loop_is_running()
        with calls_of(work, (5,), {}) as calls:
            assert calls.drop(3, UNTIMED) is None
            return calls.keep(2, UNTIMED)

    async def test() -> object:
        assert loop_is_running()
        result = await beside(rounds)
        assert set(places) == {(asyncio.get_running_loop(), threading.current_thread())}
        return result

    assert asyncio.run(test()) == 5
    assert len(places) == 5
    assert host() is None


def test_other_tasks_of_the_loop_go_on_between_its_steps() -> None:
    event = asyncio.Event()

    async def waits() -> str:
        await event.wait()
        return "set"

    async def test() -> object:
        setter = asyncio.create_task(asyncio.sleep(0.01))
        setter.add_done_callback(lambda _task: event.set())
        return await beside(lambda: call_once(waits, (), {}))

    assert asyncio.run(test()) == "set"


@pytest.mark.parametrize("error", [ValueError("broken"), pytest.skip.Exception("not here")])
def test_what_the_function_raises_reaches_the_test(error: BaseException) -> None:
    async def fails() -> None:
        raise error

    async def test() -> None:
        with pytest.raises(type(error)) as raised:
            await beside(lambda: call_once(fails, (), {}))
        assert raised.value is error

    asyncio.run(test())


def test_block_is_entered_and_left_in_the_thread_of_the_loop() -> None:
    threads = []

    @contextlib.contextmanager
    def block() -> Iterator[None]:
        threads.append(threading.current_thread())
        yield
        threads.append(threading.current_thread())

    def work() -> None:
        assert threading.current_thread() is not threading.main_thread()
        with within(block()):
            pass

    asyncio.run(beside(work))
    with within(block()):
        pass

    assert threads == [threading.main_thread()] * 4


def test_test_that_is_cancelled_ends_the_thread() -> None:
    cancelled = []

    async def forever() -> None:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    async def test() -> None:
        await asyncio.wait_for(beside(lambda: call_once(forever, (), {})), 0.05)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(test())
    for thread in threading.enumerate():
        if thread.name == "benchdb-rounds":
            thread.join(30)
            assert not thread.is_alive()
    assert cancelled == [1]


def test_rounds_after_a_cancelled_test_are_refused() -> None:
    async def work() -> None:
        pass

    async def test() -> None:
        hosts: list[Any] = []
        await beside(lambda: hosts.append(host()))
        with pytest.raises(MeasurementError, match="the test was cancelled"):
            hosts[0].run(work())

    asyncio.run(test())
