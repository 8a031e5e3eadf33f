"""Sources of a token stream, and how one request runs: its answer is taken chunk by chunk."""

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.measure.stream.endpoint import Endpoint
from pytest_benchdb.measure.stream.events import AnswerError, Exchange, describe
from pytest_benchdb.measure.stream.plan import StreamPlan

Call = Callable[[], object]
"""A request: called without arguments, it returns a generator of chunks, or an awaitable of one."""

Source = Callable[[], object] | Sequence[Callable[[], object]] | Endpoint | str
"""A function without arguments, called for each request; several of them, taken in turn; an endpoint; its URL."""


def check_source(source: object) -> tuple[Call, ...] | Endpoint:
    """Return the requests of a source, or the endpoint that it is.

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


@asynccontextmanager
async def open_source(source: Source, plan: StreamPlan) -> AsyncIterator[tuple[Call, ...]]:
    """Yield the requests of a source, with an endpoint's connections open meanwhile.

    Raises:
        ConfigError: it is not a `Source`.
        MissingExtraError: it is an endpoint and httpx is not installed.
    """
    ready = check_source(source)
    if not isinstance(ready, Endpoint):
        yield ready
        return
    async with ready.open(connections=plan.concurrency) as calls:
        yield calls


def is_async(call: Call) -> bool:
    """Return whether a request runs in an event loop, as far as that is visible before it is called."""
    return inspect.isasyncgenfunction(call) or inspect.iscoroutinefunction(call)


def run(call: Call, exchange: Exchange) -> object | None:
    """Run a request in this thread; return its answer if that must run in an event loop, else None.

    Whatever the request raises is the failure of this request only.
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
    except BaseException as error:  # noqa: BLE001 - also pytest.fail and sys.exit, which end a request, not the stream
        exchange.end(describe(error))
    else:
        exchange.end()
    try:
        _close(answer)
    except BaseException as error:  # noqa: BLE001 - as above
        exchange.end(describe(error))
    return None


async def run_async(answer: object, exchange: Exchange) -> None:
    """Take the chunks of an asynchronous answer; what it raises is the failure of this request only.

    Raises:
        asyncio.CancelledError: the request was given up.
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
        loop_is_gone = True  # it was given up and never ended; nothing can be awaited now
        raise
    except BaseException as error:
        given_up = exchange.ended is not None
        exchange.end(describe(error))
        if given_up or not isinstance(error, Exception):
            raise
    else:
        exchange.end()
    finally:
        close = getattr(answer, "aclose", None)
        if close is not None and not loop_is_gone:
            await close()


async def call_async(call: Call, exchange: Exchange) -> None:
    """Run a request whose answer is known to be asynchronous, in the running loop."""
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
    # Generators, and the streams of client libraries, which hold a connection: another reference to the answer would
    # keep it open.
    if isinstance(answer, Iterator) and callable(close := getattr(answer, "close", None)):
        close()


def _named(answer: object) -> str:
    return "nothing" if answer is None else f"a {type(answer).__name__}"
