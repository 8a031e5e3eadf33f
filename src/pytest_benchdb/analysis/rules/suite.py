"""Ratios, geometric means of groups, and changes that most benchmarks of a suite share.

A slower machine makes most of a suite slower, by similar amounts and within bounds. It changes times only: never a
count, an accuracy or an allocation.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median

from pytest_benchdb.analysis.rules.policy import MOST_BY_MACHINE, kind_of
from pytest_benchdb.model.comparison import ComparisonRow, GroupMean, Shift
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.verdict import CHANGED, COMPARED, Judgement

_LEAST_BENCHMARKS = 5
"""With fewer benchmarks, one commit may have affected them all."""

_LEAST_AGREEMENT = 0.7
_LEAST_MOVED = 0.5
_SIMILAR = 0.5
"""Share of the suite's change by which a benchmark's own change may differ from it."""
_NO_VOTE = frozenset({"learning", "unstable"})
"""States of rows that say nothing about the suite."""
_OF_ROUNDS = frozenset({"rounds", "summary"})


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean, the only mean by which A is slower than B as much as B is faster than A.

    Raises:
        ValueError: there is no ratio, or one is not above 0.
    """
    kept = list(ratios)
    if not kept or min(kept) <= 0:
        raise ValueError(f"a geometric mean needs ratios above 0, not {kept or 'none'}")
    return math.exp(math.fsum(map(math.log, kept)) / len(kept))


def suite_shifts(rows: Iterable[ComparisonRow]) -> Mapping[str, Shift]:
    """Return the changes that most of a suite shares, by metric: of a slower machine, or of what all of it uses.

    Benchmarks count that moved beyond their limits and their noise, in one direction, by similar amounts. Each test
    function has one vote, however many parameters and phases it has, because a commit to one function moves them all.
    Benchmarks that did not move vote against it, unless they are so noisy that they may have moved as well.

    Returns:
        For times only, and at least five benchmarks: the median change, if it is at most a factor of two, and more than
        70 % of the votes and at least half of the functions share it.
    """
    suites: dict[str, list[ComparisonRow]] = defaultdict(list)
    for row in rows:
        judgement = row.judgement
        voting = judgement.verdict in COMPARED and judgement.state not in _NO_VOTE and _place(row) is not None
        if voting and kind_of(row.key.metric, row.unit) == "time":
            suites[row.key.metric].append(row)
    shifts = {metric: _shift_of(suite) for metric, suite in suites.items()}
    return {metric: shift for metric, shift in shifts.items() if shift is not None}


def largest_shift(shifts: Iterable[Shift]) -> Shift | None:
    """Return the shift with the largest change in either direction; None if there is none."""
    return max(shifts, key=lambda shift: abs(math.log1p(shift.change)), default=None)


def is_explained(row: ComparisonRow, shift: Shift) -> bool:
    """Return whether a row moved, and as far as the suite: within its limit, half of the shift, or its own noise."""
    own, common = _place(row), math.log1p(shift.change)
    if own is None or not _has_moved(row.judgement) or own * common <= 0 or abs(own) > math.log(MOST_BY_MACHINE):
        return False
    limit = math.log1p(row.policy.relative) if row.policy is not None else 0.0
    return _is_within_noise(row.judgement, shift) or abs(own - common) <= max(limit, _SIMILAR * abs(common))


def _shift_of(suite: Sequence[ComparisonRow]) -> Shift | None:
    if len({row.key.fullname for row in suite}) < _LEAST_BENCHMARKS:
        return None
    moved: dict[bool, list[float]] = {True: [], False: []}
    for row in suite:
        place = _place(row)
        if place and _has_moved(row.judgement):
            moved[place > 0].append(place)
    places = max(moved.values(), key=len)
    if not places or abs(median(places)) > math.log(MOST_BY_MACHINE):
        return None
    shift = Shift(change=math.expm1(median(places)), agreeing=0.0)
    votes = [row for row in suite if _has_moved(row.judgement) or not _is_within_noise(_newest(row), shift)]
    agreeing = _share_explained(votes, shift)
    if agreeing <= _LEAST_AGREEMENT or _share_explained(suite, shift) < _LEAST_MOVED:
        return None
    return Shift(change=shift.change, agreeing=agreeing)


def _share_explained(rows: Iterable[ComparisonRow], shift: Shift) -> float:
    """Return the share of the test functions that a shift explains; of one function, the share of its rows."""
    functions: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        functions[row.key.fullname.partition("[")[0]].append(is_explained(row, shift))
    return fmean(map(fmean, functions.values()))


def _has_moved(judgement: Judgement) -> bool:
    """Return whether a change is beyond limits and noise; of one session a side, whose noise is unknown, the limits."""
    return judgement.verdict in CHANGED or (judgement.test in _OF_ROUNDS and judgement.state == "suspect")


def _is_within_noise(judgement: Judgement, shift: Shift) -> bool:
    interval = judgement.interval
    return interval is not None and interval.low <= shift.change <= interval.high


def _newest(row: ComparisonRow) -> Judgement:
    """Return the judgement of the last re-run, or of the session."""
    return row.confirmations[-1] if row.confirmations else row.judgement


def _place(row: ComparisonRow) -> float | None:
    """Return the change as a logarithm, as far as every re-run repeats it; None without one."""
    repeated = row.confirmations if row.judgement.verdict == "regressed" else ()
    changes = [judgement.change for judgement in (row.judgement, *repeated)]
    places = [math.log1p(change) for change in changes if change is not None and -1 < change < math.inf]
    return min(places, key=abs, default=None)


def ratio_of(judgement: Judgement) -> float | None:
    """Return candidate / baseline; None if nothing was compared, or a side is not above 0.

    >>> ratio_of(Judgement(verdict="regressed", change=0.25, baseline=4.0, candidate=5.0))
    1.25
    """
    change = judgement.change
    if judgement.verdict not in COMPARED or change is None or not math.isfinite(change) or change <= -1:
        return None
    if any(figure is not None and figure <= 0 for figure in (judgement.baseline, judgement.candidate)):
        return None
    return 1 + change


def speedup_of(judgement: Judgement, better: Better) -> float | None:
    """Return how many times better the candidate is, in the metric's direction; None without a ratio or a direction."""
    ratio = ratio_of(judgement)
    if ratio is None or better == "none":
        return None
    return ratio if better == "higher" else 1 / ratio


def group_of(row: ComparisonRow) -> str:
    """Return the group of a row: its own, else its model, else its file."""
    return row.group or row.labels.get("model") or row.key.fullname.partition("::")[0]


def group_means(rows: Sequence[ComparisonRow]) -> tuple[GroupMean, ...]:
    """Return the geometric means of each group of at least two rows, and of all rows of each metric."""
    means: list[GroupMean] = []
    for metric in dict.fromkeys(row.key.metric for row in rows):
        of_metric = [row for row in rows if row.key.metric == metric]
        groups = list(dict.fromkeys(map(group_of, of_metric)))
        members = [(group, [row for row in of_metric if group_of(row) == group]) for group in groups]
        for group, of_group in [*(members if len(groups) > 1 else []), (None, of_metric)]:
            ratios = [ratio for row in of_group if (ratio := ratio_of(row.judgement)) is not None]
            if len(ratios) > 1:
                means.append(GroupMean(group=group, metric=metric, ratio=geometric_mean(ratios), rows=len(ratios)))
    return tuple(means)
