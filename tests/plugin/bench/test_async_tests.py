"""`await bench(...)` in asynchronous tests, which a hook runs as pytest-asyncio does."""

import pytest
from tests.plugin.recorded import Record

CONFTEST = """
import asyncio
import inspect

import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if inspect.iscoroutinefunction(pyfuncitem.obj):
        arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
        asyncio.run(pyfuncitem.obj(**arguments))
        return True
"""
SUITE = """
    import asyncio
    import threading

    import pytest

    PLACES = set()

    @pytest.fixture
    def quick(bench_cpu):
        return bench_cpu.options(max_time_s=0.05, max_warmup_time_s=0.01, min_rounds=3)

    async def wait(seconds):
        await asyncio.sleep(seconds)
        PLACES.add((asyncio.get_running_loop(), threading.current_thread()))
        return seconds

    async def test_calls(quick):
        PLACES.clear()
        assert await quick(wait, 0.002, items=4) == 0.002
        assert PLACES == {(asyncio.get_running_loop(), threading.current_thread())}

    async def test_pedantic(quick):
        assert await quick.pedantic(wait, (0.002,), rounds=2, iterations=2) == 0.002

    async def test_phases(quick):
        with quick.phase("connect"):
            await quick(wait, 0.002)

    async def test_points(quick):
        for point in quick.sweep(n=[1, 2]):
            with point:
                await quick.pedantic(wait, (0.002,), rounds=1)
"""


@pytest.fixture(autouse=True)
def runner_of_async_tests(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)


def test_coroutines_are_timed_in_the_loop_of_the_test(record: Record) -> None:
    recorded = record(SUITE)

    recorded.result.assert_outcomes(passed=4)
    rows = recorded.sql(
        "SELECT b.name, m.phase, m.min >= 0.002, m.n, valid FROM measurement m JOIN benchmark b USING (benchmark_id)"
        " WHERE metric = 'wall_time' ORDER BY ALL"
    )
    assert [(name, phase, is_whole, valid) for name, phase, is_whole, _, valid in rows] == [
        ("test_calls", None, True, True),
        ("test_pedantic", None, True, True),
        ("test_phases", "connect", True, True),
        ("test_points[1]", None, True, True),
        ("test_points[2]", None, True, True),
    ]
    assert rows[1][3] == 2
    assert recorded.one("SELECT count(*) FROM measurement WHERE metric = 'throughput' AND value > 0") == (1,)


def test_test_that_is_not_recorded_awaits_the_function_once(record: Record) -> None:
    result = record(SUITE, "--no-benchdb").result

    result.assert_outcomes(passed=4)


def test_what_was_not_awaited_was_not_measured(record: Record) -> None:
    recorded = record(
        """
        import asyncio

        async def fetch():
            await asyncio.sleep(0)

        async def test_forgotten(bench_cpu):
            bench_cpu(fetch)

        async def test_awaitable(bench_cpu):
            bench_cpu(lambda: fetch())

        async def test_raises(bench_cpu):
            async def fails():
                raise ValueError("broken")
            await bench_cpu(fails)
        """,
        "-W",
        "ignore::RuntimeWarning",
    )

    recorded.result.assert_outcomes(passed=1, failed=2)
    assert recorded.one("SELECT count(*) FROM measurement WHERE valid AND n > 0 AND metric = 'wall_time'") == (0,)
    recorded.result.stdout.fnmatch_lines(["*give the `async def` function itself and await the result*"])
    assert "ValueError: broken" in recorded.text


def test_counters_of_another_thread_are_not_taken_for_those_of_the_function(record: Record) -> None:
    recorded = record(SUITE, "--benchdb-passes=counters,memory", "-k", "calls")

    recorded.result.assert_outcomes(passed=1)
    assert recorded.sql("SELECT value, n, reason FROM measurement WHERE metric = 'instructions'") == [
        (None, None, "the function runs in the test's event loop, and counters are read in another thread")
    ]
