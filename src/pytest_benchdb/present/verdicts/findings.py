"""What CI formats make of a comparison or a gate: how much each row weighs, and in which words it is told.

Text from outside on one line that every format can hold: names of tests may hold any character.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate

Level = Literal["error", "warning", "note", "fine"]
"""`error` fails the gate, `warning` wants eyes, `note` could not be judged or was let through, `fine` is all else."""

FigureWriter = Callable[[float | None, str], str]
"""Writes a figure in an SI unit, for people: ``present.quantity.one_quantity``."""

_DISTURBED = frozenset({"unstable", "suspect", "learning", "drifting"})
_UNDECIDED = frozenset({"inconclusive", "incomparable"})
_CHANGED = frozenset({"regressed", "improved", "error", "missing", "new"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A row and what CI should make of it; `location` is None where its code was not found."""

    row: ComparisonRow
    level: Level
    location: Location | None

    @property
    def changed(self) -> bool:
        """Whether the row belongs to what people look at first."""
        return self.level in {"error", "warning"} or self.row.judgement.verdict in _CHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A gate, or a comparison without one.

    Attributes:
        rows: what weighs most first, and of that the worst first.
        gate: None for a comparison.
        sentence: the outcome in one line.
    """

    comparison: Comparison
    rows: tuple[Decided, ...]
    gate: Gate | None
    sentence: str

    def of_level(self, level: Level) -> tuple[Decided, ...]:
        """Return the rows of a level, in their order."""
        return tuple(decided for decided in self.rows if decided.level == level)


def decide(result: Gate | Comparison, locations: Mapping[str, Location] | None = None) -> Decision:
    """Weigh the rows of a gate or of a comparison.

    Args:
        result: what `operations` found.
        locations: where benchmarks stand, by their full name.
    """
    gate = result if isinstance(result, Gate) else None
    comparison = result if isinstance(result, Comparison) else result.comparison
    failed = None if gate is None else frozenset(row.key for row in gate.failures)
    places = locations or {}
    rows = [
        Decided(
            row=row,
            level=_level(row, failing=_fails(row) if failed is None else row.key in failed),
            location=places.get(row.key.fullname),
        )
        for row in comparison.rows
    ]
    rows.sort(key=_weight)
    return Decision(
        comparison=comparison,
        rows=tuple(rows),
        gate=gate,
        sentence=gate.sentence if gate is not None else counts(comparison),
    )


def counts(comparison: Comparison) -> str:
    """Count the verdicts in words: ``2 regressed, 40 unchanged``."""
    found: dict[str, int] = {}
    for verdict in ("regressed", "error", "missing", "improved", "new", "inconclusive", "incomparable", "unchanged"):
        number = sum(row.judgement.verdict == verdict for row in comparison.rows)
        if number:
            found[verdict] = number
    return ", ".join(f"{number} {verdict}" for verdict, number in found.items()) or "nothing was compared"


def series_name(row: ComparisonRow) -> str:
    """Name what was measured of the benchmark: ``wall_time``, ``energy of decode on cuda``.

    The processor is not named: it is the same in all rows, and test reports follow a case by its name.
    """
    key = row.key
    phase = f" of {key.phase}" if key.phase else ""
    device = None if key.backend == "cpu" else key.device or key.backend
    place = f" on {device}" if device else ""
    return f"{key.metric}{phase}{place}"


def verdict_name(row: ComparisonRow) -> str:
    """Name the verdict with what limits it: ``regressed (suspect)``."""
    judgement = row.judgement
    return judgement.verdict if judgement.state is None else f"{judgement.verdict} ({judgement.state})"


def share(value: float | None) -> str:
    """Write a change: 0.05 as ``+5.0 %``; what is not known as ``-``.

    >>> share(0.0512), share(-0.5), share(12.0), share(None)
    ('+5.1 %', '-50.0 %', '+1200 %', '-')
    """
    if value is None:
        return "-"
    return f"{value * 100:+.0f} %" if abs(value) >= 1 else f"{value * 100:+.1f} %"


def interval(row: ComparisonRow) -> str:
    """Write the interval of the change; ``-`` without one."""
    known = row.judgement.interval
    if known is None:
        return "-"
    within = ", rounds of one session" if known.within_session else ""
    return f"{share(known.low)} to {share(known.high)} ({known.level * 100:g} %{within})"


def figures(row: ComparisonRow, write: FigureWriter) -> tuple[str, str]:
    """Write the values of the baseline and of the candidate."""
    return write(row.judgement.baseline, row.unit), write(row.judgement.candidate, row.unit)


def sentence(row: ComparisonRow, write: FigureWriter) -> str:
    """Tell in one line what became of a row.

    Args:
        row: the row.
        write: how to write its figures.
    """
    judgement = row.judgement
    parts = [f"{series_name(row)}: {verdict_name(row)}"]
    if judgement.change is not None:
        parts[0] += f", change {share(judgement.change)}"
    if judgement.baseline is not None or judgement.candidate is not None:
        baseline, candidate = figures(row, write)
        parts.append(f"baseline {baseline}, candidate {candidate}")
    if judgement.interval is not None:
        parts.append(f"interval {interval(row)}")
    if row.policy is not None and judgement.verdict == "regressed":
        parts.append(f"limit {_limit(row, write)}")
    if row.confirmations:
        parts.append(repeated(row))
    if judgement.reason:
        parts.append(judgement.reason)
    return "; ".join(parts)


def repeated(row: ComparisonRow) -> str:
    """Tell how many re-runs had the same verdict: ``repeated in 2 of 2 re-runs``."""
    same = sum(again.verdict == row.judgement.verdict for again in row.confirmations)
    return f"repeated in {same} of {len(row.confirmations)} re-runs"


def plain_figure(value: float | None, unit: str) -> str:
    """Write a figure in its SI unit; ``-`` where there is none.

    >>> plain_figure(0.00125, "s"), plain_figure(None, "B")
    ('0.00125 s', '-')
    """
    if value is None:
        return "-"
    return f"{value:.6g}" if unit in {"", "1"} else f"{value:.6g} {unit}"


def _limit(row: ComparisonRow, write: FigureWriter) -> str:
    policy = row.policy
    if policy is None:
        return "-"
    limits = [f"{policy.relative * 100:g} %"] if policy.relative else []
    limits += [write(policy.absolute, row.unit)] if policy.absolute else []
    return " and ".join(limits) or "any change"


def _fails(row: ComparisonRow) -> bool:
    """Whether a row of a comparison, where no gate was asked, reads as a failure."""
    return row.judgement.verdict in {"regressed", "error"} and row.judgement.state is None


def _level(row: ComparisonRow, *, failing: bool) -> Level:
    judgement = row.judgement
    if failing:
        return "error"
    if judgement.state in {"accepted", "not gated"}:
        return "note"
    if judgement.verdict in {"missing", "error"} or judgement.state == "unstable":
        return "warning"
    if judgement.verdict == "regressed":
        return "warning" if judgement.state in _DISTURBED else "note"
    return "note" if judgement.verdict in _UNDECIDED else "fine"


_LEVELS: Mapping[Level, int] = {"error": 0, "warning": 1, "note": 2, "fine": 3}


def _weight(decided: Decided) -> tuple[int, bool, float, str, str]:
    row = decided.row
    change = row.judgement.change or 0.0
    harm = {"lower": change, "higher": -change, "none": 0.0}[row.better]
    return (_LEVELS[decided.level], not decided.changed, -harm, row.key.fullname, series_name(row))


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_KEEP = frozenset({"\u200c", "\u200d"})
"""Joiners: scripts and emoji need them."""


def plain_line(text: str, limit: int | None = None) -> str:
    r"""Remove what no one can read: controls, characters that reorder a line, halves of surrogate pairs.

    Args:
        text: any text.
        limit: most characters; what is too long loses its middle, because parameters stand at its end.

    >>> plain_line("a\r\nb\x1b[31m\ud800"), plain_line("abcdefghij", 5)
    ('a b[31m', 'ab…ij')
    """
    if not (text.isascii() and text.isprintable()):
        text = _CONTROL.sub(_space, text)
        text = "".join(char for char in text if _readable(char))
    if limit is not None and len(text) > limit:
        head = max(limit - 1, 0) // 2
        tail = max(limit - 1 - head, 0)
        text = text[:head] + "…" + (text[-tail:] if tail else "")
    return text


def _space(found: re.Match[str]) -> str:
    return " " if re.search(r"[\t-\r\x85\u2028\u2029]", found[0]) else ""


def _readable(char: str) -> bool:
    if char in _KEEP:
        return True
    # Cc controls, Cf reordering and the like, Cs half pairs, Co and Cn nothing that a font shows.
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
