"""The steps that all comparisons share, of two sides, of an axis, of a duet or of a gate: from pairs to rows."""

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
    """What decides about the pairs of a comparison."""

    def policy(self, pair: Pair) -> Policy:
        """Return when a change of a pair counts."""

    def judge(self, pair: Pair, policy: Policy) -> Judgement:
        """Return the judgement of a pair."""


def find_main_times(values: Iterable[SessionValue]) -> dict[TimeKey, str]:
    """Return the time of each benchmark, phase and device that is judged as `time`: the first of `MAIN_TIMES`."""
    times: dict[TimeKey, str] = {}
    for value in values:
        metric = value.key.metric
        if metric in MAIN_TIMES and value.valid and value.value is not None:
            best = times.get(time_key(value))
            if best is None or MAIN_TIMES.index(metric) < MAIN_TIMES.index(best):
                times[time_key(value)] = metric
    return times


def time_key(value: SessionValue) -> TimeKey:
    """Return what the times of a benchmark share."""
    return value.key.fullname, value.key.phase, value.key.backend, value.key.device


def has_main_time(pair: Pair, times: Mapping[TimeKey, str]) -> bool:
    """Return whether a pair is of the time that is judged as `time`; of a benchmark without any, of its wall time."""
    values = (*pair.baseline, *pair.candidate)
    return any(times.get(time_key(value), MAIN_TIMES[0]) == pair.key.metric for value in values)


def apply_thresholds(
    policy: Policy, thresholds: Iterable[Threshold], value: SessionValue, main_time: str | None
) -> Policy:
    """Return a policy with the last share and the last quantity of the thresholds that match a series.

    With a quantity alone any share counts; a share leaves the default quantity as it is.

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
    """Return a judgement that shows both values but no change if sides must not be compared.

    A change between them would be read as one of the code. A side that failed or is missing says so in any case.

    Args:
        judgement: of the pair, by a rule.
        pair: with its own obstacle.
        obstacle: a further one, such as another machine.
        allow_cross: whether obstacles that can be crossed are.
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
    """Return the rows of pairs, in their order.

    Args:
        pairs: of both sides.
        rule: decides about each of them.
        recipes: how to run benchmarks again, by run.

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
    """Return the comparison of a baseline and a candidate, with what else differs between them.

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
