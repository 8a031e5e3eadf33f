"""The profile pass: two calls of the function, in which everything that Python executes is counted.

Counts need no quiet machine. They are of Python code only: a C function counts as a call of its caller, and what it
does inside is seen by the count of machine instructions alone. The second call shows what differs from call to call.
"""

import contextlib
import gc
import linecache
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from pytest_benchdb.measure.profiling.call_tree import Node
from pytest_benchdb.measure.profiling.code_names import Namer
from pytest_benchdb.model.profile import TEXT_CHARACTERS, Call, Frame, Function, LineCount, Profile
from pytest_benchdb.model.run import Measurement

PASS = "profile"
INSTRUCTIONS, LINES = "instructions", "lines"
MOST_CALL_S = 0.5
"""A call that takes longer has its lines counted instead of its instructions, which takes a hundred times as long."""


class Collector(Protocol):
    """Counts what runs within its block."""

    method: str
    roots: list[Node]

    def __enter__(self) -> None:
        """Begin to count."""

    def __exit__(self, *error: object) -> None:
        """End."""


def _new_collector(namer: Namer, *, instructions: bool) -> Collector:
    """Return what counts on this version of Python."""
    if hasattr(sys, "monitoring"):
        from pytest_benchdb.measure.profiling.monitoring import Monitoring

        return Monitoring(namer, instructions=instructions)
    from pytest_benchdb.measure.profiling.tracing import Tracing

    return Tracing(namer, instructions=instructions)


