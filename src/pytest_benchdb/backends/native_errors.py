"""Holds back what native libraries write to standard error, and finds the cause of a failure in it."""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ONNXRUNTIME = re.compile(r"\[[EWF]:onnxruntime:[^\]]*\] ?(?P<text>.*)")


@contextmanager
def held_back() -> Iterator[Callable[[], str]]:
    """Keep everything that is written to file descriptor 2 meanwhile; the value tells what was, so far.

    For moments only: what other threads write then is held back too.
    """
    with tempfile.TemporaryFile() as kept:
        try:
            original = os.dup(2)
        except OSError:  # a process without standard error, as pythonw's
            yield str
            return

        def told() -> str:
            kept.seek(0)
            return kept.read().decode("utf-8", "replace")

        with suppress(AttributeError, OSError, ValueError):  # none, or closed
            sys.stderr.flush()
        os.dup2(kept.fileno(), 2)
        try:
            yield told
        finally:
            os.dup2(original, 2)
            os.close(original)


def onnxruntime_messages(text: str) -> list[str]:
    r"""Return the messages of ONNX Runtime's log, without colours, times and places in its source.

    >>> onnxruntime_messages("\x1b[1;31m2026-11-21 07:03:32.8 [E:onnxruntime:Default, x.cc:9 F] no libcudnn.so.9\x1b[m")
    ['no libcudnn.so.9']
    """
    found = (_ONNXRUNTIME.search(_COLOUR.sub("", line)) for line in text.splitlines())
    return [match["text"].strip() for match in found if match]
