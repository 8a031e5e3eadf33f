"""How much values that follow each other resemble each other, and what that leaves of their number."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

_CLIP = 2.0
_MAD_OF_NORMAL = 1.4826
_MOST = 0.95


def lag_one(pieces: Sequence[Sequence[float]]) -> float:
    """Return the correlation of neighbours over pieces of a series that each have their own level.

    Outliers count as two deviations at most. What estimating the levels takes away is given back (F. H. C. Marriott
    and J. A. Pope, Biometrika 41, 1954).

    Returns:
        From 0 to 0.95; 0 as well where chance explains it (less than two standard errors).
    """
    sizes = sorted(abs(value) for piece in pieces for value in piece)
    n = len(sizes)
    reach = _CLIP * _MAD_OF_NORMAL * (median(sizes) if sizes else 0.0)
    if not reach:
        return 0.0
    products = squares = 0.0
    for piece in pieces:
        clipped = [max(-reach, min(reach, value)) for value in piece]
        mean = math.fsum(clipped) / len(clipped)
        rests = [value - mean for value in clipped]
        products += math.fsum(one * other for one, other in pairwise(rests))
        squares += math.fsum(rest * rest for rest in rests)
    if not squares:
        return 0.0
    found = products / squares
    found += (1 + 3 * found) * len(pieces) / n
    return min(found, _MOST) if found > 2 / math.sqrt(n) else 0.0


def independent_values(n: int, similarity: float) -> float:
    """Return how many independent values have a mean as sure as that of n values of a first-order process.

    Args:
        n: at least 1.
        similarity: correlation of neighbours, from 0 to below 1.
    """
    spread = (1 + similarity) / (1 - similarity)
    ends = 2 * similarity * (1 - similarity**n) / (n * (1 - similarity) ** 2)
    return n / (spread - ends)
