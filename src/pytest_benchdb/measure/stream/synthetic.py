"""Synthetic lengths and prompts, for load without a data set."""

import random
from collections.abc import Callable, Sequence

from pytest_benchdb.errors import ConfigError

_WORDS = (
    *("time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state"),
    *("family", "student", "group", "country", "problem", "hand", "part", "place", "case", "week", "company", "system"),
    *("program", "question", "work", "number", "night", "point", "home", "water", "room", "mother", "area", "money"),
    *("story", "fact", "month", "lot", "right", "study", "book", "eye", "job", "word", "business", "issue", "side"),
    *("kind", "head", "house", "service", "friend", "father", "power", "hour", "game", "line", "end", "member", "law"),
    *("car", "city", "name", "team", "minute", "idea", "body", "information", "back", "parent", "face", "level"),
)
"""Frequent words, which most vocabularies have as one token each."""
_ATTEMPTS = 32


def synthetic_lengths(count: int, mean: int, *, spread: float = 0.0, seed: int = 0) -> list[int]:
    """Return `count` lengths, spread evenly between ``mean * (1 - spread)`` and ``mean * (1 + spread)``, at least 1.

    Raises:
        ConfigError: a number is out of range.

    Examples:
        >>> synthetic_lengths(4, 100, spread=0.5)
        [99, 147, 103, 55]
    """
    if count < 1 or mean < 1 or not 0 <= spread <= 1:
        raise ConfigError(
            f"no lengths have count={count!r}, mean={mean!r} and spread={spread!r}; give 1 or more, 1 or more, 0 to 1"
        )
    source = random.Random(seed)  # noqa: S311 - not a secret
    widest = round(mean * spread)
    return [max(1, source.randint(mean - widest, mean + widest)) for _ in range(count)]


def synthetic_prompts(
    lengths: Sequence[int], *, seed: int = 0, count_tokens: Callable[[str], int] | None = None
) -> list[str]:
    """Return a prompt of random words for each length in tokens; a cache of prefixes finds next to nothing in them.

    Without `count_tokens`, a word is taken for a token, which is nearly so. With it, words are added or left out until
    the number is right, or as near as it gets. What the server counts is stored with each request.

    Raises:
        ConfigError: there is no length, or one is below 1.

    Examples:
        >>> [len(prompt.split()) for prompt in synthetic_prompts([3, 7])]
        [3, 7]
    """
    if not lengths or min(lengths) < 1:
        raise ConfigError(f"lengths={lengths!r} are not lengths of prompts; give one number of 1 or more for each")
    source = random.Random(seed)  # noqa: S311 - not a secret
    return [_prompt(length, source, count_tokens) for length in lengths]


def _prompt(length: int, source: random.Random, count_tokens: Callable[[str], int] | None) -> str:
    words = source.choices(_WORDS, k=length)
    if count_tokens is None:
        return " ".join(words)
    for _ in range(_ATTEMPTS):
        missing = length - count_tokens(" ".join(words))
        if missing == 0:
            break
        # Half of what is missing or too much, because a word may be several tokens.
        step = (abs(missing) + 1) // 2
        words = words + source.choices(_WORDS, k=step) if missing > 0 else words[: max(1, len(words) - step)]
    return " ".join(words)
