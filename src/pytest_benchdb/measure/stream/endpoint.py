"""An OpenAI-compatible endpoint as a source of token streams; needs aiohttp, the extra ``[llm]``.

Server-sent events: WHATWG HTML, section 9.2.6 "Interpreting an event stream". Bodies: OpenAI's
API reference, "The chat completion chunk object" and "The completion object"; reasoning is ``reasoning_content``
(DeepSeek, vLLM, SGLang) or ``reasoning`` (newer vLLM, OpenRouter).
"""

import asyncio
import codecs
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from pytest_benchdb.errors import ConfigError, MissingExtraError
from pytest_benchdb.measure.stream.events import LONGEST_ERROR, AnswerError, Chunk

if TYPE_CHECKING:
    import aiohttp


DONE = "[DONE]"
DEFAULT_PROMPT = "Write a short story about a lighthouse keeper who counts ships."
DEFAULT_MAX_TOKENS = 128
DRAIN_S = 1.0
"""How long to wait for the rest of a finished answer, so that its connection can be reused."""
DNS_TTL_S = 300
"""How long an address is kept, so that looking it up is in the time of the first request only."""
Prompt = str | Sequence[Mapping[str, object]] | Sequence[int]


def _whole_events(received: bytes) -> list[str] | None:
    """Return the data of these events; None if they are not whole, or not of the form that nearly all servers send.

    This is most of what a client does for a token that the network does not do, so it is as short as it can be.
    """
    if not received.endswith(b"\n\n") or b"\r" in received:
        return None
    try:
        events = received[:-2].decode().split("\n\n")
    except UnicodeDecodeError:
        return None
    if all(event.startswith("data: ") and "\n" not in event for event in events):
        return [event[6:] for event in events]
    return None


