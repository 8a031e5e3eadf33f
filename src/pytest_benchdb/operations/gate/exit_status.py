"""Decide a gate's exit status, the rows that failed it, and its outcome in one sentence."""

import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from pytest_benchdb.analysis.rules.counts import TEST as COUNTED
from pytest_benchdb.model import exit_status
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate, Shift
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import DECIDED, VERDICTS
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.operations.gate.request import OF_COMMITS, GateRequest
from pytest_benchdb.present.verdicts.words import limit_text
from pytest_benchdb.present.writing.units import one_quantity

_MOST_NAMES = 3
_SILENT = frozenset({"accepted", "not gated", "unstable", "learning"})
_NOT_JUDGED = frozenset({"unstable", "learning"})
_WAYS_TO_DECIDE = (
    "; to decide, run both commits side by side (benchdb duet BASE HEAD), or count what no machine changes (benchdb "
    "count, then --threshold instructions:1%)"
)


def decide(  # noqa: PLR0913 - everything that an outcome depends on
    comparison: Comparison,
    request: GateRequest,
    *,
    undecided: Collection[SeriesKey] = (),
    interrupted: bool = False,
    shift: Shift | None = None,
    unconfirmed: str | None = None,
    no_baseline: str | None = None,
    idle: Sequence[str] = (),
) -> Gate:
    """Return the gate's result.

    A regression outweighs everything except an interrupt, after which the results are incomplete. A suite that became
    slower as a whole is neither failed nor passed: its cause may be the machine or what all of the suite uses.

    Args:
        comparison: its rows judged, confirmed and accepted.
        request: what fails the gate.
        undecided: suspects that a re-run could not confirm or clear.
        interrupted: whether Ctrl-C ended the re-runs.
        shift: the shift of the whole suite, if any.
        unconfirmed: why regressions were not run again; None if they were.
        no_baseline: why there is no session to compare with; None if there is one.
        idle: warnings about limits of nothing that was measured, each of which a strict gate fails.
    """
    rows = comparison.rows
    worse = [row for row in rows if _fails(row, alert_improvement=request.alert_improvement)]
    missing = [row for row in rows if row.judgement.verdict == "missing" and row.is_gated]
    missing = missing if request.missing == "fail" else []
    doubts = _doubts(rows, undecided, shift, interrupted=interrupted)
    reasons: list[tuple[int, str]] = []
    if interrupted:
        also = f"; failed: {_listed(worse)}" if worse else ""
        left = counted(len(undecided), "suspect")
        reasons.append((exit_status.INTERRUPTED, f"interrupted: {left} not confirmed{also}"))
    if worse:
        reasons.append((exit_status.GATE_FAILED, _failed_text(rows, worse, unconfirmed) + doubts))
    if missing:
        names = list(dict.fromkeys(row.key.fullname for row in missing))
        text = f"failed: {counted(len(names), 'benchmark')} missing: {_first_few(names)}"
        reasons.append((exit_status.NO_BASELINE, text))
    nothing, needs_sessions = _nothing_judged(rows, no_baseline) or (None, False)
    if request.require_baseline and nothing is not None:
        reasons.append((exit_status.NO_BASELINE, f"nothing was judged: {nothing}"))
    slower = shift is not None and shift.change > 0
    unsettled = bool(undecided) and request.confirm_by in OF_COMMITS
    if doubts and (request.strict or slower or unsettled):
        ways = _WAYS_TO_DECIDE if slower else ""
        reasons.append((exit_status.UNDECIDED, f"undecided{doubts.replace(';', ':', 1)}{ways}"))
    if idle and request.strict:
        reasons.append((exit_status.UNDECIDED, f"undecided: {'; '.join(idle)}"))
    if nothing is not None:
        status = exit_status.UNDECIDED if request.strict and not needs_sessions else exit_status.FINE
        reasons.append((status, f"nothing was judged: {nothing}{doubts}"))
    if doubts and all(row.judgement.state in _NOT_JUDGED and not row.is_within_budget for row in _judgeable(rows)):
        reasons.append((exit_status.FINE, f"nothing was judged{doubts.replace(';', ':', 1)}"))
    status, sentence = [*reasons, (exit_status.FINE, f"passed: {_counts(rows)}{doubts}")][0]
    return Gate(comparison=comparison, exit_status=status, failures=(*worse, *missing), shift=shift, sentence=sentence)


def ungated_warnings(rows: Iterable[ComparisonRow]) -> list[str]:
    """Return a warning about results that became worse and cannot fail the gate; empty if none did."""
    worse = [row for row in rows if row.judgement.verdict == "regressed" and not row.is_gated]
    if not worse:
        return []
    worse.sort(key=lambda row: -row.harm)
    limits = " ".join(f"--threshold {metric}:5%" for metric in dict.fromkeys(row.key.metric for row in worse[:2]))
    return [f"not gated, but worse in this session: {_listed(worse)}; to gate it: {limits}"]


def _judgeable(rows: Iterable[ComparisonRow]) -> list[ComparisonRow]:
    """Return the rows that can fail the gate: by their change, or by their budget."""
    return [row for row in rows if row.is_gated or _has_budget(row)]


def _has_budget(row: ComparisonRow) -> bool:
    return row.policy is not None and row.policy.budget is not None


