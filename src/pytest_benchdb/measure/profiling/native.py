"""A dump of callgrind as a profile: what each native function executed in one call of the benchmark."""

import platform
import re
from functools import cache
from pathlib import Path

from pytest_benchdb.measure.counting.dump import Dump, FunctionCost
from pytest_benchdb.model.profile import Call, Frame, Function, Profile

UNIT = "machine instructions"
_EVENT = "Ir"
_LINE = re.compile(r"(?P<file>/.*):(?P<line>\d+)$")
_DEFINITION = re.compile(r"(?:__attribute__\(\(\w+\)\)\s*)?[A-Za-z_][\w\s*]*?\b(?P<name>[A-Za-z_]\w*)\s*\((?![^{]*;)")
"""The first line of a definition, which begins in the first column."""


def native_profile(first: Dump, second: Dump) -> Profile:
    """Return the profile of a dump of one call; `second` is of another call, and shows what varies.

    The levels of a recursion, which callgrind counts apart, are one function.
    """
    numbers: dict[tuple[str, str], int] = {}
    functions: list[Function] = []
    costs: list[int] = []
    places: list[int] = []
    for cost in first.functions:
        function = _function(cost)
        if function.key not in numbers:
            numbers[function.key] = len(functions)
            functions.append(function)
            costs.append(0)
        places.append(numbers[function.key])
        costs[numbers[function.key]] += cost.cost.get(_EVENT, 0)
    calls: dict[tuple[int, int], int] = {}
    for (caller, callee), count in first.calls.items():
        pair = places[caller], places[callee]
        calls[pair] = calls.get(pair, 0) + count
    again = [0] * len(functions)
    for cost in second.functions:
        at = numbers.get(_function(cost).key)
        if at is not None:
            again[at] += cost.cost.get(_EVENT, 0)
    called = {callee for _, callee in calls}
    return Profile(
        unit=UNIT,
        method=first.creator,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        functions=functions,
        frames=[Frame(parent=None, function=at, calls=_calls(at, calls), cost=cost) for at, cost in enumerate(costs)],
        calls=[
            *(Call(caller=None, callee=at, calls=1) for at in range(len(functions)) if at not in called),
            *(Call(caller=caller, callee=callee, calls=count) for (caller, callee), count in calls.items()),
        ],
        again=again,
    )


def _calls(function: int, calls: dict[tuple[int, int], int]) -> int:
    return sum(count for (_, callee), count in calls.items() if callee == function)


def _function(cost: FunctionCost) -> Function:
    name, _, _ = cost.function.partition("'")
    where = _LINE.match(name)
    if where is not None:
        return Function(file=Path(where["file"]).name, name=_name_in(where["file"], int(where["line"])), kind="native")
    return Function(file=Path(cost.object).name if cost.object else "", name=name, kind="native")


@cache
def _name_in(file: str, line: int) -> str:
    """Return the name of the C function that a line of a source file is in; the line if the file is not there."""
    try:
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()[:line]
    except OSError:
        return f"line {line}"
    found = next((match for text in reversed(lines) if (match := _DEFINITION.match(text))), None)
    return f"line {line}" if found is None else found["name"]
