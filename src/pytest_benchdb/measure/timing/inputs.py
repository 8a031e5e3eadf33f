"""Notices that a function changes its input, so that later calls get what earlier ones left: a sorted list to sort.

Only what is cheap to compare is looked at: containers of the standard library, and arrays that show their memory.
Nothing is kept but hashes: a copy would keep alive what the function frees, and be in its memory.
"""

import contextlib
import functools
import itertools
import zlib
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_MOST_ITEMS = 100_000
_MOST_BYTES = 1 << 20
_CHUNK = 1024
_BYTES = (bytearray, memoryview, array)


class _State(NamedTuple):
    """Length and hash of an object's content."""

    length: int
    hash: int


class Inputs:
    """The input of a function as it is now: its arguments, the object of a method, the variables of a closure."""

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Look at what can change, not at what it contains."""
        self._states = [
            (name, value, state)
            for name, value in _named(function, args, kwargs)
            if (state := _state(value)) is not None
        ]

    def changed(self) -> list[str]:
        """Return the names of what has changed since.

        A variable of the function that has only grown is left out: it collects results.
        """
        return [
            f"{name} ({type(value).__name__})"
            for name, value, before in self._states
            if (after := _state(value)) != before
            and not (
                name.startswith("variable")
                and after is not None
                and after.length > before.length
                and _state(value, before.length) == before
            )
        ]


def _named(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Iterator[tuple[str, object]]:
    while isinstance(function, functools.partial):
        args, kwargs, function = (*function.args, *args), {**function.keywords, **kwargs}, function.func
    yield from ((f"argument {number}", value) for number, value in enumerate(args, start=1))
    yield from ((f"argument {name}", value) for name, value in kwargs.items())
    owner = getattr(function, "__self__", None)
    if owner is not None:
        yield "the object of the method", owner
    cells = getattr(function, "__closure__", None) or ()
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    for name, cell in zip(names, cells, strict=False):
        with contextlib.suppress(ValueError):  # not assigned yet
            yield f"variable {name}", cell.cell_contents


def _state(value: object, items: int | None = None) -> _State | None:
    """Return the state of an object, or of its first `items`; None for what cannot change or would take long."""
    if isinstance(value, (list, deque, dict, set)):
        if len(value) > _MOST_ITEMS:
            return None
        content: Iterable[object] = itertools.chain.from_iterable(value.items()) if isinstance(value, dict) else value
        parts = None if items is None else items * (2 if isinstance(value, dict) else 1)
        return _State(len(value) if items is None else items, _hash_of_ids(itertools.islice(content, parts)))
    if isinstance(value, _BYTES) or hasattr(value, "__array_interface__"):
        with contextlib.suppress(TypeError, ValueError, BufferError):
            memory = memoryview(value)  # type: ignore[arg-type]
            return _State(memory.nbytes, zlib.crc32(memory)) if memory.nbytes <= _MOST_BYTES else None
    return None


def _hash_of_ids(items: Iterator[object]) -> int:
    total = 0
    while ids := tuple(map(id, itertools.islice(items, _CHUNK))):
        total = hash((total, ids))
    return total
