"""Turns a benchmarked function into loops that call it N times, with as little overhead as possible."""

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
    """How a function is run.

    Attributes:
        loop: calls it N times and drops each result at once, so that freeing them is timed, too.
        keep: calls it N times and returns the last result.
    """

    loop: Callable[[int], object]
    keep: Callable[[int], object]


@contextlib.contextmanager
def repeated(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[Calls]:
    """Yield loops that call `function` N times.

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


def _called(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Calls:
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


def _awaited(
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
    # Without the import there is no running loop, and importing it costs as much as all else here.
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
