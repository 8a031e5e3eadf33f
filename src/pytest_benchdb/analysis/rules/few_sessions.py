"""The rule of comparisons if a side has fewer than three sessions.

Rounds do not show how much sessions differ. They give a rough interval, and a verdict only if no disturbance explains
the change: the minimum, the median, and the CPU time of code that only computes, all changed by more than a quarter.
"""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from statistics import median
from types import MappingProxyType

from pytest_benchdb.analysis.rules.effect_size import change_of, verdict_on_change, verdict_within_limits
from pytest_benchdb.analysis.rules.session_figures import SessionFigure, figure_of, known_figures
from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.model.verdict import Interval, Judgement, Policy, Statistic

RESAMPLES = 2000
SESSIONS_A_SIDE = 3
"""Number of sessions per side from which their spread can be estimated."""

PARTS = 10
"""Consecutive parts of a session, whose smallest rounds show how much its minimum depends on a part of it."""

BEYOND_DISTURBANCE = 0.25
"""Change, as a share, from which a disturbance is unlikely to be the cause if all figures changed as much."""

Rounds = Mapping[str, Sequence[float]]
"""Rounds in run order, by run."""
NO_ROUNDS: Rounds = MappingProxyType({})
Sides = tuple[Sequence[SessionFigure], Sequence[SessionFigure]]

_LEVEL = 0.95
_STATISTICS: tuple[Statistic, ...] = ("min", "median", "value")
_LEAST_ROUNDS = 2
_LEAST_RESAMPLES = 200


