"""The rules of `benchdb compare --decide`: target ranges per benchmark or metric, and one verdict over all of them.

A speedup is how many times better the candidate is than the baseline, in the metric's own direction: 2 is half the
time, or twice the throughput.
"""

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.analysis.rules.suite import geometric_mean, speedup_of
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.verdict import COMPARED

_FACTOR = r"(\d+(?:\.\d+)?|\.\d+)\s*[x\u00d7]?"
_BETWEEN = re.compile(rf"(?:{_FACTOR})?\s*\.\.\s*(?:{_FACTOR})?")
_BOUND = re.compile(rf"(?P<sign><=|>=|<|>)\s*{_FACTOR}")
_TOLERANCE = 1e-9
_EXAMPLE = '"2x..5x", "<2x", "<=2x", ">5x" or ">=5x"'
_TABLES = ("verdict", "targets", "metrics")
_TARGET_KEYS = ("range", "match", "metric")

DEFAULT_VERDICTS = {"keep": "<2x", "hybrid": "2x..5x", "rewrite": ">5x"}
"""The verdicts of a file without its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A range of speedups, from 0 and to infinity where it has no end; `text` is as it was written."""

    low: float
    high: float
    with_low: bool
    with_high: bool
    text: str

    def holds(self, value: float) -> bool:
        """Return whether a speedup is in the range; bounds are met to nine digits, as means are rounded."""
        if math.isclose(value, self.low, rel_tol=_TOLERANCE):
            return self.with_low
        if math.isclose(value, self.high, rel_tol=_TOLERANCE):
            return self.with_high
        return self.low < value < self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A range that some rows must reach.

    Attributes:
        name: for people; without `match` and `metric` it names a metric, or benchmarks as `match` does.
        match: `-k` expression over the group and the test's name without its file; None for all.
        metric: None for those of the verdict.
    """

    name: str
    range: Range
    match: str | None = None
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Targets, and the verdicts that cover all speedups.

    Attributes:
        verdicts: name and range, the smallest speedups first; every speedup is in exactly one.
        metrics: metrics that count for the verdict; empty for the first that is compared.
    """

    verdicts: tuple[tuple[str, Range], ...]
    targets: tuple[Target, ...] = ()
    metrics: tuple[str, ...] = ()

    def verdict_of(self, speedup: float) -> tuple[str, Range]:
        """Return the verdict, with its range, that a speedup above 0 is in."""
        return next((name, held) for name, held in self.verdicts if held.holds(speedup))


def parse_range(text: object, where: str) -> Range:
    """Read a range of speedups.

    >>> insert = parse_range("2x..5x", "[targets] insert")
    >>> [insert.holds(value) for value in (1.99, 2.0, 5.0, 5.01)]
    [False, True, True, False]

    Raises:
        ConfigError: it cannot be read, or is empty; the message names `where`.
    """
    given = text.strip() if isinstance(text, str) else ""
    between, bound = _BETWEEN.fullmatch(given), _BOUND.fullmatch(given)
    low, high, with_low, with_high = 0.0, math.inf, False, False
    if between is not None and (between[1] or between[2]):
        low, with_low = (float(between[1]), True) if between[1] else (0.0, False)
        high, with_high = (float(between[2]), True) if between[2] else (math.inf, False)
    elif bound is not None and bound["sign"].startswith(">"):
        low, with_low = float(bound[2]), bound["sign"] == ">="
    elif bound is not None:
        high, with_high = float(bound[2]), bound["sign"] == "<="
    else:
        raise ConfigError(f"{where} = {text!r} is not a range of speedups; write {_EXAMPLE}")
    if low > high or high == 0:
        raise ConfigError(f"{where} = {text!r} is empty; write the smaller end first, as in {_EXAMPLE}")
    return Range(low=low, high=high, with_low=with_low, with_high=with_high, text=given)


def parse_rules(table: Mapping[str, object], source: str) -> Rules:
    """Read the rules of a TOML file.

    Args:
        table: the whole file: ``[verdict]`` (name = range), ``[targets]`` (name = range, or a table with `range`,
            `match`, `metric`), and ``metrics``, a list of names.
        source: the file, for messages.

    Raises:
        ConfigError: a key is unknown, a range cannot be read, or the verdicts leave a gap or overlap.
    """
    unknown = [key for key in table if key not in _TABLES]
    if unknown:
        raise ConfigError(f"{source}: unknown key {unknown[0]!r} in rules; known are {', '.join(_TABLES)}")
    verdicts = _table(table.get("verdict", DEFAULT_VERDICTS), f"{source}: [verdict]")
    ranges = [(name, parse_range(text, f"{source}: [verdict] {name}")) for name, text in verdicts.items()]
    targets = _table(table.get("targets", {}), f"{source}: [targets]")
    return Rules(
        verdicts=_complete(ranges, f"{source}: [verdict]"),
        targets=tuple(_parsed_target(name, given, f"{source}: [targets] {name}") for name, given in targets.items()),
        metrics=_metrics(table.get("metrics", []), source),
    )


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} is {value!r}; make it a table of names and ranges")
    return value


