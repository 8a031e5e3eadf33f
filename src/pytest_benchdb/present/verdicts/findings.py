"""Severity and order of the rows of a comparison or a gate, for CI."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate
from pytest_benchdb.model.verdict import FAILING, LEVELS, Level
from pytest_benchdb.present.verdicts.words import conclusion, series_name

_DISTURBED = frozenset({"unstable", "suspect", "learning", "drifting"})
_QUIET = frozenset({"unchanged", "inconclusive", "incomparable"})
_MOST_SEVERE_FIRST: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A row and its level; `location` is None if the benchmark's code was not found."""

    row: ComparisonRow
    level: Level
    location: Location | None

    @property
    def changed(self) -> bool:
        """Whether the row belongs in the first table."""
        return self.level in {"error", "warning"} or self.row.judgement.verdict not in _QUIET


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The rows of a comparison or a gate, with their levels.

    Attributes:
        rows: the most severe level first, then the most harmful change.
        gate: None for a comparison without one.
        sentence: the outcome in one line.
    """

    comparison: Comparison
    rows: tuple[Finding, ...]
    gate: Gate | None
    sentence: str

    def of_level(self, level: Level) -> tuple[Finding, ...]:
        """Return the rows of a level, in the same order."""
        return tuple(finding for finding in self.rows if finding.level == level)


def weigh(result: Gate | Comparison, locations: Mapping[str, Location] | None = None) -> Findings:
    """Assign levels to the rows of a gate, or of a comparison, where sure regressions and errors count as failures.

    Args:
        result: a gate or a comparison.
        locations: source locations of the benchmarks, by full name.
    """
    gate = result if isinstance(result, Gate) else None
    comparison = comparison_of(result)
    failures = {row.key for row in gate.failures} if gate is not None else set()
    rows = []
    for row in comparison.rows:
        failing = row.key in failures if gate is not None else _is_failure(row)
        location = (locations or {}).get(row.key.fullname)
        rows.append(Finding(row=row, level=_level(row, failing=failing), location=location))
    sentence = conclusion(comparison) if gate is None else gate.sentence
    return Findings(comparison=comparison, rows=tuple(sorted(rows, key=_order)), gate=gate, sentence=sentence)


def comparison_of(result: Gate | Comparison) -> Comparison:
    """Return the comparison of a gate, or the comparison itself."""
    return result if isinstance(result, Comparison) else result.comparison


def _is_failure(row: ComparisonRow) -> bool:
    return row.judgement.verdict in FAILING and row.judgement.state is None


def _level(row: ComparisonRow, *, failing: bool) -> Level:
    judgement = row.judgement
    if failing:
        return "error"
    if row.is_quiet:
        return "fine"
    if judgement.state in {"accepted", "not gated"}:
        return "note"
    if judgement.state == "unstable":
        return "warning"
    if judgement.verdict == "regressed":
        return "warning" if judgement.state in _DISTURBED else "note"
    level = LEVELS[judgement.verdict]
    return "warning" if level == "error" else level


def _order(finding: Finding) -> tuple[int, bool, float, str, str]:
    row = finding.row
    weight = _MOST_SEVERE_FIRST.index(finding.level)
    return weight, not finding.changed, -row.harm, row.key.fullname, series_name(row)
