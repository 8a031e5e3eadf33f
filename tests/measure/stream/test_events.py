from types import SimpleNamespace

import pytest

from pytest_benchdb.measure.stream.events import Chunk, interpret


@pytest.mark.parametrize(
    ("chunk", "has_content", "tokens"),
    [
        ("word", True, None),
        ("", False, None),
        (b"word", True, None),
        (b"", False, None),
        (None, False, None),
        (0, True, None),
        (17, True, None),
        pytest.param(object(), True, None, id="any object"),
        (SimpleNamespace(tokens=3), True, 3),
        (SimpleNamespace(tokens=[5, 9]), True, 2),
        (SimpleNamespace(tokens=0), False, 0),
        (SimpleNamespace(tokens=None), True, None),
        (SimpleNamespace(text="word"), True, None),
        (SimpleNamespace(text=""), False, None),
        (SimpleNamespace(text="", tokens=1), True, 1),
        (Chunk(text="word", tokens=2), True, 2),
        (Chunk(tokens_in=5, tokens_out=6), False, None),
    ],
    ids=str,
)
def test_chunk_counts_as_content_if_it_brings_any(chunk: object, has_content: bool, tokens: int | None) -> None:
    said = interpret(chunk)

    assert said.has_content is has_content
    assert said.tokens == tokens


@pytest.mark.parametrize("tokens", [-1, 1.5, True, "three"], ids=repr)
def test_chunk_with_an_impossible_number_of_tokens_is_refused(tokens: object) -> None:
    with pytest.raises(ValueError, match="tokens="):
        interpret(SimpleNamespace(tokens=tokens))
