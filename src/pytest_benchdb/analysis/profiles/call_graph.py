"""A profile as a graph of functions, and the groups of functions that call each other in circles."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.profile import Function, Profile

Key = tuple[str, str]
ROOT: Key = ("", "")
"""The benchmark itself, which calls functions and executes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallGraph:
    """A profile by function.

    Attributes:
        functions: by key.
        calls: how often each function was called, by all; at least 1 for those that executed anything.
        edges: how often one function called another.
        costs: what each function executed itself.
        variation: by how much the cost of a function differed in a second call.
    """

    functions: Mapping[Key, Function]
    calls: Mapping[Key, int]
    edges: Mapping[tuple[Key, Key], int]
    costs: Mapping[Key, int]
    variation: Mapping[Key, int]

    def callees(self) -> dict[Key, list[Key]]:
        """Return which functions each one calls."""
        found: dict[Key, list[Key]] = {ROOT: []}
        for caller, callee in self.edges:
            found.setdefault(caller, []).append(callee)
        return found


def graph_of(profile: Profile, names: Mapping[Key, Key] | None = None) -> CallGraph:
    """Return the graph of a profile; `names` replaces the keys of functions that have moved."""
    names = names or {}
    keys = [names.get(one.key, one.key) for one in profile.functions]
    costs: Counter[Key] = Counter()
    for index, cost in enumerate(profile.self_costs()):
        costs[keys[index]] += cost
    edges: Counter[tuple[Key, Key]] = Counter()
    for call in profile.calls:
        edges[ROOT if call.caller is None else keys[call.caller], keys[call.callee]] += call.calls
    calls: Counter[Key] = Counter({ROOT: 1})
    for (_, callee), count in edges.items():
        calls[callee] += count
    for key in keys:  # a generator that was made before the benchmark is only resumed
        if costs[key] and not calls[key]:
            edges[ROOT, key] = calls[key] = 1
    again: Counter[Key] = Counter()
    for index, cost in enumerate(profile.again):
        again[keys[index]] += cost
    variation = {key: abs(again[key] - costs[key]) for key in keys} if profile.again else {}
    return CallGraph(
        functions=dict(zip(keys, profile.functions, strict=True)),
        calls=calls,
        edges=edges,
        costs=costs,
        variation=variation,
    )


def moved_functions(base: Profile, head: Profile) -> dict[Key, Key]:
    """Return the new keys of functions that are in another file at the head, if their names leave no doubt."""
    before = {one.key for one in base.functions}
    after = {one.key for one in head.functions}
    gone, new = _by_name(before - after), _by_name(after - before)
    return {
        keys[0]: new[name][0]
        for name, keys in gone.items()
        if len(keys) == 1 and len(new.get(name, ())) == 1 and name != "<module>"
    }


def _by_name(keys: Iterable[Key]) -> dict[str, list[Key]]:
    found: dict[str, list[Key]] = {}
    for key in keys:
        found.setdefault(key[1], []).append(key)
    return found


def circles(callees: Mapping[Key, Sequence[Key]]) -> list[list[Key]]:
    """Return the functions in groups that call each other in circles; called groups come before their callers.

    A function without recursion is a group of its own. Tarjan, "Depth-first search and linear graph algorithms", 1972.
    """
    found: list[list[Key]] = []
    numbers: dict[Key, int] = {}
    lowest: dict[Key, int] = {}
    stack: list[Key] = []
    on_stack: set[Key] = set()
    for start in [*callees, *(key for keys in callees.values() for key in keys)]:
        if start in numbers:
            continue
        numbers[start] = lowest[start] = len(numbers)
        stack.append(start)
        on_stack.add(start)
        work = [(start, iter(callees.get(start, ())))]
        while work:
            key, rest = work[-1]
            for callee in rest:
                if callee not in numbers:
                    numbers[callee] = lowest[callee] = len(numbers)
                    stack.append(callee)
                    on_stack.add(callee)
                    work.append((callee, iter(callees.get(callee, ()))))
                    break
                if callee in on_stack:
                    lowest[key] = min(lowest[key], numbers[callee])
            else:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[key])
                if lowest[key] == numbers[key]:
                    at = stack.index(key)
                    found.append(stack[at:])
                    on_stack.difference_update(stack[at:])
                    del stack[at:]
    return found
