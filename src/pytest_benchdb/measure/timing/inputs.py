"""Notices that a function changes its input, so that later calls get what earlier ones left: a sorted list to sort.

Only what is cheap to compare is looked at: containers of the standard library, and arrays that show their memory.
"""

import contextlib
import functools
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_MOST_ITEMS = 100_000
_MOST_BYTES = 1 << 20
_BYTES = (bytearray, memoryview, array)


class Inputs:
    """The input of a function as it is now: its arguments, the object of a method, the variables of a closure."""

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Copy what can change, without what it contains."""
        self._copies = [
            (name, value, copied)
            for name, value in _named(function, args, kwargs)
            if (copied := _copy(value)) is not None
        ]

    def changed(self) -> list[str]:
        """Return the names of what has changed since.

        A variable of the function that has only grown is left out: it collects results.
        """
        names = []
        for name, value, before in self._copies:
            after = _copy(value)
            if isinstance(before, tuple) and isinstance(after, tuple):
                grown = name.startswith("variable") and len(after) > len(before)
                same = len(after) == len(before) or grown
                if same and all(old is new for old, new in zip(before, after, strict=False)):
                    continue
            elif after == before:
                continue
            names.append(f"{name} ({type(value).__name__})")
        return names


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


def _copy(value: object) -> tuple[object, ...] | bytes | frozenset[object] | None:
    """Return a copy to compare with; None for what cannot change or would take long."""
    if isinstance(value, (list, deque, dict, set)):
        if len(value) > _MOST_ITEMS:
            return None
        if isinstance(value, dict):
            return tuple(part for item in value.items() for part in item)
        return frozenset(value) if isinstance(value, set) else tuple(value)
    if isinstance(value, _BYTES) or hasattr(value, "__array_interface__"):
        with contextlib.suppress(TypeError, ValueError, BufferError):
            memory = memoryview(value)  # type: ignore[arg-type]
            return memory.tobytes() if memory.nbytes <= _MOST_BYTES else None
    return None
