"""Turn pairs into rows: the steps shared by comparisons of two sides, axes, duets and gates."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from pytest_benchdb.analysis.rules.suite import group_means
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Side
from pytest_benchdb.model.metric import MAIN_TIMES
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy
from pytest_benchdb.operations.compare.machines import side_differences
from pytest_benchdb.operations.compare.pairs import Pair
from pytest_benchdb.operations.select.filters.threshold import Threshold
from pytest_benchdb.operations.select.recipe import Recipe
from pytest_benchdb.store.read.reader import Reader

TimeKey = tuple[str, str | None, str | None, str | None]


class Rule(Protocol):
    """Judges the pairs of a comparison."""

    def policy(self, pair: Pair) -> Policy:
        """Return the limits beyond which a change counts."""

    def judge(self, pair: Pair, policy: Policy) -> Judgement:
        """Return the judgement of a pair."""


def find_main_times(values: Iterable[SessionValue]) -> dict[TimeKey, str]:
    """Return the metric judged as `time`, the first of `MAIN_TIMES`, by benchmark, phase and device."""
    times: dict[TimeKey, str] = {}
    for value in values:
        metric = value.key.metric
        if metric in MAIN_TIMES and value.valid and value.value is not None:
            best = times.get(time_key(value))
            if best is None or MAIN_TIMES.index(metric) < MAIN_TIMES.index(best):
                times[time_key(value)] = metric
    return times


def time_key(value: SessionValue) -> TimeKey:
    """Return the key that all times of a benchmark, phase and device share."""
    return value.key.fullname, value.key.phase, value.key.backend, value.key.device


def has_main_time(pair: Pair, times: Mapping[TimeKey, str]) -> bool:
    """Return whether a pair's metric is the one judged as `time`: wall time if the benchmark has no main time."""
    values = (*pair.baseline, *pair.candidate)
    return any(times.get(time_key(value), MAIN_TIMES[0]) == pair.key.metric for value in values)


def apply_thresholds(
    policy: Policy, thresholds: Iterable[Threshold], value: SessionValue, main_time: str | None
) -> Policy:
    """Return a policy limited by the last matching share and the last matching quantity.

    A quantity alone drops the relative limit; a share alone keeps the default quantity.

    Raises:
        ConfigError: a threshold's unit is not the metric's.
    """
    relative = absolute = None
    for threshold in thresholds:
        if threshold.matches(value, main_time):
            relative = threshold.relative if threshold.relative is not None else relative
            absolute = threshold.absolute if threshold.absolute is not None else absolute
    if relative is None and absolute is None:
        return policy
    return replace(policy, relative=relative or 0.0, absolute=policy.absolute if absolute is None else absolute)


def refuse_incomparable(judgement: Judgement, pair: Pair, obstacle: str | None, *, allow_cross: bool) -> Judgement:
    """Replace a judgement by ``incomparable`` if there is an obstacle: both values are kept, the change is not.

    Readers would take the change for one of the code. Errors and missing sides are kept.

    Args:
        judgement: the rule's.
        pair: may have an obstacle of its own.
        obstacle: a further obstacle, such as another machine.
        allow_cross: whether to ignore obstacles that can be crossed.
    """
    reason = pair.obstacle or obstacle
    if reason is None or judgement.verdict in {"error", "missing", "new"} or (allow_cross and pair.can_cross):
        return judgement
    return Judgement(
        verdict="incomparable",
        baseline=judgement.baseline,
        candidate=judgement.candidate,
        baseline_sessions=judgement.baseline_sessions,
        candidate_sessions=judgement.candidate_sessions,
        reason=f"{reason}; --allow-cross compares them" if pair.can_cross else reason,
    )


def judge_pairs(pairs: Iterable[Pair], rule: Rule, recipes: Mapping[str, Recipe]) -> tuple[ComparisonRow, ...]:
    """Return one row per pair, in order.

    Args:
        pairs: the values of both sides.
        rule: judges each pair.
        recipes: how to rerun benchmarks, by run id.

    Raises:
        ConfigError: a threshold's unit is not its metric's.
    """
    rows = []
    for pair in pairs:
        newest, policy = pair.newest, rule.policy(pair)
        recipe = recipes.get(newest.run_id)
        other = pair.baseline[-1].key.fullname if pair.baseline else None
        rows.append(
            ComparisonRow(
                key=pair.key,
                unit=newest.unit,
                better=newest.better,
                group=newest.group,
                judgement=rule.judge(pair, policy),
                policy=policy,
                command=None if recipe is None else recipe.command(newest.key.fullname, other),
                labels=newest.labels,
                params=newest.params,
            )
        )
    return tuple(rows)


def build_comparison(
    reader: Reader, sides: tuple[Side, Side], rows: tuple[ComparisonRow, ...], warnings: Iterable[str]
) -> Comparison:
    """Return the comparison of a baseline and a candidate, with their other differences.

    Raises:
        StoreError: the history cannot be read.
    """
    return Comparison(
        baseline=sides[0],
        candidate=sides[1],
        rows=rows,
        differences=side_differences(reader, *sides),
        means=group_means(rows),
        warnings=tuple(warnings),
    )
