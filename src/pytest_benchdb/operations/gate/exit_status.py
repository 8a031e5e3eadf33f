"""What the rows of a gate add up to: which failed it, its exit status, and one sentence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.model import exit_status
from pytest_benchdb.model.comparison import ComparisonRow, Shift
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import VERDICTS
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.verdicts.gate_words import limit_text

MissingRule = Literal["warn", "fail", "ignore"]

_MOST_NAMES = 3
_SILENT = frozenset({"accepted", "not gated", "unstable", "learning"})
_FEW = frozenset({"new", "inconclusive"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a gate found.

    Attributes:
        rows: judged, confirmed and accepted.
        missing: what a missing benchmark means.
        require_baseline: whether it fails when nothing could be compared.
        strict: whether it ends with a status of its own when nobody can tell.
        undecided: suspects of which a re-run told nothing.
        interrupted: whether Ctrl-C ended the re-runs.
        shift: what the whole suite shares.
        no_baseline: why there is no session to compare with; None if there is one.
        confirmed: whether suspects were run again.
    """

    rows: Sequence[ComparisonRow]
    missing: MissingRule = "warn"
    require_baseline: bool = False
    strict: bool = False
    undecided: frozenset[SeriesKey] = frozenset()
    interrupted: bool = False
    shift: Shift | None = None
    no_baseline: str | None = None
    confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What they add up to; see `model.comparison.Gate`."""

    exit_status: int
    failures: tuple[ComparisonRow, ...]
    sentence: str


def outcome_of(found: Found) -> Outcome:
    """Return the exit status, the rows that failed the gate, and the outcome in one line.

    A regression outweighs everything else, but for an interrupt: what is known then is not all there is.
    """
    worse = [row for row in found.rows if _fails(row)]
    missing = [row for row in found.rows if row.judgement.verdict == "missing" and row.is_gated]
    failing_missing = missing if found.missing == "fail" else []
    failures = (*worse, *failing_missing)
    for status, sentence in _reasons(found, worse, failing_missing):
        return Outcome(exit_status=status, failures=failures, sentence=sentence)
    return Outcome(exit_status=exit_status.FINE, failures=failures, sentence=_passed(found))


def _reasons(
    found: Found, worse: Sequence[ComparisonRow], missing: Sequence[ComparisonRow]
) -> Sequence[tuple[int, str]]:
    """Return every reason not to pass with its status, the weightiest first."""
    reasons: list[tuple[int, str]] = []
    if found.interrupted:
        left = counted(len(found.undecided), "suspect")
        reasons.append((exit_status.INTERRUPTED, f"interrupted: {left} not confirmed{_also(worse)}"))
    if worse:
        gated = sum(row.is_gated for row in found.rows)
        hint = "" if found.confirmed else "; not confirmed: --confirm 2 runs them again"
        reasons.append(
            (
                exit_status.GATE_FAILED,
                f"failed: {len(worse)} of {gated} gated results: {_listed(worse)}{hint}{_doubts(found)}",
            )
        )
    if missing:
        names = list(dict.fromkeys(row.key.fullname for row in missing))
        reasons.append(
            (exit_status.NO_BASELINE, f"failed: {counted(len(names), 'benchmark')} missing: {_names(names)}")
        )
    if found.require_baseline and (why := _nothing_compared(found)) is not None:
        reasons.append((exit_status.NO_BASELINE, f"nothing to compare: {why}"))
    if found.strict and (doubts := _doubts(found)):
        reasons.append((exit_status.UNSTABLE, f"unstable{doubts.replace(';', ':', 1)}"))
    return reasons


def _passed(found: Found) -> str:
    why = _nothing_compared(found)
    if why is not None:
        return f"nothing was judged: {why}{_doubts(found)}"
    counts = Counter(row.judgement.verdict for row in found.rows if row.is_gated)
    accepted = sum(row.judgement.state == "accepted" for row in found.rows)
    parts = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]]
    told = f"{', '.join(parts)}{f', {accepted} of them accepted' if accepted else ''}{_doubts(found)}"
    return f"unstable, so not judged as a whole: {told}" if found.shift is not None else f"passed: {told}"


def _nothing_compared(found: Found) -> str | None:
    """Return why nothing could be judged for want of a history; None if something was."""
    gated = [row for row in found.rows if row.is_gated]
    if not gated:
        return found.no_baseline or "no result is gated; name a metric that was measured with --threshold"
    if not all(row.judgement.verdict in _FEW and row.judgement.state == "learning" for row in gated):
        return None
    if found.no_baseline is not None:
        return found.no_baseline
    most = max(row.judgement.baseline_sessions for row in gated)
    least = max(row.policy.least_sessions for row in gated if row.policy is not None)
    return f"learning: {most} of the {least} earlier sessions that a verdict needs"


def _doubts(found: Found) -> str:
    """Return what nobody can tell, to go after a semicolon; empty if all is clear."""
    parts = []
    if found.shift is not None:
        parts.append(
            f"{found.shift.agreeing * 100:.0f} % of the suite moved, by {found.shift.change * 100:+.1f} % in the "
            "median: the machine or the interpreter changed, or what all of it uses; benchdb duet tells which"
        )
    unstable = [row for row in found.rows if row.is_gated and row.judgement.state == "unstable"]
    if unstable and found.shift is None:
        parts.append(f"{counted(len(unstable), 'result')} could not be judged on a disturbed machine")
    lost = [row for row in found.rows if row.key in found.undecided and row.judgement.state != "unstable"]
    if lost and not found.interrupted:
        parts.append(f"{counted(len(lost), 'suspect')} could not be confirmed: {lost[0].judgement.reason}")
    return "".join(f"; {part}" for part in parts)


def _fails(row: ComparisonRow) -> bool:
    if not row.is_gated or row.judgement.state in _SILENT:
        return False
    if row.judgement.verdict == "error":
        return row.judgement.baseline_sessions >= (row.policy.least_sessions if row.policy else 1)
    return row.judgement.verdict == "regressed"


def _also(worse: Sequence[ComparisonRow]) -> str:
    return f"; failed: {_listed(worse)}" if worse else ""


def _listed(rows: Sequence[ComparisonRow]) -> str:
    more = f" and {len(rows) - _MOST_NAMES} more" if len(rows) > _MOST_NAMES else ""
    return ", ".join(map(_told, rows[:_MOST_NAMES])) + more


def _told(row: ComparisonRow) -> str:
    change = row.judgement.change
    if row.judgement.verdict != "regressed" or change is None:
        return f"{row.key.fullname} {row.judgement.verdict}"
    limit = "" if row.policy is None else f" (limit {limit_text(row)})"
    return f"{row.key.fullname} {row.key.metric} {change * 100:+.1f} %{limit}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
