"""Adjust the rows of a gate for shifts of the whole suite, q-values and allowances."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_benchdb.analysis.rules.suite import suite_shift
from pytest_benchdb.analysis.statistics.false_discovery import q_values
from pytest_benchdb.model.comparison import ComparisonRow, Shift
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.wording import percent_text
from pytest_benchdb.operations.gate.accepted_levels import AcceptedLevels
from pytest_benchdb.operations.gate.allowances import Allowance, active_allowance

_FOLLOWING = 2.0
"""How many times the suite's shift a benchmark may have moved beyond its limit: not all follow a machine equally."""


def doubt_shifted(rows: Sequence[ComparisonRow]) -> tuple[list[ComparisonRow], frozenset[SeriesKey], Shift | None]:
    """Put regressions that the whole suite shares in doubt, metric by metric.

    Returns:
        The rows; the keys of those in doubt, which no re-run on this machine can settle; the largest shift of a gated
        metric, or None.
    """
    shifts = {
        metric: suite_shift((row.key, row.judgement) for row in rows if row.key.metric == metric)
        for metric in dict.fromkeys(row.key.metric for row in rows)
    }
    adjusted, shifted = [], set()
    for row in rows:
        shift = shifts[row.key.metric]
        if shift is not None and row.judgement.verdict == "regressed" and _explains(shift, row):
            reason = f"most of the suite moved alike, by {percent_text(shift.change)} in the median"
            doubted = replace(row.judgement, verdict="inconclusive", state="unstable", reason=reason)
            shifted.add(row.key)
            row = replace(row, judgement=doubted)  # noqa: PLW2901 - the adjusted row
        adjusted.append(row)
    gated = {row.key.metric for row in rows if row.is_gated}
    largest = max(
        (shift for metric, shift in shifts.items() if shift is not None and metric in gated),
        key=lambda shift: abs(shift.change),
        default=None,
    )
    return adjusted, frozenset(shifted), largest


def _explains(shift: Shift, row: ComparisonRow) -> bool:
    """Return whether the suite's shift explains a row's change: same direction, and not much larger."""
    change = row.judgement.change
    if change is None or change * shift.change <= 0:
        return False
    own = abs(math.log1p(change)) - abs(math.log1p(shift.change)) if min(change, shift.change) > -1 else 0.0
    limit = row.policy.relative if row.policy is not None else 0.0
    return own <= math.log1p(limit + _FOLLOWING * abs(shift.change))


def with_q_values(rows: Sequence[ComparisonRow], most: float | None) -> list[ComparisonRow]:
    """Add q-values: the p-values of gated rows corrected for their number (Benjamini and Hochberg, 1995).

    Args:
        rows: the gate's rows.
        most: q-value above which a regression is put in doubt; None for no filter.
    """
    tested = {row.key: row.judgement.p_value for row in rows if row.is_gated and row.judgement.p_value is not None}
    by_key = dict(zip(tested, q_values(list(tested.values())), strict=True))
    adjusted = []
    for row in rows:
        q, judgement = by_key.get(row.key), row.judgement
        if most is not None and q is not None and q > most and judgement.verdict == "regressed":
            reason = f"q-value {q:.2g} is above --fdr {most:g}"
            judgement = replace(judgement, verdict="inconclusive", reason=reason)
        adjusted.append(replace(row, q_value=q, judgement=judgement))
    return adjusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuses:
    """The allowances for a session's regressions.

    Attributes:
        allowances: from files and the database.
        session: the judged session.
        now: ISO 8601 in UTC.
        values: the session's values by series; None for a series without one.
        levels: the levels that acceptances begin with.
    """

    allowances: Sequence[Allowance]
    session: SessionRow
    now: str
    values: Mapping[SeriesKey, SessionValue] = field(default_factory=dict)
    levels: AcceptedLevels = field(default_factory=AcceptedLevels)

    def of(self, row: ComparisonRow) -> Allowance | None:
        """Return the allowance that excuses a regression; None if none does."""
        value = self.values.get(row.key)

        def covers(allowance: Allowance) -> bool:
            return value is not None and self.levels.covers(allowance, row, value, self.session)

        return active_allowance(self.allowances, row.key, self.session, self.now, covers=covers)


def with_allowances(rows: Sequence[ComparisonRow], excuses: Excuses) -> list[ComparisonRow]:
    """Mark allowed regressions as accepted."""
    adjusted = []
    for row in rows:
        judgement = row.judgement
        if judgement.verdict == "regressed" and row.is_gated:
            allowance = excuses.of(row)
            if allowance is not None:
                judgement = replace(judgement, state="accepted", reason=allowance.text())
        adjusted.append(replace(row, judgement=judgement))
    return adjusted


def is_suspect(row: ComparisonRow, shifted: Collection[SeriesKey] = ()) -> bool:
    """Return whether a row is worth a re-run: it looks regressed, or would on an undisturbed machine."""
    if not row.is_gated or row.key in shifted or row.judgement.state == "accepted":
        return False
    return row.judgement.verdict == "regressed" or (row.judgement.state == "unstable" and row.harm > 0)
