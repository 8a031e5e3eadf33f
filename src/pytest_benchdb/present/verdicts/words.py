"""Wording of verdicts, shared by every format: changes, limits, intervals, counts, names, reasons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.analysis.rules.suite import speedup_of
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, ConfirmWay, Difference, Side
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.verdict import COMPARED, VERDICT_STYLES, VERDICTS, Interval
from pytest_benchdb.model.wording import counted, percent_text, share_text
from pytest_benchdb.present.writing.grid import Style
from pytest_benchdb.present.writing.text import SHORT_ID
from pytest_benchdb.present.writing.times import local_minute, zones_text
from pytest_benchdb.present.writing.units import NOT_MEASURED, one_quantity, unit_for

_DIRECTIONS: Mapping[Better, str] = {
    "lower": "lower is better",
    "higher": "higher is better",
    "none": "neither direction is better",
}
_STATISTICS = {
    "min": "smallest round of each session",
    "median": "median of each session",
    "mean": "mean of each session",
    "value": "one reading for each session",
}
_STATES = {
    "suspect": "too few sessions to tell it from a disturbance",
    "learning": "too few sessions to judge it by",
    "unstable": "other work disturbed the machine",
    "drifting": "its level moves by itself",
    "accepted": "people accepted it",
    "not gated": "it is not gated",
}
_WAYS: Mapping[ConfirmWay | None, str] = {"duet": "in turn", "instructions": "by counts"}
_WORTH: Mapping[ConfirmWay, str] = {
    "duet": "both commits ran in turn on this machine, so its state is the same for both",
    "instructions": "both commits were counted: no load or clock is in it, nor are waiting, I/O and cache misses",
    "rerun": "the candidate alone ran again, so a machine that became slower confirms what it caused",
}
_MOST_DIGITS = 12
_ANY_CHANGE = "any change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A reason that rows share.

    Attributes:
        subject: the number and verdict of the rows: ``2 incomparable``.
        text: the reason.
        names: names of the rows.
    """

    subject: str
    text: str
    names: tuple[str, ...]


def interval_title(rows: Sequence[ComparisonRow]) -> str:
    """Return the title of a column of intervals, with their level if it is the same: ``95 % interval``."""
    levels = {row.judgement.interval.level for row in rows if row.judgement.interval is not None}
    return f"{levels.pop() * 100:g} % interval" if len(levels) == 1 else "interval"


def interval_text(interval: Interval | None, *, widths: Sequence[int] = (0, 0), ascii_only: bool = False) -> str:
    """Return an interval in percent, without the unit; ``~`` marks one from the rounds of one session.

    Args:
        interval: None becomes a dash.
        widths: widths to which the lower end with its mark and the upper end are padded.
        ascii_only: for terminals that show ASCII only.
    """
    if interval is None:
        return NOT_MEASURED
    to = ".." if ascii_only else "…"
    mark = "~" if interval.within_session else ""
    low, high = mark + share_text(interval.low), share_text(interval.high)
    return f"{low.rjust(widths[0])} {to} {high.rjust(widths[1])}"


def full_interval_text(interval: Interval | None) -> str:
    """Return an interval with its unit and level: ``+1.0 … +9.0 % (95 %)``."""
    if interval is None:
        return NOT_MEASURED
    within = ", rounds of one session" if interval.within_session else ""
    return f"{interval_text(interval)} % ({interval.level * 100:g} %{within})"


def change_text(row: ComparisonRow) -> str:
    """Return the signed change in percent; from a baseline of 0, the difference instead."""
    judgement = row.judgement
    if judgement.change is not None:
        return percent_text(judgement.change)
    if judgement.baseline is None or judgement.candidate is None or judgement.verdict == "incomparable":
        return NOT_MEASURED
    difference = judgement.candidate - judgement.baseline
    return ("+" if difference > 0 else "") + one_quantity(difference, row.unit)


def limit_text(row: ComparisonRow) -> str:
    """Return the limit of a row, beyond which a change counts: its share, or its amount if that is more.

    Where the budget decides, it is that: ``<500 ms``.
    """
    policy, baseline = row.policy, row.judgement.baseline
    if policy is None:
        return NOT_MEASURED
    if policy.budget is not None and (row.judgement.verdict == "exceeded" or not policy.gated):
        sign = ">" if policy.better == "higher" else "<"
        return f"{sign}{_round_quantity(policy.budget.most, row.unit)}"
    if baseline is None:
        return _limit(policy.relative, policy.absolute, row.unit)
    by_share = policy.relative * abs(baseline) >= policy.absolute
    return _limit(policy.relative if by_share else 0.0, 0.0 if by_share else policy.absolute, row.unit)


