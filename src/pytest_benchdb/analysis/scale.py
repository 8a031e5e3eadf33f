"""The scale on which figures are compared: larger is worse on it, whichever direction is better."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.judgement import Interval, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Logarithms, on which equal ratios are equal distances; plain figures where one of them is not above 0.

    Attributes:
        sign: -1 for a metric of which more is better, else 1.
        centre: magnitude that shares of plain figures refer to; 0 if no share can be told.
    """

    logarithmic: bool
    sign: int
    centre: float

    def of(self, figure: float) -> float:
        """Return a figure's place: the larger the worse."""
        return self.sign * (math.log(figure) if self.logarithmic else figure)

    def figure_at(self, place: float) -> float:
        """Return the figure of a place, in the metric's unit."""
        return math.exp(self.sign * place) if self.logarithmic else self.sign * place

    def middle(self, figures: Sequence[float]) -> float:
        """Return the median as a figure: halfway between the two middle ones of an even number."""
        ordered = sorted(figures)
        low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
        return low if low == high else self.figure_at((self.of(low) + self.of(high)) / 2)

    def share(self, distance: float) -> float | None:
        """Return a distance between two places as candidate / baseline - 1; None where the baseline is 0."""
        if self.logarithmic:
            return math.expm1(self.sign * distance)
        return self.sign * distance / self.centre if self.centre else None

    def spread_of(self, share: float) -> float:
        """Return a share, such as a least spread, as a distance."""
        return share if self.logarithmic else share * self.centre

    def interval(self, low: float, high: float, *, level: float, within_session: bool = False) -> Interval | None:
        """Return the interval between two distances as shares, lower end first; None where no share can be told."""
        ends = [self.share(low), self.share(high)]
        shares = sorted(end for end in ends if end is not None)
        if len(shares) < len(ends):
            return None
        return Interval(low=shares[0], high=shares[1], level=level, within_session=within_session)


def scale_for(figures: Iterable[float], policy: Policy, *, centre: float) -> Scale:
    """Return the scale for all figures of a comparison.

    Args:
        figures: of both sides, finite.
        policy: tells the direction.
        centre: value of the baseline.
    """
    return Scale(
        logarithmic=all(figure > 0 for figure in figures),
        sign=-1 if policy.better == "higher" else 1,
        centre=abs(centre),
    )
