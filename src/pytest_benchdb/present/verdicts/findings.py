"""What CI should make of each row of a comparison or a gate: how much it weighs, and in which order they are listed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate
from pytest_benchdb.model.verdict import FAILING, LEVELS, Level
from pytest_benchdb.present.verdicts.words import conclusion, series_name

_DISTURBED = frozenset({"unstable", "suspect", "learning", "drifting"})
_QUIET = frozenset({"unchanged", "inconclusive", "incomparable"})
_HEAVIEST_FIRST: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A row and its weight; `location` is None where its code was not found."""

    row: ComparisonRow
    level: Level
    location: Location | None

    @property
    def changed(self) -> bool:
        """Whether people should look at the row first."""
        return self.level in {"error", "warning"} or self.row.judgement.verdict not in _QUIET


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The rows of a comparison or a gate, weighed.

    Attributes:
        rows: the heaviest first, and of equals the worst.
        gate: None for a comparison without one.
        sentence: the outcome in one line.
    """

    comparison: Comparison
    rows: tuple[Finding, ...]
    gate: Gate | None
    sentence: str

    def of_level(self, level: Level) -> tuple[Finding, ...]:
        """Return the rows of a level, in their order."""
        return tuple(finding for finding in self.rows if finding.level == level)


def weigh(result: Gate | Comparison, locations: Mapping[str, Location] | None = None) -> Findings:
    """Weigh the rows of a gate, or of a comparison, whose sure regressions and errors then read as failures.

    Args:
        result: the rows with their verdicts.
        locations: places of the benchmarks in the code, by full name.
    """
    gate = result if isinstance(result, Gate) else None
    comparison = comparison_of(result)
    failures = {row.key for row in gate.failures} if gate is not None else set()
    rows = []
    for row in comparison.rows:
        failing = row.key in failures if gate is not None else _reads_as_failure(row)
        location = (locations or {}).get(row.key.fullname)
        rows.append(Finding(row=row, level=_level(row, failing=failing), location=location))
    sentence = conclusion(comparison) if gate is None else gate.sentence
    return Findings(comparison=comparison, rows=tuple(sorted(rows, key=_order)), gate=gate, sentence=sentence)


def comparison_of(result: Gate | Comparison) -> Comparison:
    """Return the comparison that a gate judged, or a comparison itself."""
    return result if isinstance(result, Comparison) else result.comparison


def _reads_as_failure(row: ComparisonRow) -> bool:
    return row.judgement.verdict in FAILING and row.judgement.state is None


def _level(row: ComparisonRow, *, failing: bool) -> Level:
    judgement = row.judgement
    if failing:
        return "error"
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
    weight = _HEAVIEST_FIRST.index(finding.level)
    return weight, not finding.changed, -row.harm, row.key.fullname, series_name(row)
