"""Two sides, one of them with fewer than three sessions: rounds or summaries say little about how sessions differ.

They give an interval, and decide only what no disturbance explains: both the minimum and the median, and the CPU time
of code that only computes, changed by more than a quarter.
"""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from statistics import median

from pytest_benchdb.analysis.rules.effect_size import change_of, counts, direction
from pytest_benchdb.analysis.rules.session_figures import SessionFigure, figure_of, known_figures
from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.analysis.statistics.student import welch_from_summary
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Interval, Judgement, Policy, Statistic

RESAMPLES = 2000
SESSIONS_A_SIDE = 3
"""Sessions on each side from which their spread can be judged."""

Rounds = tuple[Sequence[float], Sequence[float]]
Sides = tuple[Sequence[SessionFigure], Sequence[SessionFigure]]

_BEYOND_DISTURBANCE = 0.25
_LEVEL = 0.95
_STATISTICS: tuple[Statistic, ...] = ("min", "median", "value")


def median_ratio_interval(
    baseline: Sequence[float], candidate: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """Return the bootstrap interval of median(candidate) / median(baseline): how far rounds alone let it wander.

    Source: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), percentile method. Resamples are not
    drawn value by value: the median of n values drawn with replacement is an order statistic of n uniform places among
    the sorted values, and places of order statistics follow the beta distribution, so that one draw for each resample
    gives exactly the same distribution however many rounds there are.

    Returns:
        Its ends, always the same ones for the same values; None where a side has fewer than two values, or a resampled
        baseline is not above 0.
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
    """Return, for each resample, which two of n sorted values are in its middle; twice the same if n is odd."""
    generator = random.Random(seed * 1_000_003 + n)  # noqa: S311 - nothing secret
    places = []
    middle = (n + 1) // 2
    for _ in range(resamples):
        low = generator.betavariate(middle, n - middle + 1)
        # The next larger of the n - middle places above `low` is the smallest of as many uniform ones.
        high = low if n % 2 else low + (1 - low) * generator.betavariate(1, n - middle)
        places.append((min(int(low * n), n - 1), min(int(high * n), n - 1)))
    return tuple(places)


def cliffs_delta(baseline: Sequence[float], candidate: Sequence[float]) -> float | None:
    """Return by how much more often the candidate's value is the larger of a pair than the smaller.

    Source: N. Cliff, Psychological Bulletin 114 (1993).

    Returns:
        From -1 (every value of the candidate is below every one of the baseline) over 0 to 1; None if a side is empty.

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
    """Judge sides, one of them with too few sessions to know how sessions differ.

    Args:
        sides: baseline and candidate, comparable sessions only.
        policy: when a change counts.
        rounds: of the baseline and of the candidate, per iteration; None if only summaries are left.
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
    if not counts(before, after, policy):
        return judgement
    changes = [change for each in _STATISTICS if (change := _change(sides, each)) is not None]
    if not _all_beyond(changes, worse=after > before):
        least = f"{SESSIONS_A_SIDE} sessions a side tell it from a disturbance"
        return replace(judgement, verdict="inconclusive", state="suspect", reason=least)
    if cpu_bound and not _all_beyond(_cpu_change(sides), worse=after > before):
        reason = "CPU time did not change as much: the machine was busy, or the code waits for something"
        return replace(judgement, verdict="inconclusive", state="unstable", reason=reason)
    verdict, doubt = direction(before, after, policy, sure=True)
    return replace(judgement, verdict=verdict, state="suspect", reason=doubt)


def _all_beyond(changes: Sequence[float], *, worse: bool) -> bool:
    """Return whether all changes, at least none of them the other way, are too large for a disturbance."""
    return all(change > _BEYOND_DISTURBANCE if worse else change < -_BEYOND_DISTURBANCE for change in changes)


def _change(sides: Sides, statistic: Statistic) -> float | None:
    figures = [[figure for one in side if (figure := figure_of(one.session, statistic)) is not None] for side in sides]
    return change_of(median(figures[0]), median(figures[1])) if all(figures) else None


def _cpu_change(sides: Sides) -> list[float]:
    """Return the change of the CPU time as the only item; nothing where one side lacks it."""
    times = [[one.session.cpu_s for one in side if one.session.cpu_s is not None] for side in sides]
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
