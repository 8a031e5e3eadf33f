"""Ratios, geometric means of groups, and changes that most benchmarks of a suite share."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from pytest_benchdb.model.comparison import ComparisonRow, GroupMean, Shift
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.verdict import COMPARED, Judgement

_LEAST_BENCHMARKS = 5
"""With fewer benchmarks, one commit may have affected them all."""

_LEAST_CHANGE = 0.03
_LEAST_AGREEMENT = 0.7


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean, the only mean by which A is slower than B as much as B is faster than A.

    Raises:
        ValueError: there is no ratio, or one is not above 0.
    """
    kept = list(ratios)
    if not kept or min(kept) <= 0:
        raise ValueError(f"a geometric mean needs ratios above 0, not {kept or 'none'}")
    return math.exp(math.fsum(map(math.log, kept)) / len(kept))


def suite_shift(judgements: Iterable[tuple[SeriesKey | SessionValue, Judgement]]) -> Shift | None:
    """Return the change that most of a suite shares, for example after an upgrade of Python or on a slower machine.

    Each benchmark counts once per metric, however many phases it has; metrics are judged separately.

    Returns:
        The largest shift: a median change of more than 3 %, shared in direction by more than 70 % of at least five
        benchmarks; None if no metric has one.
    """
    changes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for series, judgement in judgements:
        key = series.key if isinstance(series, SessionValue) else series
        if judgement.change is not None:
            changes[key.metric][key.fullname].append(judgement.change)
    shifts = [_shift_of([median(votes) for votes in suite.values()]) for suite in changes.values()]
    return max((shift for shift in shifts if shift), key=lambda shift: abs(shift.change), default=None)


def _shift_of(changes: list[float]) -> Shift | None:
    if len(changes) < _LEAST_BENCHMARKS:
        return None
    middle = median(changes)
    agreeing = sum(change * middle > 0 for change in changes) / len(changes)
    if abs(middle) <= _LEAST_CHANGE or agreeing <= _LEAST_AGREEMENT:
        return None
    return Shift(change=middle, agreeing=agreeing)


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
