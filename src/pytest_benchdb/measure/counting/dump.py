"""Reads what callgrind dumps: the totals of each event, and what each function cost by itself.

The format is described in valgrind's manual, "Callgrind Format Specification".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_benchdb.errors import MeasurementError

_END_BYTES = 4096
_UNKNOWN = frozenset({"???", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCost:
    """What one function cost by itself, without those that it calls.

    Attributes:
        function: its symbol; callgrind adds ``'2`` and so on to levels of a recursion.
        file: its source file; None without debugging information.
        object: the library or program that it is in; None if not known.
        cost: events by name: ``Ir`` for instructions, ``sysTime`` for nanoseconds in system calls, ...
        called: how often functions in the dump called it.
    """

    function: str
    file: str | None
    object: str | None
    cost: Mapping[str, int]
    called: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """One dump.

    Attributes:
        creator: tool and version: ``callgrind-3.19.0``.
        totals: events by name, over all functions and threads.
        functions: the costliest by instructions first.
        calls: how often one function called another, by their places in `functions`.
    """

    creator: str
    totals: Mapping[str, int]
    functions: tuple[FunctionCost, ...] = ()
    calls: Mapping[tuple[int, int], int] = field(default_factory=dict)


def read_totals(path: Path) -> Dump:
    """Read the totals of a dump, which may have thousands of functions.

    Raises:
        MeasurementError: the file is not a whole dump of callgrind.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_END_BYTES)
            file.seek(max(0, path.stat().st_size - _END_BYTES))
            tail = file.read()
    except OSError as error:
        raise MeasurementError(f"callgrind's dump {path} cannot be read: {error.strerror}") from error
    lines = [*head.decode("utf-8", "replace").splitlines(), *tail.decode("utf-8", "replace").splitlines()]
    values = _headers(lines)
    if not {"creator", "events", "totals"} <= values.keys():
        raise MeasurementError(f"{path} is not a whole dump of callgrind: it has no creator, events and totals")
    return Dump(creator=values["creator"], totals=_costs(values["events"].split(), values["totals"].split()))


def read_dump(path: Path) -> Dump:
    """Read a dump with its functions.

    Raises:
        MeasurementError: the file is not a whole dump of callgrind.
    """
    whole = read_totals(path)
    functions = _Functions(tuple(whole.totals))
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            functions.take(line.rstrip("\n"))
    return Dump(
        creator=whole.creator,
        totals=whole.totals,
        functions=tuple(functions.costs()),
        calls=functions.calls_between(),
    )


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name: text.strip() for name, colon, text in pairs if colon and name in {"creator", "events", "totals"}}


def _costs(events: list[str], words: list[str]) -> dict[str, int]:
    """Pair events with their costs; callgrind leaves out zeros at the end of a line."""
    return {event: int(words[at]) if at < len(words) else 0 for at, event in enumerate(events)}


_Place = tuple[str, str, str]
"""Function, file and object."""


class _Functions:
    """Sums the lines of a dump by function."""

    def __init__(self, events: tuple[str, ...]) -> None:
        self._events = events
        self._names: dict[tuple[str, str], str] = {}
        self._place = {"ob": "", "fl": "", "fn": ""}
        self._called = {"ob": "", "fl": "", "fn": ""}
        self._sums: dict[tuple[str, str, str], list[int]] = {}
        self._calls: dict[tuple[str, str, str], int] = {}
        self._between: dict[tuple[_Place, _Place], int] = {}
        self._is_of_call = False
        self._inner = ""
        self._line = 0

    def take(self, line: str) -> None:
        """Take one line."""
        key, equals, text = line.partition("=")
        if equals and key in {"ob", "fl", "fn"}:
            self._place[key] = self._name(key, text)
            if key == "fn":
                self._called = dict(self._place)
                self._inner = ""
        elif equals and key in {"cob", "cfl", "cfi", "cfn"}:
            kind = {"cob": "ob", "cfl": "fl", "cfi": "fl", "cfn": "fn"}[key]
            self._called[kind] = self._name(kind, text)
        elif equals and key in {"fi", "fe"}:  # lines of another file that the compiler put into this function
            self._inner = self._called["fl"] = self._name("fl", text)
        elif equals and key == "calls":
            called = (self._called["fn"], self._called["fl"], self._called["ob"])
            calls = int(text.split()[0])
            self._calls[called] = self._calls.get(called, 0) + calls
            pair = (self._here(), called)
            self._between[pair] = self._between.get(pair, 0) + calls
            self._is_of_call = True
            self._called = {**self._place, "fl": self._inner or self._place["fl"], "fn": ""}
        elif line[:1].isdigit() or line[:1] in {"+", "-", "*"}:
            self._take_cost(line)

    def costs(self) -> Iterator[FunctionCost]:
        """Yield the functions, the costliest by the first event first."""
        for place in self._order():
            function, file, object_ = place
            yield FunctionCost(
                function=function,
                file=None if file in _UNKNOWN else file,
                object=None if object_ in _UNKNOWN else object_,
                cost=dict(zip(self._events, self._sums[place], strict=True)),
                called=self._calls.get(place, 0),
            )

    def calls_between(self) -> dict[tuple[int, int], int]:
        """Return how often one function called another, by their places in `costs`."""
        number = {place: at for at, place in enumerate(self._order())}
        return {
            (number[caller], number[called]): calls
            for (caller, called), calls in self._between.items()
            if caller in number and called in number
        }

    def _order(self) -> list[_Place]:
        return sorted(self._sums, key=lambda place: (-self._sums[place][0], place))

    def _here(self) -> _Place:
        """Return the function of the current line.

        A function without a symbol that has lines of a source file is code that callgrind did not see to be called:
        libffi, by which ctypes calls, moves the stack. Such code is known by its file and line only.
        """
        function, file, object_ = self._place["fn"], self._place["fl"], self._place["ob"]
        if function.startswith("0x") and self._inner not in {"", "???", file}:
            return f"{self._inner}:{self._line}", self._inner, object_
        return function, file, object_

    def _take_cost(self, line: str) -> None:
        position = line.split(maxsplit=1)[0]
        if position.isdigit():
            self._line = int(position)
        elif position != "*":
            self._line += int(position)
        if self._is_of_call:  # what the call cost with all that it called
            self._is_of_call = False
            return
        place = self._here()
        sums = self._sums.setdefault(place, [0] * len(self._events))
        for at, word in enumerate(line.split()[1:]):
            sums[at] += int(word)

    def _name(self, kind: str, text: str) -> str:
        """Return a name; callgrind writes ``(7) name`` the first time, and ``(7)`` after that."""
        number, _, name = text.partition(" ")
        if not number.startswith("("):
            return text
        if name:
            self._names[kind, number] = name
        return self._names.get((kind, number), "")
