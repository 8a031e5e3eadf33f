import json

import pytest

from pytest_benchdb.measure.stream.endpoint import EventLines, chunks_of
from pytest_benchdb.measure.stream.events import AnswerError, Chunk

STREAM = (
    b": ping\r\n\r\n"
    b"event: message\r\ndata: one\r\n\r\n"
    b"data:two\n\n"
    b"data: a\r\ndata: b\r\n\r\n"
    b"id: 7\ndata: thr\ndata: ee\n\n"
    b"data: caf\xc3\xa9\r\r"
    b"data: [DONE]\n\n"
)
EVENTS = ["one", "two", "a\nb", "thr\nee", "café", "[DONE]"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_event_lines_give_the_same_events_however_the_bytes_are_cut(size: int) -> None:
    lines = EventLines()

    events = [data for at in range(0, len(STREAM), size) for data in lines.feed(STREAM[at : at + size])]

    assert events + lines.feed(b"", final=True) == EVENTS


def test_event_without_its_blank_line_comes_at_the_end() -> None:
    lines = EventLines()

    assert lines.feed(b"data: [DONE]") == []
    assert lines.feed(b"", final=True) == ["[DONE]"]
    assert lines.feed(b"", final=True) == []


def chat(finish_reason: str | None = None, **said: object) -> str:
    return json.dumps({"choices": [{"delta": said, "finish_reason": finish_reason}]})


@pytest.mark.parametrize(
    ("data", "chunk"),
    [
        (chat(content="word"), Chunk(text="word", timed=True)),
        (chat(reasoning_content="hm"), Chunk(text="hm", reasoning=True, timed=True)),
        (chat(reasoning="hm", content=None), Chunk(text="hm", reasoning=True, timed=True)),
        (chat(refusal="no"), Chunk(text="no", timed=True)),
        (chat(tool_calls=[{"index": 0}]), Chunk(opaque=True, timed=True)),
        (json.dumps({"choices": [{"text": "word"}]}), Chunk(text="word", timed=True)),
    ],
    ids=["content", "reasoning_content", "reasoning", "refusal", "tool call", "completion"],
)
def test_event_with_a_piece_of_the_answer_is_a_chunk_with_content(data: str, chunk: Chunk) -> None:
    chunks, finished = chunks_of(data)

    assert chunks == [chunk]
    assert chunks[0].has_content
    assert not finished


@pytest.mark.parametrize(
    "data",
    [
        chat(role="assistant", content=""),
        chat(role="assistant"),
        chat(content=None),
        chat(finish_reason="stop"),
        json.dumps({"choices": [{"text": ""}]}),
        json.dumps({"choices": []}),
        json.dumps({}),
    ],
    ids=["role", "role only", "null", "finish", "empty completion", "no choice", "empty"],
)
def test_event_without_text_is_not_a_token(data: str) -> None:
    assert not any(chunk.has_content for chunk in chunks_of(data)[0])


def test_event_with_usage_reports_the_tokens() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 42, "total_tokens": 47}

    assert chunks_of(json.dumps({"choices": [], "usage": usage})) == ([Chunk(tokens_in=5, tokens_out=42)], False)
    assert chunks_of(json.dumps({"choices": [], "usage": {"prompt_tokens": "5"}}))[0] == [Chunk()]
    assert chunks_of(json.dumps({"choices": [], "usage": None})) == ([], False)


def test_event_with_a_finish_reason_ends_the_answer() -> None:
    assert chunks_of(chat(finish_reason="length"))[1] is True


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ('{"choices": [', "not JSON"),
        ('["choices"]', "not an object"),
        ('{"choices": "none"}', "list of choices"),
        ('{"choices": ["none"]}', "list of choices"),
        ('{"error": {"message": "out of memory", "code": 500}}', "out of memory"),
        ('{"error": "overloaded"}', "overloaded"),
    ],
)
def test_event_that_is_not_understood_or_an_error_fails_the_answer(data: str, named: str) -> None:
    with pytest.raises(AnswerError, match=named):
        chunks_of(data)
