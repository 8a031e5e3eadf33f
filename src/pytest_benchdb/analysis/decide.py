"""Which implementation to take: target ranges per benchmark or metric, and one verdict over all of them.

A speedup is how many times better the candidate is than the baseline, in the metric's own direction:
2 is half the time, or twice the throughput.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_benchdb.analysis.decide_rules import Range, Rules, Target
from pytest_benchdb.analysis.ratio import COMPARED, speedup_of
from pytest_benchdb.analysis.suite import geometric_mean
from pytest_benchdb.model.comparison import ComparisonRow

Matches = Callable[[str, str], bool]
"""Tells whether a row's name fits a keyword expression: called with the expression and the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutcome:
    """What became of one target.

    Attributes:
        speedup: geometric mean over the rows that the target is about; None if none could be compared.
        rows: how many they are.
        met: whether the speedup lies in the target's range; None without a speedup.
        reason: why there is none; None if there is one.
    """

    target: Target
    speedup: float | None
    rows: int
    met: bool | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the rules say of a candidate.

    Attributes:
        verdict: name of the range that the speedup lies in; None if nothing could be compared.
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
    """Judge the rows of a comparison by rules.

    Rows that could not be compared, and those whose metric has no direction, never count: they are listed.

    Args:
        rows: of one comparison; where the rules name no metric, that of the first row counts.
        rules: targets and verdicts.
        matches: how keyword expressions are read.
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
        reason = f"none of its {len(meant)} rows can be compared" if meant else "no benchmark fits it"
    return TargetOutcome(
        target=target,
        speedup=speedup,
        rows=len(speedups),
        met=None if speedup is None else target.range.holds(speedup),
        reason=reason,
    )


def _name(row: ComparisonRow) -> str:
    """Return what expressions are held against: group and test, without the file, whose name would match all of it."""
    return f"{row.group or ''} {row.key.fullname.partition('::')[2] or row.key.fullname}"


def _why_not(row: ComparisonRow) -> str:
    comparable = row.judgement.verdict in COMPARED
    if comparable and row.better == "none":
        return f"{row.key.metric} has no direction"
    return "no ratio" if comparable else row.judgement.verdict
