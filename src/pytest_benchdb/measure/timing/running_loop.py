"""Times coroutines in an event loop that runs already: ``await bench(fetch)`` in an asynchronous test.

Rounds are plain code, which cannot wait for the loop that it runs in. So this code runs in a thread of its own, and
each round of the function runs in the loop, where its clocks are read as well. The thread stands still meanwhile.
"""

import contextlib
import contextvars
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.timing.tracers import untraced

if TYPE_CHECKING:
    import asyncio
    import concurrent.futures

T = TypeVar("T")

_host: "contextvars.ContextVar[RunningLoop | None]" = contextvars.ContextVar("benchdb_running_loop", default=None)


def host() -> "RunningLoop | None":
    """Return the loop that this code runs beside; None elsewhere."""
    return _host.get()


def loop_is_running() -> bool:
    """Return whether an event loop runs in this thread."""
    # Without the import there is no running loop, and importing asyncio costs as much as everything else here.
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class RunningLoop:
    """An event loop of another thread, which waits for this one."""

    def __init__(self, loop: "asyncio.AbstractEventLoop") -> None:
        """Take the loop."""
        self._loop = loop
        self._lock = threading.Lock()
        self._round: concurrent.futures.Future[Any] | None = None
        self._left = False

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop, wait for it, and return its result.

        Raises:
            MeasurementError: the loop does not wait any more.
        """
        import asyncio

        with self._lock:
            if self._left:
                coroutine.close()
                raise MeasurementError("the test was cancelled while it timed a function")
            submitted = self._round = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        result: T = submitted.result()
        return result

    def leave(self) -> None:
        """Cancel the round that runs, and refuse further ones."""
        with self._lock:
            self._left = True
            if self._round is not None:
                self._round.cancel()


@contextlib.contextmanager
def within(block: contextlib.AbstractContextManager[object]) -> Iterator[None]:
    """Enter and leave a block in the thread whose work it measures: that of the loop, if there is one beside."""
    loop = host()
    if loop is None:
        with block:
            yield
        return

    async def leave(*error: Any) -> None:
        block.__exit__(*error)

    async def enter() -> None:
        block.__enter__()

    loop.run(enter())
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(MeasurementError):
            loop.run(leave(type(error), error, error.__traceback__))
        raise
    loop.run(leave(None, None, None))


async def beside(work: Callable[[], T]) -> T:
    """Run plain code in a thread beside the running loop, which it reaches by `host`; return its result."""
    import asyncio

    loop = asyncio.get_running_loop()
    running = RunningLoop(loop)
    done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = contextvars.copy_context()
    context.run(_host.set, running)

    def settle(result: Any, error: BaseException | None) -> None:
        if not done.done():
            done.set_result((result, error))

    def run() -> None:
        result, error = None, None
        try:
            result = context.run(work)
        except BaseException as raised:  # noqa: BLE001 - the test gets it
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(settle, result, error)

    with untraced():  # in this thread, where the function runs
        threading.Thread(target=run, name="benchdb-rounds", daemon=True).start()
        try:
            result, error = await done
        finally:
            running.leave()
    if error is not None:
        raise error
    value: T = result
    return value
