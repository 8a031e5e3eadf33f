"""Decide which changes fail the gate.

Each overrides the one before: the metric's default, ``--threshold``, ``[tool.benchdb.thresholds]``, the marker.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.metric import MAIN_TIMES
from pytest_benchdb.model.run import GATE_RULE_KEY
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Policy
from pytest_benchdb.operations.compare.rows import apply_thresholds
from pytest_benchdb.operations.select.filters.keyword import matches_glob
from pytest_benchdb.operations.select.filters.threshold import Threshold, parse_threshold

OFF = "off"
"""Used in place of a threshold to exclude a glob's benchmarks from the gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """The project's configuration for the benchmarks that a glob matches.

    Attributes:
        pattern: glob over full names.
        thresholds: override those of the command line.
        gated: False excludes the benchmarks from the gate.
    """

    pattern: str
    thresholds: tuple[Threshold, ...] = ()
    gated: bool = True

    def matches(self, fullname: str) -> bool:
        """Return whether it covers a benchmark."""
        return matches_glob(fullname, self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerRule:
    """``@pytest.mark.benchdb(max_regression=..., gate=...)`` of one benchmark; None for omitted arguments."""

    max_regression: float | None = None
    gate: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that users configured about the gate.

    Attributes:
        thresholds: from the command line; the last that matches counts. If there are any, only what they name is
            gated.
        overrides: from the project; the last that matches counts.
        markers: by the benchmark's full name.
    """

    thresholds: tuple[Threshold, ...] = ()
    overrides: tuple[Override, ...] = ()
    markers: Mapping[str, MarkerRule] = field(default_factory=dict)

    def exclude(self, fullname: str) -> bool:
        """Return whether users excluded a benchmark from the gate, with ``off`` or ``gate=False``."""
        marker = self.markers.get(fullname)
        off = any(not override.gated for override in self.overrides if override.matches(fullname))
        return off or (marker is not None and marker.gate is False)


def parse_overrides(table: Mapping[str, object], place: str) -> tuple[Override, ...]:
    """Parse ``[tool.benchdb.thresholds]``, which maps globs to a threshold, a list of thresholds, or ``off``.

    Args:
        table: as in the file.
        place: the table's name, for messages.

    Raises:
        ConfigError: an entry is not valid.
    """
    return tuple(_override(pattern, entry, place) for pattern, entry in table.items())


def read_marker_rules(extra: Iterable[tuple[str, Mapping[str, object] | None]]) -> dict[str, MarkerRule]:
    """Return the marker rules by full name, from pairs of full name and `extra_info`; malformed values are ignored."""
    rules = {}
    for fullname, info in extra:
        rule = (info or {}).get(GATE_RULE_KEY)
        if isinstance(rule, Mapping):
            most, gate = rule.get("max_regression"), rule.get("gate")
            rules[fullname] = MarkerRule(
                max_regression=float(most) if isinstance(most, int | float) and not isinstance(most, bool) else None,
                gate=gate if isinstance(gate, bool) else None,
            )
    return rules


def policy_of(value: SessionValue, rules: Rules, *, sessions: int, mains: Collection[str]) -> Policy:
    """Return the limits of a series, and whether it can fail the gate.

    Args:
        value: any session's value of the series.
        rules: the users' rules.
        sessions: the number of sessions in the history.
        mains: the metrics judged as this benchmark's `time` and `memory`.

    Raises:
        ConfigError: a threshold's unit is not the metric's.
    """
    policy = default_policy(value.key.metric, value.unit, value.better, sessions=sessions)
    if rules.thresholds:
        policy = replace(policy, gated=False)
    policy = _limited(policy, rules.thresholds, value, mains)
    for override in rules.overrides:
        if override.matches(value.key.fullname):
            policy = _limited(policy, override.thresholds, value, mains)
            policy = policy if override.gated else replace(policy, gated=False)
    marker = rules.markers.get(value.key.fullname)
    if marker is not None:
        policy = _marked(policy, marker)
    if rules.exclude(value.key.fullname):
        policy = replace(policy, budget=None)
    return replace(policy, gated=policy.gated and policy.better != "none")


def _limited(policy: Policy, thresholds: Sequence[Threshold], value: SessionValue, mains: Collection[str]) -> Policy:
    """Return a policy with the limits of thresholds; a metric whose change is limited is gated.

    The last budget that matches counts. A benchmark without a time has its budget all the same, and is not within it.
    """
    limits = [threshold for threshold in thresholds if threshold.budget is None]
    has_time = any(metric in MAIN_TIMES for metric in mains)
    known = mains if has_time else {*mains, MAIN_TIMES[0]}
    budgets = [limit.budget for limit in thresholds if limit.budget is not None and limit.matches(value, known)]
    changed = apply_thresholds(policy, limits, value, mains)
    gated = changed.gated if changed is policy else True
    return replace(changed, gated=gated, budget=budgets[-1] if budgets else policy.budget)


def _marked(policy: Policy, marker: MarkerRule) -> Policy:
    if marker.max_regression is not None:
        policy = replace(policy, relative=marker.max_regression)
    return policy if marker.gate is not False else replace(policy, gated=False)


def _override(pattern: str, entry: object, place: str) -> Override:
    texts = [entry] if isinstance(entry, str) else entry
    if isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts):
        if [text.strip().lower() for text in texts] == [OFF]:
            return Override(pattern=pattern, gated=False)
        try:
            return Override(pattern=pattern, thresholds=tuple(map(parse_threshold, texts)))
        except ConfigError as error:
            raise ConfigError(f"{place}: {pattern!r}: {error}") from error
    raise ConfigError(
        f"{place}: {pattern!r} is {entry!r}; give a threshold such as 'time:10%', a list of them, or 'off'"
    )
