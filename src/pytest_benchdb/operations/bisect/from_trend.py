"""The ends of a search from a change point of the history."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.trend import LevelChange, Trend, Trends
from pytest_benchdb.model.wording import percent_text
from pytest_benchdb.operations.history.trend import TrendRequest, build_trends
from pytest_benchdb.operations.select.selection import Selection

_ADVICE = "name two commits instead: benchdb bisect GOOD BAD -- pytest ARGS"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedBetween:
    """A change of level in the history.

    Attributes:
        good: full hash of the last commit before it that was measured.
        bad: full hash of the first commit after it that was measured.
        fullname: the benchmark.
        text: what was found, for people.
    """

    good: str
    bad: str
    fullname: str
    metric: str
    text: str


def find_change(
    history: Path, metric: str, keyword: str | None, folder: Path, environ: Mapping[str, str]
) -> ChangedBetween:
    """Return the latest change for the worse that was not accepted; without one the latest change.

    Args:
        history: the database.
        metric: name of a metric, or a word such as ``time``.
        keyword: `-k` expression over full names; None for all benchmarks.
        folder: in the checkout whose commits the sessions are of.
        environ: environment variables for git.

    Raises:
        ConfigError: no level has changed, or the change is not between two known commits.
        StoreError: the history cannot be read.
    """
    selection = Selection(paths=(history,), keyword=keyword, metrics=(metric,))
    trends = build_trends(selection, TrendRequest(root=folder, environ=environ))
    changes = [(trend, change) for trend in trends.series for change in trend.changes]
    if not changes:
        raise ConfigError(_nothing(trends, history, keyword))
    trend, change = max(changes, key=_urgency)
    before, first = change.before.commit, change.first.commit
    what = f"{trend.key.fullname}, {trend.key.metric}: {percent_text(change.point.change)}"
    if before is None or first is None:
        raise ConfigError(f"{what}, between sessions whose commits are not known; {_ADVICE}")
    if before == first:
        reason = f"both sides are commit {first[:7]}, so the machine changed, not the code"
        raise ConfigError(f"{what}, but {reason}; benchdb env shows how two sessions differ")
    text = f"{what} after {before[:7]}, first seen in {first[:7]} of {change.first.started_at[:10]}"
    return ChangedBetween(good=before, bad=first, fullname=trend.key.fullname, metric=trend.key.metric, text=text)


def _urgency(pair: tuple[Trend, LevelChange]) -> tuple[bool, str, float]:
    change = pair[1]
    return bool(change.worse and change.accepted is None), change.first.started_at, abs(change.point.change or 0.0)


def _nothing(trends: Trends, history: Path, keyword: str | None) -> str:
    among = f" that match -k {keyword}" if keyword else ""
    if not trends.series:
        return f"{history} has no series of benchmarks{among}; {_ADVICE}"
    most = max(trend.measured for trend in trends.series)
    few = (
        f"the longest has {most} sessions, and a change needs 12"
        if all(t.sessions_needed for t in trends.series)
        else ""
    )
    steady = f"no level of {len(trends.series)} series{among} has changed in {history}"
    return f"{steady}{f': {few}' if few else ''}; {_ADVICE}"
