"""The tree of calls that a collector grows while a function runs, one for each thread."""

from collections import Counter
from collections.abc import Iterator
from types import CodeType
from typing import Any

from pytest_benchdb.measure.profiling.code_names import Namer
from pytest_benchdb.model.profile import Function


class Node:
    """A function on one path from the benchmark.

    Attributes:
        function: None for the root, which is the benchmark itself.
        links: by the code that was called from here, its node and how often.
        c_calls: how often each C function was called from here, by module and name.
        cost: instructions that it executed itself.
        lines: how often each line was reached.
        path: the nodes from the root to this one, by function.
    """

    __slots__ = ("c_calls", "cost", "function", "lines", "links", "parent", "path")

    def __init__(self, function: Function | None, parent: "Node | None") -> None:
        self.function = function
        self.parent = parent
        self.links: dict[CodeType, list[Any]] = {}
        self.c_calls: Counter[tuple[str, str]] = Counter()
        self.cost = 0
        self.lines: dict[int, int] = {}
        self.path: dict[tuple[str, str], Node] = {} if parent is None else dict(parent.path)
        if function is not None:
            self.path[function.key] = self

    def children(self) -> "Iterator[Node]":
        """Yield the nodes that were first reached from here, each once."""
        yield from {id(node): node for node, _ in self.links.values() if node.parent is self}.values()

    def link(self, code: CodeType, namer: Namer) -> list[Any]:
        """Return the new link to code that is called from here for the first time: its node, and 0.

        Recursion leads back to the node that the path has already, so that a tree stays small.
        """
        function = namer.function(code)
        node = self.path.get(function.key)
        if node is None:
            node = type(self)(function, self)
            for other, _ in self.links.values():  # other code of the same function, such as a comprehension of it
                if other.function is not None and other.function.key == function.key:
                    node = other
        self.links[code] = [node, 0]
        return self.links[code]
