"""Confirm suspects by counting: how many instructions the baseline's commit and the candidate execute, once each.

No load is in a count, so one process a side is enough, and the machine cannot confirm what it caused. A count sees
computing only: what waits, and what is not a time, is left to the next way.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_benchdb.analysis.rules.counts import judge_counts
from pytest_benchdb.analysis.rules.policy import default_policy, kind_of
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import COMPARED, DECIDED, Judgement, Policy
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.operations.duet.plan import RECOUNT_PAIRS
from pytest_benchdb.operations.duet.run import OpenDuet
from pytest_benchdb.operations.gate.confirm import INTERRUPTED, Confirmation, undecided_row
from pytest_benchdb.operations.gate.side_by_side import ABSENT, cleared_row, sides_of, values_of_sides

METRIC = "instructions"
_AGREEING = 0.5
"""Share of a row's limit that the count must have grown: instructions take different times, so it never grows alike."""
_TIMES = frozenset({"time", "rate"})
_OF_PROCESSOR = frozenset({None, "cpu"})


def confirm_by_counts(
    suspects: Sequence[ComparisonRow], opened: OpenDuet, database: Path, say: Callable[[str], None]
) -> Confirmation:
    """Count suspects on both sides, and confirm or clear each that computes.

    Args:
        suspects: rows that look regressed.
        opened: the duet that counts, with both sides checked out.
        database: folder that takes its sessions.
        say: called with a line before it counts.

    Raises:
        BackendUnavailableError: nothing can count here.
        ConfigError: a side cannot be run, or does not measure its own code.
        StoreError: the sessions cannot be read back.
    """
    rows = {row.key: row for row in suspects}
    unseen = {key: why for key, row in rows.items() if (why := _unseen(row)) is not None}
    names = list(dict.fromkeys(key.fullname for key in rows if key not in unseen))
    if names:
        say(f"counting: {counted(len(names), 'suspect')}, each side once")
        try:
            opened.play(1, names)
        except KeyboardInterrupt:
            undecided = tuple(undecided_row(row, INTERRUPTED) for row in suspects)
            return Confirmation(rows=undecided, undecided=frozenset(rows), interrupted=True)
        values = values_of_sides(opened, database, {METRIC})
        for key in rows.keys() - unseen.keys():
            sides = sides_of(replace(key, metric=METRIC), values)
            judgement = None if sides is None else judge_counts(*sides, policy_for(rows[key]))
            if judgement is None or judgement.verdict not in DECIDED:
                unseen[key] = ABSENT if judgement is None else (judgement.reason or judgement.verdict)
            else:
                rows[key] = settle_count(rows[key], judgement)
    rows.update({key: undecided_row(rows[key], f"not judged by its count: {why}") for key, why in unseen.items()})
    left = frozenset[SeriesKey](unseen)
    return Confirmation(rows=tuple(rows.values()), undecided=left, out_of_reach=left)


def confirm_counts(
    suspects: Sequence[ComparisonRow], opened: OpenDuet, database: Path, say: Callable[[str], None]
) -> Confirmation:
    """Count what executes more in further processes of both sides, and confirm or clear it.

    Args:
        suspects: rows of counts that look regressed.
        opened: the duet that counts, with both sides checked out.
        database: folder that takes its sessions.
        say: called with a line before it counts.

    Raises:
        BackendUnavailableError: nothing can count here.
        ConfigError: a side cannot be run, or does not measure its own code.
        StoreError: the sessions cannot be read back.
    """
    names = list(dict.fromkeys(row.key.fullname for row in suspects))
    say(f"counting again: {counted(len(names), 'suspect')}, each side {RECOUNT_PAIRS} times")
    opened.play(RECOUNT_PAIRS, names)
    values = values_of_sides(opened, database, {row.key.metric for row in suspects})
    rows = []
    for row in suspects:
        sides = sides_of(row.key, values)
        judgement = None if sides is None or row.policy is None else judge_sides(*sides, row.policy)
        if judgement is None or judgement.verdict not in COMPARED:
            rows.append(row)
        elif judgement.verdict == "regressed":
            rows.append(replace(row, confirmations=(judgement,)))
        else:
            change = percent_text(judgement.change or 0.0)
            reason = f"{change} in {RECOUNT_PAIRS} further processes of each side: how memory was laid out"
            rows.append(cleared_row(replace(row, confirmations=(judgement,)), reason))
    return Confirmation(rows=tuple(rows))


def _unseen(row: ComparisonRow) -> str | None:
    """Return why no count can judge a row; None if one can."""
    if kind_of(row.key.metric, row.unit) not in _TIMES:
        return f"{row.key.metric} is not a time"
    if row.key.backend not in _OF_PROCESSOR:
        return f"it runs on {row.key.backend}, and a count sees the processor only"
    return None


def policy_for(row: ComparisonRow) -> Policy:
    """Return when a count repeats a regression: half of the row's limit, and at least what counts for any count."""
    policy = default_policy(METRIC, "1", "lower", sessions=1)
    return replace(policy, relative=max(policy.relative, _AGREEING * (row.limit or 0.0)))


def settle_count(row: ComparisonRow, judgement: Judgement) -> ComparisonRow:
    """Return a suspect with what counting both sides showed: confirmed by a count that grew, else cleared."""
    row = replace(row, confirmations=(judgement,))
    text = f"instructions {percent_text(judgement.change or 0.0)}"
    if judgement.verdict == "regressed":
        return replace(row, judgement=replace(row.judgement, verdict="regressed", state=None, reason=text))
    seen = percent_text(row.judgement.change or 0.0)
    return cleared_row(row, f"{text}: it does not execute more, so the machine made what the session showed ({seen})")
