"""Values of files from elsewhere, which may have any type: each function returns what is there, or None."""

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pytest_benchdb.importers.reading.files import LATEST_US, unix_us
from pytest_benchdb.model.imported import ImportProblem
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Outcome
from pytest_benchdb.model.value.json_value import json_value

T = TypeVar("T")
E = TypeVar("E")

MOST_COUNT = 2**53
"""What every reader of JSON takes as a whole number; DuckDB cannot sum numbers at the end of 64 bits."""
MOST_NAME = 100_000
_MOST_TEXT = 1000
_MOST_DIGITS = 16
_EARLIEST_US = 631_152_000_000_000
"""The year 1990: a number that means an earlier time is hardly a time."""
_SIMULATED_KEYS = ("is_simulated", "simulated", "simulation", "is_mock", "mock", "mocked", "is_fake", "fake")
_SIMULATED_WORDS = frozenset({"simulated", "simulation", "mock", "mocked", "fake", "synthetic", "estimated"})
_OUTCOMES: Mapping[str, Outcome] = {
    **dict.fromkeys(("passed", "pass", "ok", "success", "successful", "succeeded", "completed", "valid"), "passed"),
    **dict.fromkeys(("failed", "fail", "failure", "invalid", "incomplete", "partial"), "failed"),
    **dict.fromkeys(("error", "errored", "exception"), "error"),
    **dict.fromkeys(("skipped", "skip", "ignored", "disabled"), "skipped"),
    **dict.fromkeys(("timeout", "timed out", "timed_out"), "timeout"),
    **dict.fromkeys(("oom", "out of memory", "out_of_memory"), "oom"),
    **dict.fromkeys(("crashed", "crash", "killed", "aborted"), "crashed"),
    **dict.fromkeys(("unsupported", "not supported", "not_supported", "incompatible"), "unsupported"),
    "xfailed": "xfailed",
    "xpassed": "xpassed",
}


class BadPart(Exception):  # noqa: N818 - importers catch it where the part is read
    """A part of a file cannot be used; the text says why, with the value."""


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object of JSON; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[Any]:
    """Return a list of JSON; an empty one for anything else."""
    return value if isinstance(value, list) else ()


def text(value: object, most: int = _MOST_TEXT) -> str | None:
    """Return a text that is not blank, cut to a length; None for anything else."""
    return value[:most] if isinstance(value, str) and value.strip() else None


def number(value: object) -> float | None:
    """Return a finite number; None for anything else, True and NaN included.

    >>> number(3), number(float("nan")), number(True), number("3")
    (3.0, None, None, None)
    """
    if type(value) not in {int, float}:
        return None
    try:
        converted = float(value)  # type: ignore[arg-type]
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None


def count(value: object) -> int | None:
    """Return a whole number from 1 on, as a count of rounds or iterations is; None for anything else."""
    exact = number(value)
    return int(exact) if exact is not None and exact.is_integer() and 1 <= exact <= MOST_COUNT else None


def written_count(value: object) -> int | None:
    """Return a count that may be written as a text, as some tools do with all numbers.

    >>> written_count("8"), written_count(8), written_count("8.5")
    (8, 8, None)
    """
    is_digits = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS
    return count(int(value) if is_digits else value)  # type: ignore[call-overload]


def required_number(value: object, what: str) -> float:
    """Return a finite number.

    Raises:
        BadPart: it is anything else.
    """
    converted = number(value)
    if converted is None:
        raise BadPart(f"{what} is {described(value)}; expected a finite number")
    return converted


def required_numbers(value: object, what: str) -> list[float]:
    """Return the numbers of a list that has some.

    Raises:
        BadPart: it is not a list, is empty, or has anything else in it.
    """
    if not isinstance(value, list):
        raise BadPart(f"{what} is {described(value)}; expected a list of numbers")
    if not value:
        raise BadPart(f"{what} is an empty list: nothing was measured")
    return [required_number(item, f"{what}[{index}]") for index, item in enumerate(value)]


def required_name(value: object, what: str) -> str:
    """Return a text that can be a benchmark's name.

    Raises:
        BadPart: it is anything else, or too long.
    """
    name = text(value, MOST_NAME + 1)
    if name is None:
        raise BadPart(f"{what} is {described(value)}; expected a text")
    if len(name) > MOST_NAME:
        raise BadPart(f"{what} has more than {MOST_NAME} characters")
    return name