def _counts(rows: Sequence[ComparisonRow]) -> str:
    counts = Counter(row.judgement.verdict for row in rows if row.is_gated)
    accepted = sum(row.judgement.state == "accepted" for row in rows)
    within = sum(bool(row.is_within_budget) for row in rows)
    parts = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]]
    parts[-1:] = [f"{parts[-1]}, {accepted} of them accepted"] if accepted else parts[-1:]
    return ", ".join([*parts, f"{within} within budget"] if within else parts)


def _nothing_judged(rows: Sequence[ComparisonRow], no_baseline: str | None) -> tuple[str, bool] | None:
    """Return why nothing was judged, and whether more sessions alone will change that; None if something was judged."""
    gated = _judgeable(rows)
    if no_baseline is not None and not any(map(_was_judged, gated)):
        return no_baseline, True
    if not gated:
        return "no result is gated; name a metric that was measured with --threshold", False
    if any(map(_was_judged, gated)):
        return None
    others = [row for row in gated if row.judgement.state != "learning"]
    if others:
        reasons = Counter(row.judgement.reason or row.judgement.verdict for row in others)
        reason, number = reasons.most_common(1)[0]
        text = reason + (f" ({number} of {len(gated)} results)" if number < len(gated) else "")
        return text, all(row.judgement.verdict == "incomparable" for row in others)  # their history begins anew
    most = max(row.judgement.baseline_sessions for row in gated)
    least = max(row.policy.least_sessions for row in gated if row.policy is not None)
    return f"learning: {most} of the {least} earlier sessions that a verdict needs", True


def _was_judged(row: ComparisonRow) -> bool:
    """Return whether a row says something about the candidate: it failed, or its value was compared with a history."""
    judgement = row.judgement
    if row.is_within_budget is not None:
        return True
    if judgement.state == "learning":
        return False
    return judgement.verdict in {*DECIDED, "error"} or (
        judgement.verdict == "inconclusive" and (judgement.state is not None or judgement.candidate is not None)
    )


def _doubts(
    rows: Sequence[ComparisonRow], undecided: Collection[SeriesKey], shift: Shift | None, *, interrupted: bool
) -> str:
    """Return what could not be decided, beginning with a semicolon; empty if everything was."""
    parts = []
    if shift is not None:
        parts.append(
            f"{shift.agreeing * 100:.0f} % of the suite moved alike, by {percent_text(shift.change)} in the median: "
            "the machine, or what all of it uses"
        )
    unstable = [row for row in rows if row.is_gated and row.judgement.state == "unstable"]
    if unstable and shift is None:
        parts.append(f"{counted(len(unstable), 'result')} could not be judged on a disturbed machine")
    unchecked = [row for row in rows if _has_budget(row) and row.is_within_budget is None]
    unchecked = [row for row in unchecked if row.judgement.verdict != "missing"]
    if unchecked:
        names = _first_few([f"{row.key.fullname} {row.key.metric}" for row in unchecked])
        parts.append(f"{counted(len(unchecked), 'budget')} could not be checked, for lack of a valid value: {names}")
    lost = [row for row in rows if row.key in undecided and row.judgement.state != "unstable"]
    if lost and not interrupted:
        parts.append(f"{counted(len(lost), 'suspect')} could not be confirmed: {lost[0].judgement.reason}")
    return "".join(f"; {part}" for part in parts)


def _fails(row: ComparisonRow, *, alert_improvement: bool) -> bool:
    if row.judgement.verdict == "exceeded":
        return True
    if not row.is_gated or row.judgement.state in _SILENT:
        return False
    if row.judgement.verdict == "error":
        return row.judgement.baseline_sessions >= (row.policy.least_sessions if row.policy else 1)
    return row.judgement.verdict == "regressed" or (alert_improvement and row.judgement.verdict == "improved")


def _failed_text(rows: Sequence[ComparisonRow], worse: Sequence[ComparisonRow], unconfirmed: str | None) -> str:
    better = [row for row in worse if row.judgement.verdict == "improved"]
    regressed = any(row.judgement.verdict == "regressed" and row.judgement.test != COUNTED for row in worse)
    hint = f"; not confirmed: {unconfirmed}" if unconfirmed is not None and regressed else ""
    if better:
        hint += f"; {better[0].key.fullname} improved beyond the limit; accept it with: {_accept_command(better)}"
    return f"failed: {len(worse)} of {len(_judgeable(rows))} gated results: {_listed(worse)}{hint}"


def _accept_command(rows: Sequence[ComparisonRow]) -> str:
    pattern = shlex.quote(rows[0].key.fullname) if len({row.key.fullname for row in rows}) == 1 else "PATTERN"
    return f"benchdb accept {pattern} --reason TEXT"


def _listed(rows: Sequence[ComparisonRow]) -> str:
    return _first_few([_failure_text(row) for row in rows])


def _failure_text(row: ComparisonRow) -> str:
    change = row.judgement.change
    if row.judgement.verdict == "exceeded":
        value = one_quantity(row.judgement.candidate, row.unit)
        return f"{row.key.fullname} {row.key.metric} {value} (budget {limit_text(row)})"
    if row.judgement.verdict not in {"regressed", "improved"} or change is None:
        return f"{row.key.fullname} {row.judgement.verdict}"
    limit = "" if row.policy is None else f" (limit {limit_text(row)})"
    return f"{row.key.fullname} {row.key.metric} {percent_text(change)}{limit}"


def _first_few(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _MOST_NAMES} more" if len(texts) > _MOST_NAMES else ""
    return ", ".join(texts[:_MOST_NAMES]) + more