class EventLines:
    """Splits a stream of bytes into the data of its events; comments and other fields are skipped."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._data: list[str] = []

    def feed(self, received: bytes, *, final: bool = False) -> list[str]:
        """Return the data of the events that these bytes complete; bytes may be split anywhere.

        `final` marks the end of the stream: an event without its blank line is returned too, because some servers
        omit the last one.
        """
        if not (self._rest or self._data) and (events := _whole_events(received)) is not None and not final:
            return events
        text = self._rest + self._decoder.decode(received, final)
        held = ""
        if "\r" in text:
            # A carriage return at the very end may be half of a line ending.
            held = "\r" if text.endswith("\r") and not final else ""
            text = text.removesuffix(held).replace("\r\n", "\n").replace("\r", "\n")
        *whole, rest = text.split("\n")
        self._rest = rest + held
        events = [event for line in whole if (event := self._line(line)) is not None]
        if final:
            self._line(self._rest)
            self._rest = ""
            if (event := self._line("")) is not None:
                events.append(event)
        return events

    def _line(self, line: str) -> str | None:
        if not line:
            event = "\n".join(self._data) if self._data else None
            self._data = []
            return event
        field, _, value = line.partition(":")
        if field == "data":
            self._data.append(value.removeprefix(" "))
        return None


def chunks_of(data: str) -> tuple[list[Chunk], bool]:
    """Return the chunks in the data of one event, and whether an answer is finished.

    A chunk that only names a role, or has an empty text, has no content and does not count as a token. It has a time
    though, as every event with a choice has in vLLM's client: it may be a token without text.

    Raises:
        AnswerError: the data is not JSON of the expected shape, or is an error of the server.
    """
    try:
        body = json.loads(data)
    except ValueError:
        raise AnswerError(f"malformed event: {data[:LONGEST_ERROR]!r} is not JSON") from None
    if not isinstance(body, dict):
        raise AnswerError(f"malformed event: {data[:LONGEST_ERROR]!r} is not an object")
    if (error := body.get("error")) is not None:
        message = error.get("message") if isinstance(error, dict) else None
        raise AnswerError(f"the server's error: {message or error}")
    chunks: list[Chunk] = []
    finished = False
    choices = body.get("choices") or ()
    if not isinstance(choices, list | tuple):
        raise AnswerError(f"malformed event: {data[:LONGEST_ERROR]!r} has no list of choices")
    for choice in choices:
        if not isinstance(choice, dict):
            raise AnswerError(f"malformed event: {data[:LONGEST_ERROR]!r} has no list of choices")
        chunks.append(_chunk(choice))
        finished = finished or choice.get("finish_reason") is not None
    if isinstance(usage := body.get("usage"), dict):
        chunks.append(Chunk(tokens_in=_count(usage, "prompt_tokens"), tokens_out=_count(usage, "completion_tokens")))
    return chunks, finished


def _chunk(choice: Mapping[str, object]) -> Chunk:
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return _text_chunk(_text(choice, "text"))
    text = _text(delta, "content")
    if "refusal" in delta:
        text += _text(delta, "refusal")
    if text:
        return _text_chunk(text)
    if delta.get("tool_calls"):
        return Chunk(opaque=True, timed=True)
    thought = _text(delta, "reasoning_content") or _text(delta, "reasoning")
    return Chunk(text=thought, reasoning=True, timed=True) if thought else _text_chunk("")


@lru_cache(maxsize=4096)
def _text_chunk(text: str) -> Chunk:
    """Return a chunk of text; tokens repeat, and looking one up costs less than making it."""
    return Chunk(text=text, timed=True)


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _count(usage: Mapping[str, object], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A URL that streams completions as server-sent events.

    Attributes:
        url: ends in ``/completions`` or ``/chat/completions``.
        model: name to send; None omits it, which servers with a single model accept.
        prompts: sent in turn; a list of messages is a chat, and a list of numbers is a prompt as tokens.
        max_tokens: maximum length of an answer; a sequence has one for each prompt.
        headers: additional headers, such as an authorization; never shown and never stored.
        body: additional fields of the request's JSON; None omits a field.
    """

    url: str
    model: str | None = None
    prompts: Sequence[Prompt] = (DEFAULT_PROMPT,)
    max_tokens: int | Sequence[int] = DEFAULT_MAX_TOKENS
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, object] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            ConfigError: the URL is not a completion endpoint, there is no prompt, or the lengths are of other prompts.
        """
        if not self.url.startswith(("http://", "https://")) or not self.url.rstrip("/").endswith("/completions"):
            raise ConfigError(
                f"{self.url!r} is not the URL of an OpenAI-compatible endpoint: it begins with http:// or https:// "
                "and ends in /v1/completions or /v1/chat/completions"
            )
        if isinstance(self.prompts, str) or not self.prompts:
            raise ConfigError(f"prompts={self.prompts!r} is not a list of prompts")
        if isinstance(self.max_tokens, Sequence) and len(self.max_tokens) != len(self.prompts):
            raise ConfigError(
                f"max_tokens has {len(self.max_tokens)} lengths for {len(self.prompts)} prompts; give one for each"
            )

    def request_bodies(self) -> list[dict[str, object]]:
        """Return the JSON of one request for each prompt."""
        limits = self.max_tokens if isinstance(self.max_tokens, Sequence) else [self.max_tokens] * len(self.prompts)
        return [self._body(prompt, limit) for prompt, limit in zip(self.prompts, limits, strict=True)]

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, object]:
        """Return the JSON of one request, which asks for a stream that ends with the server's token counts."""
        if self.url.rstrip("/").endswith("/chat/completions"):
            messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
            fields: dict[str, object] = {"messages": messages}
        else:
            fields = {"prompt": prompt}
        # max_tokens is the older name, which every server knows; a server that rejects it reports an error.
        fields |= {"model": self.model, "max_tokens": max_tokens}
        fields |= {"stream": True, "stream_options": {"include_usage": True}, **self.body}
        return {name: value for name, value in fields.items() if value is not None}

    @asynccontextmanager
    async def open(self, *, connections: int | None) -> AsyncIterator[tuple[Callable[[], object], ...]]:
        """Yield one request for each prompt, with at most `connections` at once; None means no limit.

        Raises:
            MissingExtraError: aiohttp is not installed.
        """
        try:
            import aiohttp
        except ImportError:
            raise MissingExtraError("streaming from a URL needs aiohttp: pip install 'pytest-benchdb[llm]'") from None
        # To aiohttp, 0 means no limit.
        limit = connections or 0
        connector = aiohttp.TCPConnector(limit=limit, limit_per_host=limit, ttl_dns_cache=DNS_TTL_S)
        # A compressed stream would wait in the compressor's buffer.
        headers = {
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            **self.headers,
        }
        async with aiohttp.ClientSession(
            connector=connector,
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # the plan's time limit applies to each request
            trust_env=True,
        ) as client:
            bodies = [json.dumps(body).encode() for body in self.request_bodies()]
            yield tuple(partial(stream, client, self.url, body) for body in bodies)


async def stream(client: "aiohttp.ClientSession", url: str, body: bytes) -> AsyncIterator[Chunk]:
    """Yield the chunks of one answer as they arrive.

    Raises:
        AnswerError: the server refused, sent something malformed, or closed the stream early.
    """
    finished = False
    events = EventLines()
    async with client.post(url, data=body, allow_redirects=False) as response:
        await _check_status(response)
        content = response.content
        while True:
            received = await content.readany()
            for data in events.feed(received, final=not received):
                if data == DONE:
                    await _drain(content)
                    return
                chunks, ends = chunks_of(data)
                finished = finished or ends
                for chunk in chunks:
                    yield chunk
            if not received:
                break
        if not finished:
            kind = response.headers.get("Content-Type", "of no type")
            raise AnswerError(f"the stream ({kind}) broke off: neither [DONE] nor a finish_reason came")


async def _check_status(response: "aiohttp.ClientResponse") -> None:
    if 200 <= response.status < 300:  # noqa: PLR2004 - the range of success
        return
    text = ""
    with suppress(UnicodeError):
        text = (await response.read()).decode("utf-8", "replace")[:LONGEST_ERROR]
    raise AnswerError(f"HTTP {response.status} {response.reason}: {text}".rstrip(": "))


async def _drain(content: "aiohttp.StreamReader") -> None:
    """Read what follows the answer, so that its connection can be used again."""

    async def rest() -> None:
        while not content.at_eof():
            await content.readany()

    if not content.at_eof():
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(rest(), DRAIN_S)
