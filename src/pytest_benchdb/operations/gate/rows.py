"""Judges every series of a gate: by its history, or by the sessions of the other side."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_benchdb.analysis.rules.history import judge_history
from pytest_benchdb.analysis.rules.policy import ENOUGH_SESSIONS
from pytest_benchdb.analysis.rules.session_figures import read_figures, usable_part
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.analysis.rules.suite import suite_shift
from pytest_benchdb.analysis.rules.two_clocks import is_cpu_bound
from pytest_benchdb.analysis.statistics.false_discovery import q_values
from pytest_benchdb.model.comparison import ComparisonRow, Shift
from pytest_benchdb.model.metric import MAIN_TIMES, METRICS
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.run import NOT_RUN
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy
from pytest_benchdb.operations.compare.pairs import Pair, pair_sides
from pytest_benchdb.operations.gate.allowances import Allowance, active_allowance
from pytest_benchdb.operations.gate.policy import Rules, TimeKey, main_times, policy_of, time_key

_DISTURBED_KINDS = frozenset({"time", "rate", "energy", "power"})
_CPU_CLOCKS = frozenset({"cpu_time", "thread_time"})
"""Metrics that other work on the machine does not make longer."""
_FOLLOWING = 2.0
_CONFIRMS_FOR_SMALL = 2
"""Re-runs from which the smaller default change counts: with fewer it alarms too often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What judging needs beside the values.

    Attributes:
        rules: what users said of what fails.
        sessions: the candidate's and those of its history, by id.
        both_sides: whether several sessions stand on both sides, so that they are judged as sides.
        confirms: re-runs that are going to follow.
        missing: full names of benchmarks that should have run and did not.
        times: the metric that stands for the time of each benchmark; none for one that has no time.
        by_name: metrics that users named themselves, not as ``time``.
    """

    rules: Rules
    sessions: Mapping[str, SessionRow]
    both_sides: bool = False
    confirms: int = 0
    missing: Collection[str] = ()
    times: Mapping[TimeKey, str] = field(default_factory=dict)
    by_name: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRow:
    """A row, and what it was made of.

    Attributes:
        baseline: values of the history, oldest first.
        shifted: whether it is in doubt because the whole suite moved: no re-run on this machine can tell.
    """

    row: ComparisonRow
    baseline: tuple[SessionValue, ...]
    shifted: bool = False


def judge_rows(history: Sequence[SessionValue], candidate: Sequence[SessionValue], context: Context) -> list[JudgedRow]:
    """Judge each series of the candidate, and those of benchmarks that are missing from it.

    Args:
        history: values of earlier sessions.
        candidate: values of the session, or the sessions, to judge.
        context: rules, sessions and what is missing.

    Raises:
        ConfigError: a threshold's unit is not its metric's.
    """
    times = {**main_times(history), **main_times(candidate)}
    known = replace(context, times=times, by_name=named_metrics(context.rules))
    return [judged for pair in pair_sides(history, candidate) if (judged := _judged(pair, known)) is not None]


def named_metrics(rules: Rules) -> frozenset[str]:
    """Return the metrics that thresholds name, but for those that ``time`` stands for."""
    limits = [*rules.thresholds, *(limit for override in rules.overrides for limit in override.thresholds)]
    return frozenset(name for limit in limits if not limit.first_only for name in limit.metrics)


def judge_again(judged: JudgedRow, value: SessionValue, session: SessionRow) -> Judgement:
    """Judge what a re-run measured by what its suspicion stands on."""
    policy = judged.row.policy
    if policy is None:
        return Judgement(verdict="inconclusive", reason="nothing was to be decided")
    # Sides of three sessions are enough for a suspicion, so they are for its confirmation.
    least = min(policy.least_sessions, max(len(judged.baseline), 2))
    judgement = judge_history(judged.baseline, value, replace(policy, least_sessions=least))
    return _unless_disturbed(judgement, policy, (*judged.baseline, value), session)


def with_shift(rows: Sequence[JudgedRow]) -> tuple[list[JudgedRow], Shift | None]:
    """Put in doubt what a whole suite shares, metric by metric; return the largest shift of what is gated."""
    shifts = {
        metric: suite_shift((one.row.key, one.row.judgement) for one in rows if one.row.key.metric == metric)
        for metric in dict.fromkeys(one.row.key.metric for one in rows)
    }
    found = [_shifted(judged, shifts[judged.row.key.metric]) for judged in rows]
    gated = {one.row.key.metric for one in rows if one.row.is_gated}
    largest = max(
        (shift for metric, shift in shifts.items() if shift is not None and metric in gated),
        key=lambda shift: abs(shift.change),
        default=None,
    )
    return found, largest


def _shifted(judged: JudgedRow, shift: Shift | None) -> JudgedRow:
    judgement = judged.row.judgement
    if shift is None or judgement.verdict != "regressed" or not _explains(shift, judged.row):
        return judged
    reason = f"most of the suite moved alike, by {shift.change:+.1%} in the median"
    doubted = replace(judgement, verdict="inconclusive", state="unstable", reason=reason)
    return replace(_with_judgement(judged, doubted), shifted=True)


def _explains(shift: Shift, row: ComparisonRow) -> bool:
    """Tell whether a row's change may be the suite's: it goes the same way, and not much further.

    Benchmarks do not all follow a machine by the same share, so twice the shift beside the limit may be its doing.
    """
    change = row.judgement.change
    if change is None or change * shift.change <= 0:
        return False
    own = abs(math.log1p(change)) - abs(math.log1p(shift.change)) if min(change, shift.change) > -1 else 0.0
    limit = row.policy.relative if row.policy is not None else 0.0
    return own <= math.log1p(limit + _FOLLOWING * abs(shift.change))


def with_q_values(rows: Sequence[JudgedRow], most: float | None) -> list[JudgedRow]:
    """Add the p-values of gated rows, corrected for their number (Benjamini and Hochberg, 1995).

    Args:
        rows: the rows.
        most: q-value above which a regression is put in doubt; None for no such filter.
    """
    tested = [one for one in rows if one.row.is_gated and one.row.judgement.p_value is not None]
    found = q_values([one.row.judgement.p_value or 0.0 for one in tested])
    by_key = {one.row.key: q for one, q in zip(tested, found, strict=True)}
    result = []
    for judged in rows:
        q = by_key.get(judged.row.key)
        row = replace(judged.row, q_value=q)
        if most is not None and q is not None and q > most and row.judgement.verdict == "regressed":
            reason = f"q-value {q:.2g} is above --fdr {most:g}"
            row = replace(row, judgement=replace(row.judgement, verdict="inconclusive", reason=reason))
        result.append(replace(judged, row=row))
    return result


def with_allowances(
    rows: Sequence[JudgedRow], allowances: Sequence[Allowance], session: SessionRow, now: str
) -> list[JudgedRow]:
    """Mark the regressions that people let pass."""
    found = []
    for judged in rows:
        judgement = judged.row.judgement
        if judgement.verdict == "regressed" and judged.row.is_gated:
            allowance = active_allowance(allowances, judged.row.key, session, now)
            if allowance is not None:
                judgement = replace(judgement, state="accepted", reason=allowance.text())
        found.append(_with_judgement(judged, judgement))
    return found


def is_suspect(judged: JudgedRow) -> bool:
    """Tell whether a row is worth a re-run: it looks regressed, or would if the machine had been at rest."""
    row = judged.row
    if not row.is_gated or judged.shifted or row.judgement.state == "accepted":
        return False
    if row.judgement.verdict == "regressed":
        return True
    return row.judgement.state == "unstable" and row.harm > 0


def _judged(pair: Pair, context: Context) -> JudgedRow | None:
    values = (*pair.baseline, *pair.candidate)
    newest = values[-1]
    if pair.key.metric in MAIN_TIMES and not _is_main_time(newest, context):
        return None
    if all(value.outcome in NOT_RUN for value in values):
        return None
    if not pair.candidate and pair.key.fullname not in context.missing:
        return None
    policy = policy_of(
        newest,
        context.rules,
        sessions=_sessions_for_default(len(pair.baseline), context.confirms),
        main_time=context.times.get(time_key(newest)),
    )
    row = ComparisonRow(
        key=pair.key,
        unit=newest.unit,
        better=newest.better,
        group=newest.group,
        judgement=_not_gated(_judgement(pair, policy, context), policy),
        policy=policy,
        labels=newest.labels,
        params=newest.params,
    )
    return JudgedRow(row=row, baseline=pair.baseline)


def _is_main_time(value: SessionValue, context: Context) -> bool:
    """Tell whether a time is the one to judge, or was asked for by its own name."""
    metric = value.key.metric
    return metric in context.by_name or context.times.get(time_key(value), MAIN_TIMES[0]) == metric


def _judgement(pair: Pair, policy: Policy, context: Context) -> Judgement:
    if pair.obstacle is not None:
        return Judgement(verdict="incomparable", reason=pair.obstacle)
    if context.both_sides:
        return judge_sides(pair.baseline, pair.candidate, policy)
    value = pair.candidate[-1] if pair.candidate else None
    judgement = judge_history(pair.baseline, value, policy)
    if value is None:
        return judgement
    if judgement.state == "suspect" and judgement.reason is None and not context.confirms:
        judgement = replace(judgement, reason="not confirmed by a re-run")
    return _unless_disturbed(judgement, policy, (*pair.baseline, value), context.sessions[value.session_id])


def _unless_disturbed(
    judgement: Judgement, policy: Policy, values: Sequence[SessionValue], session: SessionRow
) -> Judgement:
    """Doubt a regression of a disturbed session that no second clock speaks for.

    Code that only computes was judged by both clocks already; of other code nobody can tell waiting from disturbance.
    """
    value = values[-1]
    metric = METRICS.get(value.key.metric)
    kind = metric.kind if metric is not None else "time" if value.unit == "s" else "other"
    if judgement.verdict != "regressed" or not session.contended or kind not in _DISTURBED_KINDS:
        return judgement
    if value.key.metric in _CPU_CLOCKS:
        return judgement
    if value.cpu_s is not None and is_cpu_bound(read_figures(usable_part(values), policy.statistic)):
        return judgement
    return replace(
        judgement, verdict="inconclusive", state="unstable", reason="other work disturbed the machine in this session"
    )


def _not_gated(judgement: Judgement, policy: Policy) -> Judgement:
    if policy.gated or judgement.verdict not in {"regressed", "error", "missing"}:
        return judgement
    return replace(judgement, state="not gated")


def _sessions_for_default(sessions: int, confirms: int) -> int:
    return sessions if confirms >= _CONFIRMS_FOR_SMALL else min(sessions, ENOUGH_SESSIONS - 1)


def _with_judgement(judged: JudgedRow, judgement: Judgement) -> JudgedRow:
    return replace(judged, row=replace(judged.row, judgement=judgement))
