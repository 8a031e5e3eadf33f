"""Convert any object to a JSON value that is the same in every process, and not too long."""

import datetime as dt
import decimal
import enum
import fractions
import math
import os
import uuid
from collections.abc import Callable, Mapping, Sized
from collections.abc import Set as AbstractSet
from typing import Any

from pytest_benchdb.model.identity import without_addresses

MOST_TEXT = 1_000_000
_MAX_DEPTH = 8
_NUMBER_TEXT = 8
_SEPARATOR_TEXT = 2
_LEAST_TEXT = 40
_WORK = 4
"""Conversions that are thrown away may cost this many times the budget."""


class _TooLongError(Exception):
    """A value does not fit into its budget."""


class _Budget:
    """About how many characters of JSON may still be written, and how many may be converted to find that out.

    Attributes:
        problems: what the classes of values raised.
    """

    __slots__ = ("left", "problems", "work")

    def __init__(self, most: int, problems: list[str]) -> None:
        self.left = most
        self.work = _WORK * most
        self.problems = problems

    def spend(self, characters: int) -> None:
        self.left -= characters
        self.work -= characters
        if self.left < 0 or self.work < 0:
            raise _TooLongError


def json_value(value: object, *, most: int = MOST_TEXT, problems: list[str] | None = None) -> object:
    """Return `value` as None, bool, int, float, str, list or dict, of about `most` characters of JSON at most.

    What does not fit becomes its class and length, ``<list of 4000>``; long texts are cut. NaN and infinities become
    the texts ``NaN``, ``Infinity`` and ``-Infinity``, because JSON has no numbers for them and NULL would mean that
    there was no value. Arrays and tensors become lists. An object without a JSON form becomes the name of its class,
    ``<http.client.HTTPResponse>``: its repr may have a memory address, which differs between processes. So does one
    whose class raises, whatever that is but KeyboardInterrupt; `problems` then gets a line about it.
    """
    try:
        return _convert(value, _Budget(most, [] if problems is None else problems), 0)
    except _TooLongError:
        return _length(value)


def _convert(value: object, budget: _Budget, depth: int) -> object:
    if value is None or value is True or value is False:
        budget.spend(_NUMBER_TEXT)
        return value
    exact = _EXACT.get(type(value))
    if exact is not None:
        return exact(value, budget)
    try:
        if isinstance(value, (Mapping, AbstractSet, list, tuple)):
            return _class_name(value) if depth >= _MAX_DEPTH else _container(value, budget, depth + 1)
        return _object(value, budget, depth)
    except (_TooLongError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a suite's own class raises must not lose the run
        kind = _type_name(type(error)).removeprefix("builtins.")
        budget.problems.append(f"{_type_name(type(value))} raised {kind}")
        return _class_name(value)


def _container(
    value: Mapping[object, object] | AbstractSet[object] | list[object] | tuple[object, ...],
    budget: _Budget,
    depth: int,
) -> object:
    if len(value) * _SEPARATOR_TEXT > budget.left:
        return _length(value)
    if isinstance(value, Mapping):
        return {_key(key, budget): _item(item, budget, depth) for key, item in value.items()}
    items = [_item(item, budget, depth) for item in value]
    return sorted(items, key=repr) if isinstance(value, AbstractSet) else items


def _item(value: object, budget: _Budget, depth: int) -> object:
    """Convert an item of a container; if it does not fit, give its length, so that its neighbours are kept."""
    budget.spend(_SEPARATOR_TEXT)
    before = budget.left
    try:
        return _convert(value, budget, depth)
    except _TooLongError:
        if budget.work < 0:
            raise
        budget.left = before
        text = _length(value)
        budget.spend(len(text))
        return text


def _object(value: object, budget: _Budget, depth: int) -> object:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    for kind, own in _OWN.items():
        if issubclass(type(value), kind):  # numpy.float64, str enumerations
            return _EXACT[kind](own(value), budget)
    if isinstance(value, (os.PathLike, decimal.Decimal, fractions.Fraction, uuid.UUID, dt.date, dt.time)):
        return _text(str(value), budget)
    if isinstance(value, (bytes, bytearray)):
        return _text(bytes(value[: budget.left]).hex(), budget)
    return _array(value, budget, depth)


def _array(value: Any, budget: _Budget, depth: int) -> object:
    """Return the content of a scalar or an array of numpy, torch, jax or pandas; it is not read if it is too long."""
    dimensions = getattr(value, "ndim", None)
    if dimensions == 0 and callable(getattr(value, "item", None)):
        return _convert(value.item(), budget, _MAX_DEPTH)
    if not isinstance(dimensions, int) or not callable(getattr(value, "tolist", None)):
        return _class_name(value)
    if math.prod(value.shape) * _SEPARATOR_TEXT > budget.left:
        return _length(value)
    content = value.tolist()
    return _convert(content, budget, depth) if isinstance(content, list) else _class_name(value)


def _integer(value: int, budget: _Budget) -> int | str:
    # DuckDB and other JSON readers have 64-bit integers; a longer number keeps its digits as text.
    if -(2**63) <= value < 2**63:
        budget.spend(_NUMBER_TEXT)
        return value
    return _text(hex(value) if value.bit_length() > 10_000 else str(value), budget)  # noqa: PLR2004


def _float(value: float, budget: _Budget) -> float | str:
    budget.spend(_NUMBER_TEXT)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _text(value: str, budget: _Budget) -> str:
    most = max(budget.left, _LEAST_TEXT)
    text = without_addresses((value if len(value) <= most else value[: most - 1] + "…").replace("\x00", "\ufffd"))
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")  # lone surrogates
    budget.spend(len(text))
    return text


def _key(key: object, budget: _Budget) -> str:
    converted = _convert(key, budget, _MAX_DEPTH - 1)
    return converted if isinstance(converted, str) else str(converted)


def _length(value: object) -> str:
    """Return the class of a value and its length, or the shape of an array: ``<list of 4000>``."""
    name = _type_name(type(value)).removeprefix("builtins.")
    try:
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple):
            return f"<{name} of {' x '.join(map(str, shape))}>"
        if isinstance(value, Sized):
            return f"<{name} of {len(value)}>"
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - as above
        return f"<{name}>"
    return f"<{name}>"


def _class_name(value: object) -> str:
    try:
        name = getattr(value, "__qualname__", None)
        if type(name) is str:  # a class or a function
            return without_addresses(f"{getattr(value, '__module__', None)}.{name}")
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - as above
        return f"<{_type_name(type(value))}>"
    return f"<{_type_name(type(value))}>"


def _type_name(kind: type) -> str:
    """Return a class's full name, without asking its metaclass."""
    module = type.__getattribute__(kind, "__module__")
    name = str.__str__(type.__getattribute__(kind, "__qualname__"))
    return f"{module}.{name}" if type(module) is str else name


_EXACT: Mapping[type, Callable[[Any, _Budget], object]] = {int: _integer, float: _float, str: _text}
# The methods of the builtin classes, because a subclass may have others.
_OWN: Mapping[type, Callable[[Any], Any]] = {int: int.__index__, float: float.__float__, str: str.__str__}
