"""What one chunk of an answer says: text, tokens, or nothing at all."""

from collections.abc import Sized
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One piece of an answer, for sources that know more than its text.

    A chunk with neither text nor tokens is no token and gets no time: it may carry totals.

    Attributes:
        text: what it adds to the answer.
        tokens: tokens in this chunk; None if not told.
        reasoning: whether it is thought rather than said.
        tokens_in: tokens of the prompt; None if not told by this chunk.
        tokens_out: tokens of the whole answer; None if not told by this chunk.
        opaque: whether it stands for an object that could not be looked into, which counts as a chunk with text.
    """

    text: str = ""
    tokens: int | None = None
    reasoning: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None
    opaque: bool = False

    @property
    def has_content(self) -> bool:
        """Whether it brings a part of the answer."""
        return self.opaque or bool(self.text) or bool(self.tokens)


_NOTHING = Chunk()


def interpret(chunk: object) -> Chunk:
    """Return what a source's chunk says.

    Text and bytes are text, empty ones and None are nothing; an object with ``tokens`` (a number, or a list
    of tokens) or ``text`` says that much; any other object is one chunk of which no more is known.

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
        raise ValueError(f"a chunk says tokens={tokens!r}, which is not a number of tokens")
    return tokens
