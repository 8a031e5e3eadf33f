"""Profiles that count instead of timing: which function ran how often, and how much it executed itself.

Counts of one call of a benchmark repeat on a loaded machine, so two sides can be compared function by function.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pytest_benchdb.errors import ImportFormatError

SCHEMA = "benchdb.profile/1"
PROFILE_NAME = "profile.json"
"""Name of the attachment of a run that holds its profile."""
NATIVE_NAME = "native.json"
"""Name of the attachment with what each native function executed."""
Kind = Literal["python", "c", "native"]
"""Python code, a C function that Python code called, or a function of a compiled library."""
TEXT_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that ran.

    Attributes:
        file: its file relative to the project or to the folder of installed packages; the module of a C function; the
            object file of a native one; empty if not known.
        name: its qualified name; of comprehensions, that of the function around them.
        line: where it begins; 0 if not known.
    """

    file: str
    name: str
    line: int = 0
    kind: Kind = "python"

    @property
    def key(self) -> tuple[str, str]:
        """What it is matched by between two commits, in which it may be in another line."""
        return self.file, self.name

    def __str__(self) -> str:
        """Return its name, and where it is."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{self.name} ({place})" if place else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A node of the tree of calls: a function, as it was reached from the benchmark along one path.

    Recursion is folded: no path holds a function twice.

    Attributes:
        parent: index of the frame that called it; None for what the benchmark itself called.
        function: index of the function.
        calls: how often it was entered on this path.
        cost: what it executed itself, in the profile's unit.
    """

    parent: int | None
    function: int
    calls: int
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How often one function called another; recursion included.

    Attributes:
        caller: index of the function; None for the benchmark itself.
        callee: index of the function.
    """

    caller: int | None
    callee: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCount:
    """How often a line of a function was reached."""

    function: int
    line: int
    text: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one call of a benchmark executed.

    Attributes:
        unit: what `cost` counts: ``instructions`` of Python's bytecode, ``lines``, or ``machine instructions``.
        method: how it was counted.
        python: version of Python, because bytecode differs between versions.
        frames: a parent comes before its children.
        again: cost of each function in a second call; a function whose costs differ depends on more than its code.
            Empty if there was no second call.
        threads: number of threads that ran beside the one that called.
    """

    unit: str
    method: str
    python: str
    functions: Sequence[Function]
    frames: Sequence[Frame]
    calls: Sequence[Call]
    lines: Sequence[LineCount] = ()
    again: Sequence[int] = ()
    threads: int = 0

    @property
    def total(self) -> int:
        """Cost of the whole call."""
        return sum(frame.cost for frame in self.frames)

    @property
    def entries(self) -> int:
        """Calls of Python functions in the whole call."""
        return sum(call.calls for call in self.calls if self.functions[call.callee].kind == "python")

    def self_costs(self) -> list[int]:
        """Return the cost of each function itself, over all paths."""
        costs = [0] * len(self.functions)
        for frame in self.frames:
            costs[frame.function] += frame.cost
        return costs


def profile_json(profile: Profile) -> str:
    """Return a profile as JSON; `read_profile` reads it."""
    document = {
        "schema": SCHEMA,
        "unit": profile.unit,
        "method": profile.method,
        "python": profile.python,
        "threads": profile.threads,
        "functions": [[one.file, one.name, one.line, one.kind] for one in profile.functions],
        "frames": [[one.parent, one.function, one.calls, one.cost] for one in profile.frames],
        "calls": [[one.caller, one.callee, one.calls] for one in profile.calls],
        "lines": [[one.function, one.line, one.text, one.count] for one in profile.lines],
        "again": list(profile.again),
    }
    return json.dumps(document, separators=(",", ":"))


def read_profile(text: str, where: str) -> Profile:
    """Return the profile of a file.

    Raises:
        ImportFormatError: it is not a profile of this version; the message names `where`.
    """
    try:
        return _profile(json.loads(text))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise ImportFormatError(f"{where} is not a profile of the schema {SCHEMA}: {error}") from error


def _profile(document: Mapping[str, Any]) -> Profile:
    if document.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {document.get('schema')!r}")
    profile = Profile(
        unit=str(document["unit"]),
        method=str(document["method"]),
        python=str(document["python"]),
        threads=int(document["threads"]),
        functions=[
            Function(file=str(file), name=str(name), line=int(line), kind=_kind(kind))
            for file, name, line, kind in document["functions"]
        ],
        frames=[
            Frame(parent=parent, function=int(function), calls=int(calls), cost=int(cost))
            for parent, function, calls, cost in document["frames"]
        ],
        calls=[
            Call(caller=caller, callee=int(callee), calls=int(calls)) for caller, callee, calls in document["calls"]
        ],
        lines=[
            LineCount(function=int(function), line=int(line), text=str(text), count=int(count))
            for function, line, text, count in document["lines"]
        ],
        again=[int(cost) for cost in document["again"]],
    )
    _check(profile)
    return profile


def _kind(text: str) -> Kind:
    kinds: dict[str, Kind] = {"python": "python", "c": "c", "native": "native"}
    return kinds[text]


def _check(profile: Profile) -> None:
    """Raise ValueError if an index leads nowhere or a count is below 0."""
    count = len(profile.functions)
    functions = [one.function for one in profile.frames] + [one.callee for one in profile.calls]
    functions += [one.caller for one in profile.calls if one.caller is not None]
    functions += [one.function for one in profile.lines]
    if not all(0 <= index < count for index in functions):
        raise ValueError("it names a function that it does not have")
    if any(one.parent is not None and not 0 <= one.parent < at for at, one in enumerate(profile.frames)):
        raise ValueError("a frame comes before its parent")
    if any(one.calls < 0 or one.cost < 0 for one in profile.frames):
        raise ValueError("a count is below 0")
    if profile.again and len(profile.again) != count:
        raise ValueError("its second call has other functions")
