"""The rules of `benchdb compare --decide`: target ranges for benchmarks or metrics, and one overall verdict.

A speedup is how many times better the candidate is than the baseline, in the metric's direction: 2 is half the time, or
twice the throughput.
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
"""The verdicts if the file defines none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A range of speedups; an open end is 0 or infinity, and `text` is the range as the user wrote it."""

    low: float
    high: float
    with_low: bool
    with_high: bool
    text: str

    def contains(self, value: float) -> bool:
        """Return whether a speedup is in the range; bounds are compared to nine digits, because means are rounded."""
        if math.isclose(value, self.low, rel_tol=_TOLERANCE):
            return self.with_low
        if math.isclose(value, self.high, rel_tol=_TOLERANCE):
            return self.with_high
        return self.low < value < self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A range in which the speedup of some rows must be.

    Attributes:
        name: for people; without `match` and `metric`, also a metric's name or an expression like `match`.
        match: `-k` expression over the group and the test's name without its file; None for all rows.
        metric: None for the metrics of the verdict.
    """

    name: str
    range: Range
    match: str | None = None
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Verdicts that cover all speedups, and targets.

    Attributes:
        verdicts: name and range, in ascending order; every speedup is in exactly one range.
        metrics: metrics that count for the verdict; empty for the metric of the first row.
    """

    verdicts: tuple[tuple[str, Range], ...]
    targets: tuple[Target, ...] = ()
    metrics: tuple[str, ...] = ()

    def verdict_of(self, speedup: float) -> tuple[str, Range]:
        """Return the verdict for a speedup above 0, with its range."""
        return next((name, interval) for name, interval in self.verdicts if interval.contains(speedup))


def parse_range(text: object, where: str) -> Range:
    """Read a range of speedups.

    >>> insert = parse_range("2x..5x", "[targets] insert")
    >>> [insert.contains(value) for value in (1.99, 2.0, 5.0, 5.01)]
    [False, True, True, False]

    Raises:
        ConfigError: it cannot be read, or is empty; the message names `where`.
    """
    stripped = text.strip() if isinstance(text, str) else ""
    between, bound = _BETWEEN.fullmatch(stripped), _BOUND.fullmatch(stripped)
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
    return Range(low=low, high=high, with_low=with_low, with_high=with_high, text=stripped)


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
        verdicts=_check_coverage(ranges, f"{source}: [verdict]"),
        targets=tuple(_parse_target(name, value, f"{source}: [targets] {name}") for name, value in targets.items()),
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


def _parse_target(name: str, value: object, where: str) -> Target:
    if not isinstance(value, Mapping):
        return Target(name=name, range=parse_range(value, where))
    unknown = [key for key in value if key not in _TARGET_KEYS]
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r} in a target; known are {', '.join(_TARGET_KEYS)}")
    if "range" not in value:
        raise ConfigError(f"{where} has no range; add one, as in range = {_EXAMPLE.partition(',')[0]}")
    for key in ("match", "metric"):
        if key in value and (not isinstance(value[key], str) or not value[key]):
            raise ConfigError(f"{where}: {key} is {value[key]!r}; give a text")
    return Target(
        name=name,
        range=parse_range(value["range"], f"{where}: range"),
        match=value.get("match"),
        metric=value.get("metric"),
    )


def _check_coverage(ranges: Sequence[tuple[str, Range]], where: str) -> tuple[tuple[str, Range], ...]:
    """Return the verdicts in ascending order; refuse them if some speedup has none, or two."""
    ordered = sorted(ranges, key=lambda item: (item[1].low, item[1].high))
    if not ordered or ordered[0][1].low > 0:
        first = f"below {ordered[0][1].low:g}x" if ordered else "at all"
        raise ConfigError(f"{where} has no verdict {first}; add one")
    for (name, lower), (next_name, upper) in itertools.pairwise(ordered):
        if lower.high > upper.low or (lower.high == upper.low and lower.with_high and upper.with_low):
            at = min(lower.high, upper.high)
            raise ConfigError(f"{where}: {name} = {lower.text!r} and {next_name} = {upper.text!r} both contain {at:g}x")
        if lower.high < upper.low or not (lower.with_high or upper.with_low):
            message = f"no verdict between {name} = {lower.text!r} and {next_name} = {upper.text!r}"
            raise ConfigError(f"{where} has {message}")
    if ordered[-1][1].high != math.inf:
        raise ConfigError(f"{where} has no verdict above {ordered[-1][1].high:g}x; add one")
    return tuple(ordered)


Matches = Callable[[str, str], bool]
"""Called with a keyword expression and a row's name; returns whether they match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutcome:
    """The result for one target.

    Attributes:
        speedup: geometric mean over the rows of the target; None if none could be compared.
        rows: number of these rows.
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
    """The decision about a candidate.

    Attributes:
        verdict: name of the range that has the speedup; None if nothing could be compared.
        range: that range.
        speedup: geometric mean over all rows that count.
        rows: number of these rows.
        unsure: number of these rows that are inconclusive.
        left_out: name of each row that could not count, and why.
    """

    verdict: str | None
    range: Range | None
    speedup: float | None
    rows: int
    unsure: int
    targets: tuple[TargetOutcome, ...]
    left_out: tuple[tuple[str, str], ...]


def decide(rows: Sequence[ComparisonRow], rules: Rules, matches: Matches) -> Decision:
    """Judge the rows of one comparison; if the rules name no metric, that of the first row counts.

    Rows that could not be compared, or whose metric has no direction, never count; they are listed as left out.
    """
    metrics = rules.metrics or tuple(row.key.metric for row in rows[:1])
    counted = [row for row in rows if row.key.metric in metrics]
    speedups = [(row, speedup_of(row.judgement, row.better)) for row in counted]
    compared = [(row, speedup) for row, speedup in speedups if speedup is not None]
    overall = geometric_mean([speedup for _, speedup in compared]) if compared else None
    name, interval = rules.verdict_of(overall) if overall is not None else (None, None)
    return Decision(
        verdict=name,
        range=interval,
        speedup=overall,
        rows=len(compared),
        unsure=sum(1 for row, _ in compared if row.judgement.verdict == "inconclusive"),
        targets=tuple(_target(target, rows, metrics, matches) for target in rules.targets),
        left_out=tuple((row.key.fullname, _reason_left_out(row)) for row, speedup in speedups if speedup is None),
    )


def _target(target: Target, rows: Sequence[ComparisonRow], metrics: Sequence[str], matches: Matches) -> TargetOutcome:
    # The short form names either a metric or benchmarks.
    names_metric = target.match is None and target.name in {row.key.metric for row in rows}
    target_metrics = (target.metric,) if target.metric else (target.name,) if names_metric else metrics
    match = target.match or (None if target.metric or names_metric else target.name)
    matching = [
        row for row in rows if row.key.metric in target_metrics and (match is None or matches(match, _name(row)))
    ]
    speedups = [speedup for row in matching if (speedup := speedup_of(row.judgement, row.better)) is not None]
    speedup = geometric_mean(speedups) if speedups else None
    reason = None
    if speedup is None:
        reason = f"none of its {len(matching)} rows can be compared" if matching else "no benchmark matches it"
    return TargetOutcome(
        target=target,
        speedup=speedup,
        rows=len(speedups),
        met=None if speedup is None else target.range.contains(speedup),
        reason=reason,
    )


def _name(row: ComparisonRow) -> str:
    """Return the text that expressions match: group and test, but not the file, which would match all of its tests."""
    return f"{row.group or ''} {row.key.fullname.partition('::')[2] or row.key.fullname}"


def _reason_left_out(row: ComparisonRow) -> str:
    comparable = row.judgement.verdict in COMPARED
    if comparable and row.better == "none":
        return f"{row.key.metric} has no direction"
    return "no ratio" if comparable else row.judgement.verdict
