"""Calls a benchmarked function N times between two readings of the clocks, with as little overhead as possible."""

import contextlib
import inspect
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.timing.inputs import Inputs
from pytest_benchdb.measure.timing.running_loop import host, loop_is_running

if TYPE_CHECKING:
    import asyncio


class Watch(NamedTuple):
    """The clocks around a round.

    Attributes:
        begin: reads the slower clocks before the calls; its result goes to `end`.
        clock: the wall clock, read last before the calls and first after them.
        finish: waits for the device, within the wall time; None if calls return only when their work is done.
        end: gets the result of `begin` and both readings of `clock`, after the calls.
    """

    begin: Callable[[], Any]
    clock: Callable[[], int]
    finish: Callable[[], object] | None
    end: Callable[[Any, int, int], None]


UNTIMED = Watch(begin=lambda: None, clock=lambda: 0, finish=None, end=lambda _begun, _start_ns, _end_ns: None)
"""No clocks at all, for calls that only have to be made."""

Round = Callable[[int, Watch], object]
"""Calls the function so many times in one round and returns its last result, or None if results are dropped."""


class Calls:
    """Rounds of one function.

    Attributes:
        drop: a round that drops each result at once, so that freeing it is timed too.
        keep: a round that returns the last result.
        notes: what was noticed about the function in the first round, for those who read its times.
    """

    def __init__(self, drop: Round, keep: Round) -> None:
        """Take both kinds of round."""
        self.drop = drop
        self.keep = keep
        self.notes: list[str] = []

    def adapt(self, result: object) -> bool:
        """Look at what the first round returned; return whether that round did not count.

        A result that must be awaited means that the function has done nothing yet.
        """
        del result
        return False


class FunctionCalls(Calls):
    """Rounds of a Python function; one that returns awaitables is awaited from its second round on."""

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Take the function and its arguments.

        Raises:
            MeasurementError: it is asynchronous and an event loop is running already.
        """
        super().__init__(*_plain_rounds(function, args, kwargs))
        self._function = function
        self._args = args
        self._kwargs = kwargs
        self._inputs: Inputs | None = Inputs(function, args, kwargs)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_awaited = False
        if inspect.iscoroutinefunction(function):
            self._await_results()

    def adapt(self, result: object) -> bool:
        """Await the results from now on if this one has to be; return whether it has.

        Raises:
            MeasurementError: nothing can run what the function returned.
        """
        self._note(result)
        if self._is_awaited:
            return False
        if inspect.isasyncgen(result):
            self._refuse("returned an async generator, whose code has not run; time a coroutine that iterates over it")
        if not inspect.isawaitable(result):
            return False
        if hasattr(result, "get_loop"):
            self._refuse(f"returned a {type(result).__name__} of an event loop that is not running; time a coroutine")
        if inspect.iscoroutine(result):
            result.close()  # or Python warns that it was never awaited
        self._await_results()
        return True

    def close(self) -> None:
        """Close the event loop, if there is one."""
        if self._loop is not None:
            self._loop.close()

    def _note(self, result: object) -> None:
        """Note what the first round shows about the function."""
        changed = self._inputs.changed() if self._inputs is not None else []
        self._inputs = None
        if changed:
            self.notes.append(
                f"it changes its input: {', '.join(changed)}; later calls get what earlier ones left, unless"
                " pedantic(setup=...) makes it anew"
            )
        if inspect.isgenerator(result):
            self.notes.append("it returned a generator, whose code has not run; time a function that uses it up")

    def _await_results(self) -> None:
        if loop_is_running():
            self._refuse(
                "returned an awaitable while an event loop runs; give the `async def` function itself and await the "
                "result, as in await bench(fetch, url), or make the test a plain function"
            )
        self._is_awaited = True
        running = host()
        if running is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
        run = running.run if running is not None else self._loop.run_until_complete  # type: ignore[union-attr]
        self.drop, self.keep = _awaited_rounds(run, self._function, self._args, self._kwargs)

    def _refuse(self, text: str) -> NoReturn:
        raise MeasurementError(f"{getattr(self._function, '__name__', repr(self._function))} {text}")


@contextlib.contextmanager
def calls_of(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[FunctionCalls]:
    """Yield the rounds of a function; an asynchronous one gets an event loop of its own.

    Raises:
        MeasurementError: the function is asynchronous and an event loop is running already.
    """
    calls = FunctionCalls(function, args, kwargs)
    try:
        yield calls
    finally:
        calls.close()


def call_once(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> object:
    """Call a function once, untimed, and return its result, awaited if it has to be."""
    with calls_of(function, args, kwargs) as calls:
        result = calls.keep(1, UNTIMED)
        return calls.keep(1, UNTIMED) if calls.adapt(result) else result


def _plain_rounds(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Round, Round]:
    def keep(iterations: int, watch: Watch) -> object:
        begin, clock, finish, end = watch
        repeats = range(iterations - 1)
        begun = begin()
        start_ns = clock()
        for _ in repeats:
            function(*args, **kwargs)
        result = function(*args, **kwargs)
        if finish is not None:
            finish()
        end_ns = clock()
        end(begun, start_ns, end_ns)
        return result

    def drop(iterations: int, watch: Watch) -> None:
        begin, clock, finish, end = watch
        repeats = range(iterations)
        begun = begin()
        start_ns = clock()
        for _ in repeats:
            function(*args, **kwargs)
        if finish is not None:
            finish()
        end_ns = clock()
        end(begun, start_ns, end_ns)

    def drop_bare(iterations: int, watch: Watch) -> None:
        begin, clock, finish, end = watch
        repeats = range(iterations)
        begun = begin()
        start_ns = clock()
        for _ in repeats:
            function()
        if finish is not None:
            finish()
        end_ns = clock()
        end(begun, start_ns, end_ns)

    return (drop if args or kwargs else drop_bare), keep


def _awaited_rounds(
    run: Callable[[Coroutine[Any, Any, object]], object],
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> tuple[Round, Round]:
    """Return rounds that read the clocks within the loop: starting it takes longer than many a function.

    `run` runs a coroutine in the loop.
    """

    async def call(repeats: Iterable[int], watch: Watch) -> object:
        begin, clock, finish, end = watch
        result = None
        begun = begin()
        start_ns = clock()
        for _ in repeats:
            result = None
            result = await function(*args, **kwargs)
        if finish is not None:
            finish()
        end_ns = clock()
        end(begun, start_ns, end_ns)
        return result

    def keep(iterations: int, watch: Watch) -> object:
        return run(call(range(iterations), watch))

    async def drop(repeats: Iterable[int], watch: Watch) -> None:
        begin, clock, finish, end = watch
        begun = begin()
        start_ns = clock()
        for _ in repeats:
            await function(*args, **kwargs)
        if finish is not None:
            finish()
        end_ns = clock()
        end(begun, start_ns, end_ns)

    return (lambda iterations, watch: run(drop(range(iterations), watch))), keep