def ratio_interval(
    baseline: Sequence[Sequence[float]],
    candidate: Sequence[Sequence[float]],
    statistic: Statistic,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> tuple[float, float] | None:
    """Return the bootstrap interval of candidate / baseline, each the median over sessions of a statistic of rounds.

    Source: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), percentile method; with several
    sessions, those are resampled as well. Minima are resampled by ten consecutive parts of a session instead of by
    rounds: rounds of a part share what disturbed it, and resampled minima of many rounds would hardly differ.

    Rounds are not drawn one by one: the median of n values drawn with replacement is an order statistic of n uniform
    places among the sorted values, and places of order statistics follow the beta distribution, so one draw per
    resample gives exactly the same distribution however many rounds there are. So it is with the minimum.

    Args:
        baseline: the rounds of each session, in run order.
        candidate: as of the baseline.
        statistic: ``min``; any other is the median.
        level: confidence, 0.95 for instance.
        resamples: number of resamples.

    Returns:
        Both ends, deterministic for the same values; None if a session has fewer than two rounds, or a resampled
        baseline is not above 0.
    """
    if not baseline or not candidate or min(map(len, (*baseline, *candidate))) < _LEAST_ROUNDS:
        return None
    below = _resampled_side(baseline, statistic, resamples, seed=1)
    if min(below) <= 0:
        return None
    above = _resampled_side(candidate, statistic, resamples, seed=2)
    ratios = [over / under for over, under in zip(above, below, strict=True)]
    return quantile(ratios, (1 - level) / 2), quantile(ratios, (1 + level) / 2)


def _resampled_side(side: Sequence[Sequence[float]], statistic: Statistic, resamples: int, *, seed: int) -> list[float]:
    draw = _resampled_minima if statistic == "min" else _resampled_medians
    figures = [draw(rounds, resamples, seed + 2 * number) for number, rounds in enumerate(side)]
    if len(figures) == 1:
        return figures[0]
    step = resamples // len(figures)  # so that the copies of a session that is drawn twice differ
    return [
        median([figures[index][(number + copy * step) % resamples] for copy, index in enumerate(chosen)])
        for number, chosen in enumerate(_choices(len(figures), resamples, seed))
    ]


def _resampled_medians(rounds: Sequence[float], resamples: int, seed: int) -> list[float]:
    ordered = sorted(rounds)
    return [(ordered[low] + ordered[high]) / 2 for low, high in _middle_places(len(ordered), resamples, seed)]


def _resampled_minima(rounds: Sequence[float], resamples: int, seed: int) -> list[float]:
    parts = min(PARTS, len(rounds))
    edges = [len(rounds) * number // parts for number in range(parts + 1)]
    ordered = sorted(min(rounds[start:stop]) for start, stop in pairwise(edges))
    return [ordered[place] for place in _smallest_places(parts, resamples, seed)]


@lru_cache(maxsize=128)
def _middle_places(n: int, resamples: int, seed: int) -> tuple[tuple[int, int], ...]:
    """Return, for each resample, the indices of its two middle values among n sorted ones; equal if n is odd."""
    generator = _generator(n, seed)
    places = []
    middle = (n + 1) // 2
    for _ in range(resamples):
        low = generator.betavariate(middle, n - middle + 1)
        # The next larger place is the smallest of n - middle uniform places above `low`.
        high = low if n % 2 else low + (1 - low) * generator.betavariate(1, n - middle)
        places.append((min(int(low * n), n - 1), min(int(high * n), n - 1)))
    return tuple(places)


@lru_cache(maxsize=128)
def _smallest_places(n: int, resamples: int, seed: int) -> tuple[int, ...]:
    """Return, for each resample, the index of its smallest value among n sorted ones."""
    generator = _generator(n, seed)
    return tuple(min(int(generator.betavariate(1, n) * n), n - 1) for _ in range(resamples))


@lru_cache(maxsize=128)
def _choices(n: int, resamples: int, seed: int) -> tuple[tuple[int, ...], ...]:
    """Return, for each resample, the indices of n sessions drawn with replacement."""
    generator = _generator(n, -seed)
    return tuple(tuple(generator.choices(range(n), k=n)) for _ in range(resamples))


def _generator(n: int, seed: int) -> random.Random:
    return random.Random(seed * 1_000_003 + n)  # noqa: S311 - not for secrets


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


def judge_few(sides: Sides, policy: Policy, rounds: Rounds, *, cpu_bound: bool) -> Judgement:
    """Judge two sides if at least one has fewer than three sessions.

    Args:
        sides: baseline and candidate, comparable sessions only.
        policy: when a change counts; its statistic is that of the figures.
        rounds: rounds of each run, per iteration; none if only its statistics were kept.
        cpu_bound: whether the CPU time must agree.
    """
    before, after = (median(known_figures(side)) for side in sides)
    kept = [[rounds.get(one.session.run_id, ()) for one in side if one.figure is not None] for side in sides]
    pooled = [[round_ for session in side for round_ in session] for side in kept]
    judgement = Judgement(
        verdict="unchanged",
        change=change_of(before, after),
        baseline=before,
        candidate=after,
        baseline_sessions=len(sides[0]),
        candidate_sessions=len(sides[1]),
        sessions_needed=SESSIONS_A_SIDE - min(map(len, sides)),
        test="rounds" if all(pooled) else "summary",
        statistic=cliffs_delta(*pooled),
    )
    judgement = replace(judgement, interval=_interval(kept[0], kept[1], policy.statistic, judgement.change))
    if not policy.exceeded(before, after):
        verdict, doubt = verdict_within_limits(judgement.interval, before, policy)
        return replace(judgement, verdict=verdict, reason=doubt)
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
    return all(change > BEYOND_DISTURBANCE if worse else change < -BEYOND_DISTURBANCE for change in changes)


def _change(sides: Sides, statistic: Statistic) -> float | None:
    figures = [[figure for one in side if (figure := figure_of(one.session, statistic)) is not None] for side in sides]
    return change_of(median(figures[0]), median(figures[1])) if all(figures) else None


def _cpu_change(sides: Sides) -> list[float]:
    """Return the change of the CPU time as the only item; empty if one side lacks it."""
    times = [[figure.session.cpu_s for figure in side if figure.session.cpu_s is not None] for side in sides]
    change = change_of(median(times[0]), median(times[1])) if all(times) else None
    return [] if change is None else [change]


def _interval(
    baseline: Sequence[Sequence[float]],
    candidate: Sequence[Sequence[float]],
    statistic: Statistic,
    change: float | None,
) -> Interval | None:
    """Return the interval of the change by the rounds; None without a change, or if a session has no rounds."""
    # Many sessions cost as much time as few.
    resamples = max(RESAMPLES // max(len(baseline), len(candidate), 1), _LEAST_RESAMPLES)
    ends = ratio_interval(baseline, candidate, statistic, level=_LEVEL, resamples=resamples)
    if ends is None or change is None:
        return None
    # Rounds may have been stored with less precision than their statistics: the change is always in its interval.
    return Interval(low=min(ends[0] - 1, change), high=max(ends[1] - 1, change), level=_LEVEL, within_session=True)
