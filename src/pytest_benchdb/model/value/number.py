"""Numbers as users pass them: Python's own, and the scalars, arrays and tensors of numpy, torch, jax and pandas.

None of these libraries is imported: their scalars have `item`, and their arrays `tolist`.
"""

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

_OWN = frozenset({bool, int, float, str, type(None)})
_TEXT_LENGTH = 60


def plain(value: object) -> object:
    """Return a scalar, or an array of one element, as a Python object; any other value as it is.

    >>> plain(3)
    3
    """
    if type(value) in _OWN:
        return value
    try:
        item = getattr(value, "item", None)
        return cast("object", item()) if callable(item) else value
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - an array of several elements, a tensor on a lost device, a class that raises
        return value


def plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options whose scalars, also those in lists, tuples and dicts, are Python's own."""
    return {name: _plain_items(value) for name, value in options.items()}


def _plain_items(value: object) -> object:
    if type(value) in {list, tuple}:
        items = map(_plain_items, cast("Iterable[object]", value))
        return tuple(items) if isinstance(value, tuple) else list(items)
    if type(value) is dict:
        return plain_options(value)
    return plain(value)


def number(value: object) -> float:
    """Return a value as a float; it may be NaN or infinite.

    Raises:
        ValueError: it is not one number.
    """
    if type(value) is float:
        return value
    single = plain(value)
    try:
        if not isinstance(single, (str, bytes, bytearray)):
            return float(cast("Any", single))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a suite's own class raises
        raise ValueError(f"{shown(value)} is not a number") from error
    raise ValueError(f"{shown(value)} is not a number")


def whole(value: object) -> int:
    """Return a value as an int.

    Raises:
        ValueError: it is not one whole number, or is True or False.
    """
    if type(value) is int:
        return value
    single = plain(value)
    try:
        if not isinstance(single, bool):
            return operator.index(cast("Any", single))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ValueError(f"{shown(value)} is not a whole number") from error
    raise ValueError(f"{shown(value)} is not a whole number")


def numbers(value: object) -> list[float]:
    """Return the numbers of a value: one number, an array of any shape, or an iterable of these.

    Raises:
        ValueError: something in it is not a number.
    """
    if isinstance(value, (str, bytes, bytearray, Mapping)):
        raise ValueError(f"{shown(value)} is not a number")  # noqa: TRY004 - as for any other value
    return list(map(number, _flat(value)))


def _flat(value: object) -> Iterator[object]:
    listed = value
    if callable(getattr(value, "tolist", None)):
        try:
            listed = cast("Any", value).tolist()
        except Exception as error:
            raise ValueError(f"{shown(value)} cannot be read: {type(error).__name__}: {error}") from error
    elif hasattr(value, "__float__"):
        yield value
        return
    if not isinstance(listed, Iterable) or isinstance(listed, (str, bytes)):
        yield listed
        return
    for item in listed:
        if isinstance(item, list) or callable(getattr(item, "tolist", None)):
            yield from _flat(item)
        else:
            yield item


def shown(value: object) -> str:
    """Return the repr of a value on one line, cut to a length fit for messages."""
    try:
        text = " ".join(repr(value).split())
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - a broken repr must not hide the message
        text = f"a {type.__getattribute__(type(value), '__name__')}"
    return text if len(text) <= _TEXT_LENGTH else text[: _TEXT_LENGTH - 1] + "…"
