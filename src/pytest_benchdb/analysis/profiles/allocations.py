"""Which lines hold more memory at the peak.

Memory belongs to the innermost line of the project on the path that asked for it, rather than to the line of a library
that it called. Lines move between two commits, and are matched by file, function and text; then, if that leaves no
doubt, by function and text in another file; then, in a function with as many lines gone as new, in their order.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pytest_benchdb.analysis.profiles.causes import LEAST_SHARE
from pytest_benchdb.model.allocations import Allocations, Held, Line
from pytest_benchdb.model.answer.explanation import AllocationChange, MemoryChange

LEAST_BYTES = 1024
"""Smallest growth that is explained: what Python itself needs for a call differs by less."""
THE_BENCHMARK = Line("", 0, "the benchmark itself")
Key = tuple[str, str, str]
"""File, function and text of a line."""


def key_of(line: Line) -> Key:
    """Return what a line is matched by."""
    return line.file, line.function, line.text


def compare_allocations(base: Allocations, head: Allocations) -> MemoryChange:
    """Return the difference of two sides of the same metric.

    Raises:
        ValueError: their metrics differ.
    """
    if base.metric != head.metric:
        raise ValueError(f"one is {base.metric}, and the other {head.metric}")
    before, after = _by_line(base), _by_line(head)
    names = _matched([one.line for one in before.values()], [one.line for one in after.values()])
    renamed = {names.get(key, key): side for key, side in before.items()}
    nothing = _Side(THE_BENCHMARK)
    changes = [
        _change(renamed.get(key, nothing), after.get(key, nothing), names) for key in dict.fromkeys([*after, *renamed])
    ]
    differing = [one for one in changes if one.growth]
    difference = MemoryChange(
        metric=head.metric,
        base_peak=base.peak_bytes,
        head_peak=head.peak_bytes,
        lines=sorted(differing, key=lambda one: (-one.growth, one.line)),
        culprit=None,
        variation=max(base.variation, head.variation),
    )
    return _with_culprit(difference)


def _with_culprit(found: MemoryChange) -> MemoryChange:
    least = max(found.variation + 1, LEAST_BYTES, LEAST_SHARE * found.base_peak)
    if found.growth < least or not found.lines or found.lines[0].growth <= found.variation:
        return found
    return replace(found, culprit=found.lines[0])


@dataclass(slots=True)
class _Side:
    """What a line holds on one side, by path from the line that allocated outwards."""

    line: Line
    size_bytes: int = 0
    blocks: int = 0
    paths: Counter[tuple[Line, ...]] = field(default_factory=Counter)


def _by_line(allocations: Allocations) -> dict[Key, _Side]:
    found: dict[Key, _Side] = {}
    for one in allocations.held:
        path = _path(allocations, one)
        line = path[_own_index(path)] if path else THE_BENCHMARK
        side = found.setdefault(key_of(line), _Side(line))
        side.size_bytes += one.size_bytes
        side.blocks += one.blocks
        side.paths[path] += one.size_bytes
    return found


def _path(allocations: Allocations, held: Held) -> tuple[Line, ...]:
    return tuple(allocations.lines[index] for index in held.path)


def _own_index(path: tuple[Line, ...]) -> int:
    """Return the place of the innermost line of the project; 0 if there is none."""
    return next((index for index, line in enumerate(path) if line.is_own), 0)


def _change(before: _Side, after: _Side, names: Mapping[Key, Key]) -> AllocationChange:
    earlier: Counter[tuple[Key, ...]] = Counter()
    for path, size in before.paths.items():
        earlier[tuple(names.get(key_of(line), key_of(line)) for line in path)] += size
    there = after if after.paths else before
    path = max(there.paths, key=lambda one: there.paths[one] - earlier[tuple(map(key_of, one))], default=())
    own = _own_index(path)
    known = {key for keys in earlier for key in keys}
    unheld = (line for line in path[own + 1 :] if key_of(line) not in known)
    return AllocationChange(
        line=there.line,
        base_bytes=before.size_bytes,
        head_bytes=after.size_bytes,
        base_blocks=before.blocks,
        head_blocks=after.blocks,
        callers=path[own + 1 :],
        keeper=next(unheld, None) if before.size_bytes else None,
        within=path[0] if own else None,
    )


def _matched(before: Iterable[Line], after: Iterable[Line]) -> dict[Key, Key]:
    """Return the keys at the head of lines that have another key at the base."""
    names: dict[Key, Key] = {}
    old, new = ({key_of(line): line for line in side} for side in (before, after))
    gone, come = ([side[key] for key in side if key not in other] for side, other in ((old, new), (new, old)))
    rules: tuple[Callable[[Line], Hashable], ...] = (
        lambda line: (line.function, line.text),
        lambda line: (line.file, line.function),
    )
    for rule in rules:
        groups: defaultdict[Hashable, tuple[list[Line], list[Line]]] = defaultdict(lambda: ([], []))
        for side, lines in enumerate((gone, come)):
            for line in lines:
                groups[rule(line)][side].append(line)
        pairs = [pair for left, right in groups.values() if len(left) == len(right) for pair in _in_order(left, right)]
        names |= {key_of(left): key_of(right) for left, right in pairs}
        gone = [line for line in gone if key_of(line) not in names]
        come = [line for line in come if key_of(line) not in names.values()]
    return names


def _in_order(left: list[Line], right: list[Line]) -> Iterable[tuple[Line, Line]]:
    by_place = [sorted(side, key=lambda line: (line.file, line.line)) for side in (left, right)]
    return zip(*by_place, strict=True)