def limits_text(rows: Sequence[ComparisonRow]) -> str:
    """Return the limits that rows share: ``a change counts beyond 5 % and 50.00 ns``; empty if they differ."""
    limits = {(row.policy.relative, row.policy.absolute) for row in rows if row.policy is not None}
    if len(limits) != 1:
        return ""
    relative, absolute = limits.pop()
    text = _limit(relative, absolute, rows[0].unit)
    return "any change counts" if text == _ANY_CHANGE else f"a change counts beyond {text}"


def _limit(relative: float, absolute: float, unit: str) -> str:
    parts = [f"{relative * 100:.4g} %"] if relative else []
    parts += [_round_quantity(absolute, unit)] if absolute else []
    return " and ".join(parts) or _ANY_CHANGE


def _round_quantity(amount: float, unit: str) -> str:
    """Return an amount that somebody chose, without the zeros that a measured one would have."""
    shown = unit_for(unit, [amount])
    return f"{amount / shown.size:.4g} {shown.symbol}".strip()


def baseline_text(row: ComparisonRow) -> str:
    """Return the baseline's value and number of sessions: ``1.234 ms (20)``."""
    judgement = row.judgement
    if judgement.baseline is None:
        return NOT_MEASURED
    return f"{one_quantity(judgement.baseline, row.unit)} ({judgement.baseline_sessions})"


def confirms_text(row: ComparisonRow) -> str:
    """Return how a suspect was checked, or how many re-runs repeated it: ``in turn``, ``2/2``; a dash if it was not."""
    if row.confirmed_by in _WAYS and row.confirmations:
        return _WAYS[row.confirmed_by]
    return f"{_repeats(row)}/{len(row.confirmations)}" if row.confirmations else NOT_MEASURED


def repeated_text(row: ComparisonRow) -> str:
    """Return how a suspect was checked: ``repeated in 2 of 2 re-runs``, ``checked in turn``; empty if it was not."""
    if row.confirmed_by in _WAYS and row.confirmations:
        return f"checked {_WAYS[row.confirmed_by]}"
    return f"repeated in {_repeats(row)} of {len(row.confirmations)} re-runs" if row.confirmations else ""


def worth_notes(rows: Sequence[ComparisonRow]) -> list[Note]:
    """Return for each way in which suspects were checked how many there were, and what the way is worth."""
    checked = [(row, name) for row, name in zip(rows, row_names(rows), strict=True) if row.confirmations]
    notes = []
    for way, worth in _WORTH.items():
        names = tuple(name for row, name in checked if row.confirmed_by == way)
        if names:
            notes.append(Note(subject=f"{len(names)} checked {_WAYS.get(way, 'by re-runs')}", text=worth, names=names))
    return notes


def _repeats(row: ComparisonRow) -> int:
    return sum(again.verdict == "regressed" for again in row.confirmations)


def series_name(row: ComparisonRow) -> str:
    """Return metric, phase and device of a row: ``wall_time``, ``energy of decode on cuda``.

    The processor is left out: it is the same in all rows, and test reports identify a case by its name.
    """
    key = row.key
    phase = f" of {key.phase}" if key.phase else ""
    device = None if key.backend == "cpu" else key.device or key.backend
    return f"{key.metric}{phase}{f' on {device}' if device else ''}"


def row_sentence(row: ComparisonRow) -> str:
    """Return a row in one line: ``wall_time: regressed, +20.0 %; baseline 1.000 ms, candidate 1.200 ms; limit 5 %``."""
    judgement = row.judgement
    change = "" if judgement.change is None else f", {change_text(row)}"
    parts = [f"{series_name(row)}: {judgement.text}{change}"]
    if judgement.baseline is not None or judgement.candidate is not None:
        baseline, candidate = (one_quantity(value, row.unit) for value in (judgement.baseline, judgement.candidate))
        parts.append(f"baseline {baseline}, candidate {candidate}")
    if judgement.interval is not None:
        parts.append(f"interval {full_interval_text(judgement.interval)}")
    if row.policy is not None and judgement.verdict in COMPARED | {"exceeded"}:
        parts.append(f"limit {limit_text(row)}")
    parts += [text for text in (repeated_text(row), judgement.reason) if text]
    return "; ".join(parts)


def factor_text(row: ComparisonRow) -> str:
    """Return how many times better the candidate is, in the metric's direction: ``2.50x``, ``0.40x``."""
    factor = speedup_of(row.judgement, row.better)
    return NOT_MEASURED if factor is None else times_text(factor)


def times_text(factor: float, is_inside: Callable[[float], bool] = lambda _factor: True) -> str:
    """Return a factor with three digits, or with as many as show whether it is inside a range.

    >>> times_text(2.5), times_text(0.1234), times_text(1234.5), times_text(0.09996, lambda factor: factor >= 0.1)
    ('2.50x', '0.123x', '1234x', '0.09996x')
    """
    digits = 0 if factor >= 100 else 1 if factor >= 10 else 2 if factor >= 1 else 3  # noqa: PLR2004 - powers of ten
    while digits < _MOST_DIGITS and is_inside(float(f"{factor:.{digits}f}")) != is_inside(factor):
        digits += 1
    return f"{factor:.{digits}f}x"


