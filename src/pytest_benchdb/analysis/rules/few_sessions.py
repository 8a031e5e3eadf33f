"""The rule of comparisons if a side has fewer than three sessions.

Rounds or summaries do not show how much sessions differ. They give an interval, and a verdict only if no disturbance
explains the change: the minimum, the median, and the CPU time of code that only computes, all changed by more than a
quarter.
"""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from statistics import median

from pytest_benchdb.analysis.rules.effect_size import change_of, exceeds_limits, verdict_on_change
from pytest_benchdb.analysis.rules.session_figures import SessionFigure, figure_of, known_figures
from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.analysis.statistics.student import welch_from_summary
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Interval, Judgement, Policy, Statistic

RESAMPLES = 2000
SESSIONS_A_SIDE = 3
"""Number of sessions per side from which their spread can be estimated."""

Rounds = tuple[Sequence[float], Sequence[float]]
Sides = tuple[Sequence[SessionFigure], Sequence[SessionFigure]]

_BEYOND_DISTURBANCE = 0.25
_LEVEL = 0.95
_STATISTICS: tuple[Statistic, ...] = ("min", "median", "value")


def median_ratio_interval(
    baseline: Sequence[float], candidate: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """Return the bootstrap interval of median(candidate) / median(baseline), from rounds alone.

    Source: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), percentile method. Resamples are not
    drawn value by value: the median of n values drawn with replacement is an order statistic of n uniform places among
    the sorted values, and places of order statistics follow the beta distribution, so one draw per resample gives
    exactly the same distribution however many rounds there are.

    Returns:
        Both ends, deterministic for the same values; None if a side has fewer than two values, or a resampled baseline
        is not above 0.
    """
    if min(len(baseline), len(candidate)) < 2:  # noqa: PLR2004 - one value has no spread
        return None
    below = _resampled_medians(sorted(baseline), resamples, seed=1)
    if min(below) <= 0:
        return None
    above = _resampled_medians(sorted(candidate), resamples, seed=2)
    ratios = [over / under for over, under in zip(above, below, strict=True)]
    return quantile(ratios, (1 - level) / 2), quantile(ratios, (1 + level) / 2)


def _resampled_medians(ordered: Sequence[float], resamples: int, *, seed: int) -> list[float]:
    return [(ordered[low] + ordered[high]) / 2 for low, high in _places(len(ordered), resamples, seed)]


@lru_cache(maxsize=128)
def _places(n: int, resamples: int, seed: int) -> tuple[tuple[int, int], ...]:
    """Return, for each resample, the indices of its two middle values among n sorted ones; equal if n is odd."""
    generator = random.Random(seed * 1_000_003 + n)  # noqa: S311 - not for secrets
    places = []
    middle = (n + 1) // 2
    for _ in range(resamples):
        low = generator.betavariate(middle, n - middle + 1)
        # The next larger place is the smallest of n - middle uniform places above `low`.
        high = low if n % 2 else low + (1 - low) * generator.betavariate(1, n - middle)
        places.append((min(int(low * n), n - 1), min(int(high * n), n - 1)))
    return tuple(places)


def cliffs_delta(baseline: Sequence[float], candidate: Sequence[float]) -> float | None:
    """Return the share of pairs with a larger candidate minus the share with a smaller candidate.

    Source: N. Cliff, Psychological Bulletin 114 (1993).

    Returns:
        From -1 (all values of the candidate are below all of the baseline) to 1; None if a side is empty.

    >>> cliffs_delta([1.0, 2.0], [2.0, 3.0])
    0.75
    """
    if not baseline or not candidate:
        return None
    ordered = sorted(baseline)
    larger = sum(bisect_left(ordered, value) for value in candidate)
    smaller = sum(len(ordered) - bisect_right(ordered, value) for value in candidate)
    return (larger - smaller) / (len(baseline) * len(candidate))


def judge_few(sides: Sides, policy: Policy, rounds: Rounds | None, *, cpu_bound: bool) -> Judgement:
    """Judge two sides if at least one has fewer than three sessions.

    Args:
        sides: baseline and candidate, comparable sessions only.
        policy: when a change counts.
        rounds: rounds of the baseline and of the candidate, per iteration; None if only summaries were kept.
        cpu_bound: whether the CPU time must agree.
    """
    before, after = (median(known_figures(side)) for side in sides)
    judgement = Judgement(
        verdict="unchanged",
        change=change_of(before, after),
        baseline=before,
        candidate=after,
        baseline_sessions=len(sides[0]),
        candidate_sessions=len(sides[1]),
        sessions_needed=SESSIONS_A_SIDE - min(map(len, sides)),
        test="rounds" if rounds else "summary",
        statistic=cliffs_delta(*rounds) if rounds else None,
        interval=_rounds_interval(rounds) if rounds else _summary_interval(sides),
    )
    if not exceeds_limits(before, after, policy):
        return judgement
    changes = [change for each in _STATISTICS if (change := _change(sides, each)) is not None]
    if not _all_beyond(changes, worse=after > before):
        reason = f"{SESSIONS_A_SIDE} sessions a side tell it from a disturbance"
        return replace(judgement, verdict="inconclusive", state="suspect", reason=reason)
    if cpu_bound and not _all_beyond(_cpu_change(sides), worse=after > before):
        reason = "CPU time did not change as much: the machine was busy, or the code waits for something"
        return replace(judgement, verdict="inconclusive", state="unstable", reason=reason)
    verdict, doubt = verdict_on_change(before, after, policy, sure=True)
    return replace(judgement, verdict=verdict, state="suspect", reason=doubt)


def _all_beyond(changes: Sequence[float], *, worse: bool) -> bool:
    """Return whether all changes, if any, are in the same direction and too large for a disturbance."""
    return all(change > _BEYOND_DISTURBANCE if worse else change < -_BEYOND_DISTURBANCE for change in changes)


def _change(sides: Sides, statistic: Statistic) -> float | None:
    figures = [[figure for one in side if (figure := figure_of(one.session, statistic)) is not None] for side in sides]
    return change_of(median(figures[0]), median(figures[1])) if all(figures) else None


def _cpu_change(sides: Sides) -> list[float]:
    """Return the change of the CPU time as the only item; empty if one side lacks it."""
    times = [[figure.session.cpu_s for figure in side if figure.session.cpu_s is not None] for side in sides]
    change = change_of(median(times[0]), median(times[1])) if all(times) else None
    return [] if change is None else [change]


def _rounds_interval(rounds: Rounds) -> Interval | None:
    ends = median_ratio_interval(*rounds, level=_LEVEL)
    return ends and Interval(low=ends[0] - 1, high=ends[1] - 1, level=_LEVEL, within_session=True)


def _summary_interval(sides: Sides) -> Interval | None:
    """Return Welch's interval of the newest sessions' means, as a share of the baseline's mean."""
    before, after = (_summary(side[-1].session) for side in sides)
    if before is None or after is None or before[0] <= 0:
        return None
    test = welch_from_summary(before, after, level=_LEVEL)
    return Interval(low=test.low / before[0], high=test.high / before[0], level=_LEVEL, within_session=True)


def _summary(value: SessionValue) -> tuple[float, float, int] | None:
    if value.mean is None or value.stddev is None or value.n is None or value.n < 2:  # noqa: PLR2004 - no spread
        return None
    return value.mean, value.stddev, value.n
