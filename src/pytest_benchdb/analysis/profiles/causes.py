"""Which function caused that a benchmark executes more.

Let c(f) be the cost of one call of f with all that it calls, s(f) what it executes itself in one call, and r(f, g) how
often one call of f calls g, all on average. Then c = s + R c on either side, and the growth of the whole is exactly

    sum over f of calls(f) * (s'(f) - s(f) + sum over g of (r'(f, g) - r(f, g)) * c'(g))

with the calls of the base and the costs c' of the head. Each term is what the change of one function itself cost: its
own code, and calls that it makes more often. That it is called more often is in the term of its caller. Functions that
call each other in circles count as one for this, and the growth of their group is then shared among them.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.analysis.profiles.call_graph import ROOT, CallGraph, Key, circles, graph_of, moved_functions
from pytest_benchdb.model.answer.explanation import CallChange, FunctionChange, LineChange, ProfileChange
from pytest_benchdb.model.profile import Function, Profile

LEAST_SHARE = 0.001
"""Smallest growth of a benchmark, as a share of its cost, that is explained; less does not make it slower."""
_MOST_LINES = 5
_MOST_CALLS = 5
THE_BENCHMARK = Function(file="", name="the benchmark itself")


def compare_profiles(base: Profile, head: Profile) -> ProfileChange:
    """Return the difference of two profiles of the same unit.

    Raises:
        ValueError: their units differ.
    """
    if base.unit != head.unit:
        raise ValueError(f"one counts {base.unit}, and the other {head.unit}")
    moved = moved_functions(base, head)
    before, after = graph_of(base, moved), graph_of(head)
    caused = _causes(before, after)
    functions = [
        _function_change(key, before, after, caused)
        for key in dict.fromkeys([ROOT, *after.functions, *before.functions])
    ]
    variation = max(abs(sum(one.again) - one.total) if one.again else 0 for one in (base, head))
    lines = _line_changes(base, head, moved)
    changed = sorted(
        (replace(one, lines=lines.get(_key_of(one), ())) for one in functions if _differs(one)),
        key=lambda one: (-one.caused, -one.growth, one.function.key),
    )
    difference = ProfileChange(
        unit=head.unit,
        base_total=base.total,
        head_total=head.total,
        functions=changed,
        culprit=None,
        variation=variation,
    )
    return replace(difference, culprit=_culprit(difference, before, after))


def _culprit(difference: ProfileChange, before: CallGraph, after: CallGraph) -> FunctionChange | None:
    """Return the first function whose effect is more than its cost varies by itself."""
    growth = difference.growth
    if growth <= difference.variation or growth < LEAST_SHARE * difference.base_total:
        return None
    for change in difference.functions:
        keys = [_key_of(change), *(call.callee.key for call in change.calls)]
        varies = sum(max(side.variation.get(key, 0) for side in (before, after)) for key in keys)
        if change.caused > varies:
            return change
    return None


def _key_of(change: FunctionChange) -> Key:
    return ROOT if change.function is THE_BENCHMARK else change.function.key


def _differs(change: FunctionChange) -> bool:
    return bool(round(change.caused) or change.growth or change.base_calls != change.head_calls)


@dataclass(frozen=True, slots=True)
class _Cause:
    amount: float
    calls: tuple[tuple[Key, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Groups:
    """One side by group: entries from outside, own cost and calls of other groups for each entry, and whole cost."""

    entries: Mapping[int, int]
    own: Mapping[int, float]
    rates: Mapping[int, Mapping[int, float]]
    whole: Mapping[int, float]


def _causes(before: CallGraph, after: CallGraph) -> dict[Key, _Cause]:
    """Return what each function caused."""
    callees: defaultdict[Key, list[Key]] = defaultdict(list)
    for graph in (before, after):
        for caller, called in graph.callees().items():
            callees[caller] += called
    groups = circles(callees)
    number = {key: index for index, group in enumerate(groups) for key in group}
    base = _grouped(before, groups, number)
    head = _grouped(after, groups, number, gone=base)
    found: dict[Key, _Cause] = {}
    for index, group in enumerate(groups):
        entries = base.entries.get(index, 0)
        if not entries or not head.entries.get(index, 0):
            continue  # what is new or gone was caused by its callers
        amount = head.own[index] - base.own[index]
        for other in {*base.rates[index], *head.rates[index]}:
            rate = head.rates[index].get(other, 0.0) - base.rates[index].get(other, 0.0)
            amount += rate * head.whole[other]
        causes = [_member_cause(key, number, before, after, head) for key in group]
        found |= dict(zip(group, _scaled(causes, entries * amount), strict=True))
    return found


def _grouped(
    graph: CallGraph, groups: Sequence[Sequence[Key]], number: Mapping[Key, int], gone: _Groups | None = None
) -> _Groups:
    """Return a graph by group; a group of `gone`, the other side, that this one lacks costs what it cost there."""
    entries: Counter[int] = Counter({number[ROOT]: 1})
    between: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for (caller, callee), calls in graph.edges.items():
        if number[caller] != number[callee]:
            entries[number[callee]] += calls
            between[number[caller]][number[callee]] += calls
    own: dict[int, float] = {}
    rates: dict[int, dict[int, float]] = {}
    whole: dict[int, float] = {}
    for index, group in enumerate(groups):  # called groups come first
        count = entries[index]
        own[index] = sum(graph.costs.get(key, 0) for key in group) / count if count else 0.0
        rates[index] = {other: calls / count for other, calls in between[index].items()} if count else {}
        if gone is not None and not count:
            own[index], rates[index] = gone.own[index], dict(gone.rates[index])
        whole[index] = own[index] + sum(rate * whole[other] for other, rate in rates[index].items())
    return _Groups(entries, own, rates, whole)


def _member_cause(key: Key, number: Mapping[Key, int], before: CallGraph, after: CallGraph, head: _Groups) -> _Cause:
    """Return what a function caused; within a circle, what a call of another member costs is its own code only."""
    old, new = before.calls.get(key, 0), after.calls.get(key, 0)
    if not old or not new:
        return _Cause(0.0)
    amount = old * (after.costs.get(key, 0) / new - before.costs.get(key, 0) / old)
    calls = []
    edges = {callee: [0.0, 0.0] for graph in (before, after) for caller, callee in graph.edges if caller == key}
    for callee, rates in edges.items():
        rates[0] = before.edges.get((key, callee), 0) / old
        rates[1] = after.edges.get((key, callee), 0) / new
        if rates[0] != rates[1]:
            cost = head.whole[number[callee]]
            if number[callee] == number[key]:
                count = after.calls.get(callee, 0) or before.calls.get(callee, 0)
                cost = (after.costs.get(callee, 0) or before.costs.get(callee, 0)) / max(count, 1)
            effect = old * (rates[1] - rates[0]) * cost
            amount += effect
            calls.append((callee, rates[0], rates[1], effect))
    return _Cause(amount, tuple(sorted(calls, key=lambda call: (-abs(call[3]), call[0]))))


def _scaled(causes: Sequence[_Cause], amount: float) -> list[_Cause]:
    """Share the growth of a group among its members, in proportion to what each would have caused alone."""
    if len(causes) == 1:
        return [replace(causes[0], amount=amount)]
    whole = sum(max(cause.amount, 0.0) if amount > 0 else min(cause.amount, 0.0) for cause in causes)
    if not whole:
        return [replace(cause, amount=amount / len(causes)) for cause in causes]
    return [
        replace(cause, amount=amount * cause.amount / whole if cause.amount * amount > 0 else 0.0) for cause in causes
    ]


def _function_change(
    key: Key, before: CallGraph, after: CallGraph, causes: Mapping[Key, _Cause]
) -> FunctionChange:  # fmt: skip
    functions = {**before.functions, **after.functions}
    cause = causes.get(key, _Cause(0.0))
    old, new = before.calls.get(key, 0), after.calls.get(key, 0)
    return FunctionChange(
        function=functions.get(key, THE_BENCHMARK),
        state="both" if old and new else "new" if new else "gone",
        base_calls=old,
        head_calls=new,
        base_cost=before.costs.get(key, 0),
        head_cost=after.costs.get(key, 0),
        caused=cause.amount,
        calls=tuple(
            CallChange(callee=functions[callee], base=base, head=head, caused=effect)
            for callee, base, head, effect in cause.calls[:_MOST_CALLS]
        ),
        varies=bool(before.variation.get(key, 0) or after.variation.get(key, 0)),
    )


def _line_changes(base: Profile, head: Profile, moved: Mapping[Key, Key]) -> dict[Key, tuple[LineChange, ...]]:
    """Return by function the lines whose counts differ; lines are matched by their text, because they move."""
    counts: defaultdict[tuple[Key, str], list[int]] = defaultdict(lambda: [0, 0])
    places: dict[tuple[Key, str], int] = {}
    for side, profile in enumerate((base, head)):
        for one in profile.lines:
            key = profile.functions[one.function].key
            place = (moved.get(key, key) if side == 0 else key, one.text)
            counts[place][side] += one.count
            places[place] = one.line
    found: defaultdict[Key, list[LineChange]] = defaultdict(list)
    for (key, text), (before, after) in counts.items():
        if before != after:
            found[key].append(LineChange(line=places[key, text], text=text, base=before, head=after))
    return {
        key: tuple(sorted(lines, key=lambda one: (one.base - one.head, one.line))[:_MOST_LINES])
        for key, lines in found.items()
    }
