"""The tree of both sides, laid out as a flame graph."""

from dataclasses import dataclass, field

from pytest_benchdb.analysis.profiles.call_graph import Key, moved_functions
from pytest_benchdb.model.profile import Function, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A function on one path, in a flame graph.

    Attributes:
        depth: 0 for the benchmark.
        left: share of the graph's width to its left.
        width: share of the graph's width: of the larger of both costs.
        base: cost with all that it calls, at the base.
        head: the same at the head.
        base_own: what it executed itself, at the base.
        function: None for the benchmark.
    """

    depth: int
    left: float
    width: float
    function: Function | None
    base: int
    head: int
    base_own: int
    head_own: int


@dataclass(slots=True)
class _Both:
    """A path on both sides."""

    function: Function | None
    own: list[int] = field(default_factory=lambda: [0, 0])
    children: "dict[Key, _Both]" = field(default_factory=dict)
    whole: list[int] = field(default_factory=lambda: [0, 0])
    extent: int = 0


def flame_boxes(base: Profile, head: Profile) -> list[Box]:
    """Return the boxes of a differential flame graph, callers before what they call, largest first.

    A function that is gone keeps a box, as wide as it was: a box is as wide as the larger of both sides.
    """
    root = _Both(None)
    moved = moved_functions(base, head)
    for side, profile in enumerate((base, head)):
        nodes: list[_Both] = []
        for frame in profile.frames:
            parent = root if frame.parent is None else nodes[frame.parent]
            function = profile.functions[frame.function]
            key = moved.get(function.key, function.key) if side == 0 else function.key
            node = parent.children.setdefault(key, _Both(function))
            node.function = function
            node.own[side] += frame.cost
            nodes.append(node)
    order = _ordered(root)
    for node in reversed(order):
        node.whole = [
            own + sum(child.whole[side] for child in node.children.values()) for side, own in enumerate(node.own)
        ]
        node.extent = max(node.own) + sum(child.extent for child in node.children.values())
    return _laid_out(root)


def _ordered(root: _Both) -> list[_Both]:
    order = [root]
    for node in order:
        order += node.children.values()
    return order


def _laid_out(root: _Both) -> list[Box]:
    total = root.extent or 1
    boxes: list[Box] = []
    queue: list[tuple[_Both, int, int]] = [(root, 0, 0)]
    while queue:
        node, depth, left = queue.pop()
        boxes.append(
            Box(
                depth=depth,
                left=left / total,
                width=node.extent / total,
                function=node.function,
                base=node.whole[0],
                head=node.whole[1],
                base_own=node.own[0],
                head_own=node.own[1],
            )
        )
        for child in sorted(node.children.values(), key=lambda one: -one.extent):
            if child.extent:
                queue.append((child, depth + 1, left))
                left += child.extent
    return boxes
