"""Convert any object to a JSON value that is the same in every process."""

import datetime as dt
import decimal
import enum
import fractions
import itertools
import math
import os
import uuid
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from pytest_benchdb.model.identity import without_addresses

_MAX_DEPTH = 8
_MAX_ITEMS = 10_000
_MAX_TEXT = 100_000


def json_value(value: object, *, depth: int = 0) -> object:
    """Return `value` as None, bool, int, float, str, list or dict.

    NaN and infinities become the texts ``NaN``, ``Infinity`` and ``-Infinity``, because JSON has no
    numbers for them and NULL would mean that there was no value. An object without a JSON form becomes the
    name of its class, ``<numpy.ndarray>``: its repr may have a memory address, which differs between processes.
    """
    if value is None or value is True or value is False:
        return value
    exact = _EXACT.get(type(value))
    if exact is not None:
        return exact(value)
    if isinstance(value, (Mapping, AbstractSet, list, tuple)):
        return _class_name(value) if depth >= _MAX_DEPTH else _container(value, depth + 1)
    return _scalar(value)


def _container(
    value: Mapping[object, object] | AbstractSet[object] | list[object] | tuple[object, ...], depth: int
) -> object:
    if isinstance(value, Mapping):
        return {_key(key): json_value(item, depth=depth) for key, item in itertools.islice(value.items(), _MAX_ITEMS)}
    items = [json_value(item, depth=depth) for item in itertools.islice(value, _MAX_ITEMS)]
    return sorted(items, key=repr) if isinstance(value, AbstractSet) else items


def _scalar(value: object) -> object:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    for kind, exact in _EXACT.items():
        if isinstance(value, kind):  # subclasses: numpy.float64, str enumerations
            return exact(kind(value))
    if isinstance(value, (os.PathLike, decimal.Decimal, fractions.Fraction, uuid.UUID, dt.date, dt.time)):
        return _text(str(value))
    if isinstance(value, (bytes, bytearray)):
        return _text(bytes(value[:_MAX_TEXT]).hex())
    if getattr(value, "ndim", None) == 0 and callable(getattr(value, "item", None)):
        return _array_scalar(value)
    return _class_name(value)


def _array_scalar(value: Any) -> object:
    """Read a scalar of numpy, torch or jax."""
    try:
        return json_value(value.item(), depth=_MAX_DEPTH)
    except Exception:  # noqa: BLE001 - a tensor on a lost device must not lose the run
        return _class_name(value)


def _integer(value: int) -> int | str:
    # DuckDB and other JSON readers have 64-bit integers; a longer number keeps its digits as text.
    if -(2**63) <= value < 2**63:
        return value
    return hex(value) if value.bit_length() > 10_000 else str(value)  # noqa: PLR2004


def _float(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _text(value: str) -> str:
    value = value.replace("\x00", "\ufffd")
    return without_addresses(value if len(value) <= _MAX_TEXT else value[: _MAX_TEXT - 1] + "…")


def _key(key: object) -> str:
    return _text(key) if isinstance(key, str) else str(json_value(key, depth=_MAX_DEPTH - 1))


def _class_name(value: object) -> str:
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):  # a class or a function
        return _text(f"{getattr(value, '__module__', None)}.{name}")
    kind = type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"


_EXACT: Mapping[type, Callable[[Any], object]] = {int: _integer, float: _float, str: _text}
