"""Anything that a suite hands us -> a JSON value that is the same in every process."""

import datetime
import decimal
import enum
import fractions
import math
import os
import uuid
from collections.abc import Mapping, Set

from pytest_benchdb.model.identity import without_addresses

_MAX_DEPTH = 8
_MAX_ITEMS = 10_000
_MAX_TEXT = 100_000


def json_value(value: object, *, depth: int = 0) -> object:
    """Return `value` as None, bool, int, float, str, list or dict.

    NaN and infinities become the texts ``NaN``, ``Infinity`` and ``-Infinity``, because JSON has no
    numbers for them and NULL would say that nothing was there. What has no JSON form becomes the name of
    its class, ``<numpy.ndarray>``: never a text with a memory address, which differs in every process.
    """
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if kind is int:
        return _integer(value)  # type: ignore[arg-type]
    if kind is str:
        return _text(value)  # type: ignore[arg-type]
    if kind is float:
        return _float(value)  # type: ignore[arg-type]
    if depth >= _MAX_DEPTH:
        return _class_name(value)
    if isinstance(value, Mapping):
        pairs = list(value.items())[:_MAX_ITEMS]
        return {_key(key): json_value(item, depth=depth + 1) for key, item in pairs}
    if isinstance(value, Set):
        return sorted((json_value(item, depth=depth + 1) for item in list(value)[:_MAX_ITEMS]), key=repr)
    if isinstance(value, (list, tuple)):
        return [json_value(item, depth=depth + 1) for item in value[:_MAX_ITEMS]]
    return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, (int, float, str)):  # subclasses: numpy.float64, StrEnum's kin
        return json_value({int: int, float: float, str: str}[_builtin(value)](value))
    if isinstance(value, (decimal.Decimal, fractions.Fraction, uuid.UUID, datetime.date, datetime.time, os.PathLike)):
        return _text(os.fspath(value) if isinstance(value, os.PathLike) else str(value))
    if isinstance(value, (bytes, bytearray)):
        return _text(bytes(value[:_MAX_TEXT]).hex())
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:  # a scalar of numpy, torch, jax
        try:
            return json_value(item(), depth=_MAX_DEPTH)
        except Exception:  # noqa: BLE001 - a tensor on a lost device must not lose the run
            return _class_name(value)
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):  # a class or a function
        return _text(f"{getattr(value, '__module__', None)}.{name}")
    return _class_name(value)


def _builtin(value: object) -> type:
    return next(kind for kind in (int, float, str) if isinstance(value, kind))


def _integer(value: int) -> int | str:
    # DuckDB and JSON readers elsewhere hold 64 bits; a longer number keeps its digits as text.
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
    return _text(key) if isinstance(key, str) else str(json_value(key, depth=_MAX_DEPTH))


def _class_name(value: object) -> str:
    kind = type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"


