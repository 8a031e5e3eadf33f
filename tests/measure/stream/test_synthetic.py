import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.measure.stream import synthetic_lengths, synthetic_prompts


def test_lengths_are_spread_evenly_around_their_mean() -> None:
    lengths = synthetic_lengths(2000, 100, spread=0.2, seed=1)

    assert (min(lengths), max(lengths)) == (80, 120)
    assert sum(lengths) / len(lengths) == pytest.approx(100, rel=0.02)
    assert lengths == synthetic_lengths(2000, 100, spread=0.2, seed=1)
    assert lengths != synthetic_lengths(2000, 100, spread=0.2, seed=2)


def test_lengths_without_a_spread_are_equal_and_never_zero() -> None:
    assert synthetic_lengths(3, 7) == [7, 7, 7]
    assert min(synthetic_lengths(50, 1, spread=1.0)) == 1


@pytest.mark.parametrize("arguments", [(0, 5, 0.0), (5, 0, 0.0), (5, 5, 1.5), (5, 5, -0.1)], ids=str)
def test_lengths_out_of_range_are_refused(arguments: tuple[int, int, float]) -> None:
    count, mean, spread = arguments

    with pytest.raises(ConfigError, match="no lengths have"):
        synthetic_lengths(count, mean, spread=spread)


def test_prompts_have_as_many_words_as_tokens_are_asked_for() -> None:
    prompts = synthetic_prompts([5, 50], seed=3)

    assert [len(prompt.split()) for prompt in prompts] == [5, 50]
    assert prompts == synthetic_prompts([5, 50], seed=3)
    assert prompts[1] not in synthetic_prompts([5, 50], seed=4)


@pytest.mark.parametrize(
    "count_tokens",
    [lambda text: len(text.split()) + 2, lambda text: sum(2 if len(word) > 4 else 1 for word in text.split())],
    ids=["two special tokens", "long words are two"],
)
def test_prompts_have_the_right_number_of_tokens_by_a_tokenizer(count_tokens: object) -> None:
    assert callable(count_tokens)

    prompts = synthetic_prompts([20, 64, 100], count_tokens=count_tokens)

    assert [count_tokens(prompt) for prompt in prompts] == pytest.approx([20, 64, 100], abs=1)


def test_prompts_end_with_the_nearest_length_if_none_is_right() -> None:
    (prompt,) = synthetic_prompts([3], count_tokens=lambda text: 2 * len(text.split()))

    assert len(prompt.split()) in {1, 2}


@pytest.mark.parametrize("lengths", [[], [3, 0]], ids=["none", "zero"])
def test_prompts_without_lengths_are_refused(lengths: list[int]) -> None:
    with pytest.raises(ConfigError, match="lengths="):
        synthetic_prompts(lengths)
