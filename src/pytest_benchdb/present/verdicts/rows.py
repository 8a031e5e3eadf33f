"""Selection and order of the rows of a comparison or a gate, and the styles of a gate's rows."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pytest_benchdb.model import exit_status
from pytest_benchdb.model.comparison import ComparisonRow, Gate
from pytest_benchdb.model.verdict import VERDICT_STYLES
from pytest_benchdb.present.writing.grid import Style

Order = Literal["worst", "name", "change"]
ORDERS: tuple[Order, ...] = ("worst", "name", "change")

_QUIET = frozenset({"unchanged", "inconclusive"})


def shown_rows(
    rows: Sequence[ComparisonRow], *, only_changed: bool = False, order: Order | None = None
) -> list[ComparisonRow]:
    """Select and order the rows of a comparison.

    Args:
        rows: of one comparison.
        only_changed: leave out rows without a sure change, but keep suspects and rows that could not be compared.
        order: ``worst`` puts errors first, then the most harmful changes in the metric's direction; ``change`` puts
            the largest changes of either sign first; ``name`` sorts by name; None keeps the order.
    """
    selected = [row for row in rows if not only_changed or _may_have_changed(row)]
    if order == "name":
        return sorted(selected, key=lambda row: (row.key.fullname, row.key.metric, row.key.phase or ""))
    if order == "change":
        return sorted(selected, key=lambda row: -abs(row.judgement.change or 0.0))
    return sorted(selected, key=_worst_first) if order == "worst" else selected


def _may_have_changed(row: ComparisonRow) -> bool:
    return row.judgement.verdict not in _QUIET or row.judgement.state == "suspect"


def _worst_first(row: ComparisonRow) -> tuple[bool, bool, float]:
    judgement = row.judgement
    if judgement.change is None:
        return judgement.verdict != "error", True, math.inf
    return True, judgement.verdict != "regressed", -row.harm


def gate_rows(gate: Gate, *, everything: bool = False) -> list[ComparisonRow]:
    """Return the rows of a gate that need review, or all rows, in the same order."""
    return [row for row in gate.comparison.rows if everything or _needs_review(row)]


def folded_text(gate: Gate, shown: Sequence[ComparisonRow]) -> str | None:
    """Return the number of rows not shown, by verdict: ``28 unchanged, 2 new (learning)``; None if all are shown."""
    keys = {row.key for row in shown}
    counts = Counter(row.judgement.text for row in gate.comparison.rows if row.key not in keys)
    return ", ".join(f"{number} {text}" for text, number in counts.most_common()) or None


def gate_row_style(row: ComparisonRow, gate: Gate) -> Style:
    """Return the style of a row's verdict; only rows that failed the gate are red."""
    if row in gate.failures:
        return "bad"
    style = VERDICT_STYLES[row.judgement.verdict]
    return "warn" if style == "bad" else style


def gate_style(gate: Gate) -> Style:
    """Return the style of a gate's outcome."""
    if gate.exit_status == exit_status.FINE:
        return "good" if gate.sentence.startswith("passed") and ";" not in gate.sentence else "warn"
    return "bad" if gate.failures else "warn"


def _needs_review(row: ComparisonRow) -> bool:
    judgement = row.judgement
    if judgement.state in {"learning", "not gated"} and judgement.verdict not in {"error", "missing"}:
        return False
    return not row.is_quiet and judgement.verdict != "new"