def _metrics(value: object, source: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ConfigError(f'{source}: metrics is {value!r}; give a list of names, as in metrics = ["wall_time"]')
    return tuple(value)


def _parsed_target(name: str, given: object, where: str) -> Target:
    if not isinstance(given, Mapping):
        return Target(name=name, range=parse_range(given, where))
    unknown = [key for key in given if key not in _TARGET_KEYS]
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r} in a target; known are {', '.join(_TARGET_KEYS)}")
    if "range" not in given:
        raise ConfigError(f"{where} has no range; add one, as in range = {_EXAMPLE.partition(',')[0]}")
    for key in ("match", "metric"):
        if key in given and (not isinstance(given[key], str) or not given[key]):
            raise ConfigError(f"{where}: {key} is {given[key]!r}; give a text")
    return Target(
        name=name,
        range=parse_range(given["range"], f"{where}: range"),
        match=given.get("match"),
        metric=given.get("metric"),
    )


def _complete(ranges: Sequence[tuple[str, Range]], where: str) -> tuple[tuple[str, Range], ...]:
    """Return verdicts in order; refuse them if a speedup has no verdict, or two."""
    ordered = sorted(ranges, key=lambda item: (item[1].low, item[1].high))
    if not ordered or ordered[0][1].low > 0:
        first = f"below {ordered[0][1].low:g}x" if ordered else "at all"
        raise ConfigError(f"{where} has no verdict {first}; add one")
    for (name, one), (next_name, other) in itertools.pairwise(ordered):
        if one.high > other.low or (one.high == other.low and one.with_high and other.with_low):
            at = f"{min(one.high, other.high):g}x" if one.high > other.low else f"{one.high:g}x"
            raise ConfigError(f"{where}: {name} = {one.text!r} and {next_name} = {other.text!r} both contain {at}")
        if one.high < other.low or not (one.with_high or other.with_low):
            raise ConfigError(f"{where} has no verdict between {name} = {one.text!r} and {next_name} = {other.text!r}")
    if ordered[-1][1].high != math.inf:
        raise ConfigError(f"{where} has no verdict above {ordered[-1][1].high:g}x; add one")
    return tuple(ordered)


Matches = Callable[[str, str], bool]
"""Returns whether a row's name matches a keyword expression: called with the expression and the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutcome:
    """The result for one target.

    Attributes:
        speedup: geometric mean over the rows that the target is about; None if none could be compared.
        rows: how many they are.
        met: whether the speedup is in the target's range; None without a speedup.
        reason: why there is no speedup; None if there is one.
    """

    target: Target
    speedup: float | None
    rows: int
    met: bool | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The decision of rules about a candidate.

    Attributes:
        verdict: name of the range that the speedup is in; None if nothing could be compared.
        range: that range.
        speedup: geometric mean over all rows that count.
        rows: how many they are.
        unsure: how many of these show no sure change.
        left_out: name and verdict of each row that could not count.
    """

    verdict: str | None
    range: Range | None
    speedup: float | None
    rows: int
    unsure: int
    targets: tuple[TargetOutcome, ...]
    left_out: tuple[tuple[str, str], ...]


def decide(rows: Sequence[ComparisonRow], rules: Rules, matches: Matches) -> Decision:
    """Judge the rows of one comparison by rules; where these name no metric, that of the first row counts.

    Rows that could not be compared, and those whose metric has no direction, never count: they are listed.
    """
    metrics = rules.metrics or tuple(row.key.metric for row in rows[:1])
    counted = [row for row in rows if row.key.metric in metrics]
    speedups = [(row, speedup_of(row.judgement, row.better)) for row in counted]
    known = [(row, speedup) for row, speedup in speedups if speedup is not None]
    overall = geometric_mean([speedup for _, speedup in known]) if known else None
    name, held = rules.verdict_of(overall) if overall is not None else (None, None)
    return Decision(
        verdict=name,
        range=held,
        speedup=overall,
        rows=len(known),
        unsure=sum(1 for row, _ in known if row.judgement.verdict == "inconclusive"),
        targets=tuple(_target(target, rows, metrics, matches) for target in rules.targets),
        left_out=tuple((row.key.fullname, _why_not(row)) for row, speedup in speedups if speedup is None),
    )


def _target(target: Target, rows: Sequence[ComparisonRow], metrics: Sequence[str], matches: Matches) -> TargetOutcome:
    # The short form names either a metric or benchmarks.
    names_metric = target.match is None and target.name in {row.key.metric for row in rows}
    asked = (target.metric,) if target.metric else (target.name,) if names_metric else metrics
    match = target.match or (None if target.metric or names_metric else target.name)
    meant = [row for row in rows if row.key.metric in asked and (match is None or matches(match, _name(row)))]
    speedups = [speedup for row in meant if (speedup := speedup_of(row.judgement, row.better)) is not None]
    speedup = geometric_mean(speedups) if speedups else None
    reason = None
    if speedup is None:
        reason = f"none of its {len(meant)} rows can be compared" if meant else "no benchmark matches it"
    return TargetOutcome(
        target=target,
        speedup=speedup,
        rows=len(speedups),
        met=None if speedup is None else target.range.holds(speedup),
        reason=reason,
    )


def _name(row: ComparisonRow) -> str:
    """Return the text that expressions match: group and test, without the file, whose name would match all of it."""
    return f"{row.group or ''} {row.key.fullname.partition('::')[2] or row.key.fullname}"


def _why_not(row: ComparisonRow) -> str:
    comparable = row.judgement.verdict in COMPARED
    if comparable and row.better == "none":
        return f"{row.key.metric} has no direction"
    return "no ratio" if comparable else row.judgement.verdict