def row_names(rows: Sequence[ComparisonRow]) -> list[str]:
    """Return the shortest unique names, with the phase in parentheses."""
    short = [row.key.fullname.partition("::")[2] or row.key.fullname for row in rows]
    files: dict[str, set[str]] = {}
    for name, row in zip(short, rows, strict=True):
        files.setdefault(name, set()).add(row.key.fullname)
    clash = any(len(names) > 1 for names in files.values())
    names = [row.key.fullname for row in rows] if clash else short
    return [f"{name} ({row.key.phase})" if row.key.phase else name for name, row in zip(names, rows, strict=True)]


def notes_of(rows: Sequence[ComparisonRow]) -> list[Note]:
    """Return the reasons of rows, each once, the worst verdicts first, and how many more sessions are needed."""
    named = sorted(zip(rows, row_names(rows), strict=True), key=lambda pair: VERDICTS.index(pair[0].judgement.verdict))
    reasons: dict[tuple[str, str], list[str]] = {}
    needed: dict[int, list[str]] = {}
    for row, name in named:
        judgement = row.judgement
        text = judgement.reason or _STATES.get(judgement.state or "", "")
        if text:
            reasons.setdefault((judgement.text, text), []).append(name)
        if judgement.sessions_needed and judgement.verdict != "new":
            needed.setdefault(judgement.sessions_needed, []).append(name)
    notes = [
        Note(subject=f"{len(names)} {word}", text=text, names=tuple(names)) for (word, text), names in reasons.items()
    ]
    notes += worth_notes(rows)
    return notes + [
        Note(subject="to be sure", text=f"record {counted(number, 'more session')} a side", names=tuple(names))
        for number, names in sorted(needed.items())
    ]


def side_text(side: Side) -> str:
    """Return the sessions of a side: ``main · 5 sessions, 2026-11-20 22:10 to 23:40 CET · 0123456789 on main``."""
    sessions = side.sessions
    if not sessions:
        return f"{side.name} · no session"
    first, last = sessions[0], sessions[-1]
    when, until = local_minute(first.started_at), local_minute(last.started_at)
    zone = zones_text([first.started_at, last.started_at])
    if len(sessions) == 1:
        which = f"session {first.session_id[:SHORT_ID]}, {when} {zone}"
    else:
        until = until[11:] if until[:10] == when[:10] else until
        which = f"{len(sessions)} sessions, {when} to {until} {zone}"
    commits = {session.commit_sha[:10] for session in sessions if session.commit_sha}
    branches = {session.branch for session in sessions if session.branch}
    commit = commits.pop() if len(commits) == 1 else counted(len(commits), "commit") if commits else ""
    where = " on ".join(part for part in (commit, branches.pop() if len(branches) == 1 else "") if part)
    dirty = " with uncommitted changes" if any(session.dirty for session in sessions) else ""
    return " · ".join(part for part in (side.name, which, where + dirty) if part)


def difference_text(difference: Difference) -> str:
    """Return a fact that differs: ``numpy 2.0.0 -> 2.1.0``."""
    name = difference.name.removeprefix("packages.").removeprefix("details.")
    return f"{name} {_fact(name, difference.baseline)} -> {_fact(name, difference.candidate)}"


def _fact(name: str, text: str | None) -> str:
    if text is None:
        return "unknown"
    return one_quantity(float(text), "B") if name == "ram" and text.isdigit() else text


def is_main_difference(difference: Difference) -> bool:
    """Return whether a difference is shown by default, unlike most details of the machine."""
    return not difference.name.startswith("details.") or "governor" in difference.name or "turbo" in difference.name


def metric_text(rows: Sequence[ComparisonRow]) -> str:
    """Describe the metric of rows: ``wall_time, smallest round of each session, lower is better``, and its limits."""
    statistics = {row.policy.statistic for row in rows if row.policy is not None}
    statistic = _STATISTICS[statistics.pop()] if len(statistics) == 1 else ""
    metric = ", ".join(part for part in (rows[0].key.metric, statistic, _DIRECTIONS[rows[0].better]) if part)
    return "; ".join(part for part in (metric, limits_text(rows)) if part)


def conclusion(comparison: Comparison) -> str:
    """Return the number of each verdict, the worst first: ``2 regressed, 1 improved, 27 unchanged``."""
    return comparison.conclusion


def conclusion_style(comparison: Comparison) -> Style:
    """Return the style of the worst verdict that has one."""
    verdicts = {row.judgement.verdict for row in comparison.rows}
    return next(
        (VERDICT_STYLES[verdict] for verdict in VERDICTS if verdict in verdicts and VERDICT_STYLES[verdict]), ""
    )