class Counting:
    """Counts what runs within its block, on this version of Python, with the garbage collector off."""

    def __init__(self, folder: Path, *, unit: str = INSTRUCTIONS) -> None:
        """Count nothing yet; files of the project are named relative to the checkout that has `folder`."""
        self._namer = Namer(folder)
        self._unit = unit
        self._collector = _new_collector(self._namer, instructions=unit == INSTRUCTIONS)
        self._was_enabled: bool | None = None

    def __enter__(self) -> None:
        gc.collect()  # a destructor would run whenever the collector wants
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._collector.__enter__()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Count no more, if it has begun."""
        if self._was_enabled is None:
            return
        self._collector.__exit__()
        if self._was_enabled:
            gc.enable()
        self._was_enabled = None

    def profile(self, again: "Counting | None" = None) -> Profile:
        """Return the profile of all threads; `again` counted a second call."""
        collector, built = self._collector, _Builder(self._unit)
        with_frames = sum(built.add(root) > 0 for root in collector.roots)
        later = None if again is None else built.costs(again._collector.roots)  # noqa: SLF001 - of the same class
        functions = list(built.functions.values())
        return Profile(
            unit=self._unit,
            method=collector.method,
            python=f"{platform.python_implementation()} {platform.python_version()}",
            functions=functions,
            frames=built.frames,
            calls=[Call(caller=caller, callee=callee, calls=calls) for (caller, callee), calls in built.calls.items()],
            lines=_line_counts(built, self._namer.sources),
            again=[] if later is None else [later[one.key] for one in functions],
            threads=max(0, with_frames - 1),
        )


def profile_calls(once_within: Callable[[AbstractContextManager[object]], None], *, folder: Path) -> Profile:
    """Return what one call of a function executes.

    The function is called three times: untraced, to see how long it takes, and twice to count.

    Args:
        once_within: calls the function once inside a block; setup and teardown are outside.
        folder: the working folder.

    Raises:
        MeasurementError: another tool profiles this process.
        Exception: raised by the function.
    """
    watch = _Watch()
    once_within(watch)
    unit = INSTRUCTIONS if watch.seconds <= MOST_CALL_S else LINES
    first, second = (Counting(folder, unit=unit) for _ in range(2))
    with contextlib.ExitStack() as stack:
        stack.callback(second.stop)  # where the function raised
        stack.callback(first.stop)
        once_within(first)
        once_within(second)
    return first.profile(second)


class _Watch:
    """Times a block."""

    seconds = 0.0

    def __enter__(self) -> None:
        self._began_s = time.perf_counter()

    def __exit__(self, *_error: object) -> None:
        self.seconds = time.perf_counter() - self._began_s


def profile_rows(profile: Profile | None, reason: str | None = None) -> tuple[Measurement, ...]:
    """Return the measurements of a profile: bytecode instructions and calls, or why there are none."""
    if profile is None:
        return tuple(Measurement.of(name, pass_name=PASS, reason=reason) for name in ("bytecodes", "python_calls"))
    about: dict[str, Any] = {"pass_name": PASS, "method": profile.method}
    details = {"python": profile.python, "threads": profile.threads, "second_call": sum(profile.again)}
    calls = Measurement.of("python_calls", value=float(profile.entries), **about)
    if profile.unit != INSTRUCTIONS:
        why = f"a call takes more than {MOST_CALL_S:g} s, so its lines were counted"
        return (Measurement.of("bytecodes", reason=why, **about), calls)
    return (Measurement.of("bytecodes", value=float(profile.total), details=details, **about), calls)


class _Builder:
    """Numbers functions and frames."""

    def __init__(self, unit: str) -> None:
        self.functions: dict[tuple[str, str], Function] = {}
        self.frames: list[Frame] = []
        self.calls: Counter[tuple[int | None, int]] = Counter()
        self.lines: Counter[tuple[int, int]] = Counter()
        self._numbers: dict[tuple[str, str], int] = {}
        self._unit = unit

    def add(self, root: Node) -> int:
        """Add the tree of a thread; return the number of its frames."""
        before = len(self.frames)
        entered = _entries(root)
        queue: list[tuple[Node, int | None]] = [(root, None)]
        while queue:
            node, at = queue.pop()
            caller = None if node.function is None else self._number(node.function)
            for child in node.children():
                function = self._number(child.function)
                self.frames.append(Frame(parent=at, function=function, calls=entered[child], cost=self._cost(child)))
                self.lines.update({(function, line): count for line, count in child.lines.items()})
                queue.append((child, len(self.frames) - 1))
            for other, calls in node.links.values():
                if calls:
                    self.calls[caller, self._number(other.function)] += calls
            if caller is not None:
                for (module, name), calls in node.c_calls.items():
                    self.calls[caller, self._number(Function(file=module, name=name, kind="c"))] += calls
        return len(self.frames) - before

    def costs(self, roots: Iterable[Node]) -> Counter[tuple[str, str]]:
        """Return the cost of each function in other trees."""
        found: Counter[tuple[str, str]] = Counter()
        queue = list(roots)
        while queue:
            node = queue.pop()
            if node.function is not None:
                found[node.function.key] += self._cost(node)
                self._number(node.function)
            queue += node.children()
        return found

    def _cost(self, node: Node) -> int:
        return node.cost if self._unit == INSTRUCTIONS else sum(node.lines.values())

    def _number(self, function: Function | None) -> int:
        assert function is not None  # noqa: S101 - only the root has none
        key = function.key
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            self.functions[key] = function
        elif function.line < self.functions[key].line:  # a comprehension was seen before the function around it
            self.functions[key] = function
        return self._numbers[key]


def _entries(root: Node) -> Counter[Node]:
    """Return how often each node was entered, from all places."""
    entered: Counter[Node] = Counter()
    queue = [root]
    while queue:
        node = queue.pop()
        for other, calls in node.links.values():
            entered[other] += calls
        queue += node.children()
    return entered


def _line_counts(built: _Builder, sources: Mapping[str, str]) -> list[LineCount]:
    functions = list(built.functions.values())
    return [
        LineCount(function=function, line=line, text=_text(functions[function], line, sources), count=count)
        for (function, line), count in sorted(built.lines.items())
    ]


def _text(function: Function, line: int, sources: Mapping[str, str]) -> str:
    """Return the text of a line, without indentation."""
    return linecache.getline(sources.get(function.file, function.file), line).strip()[:TEXT_CHARACTERS]
