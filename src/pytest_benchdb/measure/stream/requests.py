"""Sources of a token stream, and running one request, which reads its answer chunk by chunk."""

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.measure.stream.endpoint import Endpoint
from pytest_benchdb.measure.stream.events import AnswerError, Exchange, describe
from pytest_benchdb.measure.stream.plan import StreamPlan

Call = Callable[[], object]
"""A request: a function without arguments that returns a generator of chunks, or an awaitable of one."""

Source = Callable[[], object] | Sequence[Callable[[], object]] | Endpoint | str
"""A function that is called for each request; several functions, called in turn; an endpoint; or its URL."""


def check_source(source: object) -> tuple[Call, ...] | Endpoint:
    """Return the request functions or the endpoint of a source.

    Raises:
        ConfigError: it is not a `Source`.
    """
    if isinstance(source, Endpoint):
        return source
    if isinstance(source, str):
        return Endpoint(url=source)
    if inspect.isgenerator(source) or inspect.isasyncgen(source):
        raise ConfigError(
            f"the generator {getattr(source, '__name__', '')!r} can run only once: pass the function that makes it, "
            "such as `lambda: generate(prompt)`"
        )
    calls = (source,) if callable(source) else tuple(source) if isinstance(source, Sequence) else ()
    if not calls or not all(callable(call) for call in calls):
        raise ConfigError(
            f"a {type(source).__name__} cannot be streamed from: pass a function without arguments that returns a "
            "generator of chunks, several of them, or the URL of an OpenAI-compatible endpoint"
        )
    return calls


def is_endpoint(source: Source) -> bool:
    """Return whether a source is a server, whose own work is not done by this process."""
    return isinstance(source, Endpoint | str)


@asynccontextmanager
async def open_source(source: Source, plan: StreamPlan) -> AsyncIterator[tuple[Call, ...]]:
    """Yield the request functions of a source; an endpoint's connections are open meanwhile.

    Raises:
        ConfigError: it is not a `Source`.
        MissingExtraError: it is an endpoint and aiohttp is not installed.
    """
    calls = check_source(source)
    if not isinstance(calls, Endpoint):
        yield calls
        return
    async with calls.open(connections=plan.concurrency) as requests:
        yield requests


def is_async(call: Call) -> bool:
    """Return whether a request is known to need an event loop before it is called."""
    return inspect.isasyncgenfunction(call) or inspect.iscoroutinefunction(call)


def run(call: Call, exchange: Exchange) -> object | None:
    """Run a request in this thread; return its answer if it needs an event loop, else None.

    An exception fails this request only.
    """
    exchange.send()
    answer: object = None
    try:
        answer = call()
        if isinstance(answer, AsyncIterable | Awaitable):
            return answer
        for chunk in _chunks(answer):
            if not exchange.take(chunk):
                break
    except BaseException as error:  # noqa: BLE001 - pytest.fail and sys.exit too end a request, not the stream
        exchange.end(describe(error))
    else:
        exchange.end()
    try:
        _close(answer)
    except BaseException as error:  # noqa: BLE001 - as above
        exchange.end(describe(error))
    return None


async def run_async(answer: object, exchange: Exchange) -> None:
    """Read the chunks of an asynchronous answer; an exception fails this request only.

    Raises:
        asyncio.CancelledError: the request was abandoned.
        GeneratorExit: its loop was closed before it ended.
    """
    loop_is_gone = False
    try:
        if isinstance(answer, Awaitable):
            answer = await answer
        async for chunk in _async_chunks(answer):
            if not exchange.take(chunk):
                break
    except GeneratorExit:
        loop_is_gone = True  # it was abandoned and never ended; nothing can be awaited now
        raise
    except BaseException as error:
        abandoned = exchange.ended is not None
        exchange.end(describe(error))
        if abandoned or not isinstance(error, Exception):
            raise
    else:
        exchange.end()
    finally:
        close = getattr(answer, "aclose", None)
        if close is not None and not loop_is_gone:
            await close()


async def call_async(call: Call, exchange: Exchange) -> None:
    """Run a request with an asynchronous answer in the running loop."""
    exchange.send()
    try:
        answer = call()
    except Exception as error:  # noqa: BLE001 - the request's own failure
        exchange.end(describe(error))
        return
    await run_async(answer, exchange)


def _async_chunks(answer: object) -> AsyncIterable[object]:
    if isinstance(answer, AsyncIterable):
        return answer
    raise AnswerError(f"the request's coroutine returned {_named(answer)}, not an async generator of chunks")


def _chunks(answer: object) -> Iterable[object]:
    if isinstance(answer, Iterable) and not isinstance(answer, str | bytes | Mapping):
        return answer
    raise AnswerError(f"the request returned {_named(answer)}, not a generator of chunks")


def _close(answer: object) -> None:
    # Generators and client streams hold a connection, which another reference to the answer would keep open.
    if isinstance(answer, Iterator) and callable(close := getattr(answer, "close", None)):
        close()


def _named(answer: object) -> str:
    return "nothing" if answer is None else f"a {type(answer).__name__}"
