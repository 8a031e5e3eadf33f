"""Many values as one short line of bars."""

import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-~=+*#"
_GAP = " "


def sparkline(values: Sequence[float | None], *, ascii_only: bool = False) -> str:
    """Return one bar per value, scaled between the smallest and the largest; None is a gap.

    >>> sparkline([1.0, 2.0, None, 8.0])
    '▁▂ █'
    """
    bars = _ASCII_BARS if ascii_only else _BARS
    measured = [value for value in values if value is not None]
    low, high = min(measured, default=0.0), max(measured, default=0.0)

    def bar(value: float | None) -> str:
        if value is None:
            return _GAP
        # Constant values are shown in the middle: neither low nor high.
        share = (value - low) / (high - low) if high > low else 0.5
        return bars[min(int(share * len(bars)), len(bars) - 1)]

    return "".join(map(bar, values))


def histogram(values: Sequence[float], bins: int, *, logarithmic: bool = False) -> str:
    """Return one bar per bin between the smallest and the largest value; an empty bin is a space.

    With `logarithmic`, values above 0 whose bins are of equal ratios.

    >>> histogram([1.0, 1.0, 1.0, 2.0, 4.0], 4), histogram([1.0, 1.0, 1.0, 2.0, 4.0], 4, logarithmic=True)
    ('█▃ ▃', '█ ▃▃')
    """
    scaled = [math.log(value) for value in values] if logarithmic else values
    low, high = min(scaled), max(scaled)
    counts = [0] * bins
    for value in scaled:
        share = (value - low) / (high - low) if high > low else 0.0
        counts[min(int(share * bins), bins - 1)] += 1
    most = max(counts)
    # Every bin with a value shows something.
    return "".join(_GAP if not n else _BARS[max(0, -(-n * len(_BARS) // most) - 1)] for n in counts)
