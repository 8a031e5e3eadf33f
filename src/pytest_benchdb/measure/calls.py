"""Turns a benchmarked function into something that runs it N times, with as little around it as can be."""

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import MeasurementError

if TYPE_CHECKING:
    import asyncio

Call = Callable[[int], object]


@contextlib.contextmanager
def repeated(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[Call]:
    """Give a callable that calls `function` N times and returns its last result.

    An `async def` function is awaited within a loop of its own, so that a round holds N awaits and one
    start of the loop.

    Raises:
        MeasurementError: it is asynchronous and an event loop runs already.
    """
    if not inspect.iscoroutinefunction(function):
        yield _called(function, args, kwargs)
        return
    if _loop_is_running():
        name = getattr(function, "__name__", repr(function))
        raise MeasurementError(f"{name} is asynchronous and so is the test; make the test a plain function")
    import asyncio

    loop = asyncio.new_event_loop()
    try:
        yield _awaited(loop, function, args, kwargs)
    finally:
        loop.close()


def _called(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
    if not args and not kwargs:

        def run_bare(iterations: int) -> object:
            for _ in range(iterations - 1):
                function()
            return function()

        return run_bare

    def run(iterations: int) -> object:
        for _ in range(iterations - 1):
            function(*args, **kwargs)
        return function(*args, **kwargs)

    return run


def _awaited(
    loop: "asyncio.AbstractEventLoop", function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Call:
    async def repeat(iterations: int) -> object:
        for _ in range(iterations - 1):
            await function(*args, **kwargs)
        return await function(*args, **kwargs)

    def run(iterations: int) -> object:
        return loop.run_until_complete(repeat(iterations))

    return run


def _loop_is_running() -> bool:
    # Nobody who has not imported it runs a loop; importing it costs as much as all else here.
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
