"""How the contracts fail: with a sentence for the provider's author, not with an expression of ours."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")


def expect(holds: bool, otherwise: str) -> None:
    """Fail the test with a sentence unless something holds."""
    if not holds:
        pytest.fail(otherwise, pytrace=False)


def timed(question: Callable[[], T]) -> tuple[T, float]:
    """Return an answer and how long it took, seconds."""
    began = time.perf_counter()
    answer = question()
    return answer, time.perf_counter() - began
