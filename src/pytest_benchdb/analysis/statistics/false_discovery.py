"""The false discovery rate of many p-values."""

from collections.abc import Sequence


def q_values(p_values: Sequence[float]) -> list[float]:
    """Return each p-value corrected for the number of p-values, in the same order.

    Source: Y. Benjamini and Y. Hochberg, Journal of the Royal Statistical Society B 57 (1995). If all with q below 0.05
    are called regressions, 5 % of these are false on average.

    >>> q_values([0.01, 0.04, 0.03])
    [0.03, 0.04, 0.04]
    """
    n = len(p_values)
    corrected = [0.0] * n
    smallest = 1.0
    for rank, index in zip(range(n, 0, -1), sorted(range(n), key=lambda i: -p_values[i]), strict=True):
        smallest = min(smallest, p_values[index] * n / rank)
        corrected[index] = smallest
    return corrected
