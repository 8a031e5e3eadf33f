"""Turn pairs into rows: the steps shared by comparisons of two sides, axes, duets and gates."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from pytest_benchdb.analysis.rules.suite import group_means
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Side
from pytest_benchdb.model.metric import MAIN_TIMES, MAINS, TIME
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy
from pytest_benchdb.operations.compare.machines import observer_warnings, side_differences
from pytest_benchdb.operations.compare.pairs import Pair
from pytest_benchdb.operations.select.filters.threshold import Threshold
from pytest_benchdb.operations.select.recipe import Recipe
from pytest_benchdb.store.read.reader import Reader

MainKey = tuple[str, str | None, str | None, str | None]
Mains = dict[tuple[MainKey, str], str]
"""The metric that a word of `MAINS` means, by benchmark, phase and device, and the word."""


class Rule(Protocol):
    """Judges the pairs of a comparison."""

    def policy(self, pair: Pair) -> Policy:
        """Return the limits beyond which a change counts."""

    def judge(self, pair: Pair, policy: Policy) -> Judgement:
        """Return the judgement of a pair."""


def find_mains(*sides: Iterable[SessionValue]) -> Mains:
    """Return the metrics judged as `time` and `memory`, the first of `MAINS` that a benchmark has; later sides win."""
    mains: Mains = {}
    for side in sides:
        measured: dict[MainKey, set[str]] = {}
        for value in side:
            if value.valid and value.value is not None:
                measured.setdefault(_key(value), set()).add(value.key.metric)
        for word, metrics in MAINS.items():
            found = {key: next(filter(names.__contains__, metrics), None) for key, names in measured.items()}
            mains |= {(key, word): metric for key, metric in found.items() if metric is not None}
    return mains


def mains_of(value: SessionValue, mains: Mains) -> frozenset[str]:
    """Return the metrics that are judged as `time` and `memory` of a value's benchmark."""
    return frozenset(mains[_key(value), word] for word in MAINS if (_key(value), word) in mains)


def _key(value: SessionValue) -> MainKey:
    return value.key.fullname, value.key.phase, value.key.backend, value.key.device


def is_main(pair: Pair, word: str, mains: Mains) -> bool:
    """Return whether a pair's metric is judged as `time` or `memory`; without any `time`, wall time is."""
    values = (*pair.baseline, *pair.candidate)
    default = MAIN_TIMES[0] if word == TIME else None
    return any(mains.get((_key(value), word), default) == pair.key.metric for value in values)


def apply_thresholds(
    policy: Policy, thresholds: Iterable[Threshold], value: SessionValue, mains: Collection[str]
) -> Policy:
    """Return a policy limited by the last matching share and the last matching quantity.

    A quantity alone drops the relative limit; a share alone keeps the default quantity.

    Raises:
        ConfigError: a threshold's unit is not the metric's.
    """
    relative = absolute = None
    for threshold in thresholds:
        if threshold.matches(value, mains):
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
    differences = side_differences(reader, *sides)
    return Comparison(
        baseline=sides[0],
        candidate=sides[1],
        rows=rows,
        differences=differences,
        means=group_means(rows),
        warnings=(*observer_warnings(differences), *warnings),
    )
