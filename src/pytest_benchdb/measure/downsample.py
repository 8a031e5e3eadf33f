"""Fewer points of a series for a picture of it; the stored series keeps all of them."""

import math
from collections.abc import Sequence

_FEWEST = 4


def downsample(
    t_s: Sequence[float], values: Sequence[float], *, limit: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return at most `limit` of the points, with every peak and every dip that a picture can show.

    The first and the last point stay. The points between are cut into spans of equal time, and each gives its
    smallest and its largest point, in the order of their times: every returned point is a point of the series.
    Spans of time and not of points, so that a gap stays a gap. Points that are no number are left out.

    Args:
        t_s: times, rising, seconds.
        values: as many.
        limit: 4 at least.

    Raises:
        ValueError: the limit is too small, or there are more times than values or fewer.
    """
    if limit < _FEWEST:
        raise ValueError(f"a series is drawn with {_FEWEST} points at least, not {limit}")
    points = [(t, value) for t, value in zip(t_s, values, strict=True) if not math.isnan(value)]
    if len(points) > limit:
        points = [points[0], *_extremes(points[1:-1], (limit - 2) // 2), points[-1]]
    return tuple(t for t, _ in points), tuple(value for _, value in points)


def _extremes(points: Sequence[tuple[float, float]], spans: int) -> list[tuple[float, float]]:
    begin_s = points[0][0]
    length_s = (points[-1][0] - begin_s) / spans
    lowest: dict[int, int] = {}
    highest: dict[int, int] = {}
    for index, (t, value) in enumerate(points):
        span = min(int((t - begin_s) / length_s), spans - 1) if length_s > 0 else 0
        if span not in lowest or value < points[lowest[span]][1]:
            lowest[span] = index
        if span not in highest or value > points[highest[span]][1]:
            highest[span] = index
    return [points[index] for index in sorted({*lowest.values(), *highest.values()})]