def json_object(value: object) -> dict[str, object] | None:
    """Return an object of JSON as it can be stored; None for anything else, and for an empty one."""
    converted = json_value(value) if isinstance(value, Mapping) and value else None
    return converted if isinstance(converted, dict) else None


def moment_us(value: object) -> int | None:
    """Return a time as microseconds since the epoch; None if it is none that can have been.

    Args:
        value: ISO 8601 text, UTC without an offset; or a number since the epoch, whose unit its size tells: seconds,
            milliseconds, microseconds or nanoseconds.

    >>> moment_us("1970-01-02T00:00:00Z"), moment_us(1_790_000_000), moment_us(1_790_000_000_123.0), moment_us(1)
    (86400000000, 1790000000000000, 1790000000123000, None)
    """
    if isinstance(value, (str, dt.datetime)):
        try:
            return unix_us(value)
        except (ValueError, OverflowError):
            return None
    since = number(value)
    if since is None or since <= 0:
        return None
    for per_second in (1, 10**3, 10**6, 10**9):
        if since / per_second < 1e10:  # noqa: PLR2004 - seconds until the year 2286; as milliseconds, until April 1970
            us = value * 10**6 // per_second if type(value) is int else round(since / per_second * 1e6)
            return us if _EARLIEST_US <= us <= LATEST_US else None
    return None


def provenance_of(*sources: object) -> Provenance:
    """Return ``simulated`` if an object of the file marks its figures as simulated or as a mock's, else ``imported``.

    >>> provenance_of({"is_simulated": True}), provenance_of({"simulated": False}), provenance_of({"mode": "mock"})
    ('simulated', 'imported', 'simulated')
    """
    for source in map(mapping, sources):
        if any(_is_marked(source.get(key)) for key in _SIMULATED_KEYS) or text(source.get("simulation_reason")):
            return "simulated"
        words = (source.get(key) for key in ("provenance", "mode", "source", "implementation_type"))
        if any(isinstance(word, str) and word.strip().lower() in _SIMULATED_WORDS for word in words):
            return "simulated"
    return "imported"


def _is_marked(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in {"true", "yes", *_SIMULATED_WORDS})


def outcome_of(status: object, error: object = None) -> tuple[Outcome | None, str | None]:
    """Return the outcome that a status and an error text mean together, and its reason.

    An error text outweighs a status that says success. None means that nothing says that the benchmark ran: it is
    untested, and becomes no run.

    Args:
        status: a word, or whether it succeeded.
        error: text of the error; None or blank without one.

    >>> outcome_of(True, "CUDA is not there"), outcome_of("skipped"), outcome_of("not tested")
    (('failed', 'CUDA is not there'), ('skipped', 'skipped'), (None, 'not tested'))
    """
    reason = text(error)
    if isinstance(status, bool):
        outcome: Outcome | None = "passed" if status else "failed"
    elif isinstance(status, str):
        outcome = _OUTCOMES.get(status.strip().lower())
    else:
        outcome = None
    if outcome == "passed":
        return ("failed", reason) if reason else ("passed", None)
    if outcome is None and reason:
        return "failed", reason
    return outcome, reason or (text(status) if isinstance(status, str) else None if status is None else "failed")


def parts(
    entries: Iterable[object], place: str, read: Callable[[Mapping[str, Any]], T]
) -> Iterator[tuple[T | None, ImportProblem | None]]:
    """Read the objects of a list one by one: yield what each becomes, or the problem of one that cannot be used.

    Args:
        entries: the list.
        place: the list's name, for problems: ``results``.
        read: makes something of one object; raises `BadPart`.
    """
    for index, entry in enumerate(entries):
        where = f"{place}[{index}]"
        if not isinstance(entry, Mapping):
            yield None, ImportProblem(place=where, text=f"it is {described(entry)}; expected an object")
        else:
            yield part(entry, where, read)


def part(entry: E, place: str, read: Callable[[E], T]) -> tuple[T | None, ImportProblem | None]:
    """Return what a part of a file becomes, or the problem if it cannot be used."""
    try:
        return read(entry), None
    except BadPart as error:
        return None, ImportProblem(place=place, text=" ".join(str(error).split()))


def described(value: object) -> str:
    """Return a value as messages show it."""
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, Mapping) else repr(value)[:60]
