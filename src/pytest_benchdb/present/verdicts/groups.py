"""How the rows of a comparison are grouped, and the geometric mean of each group."""

from collections.abc import Sequence

from pytest_benchdb.analysis.rules.suite import geometric_mean, ratio_of
from pytest_benchdb.model.comparison import ComparisonRow, GroupMean


def group_of(row: ComparisonRow) -> str:
    """Return the group that a row stands in: its own, else its model, else its file."""
    return row.group or row.labels.get("model") or row.key.fullname.partition("::")[0]


def group_means(rows: Sequence[ComparisonRow]) -> tuple[GroupMean, ...]:
    """Return the geometric mean of each group of at least two rows, and of all rows of a metric together."""
    means: list[GroupMean] = []
    for metric in dict.fromkeys(row.key.metric for row in rows):
        of_metric = [row for row in rows if row.key.metric == metric]
        groups = list(dict.fromkeys(map(group_of, of_metric)))
        members = [(group, [row for row in of_metric if group_of(row) == group]) for group in groups]
        for group, chosen in [*(members if len(groups) > 1 else []), (None, of_metric)]:
            ratios = [ratio for row in chosen if (ratio := ratio_of(row.judgement)) is not None]
            if len(ratios) > 1:
                means.append(GroupMean(group=group, metric=metric, ratio=geometric_mean(ratios), rows=len(ratios)))
    return tuple(means)
