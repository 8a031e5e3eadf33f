"""Arithmetic for counters that only grow, except for a wrap or a reset.

A difference that could not be measured is None with a reason, never 0 and never negative.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.reading import Domain, Reading

PLAUSIBLE_W = 1000.0
"""More power than anything with a wrapping counter draws: RAPL counts single processors, of 500 W at most by 2026.

This limit decides whether a counter may have wrapped unseen. The measured power cannot: after a missed wrap it is
too low.
"""
MOST_W = 1e6
"""More power than any machine draws; a counter that rises faster counts in another unit, or is broken."""
_ROUNDING = 1e-9
"""A window of 2.0 s has 20 ticks of 0.1 s, despite binary fractions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """How far a counter moved.

    Attributes:
        value: in the domain's unit; None if unknown.
        window_s: time between the first and the last reading.
        reason: why there is no value.
        may_lack_wrap: whether two readings were so far apart that the counter may have wrapped unseen; such a value
            must not be compared.
    """

    value: float | None
    window_s: float
    reason: str | None = None
    may_lack_wrap: bool = False

    def __add__(self, other: "Delta") -> "Delta":
        known = self.value is not None and other.value is not None
        return Delta(
            value=(self.value or 0.0) + (other.value or 0.0) if known else None,
            window_s=self.window_s + other.window_s,
            reason=self.reason or other.reason,
            may_lack_wrap=self.may_lack_wrap or other.may_lack_wrap,
        )


def delta(domain: Domain, before: Reading, after: Reading) -> Delta:
    """Return how far a counter moved between two readings.

    A counter that fell has wrapped if its range is known. Without a range it was reset, for example by reloading a
    driver, and the difference is lost. An energy counter that did not move was not updated in the window, because
    hardware that is switched on draws power.
    """
    window_s = (after.monotonic_ns - before.monotonic_ns) / 1e9
    if before.value is None or after.value is None:
        lost = before if before.value is None else after
        return Delta(value=None, window_s=window_s, reason=lost.reason or f"{domain.name} could not be read")
    moved = after.value - before.value
    if moved < 0 and domain.range is not None:
        moved += domain.range
    reason = _why_unknown(domain, moved, window_s, f"from {before.value:g} to {after.value:g} {domain.unit}")
    if reason is not None:
        return Delta(value=None, window_s=window_s, reason=reason)
    may_lack_wrap = domain.range is not None and domain.unit == "J" and moved + domain.range <= PLAUSIBLE_W * window_s
    return Delta(value=moved, window_s=window_s, may_lack_wrap=may_lack_wrap)


def unread_limit_s(domain: Domain) -> float | None:
    """Return how long a counter may go unread without missing a wrap; None if it never wraps."""
    return None if domain.range is None or domain.unit != "J" else domain.range / PLAUSIBLE_W


def _why_unknown(domain: Domain, moved: float, window_s: float, change: str) -> str | None:
    """Return why a movement, corrected for a wrap, is not valid; None if it is."""
    if domain.kind != "counter":
        return f"{domain.name} is a gauge, which has no difference"
    if window_s <= 0:
        return f"no time passed between two readings of {domain.name}"
    if moved < 0:
        return f"{domain.name} fell {change}: it was reset"
    return _why_no_energy(domain, moved, window_s) if domain.metric == "energy" else None


def _why_no_energy(domain: Domain, moved: float, window_s: float) -> str | None:
    if moved == 0:
        return f"{domain.name} stood still for {window_s:.3g} s"
    if moved > MOST_W * window_s:
        return f"{domain.name} rose by {moved / window_s:.3g} W, more than any machine draws"
    return None


def accumulate(domain: Domain, readings: Sequence[Reading]) -> Delta:
    """Return how far a counter moved over readings in time order, at most `unread_limit_s` apart.

    Raises:
        ValueError: there are fewer than two readings.
    """
    if len(readings) < 2:  # noqa: PLR2004 - a difference has two ends
        raise ValueError(f"{domain.name}: a difference needs two readings, not {len(readings)}")
    first, last = readings[0], readings[-1]
    window_s = (last.monotonic_ns - first.monotonic_ns) / 1e9
    total, unsure = 0.0, False
    for before, after in itertools.pairwise(readings):
        if before.value is not None and before.value == after.value and before is not after:
            continue  # between two ticks; the whole window is checked below
        step = delta(domain, before, after)
        if step.value is None:
            return Delta(value=None, window_s=window_s, reason=step.reason)
        total += step.value
        unsure = unsure or step.may_lack_wrap
    if total == 0:
        whole = delta(domain, first, last)
        return Delta(value=whole.value, window_s=window_s, reason=whole.reason)
    return Delta(value=total, window_s=window_s, may_lack_wrap=unsure)


def ticks(window_s: float, tick_s: float) -> int:
    """Return the number of whole ticks of a counter in a window.

    Raises:
        ValueError: the tick is not above 0.
    """
    if tick_s <= 0:
        raise ValueError(f"tick_s={tick_s!r}; give a time above 0")
    return max(0, int(window_s / tick_s + _ROUNDING))


def summable(domains: Iterable[Domain]) -> tuple[Domain, ...]:
    """Return the energy counters of one meter whose sum counts nothing twice: packages and their memory.

    ``psys`` includes the packages and whatever else the board's maker connected, so only what is within it counts.
    """
    known = {domain.name: domain for domain in domains if domain.metric == "energy" and domain.kind == "counter"}

    def is_part(domain: Domain) -> bool:
        outer = known.get(domain.within or "")
        return outer is not None and outer.scope == domain.scope

    holders = {domain.within for domain in known.values() if domain.within and not is_part(domain)}
    return tuple(domain for domain in known.values() if domain.name not in holders and not is_part(domain))
