"""The forest plot of a table of changes: in each row an interval on one axis, on which worse is always to the right.

The axis is one of ratios: half and double are equally far from no change. It ends where most changes do, so that a
single huge one does not squeeze the others; what lies beyond has an arrow.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.verdict import CHANGED, DECIDED

WIDTH, HEIGHT = 260, 24
_MARGIN = 8.0
_LEAST_EXTENT = math.log(1.02)
_MOST_EXTENT = math.log(1e4)
_ROOM = 1.12
_FAR = 5.0
"""Times the third quartile of changes, beyond which a change does not widen the axis."""
_WIDE = 2.5
"""Times the largest change, beyond which an interval does not widen the axis."""
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 9.0, 99.0, 999.0)
_TICKS_DOWN = (-0.01, -0.02, -0.05, -0.1, -0.2, -0.33, -0.5, -0.67, -0.8, -0.9, -0.99, -0.999)
_LEAST_APART = 34.0

Shape = Literal["decided", "same", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis of changes.

    Attributes:
        extent: logarithm of the ratio at both ends.
        better: direction of the metric; worse is to the right.
    """

    extent: float
    better: Better

    def x(self, change: float) -> float:
        """Return where a change is, in pixels; beyond the ends it is at the end."""
        return round(_MARGIN + (self.share(change) + 1) / 2 * (WIDTH - 2 * _MARGIN), 1)

    def share(self, change: float) -> float:
        """Return where a change is: -1.0 at the left end, 1.0 at the right."""
        way = -1.0 if self.better == "higher" else 1.0
        return min(max(_log_ratio(change) / self.extent * way, -1.0), 1.0)

    def is_beyond(self, change: float) -> bool:
        """Return whether a change is beyond the ends."""
        return abs(_log_ratio(change)) > self.extent * (1 + 1e-9)

    def ticks(self) -> list[tuple[float, str]]:
        """Return the marks of the axis and their texts, from the left: no change, and up to two at each side."""
        places = [(self.x(0.0), "0")]
        for changes in (_TICKS, _TICKS_DOWN):
            inside = [change for change in changes if not self.is_beyond(change)]
            at = self.x(0.0)
            chosen: list[tuple[float, str]] = []
            for change in reversed(inside):
                x = self.x(change)
                if abs(x - at) >= _LEAST_APART and all(abs(x - other) >= _LEAST_APART for other, _ in chosen):
                    chosen.append((x, f"{change * 100:+.0f} %"))
            places += chosen[:2]
        return sorted(places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A row of the forest plot.

    Attributes:
        zone: left and right end of the changes that do not count; None without a limit.
        line: path of the interval; empty without one.
        rough: whether the interval is from the rounds of one session only.
        x: place of the change; None if there is none.
        shape: whether the change is sure, surely none, or neither.
        arrows: path of the arrows at the ends.
    """

    zone: tuple[float, float] | None
    line: str
    rough: bool
    x: float | None
    shape: Shape
    arrows: str


def axis_for(rows: Iterable[ComparisonRow], better: Better) -> Axis:
    """Return the axis that suits the changes, intervals and limits of rows, whatever their direction."""
    kept = list(rows)
    changes = sorted(abs(_log_ratio(row.judgement.change)) for row in kept if row.judgement.change is not None)
    limits = [math.log1p(row.limit) for row in kept if row.limit is not None and math.isfinite(row.limit)]
    intervals = [
        abs(_log_ratio(end))
        for row in kept
        if (interval := row.judgement.interval) is not None
        for end in (interval.low, interval.high)
    ]
    usual = max([*limits, _LEAST_EXTENT]) * 2
    third_quartile = changes[len(changes) * 3 // 4] if changes else 0.0
    most = min(changes[-1] if changes else 0.0, max(third_quartile, usual) * _FAR)
    extent = max(min(max(intervals, default=0.0), max(most, usual) * _WIDE), most, usual / 2 * _ROOM)
    return Axis(extent=min(extent * _ROOM, _MOST_EXTENT), better=better)


def mark_of(row: ComparisonRow, axis: Axis) -> Mark | None:
    """Return the mark of a row; None if it has no change."""
    judgement = row.judgement
    if judgement.change is None:
        return None
    interval = judgement.interval
    middle = HEIGHT / 2
    line, ends = "", [judgement.change]
    if interval is not None:
        ends = [interval.low, interval.high, judgement.change]
        left, right = sorted((axis.x(interval.low), axis.x(interval.high)))
        line = f"M{left:g} {middle:g}H{right:g}"
        # Only an end that is shown has a serif.
        line += "".join(
            f"M{axis.x(end):g} {middle - 4:g}v8" for end in (interval.low, interval.high) if not axis.is_beyond(end)
        )
    limit = row.limit
    zone = None
    if limit is not None and math.isfinite(limit) and limit > 0:
        left, right = sorted((axis.x(limit), axis.x(-limit)))
        zone = (left, round(right - left, 1))
    return Mark(
        zone=zone,
        line=line,
        rough=interval is not None and interval.within_session,
        x=axis.x(judgement.change),
        shape=_shape(row),
        arrows=_arrows(ends, axis),
    )


def _shape(row: ComparisonRow) -> Shape:
    judgement = row.judgement
    if judgement.verdict == "exceeded" or (judgement.verdict in CHANGED and judgement.state is None):
        return "decided"
    return "same" if judgement.verdict in DECIDED and judgement.state is None else "open"


def _arrows(ends: Sequence[float], axis: Axis) -> str:
    middle = HEIGHT / 2
    beyond = [axis.share(end) for end in ends if axis.is_beyond(end)]
    right = f"M{WIDTH - 6} {middle - 4:g}l5 4l-5 4z" if any(share > 0 for share in beyond) else ""
    left = f"M6 {middle - 4:g}l-5 4l5 4z" if any(share < 0 for share in beyond) else ""
    return left + right


def _log_ratio(change: float) -> float:
    """Return the logarithm of the ratio of a change; a value that became 0 or changed its sign is far away."""
    if math.isnan(change):
        return 0.0
    if change <= -1:
        return -math.inf
    return math.log1p(change) if math.isfinite(change) else math.inf
