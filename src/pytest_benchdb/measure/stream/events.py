"""Events of running requests: interprets chunks, and turns the events into `Request`s."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field
from itertools import accumulate

from pytest_benchdb.measure.stream.load import ClientLoad
from pytest_benchdb.measure.stream.plan import StreamPlan
from pytest_benchdb.model.run import Request

LONGEST_ERROR = 500
"""Most characters of an error that are kept: enough for a server's message, not for a web page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One piece of an answer, for sources that know more than its text.

    A chunk with neither text nor tokens does not count as a token, but may carry totals.

    Attributes:
        text: the text that it adds to the answer.
        tokens: tokens in this chunk; None if unknown.
        reasoning: whether it is part of the reasoning rather than the answer.
        tokens_in: tokens of the prompt; None if not in this chunk.
        tokens_out: tokens of the whole answer; None if not in this chunk.
        opaque: whether its content is unknown; it then counts as a chunk with text.
        timed: whether it has a time even without text, if a chunk with text came before: it is a token that
            has none, such as the one that ends the answer.
    """

    text: str = ""
    tokens: int | None = None
    reasoning: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None
    opaque: bool = False
    timed: bool = False

    @property
    def has_content(self) -> bool:
        """Whether it adds to the answer."""
        return self.opaque or bool(self.text) or bool(self.tokens)


_NOTHING = Chunk()


def interpret(chunk: object) -> Chunk:
    """Convert a chunk of a source to a `Chunk`.

    Strings and bytes are text; None has no content. An object may have ``tokens`` (a number, or a list of tokens)
    and ``text``; any other object is a chunk with unknown content.

    Raises:
        ValueError: ``tokens`` is not a number of 0 or more.
    """
    if isinstance(chunk, Chunk):
        _number(chunk.tokens)
        return chunk
    if isinstance(chunk, str):
        return Chunk(text=chunk)
    if chunk is None:
        return _NOTHING
    if isinstance(chunk, bytes | bytearray):
        return Chunk(text=chunk.decode("utf-8", "replace"))
    tokens = _number(getattr(chunk, "tokens", None))
    text = getattr(chunk, "text", None)
    if isinstance(text, str):
        return Chunk(text=text, tokens=tokens)
    return Chunk(tokens=tokens, opaque=tokens is None)


def _number(tokens: object) -> int | None:
    if tokens is None:
        return None
    if isinstance(tokens, Sized) and not isinstance(tokens, str | bytes):
        return len(tokens)
    if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0:
        raise ValueError(f"a chunk has tokens={tokens!r}, which is not a number of tokens")
    return tokens


class AnswerError(Exception):
    """An incomplete answer; the message becomes the request's error."""


