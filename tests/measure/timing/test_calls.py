import asyncio

import pytest

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.timing.calls import call_loops


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1,), {}), ((), {"step": 2}), ((1,), {"step": 2})])
@pytest.mark.parametrize("iterations", [1, 2, 7])
def test_call_loops_calls_that_often_and_returns_the_last_result(
    args: tuple[int, ...], kwargs: dict[str, int], iterations: int
) -> None:
    calls = []

    def count(*given: int, **named: int) -> int:
        calls.append((given, named))
        return len(calls)

    with call_loops(count, args, kwargs) as run:
        assert run.keep(iterations) == iterations
        assert run.loop(iterations) is None

    assert calls == [(args, kwargs)] * iterations * 2


def test_call_loops_awaits_asynchronous_functions_in_one_loop() -> None:
    loops = []

    async def work(value: int) -> int:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return value

    with call_loops(work, (5,), {}) as run:
        assert run.keep(3) == 5
        assert run.loop(2) is None

    assert len(loops) == 5
    assert len(set(loops)) == 1
    assert loops[0].is_closed()


def test_call_loops_in_a_running_loop_says_what_to_do() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    async def test() -> None:
        with call_loops(work, (), {}):
            pass

    with pytest.raises(MeasurementError, match="make the test a plain function"):
        asyncio.run(test())
