"""Adjust the rows of a gate for shifts of the whole suite, q-values and allowances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_benchdb.analysis.rules.counts import TEST as COUNTED
from pytest_benchdb.analysis.rules.suite import is_explained, largest_shift, suite_shifts
from pytest_benchdb.analysis.statistics.false_discovery import q_values
from pytest_benchdb.model.comparison import ComparisonRow, Shift
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.wording import percent_text
from pytest_benchdb.operations.gate.accepted_levels import AcceptedLevels
from pytest_benchdb.operations.gate.allowances import Allowance, active_allowance
from pytest_benchdb.operations.gate.request import OF_COMMITS


def doubt_shifted(rows: Sequence[ComparisonRow]) -> tuple[list[ComparisonRow], Shift | None]:
    """Put regressions that the whole suite shares in doubt, metric by metric.

    Re-runs on the same machine cannot settle these, so it is done after them, when only what they repeated is left.
    Checks of both commits do settle them, because the machine was the same for both.

    Returns:
        The rows, and the largest shift of a gated metric, or None.
    """
    shifts = suite_shifts(row for row in rows if row.confirmed_by not in OF_COMMITS)
    adjusted = []
    for row in rows:
        shift = shifts.get(row.key.metric)
        regressed = row.judgement.verdict == "regressed" and row.judgement.state != "accepted"
        settled = row.confirmed_by in OF_COMMITS
        if shift is not None and regressed and not settled and is_explained(row, shift):
            reason = f"most of the suite moved alike, by {percent_text(shift.change)} in the median"
            doubted = replace(row.judgement, verdict="inconclusive", state="unstable", reason=reason)
            row = replace(row, judgement=doubted)  # noqa: PLW2901 - the adjusted row
        adjusted.append(row)
    gated = {row.key.metric for row in rows if row.is_gated}
    return adjusted, largest_shift(shift for metric, shift in shifts.items() if metric in gated)


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
        improvements: whether improvements need an allowance too.
    """

    allowances: Sequence[Allowance]
    session: SessionRow
    now: str
    values: Mapping[SeriesKey, SessionValue] = field(default_factory=dict)
    levels: AcceptedLevels = field(default_factory=AcceptedLevels)
    improvements: bool = False

    def of(self, row: ComparisonRow) -> Allowance | None:
        """Return the allowance that excuses a change; None if none does."""
        value = self.values.get(row.key)

        def covers(allowance: Allowance) -> bool:
            return value is not None and self.levels.covers(allowance, row, value, self.session)

        return active_allowance(self.allowances, row.key, self.session, self.now, covers=covers)


def with_allowances(rows: Sequence[ComparisonRow], excuses: Excuses) -> list[ComparisonRow]:
    """Mark allowed changes as accepted."""
    needing = {"regressed", "improved"} if excuses.improvements else {"regressed"}
    adjusted = []
    for row in rows:
        judgement = row.judgement
        if judgement.verdict in needing and row.is_gated:
            allowance = excuses.of(row)
            if allowance is not None:
                judgement = replace(judgement, state="accepted", reason=allowance.text())
        adjusted.append(replace(row, judgement=judgement))
    return adjusted


def is_count(row: ComparisonRow) -> bool:
    """Return whether a row is a stored count that regressed, which only counting again can check."""
    judgement = row.judgement
    regressed = judgement.verdict == "regressed" and judgement.state != "accepted"
    return row.is_gated and regressed and judgement.test == COUNTED


def is_suspect(row: ComparisonRow) -> bool:
    """Return whether a row is worth a check: it looks regressed, or would on an undisturbed machine; no count is."""
    if not row.is_gated or row.judgement.state == "accepted" or row.judgement.test == COUNTED:
        return False
    return row.judgement.verdict == "regressed" or (row.judgement.state == "unstable" and row.harm > 0)


def is_doubtful(row: ComparisonRow) -> bool:
    """Return whether a gated row is worse by more than its limit, which the noise of its history explains as well.

    Checks of both commits do not depend on the history, so they can tell; re-runs of the candidate cannot.
    """
    judgement = row.judgement
    if not row.is_gated or judgement.verdict != "inconclusive" or judgement.state not in {None, "drifting"}:
        return False
    if row.policy is None or judgement.baseline is None or judgement.candidate is None or judgement.test == COUNTED:
        return False
    return row.harm > 0 and row.policy.exceeded(judgement.baseline, judgement.candidate)


def after_checks(rows: Sequence[ComparisonRow], checked: Mapping[SeriesKey, ComparisonRow]) -> list[ComparisonRow]:
    """Return rows with what checks made of them; a doubtful row that is not confirmed stays as it was."""
    merged = []
    for row in rows:
        found = checked.get(row.key, row)
        if is_doubtful(row) and found.judgement.verdict != "regressed":
            found = replace(row, confirmations=found.confirmations, confirmed_by=found.confirmed_by)
        merged.append(found)
    return merged
