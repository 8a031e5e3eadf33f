"""Which rows of a comparison are shown, and in which order."""

from collections.abc import Sequence
from typing import Literal

from pytest_benchdb.model.comparison import ComparisonRow

Order = Literal["worst", "name", "change"]
ORDERS: tuple[Order, ...] = ("worst", "name", "change")

_QUIET = frozenset({"unchanged", "inconclusive"})
_NOT_KNOWN = float("-inf")


def shown_rows(
    rows: Sequence[ComparisonRow], *, only_changed: bool = False, order: Order | None = None
) -> list[ComparisonRow]:
    """Choose and order rows.

    Args:
        rows: of one comparison.
        only_changed: leave out what did not surely change; what could not be compared stays, and so does a suspect.
        order: ``worst`` puts errors and then the most harmful change first, whatever direction the metric has;
            ``change`` the largest change of either sign; None keeps the order.
    """
    chosen = [row for row in rows if not only_changed or _stands_out(row)]
    if order == "name":
        return sorted(chosen, key=lambda row: (row.key.fullname, row.key.metric, row.key.phase or ""))
    if order == "change":
        return sorted(chosen, key=lambda row: -abs(row.judgement.change or 0.0))
    return sorted(chosen, key=_harm, reverse=True) if order == "worst" else chosen


def _stands_out(row: ComparisonRow) -> bool:
    return row.judgement.verdict not in _QUIET or row.judgement.state == "suspect"


def _harm(row: ComparisonRow) -> tuple[bool, bool, float]:
    change = row.judgement.change
    if change is None:
        return row.judgement.verdict == "error", False, _NOT_KNOWN
    # A factor of two is as much in either direction.
    ratio = max(1 + change, 1e-300)
    worse = {"lower": ratio, "higher": 1 / ratio, "none": 0.0}[row.better]
    return False, row.judgement.verdict == "regressed", worse
