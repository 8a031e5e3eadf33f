"""An OpenAI-compatible endpoint as a source of token streams; needs httpx, the extra ``[llm]``."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from pytest_benchdb.errors import ConfigError, MissingExtraError
from pytest_benchdb.measure.stream.chunk import Chunk
from pytest_benchdb.measure.stream.events import LONGEST_ERROR, AnswerError
from pytest_benchdb.measure.stream.sse import DONE, EventLines, chunks_of

if TYPE_CHECKING:
    import httpx

DEFAULT_PROMPT = "Write a short story about a lighthouse keeper who counts ships."
DEFAULT_MAX_TOKENS = 128

DRAIN_S = 1.0
"""How long the rest of a finished answer is waited for, so that its connection can be used again."""

Prompt = str | Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A URL that streams completions as server-sent events.

    Attributes:
        url: ends in ``/completions`` or ``/chat/completions``.
        model: name to ask for; None leaves it out, which servers of a single model accept.
        prompts: taken in turn; a list of messages is a chat.
        max_tokens: longest answer.
        headers: sent along, such as an authorization; never shown and never stored.
        body: further fields of the request's JSON; None leaves a field out.
    """

    url: str
    model: str | None = None
    prompts: Sequence[Prompt] = (DEFAULT_PROMPT,)
    max_tokens: int = DEFAULT_MAX_TOKENS
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, object] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be asked.

        Raises:
            ConfigError: the URL is none of a completion endpoint, or there is no prompt.
        """
        if not self.url.startswith(("http://", "https://")) or not self.url.rstrip("/").endswith("/completions"):
            raise ConfigError(
                f"{self.url!r} is not the URL of an OpenAI-compatible endpoint: it begins with http:// or https:// "
                "and ends in /v1/completions or /v1/chat/completions"
            )
        if isinstance(self.prompts, str) or not self.prompts:
            raise ConfigError(f"prompts={self.prompts!r} is not a list of prompts")

    def request_body(self, prompt: Prompt) -> dict[str, object]:
        """Return the JSON of one request: streamed, with the server's own token counts at its end."""
        if self.url.rstrip("/").endswith("/chat/completions"):
            messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
            asked: dict[str, object] = {"messages": messages}
        else:
            asked = {"prompt": prompt}
        # max_tokens is the older name, which every server knows; one that refuses it says so.
        asked |= {"model": self.model, "max_tokens": self.max_tokens}
        asked |= {"stream": True, "stream_options": {"include_usage": True}, **self.body}
        return {name: value for name, value in asked.items() if value is not None}

    @asynccontextmanager
    async def opened(self, *, connections: int | None) -> AsyncIterator[tuple[Callable[[], object], ...]]:
        """Give one request for each prompt, with connections kept open meanwhile.

        Args:
            connections: requests at once, at most; None is without limit.

        Raises:
            MissingExtraError: httpx is not installed.
        """
        try:
            import httpx
        except ImportError:
            raise MissingExtraError("streaming from a URL needs httpx: pip install 'pytest-benchdb[llm]'") from None
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=None)
        # A compressed stream would wait in the compressor's buffer; the plan's time limit bounds each request.
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity", **self.headers}
        async with httpx.AsyncClient(timeout=None, limits=limits, headers=headers) as client:  # noqa: S113 - see above
            yield tuple(partial(stream, client, self.url, self.request_body(prompt)) for prompt in self.prompts)


async def stream(client: "httpx.AsyncClient", url: str, body: Mapping[str, object]) -> AsyncIterator[Chunk]:
    """Yield the chunks of one answer as they come.

    Raises:
        AnswerError: the server refused, sent what is not understood, or broke off.
    """
    finished = False
    async with client.stream("POST", url, json=body) as response:
        await _check_status(response)
        received = response.aiter_bytes()
        async for data in _events(received):
            if data == DONE:
                await _drain(received)
                return
            chunks, ends = chunks_of(data)
            finished = finished or ends
            for chunk in chunks:
                yield chunk
        if not finished:
            kind = response.headers.get("content-type", "of no type")
            raise AnswerError(f"the stream ({kind}) broke off: neither [DONE] nor a finish_reason came")


async def _events(received: AsyncIterator[bytes]) -> AsyncIterator[str]:
    events = EventLines()
    async for piece in received:
        for data in events.feed(piece):
            yield data
    for data in events.feed(b"", final=True):
        yield data


async def _check_status(response: "httpx.Response") -> None:
    if response.is_success:
        return
    text = ""
    with suppress(UnicodeError):
        text = (await response.aread()).decode("utf-8", "replace")[:LONGEST_ERROR]
    raise AnswerError(f"HTTP {response.status_code} {response.reason_phrase}: {text}".rstrip(": "))


async def _drain(received: AsyncIterator[bytes]) -> None:
    async def rest() -> None:
        async for _ in received:
            pass

    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(rest(), DRAIN_S)