class Exchange:
    """One request and its answer so far.

    The code that runs the request calls `send`, `take` and `end`. Code that watches it may call `end` first; later
    chunks are ignored. Times come from `clock`.
    """

    def __init__(
        self, *, clock: Callable[[], float], due_s: float | None = None, count: Callable[[str], int] | None = None
    ) -> None:
        """Prepare a request that is due `due_s` after the block's start; `count` counts the tokens of its text."""
        self.due_s = due_s
        self.sent: float | None = None
        self.started_monotonic: float | None = None
        self.ended: float | None = None
        self.error: str | None = None
        self.chunks: list[float] = []
        self.texts: list[float] = []
        self.first_output: float | None = None
        self.reasoned = False
        self.tokens_in: int | None = None
        self._clock = clock
        self._count = count
        self._text: list[str] = []
        self._tokens: int | None = 0
        self._tokens_out: int | None = None
        self._lock = threading.Lock()

    def send(self) -> None:
        """Record that the request was sent now."""
        self.started_monotonic = time.monotonic()
        self.sent = self._clock()

    def take(self, chunk: object) -> bool:
        """Record a chunk that arrived now; return False if the request has ended.

        Raises:
            ValueError: the chunk's ``tokens`` is not a number of tokens.
        """
        now = self._clock()
        content = interpret(chunk)
        with self._lock:
            if self.ended is not None:
                return False
            if content.tokens_in is not None:
                self.tokens_in = content.tokens_in
            if content.tokens_out is not None:
                self._tokens_out = content.tokens_out
            if not content.has_content:
                if content.timed and self.chunks:
                    self.chunks.append(now)
                return True
            self.chunks.append(now)
            self.texts.append(now)
            if content.reasoning:
                self.reasoned = True
            elif self.first_output is None:
                self.first_output = now
            if self._tokens is not None:
                self._tokens = None if content.tokens is None else self._tokens + content.tokens
            if self._count is not None:
                self._text.append(content.text)
            return True

    def end(self, error: str | None = None) -> None:
        """Record that the request ended now; only the first call counts.

        An answer that ended without an error but also without any text or token has failed: there is nothing to time.
        """
        now = self._clock()
        with self._lock:
            if self.ended is not None:
                return
            self.ended = now
            self.error = error
            if error is None and not self.chunks:
                self.error = "the answer ended without a token"

    def tokens_out(self, *, chunk_is_token: bool) -> int | None:
        """Return the number of tokens in the answer; None if unknown."""
        if chunk_is_token:
            return len(self.texts)
        if self._count is not None:
            return self._count("".join(self._text))
        if self._tokens_out is not None:
            return self._tokens_out
        return self._tokens if self.chunks else None

    def chunk_times(self, tokens_out: int | None, *, chunk_is_token: bool) -> list[float]:
        """Return the times of the chunks that the metrics are about.

        Chunks without text are among them, as in vLLM's client, unless they would be taken for tokens, or for the
        second chunk of an answer whose tokens all came in one.
        """
        in_one_chunk = len(self.texts) == 1 and tokens_out is not None and tokens_out > len(self.chunks)
        return self.texts if chunk_is_token or in_one_chunk else self.chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The requests of a block, with their times.

    Attributes:
        requests: in sending order; those that were never sent come last.
        duration_s: from the block's start to the end of its last request, including failed ones.
        first_output_s: time of the first chunk after the reasoning, in seconds since the block's start, by index of
            the request; only for requests with chunks marked as reasoning.
        peak_concurrency: largest number of requests in flight at one time.
        load: of the client; None if its event loop was blocked.
    """

    requests: tuple[Request, ...]
    duration_s: float
    first_output_s: Mapping[int, float] = field(default_factory=dict)
    peak_concurrency: int = 0
    load: ClientLoad | None = None


def events_of(
    exchanges: Iterable[Exchange], plan: StreamPlan, *, start: float, load: ClientLoad | None = None
) -> Events:
    """Return the requests of finished exchanges, with times since the block's start; `load` is the client's."""
    never_sent = float("inf")
    ordered = sorted(exchanges, key=lambda each: (never_sent if each.sent is None else each.sent, each.due_s or 0.0))
    requests = tuple(_request(index, exchange, plan, start=start) for index, exchange in enumerate(ordered))
    return Events(
        requests=requests,
        duration_s=max((each.ended - start for each in ordered if each.ended is not None), default=0.0),
        first_output_s={
            index: each.first_output - start
            for index, each in enumerate(ordered)
            if each.reasoned and each.first_output is not None
        },
        peak_concurrency=_peak_concurrency(ordered),
        load=load,
    )


def _peak_concurrency(exchanges: Iterable[Exchange]) -> int:
    sent_and_ended = [(each.sent, each.ended) for each in exchanges if each.sent is not None]
    # At the same time, the end of one request comes before the start of the next.
    changes = sorted(
        [(sent, 1) for sent, _ in sent_and_ended] + [(ended, -1) for _, ended in sent_and_ended if ended is not None]
    )
    return max(accumulate(change for _, change in changes), default=0)


def describe(error: BaseException) -> str:
    """Return an error in one line of at most `LONGEST_ERROR` characters."""
    text = str(error) if isinstance(error, AnswerError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:LONGEST_ERROR]


def _request(index: int, exchange: Exchange, plan: StreamPlan, *, start: float) -> Request:
    error = exchange.error
    chunk_is_token = plan.tokens == "chunks"
    tokens_out = None
    try:
        tokens_out = exchange.tokens_out(chunk_is_token=chunk_is_token)
    except Exception as failure:  # noqa: BLE001 - the counter is the user's code: one request fails, not the session
        error = error or f"its tokens could not be counted: {describe(failure)}"
    return Request(
        index=index,
        due_s=exchange.due_s,
        sent_s=None if exchange.sent is None else exchange.sent - start,
        chunk_s=tuple(at - start for at in exchange.chunk_times(tokens_out, chunk_is_token=chunk_is_token)),
        tokens_in=exchange.tokens_in,
        tokens_out=tokens_out,
        ok=error is None,
        error=error,
    )
