"""Out-of-memory errors of a page."""

import pytest

from pytest_benchdb.backends.web.browser import JavaScriptError, PageGoneError, is_out_of_memory


@pytest.mark.parametrize(
    "text",
    [
        "RangeError: Array buffer allocation failed",
        "RangeError: WebAssembly.Memory(): could not allocate memory",
        "GPUOutOfMemoryError: Failed to allocate memory for buffer mapping",
    ],
)
def test_is_out_of_memory_on_words_of_memory_is_true(text: str) -> None:
    assert is_out_of_memory(JavaScriptError(text))


@pytest.mark.parametrize(
    "error",
    [
        JavaScriptError("TypeError: x is not a function"),
        PageGoneError("the page is gone: Target crashed"),
        ValueError("out of memory"),
    ],
    ids=repr,
)
def test_is_out_of_memory_on_other_errors_is_false(error: Exception) -> None:
    assert not is_out_of_memory(error)
