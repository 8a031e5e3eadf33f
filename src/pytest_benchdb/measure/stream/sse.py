"""Server-sent events of OpenAI-compatible servers, from bytes to chunks.

Lines and events: WHATWG HTML, section 9.2.6 "Interpreting an event stream". Bodies: OpenAI's API reference,
"The chat completion chunk object" and "The completion object"; reasoning is ``reasoning_content`` (DeepSeek,
vLLM, SGLang) or ``reasoning`` (newer vLLM, OpenRouter).
"""

import codecs
import json
from collections.abc import Mapping

from pytest_benchdb.measure.stream.chunk import Chunk
from pytest_benchdb.measure.stream.events import LONGEST_ERROR, AnswerError

DONE = "[DONE]"
_REASONING = ("reasoning_content", "reasoning")
_SAID = ("content", "refusal")


class EventLines:
    """Cuts a stream of bytes into the data of its events; comments and other fields are passed over."""

    def __init__(self) -> None:
        """Begin at the start of a stream."""
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._data: list[str] = []

    def feed(self, received: bytes, *, final: bool = False) -> list[str]:
        """Return the data of the events that these bytes complete.

        Args:
            received: the next bytes, cut anywhere.
            final: whether the stream ends here; an event without its blank line is returned too, for servers
                that leave out the last one.
        """
        text = self._rest + self._decoder.decode(received, final)
        # A carriage return at the very end may be half of a line's end.
        held = "\r" if text.endswith("\r") and not final else ""
        lines = text.removesuffix("\r") if held else text
        *whole, rest = lines.replace("\r\n", "\n").replace("\r", "\n").split("\n")
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
    """Return what the data of one event says, and whether it says that an answer is finished.

    A chunk that only names a role, or whose text is empty, comes out without content: it is no token.

    Raises:
        AnswerError: the data is not JSON of the expected shape, or it is the server's error.
    """
    try:
        body = json.loads(data)
    except ValueError:
        raise AnswerError(f"malformed event: {data[:LONGEST_ERROR]!r} is not JSON") from None
    if not isinstance(body, Mapping):
        raise AnswerError(f"malformed event: {data[:LONGEST_ERROR]!r} is not an object")
    if (error := body.get("error")) is not None:
        message = error.get("message") if isinstance(error, Mapping) else None
        raise AnswerError(f"the server's error: {message or error}")
    choices = body.get("choices") or []
    if not isinstance(choices, list) or not all(isinstance(choice, Mapping) for choice in choices):
        raise AnswerError(f"malformed event: {data[:LONGEST_ERROR]!r} has no list of choices")
    chunks = [_chunk(choice) for choice in choices]
    if isinstance(usage := body.get("usage"), Mapping):
        chunks.append(Chunk(tokens_in=_count(usage, "prompt_tokens"), tokens_out=_count(usage, "completion_tokens")))
    return chunks, any(choice.get("finish_reason") is not None for choice in choices)


def _chunk(choice: Mapping[str, object]) -> Chunk:
    delta = choice.get("delta")
    if not isinstance(delta, Mapping):
        return Chunk(text=_text(choice, "text"))
    said = "".join(_text(delta, name) for name in _SAID)
    if said or delta.get("tool_calls"):
        return Chunk(text=said, opaque=not said)
    return Chunk(text=next((text for name in _REASONING if (text := _text(delta, name))), ""), reasoning=True)


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _count(usage: Mapping[str, object], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
