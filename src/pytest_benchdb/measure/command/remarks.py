"""What makes the times of a command doubtful: it is very short, its first round was slow, some rounds stand out."""

import statistics
from collections.abc import Sequence

SHORT_S = 0.005
"""Below this, starting the process is a large part of a command's time."""
_FAR = 14.826
"""Robust deviations from the median beyond which a round stands out: 10 times the median absolute deviation."""
_LEAST_SHARE = 0.1
"""A round stands out only if it is off by more than this share: some programs repeat to within a thousandth."""
_LEAST_ROUNDS = 5


def remarks_on(wall_s: Sequence[float], *, warmup: int = 0) -> list[str]:
    """Return sentences about a command and its rounds; `warmup` is the number of rounds before them.

    Rounds that stand out are found by the modified z-score (Iglewicz and Hoaglin, "How to Detect and Handle Outliers",
    1993).

    >>> remarks_on([0.2, 0.1, 0.1001, 0.0999, 0.1, 0.1001])
    ['its first round was 2.0 times as slow as the others: a cache filled meanwhile? -w 3 warms up, -p empties caches']
    """
    notes = []
    if wall_s and statistics.median(wall_s) < SHORT_S:
        notes.append("it takes less than 5 ms, and starting a process is a large part of that")
    if len(wall_s) < _LEAST_ROUNDS:
        return notes
    far = outliers(wall_s)
    if far[:1] == [0] and wall_s[0] > statistics.median(wall_s):
        times = wall_s[0] / statistics.median(wall_s[1:])
        advice = "a longer -w" if warmup else "-w 3 warms up"
        notes.append(
            f"its first round was {times:.1f} times as slow as the others: a cache filled meanwhile? {advice}, -p "
            "empties caches"
        )
        far = far[1:]
    if far:
        number = "1 round stands" if len(far) == 1 else f"{len(far)} rounds stand"
        notes.append(f"{number} out from the others: close other programs, or warm up (-w)")
    return notes


def outliers(values: Sequence[float]) -> list[int]:
    """Return the indices of the values that stand out from the others."""
    middle = statistics.median(values)
    deviation = statistics.median([abs(value - middle) for value in values]) / 0.6745
    least = max(_FAR * deviation, _LEAST_SHARE * middle)
    return [index for index, value in enumerate(values) if abs(value - middle) > least]
