"""What can go wrong in a page and in a browser, and what it means.

These are `RuntimeError`, as torch's are: the runtime that was measured raised them, and a run that meets one
is recorded as failed with its text.
"""

import re


class JavaScriptError(RuntimeError):
    """JavaScript in the page threw, or a device of the page reported an error that nobody caught.

    The text is the exception's with its stack, as the browser tells it.
    """


class PageGoneError(RuntimeError):
    """The page or the browser ended while it was in use: a crash, or a close from outside."""


class PageTimeoutError(RuntimeError):
    """The page did not answer within its time limit; its browser was ended."""


# What V8, Dawn and Chromium say of memory; nothing else tells a full memory from another failure.
_OUT_OF_MEMORY = re.compile(
    r"out of memory|GPUOutOfMemoryError|OutOfMemory|Array buffer allocation failed|could not allocate memory"
    r"|Invalid array buffer length|Cannot allocate Wasm memory|allocation failed",
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error from a page says that memory ran out.

    >>> is_out_of_memory(JavaScriptError("RangeError: Array buffer allocation failed"))
    True
    """
    return isinstance(error, JavaScriptError) and _OUT_OF_MEMORY.search(str(error)) is not None
