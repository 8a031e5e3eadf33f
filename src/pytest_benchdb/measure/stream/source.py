"""What a token stream can be asked of: functions that return generators, or an endpoint."""

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.measure.stream.answer import Call
from pytest_benchdb.measure.stream.endpoint import Endpoint
from pytest_benchdb.measure.stream.plan import StreamPlan

Source = Callable[[], object] | Sequence[Callable[[], object]] | Endpoint | str
"""A function without arguments, called for each request; several of them, taken in turn; an endpoint; its URL."""


def checked(source: object) -> tuple[Call, ...] | Endpoint:
    """Return the requests of a source, or the endpoint that it is.

    Raises:
        ConfigError: it is none of what `Source` names.
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
async def opened(source: Source, plan: StreamPlan) -> AsyncIterator[tuple[Call, ...]]:
    """Give the requests of a source, with an endpoint's connections open meanwhile.

    Raises:
        ConfigError: the source cannot be asked.
        MissingExtraError: it is an endpoint and httpx is not installed.
    """
    ready = checked(source)
    if not isinstance(ready, Endpoint):
        yield ready
        return
    async with ready.opened(connections=plan.concurrency) as calls:
        yield calls
