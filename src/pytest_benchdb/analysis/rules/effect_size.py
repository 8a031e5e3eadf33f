"""How large a change is, whether it counts, and the scale on which figures are compared."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.verdict import Interval, Policy, Verdict

_TICKS_PER_DEVIATION = math.sqrt(12)
"""A figure is anywhere within its tick."""


def verdict_within_limits(interval: Interval | None, baseline: float, policy: Policy) -> tuple[Verdict, str | None]:
    """Return the verdict on a change that does not count, and the reason if it is inconclusive.

    Only an interval within the limits shows that nothing changed: absence of evidence is not evidence of absence.

    Args:
        interval: of the change; None if it is not known.
        baseline: in the metric's unit.
        policy: has the limits.
    """
    if interval is None or not baseline:
        return "inconclusive", "without an interval, it may have changed"
    limit = policy.limit(baseline) / abs(baseline)
    if -limit <= interval.low and interval.high <= limit:
        return "unchanged", None
    return "inconclusive", "no change that counts, but the interval reaches beyond the limit"


def verdict_on_change(baseline: float, candidate: float, policy: Policy, *, sure: bool) -> tuple[Verdict, str | None]:
    """Return the verdict on a change that counts, and the reason if it is inconclusive.

    Args:
        baseline: in the metric's unit.
        candidate: in the metric's unit.
        policy: has the direction that is better.
        sure: whether chance is ruled out.
    """
    if not sure:
        return "inconclusive", "within the noise"
    if policy.better == "none":
        return "inconclusive", "changed, but neither direction is better"
    if baseline == 0 and not policy.exact:
        return "inconclusive", "the baseline is 0, so there is no relative change"
    return ("regressed" if (candidate > baseline) == (policy.better == "lower") else "improved"), None


def change_of(baseline: float, candidate: float) -> float | None:
    """Return the change relative to the baseline's magnitude: candidate / baseline - 1; None if the baseline is 0."""
    return (candidate - baseline) / abs(baseline) if baseline else None


def repeats(figures: Sequence[float], policy: Policy) -> bool:
    """Return whether figures are all equal; for an exact metric, apart from changes too small to count.

    An exact metric that does not repeat is tested like any other.
    """
    low, high = min(figures), max(figures)
    return low == high or (policy.exact and not policy.exceeded(low, high))


def are_exact(sides: Iterable[Sequence[float]], policy: Policy) -> bool:
    """Return whether figures need no test, because they are equal on each side, and not by a coarse clock."""
    return (policy.exact or not policy.least_spread) and all(repeats(side, policy) for side in sides)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A scale of logarithms, on which equal ratios are equal distances; of plain figures if one is not above 0.

    Larger is always worse, whatever the metric's direction.

    Attributes:
        sign: -1 for a metric that should be high, else 1.
        centre: magnitude that shares of plain figures refer to; 0 if there is none.
    """

    logarithmic: bool
    sign: int
    centre: float

    def of(self, figure: float) -> float:
        """Return the place of a figure on the scale."""
        return self.sign * (math.log(figure) if self.logarithmic else figure)

    def figure_at(self, place: float) -> float:
        """Return the figure at a place, in the metric's unit."""
        return math.exp(self.sign * place) if self.logarithmic else self.sign * place

    def middle(self, figures: Sequence[float]) -> float:
        """Return the median as a figure: for an even number, halfway on the scale between the two middle ones."""
        ordered = sorted(figures)
        low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
        return low if low == high else self.figure_at((self.of(low) + self.of(high)) / 2)

    def share(self, distance: float) -> float | None:
        """Convert a distance between two places to candidate / baseline - 1; None if the baseline is 0."""
        if self.logarithmic:
            return math.expm1(self.sign * distance)
        return self.sign * distance / self.centre if self.centre else None

    def spread_of(self, share: float) -> float:
        """Convert a share, such as a minimum spread, to a distance."""
        return share if self.logarithmic else share * self.centre

    def least_deviation(self, policy: Policy) -> float:
        """Return the deviation of figures that are all equal, as a distance: the clock's tick is the least."""
        tick = self.spread_of(policy.tick / _TICKS_PER_DEVIATION / self.centre) if self.centre else 0.0
        return max(self.spread_of(policy.least_spread), tick)

    def interval(self, low: float, high: float, *, level: float, within_session: bool = False) -> Interval | None:
        """Return the interval between two distances as shares, lower end first; None if the baseline is 0."""
        ends = [self.share(low), self.share(high)]
        shares = sorted(end for end in ends if end is not None)
        if len(shares) < len(ends):
            return None
        return Interval(low=shares[0], high=shares[1], level=level, within_session=within_session)


def scale_for(figures: Iterable[float], policy: Policy, *, centre: float) -> Scale:
    """Return the scale for the finite figures of both sides; `centre` is the value of the baseline."""
    return Scale(
        logarithmic=all(figure > 0 for figure in figures),
        sign=-1 if policy.better == "higher" else 1,
        centre=abs(centre),
    )
