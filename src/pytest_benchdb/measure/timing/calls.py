"""Loops that call a benchmarked function N times with as little overhead as possible."""

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import MeasurementError

if TYPE_CHECKING:
    import asyncio


@dataclass(frozen=True, slots=True)
class Calls:
    """Two loops that call a function N times.

    Attributes:
        loop: drops each result at once, so that freeing it is timed too.
        keep: returns the last result.
    """

    loop: Callable[[int], object]
    keep: Callable[[int], object]


@contextlib.contextmanager
def call_loops(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[Calls]:
    """Yield loops that call `function` N times.

    An `async def` function is awaited in a new event loop: a round has N awaits and starts the loop once.

    Raises:
        MeasurementError: the function is asynchronous and an event loop is running already.
    """
    if not inspect.iscoroutinefunction(function):
        yield _plain_loops(function, args, kwargs)
        return
    if _loop_is_running():
        name = getattr(function, "__name__", repr(function))
        raise MeasurementError(f"{name} is asynchronous and so is the test; make the test a plain function")
    import asyncio

    loop = asyncio.new_event_loop()
    try:
        yield _async_loops(loop, function, args, kwargs)
    finally:
        loop.close()


def _plain_loops(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Calls:
    def keep(iterations: int) -> object:
        for _ in range(iterations - 1):
            function(*args, **kwargs)
        return function(*args, **kwargs)

    if args or kwargs:

        def loop(iterations: int) -> None:
            for _ in range(iterations):
                function(*args, **kwargs)

        return Calls(loop, keep)

    def bare_loop(iterations: int) -> None:
        for _ in range(iterations):
            function()

    return Calls(bare_loop, keep)


def _async_loops(
    loop: "asyncio.AbstractEventLoop", function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Calls:
    async def repeat(iterations: int) -> None:
        for _ in range(iterations):
            await function(*args, **kwargs)

    async def repeat_and_keep(iterations: int) -> object:
        await repeat(iterations - 1)
        return await function(*args, **kwargs)

    return Calls(
        lambda iterations: loop.run_until_complete(repeat(iterations)),
        lambda iterations: loop.run_until_complete(repeat_and_keep(iterations)),
    )


def _loop_is_running() -> bool:
    # Without the import there is no running loop, and importing asyncio costs as much as everything else here.
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
