"""The Pareto front: the choices than which no other is better in one respect without being worse in another."""

import math
from collections.abc import Sequence
from typing import Literal

_PLANE = 2


def pareto_front(points: Sequence[Sequence[float]], better: Sequence[Literal["lower", "higher"]]) -> tuple[int, ...]:
    """Return the indices of the points that no other point dominates, in their order.

    A point dominates another if it is at least as good in every respect, and better in one. Points that are equal in
    all respects do not dominate each other.

    Args:
        points: the values of each choice, one for each respect; infinite ones are the best or the worst there is.
        better: the direction of each respect.

    Raises:
        ValueError: a point has another number of values, or one that is not a number.

    >>> pareto_front([(1.0, 5.0), (2.0, 9.0), (2.0, 8.0), (3.0, 9.0)], ["lower", "higher"])
    (0, 1)
    """
    costs = [_costs(point, better) for point in points]
    front: list[int] = []
    # In this order, what dominates a point comes before it, and something on the front dominates it too.
    for index in sorted(range(len(costs)), key=lambda index: costs[index]):
        # In the plane, the last one has the least second cost of all, so no other needs to be asked.
        rivals = front[-1:] if len(better) == _PLANE else front
        if not any(_dominates(costs[rival], costs[index]) for rival in rivals):
            front.append(index)
    return tuple(sorted(front))


def _costs(point: Sequence[float], better: Sequence[Literal["lower", "higher"]]) -> tuple[float, ...]:
    if len(point) != len(better):
        raise ValueError(f"a point has {len(point)} values, and there are {len(better)} respects")
    if any(map(math.isnan, point)):
        raise ValueError("a value is not a number; leave out points that were not measured")
    return tuple(value if way == "lower" else -value for value, way in zip(point, better, strict=True))


def _dominates(cost: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return cost != other and all(mine <= its for mine, its in zip(cost, other, strict=True))
